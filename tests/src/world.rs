//! A whole country in one process: the coordinator's service and every node's daemon, over real TLS
//! on loopback, with real stores, ledgers and exports.
//!
//! **Invariant:** nothing is mocked but the clock; nodes reach the coordinator only through its
//! listening socket.

use crate::process::free_port;
use crate::synthetic::Export;
use anyhow::{Context, Result, ensure};
use fellestall_coordinator::config::{Config as CoordinatorConfig, Web};
use fellestall_coordinator::home::Home;
use fellestall_coordinator::invitation;
use fellestall_coordinator::rounds::{self, LoadedRound, Opening, publication};
use fellestall_coordinator::server::Server;
use fellestall_coordinator::store::Store;
use fellestall_coordinator::store::nodes::NodeStatus;
use fellestall_coordinator::store::publications::StoredPublication;
use fellestall_node::audit::Actor;
use fellestall_node::config::{self, Choices, Config};
use fellestall_node::daemon::{Daemon, Report};
use fellestall_node::decisions::{self, Decider};
use fellestall_node::enrol::{Enroller, Standing, parse_invitation};
use fellestall_node::kernel::Withdrawal;
use fellestall_node::kernel::source::RejectedRows;
use fellestall_node::keys::KeyStore;
use fellestall_node::register::{self, AtEnd, Register};
use fellestall_node::state::State;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::ids::{MunicipalityNumber, NodeId, RoundId};
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Rho;
use fellestall_shared::wire::v1::{Answer, StudyDocument};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::watch;

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct WorldClock(AtomicI64);

impl WorldClock {
    /// A clock that shows this moment.
    #[must_use]
    pub fn at(moment: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(moment.unix())))
    }

    /// Moves the clock to this moment.
    pub fn set(&self, moment: Timestamp) {
        self.0.store(moment.unix(), Ordering::SeqCst);
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst))
    }
}

/// The country.
pub struct World {
    folder: PathBuf,
    /// The clock of the coordinator.
    pub clock: Arc<WorldClock>,
    /// The running service; `None` while it is down.
    pub server: Option<Server>,
    /// The coordinator's store, on a connection of the test's own.
    pub store: Store,
    url: String,
    /// The nodes, in the order of their exports.
    pub nodes: Vec<WorldNode>,
}

/// One municipality.
pub struct WorldNode {
    /// The node's directory.
    pub directory: PathBuf,
    /// Its id.
    pub node: NodeId,
    /// Its municipality.
    pub municipality: MunicipalityNumber,
    /// The clock of its machine.
    pub clock: Arc<WorldClock>,
    /// The invitation it was enrolled with.
    pub invitation: String,
}

impl World {
    /// A coordinator in `folder` with no nodes yet; `store` as in its configuration.
    ///
    /// # Errors
    /// Whatever a step of it answers.
    pub async fn found(folder: &Path, store: &str, now: Timestamp) -> Result<Self> {
        let clock = WorldClock::at(now);
        let port = free_port()?;
        let url = format!("https://127.0.0.1:{port}");
        let config = CoordinatorConfig {
            url: url.clone(),
            hosts: vec!["127.0.0.1".to_owned()],
            listen: ([127, 0, 0, 1], port).into(),
            public: None,
            store: store.to_owned(),
            web: Web::default(),
            admin: None,
        };
        let home = Home::create(&folder.join("coordinator"), &config, now)?;
        let store = Store::open(&home.store_address()?).await?;
        let server = Server::start(home, Arc::clone(&clock) as Arc<dyn Clock>).await?;
        Ok(Self {
            folder: folder.to_owned(),
            clock,
            server: Some(server),
            store,
            url,
            nodes: Vec::new(),
        })
    }

