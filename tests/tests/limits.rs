//! S09, S10 and S11 on the public service, as the real program serves it: slow connections, too much
//! of everything, too many calls.

#![cfg(test)]

use fellestall_coordinator::config::Config;
use fellestall_shared::limits::{CONNECTIONS_OF_ADDRESS, HEADER_TIMEOUT};
use fellestall_tests::process::{Binaries, Service, free_port, run};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;

/// S09: so many connections dribble.
const SLOW: usize = 1_000;
/// S09: an open connection that completes no request is closed within this time.
const CLOSED_WITHIN: Duration = Duration::from_secs(10);
/// Memory that no amount of nonsense may make the service take.
const MEMORY: u64 = 64 * 1024 * 1024;

/// A running coordinator.
struct Stage {
    service: Service,
    address: SocketAddr,
    _folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Stage {
    /// Starts one whose public service takes so many calls a minute from one address.
    async fn start(calls_per_window: u32) -> Self {
        static ALONE: Mutex<()> = Mutex::const_new(());
        // One at a time: each measures what it does to a service.
        let alone = ALONE.lock().await;
        let folder = tempfile::tempdir().expect("a folder");
        // Another program may take a port between its being found free and being listened on.
        let attempts = (0..5).find_map(|_| Self::attempt(folder.path(), calls_per_window));
        let (service, address) = attempts.expect("a service");
        Self { service, address, _folder: folder, _alone: alone }
    }

    fn attempt(folder: &Path, calls_per_window: u32) -> Option<(Service, SocketAddr)> {
        static BUILT: OnceLock<Binaries> = OnceLock::new();
        let binaries = BUILT.get_or_init(|| Binaries::build().expect("the programs"));
        let [port, public] = [(); 2].map(|()| free_port().expect("a port"));
        let directory: PathBuf = folder.join(port.to_string());
        let dir = directory.to_string_lossy().into_owned();
        let url = format!("https://127.0.0.1:{port}");
        let [listen, public] = [port, public].map(|port| format!("127.0.0.1:{port}"));
        let init = ["--dir", &dir, "init", "--url", &url, "--listen", &listen, "--public", &public];
        run(&binaries.coordinator, init).expect("a coordinator");
        let file = directory.join("coordinator.toml");
        let text = std::fs::read_to_string(&file).expect("a configuration");
        let mut config = Config::from_toml(&text).expect("a configuration");
        config.web.calls_per_window = calls_per_window;
        std::fs::write(&file, config.to_toml()).expect("written");
        let log = folder.join("log");
        let mut service =
            Service::start(&binaries.coordinator, ["--dir", &dir, "run"], &log).expect("it starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        // It says so itself: who answers on the port could be somebody else.
        while !std::fs::read_to_string(&log).is_ok_and(|said| said.contains("listening")) {
            service.assert_running().ok()?;
            assert!(Instant::now() < deadline, "it does not listen");
            std::thread::yield_now();
        }
        Some((service, public.parse().expect("an address")))
    }

    fn memory(&self) -> u64 {
        self.service.peak_memory().expect("VmHWM")
    }
}

/// A connection from one of the addresses of loopback.
async fn connect(to: SocketAddr, from: u8) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, from), 0)))?;
    socket.connect(to).await
}

/// Sends these bytes and reads what comes until the end; the status and the head, if any came.
async fn exchange(to: SocketAddr, from: u8, bytes: &[u8]) -> Option<(u16, String)> {
    let mut stream = connect(to, from).await.ok()?;
    // The service may answer and close before it has taken everything.
    stream.write_all(bytes).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, _) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, head.to_lowercase()))
}

async fn page(to: SocketAddr, from: u8, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    exchange(to, from, request.as_bytes()).await.expect("an answer")
}

/// Whether the front page is there, or leads to one in the reader's language.
async fn is_served(to: SocketAddr, from: u8) -> bool {
    matches!(page(to, from, "/").await.0, 200 | 303)
}

/// Says one more byte of a header now and then, until the service closes; how long that took.
async fn dribble(to: SocketAddr) -> Duration {
    let mut stream = connect(to, 1).await.expect("a connection");
    let opened = Instant::now();
    let mut beat = tokio::time::interval(Duration::from_millis(200));
    let mut part = [0_u8; 1_024];
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await.expect("sent");
    while opened.elapsed() < 2 * CLOSED_WITHIN {
        tokio::select! {
            read = stream.read(&mut part) => if matches!(read, Ok(0) | Err(_)) { break },
            _ = beat.tick() => if stream.write_all(b"x").await.is_err() { break },
        }
    }
    opened.elapsed()
}

/// Ninety-nine of a hundred are at most this.
fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

/// This test and the service hold more connections than a shell often allows.
fn assert_handles(needed: usize) {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit");
    let soft = line.split_whitespace().nth(3).expect("a number");
    let enough = soft.parse::<usize>().is_ok_and(|soft| soft >= needed + 200);
    assert!(enough || soft == "unlimited", "{soft} open files are too few: `ulimit -n 8192` first");
}

/// S09: a thousand connections that dribble are closed in time, and whoever asks meanwhile is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_dribbling_connections_are_closed_and_keep_nobody_waiting() {
    assert_handles(SLOW);
    let stage = Stage::start(1_000_000).await;
    let before = stage.memory();
    let mut slow = JoinSet::new();
    for _ in 0..SLOW {
        slow.spawn(dribble(stage.address));
    }
    let mut honest = Vec::new();
    let started = Instant::now();
    while started.elapsed() < HEADER_TIMEOUT {
        let asked = Instant::now();
        assert!(is_served(stage.address, 1).await, "an honest reader");
        honest.push(asked.elapsed());
    }
    let closed = slow.join_all().await;
    let longest = closed.iter().max().expect("a thousand");
    assert!(*longest < CLOSED_WITHIN, "open for {longest:?}");
    let (requests, p99) = (honest.len(), p99(honest));
    let grown = stage.memory().saturating_sub(before) / 1024;
    println!(
        "{SLOW} slow connections: closed after {longest:?} at the latest; meanwhile {requests} honest \
         requests, p99 {p99:?}; memory grew by {grown} KiB"
    );
    // CHECKS says one second; a machine that does other things beside may take longer.
    assert!(p99 < Duration::from_secs(4), "p99 {p99:?}");
}

