//! What the running leader and the running helper hold of a node's report in memory and in files, and say.
//!
//! The reports are made here, by the same library as a node's but from counts, shares and entries that
//! the test knows, and are sent to real processes over TLS as a node sends them. The readable and
//! writable memory of both processes, and of the one that opens the batch, is then searched at every
//! stage of a round: with reports that wait, with a job under way, before and after the opening.
//!
//! This shows that these values are nowhere in these processes, in the forms that are listed in
//! `secrets`, at the moments at which they stood still. It cannot show that they were not there between
//! two such moments, nor in a form that is not listed; that no single value depends on the counts is what
//! the statistical tests of shares are for. What a process has freed and not overwritten is searched as
//! well. Reading the memory of another process needs its user's rights and that it is a child (or that
//! `ptrace` is not restricted to children): both hold here.

mod secrets;

use crate::memory::{Wanted, frozen, of};
use crate::pair::{Helper, column, database, enrol};
use crate::stage::{ROUND, Setting, Stage, binaries};
use fellestall_coordinator::aggregation::secret::TaskSecret;
use fellestall_coordinator::home::Home;
use fellestall_coordinator::rounds::{self, LoadedRound};
use fellestall_coordinator::store::Store;
use fellestall_coordinator::store::reports::ReportState;
use fellestall_node::config::Config;
use fellestall_node::keys::KeyStore;
use fellestall_node::state::State;
use fellestall_node::work;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::SystemClock;
use fellestall_shared::digest::Digest;
use fellestall_shared::secure::vdaf::{Vdaf, leader_share_digest};
use fellestall_shared::secure::{Bytes, Layout, Task, report_id, seal};
use fellestall_shared::wire::v1::{Rejection, ReleaseDocument, Report, ReportDocument};
use secrets::Known;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// A table with noise that is shared, and counts of up to a million.
const TABLES: [&str; 5] = ["--statistic", "S5", "--shared", "--largest-count", "1000000"];
const PATIENCE: Duration = Duration::from_secs(90);
/// A process runs so long between two looks at it, while it does something that is soon over.
const STEP: Duration = Duration::from_millis(3);
/// Less than a process of either server has ever held.
const LEAST: usize = 1 << 20;

struct Scene {
    stage: Stage,
    helper: Helper,
    nodes: Vec<PathBuf>,
    runtime: Runtime,
    store: Store,
    loaded: LoadedRound,
    task: Task,
    verify_key: [u8; 32],
    looks: usize,
    searched: usize,
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Leader,
    Helper,
}

/// How the helper's share travels.
enum Sealing {
    Sealed,
    /// A leak: as it is.
    Open,
}

impl Scene {
    fn set() -> Self {
        let stage = Stage::set(&Setting { log: Some("trace"), ..Setting::default() });
        let helper = Helper::found(&stage);
        let nodes = enrol(&stage, &["4601", "1108", "0301", "1103"]);
        helper.open_round(&stage, &TABLES);
        let runtime = Runtime::new().expect("a runtime");
        let home = Home::open(&stage.coordinator()).expect("a coordinator");
        let (key, catalogue) = (home.signing_key.verifying_key(), Catalogue::builtin());
        let (store, loaded, stored) = runtime.block_on(async {
            let store = Store::open(&home.store_address().expect("a store")).await;
            let (store, id) = (store.expect("a store"), ROUND.parse().expect("a round"));
            let loaded = rounds::load_round(&store, &key, catalogue.expect("a catalogue"), &id);
            let loaded = loaded.await.expect("a round");
            let stored = store.task_of_round(&id).await.expect("an answer").expect("a task");
            (store, loaded, stored)
        });
        let (_, task) = rounds::task::read(&key, &loaded, &stored).expect("a task");
        let secret = TaskSecret::of(&home.directory).expect("a secret");
        let verify_key = secret.verify_key(task.digest());
        Self {
            stage,
            helper,
            nodes,
            runtime,
            store,
            loaded,
            task,
            verify_key,
            looks: 0,
            searched: 0,
        }
    }

