//! The way out through a proxy that tunnels.

use crate::stage::{ROUND, Setting, Stage, drawn};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A name that no name server has: only the proxy knows where it is.
const HOST: &str = "tall.fellestall.invalid";

/// A proxy on loopback that knows only `CONNECT` and one host.
struct TunnelProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    leads_to: Mutex<SocketAddr>,
    tunnels: AtomicUsize,
    refused: AtomicUsize,
    ends: AtomicBool,
}

impl TunnelProxy {
    fn start(leads_to: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            leads_to: Mutex::new(leads_to),
            tunnels: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            ends: AtomicBool::new(false),
        });
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let mut tunnels = Vec::new();
            for stream in listener.incoming() {
                if served.ends.load(Ordering::SeqCst) {
                    break;
                }
                let served = Arc::clone(&served);
                let stream = stream.expect("a connection");
                // A tunnel that breaks is the client's to report.
                tunnels.push(std::thread::spawn(move || drop(tunnel(stream, &served))));
            }
            for tunnel in tunnels {
                tunnel.join().expect("a tunnel ends");
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    fn lead_to(&self, port: u16) {
        *self.shared.leads_to.lock().expect("a lock") = ([127, 0, 0, 1], port).into();
    }

    fn tunnels(&self) -> usize {
        self.shared.tunnels.load(Ordering::SeqCst)
    }
}

impl Drop for TunnelProxy {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        self.thread.take().map(JoinHandle::join);
    }
}

fn tunnel(client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut first, mut line) = (String::new(), String::new());
    reader.read_line(&mut first)?;
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let mut client = client;
    if !first.starts_with(&format!("CONNECT {HOST}:")) {
        shared.refused.fetch_add(1, Ordering::SeqCst);
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    }
    let leads_to = *shared.leads_to.lock().expect("a lock");
    let server = TcpStream::connect(leads_to)?;
    shared.tunnels.fetch_add(1, Ordering::SeqCst);
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (back_from, back_to) = (server.try_clone()?, client.try_clone()?);
    let back = std::thread::spawn(move || drop(carry(back_from, back_to)));
    let done = carry(reader, server);
    back.join().expect("the way back ends");
    done
}

fn carry(mut from: impl Read, mut to: TcpStream) -> std::io::Result<()> {
    let carried = std::io::copy(&mut from, &mut to).map(drop);
    to.shutdown(Shutdown::Write).or(carried)
}

#[test]
fn a_node_behind_a_proxy_takes_part_through_it_alone_and_trusts_it_with_nothing() {
    let stage = Stage::set(&Setting { host: HOST, ..Setting::default() });
    let proxy = TunnelProxy::start(([127, 0, 0, 1], stage.port).into());
    let mut nodes = Vec::new();
    for number in ["4601", "1108"] {
        let export = stage.write(number, &drawn(number));
        let node = stage.init(number, number, &export, &[]);
        let file = node.join("fellestall-node.toml");
        let text = std::fs::read_to_string(&file).expect("a configuration");
        let line = "# proxy = \"http://proxy.example.no:3128\"";
        assert!(text.contains(line), "the template shows how a proxy is set");
        let text = text.replace(line, &format!("proxy = \"http://{}\"", proxy.address));
        std::fs::write(&file, text).expect("written");
        stage.enrol(&node, number);
        nodes.push(node);
    }
    let enrolled = proxy.tunnels();
    assert!(enrolled >= 4, "two nodes asked twice, in {enrolled} tunnels");
    stage.publish_study("2");
    for node in &nodes {
        stage.register(node);
        stage.must(node, &["approve", "core"]);
        let out = stage.must(node, &["run", "--once"]);
        assert!(out.contains("the coordinator has the release"), "{out}");
    }
    assert!(proxy.tunnels() >= enrolled + 4, "approvals and releases went by it too");
    assert_eq!(proxy.shared.refused.load(Ordering::SeqCst), 0);
    stage.coordinate(&["round", "close", ROUND]);

    // Another coordinator of the same name, at the end of the same proxy, is not believed.
    let impostor = Stage::set(&Setting { host: HOST, ..Setting::default() });
    proxy.lead_to(impostor.port);
    let tunnels = proxy.tunnels();
    let told = stage.operate(&nodes[0], &["run", "--once"]);
    assert_eq!(told.code, Some(4), "{}{}", told.out, told.err);
    assert!(told.out.contains("an authority that is not the invitation's"), "{}", told.out);
    assert!(proxy.tunnels() > tunnels, "the impostor was met");
    let seen = impostor.coordinate(&["--json", "nodes", "list"]);
    assert_eq!(seen.trim(), "[]");

    // Without the proxy there is no way.
    let file = nodes[1].join("fellestall-node.toml");
    let text = std::fs::read_to_string(&file).expect("a configuration");
    let direct: String = text
        .lines()
        .filter(|line| !line.starts_with("proxy ="))
        .fold(String::new(), |text, line| text + line + "\n");
    std::fs::write(&file, direct).expect("written");
    let told = stage.operate(&nodes[1], &["run", "--once"]);
    assert_eq!(told.code, Some(4), "{}{}", told.out, told.err);
    assert!(told.out.contains(HOST) && told.out.contains("proxy"), "{}", told.out);
}
