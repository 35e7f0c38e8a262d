//! Several instances of one coordinator, each the real program in a copy of one directory, and a
//! balancer before them.
//!
//! **Invariant:** an instance shares nothing with another but the database and the copied files.

use crate::process::{Binaries, Service, free_port};
use anyhow::{Context, Result, bail, ensure};
use fellestall_coordinator::config::Config;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How long an instance may take to listen.
const PATIENCE: Duration = Duration::from_mins(1);

/// One instance.
pub struct Instance {
    /// Its directory.
    pub directory: PathBuf,
    /// Where it serves nodes.
    pub address: SocketAddr,
    /// Where it serves the public.
    pub public: SocketAddr,
    /// The running program; `None` while it is down.
    pub service: Option<Service>,
    program: PathBuf,
}

impl Instance {
    /// Copies a coordinator's directory and gives the copy addresses of its own; it is not started yet.
    ///
    /// # Errors
    /// If it cannot be copied.
    pub fn copy(original: &Path, directory: PathBuf, binaries: &Binaries) -> Result<Self> {
        copy_directory(original, &directory)?;
        let [address, public] = [free_port()?, free_port()?];
        let [address, public] =
            [address, public].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let file = directory.join("coordinator.toml");
        let mut config = Config::from_toml(&std::fs::read_to_string(&file)?)?;
        config.listen = address;
        config.public = Some(public);
        config.web.trusted_proxies = vec![Ipv4Addr::LOCALHOST.into()];
        std::fs::write(&file, config.to_toml())?;
        let program = binaries.coordinator.clone();
        Ok(Self { directory, address, public, service: None, program })
    }

    /// Starts the program and waits until it listens.
    ///
    /// # Errors
    /// If it does not.
    pub fn start(&mut self) -> Result<()> {
        let log = self.directory.with_extension("log");
        let directory = self.directory.to_string_lossy().into_owned();
        let mut service = Service::start(&self.program, ["--dir", &directory, "run"], &log)?;
        let deadline = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(self.public).is_err() {
            service.assert_running()?;
            ensure!(Instant::now() < deadline, "an instance does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.service = Some(service);
        Ok(())
    }

    /// Ends the program without a word (SIGKILL).
    ///
    /// # Errors
    /// If it cannot be ended.
    pub fn kill(&mut self) -> Result<()> {
        self.service.take().context("a running instance")?.kill()
    }
}

/// Copies the files of a coordinator's directory: it has no folders.
fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    fellestall_node::files::create_directory(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().context("a name")?;
        // With its mode, which keeps a key to its owner.
        std::fs::copy(&path, to.join(name))?;
    }
    Ok(())
}

/// Hands each new connection to the next instance that takes it.
pub struct Balancer {
    /// Where it listens.
    pub address: SocketAddr,
    _task: JoinSet<()>,
}

impl Balancer {
    /// Starts one on this port (0: any), before these instances.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16, instances: Vec<SocketAddr>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let (mut carried, turn) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
            let instances: Arc<[SocketAddr]> = instances.into();
            loop {
                while carried.try_join_next().is_some() {}
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (turn, instances) = (Arc::clone(&turn), Arc::clone(&instances));
                carried.spawn(async move {
                    // A connection that breaks is for its two ends to notice.
                    drop(carry(stream, &instances, turn.fetch_add(1, Ordering::Relaxed)).await);
                });
            }
        });
        Ok(Self { address, _task: task })
    }
}

async fn carry(mut from: TcpStream, instances: &[SocketAddr], turn: usize) -> Result<()> {
    from.set_nodelay(true)?;
    for try_next in 0..instances.len() {
        let place = turn.wrapping_add(try_next).checked_rem(instances.len()).unwrap_or(0);
        let Some(address) = instances.get(place) else { continue };
        let Ok(mut to) = TcpStream::connect(address).await else { continue };
        to.set_nodelay(true)?;
        tokio::io::copy_bidirectional(&mut from, &mut to).await?;
        return Ok(());
    }
    bail!("no instance listens")
}