    fn layout(&self) -> &Layout {
        self.loaded.round.study().layout().expect("shared")
    }

    /// Sends the report of a node, and its release; what it was made of.
    fn report(&self, place: usize, sealing: &Sealing) -> Known {
        let (round, layout) = (&self.loaded.round, self.layout());
        let factor = i64::from(round.study().tables()[0].shared.expect("shared").noise.factor());
        let count = |cell: usize| {
            let drawn = Digest::of("count", format!("{place} {cell}").as_bytes());
            let drawn = u32::from_le_bytes(*drawn.as_bytes().first_chunk().expect("bytes"));
            i64::from(100_000 + drawn % 900_000)
        };
        let counts: Vec<i64> = (0..layout.length()).map(count).collect();
        let entry = |count: &i64| layout.entry(count * factor).expect("within the range");
        let entries: Vec<u128> = counts.iter().map(entry).collect();
        let node = &self.nodes[place];
        let state = State::open(node).expect("a state");
        let member = state.membership().expect("a state").expect("enrolled");
        let (task, release) = (self.task.digest(), round.question(&member.municipality));
        let (id, vdaf) = (report_id(release), Vdaf::of(layout).expect("a vector"));
        let Ok(shares) = vdaf.split(task, &id, &entries) else { panic!("no shares") };
        let halves = secrets::halves(&vdaf, &self.verify_key, task, &id, &shares);
        let aggregation = round.study().document().aggregation.as_ref().expect("a helper");
        let key = &aggregation.helper.sealing_key;
        let sealed = match sealing {
            Sealing::Sealed => seal::seal(key, task, &id, &shares.public, &shares.helper),
            Sealing::Open => Ok(Bytes(shares.helper.clone())),
        };
        let document = ReportDocument {
            release,
            node: member.node.clone(),
            municipality: member.municipality.clone(),
            round: round.id().clone(),
            task,
            public_share: Bytes(shares.public.clone()),
            leader_share: leader_share_digest(&shares.leader),
            helper_share: sealed.expect("sealed"),
        };
        let signing = KeyStore::new(node).release().expect("a key");
        let report = signing.sign(&document).expect("signed");
        let released = signing.sign(&ReleaseDocument {
            release,
            node: member.node.clone(),
            municipality: member.municipality.clone(),
            round: round.id().clone(),
            study: round.study().digest(),
            period: round.period(),
            tables: Vec::new(),
            report: Some(report.payload_digest()),
            charge_micro: round.study().charge(),
            consent_snapshot: Digest::ZERO,
            ledger_sequence: 1,
            ledger_previous: Digest::ZERO,
        });
        let released = released.expect("signed").to_json().expect("JSON");
        let body = Report { report, leader_share: Bytes(shares.leader.clone()) };
        let body = serde_json::to_vec(&body).expect("JSON");
        let config = Config::read(node).expect("a configuration");
        let client = work::client(&config, &member, None, Arc::new(SystemClock)).expect("a client");
        self.runtime.block_on(async {
            client.put_report(release, body).await.expect("taken");
            client.put_release(release, released).await.expect("taken");
        });
        Known { id, counts, entries, shares, sealed: document.helper_share.0, halves }
    }

    /// What became of the reports, by municipality.
    fn states(&self) -> Vec<ReportState> {
        let reports = self.runtime.block_on(self.store.reports(self.loaded.round.id()));
        reports.expect("reports").into_iter().map(|line| line.state).collect()
    }

    fn leader(&self) -> u32 {
        self.stage.service.as_ref().expect("it runs").id()
    }

    fn second(&self) -> u32 {
        self.helper.service.as_ref().expect("it runs").id()
    }

    /// The memory of a process that stands still or does not mind.
    fn memory(&mut self, process: u32) -> Vec<Vec<u8>> {
        let memory = of(process);
        self.searched += memory.iter().map(Vec::len).sum::<usize>();
        memory
    }

