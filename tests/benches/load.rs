//! How many requests the public service answers in a second, beside a plain axum handler that gives
//! the same bytes: `cargo bench --workspace --bench load [-- SECONDS]`.
//!
//! Needs `wrk` (Debian: `apt-get install wrk`). Each case is measured against a handler of its own,
//! in the same run and of the same size, because a figure by itself says more of the machine than of
//! the service.

#[path = "../tests/report/scene.rs"]
#[expect(
    dead_code,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "it is of the tests, which use more of it"
)]
mod scene;

use anyhow::{Context, Result, bail, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use fellestall_coordinator::config::Config;
use fellestall_coordinator::present::Policy;
use fellestall_shared::municipality;
use fellestall_tests::http::{self, Answer};
use fellestall_tests::process::{Binaries, Service, attempt, free_port};
use scene::Scene;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Municipalities that publish figures of their own: with them the large table has more than 100,000
/// cells.
const MUNICIPALITIES: usize = 75;
const LARGE: usize = 100_000;
const DATA: &str = "/api/v2/tables/core-S3/data";

/// What `wrk` measured.
struct Measured {
    requests_per_second: f64,
    p99: String,
    failed: bool,
}

fn main() -> Result<()> {
    let seconds = std::env::args().skip(1).find_map(|one| one.parse::<u32>().ok()).unwrap_or(5);
    let found = attempt(Command::new("wrk").arg("--version"));
    ensure!(found.is_ok(), "`wrk` is not here: `apt-get install wrk`, then again");
    let binaries = Binaries::build()?;
    let runtime = Runtime::new()?;
    let scene = runtime.block_on(published());
    let port = free_port()?;
    let address = format!("127.0.0.1:{port}");
    configure(&scene.home.directory, &address, free_port()?)?;
    let dir = scene.home.directory.to_string_lossy().into_owned();
    let log = scene.path("log");
    let started = Instant::now();
    let mut service = Service::start(&binaries.coordinator, ["--dir", &dir, "run"], &log)?;
    while std::net::TcpStream::connect(&address).is_err() {
        service.assert_running()?;
        ensure!(started.elapsed() < Duration::from_mins(2), "the service does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
    print(&format!("listens {} after its start", text(started.elapsed())));
    let memory = |service: &Service| service.peak_memory().unwrap_or(0) / (1024 * 1024);
    print(&format!("memory before (VmHWM): {} MiB", memory(&service)));

    let small = format!(
        "{DATA}?outputFormat=json-stat2&lang=nb&valueCodes[Region]=0&valueCodes[ContentsCode]=*&valueCodes[Tid]=*"
    );
    let all = "valueCodes[Region]=*&valueCodes[intake_year]=*&valueCodes[housing_situation]=*\
               &valueCodes[ContentsCode]=*&valueCodes[Tid]=*";
    let large = format!("{DATA}?outputFormat=json-stat2&lang=nb&{all}");
    let csv = format!("{DATA}?outputFormat=csv&lang=nb&{all}");
    let script = scene.path("filtered.lua");
    std::fs::write(&script, filtered())?;
    let cases = [
        ("a cached table, json-stat2", small.as_str(), None, 32),
        ("a filtered query, another one each time, json-stat2", small.as_str(), Some(&script), 32),
        ("a download of the whole table, json-stat2", large.as_str(), None, 4),
        ("a download of the whole table, csv", csv.as_str(), None, 4),
    ];
    for (name, path, script, connections) in cases {
        let asked = Instant::now();
        let first = ask(&address, path)?;
        let first_time = format!(", the first time after {}", text(asked.elapsed()));
        if path == large {
            check_size(&first)?;
        }
        let of_service =
            measure(&address, path, script.map(std::path::PathBuf::as_path), connections, seconds)?;
        let size = first.body.len();
        let plain = plain(&runtime, first)?;
        let of_plain = measure(&plain.to_string(), "/", None, connections, seconds)?;
        let share = of_service.requests_per_second / of_plain.requests_per_second;
        print(&format!(
            "{name}: {size} bytes{}\n  service         {:.0} requests/s, p99 {}{}\n  \
             plain axum      {:.0} requests/s, p99 {}\n  ratio           {share:.3}",
            if script.is_none() { first_time.as_str() } else { "" },
            of_service.requests_per_second,
            of_service.p99,
            if of_service.failed { " (SOME FAILED)" } else { "" },
            of_plain.requests_per_second,
            of_plain.p99,
        ));
        ensure!(!of_service.failed, "some requests failed; see {}", log.display());
    }
    print(&format!("memory after (VmHWM): {} MiB", memory(&service)));
    service.stop()
}

/// A coordinator that has published a large table, with figures of every municipality.
async fn published() -> Scene {
    let all = municipality::all().iter().take(MUNICIPALITIES).map(|one| one.number.as_str());
    let numbers: Vec<&str> = all.collect();
    let mut scene = Scene::of(&numbers).await;
    // Everything is shown: this is about speed.
    scene.home.policy = Policy {
        threshold: 0,
        variation_percent: u32::MAX,
        minimum_municipalities: 1,
        pool: false,
        ..Policy::default()
    };
    scene.study(&["S3", "S2"], |study| study.municipal_figures = true).await;
    let nodes: Vec<usize> = (0..numbers.len()).collect();
    // Large counts, so that none is hidden.
    let count = |node: usize, _: &str, cell: usize| {
        i64::try_from(100 + node % 17 + cell % 13).unwrap_or_default()
    };
    scene.publish("core", "2026H1", &nodes, &[], &count).await;
    scene.store.close().await;
    scene
}

/// No limit to calls, and these addresses.
fn configure(directory: &Path, public: &str, port: u16) -> Result<()> {
    let file = directory.join("coordinator.toml");
    let mut config = Config::from_toml(&std::fs::read_to_string(&file)?)?;
    config.listen = format!("127.0.0.1:{port}").parse()?;
    config.public = Some(public.parse()?);
    config.web.calls_per_window = 1_000_000_000;
    config.web.window_seconds = 1;
    Ok(std::fs::write(&file, config.to_toml())?)
}

fn ask(address: &str, path: &str) -> Result<Answer> {
    let answer = http::ask(address, "GET", path, &[("Host", address)], "")?;
    ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.body);
    Ok(answer)
}

/// The whole table must be as large as is said of it.
fn check_size(answer: &Answer) -> Result<()> {
    let document: serde_json::Value = serde_json::from_str(&answer.body)?;
    let cells = document.get("value").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
    ensure!(cells >= LARGE, "the table has {cells} cells only");
    print(&format!("the whole table has {cells} cells"));
    Ok(())
}

/// A plain handler that gives the same bytes.
fn plain(runtime: &Runtime, answer: Answer) -> Result<SocketAddr> {
    let body = Bytes::from(answer.body);
    let router = Router::new().route("/", get(move || std::future::ready(body.clone())));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let mut tasks = JoinSet::new();
    tasks.spawn_on(async move { axum::serve(listener, router).await }, runtime.handle());
    // It serves until the program ends.
    tasks.detach_all();
    Ok(address)
}

/// A script for `wrk`: each request chooses other regions, years and situations.
fn filtered() -> String {
    let regions: Vec<String> = municipality::all()
        .iter()
        .take(MUNICIPALITIES)
        .map(|one| format!("\"{}\"", one.number))
        .collect();
    format!(
        "local regions = {{ {} }}\n\
         local number = 0\n\
         request = function()\n\
           number = number + 1\n\
           local first = regions[number % #regions + 1]\n\
           local second = regions[math.floor(number / #regions) % #regions + 1]\n\
           return wrk.format('GET', '{DATA}?outputFormat=json-stat2&lang=nb&valueCodes[Region]='\n\
             .. first .. ',' .. second .. '&valueCodes[ContentsCode]=*&valueCodes[Tid]=*')\n\
         end\n",
        regions.join(", ")
    )
}

fn measure(
    address: &str,
    path: &str,
    script: Option<&Path>,
    connections: u32,
    seconds: u32,
) -> Result<Measured> {
    let mut command = Command::new("wrk");
    command.args(["--latency", "-t", "1", "-c", &connections.to_string()]);
    command.args(["-d", &format!("{seconds}s"), "--timeout", "30s"]);
    if let Some(script) = script {
        command.arg("-s").arg(script);
    }
    let ended = attempt(command.arg(format!("http://{address}{path}")))?;
    if ended.code != Some(0) {
        bail!("wrk failed: {}", ended.err);
    }
    let find = |start: &str| {
        let line = ended.out.lines().find_map(|line| line.trim().strip_prefix(start));
        line.map(str::trim).with_context(|| format!("wrk did not say {start:?}: {}", ended.out))
    };
    Ok(Measured {
        requests_per_second: find("Requests/sec:")?.parse()?,
        p99: find("99%")?.to_owned(),
        failed: ended.out.contains("Non-2xx") || ended.out.contains("Socket errors"),
    })
}

fn text(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn print(line: &str) {
    println!("{line}");
}
