//! Everything that goes wrong at a municipality, and what its operator is told.
//!
//! **Invariant:** after every failure the ledger is as it was, and the coordinator has nothing.

use crate::stage::{ROUND, Setting, Stage, binaries, drawn};
use fellestall_tests::process::free_port;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG: &str = "fellestall-node.toml";

/// How a command is run.
#[derive(Clone, Copy)]
enum Under {
    /// As it is.
    Nothing,
    /// With a clock that is so many days off.
    Clock(i32),
    /// With the node's directory on a disk without room.
    FullDisk,
    /// With the node's directory on a disk that is read-only.
    ReadOnly,
}

/// One thing that goes wrong.
struct Case {
    name: &'static str,
    /// Breaks the node in a directory whose export is beside it.
    break_it: fn(&Path, &Path),
    command: &'static [&'static str],
    under: Under,
    code: i32,
    /// What the operator must be able to read.
    told: &'static [&'static str],
}

const CASE: Case = Case {
    name: "",
    break_it: |_, _| (),
    command: &["run", "--once"],
    under: Under::Nothing,
    code: 1,
    told: &[],
};

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("a file");
    assert!(text.contains(from), "{from} is not in {}", path.display());
    fs::write(path, text.replacen(from, to, 1)).expect("written");
}

fn append(path: &Path, bytes: &[u8]) {
    let mut all = fs::read(path).expect("a file");
    all.extend_from_slice(bytes);
    fs::write(path, all).expect("written");
}

fn map(node: &Path, mapping: &str) {
    fs::write(node.join("mapping.toml"), mapping).expect("written");
    edit(&node.join(CONFIG), "# mapping = ", "mapping = ");
}

