//! L02: a real process, killed at its system calls.
//!
//! The test runs itself again as a child under `strace`, which kills the child at the n-th write,
//! sync, rename or truncation. The child answers questions and says so on its output, as a node
//! says so to the coordinator. Afterwards the journal is opened and compared with what was said.
//!
//! **Invariant:** what the child said is in the journal, once, and with those bytes.

use super::shared;
use super::support::{Node, export, round, snapshot_key};
use crate::kernel::people::terms;
use crate::kernel::{ApprovedRound, Recorded, Release};
use fellestall_shared::digest::Digest;
use fellestall_shared::round::Round;
use fellestall_shared::wire::v1::Receipt;
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

/// Where the child finds its folder.
const FOLDER: &str = "FELLESTALL_CRASH_FOLDER";
/// Set for 1,000 kills instead of 200.
const LONG: &str = "FELLESTALL_LONG";
const CHILD: &str = "kernel::tests::crash::child";
const CALLS: &str = "write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,fallocate,?rename,?renameat,?renameat2,?unlink,?unlinkat";
/// What the questions cost: the last has shared tables.
const CHARGES: [u64; 3] = [1_500, 1_500, 6_500];

fn questions() -> Vec<Round> {
    let mut questions: Vec<_> =
        ["2026H1", "2026H2"].map(|about| round("core", 1, about, &[1000, 500])).into();
    questions.push(shared::question("2027H1"));
    questions
}

/// What would be sent: the release, and the report before it.
fn body(release: &Release<Recorded>) -> Digest {
    Digest::of_parts("test", &[release.bytes(), release.report_bytes().unwrap_or_default()])
}

fn node(folder: &Path) -> Node {
    let pkcs8 = std::fs::read(folder.join("key")).expect("a key");
    Node::at(folder, pkcs8, 1_000_000)
}

/// The process that is killed: answers each question from files of records, says which bytes it would send, and notes a
/// receipt.
#[test]
#[ignore = "run by the crash test, as a process of its own"]
fn child() {
    let folder = std::env::var_os(FOLDER).expect("the crash test gives the folder");
    let folder = Path::new(&folder);
    let source = export(folder);
    let node = node(folder);
    let mut kernel = node.open();
    for (number, question) in questions().into_iter().enumerate() {
        let shared = question.study().layout().is_some();
        let task = shared.then(|| shared::task(&question, &node));
        let approved = ApprovedRound::new(question, terms());
        let approved = match task {
            Some(task) => approved.with_task(task),
            None => approved,
        };
        let release = kernel.release(&approved, &source, &snapshot_key()).expect("a release");
        assert_eq!(release.report_bytes().is_some(), shared);
        let said = body(&release);
        let mut output = std::io::stdout().lock();
        output.write_all(format!("\nsaid {number} {said}\n").as_bytes()).expect("written");
        output.flush().expect("written");
        let receipt = Receipt { release: release.id(), digest: release.payload_digest() };
        let _ = kernel.mark_sent(release, &receipt).expect("noted");
    }
}

/// One run of the child.
struct Run {
    output: String,
    trace: String,
    killed: bool,
}

impl Run {
    /// Every traced call, as its name and which one of that name it is in its thread: what
    /// `strace` counts by. In an order that jumps, so that a few of them are from everywhere.
    fn calls(&self) -> Vec<(String, usize)> {
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut calls = Vec::new();
        for line in self.trace.lines() {
            let mut words = line.split([' ', '(']).filter(|word| !word.is_empty());
            let (Some(thread), Some(call)) = (words.next(), words.next()) else { continue };
            let count = counts.entry((thread, call)).or_default();
            *count += 1;
            calls.push((call.to_owned(), *count));
        }
        calls.sort_by_key(|(call, count)| (count * 37 % 101, call.clone(), *count));
        calls.dedup();
        assert!(calls.len() > 60, "only {} calls were traced", calls.len());
        calls
    }
}

/// Runs the child under `strace`, with something injected at one of its calls.
fn run(folder: &Path, inject: Option<(&(String, usize), &str)>) -> Run {
    let trace = folder.join("trace");
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-e", &format!("trace={CALLS}"), "-e", "signal=none", "-o"])
        .arg(&trace);
    if let Some(((call, count), what)) = inject {
        command.args(["-e", &format!("inject={call}:{what}:when={count}")]);
    }
    let output = command
        .arg(std::env::current_exe().expect("this test"))
        .args([CHILD, "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .output()
        .expect("strace is missing: install it (apt-get install strace)");
    let trace = std::fs::read_to_string(trace).expect("a trace");
    // strace ends as its child did.
    let killed = output.status.signal() == Some(9);
    Run { output: String::from_utf8_lossy(&output.stdout).into_owned(), trace, killed }
}

fn fresh() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("key"), Node::new(1).pkcs8).expect("written");
    folder
}

