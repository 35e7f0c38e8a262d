//! `enrol`.
//!
//! **Invariant:** the invitation comes from a file or standard input, never from an argument.

use super::{CliError, Exit, Session, runtime};
use crate::client::Meaning;
use crate::enrol::{EnrolError, Enroller, Standing, parse_invitation};
use clap::Args;
use fellestall_shared::limits::{BACKOFF_FIRST, DOCUMENT_BYTES};
use indicatif::ProgressBar;
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

#[derive(Debug, Args)]
pub(super) struct EnrolArgs {
    /// The file with the invitation, or - for standard input.
    #[arg(long, value_name = "FILE")]
    invitation: PathBuf,
    /// Ask and leave, instead of waiting until the coordinator's operator has decided.
    #[arg(long)]
    no_wait: bool,
}

pub(super) fn enrol(session: &mut Session<'_>, arguments: &EnrolArgs) -> Result<Exit, CliError> {
    let config = session.config()?;
    let invitation = parse_invitation(&read(&arguments.invitation)?)?;
    let proxy = session.proxy(&config);
    let clock = Arc::clone(&session.clock);
    let enroller = Enroller::new(invitation, &config, proxy, clock)?.on_behalf_of(session.actor());
    let runtime = runtime()?;
    let mut standing = runtime.block_on(enroller.request(&session.directory))?;
    if let (Standing::Pending { fingerprint }, false) = (&standing, arguments.no_wait) {
        let waiting = format!(
            "waiting for the coordinator's operator. Compare this by telephone: {fingerprint}"
        );
        let spinner = if session.environment.is_watched {
            ProgressBar::new_spinner().with_message(waiting)
        } else {
            tracing::warn!("{waiting}");
            ProgressBar::hidden()
        };
        spinner.enable_steady_tick(Duration::from_millis(200));
        standing = runtime.block_on(wait(&enroller, &session.directory))?;
        spinner.finish_and_clear();
    }
    show(session, &standing)
}

/// Asks until it is decided; an operator who gives up stops the command and may repeat it.
async fn wait(enroller: &Enroller, directory: &Path) -> Result<Standing, EnrolError> {
    loop {
        tokio::time::sleep(BACKOFF_FIRST).await;
        match enroller.poll(directory).await {
            Ok(Standing::Pending { .. }) => {}
            Err(EnrolError::Client(error)) if error.meaning() == Meaning::Passing => {
                tracing::warn!(%error, "the coordinator was not asked");
            }
            decided => return decided,
        }
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let failed = |source| CliError::Invitation { path: path.to_owned(), source };
    let limit = u64::try_from(DOCUMENT_BYTES).unwrap_or(u64::MAX);
    let mut text = Zeroizing::new(String::new());
    if path == Path::new("-") {
        std::io::stdin().take(limit).read_to_string(&mut text).map_err(failed)?;
    } else {
        let file = File::open(path).map_err(failed)?;
        file.take(limit).read_to_string(&mut text).map_err(failed)?;
    }
    Ok(text)
}

fn show(session: &mut Session<'_>, standing: &Standing) -> Result<Exit, CliError> {
    match standing {
        Standing::Pending { fingerprint } => {
            let facts = json!({ "state": "pending", "release_key": fingerprint });
            session.out.facts(&facts, || {
                format!(
                    "Asked. The coordinator's operator decides; compare this by telephone first:\n  \
                     {fingerprint}\nThen run the same command again."
                )
            })?;
            Ok(Exit::Done)
        }
        Standing::Approved(membership) => {
            let facts = json!({
                "state": "approved",
                "node": membership.node,
                "coordinator": membership.url,
                "coordinator_key": membership.coordinator_key.fingerprint(),
                "certificate_expires": membership.certificate_expires.to_string(),
            });
            session.out.facts(&facts, || {
                format!(
                    "Enrolled as {} at {}.\nThe certificate is valid until {}; the running node renews \
                     it.\n\nNext:\n  fellestall-node studies\n  fellestall-node run",
                    membership.node, membership.url, membership.certificate_expires
                )
            })?;
            Ok(Exit::Done)
        }
        Standing::Refused => {
            session.out.facts(&json!({ "state": "refused" }), || {
                "The coordinator's operator refused the enrolment. Talk to them; a new invitation \
                 starts anew."
                    .to_owned()
            })?;
            Ok(Exit::Refused)
        }
    }
}
