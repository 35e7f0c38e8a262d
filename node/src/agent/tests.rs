use super::{Agent, Effect, Event, Situation, Stopped};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::limits::{
    BACKOFF_FIRST, BACKOFF_LONGEST, CERTIFICATE_RENEW_BEFORE, CLOCK_SKEW, WITNESS_EVERY,
};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_unix(1_767_225_600);
const POLL: Duration = Duration::from_mins(1);
const MONTH: Duration = Duration::from_hours(24 * 30);

fn round(number: u8) -> RoundId {
    format!("core.{number}.2026H1").parse().expect("a round")
}

fn situation(rounds: &[u8]) -> Event {
    Event::Polled(Situation {
        coordinator_now: NOW,
        unsent: Vec::new(),
        rounds: rounds.iter().map(|number| round(*number)).collect(),
    })
}

/// Gives the events one after another and checks what each leads to; jitter 1, so waits are whole.
fn check(agent: &mut Agent, now: Timestamp, script: Vec<(Event, Effect)>) {
    for (event, expected) in script {
        let said = format!("{event:?}");
        assert_eq!(agent.step(now, event, 1.0), expected, "after {said}");
    }
}

/// A machine that was countersigned a moment ago, for the rounds of these tests.
fn countersigned(mut agent: Agent) -> Agent {
    assert_eq!(agent.step(NOW, situation(&[1, 2, 3]), 1.0), Effect::Witness);
    let _released = agent.step(NOW, Event::Witnessed, 1.0);
    agent.queue.clear();
    agent
}

fn agent() -> Agent {
    countersigned(Agent::new(POLL, NOW.plus(MONTH)))
}

#[test]
fn a_round_is_released_sent_and_not_touched_again() {
    let mut agent = agent();
    let script = vec![
        (Event::Woke, Effect::Poll),
        (situation(&[1, 2]), Effect::Release(round(1))),
        (Event::Recorded(round(1)), Effect::Send(round(1))),
        (Event::Sent(round(1)), Effect::Release(round(2))),
        (Event::Recorded(round(2)), Effect::Send(round(2))),
        (Event::Sent(round(2)), Effect::Sleep(POLL)),
        (Event::Woke, Effect::Poll),
        (situation(&[1, 2]), Effect::Sleep(POLL)),
    ];
    check(&mut agent, NOW, script);
}

/// The report goes first; a lost answer to either leads to both again, with the same bytes.
#[test]
fn n02_a_report_goes_before_its_release_and_a_lost_answer_repeats_both() {
    let mut agent = agent();
    let recorded = || (Event::RecordedWithReport(round(1)), Effect::SendReport(round(1)));
    let asked = || (situation(&[1]), Effect::Release(round(1)));
    let script = vec![
        asked(),
        recorded(),
        (Event::Failed, Effect::Sleep(BACKOFF_FIRST)),
        asked(),
        recorded(),
        (Event::ReportSent(round(1)), Effect::Send(round(1))),
        (Event::Failed, Effect::Sleep(BACKOFF_FIRST)),
        asked(),
        recorded(),
        (Event::ReportSent(round(1)), Effect::Send(round(1))),
        (Event::Sent(round(1)), Effect::Sleep(POLL)),
        (situation(&[1]), Effect::Sleep(POLL)),
    ];
    check(&mut agent, NOW, script);
}

#[test]
fn a_release_whose_report_is_not_taken_is_not_sent() {
    let mut agent = agent();
    let script = vec![
        (situation(&[1, 2]), Effect::Release(round(1))),
        (Event::RecordedWithReport(round(1)), Effect::SendReport(round(1))),
        (Event::ReleaseRejected(round(1)), Effect::Release(round(2))),
    ];
    check(&mut agent, NOW, script);
    assert!(agent.cycle().rejected);
}

#[test]
fn decisions_go_before_releases_and_a_rejected_one_is_not_repeated() {
    let mut agent = agent();
    let study = Digest::of("test", b"study");
    let work = || {
        Event::Polled(Situation {
            coordinator_now: NOW,
            unsent: vec![study],
            rounds: vec![round(1)],
        })
    };
    let script = vec![
        (Event::Woke, Effect::Poll),
        (work(), Effect::SendDecision(study)),
        (Event::DecisionRejected(study), Effect::Release(round(1))),
        (Event::NotReleased(round(1)), Effect::Sleep(POLL)),
        (Event::Woke, Effect::Poll),
        (work(), Effect::Sleep(POLL)),
    ];
    check(&mut agent, NOW, script);
}

