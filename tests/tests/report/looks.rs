//! The page in a browser: light, dark and narrow without a violation that axe-core knows of, and on
//! paper.

use crate::scene::{NO, Scene, plausible};
use fellestall_coordinator::report;
use fellestall_shared::labels::Language;
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

fn measure(browser: &Browser, what: &str) -> i64 {
    let ask = format!("arguments[arguments.length - 1]({what});");
    browser.run(&ask).expect("measured").as_i64().expect("a number")
}

/// Where pictures of the pages are kept, if somebody wants to look at them.
fn album() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("FELLESTALL_PICTURES")?);
    std::fs::create_dir_all(&folder).expect("a folder");
    Some(folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_has_no_violation_in_any_language_light_dark_or_narrow() {
    let scene = Scene::set().await;
    scene.study(&[], |_| {}).await;
    scene.answer("core", 6, NO).await;
    scene.publish("core", "2025H2", &[0, 1, 2, 3], &[], &plausible(0)).await;
    scene.publish("core", "2026H1", &[0, 1, 2], &[3, 4], &plausible(9)).await;
    let report = scene.report("2026H1").await.expect("a report");
    let browser = Browser::start().expect("Chromium");
    let mut wrong = Vec::new();
    let mut looks = 0;
    for (language, name) in [(Language::Nb, "nb"), (Language::Nn, "nn"), (Language::En, "en")] {
        let file = scene.path(&format!("report.{name}.html"));
        std::fs::write(&file, report::html(&report, language).expect("a page")).expect("written");
        for (view, width, scheme) in [
            ("light", 1200, Scheme::Light),
            ("dark", 1200, Scheme::Dark),
            ("narrow", 320, Scheme::Light),
            ("narrow-dark", 320, Scheme::Dark),
        ] {
            browser.resize(width, 900).expect("resized");
            browser.prefer(scheme).expect("preferred");
            browser.go(&format!("file://{}", file.display())).expect("a page");
            assert_eq!(browser.count(&format!("html[lang={name}]")).expect("counted"), 1);
            let found = violations(&browser);
            wrong.extend(found.into_iter().map(|found| format!("{name} {view}: {found}")));
            let page = "document.documentElement";
            let over = measure(&browser, &format!("{page}.scrollWidth - {page}.clientWidth"));
            if over > 0 {
                wrong.push(format!("{name} {view}: {over} pixels too wide"));
            }
            if let Some(album) = album() {
                let height = measure(&browser, &format!("{page}.scrollHeight")).clamp(400, 9000);
                browser.resize(width, u32::try_from(height).expect("a height")).expect("resized");
                browser.picture(&album.join(format!("report-{name}-{view}.png"))).expect("kept");
            }
            looks += 1;
        }
    }
    if let Some(album) = album() {
        std::fs::copy(scene.path("report.nb.html"), album.join("report.nb.html")).expect("kept");
    }
    assert_eq!(looks, 12);
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
}
