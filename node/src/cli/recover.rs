//! `recover`.
//!
//! **Invariant:** the ledger is brought up to what the coordinator has witnessed, or left as it is.

use super::{CliError, Exit, Session, runtime};
use crate::{witness, work};
use std::sync::Arc;

pub(super) fn recover(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let config = session.config()?;
    let membership = session.membership()?;
    let clock = Arc::clone(&session.clock);
    let client = work::client(&config, &membership, session.proxy(&config), clock)?;
    let (by, now) = (session.actor(), session.clock.now());
    let recovering = witness::recover(&config, &membership, &client, (&by, now));
    let recovered = runtime()?.block_on(recovering)?;
    session.out.facts(&recovered, || {
        format!(
            "The ledger reaches to number {} again; {} releases were put back, and are charged as they \
             were. The log has a gap here, and says so. Make sure that no other copy of this node runs.",
            recovered.ledger.sequence, recovered.releases
        )
    })?;
    Ok(Exit::Done)
}
