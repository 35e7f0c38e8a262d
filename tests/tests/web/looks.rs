//! Every page in every language, light, dark and narrow: no violation that axe-core knows of, and
//! nothing wider than a narrow screen; and the pages work without a pointer and on paper.

use crate::scene::Scene;
use fellestall_tests::browser::{Browser, Scheme};
use serde_json::Value;
use std::path::PathBuf;

const AXE: &str = include_str!("../../vendor/axe-core/axe.min.js");

/// What axe-core finds wrong with the page that is shown: rule and place.
fn violations(browser: &Browser) -> Vec<String> {
    let ask = "const done = arguments[arguments.length - 1];
        axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })
            .then(found => done(found.violations), failed => done(String(failed)));";
    let found = browser.run(ask).expect("axe-core runs");
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

/// What a script of the test's own answers.
fn measured(browser: &Browser, expression: &str) -> Value {
    let ask = format!("arguments[arguments.length - 1]({expression});");
    browser.run(&ask).expect("measured")
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
    View { name: "light", width: 1280, scheme: Scheme::Light },
    View { name: "dark", width: 1280, scheme: Scheme::Dark },
    View { name: "narrow", width: 320, scheme: Scheme::Light },
    View { name: "narrow-dark", width: 320, scheme: Scheme::Dark },
];

/// Every page: a name, and its address after the language.
const PAGES: [(&str, &str); 9] = [
    ("front", "/"),
    ("tables", "/tables"),
    ("table", "/tables/core-S2"),
    (
        "table-periods",
        "/tables/core-S2?Region=0&Region=4601&housing_situation=total&Tid=2016H1&Tid=2016H2",
    ),
    ("table-years", "/tables/core-S3?intake_year=2014&intake_year=2015&intake_year=2016"),
    ("table-curve", "/tables/core-S28"),
    ("difference", "/tables/core-S2/difference"),
    ("method", "/method"),
    ("api", "/api"),
];

/// Looks at the page that is shown in one view; what is wrong.
fn look(browser: &Browser, place: &str, view: &View, wrong: &mut Vec<String>) {
    browser.resize(view.width, 900).expect("resized");
    browser.prefer(view.scheme).expect("preferred");
    wrong.extend(violations(browser).into_iter().map(|one| format!("{place}: {one}")));
    let over = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    let over = measured(browser, over).as_i64().expect("a number");
    if over > 0 {
        wrong.push(format!("{place}: {over} pixels too wide"));
    }
    if let Some(album) = album() {
        let height = measured(browser, "document.documentElement.scrollHeight");
        let height = u32::try_from(height.as_u64().expect("a number")).expect("a height");
        browser.resize(view.width, height.clamp(400, 6000)).expect("resized");
        browser.picture(&album.join(format!("{place}.png"))).expect("a picture");
    }
}

#[test]
fn no_page_has_a_violation_in_any_language_light_dark_or_narrow() {
    let scene = Scene::set();
    let browser = Browser::start().expect("Chromium");
    let mut wrong = Vec::new();
    let missing = [("missing", "/no-such-page")];
    for (name, path) in PAGES.iter().chain(&missing) {
        for language in ["nb", "nn", "en"] {
            browser.go(&scene.url(&format!("/{language}{path}"))).expect("a page");
            assert_eq!(browser.count(&format!("html[lang={language}]")).expect("counted"), 1);
            browser.run(&format!("{AXE};\narguments[arguments.length - 1]();")).expect("axe-core");
            for view in &VIEWS {
                look(&browser, &format!("{name}-{language}-{}", view.name), view, &mut wrong);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_table_is_chosen_from_without_scripts_and_reached_in_order_by_keyboard() {
    let scene = Scene::set();
    let browser = Browser::start().expect("Chromium");
    browser.go(&scene.url("/nb/tables/core-S2")).expect("a page");
    // The skip link comes first, and nothing jumps the order of the page.
    let first =
        "document.querySelector('a, button, input, select, summary, [tabindex=\"0\"]').className";
    assert_eq!(measured(&browser, first), "skip");
    assert_eq!(
        browser.count("[tabindex]:not([tabindex=\"0\"]):not([tabindex=\"-1\"])").expect("counted"),
        0
    );
    let shown = "[...document.querySelectorAll('.chart')]
        .filter(chart => getComputedStyle(chart).display != 'none').length";
    assert_eq!(measured(&browser, shown), 1, "one of the two drawings");

    let before = browser.count("#numbers ~ .scroll tbody tr").expect("counted");
    browser.click("input[name=Tid][value=\"2016H1\"]").expect("chosen");
    browser.click("input[name=Region][value=\"4601\"]").expect("chosen");
    browser.follow("form button").expect("another page");
    let after = browser.count("#numbers ~ .scroll tbody tr").expect("counted");
    assert_eq!(after, 4 * before, "two regions over two periods");
    assert_eq!(browser.count("input[name=Tid]:checked").expect("counted"), 2);
    assert!(browser.count("polygon").expect("counted") > 0, "a band over time");

    browser.follow("a[hreflang=nn]").expect("the same page in nynorsk");
    assert_eq!(browser.count("#numbers ~ .scroll tbody tr").expect("counted"), after);
    browser.follow("a[href*=\"/difference?\"]").expect("the comparison");
    assert_eq!(browser.count(".verdict").expect("counted"), 1);
    assert_eq!(browser.count("select").expect("counted"), 6, "three dimensions of two figures");

    // On paper there are figures, and nothing to press.
    let paper = "[...document.styleSheets].flatMap(sheet => [...sheet.cssRules])
        .filter(rule => rule.media && rule.media.mediaText == 'print')
        .flatMap(rule => [...rule.cssRules])
        .filter(rule => rule.style.display == 'none').map(rule => rule.selectorText).join(' ')";
    let hidden = measured(&browser, paper);
    let hidden = hidden.as_str().expect("rules");
    for gone in ["nav", "form", ".screen"] {
        assert!(hidden.contains(gone), "{hidden}");
    }
}
