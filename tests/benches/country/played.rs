//! Played nodes: as many as are wished for, each with keys, a certificate and signatures of its own.

use crate::print;
use crate::scene::{Stage, study, tell};
use anyhow::{Context, Result, ensure};
use fellestall_coordinator::config::{Config, Web};
use fellestall_coordinator::home::Home;
use fellestall_coordinator::rounds::{self, Opening};
use fellestall_coordinator::store::Store;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, SystemClock, Timestamp};
use fellestall_shared::digest::Digest;
use fellestall_shared::round::Round;
use fellestall_tests::fleet::{self, FleetNode};
use sqlx::{AnyConnection, Connection};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Nodes that are at it at once.
const AT_ONCE: usize = 32;
/// Nodes that are enrolled at once.
const ENROLLED_AT_ONCE: usize = 8;
/// Nodes that look for work when there is none, at the most.
const POLLS: usize = 2_000;
/// Releases of the plain `INSERT` beside, at the most.
const PLAIN: usize = 1_000;

/// How long the steps of one node took.
#[derive(Default)]
struct Times {
    connect: Vec<Duration>,
    work: Vec<Duration>,
    witness: Vec<Duration>,
    upload: Vec<Duration>,
    whole: Vec<Duration>,
}

impl Times {
    fn add(&mut self, [connect, work, witness, upload]: [Duration; 4]) {
        self.connect.push(connect);
        self.work.push(work);
        self.witness.push(witness);
        self.upload.push(upload);
        self.whole.push(connect + work + witness + upload);
    }
}

fn percentile(times: &mut [Duration], hundredths: usize) -> f64 {
    times.sort();
    let place = times.len().saturating_sub(1).saturating_mul(hundredths).div_ceil(100);
    times.get(place).copied().unwrap_or_default().as_secs_f64() * 1e3
}

fn say(what: &str, times: &mut [Duration]) {
    let (half, most) = (percentile(times, 50), percentile(times, 99));
    print(&format!("    {what:<19} p50 {half:.1} ms, p99 {most:.1} ms"));
}

