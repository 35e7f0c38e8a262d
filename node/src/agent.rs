//! What the node does next: a pure state machine over what happened and the time.
//!
//! One step answers one event with one effect; the shell ([`crate::daemon`]) does it and tells what
//! came of it. Waits come from here too, with their jitter passed in as a number.
//!
//! **Invariant:** no input or output, no clock, no chance. Nothing is sent before it is recorded, no
//! release before its report, a refused question is not asked again in a hurry, and a denied node falls silent.

use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::limits::{
    BACKOFF_FIRST, BACKOFF_LONGEST, CERTIFICATE_RENEW_BEFORE, CLOCK_SKEW, WITNESS_EVERY,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// What the shell learned from the coordinator and the node's own state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// The coordinator's time.
    pub coordinator_now: Timestamp,
    /// Decisions that the coordinator does not have yet.
    pub unsent: Vec<Digest>,
    /// Open rounds of approved studies.
    pub rounds: Vec<RoundId>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The wait is over; also the first event.
    Woke,
    /// The coordinator answered.
    Polled(Situation),
    /// A new certificate is in use until then.
    Renewed(Timestamp),
    /// The coordinator has a decision.
    DecisionSent,
    /// The coordinator has countersigned where the node stands.
    Witnessed,
    /// The coordinator knows another ledger of this node, or a longer one.
    WitnessRefused,
    /// A release is recorded: made now, or earlier.
    Recorded(RoundId),
    /// The same, with a report that goes before it.
    RecordedWithReport(RoundId),
    /// The coordinator has the report.
    ReportSent(RoundId),
    /// The coordinator has a release, and the ledger knows.
    Sent(RoundId),
    /// The kernel does not answer this question (policy, budget, records that need mending).
    NotReleased(RoundId),
    /// The coordinator will never take this release, or its report.
    ReleaseRejected(RoundId),
    /// The coordinator will never take this decision.
    DecisionRejected(Digest),
    /// The coordinator was not reached, or is busy.
    Failed,
    /// The coordinator takes nothing from this node any more.
    Denied,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the coordinator for its work.
    Poll,
    /// Ask for a new certificate with a fresh key.
    Renew,
    /// Send a signed decision.
    SendDecision(Digest),
    /// Let the coordinator countersign where the node stands.
    Witness,
    /// Make the release of a round, or find the one recorded.
    Release(RoundId),
    /// Send the recorded report.
    SendReport(RoundId),
    /// Send the recorded bytes.
    Send(RoundId),
    /// Wait.
    Sleep(Duration),
    /// Stop.
    Stop(Stopped),
}

/// Why the agent stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The coordinator takes nothing from this node any more.
    Denied,
    /// The certificate expired while the node was off.
    CertificateExpired,
}

/// How the last cycle went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four things that may each have happened")]
pub struct Cycle {
    /// Rounds whose release the coordinator has.
    pub sent: BTreeSet<RoundId>,
    /// Rounds that the kernel did not answer.
    pub not_released: BTreeSet<RoundId>,
    /// Whether the coordinator knows another ledger of this node, so that nothing was released.
    pub witness_refused: bool,
    /// Whether the coordinator refused something for good.
    pub rejected: bool,
    /// Whether the coordinator was not reached.
    pub failed: bool,
    /// Whether the clocks differ too much.
    pub clock_skew: bool,
}

/// The state of the machine.
#[derive(Debug, Clone)]
pub struct Agent {
    poll: Duration,
    certificate_expires: Timestamp,
    failures: u32,
    queue: VecDeque<Effect>,
    done: BTreeSet<RoundId>,
    rejected: BTreeSet<Digest>,
    not_before: BTreeMap<RoundId, Timestamp>,
    renew_not_before: Option<Timestamp>,
    witnessed: Option<Timestamp>,
    witnessed_for: BTreeSet<RoundId>,
    stating_for: Vec<RoundId>,
    cycle: Cycle,
}

impl Agent {
    /// A machine that polls at this pace, with a certificate until then.
    #[must_use]
    pub fn new(poll: Duration, certificate_expires: Timestamp) -> Self {
        Self {
            poll,
            certificate_expires,
            failures: 0,
            queue: VecDeque::new(),
            done: BTreeSet::new(),
            rejected: BTreeSet::new(),
            not_before: BTreeMap::new(),
            renew_not_before: None,
            witnessed: None,
            witnessed_for: BTreeSet::new(),
            stating_for: Vec::new(),
            cycle: Cycle::default(),
        }
    }

    /// How the cycle went that ended with the last [`Effect::Sleep`].
    #[must_use]
    pub fn cycle(&self) -> &Cycle {
        &self.cycle
    }