    /// The coordinator's directory, read anew.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn home(&self) -> Result<Home> {
        Ok(Home::open(&self.folder.join("coordinator"))?)
    }

    /// Stops the service; nodes find nobody.
    pub async fn take_down(&mut self) {
        if let Some(server) = self.server.take() {
            server.shutdown().await;
        }
    }

    /// Starts the service again, on the same address.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn bring_up(&mut self) -> Result<()> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        self.server = Some(Server::start(self.home()?, clock).await?);
        Ok(())
    }

    /// Adds a node over an export: invited, enrolled and approved as operators would.
    ///
    /// # Errors
    /// Whatever a step of it answers.
    pub async fn enrol(&mut self, export: &Export) -> Result<()> {
        let municipality = export.municipality.clone();
        let directory = self.folder.join("nodes").join(municipality.as_str());
        let records = self.folder.join("exports").join(municipality.as_str());
        export.write(&records)?;
        std::fs::create_dir_all(self.folder.join("nodes"))?;
        fellestall_node::files::create_directory(&directory)?;
        write_config(&directory, &municipality, &records)?;
        KeyStore::new(&directory).generate()?;
        let home = self.home()?;
        let now = self.clock.now();
        let invited =
            invitation::invite(&self.store, &home.authority, &self.url, &municipality, now).await?;
        let clock = WorldClock::at(now);
        let enroller = Enroller::new(
            parse_invitation(&invited.text)?,
            &Config::read(&directory)?,
            None,
            Arc::clone(&clock) as Arc<dyn Clock>,
        )?;
        let asked = enroller.request(&directory).await?;
        ensure!(matches!(asked, Standing::Pending { .. }), "an operator has to decide");
        let node = NodeId::new(&municipality, 1);
        self.store.decide_node(&node, NodeStatus::Enrolled, now).await?;
        let standing = enroller.poll(&directory).await?;
        ensure!(matches!(standing, Standing::Approved(_)), "the node is enrolled");
        let invitation = invited.text;
        self.nodes.push(WorldNode { directory, node, municipality, clock, invitation });
        Ok(())
    }

    /// Signs and publishes a study.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn publish_study(&self, document: &StudyDocument) -> Result<()> {
        let home = self.home()?;
        let now = self.clock.now();
        rounds::publish_study(&self.store, &home.signing_key, catalogue()?, document, now).await?;
        Ok(())
    }

    /// Opens a round of the newest version of the study.
    ///
    /// # Errors
    /// Why it is not opened.
    pub async fn open_round(&self, document: &StudyDocument, period: Period) -> Result<RoundId> {
        let opening = Opening {
            study: document.study.clone(),
            version: Some(document.version),
            period,
            closes: self.clock.now().plus(std::time::Duration::from_hours(24)),
        };
        let (home, now) = (self.home()?, self.clock.now());
        let key = &home.signing_key;
        let (round, _) = rounds::open_round(&self.store, key, catalogue()?, &opening, now).await?;
        Ok(round)
    }

    /// A round as the coordinator loads it.
    ///
    /// # Errors
    /// If it cannot be loaded.
    pub async fn load(&self, round: &RoundId) -> Result<LoadedRound> {
        let key = self.home()?.signing_key.verifying_key();
        Ok(rounds::load_round(&self.store, &key, catalogue()?, round).await?)
    }

    /// Closes a round and publishes its first version.
    ///
    /// # Errors
    /// Why nothing is published.
    pub async fn close(&self, round: &RoundId) -> Result<StoredPublication> {
        let loaded = self.load(round).await?;
        let (home, now) = (self.home()?, self.clock.now());
        Ok(publication::close(&self.store, home.printer(), &loaded, now).await?)
    }

    /// Publishes the next version with what came late, if anything did.
    ///
    /// # Errors
    /// Why nothing is published.
    pub async fn revise(&self, round: &RoundId) -> Result<Option<StoredPublication>> {
        let loaded = self.load(round).await?;
        let (home, now) = (self.home()?, self.clock.now());
        Ok(publication::revise(&self.store, home.printer(), &loaded, now).await?)
    }

    /// Lets every node fetch its studies, lets its operator approve them, and runs one more cycle.
    ///
    /// # Errors
    /// What a node could not do.
    pub async fn approve_everywhere(&self) -> Result<()> {
        for node in &self.nodes {
            node.cycle().await?;
            node.decide(Answer::Approved)?;
        }
        Ok(())
    }
}

impl WorldNode {
    /// Runs one full cycle of the node.
    ///
    /// # Errors
    /// Why the node stopped by itself.
    pub async fn cycle(&self) -> Result<Report> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let mut daemon = Daemon::open(&self.directory, None, clock)?;
        let (_stop, mut stopped) = watch::channel(false);
        Ok(daemon.cycle(&mut stopped).await?)
    }

    /// The operator approves one study that the node has fetched, as `core.1`, and leaves the others.
    ///
    /// # Errors
    /// If there is no such study in force.
    pub fn approve_one(&self, name: &str) -> Result<()> {
        self.decide_those(Answer::Approved, |study| study == name)
    }

    /// The operator decides about every study that the node has fetched.
    ///
    /// # Errors
    /// If a study is not in force.
    pub fn decide(&self, answer: Answer) -> Result<()> {
        self.decide_those(answer, |_| true)
    }

    fn decide_those(&self, answer: Answer, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let mut state = State::open(&self.directory)?;
        let membership = state.membership()?.context("the node is enrolled")?;
        let key = KeyStore::new(&self.directory).release()?;
        let by = Actor::named("operator");
        let decider = Decider { by: &by, now: self.clock.now() };
        let (known, _) = decisions::studies(&state, &membership, decider.now)?;
        for study in known.iter().filter(|one| wanted(&one.name())) {
            let register = registered(&self.directory, study.study.document())?;
            decisions::decide(&mut state, &membership, &key, &register, study, answer, decider)?;
        }
        Ok(())
    }

    /// The folder of its export.
    #[must_use]
    pub fn records(&self) -> PathBuf {
        let root = self.directory.ancestors().nth(2).unwrap_or(&self.directory);
        root.join("exports").join(self.municipality.as_str())
    }
}

fn catalogue() -> Result<&'static Catalogue> {
    Catalogue::builtin().map_err(|error| anyhow::anyhow!("{error}"))
}

/// The register of the node in `directory`, with an entry for this study's purpose: all that the
/// study asks, on the synthetic consent forms.
///
/// # Errors
/// If it cannot be read or written.
pub fn registered(directory: &Path, study: &StudyDocument) -> Result<Register> {
    let register = Register::read(directory)?;
    if register.purpose(&study.purpose).is_some() {
        return Ok(register);
    }
    let choices = register::Choices {
        information_letter: "2014-1".to_owned(),
        accepted_forms: ["2014-1".to_owned()].into(),
        withdrawal: Withdrawal::NextPeriod,
        at_end: AtEnd::Delete,
    };
    register::add(directory, study, &choices)?;
    Ok(Register::read(directory)?)
}

fn write_config(directory: &Path, number: &MunicipalityNumber, records: &Path) -> Result<()> {
    let text = config::template(&Choices {
        municipality: number.clone(),
        records: records.to_owned(),
        mapping: None,
        rejected_rows: RejectedRows::Refuse,
        lifetime: Rho::from_micro(10_000_000),
        year: Rho::from_micro(2_000_000),
        study: Rho::from_micro(2_000_000),
        poll_seconds: 1,
    });
    Ok(std::fs::write(directory.join(config::FILE), text)?)
}