const CASES: &[Case] = &[
    Case {
        name: "bytes that are not UTF-8",
        break_it: |_, export| {
            append(&export.join("tenancy.csv"), b"1108-001,9,pri\xe5vat,scattered,2016-01-01,,,\n");
        },
        told: &["tenancy.csv line ", "column tenure", "not UTF-8", "iso-8859-1", "check-data"],
        ..CASE
    },
    Case {
        name: "a missing column",
        break_it: |_, export| edit(&export.join("contact.csv"), "category", "kategori"),
        told: &["contact.csv line 1", "no column \"category\"", "mapping", "delimiter"],
        ..CASE
    },
    Case {
        name: "a code that is not known",
        break_it: |_, export| {
            append(
                &export.join("participant.csv"),
                b"1108-999,2016-01-01,1980,hemmelig,prison,none,no,,\n",
            );
        },
        told: &["participant.csv line ", "column gender", "code is not known", "mapping"],
        ..CASE
    },
    Case {
        name: "a day that does not exist",
        break_it: |_, export| {
            append(
                &export.join("participant.csv"),
                b"1108-999,2016-02-30,1980,man,prison,none,no,,\n",
            );
        },
        told: &["participant.csv line ", "column intake_date", "not a day", "correct it"],
        ..CASE
    },
    Case {
        name: "the same, looked for beforehand",
        break_it: |_, export| {
            append(
                &export.join("participant.csv"),
                b"1108-999,2016-02-30,1980,man,prison,none,no,,\n",
            );
        },
        command: &["check-data"],
        told: &["participant.csv", "intake_date", "not a day"],
        ..CASE
    },
    Case {
        name: "a table that is not there",
        break_it: |_, export| fs::remove_file(export.join("participant.csv")).expect("removed"),
        told: &["participant.csv is missing", "export it"],
        ..CASE
    },
    Case {
        name: "no export at all",
        break_it: |_, export| fs::remove_dir_all(export).expect("removed"),
        told: &["there is no folder", "correct the folder"],
        ..CASE
    },
    Case {
        name: "a mapping of a column that is none of ours",
        break_it: |node, _| map(node, "[tables.tenancy.columns]\nrent = \"Husleie\"\n"),
        command: &["config", "check"],
        told: &["records.mapping", "mapping.toml", "rent"],
        ..CASE
    },
    Case {
        name: "a mapping that is not TOML",
        break_it: |node, _| map(node, "[tables.tenancy\n"),
        told: &["records.mapping", "mapping.toml", "line 1"],
        ..CASE
    },
    Case {
        name: "a mapping that is not there",
        break_it: |node, _| edit(&node.join(CONFIG), "# mapping = ", "mapping = "),
        told: &["records.mapping", "mapping.toml cannot be read", "No such file"],
        ..CASE
    },
    Case {
        name: "a misspelt key",
        break_it: |node, _| edit(&node.join(CONFIG), "rejected_rows =", "rejectd_rows ="),
        command: &["config", "check"],
        told: &[CONFIG, "line ", "rejectd_rows", "expected", "rejected_rows"],
        ..CASE
    },
    Case {
        name: "a budget that is no number",
        break_it: |node, _| edit(&node.join(CONFIG), "year = \"2\"", "year = \"2,5\""),
        told: &[CONFIG, "budget.year", "as \"0.25\""],
        ..CASE
    },
    Case {
        name: "secrets that others can read",
        break_it: |node, _| {
            let open = fs::Permissions::from_mode(0o644);
            fs::set_permissions(node.join("release.key"), open).expect("changed");
        },
        told: &["release.key", "others", "chmod 600"],
        ..CASE
    },
    Case {
        name: "a directory that others can enter",
        break_it: |node, _| {
            fs::set_permissions(node, fs::Permissions::from_mode(0o755)).expect("changed");
        },
        told: &["others", "chmod 700"],
        ..CASE
    },
    Case {
        name: "a database that is not there",
        break_it: |node, _| {
            let path = node.join(CONFIG);
            let text = fs::read_to_string(&path).expect("a file");
            let folder = text.lines().find(|line| line.starts_with("folder = ")).expect("a folder");
            edit(&path, &format!("{folder}\n"), "");
            let section = "\n[records.postgres]\nhost = \"/nowhere\"\ndatabase = \"d\"\nuser = \"u\"\nschema = \"s\"\n\n[budget]";
            edit(&path, "\n[budget]", section);
        },
        told: &["the schema s of d on /nowhere:5432 cannot be reached", "records.postgres.host"],
        ..CASE
    },
    Case {
        name: "a database and a folder",
        break_it: |node, _| {
            let section = "\n[records.postgres]\nhost = \"/nowhere\"\ndatabase = \"d\"\nuser = \"u\"\nschema = \"s\"\n\n[budget]";
            edit(&node.join(CONFIG), "\n[budget]", section);
        },
        told: &["records.folder is not the only place of the records"],
        ..CASE
    },
    Case {
        name: "a budget that is too small",
        break_it: |node, _| edit(&node.join(CONFIG), "\nstudy = \"5\"", "\nstudy = \"0.1\""),
        code: 3,
        told: &["costs 0.75 rho", "budget", "0.1 left", "nothing was read or sent"],
        ..CASE
    },
    Case {
        name: "the same, looked at beforehand",
        break_it: |node, _| edit(&node.join(CONFIG), "\nstudy = \"5\"", "\nstudy = \"0.1\""),
        command: &["preview", "core"],
        code: 3,
        told: &["budget does not cover it"],
        ..CASE
    },
    Case {
        name: "a purpose that was taken out of the register",
        break_it: |node, _| fs::remove_file(node.join("register.toml")).expect("removed"),
        code: 3,
        told: &["housing-first-statistics", "not in the register of processing", "register add"],
        ..CASE
    },
    Case {
        name: "a project that has ended",
        break_it: |node, _| {
            edit(&node.join("register.toml"), "ends = \"2035-12-31\"", "ends = \"2020-12-31\"");
        },
        code: 3,
        told: &["housing-first-statistics", "ended on 2020-12-31"],
        ..CASE
    },
    Case {
        name: "the same, looked at beforehand",
        break_it: |node, _| {
            edit(&node.join("register.toml"), "ends = \"2035-12-31\"", "ends = \"2020-12-31\"");
        },
        command: &["preview", "core"],
        code: 3,
        told: &["does not permit it", "ended on 2020-12-31"],
        ..CASE
    },
    Case {
        name: "a column that the register does not allow",
        break_it: |node, _| edit(&node.join("register.toml"), "\"complaint.date\", ", ""),
        code: 3,
        told: &["complaint.date", "does not allow"],
        ..CASE
    },
    Case {
        name: "a register with a date that is none",
        break_it: |node, _| {
            edit(&node.join("register.toml"), "ends = \"2035-12-31\"", "ends = \"New Year\"");
        },
        told: &["register.toml", "housing-first-statistics", "ends", "as \"2026-12-31\""],
        ..CASE
    },
    Case {
        name: "a purpose that is registered already",
        command: &crate::stage::REGISTER,
        told: &["housing-first-statistics", "already", "register check"],
        ..CASE
    },
    Case {
        name: "a full disk",
        under: Under::FullDisk,
        told: &["ledger", "full", "nothing was released", "Make room"],
        ..CASE
    },
    Case {
        name: "a disk that is read-only",
        under: Under::ReadOnly,
        told: &["ledger", "cannot be written", "read-only", "nothing was released"],
        ..CASE
    },
    Case {
        name: "a clock that is a year ahead, past the certificate's end",
        under: Under::Clock(365),
        told: &["certificate has expired", "clock", "enrol --invitation"],
        ..CASE
    },
    Case {
        name: "a clock that is a year behind",
        under: Under::Clock(-365),
        code: 4,
        told: &["not valid before", "is this machine's clock right? it says 20"],
        ..CASE
    },
    Case {
        name: "a clock that is five days ahead",
        under: Under::Clock(5),
        told: &["clocks differ by more than a day", "nothing was released"],
        ..CASE
    },
    Case {
        name: "a study that is not known",
        command: &["approve", "kjerne"],
        told: &["kjerne", "fellestall-node studies"],
        ..CASE
    },
    Case {
        name: "a release that is not there",
        command: &["releases", "--show", "abc"],
        told: &["abc", "fellestall-node releases"],
        ..CASE
    },
];

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp");
    assert!(copied.success(), "{} was not copied", from.display());
}

