//! The help, the scripts, the JSON, plain text, and secrets that no list of processes shows.

use crate::stage::{ROUND, Setting, Stage, binaries, drawn};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use fellestall_tests::process::{Ended, Service, attempt};
use std::path::Path;
use std::process::Command;

/// Names of parts that an operator has no use for.
const INTERNAL: [&str; 12] = [
    "rusqlite", "sqlx", "tokio", "axum", "rustls", "reqwest", "opendp", "struct", "enum ", "todo",
    "::", "unwrap",
];

fn say(program: &Path, arguments: &[String]) -> Ended {
    attempt(Command::new(program).args(arguments).env("NO_COLOR", "1")).expect("it starts")
}

/// The commands that a help lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    listed
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect()
}

/// Checks the help of a command and of all commands below it; how many there are.
fn check(program: &Path, path: &[String]) -> usize {
    let ended = say(program, &[path, &["--help".to_owned()]].concat());
    let help = &ended.out;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{path:?}");
    let first = help.lines().next().unwrap_or_default();
    assert!(first.len() > 10 && !first.starts_with("Usage"), "{path:?} is not described: {first}");
    assert!(help.contains("Usage: "), "{path:?}: {help}");
    let small = help.to_lowercase();
    for name in INTERNAL {
        assert!(!small.contains(name), "{path:?} names {name}: {help}");
    }
    assert!(!help.contains('\u{1b}'), "{path:?} is coloured");
    // Every option and argument has words beside or below it.
    let lines: Vec<&str> = help.lines().collect();
    for pair in lines.windows(2) {
        let option = pair[0].trim_start();
        let is_option = option.starts_with('-') && !option.starts_with("- ");
        let bare = is_option && !option.contains("  ");
        assert!(!bare || pair[1].starts_with("          "), "{path:?}: {option} is not described");
    }
    let below = commands(help);
    below
        .iter()
        .map(|name| check(program, &[path, std::slice::from_ref(name)].concat()))
        .sum::<usize>()
        + 1
}

#[test]
fn help_is_complete() {
    let programs = binaries();
    assert!(check(&programs.node, &[]) >= 14);
    assert!(check(&programs.coordinator, &[]) >= 25);
    for program in [&programs.node, &programs.coordinator] {
        for shell in ["bash", "zsh", "fish"] {
            let script = say(program, &["completions".to_owned(), shell.to_owned()]);
            assert_eq!(script.code, Some(0), "{shell}: {}", script.err);
            let name = program.file_name().expect("a name").to_string_lossy();
            assert!(script.out.lines().count() > 50 && script.out.contains(&*name), "{shell}");
            if shell == "bash" {
                let read = attempt(Command::new("bash").args(["-n", "-c", &script.out]));
                assert_eq!(read.expect("bash").code, Some(0), "bash cannot read it");
            }
        }
        let unknown = say(program, &["no-such-command".to_owned()]);
        assert_eq!((unknown.code, unknown.out.as_str()), (Some(2), ""));
        assert!(unknown.err.contains("--help"), "{}", unknown.err);
        let version = say(program, &["--version".to_owned()]);
        assert_eq!(version.code, Some(0));
    }
}

/// Asserts that a command's facts are one JSON document, and gives it.
fn json(ended: &Ended, command: &[&str]) -> serde_json::Value {
    assert_eq!(ended.code, Some(0), "{command:?}: {}", ended.err);
    assert!(!ended.out.contains('\u{1b}') && !ended.err.contains('\u{1b}'), "{command:?}");
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Whether a secret is somewhere: as it is, in hexadecimal or in base64.
fn holds(place: &[u8], secret: &[u8]) -> bool {
    let place = String::from_utf8_lossy(place);
    let coded = [
        HEXLOWER.encode(secret),
        BASE64.encode(secret).trim_end_matches('=').to_owned(),
        BASE64URL_NOPAD.encode(secret),
    ];
    coded.iter().any(|form| place.contains(form))
        || std::str::from_utf8(secret).is_ok_and(|text| place.contains(text.trim()))
}

/// What the system shows of a running process: its arguments and its environment.
fn shown(service: &Service) -> Vec<u8> {
    ["cmdline", "environ"]
        .iter()
        .flat_map(|name| {
            std::fs::read(format!("/proc/{}/{name}", service.id())).expect("a running process")
        })
        .collect()
}

/// The secrets of a node: its keys whole, and the body of those that are in PEM.
fn secrets(folder: &Path, names: &[&str]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for name in names {
        let bytes = std::fs::read(folder.join(name)).expect("a secret");
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let lines = text.lines().filter(|line| !line.starts_with('-') && line.len() > 20);
            all.extend(lines.map(|line| line.as_bytes().to_vec()));
        }
        all.push(bytes);
    }
    all
}

/// What a coordinator is asked that has published.
const COORDINATOR_COMMANDS: [&[&str]; 12] = [
    &["key"],
    &["nodes", "list"],
    &["audit"],
    &["study", "list"],
    &["study", "tables"],
    &["study", "template", "--starts", "2016-01-01", "--ends", "2020-12-31"],
    &["round", "list"],
    &["round", "status", ROUND],
    &["round", "close", ROUND],
    &["publications", "list"],
    &["publications", "export", "core.1.2016H2.v1"],
    &["invite", "--municipality", "0301"],
];