    /// Searches a server's memory and files for what it must not hold, while it stands still.
    fn look(&mut self, side: Side, moment: &str, not_for: &[Wanted; 2]) {
        let (process, folder, not_for) = match side {
            Side::Leader => (self.leader(), self.stage.coordinator(), &not_for[0]),
            Side::Helper => (self.second(), self.helper.directory().to_owned(), &not_for[1]),
        };
        frozen(process, || {
            let memory = self.memory(process);
            assert!(memory.iter().map(Vec::len).sum::<usize>() > LEAST, "{side:?}: unread");
            let (held, stored) = (not_for.found(&memory), not_for.found(&files(&folder)));
            assert!(held.is_empty(), "{moment}, in the memory of the {side:?}: {held:?}");
            assert!(stored.is_empty(), "{moment}, in the files of the {side:?}: {stored:?}");
        });
        self.looks += 1;
    }

    fn wait_for(&mut self, what: &str, mut is_there: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_there(self) {
            assert!(Instant::now() < deadline, "{what} does not come");
            std::thread::yield_now();
        }
    }

    /// Whether the leader has begun to verify reports with the helper.
    fn has_job(&self) -> bool {
        let store = database(&self.stage.coordinator().join("coordinator.db"));
        column::<i64>(&store, "SELECT count(*) FROM job") != [0]
    }

    /// Closes the round, and searches the process that opens the batch after every few steps of it.
    fn close(&mut self, not_for: &Wanted) {
        let program = &binaries().coordinator;
        let mut command = self.stage.command(program, &self.stage.coordinator());
        command.args(["round", "close", ROUND]).stdin(Stdio::null()).stdout(Stdio::null());
        let log = std::fs::File::create(self.stage.path("logs/close.log")).expect("a log");
        let mut closing = command.stderr(log).spawn().expect("it starts");
        let before = self.looks;
        let ended = loop {
            if let Some(ended) = closing.try_wait().expect("a state") {
                break ended;
            }
            frozen(closing.id(), || {
                let memory = self.memory(closing.id());
                self.looks += usize::from(memory.iter().map(Vec::len).sum::<usize>() > LEAST);
                let held = not_for.found(&memory);
                assert!(held.is_empty(), "in the memory of what opens the batch: {held:?}");
            });
            std::thread::sleep(STEP);
        };
        assert!(ended.success(), "{ended}");
        println!("{} looks at what opened the batch", self.looks - before);
        assert!(self.looks > before + 1, "it was over too soon");
    }

    /// Says secrets to a server, in greetings of TLS that are never finished, and waits until all of them
    /// are found in its memory: what is searched for would be found.
    fn plant(&mut self, process: u32, port: u16, wanted: &Wanted) {
        let deadline = Instant::now() + PATIENCE;
        let all: Vec<&[u8]> = wanted.forms().collect();
        loop {
            let mut connections = Vec::new();
            for part in all.chunks(16) {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
                // A record of a handshake, longer than what comes of it.
                stream.write_all(&[0x16, 3, 1, 0x3f, 0xff, 1]).expect("sent");
                stream.write_all(&part.concat()).expect("sent");
                connections.push(stream);
            }
            let memory = self.memory(process);
            let found = wanted.count(&memory);
            if found == wanted.len() {
                return;
            }
            assert!(Instant::now() < deadline, "{found} of {} are found", wanted.len());
        }
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            // A log of the database may end between being listed and being read.
            all.push(bytes);
        }
    }
    all
}

