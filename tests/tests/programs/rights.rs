//! A participant's own report, asked for as an operator does: who was asked about is left nowhere.

use crate::canary::{Found, PARTICIPANT, Place, files, mark, places};
use crate::stage::{Setting, Stage, binaries, drawn};
use fellestall_node::audit::{AuditLog, Event};
use fellestall_tests::process::Ended;
use serde_json::Value;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

/// Gives a command with an identifier on its standard input; its arguments and surroundings are
/// looked at while it waits for it.
pub fn ask(stage: &Stage, node: &Path, arguments: &[&str], id: &str) -> Ended {
    let mut command = stage.command(&binaries().node, node);
    command.args(arguments).env("USER", "the-operator");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    for name in ["cmdline", "environ"] {
        let path = format!("/proc/{}/{name}", child.id());
        // A command that refuses at once has ended by now, and shows nothing.
        let shown = std::fs::read(path).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&shown).contains(id), "{name} shows who was asked about");
    }
    let mut input = child.stdin.take().expect("an input");
    // It may have ended without waiting for it.
    drop(writeln!(input, "{id}"));
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A node that has released, with the identifier of its first participant; nobody answers it any more.
fn released() -> (Stage, std::path::PathBuf, String) {
    let mut stage = Stage::set(&Setting { log: Some("trace"), ..Setting::default() });
    let export = stage.write("4601", &drawn("4601"));
    mark(&export, false);
    let people = std::fs::read_to_string(export.join("participant.csv")).expect("a table");
    let first = people.lines().nth(1).expect("a participant");
    let id = first.split(',').next().expect("an identifier").to_owned();
    assert!(id.starts_with(PARTICIPANT));
    let node = stage.init("4601", "4601", &export, &[]);
    stage.enrol(&node, "4601");
    stage.publish_study("2");
    stage.register(&node);
    stage.must(&node, &["approve", "core"]);
    stage.must(&node, &["run", "--once"]);
    stage.service.take().expect("it runs").stop().expect("an orderly end");
    (stage, node, id)
}

#[test]
fn a_person_is_told_and_it_is_written_nowhere_who() {
    let (stage, node, id) = released();
    let said = [
        ask(&stage, &node, &["person"], &id),
        ask(&stage, &node, &["--json", "person"], &id.to_uppercase()),
        ask(&stage, &node, &["--lang", "nn", "person"], &id),
        ask(&stage, &node, &["--lang", "en", "person"], &id),
    ];
    for ended in &said {
        assert_eq!(ended.code, Some(0), "{}", ended.err);
    }
    assert!(said[0].out.contains("Samtykkene dine") && said[0].out.contains("støy"));
    assert!(said[2].out.contains("Samtykka dine") && said[3].out.contains("Your consents"));
    let report: Value = serde_json::from_str(&said[1].out).expect("JSON");
    let purpose = &report["purposes"][0];
    assert_eq!(purpose["purpose"], "housing-first-statistics");
    assert!(!purpose["history"].as_array().expect("rows").is_empty());
    let release = &report["releases"][0];
    assert_eq!(release["period"], "2016H2");
    assert_eq!(release["tables"].as_array().expect("tables").len(), 6);
    let counted = release["standing"] == "counted";
    let part = |table: &Value| table["could_be_part"] == true;
    let tables = release["tables"].as_array().expect("tables");
    assert!(counted || !tables.iter().any(part), "{release}");

    // Somebody who is not in the records, and nothing at all.
    let nobody = ask(&stage, &node, &["person"], &format!("{PARTICIPANT}-nobody"));
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(1), ""));
    assert!(nobody.err.contains("nobody in the records"), "{}", nobody.err);
    assert_eq!(ask(&stage, &node, &["person"], "  ").code, Some(1));
    // As an argument it is not taken, so that nobody gets used to it.
    assert_eq!(stage.operate(&node, &["person", "some-id"]).code, Some(2));

    for name in ["report.txt", "report.html"] {
        let path = stage.path(name);
        let out = ["person", "--out", &path.to_string_lossy()];
        let written = ask(&stage, &node, &out, &id);
        assert_eq!(written.code, Some(0), "{}", written.err);
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = ask(&stage, &node, &out, &id);
        assert_eq!(again.code, Some(1));
        assert!(again.err.contains("not overwritten"), "{}", again.err);
    }

    let root = stage.coordinator().parent().expect("a folder").to_owned();
    let mut found = Found::new();
    files(&root, &root.join("exports"), &mut found);
    for (number, ended) in said.into_iter().chain([nobody]).enumerate() {
        let said = [ended.out, ended.err].concat();
        found.insert(format!("{number} said"), Place::of(said.as_bytes()));
    }
    let mut records = Found::new();
    files(&root.join("exports"), Path::new(""), &mut records);
    assert!(!places(&records, &id).is_empty(), "the search finds what is there");
    for text in [id.as_str(), PARTICIPANT] {
        let hits = places(&found, text);
        assert!(hits.is_empty(), "{hits:?}");
    }
    let log = AuditLog::open(&node).expect("a log").entries().expect("entries");
    let lookups: Vec<_> =
        log.iter().filter(|entry| entry.body.what == Event::PersonLookedUp).collect();
    assert_eq!(lookups.len(), 7, "four, one for nobody, and two reports that were written");
    assert!(lookups.iter().all(|entry| entry.body.by.name() == "the-operator"));
}

