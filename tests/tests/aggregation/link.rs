//! The way from the leader to the helper, with faults: what is sent is lost, or what is answered.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Everything arrives.
    None,
    /// The connection breaks before the request is sent.
    Request,
    /// The request arrives, and the connection breaks before the answer does.
    Answer,
}

struct Shared {
    fault: Mutex<Fault>,
    leads_to: Mutex<Option<SocketAddr>>,
    lost: AtomicUsize,
}

/// A way to the helper.
pub struct Link {
    pub port: u16,
    shared: Arc<Shared>,
}

impl Link {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            fault: Mutex::new(Fault::None),
            leads_to: Mutex::new(None),
            lost: AtomicUsize::new(0),
        });
        let served = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = Arc::clone(&served);
                // A way that breaks is the leader's to notice.
                std::thread::spawn(move || drop(carry(stream, &served)));
            }
        });
        Self { port, shared }
    }

    pub fn lead_to(&self, address: SocketAddr) {
        *self.shared.leads_to.lock().expect("a lock") = Some(address);
    }

    pub fn set(&self, fault: Fault) {
        *self.shared.fault.lock().expect("a lock") = fault;
    }

    /// Messages that were lost so far.
    pub fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::SeqCst)
    }
}

/// Carries one connection, in turns: greeting and answer of TLS, then the request and its answer.
fn carry(mut leader: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let fault = *shared.fault.lock().expect("a lock");
    let leads_to = shared.leads_to.lock().expect("a lock").expect("a helper");
    if fault == Fault::Request {
        shared.lost.fetch_add(1, Ordering::SeqCst);
        return leader.shutdown(Shutdown::Both);
    }
    let mut helper = TcpStream::connect(leads_to)?;
    if fault == Fault::None {
        let (mut from, mut to) = (leader.try_clone()?, helper.try_clone()?);
        let there = std::thread::spawn(move || {
            let done = std::io::copy(&mut from, &mut to);
            to.shutdown(Shutdown::Write).ok();
            done
        });
        std::io::copy(&mut helper, &mut leader)?;
        leader.shutdown(Shutdown::Both).ok();
        helper.shutdown(Shutdown::Both).ok();
        there.join().expect("no panic")?;
        return Ok(());
    }
    leader.set_read_timeout(Some(Duration::from_millis(20)))?;
    helper.set_read_timeout(Some(Duration::from_millis(20)))?;
    let mut requested = 0;
    let mut buffer = vec![0; 64 * 1024];
    let mut answered = false;
    loop {
        match leader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                // What the leader says after the helper's first words is its certificate and request.
                requested += if answered { read } else { 0 };
                helper.write_all(&buffer[..read])?;
                continue;
            }
            Err(error) if is_waiting(&error) => {}
            Err(error) => return Err(error),
        }
        match helper.read(&mut buffer) {
            Ok(0) => break,
            Ok(_) if requested > 0 => {
                shared.lost.fetch_add(1, Ordering::SeqCst);
                break;
            }
            Ok(read) => {
                answered = true;
                leader.write_all(&buffer[..read])?;
            }
            Err(error) if is_waiting(&error) => {}
            Err(error) => return Err(error),
        }
    }
    leader.shutdown(Shutdown::Both).ok();
    helper.shutdown(Shutdown::Both)
}

fn is_waiting(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}