/// A command in a mount namespace of its own, where `mounts` was done first.
fn mounted(stage: &Stage, mounts: &str, node: &Path, arguments: &[&str]) -> Command {
    let as_root = Command::new("unshare").args(["-m", "true"]).status();
    let flags = if as_root.is_ok_and(|status| status.success()) { "-m" } else { "-rm" };
    let mut command = Command::new("unshare");
    stage.surround(&mut command);
    let script = format!("set -e; {mounts}; shift; exec \"$@\"");
    command.args([flags, "bash", "-c", &script, "bash"]).arg(node).arg(&binaries().node);
    command.arg("--dir").arg(node).args(arguments);
    command
}

fn faked(stage: &Stage, program: &Path, directory: &Path, days: i32) -> Command {
    let library = glob_faketime();
    let mut command = stage.command(program, directory);
    command.env("LD_PRELOAD", library).env("FAKETIME", format!("{days:+}d"));
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

fn glob_faketime() -> PathBuf {
    let places = fs::read_dir("/usr/lib").expect("/usr/lib").flatten().map(|entry| entry.path());
    let mut found = places.map(|place| place.join("faketime/libfaketime.so.1"));
    found.find(|library| library.is_file()).expect("libfaketime: apt-get install faketime")
}

/// Runs a case in a copy of the node `sound`; what was said.
fn run(stage: &Stage, number: usize, case: &Case, sound: &Path) -> String {
    let place = stage.path(&format!("case-{number}"));
    fs::create_dir(&place).expect("a folder");
    let (node, export) = (place.join("node"), place.join("export"));
    copy(sound, &node);
    copy(&stage.path("exports/1108"), &export);
    let (from, to) = (stage.path("exports/1108"), export.clone());
    edit(&node.join(CONFIG), &from.to_string_lossy(), &to.to_string_lossy());
    (case.break_it)(&node, &export);
    let mut command = match case.under {
        Under::Nothing => stage.command(&binaries().node, &node),
        Under::Clock(days) => faked(stage, &binaries().node, &node, days),
        Under::ReadOnly => {
            let mounts = "mount --bind \"$1\" \"$1\"; mount -o remount,ro,bind \"$1\"";
            mounted(stage, mounts, &node, &[])
        }
        Under::FullDisk => {
            let mounts = "mkdir \"$1.aside\"; cp -a \"$1/.\" \"$1.aside\"; \
                mount -t tmpfs -o size=1m,mode=700 tmpfs \"$1\"; cp -a \"$1.aside/.\" \"$1\"; \
                head -c 2000000 /dev/zero >\"$1/fill\" 2>/dev/null || true";
            mounted(stage, mounts, &node, &[])
        }
    };
    let ended = stage.attempt(command.args(case.command));
    let said = format!("{}{}", ended.out, ended.err);
    println!("\n## {}\n{said}", case.name);
    assert_eq!(ended.code, Some(case.code), "{}: {said}", case.name);
    for part in case.told {
        assert!(said.contains(part), "{}: the operator is not told {part:?}:\n{said}", case.name);
    }
    assert!(!said.contains("panicked") && !said.contains("hemmelig"), "{}: {said}", case.name);

    // With everything mended, the ledger of that very directory has no entry.
    fs::set_permissions(&node, fs::Permissions::from_mode(0o700)).expect("changed");
    for file in [CONFIG, "release.key"] {
        fs::remove_file(node.join(file)).expect("removed");
        copy(&sound.join(file), &node.join(file));
    }
    assert_eq!(stage.must(&node, &["--json", "releases"]).trim(), "[]", "{}", case.name);
    // The next case goes on from here: an older copy would not be countersigned any more.
    for file in ["audit.sqlite", "audit.sqlite.head"] {
        fs::remove_file(sound.join(file)).expect("removed");
        copy(&node.join(file), &sound.join(file));
    }
    said
}

#[test]
fn a_tired_operator_is_told_what_to_mend() {
    let stage = Stage::set(&Setting::default());
    let export = stage.write("1108", &drawn("1108"));
    let sound = stage.init("sound", "1108", &export, &[]);
    stage.enrol(&sound, "1108");
    stage.publish_study("2");
    let refused = stage.operate(&sound, &["approve", "core"]);
    assert_eq!(refused.code, Some(3), "{}", refused.out);
    assert!(refused.err.contains("register add"), "{}", refused.err);
    stage.register(&sound);
    stage.must(&sound, &["approve", "core"]);
    for (number, case) in CASES.iter().enumerate() {
        run(&stage, number, case, &sound);
    }
    let status = stage.coordinate(&["--json", "round", "status", ROUND]);
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["reported"], 0, "nothing has arrived: {status}");

    // The copy that nothing was done to releases: each failure above had its own cause.
    let out = stage.must(&sound, &["run", "--once"]);
    assert!(out.contains("the coordinator has the release"), "{out}");

    // Shut out at last.
    stage.coordinate(&["nodes", "deny", "1108-1"]);
    let denied = stage.operate(&sound, &["run", "--once"]);
    println!("\n## a denied node\n{}{}", denied.out, denied.err);
    assert_eq!(denied.code, Some(3), "{}", denied.err);
    for part in ["denied this node", "coordinator's operator", "ledger stands", "new invitation"] {
        assert!(denied.err.contains(part), "{}", denied.err);
    }
    let file = stage.path("sound.invitation");
    let again = ["enrol", "--no-wait", "--invitation", &file.to_string_lossy()];
    let told = stage.operate(&sound, &again);
    println!("{}{}", told.out, told.err);
    assert_eq!(told.code, Some(3), "a denied node is not told that it is enrolled: {}", told.out);
}

