//! Real nodes with their kernels over synthetic records, a coordinator's service and a helper, over TLS;
//! and the operator's commands.

use anyhow::Error;
use clap::Parser;
use fellestall_coordinator::cli::{Arguments, execute};
use fellestall_coordinator::helper::card::HelperCard;
use fellestall_coordinator::helper::config::HelperConfig;
use fellestall_coordinator::helper::home::HelperHome;
use fellestall_coordinator::helper::server::HelperServer;
use fellestall_coordinator::publish::PublicationFile;
use fellestall_coordinator::template::{self, Sharing, Wish};
use fellestall_node::kernel::{Budget, Kernel, KernelConfig, Secrets};
use fellestall_node::keys::KeyStore;
use fellestall_shared::clock::Clock;
use fellestall_shared::ids::RoundId;
use fellestall_shared::municipality;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Rho;
use fellestall_shared::wire::v1::{HelperIdentity, Residence, TaskParticipant};
use fellestall_tests::synthetic::{self, Export};
use fellestall_tests::world::{World, WorldNode};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::scene::{MINIMUM, NOW, catalogue};

/// What each table costs a node in all.
pub const LOSS: Rho = Rho::from_micro(300_000);
/// The round of every country.
pub const ROUND: &str = "core.1.2016H2";

/// The country.
pub struct Country {
    pub world: World,
    pub helper: HelperServer,
    pub folder: PathBuf,
    exports: Vec<Export>,
}

impl Country {
    /// So many municipalities that have approved the core study, shared as is said, and its open round.
    pub async fn found(
        folder: &Path,
        municipalities: usize,
        sharing: impl FnOnce(HelperIdentity) -> Sharing,
    ) -> Self {
        let period: Period = synthetic::PUBLISHED_PERIOD.parse().expect("a period");
        let mut world = World::found(folder, "sqlite:coordinator.db", NOW).await.expect("a world");
        let (helper, card) = helper(folder, &world).await;
        world.home().expect("a coordinator").trust_helper(&card).expect("trusted");
        let made =
            |known: &municipality::Municipality| synthetic::municipality(&known.number, period, 7);
        let exports: Vec<_> = municipality::all().iter().take(municipalities).map(made).collect();
        for export in &exports {
            world.enrol(export).await.expect("enrolled");
        }
        let nodes = world.store.nodes().await.expect("nodes");
        let nodes = nodes.into_iter().map(|node| TaskParticipant {
            municipality: node.municipality,
            node: node.node,
            release_key: node.release_key,
        });
        helper.store().admit(&nodes.collect::<Vec<_>>(), NOW).await.expect("admitted");
        let wish = Wish {
            statistics: Vec::new(),
            rho: LOSS,
            starts: "2013-01-01".to_owned(),
            ends: "2035-12-31".to_owned(),
            minimum_nodes: MINIMUM,
            residence: Residence::Anywhere,
            sharing: sharing(card.identity()),
            municipal_figures: false,
        };
        let study = template::study(&wish, catalogue()).expect("a study");
        world.publish_study(&study).await.expect("published");
        world.approve_everywhere().await.expect("approved");
        let country = Self { world, helper, folder: folder.to_owned(), exports };
        let words = ["round", "open", "core", "--period", "2016H2", "--closes", "2026-10-15"];
        let said = country.command(&words).await.expect("open");
        assert!(!said.contains("wait"), "the helper takes part at once: {said}");
        country
    }

    pub fn round() -> RoundId {
        ROUND.parse().expect("an id")
    }

    /// Gives a command to the coordinator.
    pub async fn command(&self, words: &[&str]) -> Result<String, String> {
        let clock = Arc::clone(&self.world.clock) as Arc<dyn Clock>;
        command(&self.folder.join("coordinator"), clock, words).await
    }

    /// These nodes run once, and answer everything that they are asked.
    pub async fn answer(&self, nodes: &[WorldNode]) {
        for node in nodes {
            let report = node.cycle().await.expect("a cycle");
            assert!(report.failure.is_none() && report.not_released.is_empty(), "{report:?}");
        }
    }

    /// A version, in its file's bytes and in its parts.
    pub async fn published(&self, version: u32) -> (Vec<u8>, PublicationFile) {
        let stored =
            self.world.store.publication(&Self::round(), version).await.expect("an answer");
        let bytes = stored.expect("a publication").document;
        let file = serde_json::from_slice(&bytes).expect("a publication");
        (bytes, file)
    }

    /// The exact count over the first so many municipalities.
    pub fn truth(&self, municipalities: usize, statistic: &str, codes: &[String]) -> i64 {
        let cell = codes.join("/");
        let exports = self.exports.iter().take(municipalities);
        exports.map(|export| export.truth.count(statistic, &cell).expect("known")).sum()
    }
}

/// What the node's ledger has charged, and in how many entries.
pub fn ledger(node: &WorldNode) -> (Rho, usize) {
    let keys = KeyStore::new(&node.directory);
    let cap = Rho::from_micro(10_000_000);
    let config = KernelConfig {
        journal: node.directory.join(fellestall_node::engine::LEDGER),
        node: node.node.clone(),
        municipality: node.municipality.clone(),
        budget: Budget { lifetime: cap, year: cap, study: cap },
    };
    let secrets = Secrets::new(*keys.count().expect("a key"), keys.release().expect("a key"));
    let history = Kernel::open(config, secrets).expect("a ledger").history().expect("entries");
    let charged = history.iter().map(|entry| entry.charge.micro()).sum();
    (Rho::from_micro(charged), history.len())
}

/// Gives a command to the coordinator in this directory: what it says, or why it was not done.
pub async fn command(
    directory: &Path,
    clock: Arc<dyn Clock>,
    words: &[&str],
) -> Result<String, String> {
    let dir = directory.to_str().expect("UTF-8");
    let all = ["fellestall-coordinator", "--dir", dir].into_iter().chain(words.iter().copied());
    let arguments = Arguments::try_parse_from(all).expect("arguments");
    let mut said = Vec::new();
    let done = execute(arguments, clock, &mut said).await;
    done.map_err(|error| format!("{:#}", Error::new(error)))?;
    Ok(String::from_utf8(said).expect("UTF-8"))
}

/// A helper that trusts the coordinator, and its card with the port that it has.
async fn helper(folder: &Path, world: &World) -> (HelperServer, HelperCard) {
    let config = HelperConfig {
        name: "Another organisation".to_owned(),
        url: "https://127.0.0.1".to_owned(),
        hosts: vec!["127.0.0.1".to_owned()],
        listen: "127.0.0.1:0".parse().expect("an address"),
        store: "sqlite:helper.db".to_owned(),
    };
    let directory = folder.join("helper");
    let home = HelperHome::create(&directory, &config, NOW).expect("a helper");
    home.trust(&world.home().expect("a coordinator").card()).expect("trusted");
    let home = HelperHome::open(&directory).expect("a helper");
    let card = home.card();
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let server = HelperServer::start(home, clock).await.expect("a server");
    let url = format!("https://{}", server.address());
    (server, HelperCard { url, ..card })
}