#[test]
fn n02_a_lost_answer_leads_to_the_recorded_release_again() {
    let mut agent = agent();
    let script = vec![
        (Event::Woke, Effect::Poll),
        (situation(&[1]), Effect::Release(round(1))),
        (Event::Recorded(round(1)), Effect::Send(round(1))),
        (Event::Failed, Effect::Sleep(BACKOFF_FIRST)),
        (Event::Woke, Effect::Poll),
        (situation(&[1]), Effect::Release(round(1))),
        (Event::Recorded(round(1)), Effect::Send(round(1))),
        (Event::Sent(round(1)), Effect::Sleep(POLL)),
    ];
    check(&mut agent, NOW, script);
}

#[test]
fn an_outage_is_waited_out_with_growing_pauses_that_end_at_the_limit() {
    let mut agent = agent();
    let mut last = Duration::ZERO;
    for _ in 0..100 {
        assert_eq!(agent.step(NOW, Event::Woke, 0.5), Effect::Poll);
        let Effect::Sleep(wait) = agent.step(NOW, Event::Failed, 1.0) else {
            panic!("an outage does not stop a node");
        };
        assert!(wait >= last && wait <= BACKOFF_LONGEST);
        last = wait;
    }
    assert_eq!(last, BACKOFF_LONGEST);
    let back = vec![(Event::Woke, Effect::Poll), (situation(&[]), Effect::Sleep(POLL))];
    check(&mut agent, NOW, back);
    assert_eq!(agent.step(NOW, Event::Failed, 1.0), Effect::Sleep(BACKOFF_FIRST));
}

#[test]
fn jitter_spreads_between_half_and_all_of_a_wait_whatever_it_is() {
    for (jitter, part) in [(0.0, 0.5), (1.0, 1.0), (-3.0, 0.5), (9.0, 1.0), (f64::NAN, 1.0)] {
        let mut agent = agent();
        let wait = agent.step(NOW, situation(&[]), jitter);
        assert_eq!(wait, Effect::Sleep(POLL.mul_f64(part)), "{jitter}");
    }
}

#[test]
fn a_denied_node_stops() {
    let mut agent = agent();
    let script = vec![
        (Event::Woke, Effect::Poll),
        (situation(&[1, 2]), Effect::Release(round(1))),
        (Event::Recorded(round(1)), Effect::Send(round(1))),
        (Event::Denied, Effect::Stop(Stopped::Denied)),
    ];
    check(&mut agent, NOW, script);
}

#[test]
fn a_refused_question_waits_long_and_the_next_one_does_not() {
    let mut agent = agent();
    let refused = vec![
        (situation(&[1, 2]), Effect::Release(round(1))),
        (Event::NotReleased(round(1)), Effect::Release(round(2))),
        (Event::Recorded(round(2)), Effect::Send(round(2))),
        (Event::Sent(round(2)), Effect::Sleep(POLL)),
        (situation(&[1, 2]), Effect::Sleep(POLL)),
    ];
    check(&mut agent, NOW, refused);
    assert!(agent.cycle().not_released.contains(&round(1)));
    let later = NOW.plus(BACKOFF_LONGEST);
    let again =
        vec![(situation(&[1, 2]), Effect::Witness), (Event::Witnessed, Effect::Release(round(1)))];
    check(&mut agent, later, again);
}

#[test]
fn a_closed_round_is_given_up() {
    let mut agent = agent();
    let script = vec![
        (situation(&[1]), Effect::Release(round(1))),
        (Event::Recorded(round(1)), Effect::Send(round(1))),
        (Event::ReleaseRejected(round(1)), Effect::Sleep(POLL)),
        (situation(&[1]), Effect::Sleep(POLL)),
    ];
    check(&mut agent, NOW, script);
}

#[test]
fn a_certificate_is_renewed_in_time_and_once() {
    let expires = NOW.plus(CERTIFICATE_RENEW_BEFORE);
    let mut agent = Agent::new(POLL, expires);
    let renewed = vec![
        (Event::Woke, Effect::Poll),
        (situation(&[1]), Effect::Renew),
        (Event::Renewed(NOW.plus(MONTH)), Effect::Witness),
        (Event::Witnessed, Effect::Release(round(1))),
        (Event::ReleaseRejected(round(1)), Effect::Sleep(POLL)),
        (situation(&[1]), Effect::Sleep(POLL)),
    ];
    check(&mut agent, NOW, renewed);
    let mut failing = Agent::new(POLL, expires);
    let failed = vec![
        (situation(&[1]), Effect::Renew),
        (Event::Failed, Effect::Sleep(BACKOFF_FIRST)),
        // Not again at once: the release does not wait for it.
        (situation(&[1]), Effect::Witness),
        (Event::Witnessed, Effect::Release(round(1))),
    ];
    check(&mut failing, NOW, failed);
}

