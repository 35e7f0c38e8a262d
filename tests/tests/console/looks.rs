//! Every page in every language, light, dark and narrow: no violation that axe-core knows of, and
//! nothing wider than a narrow screen.

use crate::scene::Scene;
use crate::stage::binaries;
use fellestall_tests::browser::{Browser, Scheme};
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

const AXE: &str = include_str!("../../vendor/axe-core/axe.min.js");

/// What axe-core finds wrong with the page that is shown: rule and place.
fn violations(browser: &Browser) -> Vec<String> {
    let ask = "const done = arguments[arguments.length - 1];
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })
            .then(found => done(found.violations), failed => done(String(failed)));";
    let found = browser.run(&format!("{AXE};\n{ask}")).expect("axe-core runs");
    let found = found.as_array().unwrap_or_else(|| panic!("{found}"));
    found
        .iter()
        .flat_map(|rule| {
            let places = rule["nodes"].as_array().cloned().unwrap_or_default();
            let line = |place: Value| format!("{} at {}", rule["id"], place["target"]);
            places.into_iter().map(line).collect::<Vec<_>>()
        })
        .collect()
}

/// How far the page can be scrolled sideways.
fn sideways(browser: &Browser) -> i64 {
    let ask = "const done = arguments[arguments.length - 1];
        const page = document.documentElement;
        done(page.scrollWidth - page.clientWidth);";
    browser.run(ask).expect("measured").as_i64().expect("a number")
}

fn height(browser: &Browser) -> u32 {
    let ask = "arguments[arguments.length - 1](document.documentElement.scrollHeight);";
    let height = browser.run(ask).expect("measured").as_u64().expect("a number");
    u32::try_from(height).expect("a height").clamp(400, 6000)
}

/// Where pictures of the pages are kept, if somebody wants to look at them.
fn album() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("FELLESTALL_PICTURES")?);
    std::fs::create_dir_all(&folder).expect("a folder");
    Some(folder)
}

struct View {
    name: &'static str,
    width: u32,
    scheme: Scheme,
}

const VIEWS: [View; 4] = [
    View { name: "light", width: 1200, scheme: Scheme::Light },
    View { name: "dark", width: 1200, scheme: Scheme::Dark },
    View { name: "narrow", width: 320, scheme: Scheme::Light },
    View { name: "narrow-dark", width: 320, scheme: Scheme::Dark },
];

/// Looks at the page at `path` in all languages and views; what is wrong.
fn look(
    scene: &Scene,
    browser: &Browser,
    name: &str,
    path: &str,
    wrong: &mut Vec<String>,
) -> usize {
    let mut looks = 0;
    for language in ["nb", "nn", "en"] {
        for view in &VIEWS {
            let join = if path.contains('?') { '&' } else { '?' };
            let url = scene.url(&format!("{path}{join}lang={language}"));
            look_at(browser, &url, (name, language, view), wrong);
            looks += 1;
        }
    }
    looks
}

/// Looks at one page in one language and view; what is wrong.
fn look_at(
    browser: &Browser,
    url: &str,
    (name, language, view): (&str, &str, &View),
    wrong: &mut Vec<String>,
) {
    browser.resize(view.width, 900).expect("resized");
    browser.prefer(view.scheme).expect("preferred");
    browser.go(url).expect("a page");
    let place = format!("{name} {language} {}", view.name);
    assert_eq!(browser.count(&format!("html[lang={language}]")).expect("counted"), 1);
    wrong.extend(violations(browser).into_iter().map(|found| format!("{place}: {found}")));
    let over = sideways(browser);
    if over > 0 {
        wrong.push(format!("{place}: {over} pixels too wide"));
    }
    if let Some(album) = album() {
        browser.resize(view.width, height(browser)).expect("resized");
        let file = format!("{name}-{language}-{}.png", view.name);
        browser.picture(&album.join(file)).expect("a picture");
    }
}

/// Looks at the page that a participant is given, in all languages and views; what is wrong.
fn look_at_a_report(scene: &Scene, browser: &Browser, wrong: &mut Vec<String>) -> usize {
    let people = std::fs::read_to_string(scene.stage.path("exports/4601/participant.csv"));
    let people = people.expect("a table");
    let id = people.lines().nth(1).and_then(|line| line.split(',').next()).expect("a participant");
    let mut looks = 0;
    for language in ["nb", "nn", "en"] {
        let page = scene.stage.path(&format!("report.{language}.html"));
        let out = page.to_string_lossy();
        let arguments = ["--lang", language, "person", "--out", &out];
        let mut command = scene.stage.command(&binaries().node, &scene.node);
        let mut asking =
            command.args(arguments).stdin(Stdio::piped()).spawn().expect("the program starts");
        asking.stdin.take().expect("an input").write_all(id.as_bytes()).expect("asked");
        assert!(asking.wait().expect("an end").success());
        for view in &VIEWS {
            look_at(browser, &format!("file://{out}"), ("report", language, view), wrong);
            looks += 1;
        }
    }
    looks
}

