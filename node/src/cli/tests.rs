use super::{Cli, Environment, Exit, main};
use clap::CommandFactory;
use fellestall_shared::clock::{FixedClock, Timestamp};
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

/// Runs a command as `main` does; its exit, what it printed and what it complained of.
fn run(dir: &Path, arguments: &[&str]) -> (Exit, String, String) {
    let dir = [OsString::from("fellestall-node"), "--dir".into(), dir.into()];
    let arguments = dir.into_iter().chain(arguments.iter().map(OsString::from));
    let clock = Arc::new(FixedClock(Timestamp::from_unix(1_767_225_600)));
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let exit = main(arguments, Environment::default(), clock, &mut out, &mut errors);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (exit, text(out), text(errors))
}

fn made() -> (tempfile::TempDir, std::path::PathBuf) {
    let place = tempfile::tempdir().expect("a directory");
    let dir = place.path().join("node");
    let (exit, _, errors) = run(&dir, &["init", "--municipality", "4601", "--records", "export"]);
    assert_eq!(exit, Exit::Done, "{errors}");
    (place, dir)
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn init_makes_a_node_that_checks_and_is_not_made_twice() {
    let (_place, dir) = made();
    let (exit, out, errors) = run(&dir, &["--json", "config", "check"]);
    assert_eq!(exit, Exit::Done, "{errors}");
    let facts: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(facts["municipality"], "4601");
    let (exit, _, errors) = run(&dir, &["init", "--municipality", "4601", "--records", "export"]);
    assert_eq!(exit, Exit::Failed);
    assert!(errors.contains("not overwritten"), "{errors}");
}

#[test]
fn init_writes_a_register_to_fill_in_and_never_overwrites_one() {
    let (place, dir) = made();
    let path = dir.join("register.toml");
    let text = std::fs::read_to_string(&path).expect("a register");
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    let (exit, out, _) = run(&dir, &["register", "list"]);
    assert_eq!(exit, Exit::Done);
    assert!(out.contains("register add"), "{out}");
    let (exit, out, _) = run(&dir, &["--json", "register", "check"]);
    let facts: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((exit, &facts["purposes"]), (Exit::Done, &serde_json::json!(0)));

    // One that is there already, as from another node, stands.
    let other = place.path().join("other");
    crate::files::create_directory(&other).expect("a directory");
    std::fs::write(other.join("register.toml"), "# ours\n").expect("written");
    let init = ["init", "--municipality", "4601", "--records", "export"];
    assert_eq!(run(&other, &init).0, Exit::Done);
    let stands = std::fs::read_to_string(other.join("register.toml")).expect("a register");
    assert_eq!(stands, "# ours\n");
}

#[test]
fn a_register_that_is_not_understood_is_named_by_every_command_that_needs_it() {
    let (_place, dir) = made();
    std::fs::write(dir.join("register.toml"), "[[purpose]]\nid = 4\n").expect("written");
    for command in [&["config", "check"][..], &["register", "check"], &["register", "list"]] {
        let (exit, out, errors) = run(&dir, command);
        assert_eq!((exit, out.as_str()), (Exit::Failed, ""), "{command:?}");
        assert!(errors.contains("register.toml") && errors.contains("line 2"), "{errors}");
    }
}

#[test]
fn s14_a_key_that_others_can_read_stops_every_command_that_uses_it() {
    use std::os::unix::fs::PermissionsExt;
    let (_place, dir) = made();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(dir.join("release.key"), open).expect("changed");
    for command in [&["config", "check"][..], &["status"]] {
        let (exit, _, errors) = run(&dir, command);
        assert_eq!(exit, Exit::Failed);
        assert!(errors.contains("chmod 600"), "{errors}");
    }
}

#[test]
fn before_enrolment_commands_say_what_to_do() {
    let (_place, dir) = made();
    for command in [
        &["studies"][..],
        &["preview", "core"],
        &["plan", "core"],
        &["approve", "core"],
        &["releases"],
    ] {
        let (exit, out, errors) = run(&dir, command);
        assert_eq!((exit, out.as_str()), (Exit::Failed, ""), "{command:?}");
        assert!(errors.contains("enrol --invitation"), "{errors}");
    }
    let (exit, out, _) = run(&dir, &["status"]);
    assert_eq!(exit, Exit::Done);
    assert!(out.contains("not asked for"), "{out}");
}

#[test]
fn a_mistaken_command_and_a_mistaken_token_have_their_own_messages() {
    let (place, dir) = made();
    assert_eq!(run(&dir, &["refuse", "core"]).0, Exit::Usage);
    assert_eq!(run(&dir, &["refuse", "core", "--reason", "a person"]).0, Exit::Usage);
    let file = place.path().join("invitation");
    std::fs::write(&file, "fellestall1.cut").expect("written");
    let path = file.to_str().expect("UTF-8");
    let (exit, _, errors) = run(&dir, &["enrol", "--invitation", path]);
    assert_eq!(exit, Exit::Failed);
    assert!(errors.contains("copied whole"), "{errors}");
    let (exit, _, errors) = run(Path::new("/nowhere/at/all"), &["status"]);
    assert_eq!(exit, Exit::Failed);
    assert!(errors.contains("fellestall-node init"), "{errors}");
}

#[test]
fn help_lists_the_exit_codes_and_completions_are_a_script() {
    let (exit, out, _) = run(Path::new("."), &["--help"]);
    assert_eq!(exit, Exit::Done);
    assert!(out.contains("Exit codes:") && out.contains("check-data"), "{out}");
    let (exit, out, _) = run(Path::new("."), &["completions", "bash"]);
    assert_eq!(exit, Exit::Done);
    assert!(out.contains("check-data") && out.contains("complete -F"), "{out}");
}