/// Asks to enrol, and checks that nothing came of it.
fn not_enrolled(stage: &Stage, node: &Path, invitation: &Path, code: i32, told: &[&str]) {
    let before = stage.coordinate(&["--json", "nodes", "list"]);
    let enrol = ["enrol", "--no-wait", "--invitation", &invitation.to_string_lossy()];
    let ended = stage.operate(node, &enrol);
    println!("\n## {}\n{}{}", invitation.display(), ended.out, ended.err);
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
    for part in told {
        assert!(ended.err.contains(part), "the operator is not told {part:?}:\n{}", ended.err);
    }
    assert_eq!(stage.coordinate(&["--json", "nodes", "list"]), before, "nobody has applied");
    let run = stage.operate(node, &["run", "--once"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.err.contains("not enrolled yet") && run.err.contains("enrol --invitation"),
        "{}",
        run.err
    );
    let status = stage.must(node, &["--json", "status"]);
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["enrolment"], "not asked for", "{status}");
}

/// The invitation of a coordinator that does not run.
fn from_nobody(stage: &Stage, name: &str, host: &str) -> PathBuf {
    let directory = stage.path(name);
    let url = format!("https://{host}:{}", free_port().expect("a port"));
    let give = |arguments: &[&str]| {
        let mut command = stage.command(&binaries().coordinator, &directory);
        let ended = stage.attempt(command.args(arguments));
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        ended.out
    };
    give(&["init", "--url", &url, "--no-public"]);
    let file = stage.path(&format!("{name}.invitation"));
    give(&["invite", "--municipality", "1108", "--out", &file.to_string_lossy()]);
    file
}

