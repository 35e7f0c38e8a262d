//! Signing in with a password: throttled, the same for whoever it is, and told to nobody.

use crate::scene::{CORA, KARI, Scene};
use fellestall_tests::process::{Binaries, free_port};
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guessing_is_throttled_and_says_nothing() {
    let scene = Scene::set().await;
    let attempt = |name: &str, password: &str| {
        scene.post("/sign-in", "", &[("name", name), ("password", password)])
    };
    let known = attempt(KARI.0, "wrong horse battery");
    let unknown = attempt("Nobody Here", "wrong horse battery");
    assert_eq!((known.status, unknown.status), (422, 422));
    assert_eq!(known.body, unknown.body, "the same answer, whoever it is");
    assert!(known.headers.iter().all(|(name, _)| name != "set-cookie"));
    // One of the provider's people has no password.
    let role = fellestall_coordinator::store::staff::Role::Auditor;
    scene.add_known("Per", role, "per").await;
    assert_eq!(attempt("Per", "").status, 422);
    for _ in 0..9 {
        assert_eq!(attempt(KARI.0, "wrong").status, 422);
    }
    let waiting = attempt(" KARI STYRER ", KARI.1);
    assert_eq!(waiting.status, 429, "even with the right one");
    assert!(waiting.header("retry-after").parse::<u64>().expect("seconds") <= 600);
    scene.ticket(CORA);
    scene.move_clock(Duration::from_mins(11));
    scene.ticket(KARI);
    let told = scene.told().await;
    let count = |line: &str| told.iter().filter(|told| *told == line).count();
    assert_eq!(count("sign-in-failed | password | Kari Styrer"), 10);
    assert_eq!(count("sign-in-failed | password | unknown"), 1);
    assert_eq!(count("signed-in |  | Kari Styrer"), 1);
    assert!(!told.iter().any(|line| line.contains("Nobody") || line.contains("horse")), "{told:?}");
}

/// The program, with this on its standard input.
fn run(directory: &std::path::Path, arguments: &[&str], input: &str) -> Output {
    static BUILT: OnceLock<Binaries> = OnceLock::new();
    let program = &BUILT.get_or_init(|| Binaries::build().expect("the programs")).coordinator;
    let mut child = Command::new(program)
        .args(["--dir", &directory.to_string_lossy()])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that wants no input may have ended.
    child.stdin.take().expect("an input").write_all(input.as_bytes()).ok();
    child.wait_with_output().expect("an end")
}

#[test]
fn staff_are_added_listed_and_removed_on_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = folder.path().join("coordinator");
    let port = free_port().expect("a port");
    let url = format!("https://localhost:{port}");
    let run = |arguments: &[&str], input: &str| run(&directory, arguments, input);
    assert!(run(&["init", "--url", &url], "").status.success());
    let add = ["staff", "add", "--name", "Kari", "--role", "administrator"];
    let with = |more: &[&'static str]| [&add[..], more].concat();
    for (input, more) in [
        ("", &["--password"][..]),
        ("short\n", &["--password"]),
        ("long enough for anybody\n", &["--password", "--subject", "x"]),
        ("long enough for anybody\n", &[]),
        ("long enough for anybody\n", &["--password", "long enough for anybody"]),
        ("", &["--subject", "known"]),
    ] {
        let refused = run(&with(more), input);
        assert!(!refused.status.success(), "{more:?}");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!said.contains("anybody") || more.len() == 2, "{said}");
    }
    let added = run(&with(&["--password"]), "long enough for anybody\n");
    let said = String::from_utf8_lossy(&added.stdout).into_owned();
    assert!(added.status.success() && !said.contains("anybody"), "{said}");
    assert!(!run(&with(&["--password"]), "long enough for anybody\n").status.success(), "twice");
    let list = run(&["--json", "staff", "list"], "");
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).expect("JSON");
    assert_eq!((&list[0]["name"], &list[0]["role"]), (&"Kari".into(), &"administrator".into()));
    let database = std::fs::read(directory.join("coordinator.db")).expect("the store");
    let text = String::from_utf8_lossy(&database).into_owned();
    assert!(text.contains("$argon2id$") && !text.contains("anybody"));
    let log = run(&["--json", "audit"], "");
    let log: serde_json::Value = serde_json::from_slice(&log.stdout).expect("JSON");
    let first = &log[0];
    assert_eq!(first["event"], "staff-added");
    assert_eq!(first["subject"], "Kari, administrator");
    assert!(first.get("actor").is_none(), "the command line has no name: {first}");
    assert!(run(&["staff", "remove", "--name", "kari"], "").status.success());
    assert!(!run(&["staff", "remove", "--name", "kari"], "").status.success());
}
