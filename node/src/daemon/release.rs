//! The steps of a cycle that release: made or found, written down, sent.
//!
//! **Invariant:** nothing is released without a log that holds, and nothing is sent that is not in it.

use super::witness::is_ledger_conflict;
use super::{Daemon, DaemonError, Undone, explain, or_stop};
use crate::agent::Event;
use crate::audit::{self, Actor, AuditLog};
use crate::client::Meaning;
use crate::config::Config;
use crate::engine::{self, EngineError, Severity};
use crate::kernel::{ApprovedRound, Kernel, KernelError, Recorded, Release};
use crate::state::Membership;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::RoundId;
use fellestall_shared::wire::v1::Receipt;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

impl Daemon {
    /// Makes or finds the release of a round. Not cut off by a stop: it is soon done.
    pub(super) async fn release(&mut self, id: RoundId) -> Result<Event, DaemonError> {
        let Some(round) = self.rounds.get(&id).cloned() else {
            return Ok(Event::NotReleased(id));
        };
        let kernel = self.kernel.take();
        let (config, membership) = (Arc::clone(&self.config), self.membership.clone());
        let now = self.clock.now();
        let made =
            spawn_blocking(move || logged_release(kernel, &config, &membership, &round, now))
                .await
                .map_err(|_| EngineError::CutOff)??;
        match made {
            Ok((kernel, release)) => {
                let recorded = match release.report_bytes() {
                    Some(_) => Event::RecordedWithReport(id.clone()),
                    None => Event::Recorded(id.clone()),
                };
                self.kernel = Some(kernel);
                self.recorded = Some(release);
                tracing::info!(round = %id, "the release is recorded");
                Ok(recorded)
            }
            Err(error) if error.severity() == Severity::Fatal => Err(error.into()),
            Err(error) => {
                let why = explain(&error);
                tracing::error!(round = %id, error = %why, "the round is not answered");
                self.report.refused |= error.severity() == Severity::Refused;
                self.report.not_released.insert(id.clone(), why);
                Ok(Event::NotReleased(id))
            }
        }
    }

    /// Sends the report of the recorded release, which the coordinator takes only after it.
    pub(super) async fn send_report(
        &mut self,
        id: RoundId,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Event, Undone> {
        let recorded = self.recorded.as_ref();
        let report = recorded.and_then(|release| {
            Some((release.id(), release.report_bytes()?.to_vec(), release.report_digest()?))
        });
        let Some((release, bytes, digest)) = report else { return Ok(Event::NotReleased(id)) };
        match or_stop(stop, self.client.put_report(release, bytes)).await? {
            Ok(receipt) if receipt.digest == digest => {
                tracing::info!(round = %id, "the coordinator has the report");
                Ok(Event::ReportSent(id))
            }
            Ok(_) => {
                let error = KernelError::Receipt.to_string();
                tracing::error!(round = %id, error, "the receipt is not for what was sent");
                self.report.not_released.insert(id.clone(), error);
                Ok(Event::ReleaseRejected(id))
            }
            Err(error) if error.meaning() == Meaning::Final => {
                tracing::error!(round = %id, %error, "the report was not taken; it stays recorded");
                self.report.not_released.insert(id.clone(), error.to_string());
                Ok(Event::ReleaseRejected(id))
            }
            Err(error) => Ok(self.failed(error, "the report was not sent; it is sent again")),
        }
    }

    pub(super) async fn send(
        &mut self,
        id: RoundId,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Event, Undone> {
        let (Some(release), Some(kernel)) = (self.recorded.take(), self.kernel.take()) else {
            return Ok(Event::NotReleased(id));
        };
        let answer =
            or_stop(stop, self.client.put_release(release.id(), release.wire_bytes())).await?;
        match answer {
            Ok(receipt) => self.note_receipt(id, kernel, release, receipt).await,
            Err(error) if is_ledger_conflict(&error) => {
                self.kernel = Some(kernel);
                self.note_refused()?;
                self.report.not_released.insert(id, error.to_string());
                Ok(Event::WitnessRefused)
            }
            Err(error) if error.meaning() == Meaning::Final => {
                self.kernel = Some(kernel);
                tracing::error!(round = %id, %error, "the release was not taken; it stays recorded");
                self.report.not_released.insert(id.clone(), error.to_string());
                Ok(Event::ReleaseRejected(id))
            }
            Err(error) => Ok(self.failed(error, "the release was not sent; it is sent again")),
        }
    }

    async fn note_receipt(
        &mut self,
        id: RoundId,
        mut kernel: Kernel,
        release: Release<Recorded>,
        receipt: Receipt,
    ) -> Result<Event, Undone> {
        let (directory, round, now) = (self.config.directory.clone(), id.clone(), self.clock.now());
        let (kernel, noted, logged) = spawn_blocking(move || {
            let (id, payload) = (release.id(), release.payload_digest());
            let noted = kernel.mark_sent(release, &receipt).map(drop);
            let what = audit::Event::Sent { round, release: id, payload };
            let logged = match &noted {
                Ok(()) => AuditLog::open(&directory)
                    .and_then(|mut log| log.append_once(now, &Actor::node(), what)),
                Err(_) => Ok(()),
            };
            (kernel, noted, logged)
        })
        .await
        .map_err(|_| DaemonError::Engine(EngineError::CutOff))?;
        self.kernel = Some(kernel);
        logged.map_err(DaemonError::Audit)?;
        match noted {
            Ok(()) => {
                tracing::info!(round = %id, "the coordinator has the release");
                Ok(Event::Sent(id))
            }
            Err(error @ KernelError::Receipt) => {
                tracing::error!(round = %id, %error, "the receipt is not for what was sent");
                self.report.not_released.insert(id.clone(), error.to_string());
                Ok(Event::ReleaseRejected(id))
            }
            Err(error) => {
                let error = EngineError::from(error);
                if error.severity() == Severity::Fatal {
                    return Err(DaemonError::Engine(error).into());
                }
                // It is sent again later, and the receipt noted then.
                tracing::error!(round = %id, %error, "the receipt could not be noted");
                Ok(Event::NotReleased(id))
            }
        }
    }
}

/// Makes or finds a release between two looks at the audit log: a log that does not hold releases
/// nothing, and what is recorded is written down before it is sent. A release whose entry a crash cut
/// off gets it here, when the same bytes are found again.
fn logged_release(
    kernel: Option<Kernel>,
    config: &Config,
    membership: &Membership,
    round: &ApprovedRound,
    now: Timestamp,
) -> Result<Result<(Kernel, Release<Recorded>), EngineError>, DaemonError> {
    let mut log = AuditLog::open(&config.directory)?;
    audit::verify(&config.directory)?;
    let entries = log.entries()?;
    let made = match kernel.map_or_else(|| engine::open(config, membership), Ok) {
        Ok(mut kernel) => {
            let ledger = kernel.history().map_err(EngineError::from)?;
            audit::compare(&config.directory, &entries, &ledger)?;
            engine::release(&mut kernel, config, round).map(|release| (kernel, release))
        }
        Err(error) => Err(error),
    };
    let id = round.round().id();
    match &made {
        Ok((_, release)) => log.note_released(now, id, release)?,
        Err(error) => log.note_not_released(now, id, error.reason())?,
    }
    Ok(made)
}