#[test]
fn an_operator_who_cannot_enrol_is_told_why() {
    let stage = Stage::set(&Setting::default());
    let export = stage.write("1108", &drawn("1108"));
    let node = stage.init("node", "1108", &export, &[]);
    let other = stage.init("other", "1108", &export, &[]);
    let used = stage.enrol(&other, "1108");

    let garbage = stage.path("garbage.invitation");
    fs::write(&garbage, "fellestall1.bm90IGFuIGludml0YXRpb24").expect("written");
    not_enrolled(&stage, &node, &garbage, 1, &["not an invitation", "copied whole"]);
    let missing = stage.path("nowhere.invitation");
    not_enrolled(&stage, &node, &missing, 1, &["cannot read the invitation", "nowhere.invitation"]);
    let invalid = ["used, expired or for another municipality", "--dir", "a new one"];
    not_enrolled(&stage, &node, &used, 3, &invalid);
    let elsewhere = stage.invite("elsewhere", "4601");
    not_enrolled(&stage, &node, &elsewhere, 1, &["municipality 4601", "configured for 1108"]);

    let expired = stage.path("expired.invitation");
    let mut late = faked(&stage, &binaries().coordinator, &stage.coordinator(), -20);
    late.args(["invite", "--municipality", "1108", "--out"]).arg(&expired);
    let made = stage.attempt(&mut late);
    assert_eq!(made.code, Some(0), "{}", made.err);
    not_enrolled(&stage, &node, &expired, 3, &invalid);

    let nobody = from_nobody(&stage, "nobody", "127.0.0.1");
    not_enrolled(&stage, &node, &nobody, 4, &["no connection to 127.0.0.1", "firewall", "proxy"]);
    let nowhere = from_nobody(&stage, "nameless", "tall.fellestall.invalid");
    let unknown = ["tall.fellestall.invalid has no address", "name server", "proxy"];
    not_enrolled(&stage, &node, &nowhere, 4, &unknown);

    let lost = stage.operate(&stage.path("nodes/lost"), &["status"]);
    assert_eq!(lost.code, Some(1));
    assert!(
        lost.err.contains("fellestall-node init") && lost.err.contains("--dir"),
        "{}",
        lost.err
    );

    // With an invitation of its own, the node that was refused so often takes the other's place.
    stage.coordinate(&["nodes", "deny", "1108-1"]);
    stage.enrol(&node, "1108");
}
