//! Who is counted, and how often.

use super::{Limiter, client, network};
use crate::config::Web;
use http::{HeaderMap, HeaderValue};
use std::net::{IpAddr, Ipv6Addr};

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn check(remote: &str, forwarded: &[&str], expected: &str) {
    let mut headers = HeaderMap::new();
    for line in forwarded {
        headers.append("x-forwarded-for", HeaderValue::from_str(line).expect("a value"));
    }
    let trusted = [ip("10.0.0.7"), ip("10.0.0.8"), ip("fd00::1")];
    assert_eq!(client(ip(remote), &headers, &trusted), ip(expected), "{remote} {forwarded:?}");
}

#[test]
fn only_a_trusted_proxy_says_who_calls() {
    check("192.0.2.1", &[], "192.0.2.1");
    check("192.0.2.1", &["198.51.100.9"], "192.0.2.1");
    check("10.0.0.7", &["198.51.100.9"], "198.51.100.9");
    check("::ffff:10.0.0.7", &["198.51.100.9"], "198.51.100.9");
    check("10.0.0.7", &["1.1.1.1, 198.51.100.9"], "198.51.100.9");
    check("10.0.0.7", &["1.1.1.1, 198.51.100.9, 10.0.0.8"], "198.51.100.9");
    check("10.0.0.7", &["1.1.1.1", "198.51.100.9"], "198.51.100.9");
    check("fd00::1", &["[2001:db8::5]:4711"], "2001:db8::5");
    check("10.0.0.7", &["198.51.100.9:80"], "198.51.100.9");
    check("10.0.0.7", &["nobody"], "10.0.0.7");
    check("10.0.0.7", &[], "10.0.0.7");
}

#[test]
fn a_subscriber_is_counted_as_one() {
    assert_eq!(network(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
    assert_ne!(network(ip("2001:db8:1:2::1")), network(ip("2001:db8:1:3::1")));
    assert_eq!(network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
}

fn limiter(calls: u32) -> Limiter {
    Limiter::new(&Web { calls_per_window: calls, window_seconds: 3_600, ..Web::default() })
}

#[test]
fn calls_beyond_the_limit_are_refused_and_others_are_not_affected() {
    let limiter = limiter(5);
    for _ in 0..5 {
        assert!(limiter.count(ip("192.0.2.1")).is_ok());
    }
    let refusal = limiter.count(ip("192.0.2.1")).expect_err("the sixth");
    assert_eq!(refusal.status(), 429);
    assert!(limiter.count(ip("192.0.2.2")).is_ok());
    assert!(limiter.count(ip("2001:db8::1")).is_ok());
}

#[test]
fn memory_is_bounded_whoever_calls() {
    let limiter = limiter(1);
    for subscriber in 0_u128..300_000 {
        let address = Ipv6Addr::from_bits((0x2001_0db8 << 96) | (subscriber << 64));
        let _counted = limiter.count(IpAddr::V6(address));
    }
    assert!(limiter.states.len() <= usize::try_from(super::PLACES).expect("a size"));
}

#[test]
fn a_limit_of_nothing_still_answers() {
    let web = Web { calls_per_window: 0, window_seconds: 0, ..Web::default() };
    assert!(Limiter::new(&web).count(ip("192.0.2.1")).is_ok());
}
