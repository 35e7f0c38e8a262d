//! Every page in every language, light, dark and narrow: no violation that axe-core knows of, and
//! nothing wider than a narrow screen.

use crate::flow::study;
use crate::harness::application;
use crate::scene::{KARI, Scene};
use fellestall_tests::browser::{Browser, Scheme};
use serde_json::Value;
use std::path::PathBuf;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_page_has_a_violation_in_any_language_light_dark_or_narrow() {
    let scene = Scene::set().await;
    let browser = Browser::start().expect("Chromium");
    let mut wrong = Vec::new();
    let mut looks = look(&scene, &browser, "sign-in", "/sign-in", &mut wrong);
    scene.sign_in(&browser, KARI);
    looks += look(&scene, &browser, "rounds-none", "/rounds", &mut wrong);

    let round = scene.world.open_round().await;
    for (number, seed) in [("4601", 40), ("1108", 20), ("0301", 3)] {
        let node = scene.world.enrol(number).await;
        let document = node.release(&round, seed);
        if number != "0301" {
            scene.world.put_release(&node, document.release, &node.sign(&document)).await;
        }
    }
    let (request, _, _) = application(&scene.world.invite("5001").await);
    scene.world.post(None, "/v1/enrolments", &request).await;
    let pages = [
        ("overview", "/".to_owned()),
        ("session", "/session".to_owned()),
        ("nodes", "/nodes".to_owned()),
        ("node-waiting", "/nodes/5001-1".to_owned()),
        ("node-enrolled", "/nodes/4601-1".to_owned()),
        ("invitations", "/invitations".to_owned()),
        ("studies", "/studies".to_owned()),
        ("study-new", "/studies/new".to_owned()),
        ("study", format!("/studies/{}", round.study().digest())),
        ("rounds", "/rounds".to_owned()),
        ("round", format!("/rounds/{}", round.id())),
        ("round-live", format!("/rounds/{}?live", round.id())),
        ("preview", format!("/rounds/{}/preview", round.id())),
        ("publications", "/publications".to_owned()),
        ("report", "/report".to_owned()),
        ("log", "/log".to_owned()),
        ("staff", "/staff".to_owned()),
        ("missing", "/nothing".to_owned()),
    ];
    for (name, path) in &pages {
        looks += look(&scene, &browser, name, path, &mut wrong);
    }
    assert_eq!(looks, (2 + pages.len()) * 12);

    // Pages that answer a form.
    browser.resize(1200, 900).expect("resized");
    let mut answers = |name: &str, path: &str, typed: &[(&str, &str)], button: &str| {
        browser.go(&scene.url(path)).expect("a page");
        for (field, text) in typed {
            browser.write(field, text).expect("typed");
        }
        browser.follow(button).expect("sent");
        wrong.extend(violations(&browser).into_iter().map(|found| format!("{name}: {found}")));
        if let Some(album) = album() {
            browser.resize(1200, height(&browser)).expect("resized");
            browser.picture(&album.join(format!("answer-{name}.png"))).expect("a picture");
            browser.resize(1200, 900).expect("resized");
        }
    };
    let number = "#municipality";
    answers("invited", "/invitations?lang=nb", &[(number, "3301")], "form.card button");
    answers("no-such", "/invitations", &[(number, "9999")], "form.card button");
    let approve = "form[action='/nodes/5001-1/approve'] button";
    answers("not-compared", "/nodes/5001-1", &[], approve);
    let document = "#document";
    answers("no-study", "/studies/new", &[(document, "x")], "form.card button");
    answers("sound-study", "/studies/new", &[(document, &study())], "form.card button");
    answers("no-round", "/rounds", &[("#period", "x"), ("#closes", "x")], "form.card button");
    let publish = "section.card button";
    answers("published", &format!("/rounds/{}/preview", round.id()), &[], publish);
    answers("signed-out", "/", &[], "form.who button");
    answers("not-in", "/sign-in", &[("#name", "x"), ("#password", "x")], "form.card button");
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
}
