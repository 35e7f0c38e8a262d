use super::{Daemon, DaemonError, explain};
use crate::enrol::{EnrolError, Enroller};
use fellestall_shared::clock::SystemClock;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// A country in one process runs its nodes on several threads: this compiles only if they can.
fn is_send<T: Send>(_: &T) {}

fn runs_on_any_thread(daemon: Daemon, stop: watch::Receiver<bool>) -> impl Future {
    let run = daemon.run(stop);
    is_send(&run);
    run
}

fn enrols_on_any_thread<'e>(enroller: &'e Enroller, directory: &'e Path) -> impl Future {
    let (request, poll) = (enroller.request(directory), enroller.poll(directory));
    is_send(&request);
    is_send(&poll);
    request
}

#[test]
fn a_node_that_is_not_made_or_not_enrolled_does_not_run() {
    let _ = (runs_on_any_thread, enrols_on_any_thread);
    let place = tempfile::tempdir().expect("a directory");
    let refused = Daemon::open(place.path(), None, Arc::new(SystemClock)).err().expect("refused");
    assert!(matches!(refused, DaemonError::Config(_)), "{refused}");
}

#[test]
fn a_cause_that_is_passed_on_is_told_once() {
    let error = DaemonError::Enrol(EnrolError::NotEnrolled);
    assert_eq!(explain(&error), EnrolError::NotEnrolled.to_string());
}
