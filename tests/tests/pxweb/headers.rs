//! What surrounds an answer: its state, its compression, who may ask from elsewhere.

use crate::fixture::{Bank, generous};
use crate::reader::ask;

const PATHS: [&str; 7] = [
    "/api/v2/config",
    "/api/v2/tables",
    "/api/v2/tables/core-S2",
    "/api/v2/tables/core-S2/metadata",
    "/api/v2/tables/core-S2/defaultselection",
    "/api/v2/tables/core-S2/data",
    "/api/v2/codelists/vs_Kommuner",
];

#[test]
fn nobody_fetches_the_same_twice() {
    let bank = Bank::open(generous());
    for path in PATHS {
        let first = bank.get(path);
        let tag = first.header("etag");
        assert!(tag.starts_with("W/\""), "{path}: {tag}");
        for known in [tag, &format!("\"other\", {tag}"), tag.trim_start_matches("W/"), "*"] {
            let again = ask(bank.address, "GET", path, &[("If-None-Match", known)], b"");
            assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
            assert_eq!(again.header("etag"), tag);
        }
        let other = ask(bank.address, "GET", path, &[("If-None-Match", "\"other\"")], b"");
        assert_eq!((other.status, &other.body), (200, &first.body), "{path}");
        let english = bank.get(&format!("{path}?lang=en"));
        if path != "/api/v2/config" {
            assert_ne!(english.header("etag"), tag, "{path}");
        }
    }
}

#[test]
fn what_has_not_changed_since_is_not_sent() {
    let bank = Bank::open(generous());
    let path = "/api/v2/tables/core-S2/data";
    let modified = bank.get(path).header("last-modified").to_owned();
    assert!(modified.ends_with(" GMT"), "{modified}");
    let since = |when: &str| ask(bank.address, "GET", path, &[("If-Modified-Since", when)], b"");
    assert_eq!(since(&modified).status, 304);
    assert_eq!(since("Sat, 01 Jan 2000 00:00:00 GMT").status, 200);
    assert_eq!(since("yesterday").status, 200);
    // A tag decides alone.
    let both = [("If-Modified-Since", modified.as_str()), ("If-None-Match", "\"other\"")];
    assert_eq!(ask(bank.address, "GET", path, &both, b"").status, 200);
}

#[test]
fn a_head_has_the_headers_of_its_answer() {
    let bank = Bank::open(generous());
    for path in PATHS {
        let get = bank.get(path);
        let head = ask(bank.address, "HEAD", path, &[], b"");
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("etag"), get.header("etag"));
        assert_eq!(head.header("content-type"), "application/json");
    }
}

#[test]
fn other_sites_may_ask() {
    let bank = Bank::open(generous());
    let origin = ("Origin", "https://notebook.example.org");
    let preflight = [
        origin,
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type"),
    ];
    let answer = ask(bank.address, "OPTIONS", "/api/v2/tables/core-S2/data", &preflight, b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.header("access-control-allow-methods").contains("POST"));
    assert!(!answer.header("access-control-allow-headers").is_empty());
    for path in ["/api/v2/tables", "/api/v2/tables/none", "/api/v2/other"] {
        let answer = ask(bank.address, "GET", path, &[origin], b"");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
}

#[test]
fn answers_are_compressed_for_those_who_can() {
    let bank = Bank::open(generous());
    let path = "/api/v2/codelists/vs_Kommuner";
    let plain = bank.get(path);
    let packed = ask(bank.address, "GET", path, &[("Accept-Encoding", "gzip")], b"");
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert_eq!(packed.body.get(..2), Some([0x1f, 0x8b].as_slice()));
    assert!(packed.body.len() * 3 < plain.body.len());
    assert!(packed.header("vary").to_lowercase().contains("accept-encoding"));
    assert_eq!(packed.header("etag"), plain.header("etag"));
}
