//! An approval that takes two people.

use crate::scene::Scene;
use crate::stage::binaries;
use fellestall_tests::browser::Browser;
use serde_json::Value;

#[test]
fn it_takes_two_different_people_to_approve_and_one_to_refuse() {
    let scene = Scene::set(2);
    let (core, intake) = (scene.digest("core.1"), scene.digest("intake.1"));
    let browser = Browser::start().expect("Chromium");
    let text = |css: &str| browser.text(css).expect(css);
    let page = scene.url(&format!("/studies/{core}"));
    let approve = format!("form[action='/studies/{core}/approve'] button");

    scene.sign_in(&browser, &scene.officer);
    browser.go(&page).expect("a page");
    assert!(text(&approve).starts_with("Godkjenn som første person"));
    browser.follow(&approve).expect("approved once");
    assert!(text(".notice").contains("En annen person må også godkjenne"));
    assert!(text("main").contains("Godkjent av Kari Ombud"));
    assert_eq!(scene.decision("core.1"), "undecided");
    assert_eq!(browser.count(&approve).expect("counted"), 0, "not twice by one person");

    // Neither does it help to send the form by hand, nor in a second session.
    let again = scene.ticket(&scene.officer);
    let fields = [("form_token", again.form_token.as_str()), ("version", core.as_str())];
    let refused = scene.post(&format!("/studies/{core}/approve"), &again.cookie, &fields);
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("Kari Ombud har allerede godkjent"), "{}", refused.body);
    assert_eq!(scene.decision("core.1"), "undecided");

    // On the command line the account's name counts; nobody's name does not.
    let by = |user: &str, study: &str| {
        let mut command = scene.stage.command(&binaries().node, &scene.node);
        command.env_remove("LOGNAME").env("USER", user);
        scene.stage.attempt(command.args(["--json", "approve", study]))
    };
    assert_eq!(by("KARI OMBUD", "core").code, Some(3), "the same person in capitals");
    assert_eq!(by("", "core").code, Some(3), "nobody");
    assert_eq!(scene.decision("core.1"), "undecided");

    scene.sign_in(&browser, &scene.operator);
    browser.go(&page).expect("a page");
    assert!(text("main").contains("Godkjent av Kari Ombud"));
    browser.follow(&approve).expect("approved");
    assert!(text(".notice").contains("Studien er godkjent"));
    assert_eq!(scene.decision("core.1"), "approved");

    // One refuses; and a first approval of before does not count afterwards.
    let first = by("ola", "intake");
    assert_eq!(first.code, Some(0), "{}", first.err);
    let first: Value = serde_json::from_str(&first.out).expect("JSON");
    assert_eq!((&first["decision"], &first["by"]), (&"first approval".into(), &"ola".into()));
    let operator = scene.ticket(&scene.operator);
    let fields = [
        ("form_token", operator.form_token.as_str()),
        ("version", intake.as_str()),
        ("reason", "capacity"),
    ];
    let refused = scene.post(&format!("/studies/{intake}/refuse"), &operator.cookie, &fields);
    assert_eq!(refused.status, 303);
    assert_eq!(scene.decision("intake.1"), "refused");
    let first: Value = serde_json::from_str(&by("kari", "intake").out).expect("JSON");
    assert_eq!(first["decision"], "first approval", "it takes two anew");
    let second: Value = serde_json::from_str(&by("ola", "intake").out).expect("JSON");
    assert_eq!(second["decision"], "approved");

    browser.go(&scene.url("/log")).expect("a page");
    let log = text("main");
    assert!(log.contains("core.1 ble godkjent av den første av to"), "{log}");
    assert!(log.contains("core.1 ble godkjent Ola Drift"), "{log}");
}