#[test]
fn an_expired_certificate_stops_the_node_before_it_dials() {
    let mut agent = Agent::new(POLL, NOW);
    let script = vec![(Event::Woke, Effect::Stop(Stopped::CertificateExpired))];
    check(&mut agent, NOW, script);
}

#[test]
fn l11_clocks_that_differ_much_hold_everything_back() {
    for (off, holds) in [(CLOCK_SKEW.as_secs(), false), (CLOCK_SKEW.as_secs() + 1, true)] {
        for now in [NOW.plus(Duration::from_secs(off)), NOW.minus(Duration::from_secs(off))] {
            let mut agent = Agent::new(POLL, NOW.plus(MONTH * 12));
            let effect = agent.step(now, situation(&[1]), 1.0);
            assert_eq!(agent.cycle().clock_skew, holds);
            let expected = if holds { Effect::Sleep(BACKOFF_LONGEST) } else { Effect::Witness };
            assert_eq!(effect, expected);
        }
    }
}

#[test]
fn a_node_is_countersigned_before_it_releases_and_once_a_day_otherwise() {
    let mut agent = Agent::new(POLL, NOW.plus(MONTH));
    let script = vec![
        (Event::Woke, Effect::Poll),
        (situation(&[]), Effect::Witness),
        (Event::Witnessed, Effect::Sleep(POLL)),
        (situation(&[]), Effect::Sleep(POLL)),
        // A round that was not seen before.
        (situation(&[1]), Effect::Witness),
        (Event::Failed, Effect::Sleep(BACKOFF_FIRST)),
        (situation(&[1]), Effect::Witness),
        (Event::Witnessed, Effect::Release(round(1))),
        (Event::Recorded(round(1)), Effect::Send(round(1))),
        (Event::Sent(round(1)), Effect::Sleep(POLL)),
        (situation(&[1]), Effect::Sleep(POLL)),
    ];
    check(&mut agent, NOW, script);
    let day = NOW.plus(WITNESS_EVERY);
    check(
        &mut agent,
        day.minus(Duration::from_secs(1)),
        vec![(situation(&[1]), Effect::Sleep(POLL))],
    );
    check(&mut agent, day, vec![(situation(&[1]), Effect::Witness)]);
}

/// D19: what is asked when does not tell whether the records could be read.
#[test]
fn d19_a_round_that_is_not_answered_is_countersigned_like_one_that_waits() {
    let asked = |outcome: fn() -> Event| {
        let mut agent = agent();
        let mut moments = Vec::new();
        for minute in 1..200 {
            let now = NOW.plus(Duration::from_mins(minute));
            let mut effect = agent.step(now, situation(&[1]), 1.0);
            if effect == Effect::Witness {
                moments.push(minute);
                effect = agent.step(now, Event::Witnessed, 1.0);
            }
            if matches!(effect, Effect::Release(_)) {
                let _slept = agent.step(now, outcome(), 1.0);
            }
        }
        moments
    };
    // Records that cannot be read, and an answer that is lost each time.
    let unread = asked(|| Event::NotReleased(round(1)));
    assert_eq!(unread, asked(|| Event::Failed));
    assert!(unread.len() > 10);
}

#[test]
fn a_node_that_is_refused_releases_nothing() {
    let mut agent = Agent::new(POLL, NOW.plus(MONTH));
    let script = vec![
        (Event::Woke, Effect::Poll),
        (situation(&[1, 2]), Effect::Witness),
        (Event::WitnessRefused, Effect::Sleep(POLL)),
        (Event::Woke, Effect::Poll),
        (situation(&[1, 2]), Effect::Witness),
        (Event::WitnessRefused, Effect::Sleep(POLL)),
    ];
    check(&mut agent, NOW, script);
    assert!(agent.cycle().witness_refused);
    let while_sending = vec![
        (situation(&[1, 2]), Effect::Witness),
        (Event::Witnessed, Effect::Release(round(1))),
        (Event::Recorded(round(1)), Effect::Send(round(1))),
        (Event::WitnessRefused, Effect::Sleep(POLL)),
    ];
    check(&mut agent, NOW, while_sending);
}
