//! The node as a service: does what [`crate::agent`] says, and tells it what came of it.
//!
//! **Invariant:** the kernel's work is never cut off by an orderly stop; a wait for the network
//! always is.

use crate::agent::{Agent, Effect, Event, Situation, Stopped};
use crate::audit::{self, Actor, AuditLog};
use crate::client::{Client, ClientError, Meaning, Route};
use crate::config::Config;
use crate::decisions::DecisionError;
use crate::engine::{self, EngineError};
use crate::enrol::EnrolError;
use crate::kernel::{ApprovedRound, Kernel, Recorded, Release};
use crate::keys::{KeyError, KeyStore};
use crate::register::Register;
use crate::state::{Enrolment, Membership, State};
use crate::work::{self, Lacking, Todo};
use fellestall_shared::clock::Clock;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::wire::v1::RenewalRequest;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

mod error;
mod release;
mod report;
mod tasks;
mod witness;
pub use error::{DaemonError, explain};
pub use report::Report;

/// One node, ready to run.
pub struct Daemon {
    config: Arc<Config>,
    membership: Membership,
    keys: KeyStore,
    client: Client,
    proxy: Option<Route>,
    clock: Arc<dyn Clock>,
    agent: Agent,
    kernel: Option<Kernel>,
    rounds: BTreeMap<RoundId, ApprovedRound>,
    recorded: Option<Release<Recorded>>,
    report: Report,
}

/// A stop came while waiting for the network.
struct Interrupted;