/// The commands for the end of a project and for the evidence, as an operator gives them.
#[test]
fn an_operator_lists_purges_and_writes_the_evidence() {
    let (stage, node, _) = released();
    let listed = stage.must(&node, &["--lang", "en", "retention"]);
    assert!(listed.contains("snapshots") && listed.contains("2035-12-31"), "{listed}");
    let kept: Value =
        serde_json::from_str(&stage.must(&node, &["--json", "retention"])).expect("JSON");
    let kept = kept.as_array().expect("a list");
    assert!(kept.iter().all(|one| one["may_be_purged"] == false) && kept.len() >= 8);

    let purge = ["purge", "housing-first-statistics"];
    let refused = stage.operate(&node, &purge);
    assert_eq!(refused.code, Some(3));
    assert!(refused.err.contains("2035-12-31"), "{}", refused.err);
    assert_eq!(stage.operate(&node, &["purge", "other-purpose"]).code, Some(1));

    let out = stage.path("evidence");
    let folder = out.to_string_lossy();
    stage.must(&node, &["evidence", "--out", &folder]);
    for name in ["evidence.nb.html", "evidence.nn.html", "evidence.en.html", "evidence.json"] {
        let path = out.join(name);
        let text = std::fs::read_to_string(&path).expect("a file");
        assert!(text.contains("core.1.2016H2"), "{name}");
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let again = stage.operate(&node, &["evidence", "--out", &folder]);
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("not overwritten"), "{}", again.err);
    let alone = stage.path("one");
    let one = ["--lang", "nn", "evidence", "--out", &alone.to_string_lossy()];
    stage.must(&node, &one);
    let names = std::fs::read_dir(&alone).expect("a folder").count();
    assert_eq!(names, 2, "one page and the numbers");

    // The project ends.
    let register = node.join("register.toml");
    let text = std::fs::read_to_string(&register).expect("a register");
    std::fs::write(&register, text.replace("2035-12-31", "2020-12-31")).expect("written");
    let before = stage.must(&node, &["--json", "status"]);
    let done = stage.must(&node, &[&["--lang", "en"], &purge[..]].concat());
    assert!(
        done.contains("Destroyed") && done.contains("a budget that was spent must not come back")
    );
    let again = stage.must(&node, &purge);
    assert!(again.contains("done before"), "{again}");
    let file = node.join("attestations/housing-first-statistics.json");
    let verified = stage.must(&node, &["attestation", "verify", &file.to_string_lossy()]);
    assert!(verified.contains("The signature holds"));
    assert_eq!(stage.must(&node, &["--json", "status"]), before, "the budget is as it was");
}