/// What a node is asked that has released.
const NODE_COMMANDS: [&[&str]; 15] = [
    &["config", "check"],
    &["register", "list"],
    &["register", "check"],
    &["check-data"],
    &["studies"],
    &["preview", "core"],
    &["plan", "core"],
    &["status"],
    &["releases"],
    &["releases", "--show", ""],
    &["log", "list"],
    &["log", "verify"],
    &["retention"],
    &["console-user", "list"],
    &["run", "--once"],
];

#[test]
fn programs_speak_json_and_plain_text_and_show_no_secret() {
    let mut stage = Stage::set(&Setting { log: Some("trace"), ..Setting::default() });
    let mut nodes = Vec::new();
    let mut guarded = Vec::new();
    for number in ["4601", "1108"] {
        let export = stage.write(number, &drawn(number));
        let node = stage.init(number, number, &export, &[]);
        let invitation = stage.enrol(&node, number);
        let text = std::fs::read_to_string(invitation).expect("an invitation");
        let coded = text.trim().strip_prefix("fellestall1.").expect("its beginning");
        let inside = BASE64URL_NOPAD.decode(coded.as_bytes()).expect("base64");
        let inside: serde_json::Value = serde_json::from_slice(&inside).expect("JSON");
        guarded.push(coded.as_bytes().to_vec());
        guarded.push(inside["secret"].as_str().expect("a secret").as_bytes().to_vec());
        guarded.extend(secrets(&node, &["count.key", "release.key", "tls.key"]));
        nodes.push(node);
    }
    guarded.extend(secrets(&stage.coordinator(), &["authority-key.pem", "signing-key.p8"]));
    assert!(guarded.len() >= 14 && guarded.iter().all(|secret| secret.len() >= 16));
    stage.publish_study("2");
    for node in &nodes {
        stage.register(node);
        stage.must(node, &["approve", "core"]);
    }
    let mut running = stage.command(&binaries().node, &nodes[0]);
    let log = stage.path("logs/node.log");
    let daemon = Service::spawn(running.arg("run"), &log).expect("a running node");
    wait_for(|| std::fs::read_to_string(&log).is_ok_and(|log| log.contains("the node runs")));
    for service in [&daemon, stage.service.as_ref().expect("it runs")] {
        let shown = shown(service);
        assert!(
            holds(&shown, b"run") && holds(&shown, b"PATH"),
            "not found in {}",
            String::from_utf8_lossy(&shown)
        );
        assert!(!guarded.iter().any(|secret| holds(&shown, secret)), "a secret is shown");
    }
    stage.must(&nodes[1], &["run", "--once"]);
    wait_for_release(&stage);
    for node in &nodes {
        guarded.extend(secrets(node, &["snapshot-keys/housing-first-statistics.key"]));
    }
    daemon.stop().expect("an orderly end");
    for command in NODE_COMMANDS {
        let arguments = [&["--json"], command].concat();
        json(&stage.operate(&nodes[0], &arguments), command);
        let plain = stage.operate(&nodes[0], command);
        assert!(!plain.out.contains('\u{1b}'), "{command:?} is coloured though nobody watches");
    }
    for command in COORDINATOR_COMMANDS {
        let mut told = stage.command(&binaries().coordinator, &stage.coordinator());
        json(&stage.attempt(told.arg("--json").args(command)), command);
    }
    // The year ends on the same day: whoever has answered the half-year refuses it.
    let year = ["--json", "round", "open", "core", "--period", "2016", "--closes", "2035-01-31"];
    let opened: serde_json::Value = serde_json::from_str(&stage.coordinate(&year)).expect("JSON");
    assert_eq!(opened["same_day"], serde_json::json!([ROUND]));
    stage.service.take().expect("it runs").stop().expect("an orderly end");

    // What was said, in words and in logs at their loudest, has no secret in it either.
    let said = stage.said().into_iter().flat_map(|(line, ended)| [line, ended.out, ended.err]);
    let mut places: Vec<Vec<u8>> = said.map(String::into_bytes).collect();
    for name in ["coordinator.log", "node.log"] {
        places.push(std::fs::read(stage.path("logs").join(name)).expect("a log"));
    }
    assert!(places.iter().any(|place| holds(place, ROUND.as_bytes())), "the search finds text");
    for secret in &guarded {
        let shown = places.iter().find(|place| holds(place, secret));
        assert!(
            shown.is_none(),
            "a secret was said in: {}",
            String::from_utf8_lossy(shown.expect("it"))
        );
    }
}

fn wait_for_release(stage: &Stage) {
    wait_for(|| {
        let status = stage.coordinate(&["--json", "round", "status", ROUND]);
        let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
        status["reported"] == 2
    });
}

fn wait_for(mut done: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !done() {
        assert!(std::time::Instant::now() < deadline, "it does not happen");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