    /// The next thing to do after an event. `jitter` is from 0 (inclusive) to 1.
    #[must_use]
    pub fn step(&mut self, now: Timestamp, event: Event, jitter: f64) -> Effect {
        match event {
            Event::Woke => self.wake(now),
            Event::Polled(situation) => self.polled(now, situation, jitter),
            Event::Renewed(expires) => {
                self.certificate_expires = expires;
                self.next(jitter)
            }
            Event::DecisionSent => self.next(jitter),
            Event::Witnessed => {
                self.witnessed = Some(now);
                self.witnessed_for.extend(self.stating_for.drain(..));
                self.next(jitter)
            }
            Event::WitnessRefused => {
                self.cycle.witness_refused = true;
                self.witnessed = None;
                self.queue.retain(|effect| !matches!(effect, Effect::Release(_)));
                self.next(jitter)
            }
            Event::RecordedWithReport(round) => {
                self.queue.push_front(Effect::SendReport(round));
                self.next(jitter)
            }
            Event::Recorded(round) | Event::ReportSent(round) => {
                self.queue.push_front(Effect::Send(round));
                self.next(jitter)
            }
            Event::Sent(round) => {
                self.cycle.sent.insert(round.clone());
                self.done.insert(round);
                self.next(jitter)
            }
            Event::NotReleased(round) => {
                self.cycle.not_released.insert(round.clone());
                self.not_before.insert(round, now.plus(BACKOFF_LONGEST));
                self.next(jitter)
            }
            Event::ReleaseRejected(round) => {
                self.cycle.rejected = true;
                self.done.insert(round);
                self.next(jitter)
            }
            Event::DecisionRejected(study) => {
                self.cycle.rejected = true;
                self.rejected.insert(study);
                self.next(jitter)
            }
            Event::Failed => self.failed(jitter),
            Event::Denied => Effect::Stop(Stopped::Denied),
        }
    }

    fn wake(&mut self, now: Timestamp) -> Effect {
        self.cycle = Cycle::default();
        self.queue.clear();
        if now >= self.certificate_expires {
            return Effect::Stop(Stopped::CertificateExpired);
        }
        Effect::Poll
    }

    fn polled(&mut self, now: Timestamp, situation: Situation, jitter: f64) -> Effect {
        self.failures = 0;
        let apart = now.unix().abs_diff(situation.coordinator_now.unix());
        if apart > CLOCK_SKEW.as_secs() {
            self.cycle.clock_skew = true;
            return Effect::Sleep(spread(BACKOFF_LONGEST, jitter));
        }
        let renewal_due = now >= self.certificate_expires.minus(CERTIFICATE_RENEW_BEFORE);
        if renewal_due && self.renew_not_before.is_none_or(|moment| now >= moment) {
            // A renewal that fails is no hurry: half of the certificate's life is left.
            self.renew_not_before = Some(now.plus(BACKOFF_LONGEST));
            self.queue.push_back(Effect::Renew);
        }
        let unsent = situation.unsent.into_iter().filter(|study| !self.rejected.contains(study));
        self.queue.extend(unsent.map(Effect::SendDecision));
        let open = situation.rounds.into_iter().filter(|round| !self.done.contains(round));
        let open: Vec<_> = open.collect();
        if self.is_witness_due(now, &open) {
            self.stating_for.clone_from(&open);
            self.queue.push_back(Effect::Witness);
        }
        for round in open {
            let waits = self.not_before.get(&round).is_some_and(|moment| now < *moment);
            if !waits {
                self.queue.push_back(Effect::Release(round));
            }
        }
        self.next(jitter)
    }

    /// Once a day; when a round is first seen; and for as long as rounds are open, as often as one is
    /// tried again. Whether one is tried hangs on the records, so it is not asked about here.
    fn is_witness_due(&self, now: Timestamp, open: &[RoundId]) -> bool {
        let Some(last) = self.witnessed else { return true };
        let within = |wait: Duration| last <= now && now < last.plus(wait);
        !within(WITNESS_EVERY)
            || open.iter().any(|round| !self.witnessed_for.contains(round))
            || (!open.is_empty() && !within(BACKOFF_LONGEST))
    }

    fn next(&mut self, jitter: f64) -> Effect {
        self.queue.pop_front().unwrap_or_else(|| Effect::Sleep(spread(self.poll, jitter)))
    }

    fn failed(&mut self, jitter: f64) -> Effect {
        self.cycle.failed = true;
        self.queue.clear();
        let doubled = BACKOFF_FIRST.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        Effect::Sleep(spread(doubled.min(BACKOFF_LONGEST), jitter))
    }
}

/// Between half and all of a wait, so that nodes that failed together do not come back together.
fn spread(wait: Duration, jitter: f64) -> Duration {
    let part = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 1.0 };
    wait.mul_f64(0.5 + part / 2.0)
}

#[cfg(test)]
mod tests;