/// S09: who opens more connections than one address may have leaves places for others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_cannot_take_every_place() {
    let extra = 200;
    assert_handles(CONNECTIONS_OF_ADDRESS + extra);
    let stage = Stage::start(1_000_000).await;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS_OF_ADDRESS {
        let mut stream = connect(stage.address, 1).await.expect("a connection");
        stream.write_all(b"GET / HTTP/1.1\r\nx: ").await.expect("sent");
        held.push(stream);
    }
    // Those beyond the share are closed at once, long before the time for headers is up.
    let opened = Instant::now();
    let mut refused = JoinSet::new();
    for _ in 0..extra {
        let address = stage.address;
        refused.spawn(async move {
            let mut stream = connect(address, 1).await.expect("a connection");
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.ok();
        });
    }
    refused.join_all().await;
    let at_once = opened.elapsed();
    // The others are open still: what was refused did not wait for a time to be up.
    let last = held.last().expect("a thousand");
    let open = last.try_read(&mut [0]).expect_err("nothing has come");
    assert_eq!(open.kind(), std::io::ErrorKind::WouldBlock);
    // And somebody else is served.
    assert!(is_served(stage.address, 2).await);
    println!("{extra} connections beyond the share were closed within {at_once:?}");
    drop(held);
}

/// S10: bodies over the limit, endless chunks, ten thousand headers, encoded bodies: refused, in
/// bounded memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_much_of_anything_is_refused_in_bounded_memory() {
    let stage = Stage::start(1_000_000).await;
    let to = stage.address;
    assert!(is_served(to, 1).await);
    let before = stage.memory();
    let post = "POST /api/v2/tables/core-S2/data HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                content-type: application/json\r\n";

    let declared = format!("{post}content-length: 10000000000\r\n\r\n");
    let (status, _) = exchange(to, 1, declared.as_bytes()).await.expect("an answer");
    assert_eq!(status, 413, "declared");

    // Each of them never ends by itself.
    let mut endless = JoinSet::new();
    for from in 1..=32 {
        endless.spawn(async move {
            let mut stream = connect(to, from).await.expect("a connection");
            let head = format!("{post}transfer-encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes()).await.expect("sent");
            let mut chunk = b"10000\r\n".to_vec();
            chunk.extend(vec![b' '; 0x1_0000]);
            chunk.extend(b"\r\n");
            let mut sent = 0_usize;
            while sent < 64 * 1024 * 1024 && stream.write_all(&chunk).await.is_ok() {
                sent += 0x1_0000;
            }
            sent
        });
    }
    let most = endless.join_all().await.into_iter().max().expect("some");
    assert!(most < 64 * 1024 * 1024, "the service stopped reading");

    let headers: Vec<String> = (0..10_000).map(|number| format!("x-{number}: 1\r\n")).collect();
    let headers = headers.concat();
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
    // It may close while headers are still being sent, and then the answer can be lost.
    if let Some((status, _)) = exchange(to, 1, many.as_bytes()).await {
        assert_eq!(status, 431, "ten thousand headers");
    }
    let long = format!("GET /?{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(100_000));
    if let Some((status, _)) = exchange(to, 1, long.as_bytes()).await {
        assert!(matches!(status, 414 | 431), "an address of 100,000 characters: {status}");
    }

    let bomb = format!("{post}content-encoding: gzip\r\ncontent-length: 3\r\n\r\nxxx");
    let (status, _) = exchange(to, 1, bomb.as_bytes()).await.expect("an answer");
    assert!(matches!(status, 400 | 415), "an encoded body: {status}");

    let grown = stage.memory().saturating_sub(before);
    println!(
        "32 endless bodies: {} KiB taken of one at the most; memory grew by {} KiB",
        most / 1024,
        grown / 1024
    );
    assert!(grown < MEMORY, "{grown} bytes");
    assert!(is_served(to, 1).await, "still");
}

/// S11: too many calls of one address are refused with when to come back; another is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_calls_are_refused_and_others_are_not_affected() {
    let stage = Stage::start(20).await;
    let (to, path) = (stage.address, "/api/v2/config");
    let mut refused = 0;
    for _ in 0..60 {
        match page(to, 1, path).await {
            (200, _) => {}
            (429, head) => {
                let wait = head.lines().find_map(|line| line.strip_prefix("retry-after: "));
                let wait: u32 = wait.expect("Retry-After").trim().parse().expect("seconds");
                assert!((1..=60).contains(&wait), "{wait} seconds");
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!((20..=40).contains(&refused), "{refused} of 60 were refused");
    for _ in 0..10 {
        assert_eq!(page(to, 2, path).await.0, 200, "another address");
    }
    // What the caller says of itself is not believed: no proxy is trusted here.
    let forged = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 192.0.2.7\r\n\r\n"
    );
    let (status, _) = exchange(to, 1, forged.as_bytes()).await.expect("an answer");
    assert_eq!(status, 429);
    let own: IpAddr = Ipv4Addr::new(127, 0, 0, 2).into();
    assert_ne!(own, to.ip(), "the other address is another one");
}
