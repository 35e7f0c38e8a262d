//! `init`, `run` and `completions`.
//!
//! **Invariant:** `run` ends only by a signal or by a fault at its start.

use super::{Arguments, CliError, Init, Output};
use crate::config::{Config, Web, host_and_port};
use crate::home::Home;
use crate::server::Server;
use clap::CommandFactory;
use clap_complete::Shell;
use data_encoding::BASE64;
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::signed::VerifyingKey;
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

#[derive(Serialize)]
struct Made {
    directory: String,
    url: String,
    authority: String,
    signing_key: String,
}

pub(super) fn init(
    directory: &Path,
    init: Init,
    now: Timestamp,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let (host, port) = host_and_port(&init.url).ok_or(CliError::Url)?;
    let mut hosts = vec![host];
    for host in init.hosts {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    let config = Config {
        url: init.url,
        hosts,
        listen: init.listen.unwrap_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        public: (!init.no_public).then_some(init.public),
        store: init.store,
        web: Web::default(),
        admin: None,
    };
    let home = Home::create(directory, &config, now)?;
    let made = Made {
        directory: directory.display().to_string(),
        url: home.config.url.clone(),
        authority: home.authority.fingerprint().to_string(),
        signing_key: home.signing_key.verifying_key().fingerprint().to_string(),
    };
    output.facts(&made, |made| {
        format!(
            "A coordinator is ready in {}.\n  certificate authority  {}\n  signing key            {}\n\
             Keep a backup of this directory: without its keys every node must enrol anew.\n\
             Next: `run`, then `invite --municipality NUMBER`.",
            made.directory, made.authority, made.signing_key
        )
    })
}

#[derive(Serialize)]
struct PublicKey {
    key: VerifyingKey,
    fingerprint: String,
}

pub(super) fn key(directory: &Path, output: &mut Output<'_>) -> Result<(), CliError> {
    let key = Home::open(directory)?.signing_key.verifying_key();
    let facts = PublicKey { fingerprint: key.fingerprint().to_string(), key };
    output.facts(&facts, |facts| BASE64.encode(facts.key.as_bytes()))
}

pub(super) async fn run(directory: &Path, clock: Arc<dyn Clock>) -> Result<(), CliError> {
    let mut end = Ending::listen()?;
    let server = Server::start(Home::open(directory)?, clock).await?;
    end.wait().await;
    tracing::info!("stopping");
    server.shutdown().await;
    tracing::info!("stopped");
    Ok(())
}

/// The signals that end the service.
pub(super) struct Ending {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Ending {
    /// Listens before anything starts, so that no signal is lost.
    pub(super) fn listen() -> Result<Self, CliError> {
        #[cfg(unix)]
        let terminate = {
            use tokio::signal::unix::{SignalKind, signal};
            signal(SignalKind::terminate()).map_err(CliError::Signals)?
        };
        Ok(Self {
            #[cfg(unix)]
            terminate,
        })
    }

    pub(super) async fn wait(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _either = tokio::signal::ctrl_c().await;
    }
}

pub(super) fn completions(shell: Shell, output: &mut Output<'_>) -> Result<(), CliError> {
    let mut command = Arguments::command();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "fellestall-coordinator", &mut script);
    output.bytes(&script)
}