impl Daemon {
    /// Prepares the node in `directory`: keys, enrolment and ledger are checked, nothing is sent.
    /// The configuration's proxy goes before `proxy`, which is the environment's.
    ///
    /// # Errors
    /// [`DaemonError`]: what has to be mended first.
    pub fn open(
        directory: &Path,
        proxy: Option<Route>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DaemonError> {
        let config = Config::read(directory)?;
        let keys = KeyStore::new(directory);
        keys.refuse_open().map_err(KeyError::File)?;
        let membership = State::open(directory)?.membership()?.ok_or(EnrolError::NotEnrolled)?;
        let proxy = config.route().or(proxy);
        let client = work::client(&config, &membership, proxy.clone(), Arc::clone(&clock))?;
        // A damaged ledger or log is found before the coordinator is asked for anything.
        let ledger = engine::open(&config, &membership)?.history().map_err(EngineError::from)?;
        audit::verify(directory)?;
        audit::compare(directory, &AuditLog::open(directory)?.entries()?, &ledger)?;
        Ok(Self {
            agent: Agent::new(config.poll, membership.certificate_expires),
            config: Arc::new(config),
            membership,
            keys,
            client,
            proxy,
            clock,
            kernel: None,
            rounds: BTreeMap::new(),
            recorded: None,
            report: Report::default(),
        })
    }

    /// Runs until `stop` says true.
    ///
    /// # Errors
    /// [`DaemonError`]: why the node stopped by itself.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), DaemonError> {
        tracing::info!(node = %self.membership.node, "the node runs");
        while let Some(wait) = self.until_sleep(&mut stop).await? {
            tracing::debug!(seconds = wait.as_secs(), "the node waits");
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        tracing::info!(node = %self.membership.node, "the node stops");
        Ok(())
    }

    /// Runs one full cycle: asks, decides, releases, sends. May be called again.
    ///
    /// # Errors
    /// [`DaemonError`]: why the node stopped by itself.
    pub async fn cycle(&mut self, stop: &mut watch::Receiver<bool>) -> Result<Report, DaemonError> {
        self.until_sleep(stop).await?;
        Ok(self.report.clone())
    }

    /// One cycle; how long to wait after it, or `None` if a stop came.
    async fn until_sleep(
        &mut self,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Option<std::time::Duration>, DaemonError> {
        self.report = Report::default();
        let mut event = Event::Woke;
        loop {
            if *stop.borrow() {
                return Ok(None);
            }
            let effect = self.agent.step(self.clock.now(), event, jitter());
            let done = match effect {
                Effect::Sleep(wait) => {
                    self.report.cycle = self.agent.cycle().clone();
                    self.end_cycle();
                    return Ok(Some(wait));
                }
                Effect::Stop(stopped) => return Err(self.stopped(stopped)),
                Effect::Poll => self.poll(stop).await,
                Effect::Renew => self.renew(stop).await,
                Effect::SendDecision(study) => self.send_decision(study, stop).await,
                Effect::Witness => self.witness(stop).await,
                Effect::Release(round) => Ok(self.release(round).await?),
                Effect::SendReport(round) => self.send_report(round, stop).await,
                Effect::Send(round) => self.send(round, stop).await,
            };
            event = match done {
                Ok(event) => event,
                Err(Undone::Interrupted) => return Ok(None),
                Err(Undone::Error(error)) => return Err(error),
            };
        }
    }

    fn end_cycle(&mut self) {
        // Between cycles the ledger is free for the operator's commands.
        self.kernel = None;
        self.recorded = None;
        if self.report.cycle.clock_skew {
            tracing::error!(
                now = %self.clock.now(),
                "this machine's clock and the coordinator's differ by more than a day; nothing is released until one of them is set right"
            );
        }
    }

    fn stopped(&self, stopped: Stopped) -> DaemonError {
        match stopped {
            Stopped::CertificateExpired => {
                DaemonError::CertificateExpired { now: self.clock.now().to_string() }
            }
            Stopped::Denied => {
                let failure = self.report.failure.as_ref();
                let detail = failure.map_or_else(String::new, ToString::to_string);
                DaemonError::Denied { detail }
            }
        }
    }

    async fn poll(&mut self, stop: &mut watch::Receiver<bool>) -> Result<Event, Undone> {
        let work = match or_stop(stop, self.client.work()).await? {
            Ok(work) => work,
            Err(error) => return Ok(self.failed(error, "the coordinator was not asked")),
        };
        let coordinator_now = work.now;
        let now = self.clock.now();
        let (config, membership) = (Arc::clone(&self.config), self.membership.clone());
        let todo: Result<Todo, DaemonError> = spawn_blocking(move || {
            AuditLog::open(&config.directory)?.note_settings(now, &Actor::node())?;
            let mut state = State::open(&config.directory)?;
            let register = Register::read(&config.directory)?;
            let mut todo = work::take(&mut state, &membership, &register, &work, now)?;
            leave_settled(&mut todo, &config, &membership, &work.received)?;
            Ok(todo)
        })
        .await
        .map_err(|_| DaemonError::Engine(EngineError::CutOff))?;
        let Todo { unsent, rounds, lacking, bad_tasks, not_permitted } = todo?;
        self.report.refused |= !not_permitted.is_empty();
        let why = not_permitted.into_iter().map(|(round, why)| (round, why.to_string()));
        self.report.not_released.extend(why);
        self.rounds = rounds.into_iter().map(|round| (round.round().id().clone(), round)).collect();
        for (round, why) in bad_tasks {
            self.note_bad_task(round, &why);
        }
        if let Some(failed) = self.fetch_tasks(lacking, stop).await? {
            return Ok(failed);
        }
        let rounds = self.rounds.keys().cloned().collect();
        Ok(Event::Polled(Situation { coordinator_now, unsent, rounds }))
    }

    async fn renew(&mut self, stop: &mut watch::Receiver<bool>) -> Result<Event, Undone> {
        let requested = self.keys.fresh_request().map_err(DaemonError::Key)?;
        let request = RenewalRequest { certificate_request: requested.request().to_owned() };
        let issued = match or_stop(stop, self.client.renew(&request)).await? {
            Ok(issued) => issued,
            Err(error) => return Ok(self.failed(error, "the certificate was not renewed")),
        };
        self.keys.install(&requested, &issued.certificate).map_err(DaemonError::Key)?;
        self.membership.certificate_expires = issued.expires;
        let mut state = State::open(&self.config.directory).map_err(DaemonError::State)?;
        state
            .set_enrolment(&Enrolment::Approved(self.membership.clone()))
            .map_err(DaemonError::State)?;
        let clock = Arc::clone(&self.clock);
        self.client = work::client(&self.config, &self.membership, self.proxy.clone(), clock)
            .map_err(DaemonError::Enrol)?;
        tracing::info!(expires = %issued.expires, "the certificate was renewed");
        Ok(Event::Renewed(issued.expires))
    }

    async fn send_decision(
        &mut self,
        study: Digest,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Event, Undone> {
        let mut state = State::open(&self.config.directory).map_err(DaemonError::State)?;
        let decisions = state.decisions().map_err(DaemonError::State)?;
        let Some(decision) = decisions.into_iter().find(|decision| decision.study == study) else {
            return Ok(Event::DecisionSent);
        };
        let bytes = decision.envelope.to_json().map_err(DecisionError::from);
        let bytes = bytes.map_err(DaemonError::Decision)?;
        drop(state);
        match or_stop(stop, self.client.put_decision(study, bytes)).await? {
            Ok(()) => {
                state = State::open(&self.config.directory).map_err(DaemonError::State)?;
                state.set_decision_sent(&decision.envelope, study).map_err(DaemonError::State)?;
                tracing::info!(study = %study.short(), "the decision was sent");
                Ok(Event::DecisionSent)
            }
            Err(error) if error.meaning() == Meaning::Final => {
                tracing::error!(study = %study.short(), %error, "the decision was not taken");
                Ok(Event::DecisionRejected(study))
            }
            Err(error) => Ok(self.failed(error, "the decision was not sent")),
        }
    }

    fn failed(&mut self, error: ClientError, what: &'static str) -> Event {
        tracing::warn!(%error, "{what}");
        let noted = State::open(&self.config.directory)
            .and_then(|mut state| work::note_failure(&mut state, &error.to_string()));
        if let Err(error) = noted {
            tracing::error!(%error, "the failure could not be noted");
        }
        let denied = error.meaning() == Meaning::Denied;
        self.report.failure = Some(error);
        if denied { Event::Denied } else { Event::Failed }
    }
}

/// Why an effect came to no event.
enum Undone {
    Interrupted,
    Error(DaemonError),
}

impl From<Interrupted> for Undone {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

impl From<DaemonError> for Undone {
    fn from(error: DaemonError) -> Self {
        Self::Error(error)
    }
}

/// Leaves out the rounds of which both sides know that the coordinator has the release. Where they
/// differ, as after a lost answer or a restored coordinator, the same bytes are sent again; what is
/// recorded needs no task any more.
fn leave_settled(
    todo: &mut Todo,
    config: &Config,
    membership: &Membership,
    received: &[RoundId],
) -> Result<(), EngineError> {
    let is_received = |round: &ApprovedRound| received.contains(round.round().id());
    if todo.lacking.is_empty() && !todo.rounds.iter().any(is_received) {
        return Ok(());
    }
    let history = engine::open(config, membership)?.history()?;
    let is_recorded = |lacking: &mut Lacking| {
        history.iter().any(|entry| entry.round == *lacking.round.round().id())
    };
    todo.rounds.extend(todo.lacking.extract_if(.., is_recorded).map(|lacking| lacking.round));
    let is_sent = |id: &RoundId| history.iter().any(|entry| entry.sent && entry.round == *id);
    todo.rounds.retain(|round| {
        let id = round.round().id();
        !(received.contains(id) && is_sent(id))
    });
    Ok(())
}

async fn or_stop<T>(
    stop: &mut watch::Receiver<bool>,
    network: impl Future<Output = T>,
) -> Result<T, Interrupted> {
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => Err(Interrupted),
        done = network => Ok(done),
    }
}

/// A number from 0 to 1 that spreads nodes in time; nothing secret hangs on it.
fn jitter() -> f64 {
    let mut bytes = [0_u8; 4];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests;
