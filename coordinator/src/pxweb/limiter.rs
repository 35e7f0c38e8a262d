//! How many calls one address may make.
//!
//! **Invariant:** who is counted is the other end of the connection, or whom a proxy that the
//! configuration trusts names; memory is bounded whoever calls.

use super::problem::Refusal;
use crate::config::Web;
use crate::public::Remote;
use axum::extract::Request;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::HeaderMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Places that addresses are counted in: two addresses share one by chance, rarely, and there are
/// never more.
const PLACES: u64 = 1 << 20;
/// Calls after which addresses that have been quiet are forgotten.
const TIDY: u32 = 4_096;
/// Proxies that one request may name, at the most.
const HOPS: usize = 32;

/// Counts calls by address.
pub struct Limiter {
    calls: u32,
    window: u32,
    trusted: Vec<IpAddr>,
    hasher: RandomState,
    states: DefaultKeyedRateLimiter<u32>,
    counted: AtomicU32,
}

impl Limiter {
    /// A limiter as the configuration says.
    #[must_use]
    pub fn new(web: &Web) -> Self {
        let calls = NonZeroU32::new(web.calls_per_window).unwrap_or(NonZeroU32::MIN);
        let window = web.window_seconds.max(1);
        let each = Duration::from_secs(u64::from(window)) / calls.get();
        let quota = Quota::with_period(each.max(Duration::from_nanos(1)));
        let quota = quota.unwrap_or_else(|| Quota::per_second(calls)).allow_burst(calls);
        Self {
            calls: calls.get(),
            window,
            trusted: web.trusted_proxies.iter().map(IpAddr::to_canonical).collect(),
            hasher: RandomState::new(),
            states: RateLimiter::keyed(quota),
            counted: AtomicU32::new(0),
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// [`Refusal::Calls`]: its address has made too many.
    pub fn admit(&self, request: &Request) -> Result<(), Refusal> {
        let remote = request.extensions().get::<Remote>().map(|remote| remote.0);
        let remote = remote.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        self.count(client(remote, request.headers(), &self.trusted))
    }

    fn count(&self, client: IpAddr) -> Result<(), Refusal> {
        if self.counted.fetch_add(1, Ordering::Relaxed) % TIDY == TIDY - 1 {
            self.states.retain_recent();
            self.states.shrink_to_fit();
        }
        let place = self.hasher.hash_one(network(client)) % PLACES;
        let place = u32::try_from(place).unwrap_or_default();
        self.states.check_key(&place).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let wait = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Refusal::Calls { calls: self.calls, window: self.window, wait: wait.max(1) }
        })
    }
}

/// What is counted as one: an IPv4 address, or the /64 that a subscriber of IPv6 has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

/// Who calls: the rightmost address that no trusted proxy has. What is left of it anybody may have
/// written.
fn client(remote: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let mut last = remote.to_canonical();
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    let mut named = lines.iter().rev().flat_map(|line| line.rsplit(',')).take(HOPS);
    while trusted.contains(&last) {
        match named.next().and_then(address) {
            Some(before) => last = before,
            None => break,
        }
    }
    last
}

fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    bare.or_else(|_| with_port()).ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests;
