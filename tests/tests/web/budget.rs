//! What a page weighs, and that nothing is fetched from elsewhere.

use crate::page::between;
use crate::scene::Scene;
use fellestall_tests::browser::Browser;
use serde_json::Value;

/// The first page in all.
const FIRST_PAGE: usize = 150_000;

#[test]
fn the_first_page_is_light_and_no_page_asks_anybody_else() {
    let scene = Scene::set();
    let browser = Browser::start().expect("Chromium");
    let mut weights = Vec::new();
    for path in ["/nb/", "/nb/tables", "/nb/tables/core-S2", "/nb/method", "/nb/api"] {
        browser.go(&scene.url(path)).expect("a page");
        let ask = "const done = arguments[arguments.length - 1];
            done(performance.getEntriesByType('resource').map(entry => entry.name));";
        let fetched = browser.run(ask).expect("a list");
        let mut bytes = scene.get(path).body.len();
        for name in fetched.as_array().expect("a list").iter().filter_map(Value::as_str) {
            let own = name.strip_prefix(&scene.url("")).unwrap_or_else(|| panic!("{path}: {name}"));
            bytes += scene.get(own).body.len();
        }
        weights.push((path, bytes));
        let html = scene.get(path).body;
        for (from, to) in [
            ("src=\"", "\""),
            ("<link rel=\"stylesheet\" href=\"", "\""),
            ("<link rel=\"icon\" href=\"", "\""),
        ] {
            for address in between(&html, from, to) {
                assert!(address.starts_with('/') && !address.starts_with("//"), "{address}");
            }
        }
        assert!(!html.contains("<script") && !html.contains(" style=\""), "{path}");
        let policy = scene.get(path);
        assert!(policy.header("content-security-policy").starts_with("default-src 'none'"));
    }
    let style = scene.get("/style.css").body;
    assert!(!style.contains("url(") && !style.contains("@import"));
    println!("bytes, not compressed: {weights:?}");
    let (_, first) = weights[0];
    assert!(first < FIRST_PAGE, "{weights:?}");
}
