//! The way from nodes to the coordinator, on which messages come late, and answers not at all.
//!
//! **Invariant:** an answer that is lost is one that the coordinator has given: its own log says so.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A way on loopback.
pub struct Way {
    pub port: u16,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    leads_to: Option<SocketAddr>,
    holds: Duration,
    loses: Option<Loss>,
    lost: usize,
}

/// The next answer to one kind of request.
struct Loss {
    log: PathBuf,
    said: String,
    before: usize,
}

impl Loss {
    fn count(&self) -> usize {
        let log = std::fs::read_to_string(&self.log).expect("a log");
        log.lines().filter(|line| line.contains("answered") && line.contains(&self.said)).count()
    }
}

impl Way {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared =
            Shared { leads_to: None, holds: Duration::from_millis(1), loses: None, lost: 0 };
        let shared = Arc::new(Mutex::new(shared));
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = Arc::clone(&served);
                // A way that breaks is the node's to notice.
                std::thread::spawn(move || drop(carry(stream, &served)));
            }
        });
        Self { port, shared }
    }

    pub fn lead_to(&self, port: u16) {
        self.shared.lock().expect("a lock").leads_to = Some(([127, 0, 0, 1], port).into());
    }

    /// Whatever either says on a new connection arrives so much later.
    pub fn hold(&self, time: Duration) {
        self.shared.lock().expect("a lock").holds = time;
    }

    /// Loses the next answer of which the coordinator's log says this.
    pub fn lose(&self, log: &Path, said: &str) {
        let mut loss = Loss { log: log.to_owned(), said: said.to_owned(), before: 0 };
        loss.before = loss.count();
        self.shared.lock().expect("a lock").loses = Some(loss);
    }

    /// Answers that were lost so far.
    pub fn lost(&self) -> usize {
        self.shared.lock().expect("a lock").lost
    }
}

fn carry(mut node: TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    let leads_to = shared.lock().expect("a lock").leads_to.expect("a coordinator");
    let mut server = TcpStream::connect(leads_to)?;
    let (from, to, holds) = (node.try_clone()?, server.try_clone()?, holds(shared));
    let there = std::thread::spawn(move || carry_there(from, to, holds));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = server.read(&mut buffer)?;
        std::thread::sleep(holds);
        let mut now = shared.lock().expect("a lock");
        // The coordinator writes its log before it sends: an answer is never taken for an earlier one.
        let is_lost = now.loses.as_ref().is_some_and(|loss| loss.count() > loss.before);
        if is_lost {
            now.loses = None;
            now.lost += 1;
        }
        drop(now);
        if read == 0 || is_lost {
            break;
        }
        node.write_all(&buffer[..read])?;
    }
    node.shutdown(Shutdown::Both).ok();
    server.shutdown(Shutdown::Both).ok();
    there.join().expect("no panic")
}

fn carry_there(mut from: TcpStream, mut to: TcpStream, holds: Duration) -> std::io::Result<()> {
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return to.shutdown(Shutdown::Write);
        }
        std::thread::sleep(holds);
        to.write_all(&buffer[..read])?;
    }
}

fn holds(shared: &Mutex<Shared>) -> Duration {
    shared.lock().expect("a lock").holds
}