#[test]
fn no_page_has_a_violation_in_any_language_light_dark_or_narrow() {
    let scene = Scene::set(2);
    let (core, intake) = (scene.digest("core.1"), scene.digest("intake.1"));
    let browser = Browser::start().expect("Chromium");
    let mut wrong = Vec::new();
    let mut looks = look(&scene, &browser, "sign-in", "/sign-in", &mut wrong);
    scene.sign_in(&browser, &scene.officer);
    looks += look(&scene, &browser, "overview-waiting", "/", &mut wrong);
    looks += look(&scene, &browser, "study-waiting", &format!("/studies/{core}"), &mut wrong);
    looks += look(&scene, &browser, "releases-none", "/releases", &mut wrong);

    // Two approve one study, one waits for a second person; the records are checked.
    for person in [&scene.officer, &scene.operator] {
        let ticket = scene.ticket(person);
        let fields = [("form_token", ticket.form_token.as_str()), ("version", core.as_str())];
        let sent = scene.post(&format!("/studies/{core}/approve"), &ticket.cookie, &fields);
        assert_eq!(sent.status, 303);
    }
    let ticket = scene.ticket(&scene.operator);
    let fields = [("form_token", ticket.form_token.as_str()), ("version", intake.as_str())];
    assert_eq!(
        scene.post(&format!("/studies/{intake}/approve"), &ticket.cookie, &fields).status,
        303
    );
    assert_eq!(scene.post("/data/check", &ticket.cookie, &fields).status, 303);
    let release = |scene: &Scene| {
        let all = scene.stage.must(&scene.node, &["--json", "releases"]);
        let all: Value = serde_json::from_str(&all).expect("JSON");
        all[0]["release"].as_str().map(str::to_owned)
    };
    scene.until("the release is there", |scene| release(scene).is_some());
    let release = release(&scene).expect("it is there");
    let pages = [
        ("overview", "/".to_owned()),
        ("studies", "/studies".to_owned()),
        ("study", format!("/studies/{intake}")),
        ("study-approved", format!("/studies/{core}")),
        ("budget", "/budget".to_owned()),
        ("data", "/data".to_owned()),
        ("releases", "/releases".to_owned()),
        ("release", format!("/releases/{release}")),
        ("register", "/register".to_owned()),
        ("evidence", "/evidence".to_owned()),
        ("evidence-pack", "/evidence/pack".to_owned()),
        ("log", "/log".to_owned()),
        ("missing", "/nothing".to_owned()),
    ];
    for (name, path) in &pages {
        looks += look(&scene, &browser, name, path, &mut wrong);
    }
    looks += look_at_a_report(&scene, &browser, &mut wrong);
    assert_eq!(looks, (4 + pages.len() + 1) * 12);

    // Pages that answer a form.
    browser.resize(1200, 900).expect("resized");
    browser.go(&scene.url(&format!("/studies/{intake}?lang=nb"))).expect("a page");
    let refuse = format!("form[action='/studies/{intake}/refuse'] button");
    browser.follow(&refuse).expect("sent");
    wrong.extend(violations(&browser).into_iter().map(|found| format!("a mistake: {found}")));
    browser.follow("form.who button").expect("signed out");
    browser.write("#name", "x").expect("typed");
    browser.write("#secret", "x").expect("typed");
    browser.follow("form.card button").expect("sent");
    wrong.extend(violations(&browser).into_iter().map(|found| format!("not in: {found}")));
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_planted_violation_is_found() {
    let scene = Scene::set(1);
    let browser = Browser::start().expect("Chromium");
    browser.go(&scene.url("/sign-in")).expect("a page");
    assert_eq!(violations(&browser), Vec::<String>::new());
    let plant = |script: &str| {
        browser.go(&scene.url("/sign-in")).expect("a page");
        browser.run(&format!("{script}; arguments[arguments.length - 1](0);")).expect("planted");
        violations(&browser).join("\n")
    };
    assert!(plant("document.querySelector('label').remove()").contains("\"label\""));
    assert!(plant("document.documentElement.removeAttribute('lang')").contains("html-has-lang"));
    let pale = "const lead = document.querySelector('.lead'); lead.style.color = '#bbbbbb'";
    assert!(plant(pale).contains("color-contrast"));
    browser.resize(320, 900).expect("resized");
    browser.go(&scene.url("/sign-in")).expect("a page");
    assert_eq!(sideways(&browser), 0);
    browser
        .run("document.querySelector('h1').style.width = '900px'; arguments[0](0);")
        .expect("planted");
    assert!(sideways(&browser) > 0);
}