#[test]
fn neither_servers_memory_holds_the_others_share_or_a_nodes_vector() {
    let mut scene = Scene::set();
    let (layout, second) = (*scene.layout(), scene.second());
    let mut not_for = [Wanted::default(), Wanted::default()];
    let [mut leaders, mut sealed, mut leak, mut ids, mut round] =
        std::array::from_fn(|_| Wanted::default());

    // While the helper stands still, the reports wait, and then a job is under way.
    let first = frozen(second, || {
        let known: Vec<Known> = (0..3).map(|place| scene.report(place, &Sealing::Sealed)).collect();
        for one in &known {
            one.not_for_leader(&layout, &mut not_for[0]);
            one.not_for_helper(&layout, &mut not_for[1]);
            one.for_leader(&mut leaders);
            sealed.add("what is sealed", &one.sealed[..96]);
            ids.add("the report's id", &one.id);
        }
        let open = scene.report(3, &Sealing::Open);
        open.helper_share(&mut leak);
        open.for_leader(&mut leaders);
        scene.look(Side::Leader, "with reports that wait", &not_for);
        let folder = scene.stage.coordinator();
        let own = ["the leader's blind", "the leader's share"];
        assert_eq!(leaders.found(&files(&folder)), own.into());
        assert!(!sealed.found(&files(&folder)).is_empty());
        scene.wait_for("a job", |scene| scene.has_job());
        scene.look(Side::Leader, "with a job under way", &not_for);
        let memory = scene.memory(scene.leader());
        assert!(leaders.found(&memory).contains("the leader's share"));
        assert!(!sealed.found(&memory).is_empty());
        known
    });
    scene.wait_for("the verification", |scene| {
        // Both stand still while one of them is searched.
        frozen(scene.leader(), || scene.look(Side::Helper, "while reports are verified", &not_for));
        frozen(second, || scene.look(Side::Leader, "while reports are verified", &not_for));
        std::thread::sleep(STEP);
        !scene.states().contains(&ReportState::Waiting)
    });
    let states = scene.states();
    let is_verified = |state: &&ReportState| matches!(state, ReportState::Verified { batch: 1 });
    assert_eq!(states.iter().filter(is_verified).count(), 3, "{states:?}");
    assert!(states.contains(&ReportState::Rejected { reason: Rejection::Sealed }), "{states:?}");

    // The search finds what is there: the ids at the helper, and at the leader the share that a node
    // did not seal.
    let folders = [scene.stage.coordinator(), scene.helper.directory().to_owned()];
    assert!(!ids.found(&files(&folders[1])).is_empty());
    assert!(!ids.found(&scene.memory(second)).is_empty());
    assert!(!leak.found(&files(&folders[0])).is_empty());
    assert!(!leak.found(&scene.memory(scene.leader())).is_empty());

    // And its own share of a report does not stay in any of the leader's files once it is in the sum:
    // not in the database's free pages, and not in its log.
    scene.wait_for("the end of the job", |_| leaders.found(&files(&folders[0])).is_empty());

    scene.look(Side::Leader, "before the opening", &not_for);
    scene.look(Side::Helper, "before the opening", &not_for);
    scene.close(&not_for[0]);
    scene.look(Side::Leader, "after the opening", &not_for);
    scene.look(Side::Helper, "after the opening", &not_for);
    // No share of either, and no vector, is said in a log or left in a temporary file.
    let said = ["logs", "tmp"].map(|folder| files(&scene.stage.path(folder))).concat();
    round.add("the round", ROUND.as_bytes());
    assert!(!round.found(&said).is_empty(), "the logs were read");
    for wanted in [&not_for[0], &not_for[1], &leaders, &leak] {
        let found = wanted.found(&said);
        assert!(found.is_empty(), "in what was said: {found:?}");
    }

    // And whatever is searched for is found, in every form, where it is said to a server.
    let (leader, port) = (scene.leader(), scene.stage.port);
    let mut planted = [Wanted::default(), Wanted::default()];
    first[0].not_for_leader(&layout, &mut planted[0]);
    first[0].not_for_helper(&layout, &mut planted[1]);
    scene.plant(leader, port, &planted[0]);
    scene.plant(second, scene.helper.port, &planted[1]);
    let [one, other] = not_for.each_ref().map(Wanted::len);
    println!(
        "{one} byte strings not at the leader, {other} not at the helper, at {} moments; {} MB searched",
        scene.looks,
        scene.searched >> 20
    );
}