fn rate(count: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

/// Enrols nodes, lets them answer, and closes the round.
pub async fn round(stage: &Stage, count: usize) -> Result<()> {
    let name = format!("played_{count}");
    let database = stage.database(&name).await?;
    let now = SystemClock.now();
    let config = Config {
        url: "https://127.0.0.1".to_owned(),
        hosts: vec!["127.0.0.1".to_owned()],
        listen: "127.0.0.1:0".parse()?,
        public: None,
        store: database.clone(),
        web: Web::default(),
        admin: None,
    };
    let home = Arc::new(Home::create(&stage.folder.path().join(&name), &config, now)?);
    let store = Store::open(&database).await?;
    print(&format!("{count} played nodes, half of them at each instance, {AT_ONCE} at once:"));
    let started = Instant::now();
    let nodes = Arc::new(enrol(&store, &home, count, now).await?);
    let time = started.elapsed();
    print(&format!(
        "  enrol through the store {:.1} s ({:.0} nodes/s; certificates are of the authority)",
        time.as_secs_f64(),
        rate(count, time)
    ));
    let round = Arc::new(open_round(&store, &home, now).await?);
    let mut releases = Vec::with_capacity(count);
    for node in nodes.iter() {
        releases.push(node.release(&round, 1, Digest::ZERO)?.to_json()?);
    }
    plain(stage, &database, &releases).await?;
    let instances = stage.instances(&home.directory, &name)?;
    let addresses: Vec<SocketAddr> = instances.iter().map(|instance| instance.address).collect();
    let before = stage.snapshot(&instances)?;
    let releases = Arc::new(releases);
    let mut times = send_out(&nodes, count, &round, Some(&releases), &addresses).await?;
    let after = stage.snapshot(&instances)?;
    let stored = store.releases(round.id()).await?.len();
    ensure!(stored == count, "{stored} of {count} releases are stored");
    let wall = after.at.saturating_duration_since(before.at);
    print(&format!(
        "  connect, fetch work, be countersigned, send: {:.1} s, {:.0} nodes/s",
        wall.as_secs_f64(),
        rate(count, wall)
    ));
    say("handshake", &mut times.connect);
    say("work", &mut times.work);
    say("countersignature", &mut times.witness);
    say("upload", &mut times.upload);
    say("all of it", &mut times.whole);
    tell(&before, &after, count, "this program");
    let polls = count.min(POLLS);
    let before = stage.snapshot(&instances)?;
    let mut times = send_out(&nodes, polls, &round, None, &addresses).await?;
    let after = stage.snapshot(&instances)?;
    let wall = after.at.saturating_duration_since(before.at);
    print(&format!("  connect and fetch work, {polls} nodes: {:.0} nodes/s", rate(polls, wall)));
    say("both", &mut times.whole);
    tell(&before, &after, polls, "this program");
    let first = instances.first().context("an instance")?;
    stage.close(&first.directory, round.id().as_str())?;
    stage.sizes(&name).await?;
    store.close().await;
    Ok(())
}

async fn enrol(
    store: &Store,
    home: &Arc<Home>,
    count: usize,
    now: Timestamp,
) -> Result<Vec<FleetNode>> {
    let mut numbers = fleet::numbers(count)?.into_iter().enumerate();
    let (mut tasks, mut nodes) = (JoinSet::new(), Vec::with_capacity(count));
    loop {
        while tasks.len() < ENROLLED_AT_ONCE {
            let Some((place, number)) = numbers.next() else { break };
            let (store, home) = (store.clone(), Arc::clone(home));
            tasks.spawn(async move { fleet::enrol(&store, &home, number, place, now).await });
        }
        let Some(done) = tasks.join_next().await else { return Ok(nodes) };
        nodes.push(done??);
    }
}

async fn open_round(store: &Store, home: &Home, now: Timestamp) -> Result<Round> {
    let catalogue = Catalogue::builtin().map_err(|error| anyhow::anyhow!("{error}"))?;
    let (key, document) = (&home.signing_key, study()?);
    rounds::publish_study(store, key, catalogue, &document, now).await?;
    let opening = Opening {
        study: document.study,
        version: None,
        period: "2016H2".parse()?,
        closes: now.plus(Duration::from_hours(24)),
    };
    let (id, _) = rounds::open_round(store, key, catalogue, &opening, now).await?;
    Ok(rounds::load_round(store, &key.verifying_key(), catalogue, &id).await?.round)
}

/// The same bytes into a plain table, one after the other.
async fn plain(stage: &Stage, database: &str, releases: &[Vec<u8>]) -> Result<()> {
    let mut connection = AnyConnection::connect(database).await?;
    for statement in [
        "SET synchronous_commit = 'on'",
        "CREATE TABLE plain (number BIGINT PRIMARY KEY, envelope BYTEA NOT NULL)",
    ] {
        sqlx::query(statement).execute(&mut connection).await?;
    }
    let before = stage.snapshot(&[])?;
    let mut times = Vec::new();
    for (number, release) in (0_i64..).zip(releases.iter().take(PLAIN)) {
        let asked = Instant::now();
        sqlx::query("INSERT INTO plain (number, envelope) VALUES ($1, $2)")
            .bind(number)
            .bind(release.as_slice())
            .execute(&mut connection)
            .await?;
        times.push(asked.elapsed());
    }
    let after = stage.snapshot(&[])?;
    sqlx::query("DROP TABLE plain").execute(&mut connection).await?;
    connection.close().await?;
    let wall = after.at.saturating_duration_since(before.at);
    let used = after.postgres.cpu.saturating_sub(before.postgres.cpu).as_secs_f64();
    let count = times.len();
    let (half, most) = (percentile(&mut times, 50), percentile(&mut times, 99));
    print(&format!(
        "  plain INSERT beside   {:.0}/s by one connection, p50 {half:.1} ms, p99 {most:.1} ms, \
         PostgreSQL {:.2} CPU ms each",
        rate(count, wall),
        used * 1e3 / f64::from(u32::try_from(count.max(1))?),
    ));
    Ok(())
}

/// One node from its connection to its receipt, or to its list of work if it has nothing to send.
async fn one(
    node: &FleetNode,
    round: &Round,
    release: Option<&[u8]>,
    address: SocketAddr,
) -> Result<[Duration; 4]> {
    let standing = node.standing()?;
    let started = Instant::now();
    let mut connection = node.connect(address).await?;
    let connected = started.elapsed();
    let work = connection.ask("GET", "/v1/work", b"").await?;
    ensure!(work.status == 200, "work: {}", work.status);
    let fetched = started.elapsed();
    let Some(release) = release else {
        let work = fetched.saturating_sub(connected);
        return Ok([connected, work, Duration::ZERO, Duration::ZERO]);
    };
    let witness = connection.ask("POST", "/v1/witness", &standing).await?;
    ensure!(witness.status == 200, "witness: {}", witness.status);
    let witnessed = started.elapsed();
    let path = format!("/v1/releases/{}", round.question(&node.municipality));
    let stored = connection.ask("PUT", &path, release).await?;
    ensure!(stored.status == 201, "release: {}", stored.status);
    let sent = started.elapsed();
    let since = |later: Duration, earlier| later.saturating_sub(earlier);
    let steps = [since(fetched, connected), since(witnessed, fetched), since(sent, witnessed)];
    let [work, witness, upload] = steps;
    Ok([connected, work, witness, upload])
}

/// Lets the first nodes do the same, half of them at each instance.
async fn send_out(
    nodes: &Arc<Vec<FleetNode>>,
    count: usize,
    round: &Arc<Round>,
    releases: Option<&Arc<Vec<Vec<u8>>>>,
    addresses: &[SocketAddr],
) -> Result<Times> {
    let (mut tasks, mut times) = (JoinSet::new(), Times::default());
    let mut places = 0..count.min(nodes.len());
    let mut turn = addresses.iter().cycle();
    loop {
        while tasks.len() < AT_ONCE {
            let Some((place, address)) = places.next().zip(turn.next().copied()) else { break };
            let (nodes, round) = (Arc::clone(nodes), Arc::clone(round));
            let releases = releases.map(Arc::clone);
            tasks.spawn(async move {
                let node = nodes.get(place).context("a node")?;
                let release = releases.as_ref().map(|all| all.get(place).context("a release"));
                one(node, &round, release.transpose()?.map(Vec::as_slice), address).await
            });
        }
        let Some(done) = tasks.join_next().await else { return Ok(times) };
        times.add(done??);
    }
}