/// What a folder's children have said so far, and what its journal has held.
#[derive(Default)]
struct Seen {
    said: BTreeMap<usize, Digest>,
    held: BTreeMap<usize, Digest>,
}

impl Seen {
    fn hear(&mut self, output: &str) {
        for line in output.lines().filter_map(|line| line.strip_prefix("said ")) {
            let (number, digest) = line.split_once(' ').expect("two words");
            let number = number.parse().expect("a number");
            let digest: Digest = digest.parse().expect("a digest");
            let before = *self.said.entry(number).or_insert(digest);
            assert_eq!(before, digest, "a replay was changed");
        }
    }

    /// Compares with the journal; gives how many releases it holds.
    fn check(&mut self, folder: &Path) -> usize {
        let kernel = node(folder).open();
        let history = kernel.history().expect("a history");
        let held: BTreeMap<usize, Digest> = questions()
            .iter()
            .enumerate()
            .filter_map(|(number, question)| {
                let id = question.question(&"4601".parse().expect("a number"));
                let release = kernel.recorded(id).expect("a journal")?;
                Some((number, body(&release)))
            })
            .collect();
        for (number, digest) in self.said.iter().chain(&self.held) {
            assert_eq!(held.get(number), Some(digest), "a charge was lost or a replay changed");
        }
        assert_eq!(history.len(), held.len(), "a charge without its release");
        let charged: u64 = history.iter().map(|entry| entry.charge.micro()).sum();
        let asked: u64 = held.keys().map(|number| CHARGES[*number]).sum();
        assert_eq!(charged, asked, "a release was charged twice");
        self.held = held;
        self.held.len()
    }
}

/// L02: 200 kills in every run, 1,000 with `FELLESTALL_LONG=1`: no charge lost that was said, none
/// made twice, no replay changed.
#[test]
fn l02_a_process_killed_at_any_call_loses_and_doubles_nothing() {
    let kills = if std::env::var_os(LONG).is_some_and(|value| value == "1") { 1_000 } else { 200 };
    let whole = fresh();
    let whole = run(whole.path(), None);
    assert_eq!(whole.output.matches("said ").count(), questions().len(), "{}", whole.output);
    let calls = whole.calls();

    let (mut killed, mut unsaid, mut folder, mut seen) = (0, 0, fresh(), Seen::default());
    for call in calls.iter().cycle().take(3 * kills) {
        let run = run(folder.path(), Some((call, "signal=KILL")));
        killed += usize::from(run.killed);
        seen.hear(&run.output);
        let held = seen.check(folder.path());
        unsaid += usize::from(held > seen.said.len());
        if held == questions().len() {
            (folder, seen) = (fresh(), Seen::default());
        }
        if killed == kills {
            break;
        }
    }
    assert_eq!(killed, kills, "too few children lived long enough to be killed");
    // Some were killed between the commit and the word: that is where a charge could be doubled.
    assert!(unsaid > 0, "no kill fell between the record and its acknowledgement");
}

/// L04: the n-th write or sync fails with a full disk or a broken one: the process stops with an
/// error or goes on, and the same holds as after a kill.
#[test]
fn l04_a_failing_write_or_sync_loses_and_doubles_nothing() {
    let whole = fresh();
    let calls = run(whole.path(), None).calls();
    let mut failed = 0;
    for (call, error) in calls.iter().zip(["error=ENOSPC", "error=EIO"].iter().cycle()).take(40) {
        let (folder, mut seen) = (fresh(), Seen::default());
        let broken = run(folder.path(), Some((call, error)));
        failed += usize::from(broken.trace.contains("(INJECTED)"));
        seen.hear(&broken.output);
        let held = seen.check(folder.path());
        // It recovers: the same process, with a sound disk, answers all.
        seen.hear(&run(folder.path(), None).output);
        assert_eq!(seen.check(folder.path()), questions().len(), "held {held}");
    }
    assert!(failed > 20, "{failed}");
}
