//! The way to the helper, on which the answer to a large request is held until the test lets it go.
//!
//! **Invariant:** an answer that is held is one to a request, and not a part of the handshake before it,
//! in which the leader sends less.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// Who has sent more has asked for something.
const HANDSHAKE: usize = 3_000;

#[derive(Default)]
struct State {
    leads_to: Option<SocketAddr>,
    /// Whether answers on connections that are made now will be held.
    holds: bool,
    /// Answers that are held.
    held: usize,
    /// Whether those that are held may go.
    released: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// A way on loopback.
pub struct Gate {
    pub port: u16,
    shared: Arc<Shared>,
}

impl Gate {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
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

    pub fn lead_to(&self, port: u16) {
        self.change(|state| state.leads_to = Some(([127, 0, 0, 1], port).into()));
    }

    /// Holds the answers on connections that are made from now on, or does so no more.
    pub fn hold(&self, holds: bool) {
        self.change(|state| state.holds = holds);
    }

    /// Lets go what is held.
    pub fn release(&self) {
        self.change(|state| state.released = true);
    }

    /// Answers that came from the helper and are held.
    pub fn held(&self) -> usize {
        self.shared.state.lock().expect("a lock").held
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.state.lock().expect("a lock"));
        self.shared.changed.notify_all();
    }
}

fn carry(mut leader: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let (leads_to, holds) = {
        let state = shared.state.lock().expect("a lock");
        (state.leads_to.expect("a helper"), state.holds)
    };
    let mut helper = TcpStream::connect(leads_to)?;
    let asked = Arc::new(AtomicUsize::new(0));
    let there = carry_there(leader.try_clone()?, helper.try_clone()?, Arc::clone(&asked));
    let mut buffer = vec![0; 64 * 1024];
    let mut is_held = holds;
    loop {
        let read = helper.read(&mut buffer)?;
        if is_held && asked.load(Ordering::SeqCst) > HANDSHAKE && read > 0 {
            let mut state = shared.state.lock().expect("a lock");
            state.held += 1;
            while !state.released {
                state = shared.changed.wait(state).expect("a lock");
            }
            is_held = false;
        }
        if read == 0 {
            break;
        }
        leader.write_all(&buffer[..read])?;
    }
    leader.shutdown(Shutdown::Both).ok();
    helper.shutdown(Shutdown::Both).ok();
    there.join().expect("no panic")
}

fn carry_there(
    mut from: TcpStream,
    mut to: TcpStream,
    asked: Arc<AtomicUsize>,
) -> JoinHandle<std::io::Result<()>> {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut buffer)?;
            if read == 0 {
                return to.shutdown(Shutdown::Write);
            }
            asked.fetch_add(read, Ordering::SeqCst);
            to.write_all(&buffer[..read])?;
        }
    })
}
