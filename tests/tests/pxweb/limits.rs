//! S11: too many requests of one address, and nobody else the worse for it.

use crate::fixture::{Bank, generous};
use crate::reader::{ask, check_problem};
use fellestall_coordinator::config::Web;

fn strict(trusted: &[&str]) -> Web {
    Web {
        calls_per_window: 4,
        window_seconds: 3_600,
        trusted_proxies: trusted.iter().map(|one| one.parse().expect("an address")).collect(),
        ..generous()
    }
}

#[test]
fn s11_too_many_calls_are_refused_with_a_time_to_wait() {
    let bank = Bank::open(strict(&[]));
    for _ in 0..4 {
        bank.get("/api/v2/config").ok();
    }
    let origin = [("Origin", "https://notebook.example.org")];
    let refused = ask(bank.address, "GET", "/api/v2/config", &origin, b"");
    check_problem(&refused, 429, "Too many requests");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=900).contains(&wait), "{wait}");
    assert_eq!(refused.header("access-control-allow-origin"), "*", "a browser can read it");
    // Nobody chooses who they are.
    let forwarded = [("X-Forwarded-For", "198.51.100.9")];
    let refused = ask(bank.address, "GET", "/api/v2/config", &forwarded, b"");
    check_problem(&refused, 429, "Too many requests");
    // The pages are not the databank's interface.
    assert_ne!(bank.get("/").status, 429);
}

#[test]
fn s11_behind_a_trusted_proxy_each_reader_is_counted() {
    let bank = Bank::open(strict(&["127.0.0.1"]));
    let by = |forwarded: &str| {
        let headers = [("X-Forwarded-For", forwarded)];
        ask(bank.address, "GET", "/api/v2/config", &headers, b"").status
    };
    for number in 0..4 {
        // What a reader writes before the proxy's own entry changes nothing.
        assert_eq!(by(&format!("192.0.2.{number}, 198.51.100.9")), 200);
    }
    assert_eq!(by("198.51.100.9"), 429);
    assert_eq!(by("198.51.100.10"), 200);
    for number in 0..4 {
        assert_eq!(by(&format!("2001:db8:1:2::{number}")), 200);
    }
    assert_eq!(by("2001:db8:1:2:ffff::1"), 429, "one subscriber has a /64");
    assert_eq!(by("2001:db8:1:3::1"), 200);
}
