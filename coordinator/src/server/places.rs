//! Who has how many of the places for connections.
//!
//! **Invariant:** one address never has more than its share, unless it is a proxy that the
//! configuration trusts; memory is bounded by the number of places.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts connections by address.
#[derive(Debug, Clone)]
pub(super) struct Places {
    share: usize,
    exempt: Arc<[IpAddr]>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One place, for as long as it lives.
#[derive(Debug)]
#[must_use]
pub(super) struct Place {
    network: Option<IpAddr>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Places {
    /// Places of which one address has so many at the most; `exempt` has as many as there are.
    pub(super) fn new(share: usize, exempt: &[IpAddr]) -> Self {
        let exempt = exempt.iter().map(IpAddr::to_canonical).collect();
        Self { share, exempt, taken: Arc::default() }
    }

    /// A place for a connection from this address; `None` if it has its share.
    pub(super) fn take(&self, from: IpAddr) -> Option<Place> {
        let taken = Arc::clone(&self.taken);
        let from = from.to_canonical();
        if self.exempt.contains(&from) {
            return Some(Place { network: None, taken });
        }
        let network = network(from);
        let mut counted = lock(&self.taken);
        let count = counted.entry(network).or_default();
        if *count >= self.share {
            return None;
        }
        *count += 1;
        drop(counted);
        Some(Place { network: Some(network), taken })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut counted = lock(&self.taken);
        if let Some(count) = counted.get_mut(&network) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counted.remove(&network);
            }
        }
    }
}

fn lock(taken: &Mutex<HashMap<IpAddr, usize>>) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is counted as one: an IPv4 address, or the /64 that a subscriber of IPv6 has.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Places, lock};
    use std::net::IpAddr;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_address_has_its_share_and_gives_it_back() {
        let places = Places::new(2, &[]);
        let (slow, other) = (address("192.0.2.1"), address("192.0.2.2"));
        let first = places.take(slow).expect("a place");
        let second = places.take(slow).expect("a place");
        assert!(places.take(slow).is_none());
        // The same address written as one of IPv6.
        assert!(places.take(address("::ffff:192.0.2.1")).is_none());
        let others = places.take(other).expect("others keep theirs");
        drop(first);
        let third = places.take(slow).expect("a place that was given back");
        assert!(places.take(slow).is_none());
        drop((second, third, others));
        assert!(lock(&places.taken).is_empty(), "nothing is remembered of who is gone");
    }

    #[test]
    fn the_addresses_of_one_subscriber_are_one() {
        let places = Places::new(1, &[]);
        let _held = places.take(address("2001:db8:1:2::1")).expect("a place");
        assert!(places.take(address("2001:db8:1:2:ffff::9")).is_none());
        assert!(places.take(address("2001:db8:1:3::1")).is_some());
    }

    #[test]
    fn a_trusted_proxy_has_no_share() {
        let proxy = address("10.0.0.7");
        let places = Places::new(1, &[proxy]);
        let held: Vec<_> = (0..10).map(|_| places.take(proxy).expect("a place")).collect();
        assert!(places.take(address("::ffff:10.0.0.7")).is_some());
        assert!(lock(&places.taken).is_empty());
        drop(held);
    }
}
