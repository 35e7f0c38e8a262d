//! The log and a restored backup, by the commands that an operator gives.

use crate::stage::{Setting, Stage, binaries, drawn};
use std::path::Path;
use std::process::Command;

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp");
    assert!(copied.success());
}

#[test]
fn an_operator_reads_verifies_and_exports_the_log_and_recovers_a_restored_node() {
    let stage = Stage::set(&Setting::default());
    let export = stage.write("1108", &drawn("1108"));
    let node = stage.init("node", "1108", &export, &[]);
    stage.enrol(&node, "1108");
    stage.publish_study("2");
    stage.register(&node);
    let mut approve = stage.command(&binaries().node, &node);
    let approved = stage.attempt(approve.env("USER", "kari").args(["approve", "core"]));
    assert_eq!(approved.code, Some(0), "{}", approved.err);
    let backup = stage.path("backup");
    stage.must(&node, &["run", "--once"]);
    copy(&node, &backup);
    stage.must(&node, &["run", "--once"]);

    let listed = stage.must(&node, &["log", "list"]);
    let line = listed.lines().find(|line| line.contains(" approved")).expect("the approval");
    assert!(line.contains("kari") && line.contains("core.1"), "{line}");
    for part in ["node made", "enrolled", "study received", "round received", "released", "sent"] {
        assert!(listed.contains(part), "{part} is not in\n{listed}");
    }
    let verified = stage.must(&node, &["log", "verify"]);
    assert!(verified.contains("The log holds") && verified.contains("Countersigned"), "{verified}");
    let file = stage.path("log.jsonl");
    let out = file.to_string_lossy();
    stage.must(&node, &["log", "export", "--out", &out]);
    let verified = stage.must(&node, &["log", "verify", "--file", &out]);
    assert!(verified.contains("Countersigned"), "{verified}");
    let sound = std::fs::read_to_string(&file).expect("the export");
    std::fs::write(&file, sound.replacen("kari", "ola", 1)).expect("altered");
    let found = stage.operate(&node, &["log", "verify", "--file", &out]);
    assert_eq!(found.code, Some(1), "{}", found.out);
    assert!(found.err.contains("was altered, removed or moved"), "{}", found.err);
    assert_eq!(stage.operate(&node, &["log", "export", "--out", &out]).code, Some(1), "taken");

    // The backup comes back: refused, told how to go on, and going on.
    std::fs::remove_dir_all(&node).expect("removed");
    copy(&backup, &node);
    for _ in 0..2 {
        let refused = stage.operate(&node, &["run", "--once"]);
        assert_eq!(refused.code, Some(3), "{}{}", refused.out, refused.err);
        assert!(refused.out.contains("fellestall-node recover"), "{}", refused.out);
    }
    let status = stage.must(&node, &["--json", "status"]);
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    let told = status["countersigned"]["refused"].as_str().expect("a refusal");
    assert!(told.contains("fellestall-node recover"), "{told}");
    assert!(stage.must(&node, &["status"]).contains("restored from a backup"));
    let alarms = stage.coordinate(&["audit"]);
    assert!(alarms.contains("ledger-conflict"), "{alarms}");
    let recovered = stage.must(&node, &["recover"]);
    assert!(recovered.contains("0 releases were put back"), "{recovered}");
    stage.must(&node, &["run", "--once"]);
    stage.must(&node, &["log", "verify"]);
}
