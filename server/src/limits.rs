//! How often, how much and how many: rates by caller and by address, wrong codes, nesting, open connections.

use crate::Problem;
use consent::Timestamp;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// How many wrong codes a minute are heard from one address.
const WRONG_CODES_OF_ONE: usize = 20;
/// How many wrong codes a minute are heard from all addresses together: codes have 40 bits, and live for seven days.
const WRONG_CODES_OF_ALL: usize = 300;
/// How many withdrawals a minute that are none are forgiven an address, and all addresses together: that many signatures
/// are checked for nothing.
const FORGED_OF_ONE: usize = 100;
const FORGED_OF_ALL: usize = 10_000;
/// How deep a JSON body may nest. The deepest honest one, a presentation, stays below half of it.
pub const MAX_DEPTH: usize = 32;
/// After how many checks those are forgotten who have been quiet long enough to be at their full quota.
const FORGET_AFTER: u32 = 4_096;

/// What a call costs the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Reads something that is at hand.
    Read,
    /// Writes.
    Write,
    /// Checks proofs, hears codes or goes through much.
    Costly,
    /// Not counted at the gate: the handler counts, once it sees what the call is.
    Later,
}

/// How many calls of one kind: so many a second for long, so many at once. Zero a second is without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Calls a second.
    pub per_second: u32,
    /// Calls at once after a quiet time.
    pub burst: u32,
}

/// The allowances of one caller or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowances {
    /// For [`Rate::Read`].
    pub read: Allowance,
    /// For [`Rate::Write`].
    pub write: Allowance,
    /// For [`Rate::Costly`].
    pub costly: Allowance,
}

/// The limits of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Of one address, for calls that nobody signed, and for signed ones before their signature is checked.
    pub address: Allowances,
    /// Of one caller.
    pub caller: Allowances,
}

impl Default for Rates {
    fn default() -> Self {
        let of = |per_second, burst| Allowance { per_second, burst };
        Self {
            // A hospital stands behind one address, and whoever copies a log reads tiles as fast as it can.
            address: Allowances { read: of(500, 5_000), write: of(100, 1_000), costly: of(5, 100) },
            caller: Allowances { read: of(50, 500), write: of(10, 200), costly: of(2, 50) },
        }
    }
}

/// One limiter for each kind of call.
struct Meter<K: Clone + Hash + Eq> {
    limiters: [Option<DefaultKeyedRateLimiter<K>>; 3],
    checks: AtomicU32,
}

impl<K: Clone + Hash + Eq> Meter<K> {
    fn new(allowances: Allowances) -> Self {
        let limiter = |allowance: Allowance| {
            let rate = NonZeroU32::new(allowance.per_second)?;
            let burst = NonZeroU32::new(allowance.burst).unwrap_or(rate);
            Some(RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)))
        };
        let Allowances { read, write, costly } = allowances;
        Self { limiters: [limiter(read), limiter(write), limiter(costly)], checks: AtomicU32::new(0) }
    }

    fn check(&self, key: &K, rate: Rate) -> Result<(), Problem> {
        let Some(Some(limiter)) = self.limiters.get(rate as usize) else { return Ok(()) };
        // One of many checks pays for forgetting; which one does not matter, so the order of the counts does not either.
        if self.checks.fetch_add(1, Ordering::Relaxed) % FORGET_AFTER == FORGET_AFTER - 1 {
            for limiter in self.limiters.iter().flatten() {
                limiter.retain_recent();
            }
        }
        limiter
            .check_key(key)
            .map_err(|until| Problem::too_many_requests().after(until.wait_time_from(DefaultClock::default().now())))
    }
}

/// Counts calls and wrong codes.
pub struct Limits {
    addresses: Meter<IpAddr>,
    callers: Meter<String>,
    wrong: Mutex<LastMinute>,
    forged: Mutex<LastMinute>,
}

/// What came in the last minute, by address.
#[derive(Default)]
struct LastMinute {
    by_address: HashMap<IpAddr, VecDeque<Timestamp>>,
    of_all: VecDeque<Timestamp>,
}

impl Limits {
    /// With nobody counted yet.
    pub fn new(rates: Rates) -> Self {
        Self {
            addresses: Meter::new(rates.address),
            callers: Meter::new(rates.caller),
            wrong: Mutex::default(),
            forged: Mutex::default(),
        }
    }

    /// Counts a call from an address, or refuses it.
    pub fn address(&self, address: IpAddr, rate: Rate) -> Result<(), Problem> {
        self.addresses.check(&household(address), rate)
    }

    /// Counts a call of a caller, by fingerprint, or refuses it.
    pub fn caller(&self, fingerprint: &str, rate: Rate) -> Result<(), Problem> {
        self.callers.check(&fingerprint.to_owned(), rate)
    }

    /// Refuses to hear a code from an address that typed too many wrong ones lately.
    pub fn may_try_code(&self, address: IpAddr, now: Timestamp) -> Result<(), Problem> {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.is_full(address, now, WRONG_CODES_OF_ONE, WRONG_CODES_OF_ALL) {
            return Err(Problem::too_many_tries().after(std::time::Duration::from_secs(59)));
        }
        Ok(())
    }

    /// Counts a wrong code.
    pub fn wrong_code(&self, address: IpAddr, now: Timestamp) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.count(address, 1, now, WRONG_CODES_OF_ALL);
    }

    /// Whether an address may hand in withdrawals beyond its rate: unless too many of late were none.
    pub fn takes_withdrawals_freely(&self, address: IpAddr, now: Timestamp) -> bool {
        let mut forged = self.forged.lock().unwrap_or_else(PoisonError::into_inner);
        !forged.is_full(address, now, FORGED_OF_ONE, FORGED_OF_ALL)
    }

    /// Counts what said of itself that it is a withdrawal, and is not one of a key that is known here.
    pub fn forged_withdrawals(&self, address: IpAddr, count: usize, now: Timestamp) {
        let mut forged = self.forged.lock().unwrap_or_else(PoisonError::into_inner);
        forged.count(address, count, now, FORGED_OF_ALL);
    }
}

impl LastMinute {
    fn is_full(&mut self, address: IpAddr, now: Timestamp, of_one: usize, of_all: usize) -> bool {
        self.forget(now);
        let own = self.by_address.get(&household(address)).map_or(0, VecDeque::len);
        own >= of_one || self.of_all.len() >= of_all
    }

    /// No address is counted beyond the common bound, which also bounds the memory.
    fn count(&mut self, address: IpAddr, count: usize, now: Timestamp, of_all: usize) {
        self.forget(now);
        let more = count.min(of_all.saturating_sub(self.of_all.len()));
        if more > 0 {
            self.of_all.extend(std::iter::repeat_n(now, more));
            self.by_address.entry(household(address)).or_default().extend(std::iter::repeat_n(now, more));
        }
    }

    fn forget(&mut self, now: Timestamp) {
        let over = |at: &Timestamp| at.plus_seconds(60) <= now;
        while self.of_all.front().is_some_and(over) {
            self.of_all.pop_front();
        }
        self.by_address.retain(|_, times| {
            while times.front().is_some_and(over) {
                times.pop_front();
            }
            !times.is_empty()
        });
    }
}

/// An address as it is counted: one household or office has a whole /64 of IPv6.
pub(crate) fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) >> 64 << 64)),
        v4 => v4,
    }
}

/// Whether a body nests too deep to be read as JSON. It need not be JSON: other bytes are judged by their own reader.
pub fn too_deep(body: &[u8]) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_780_000_000;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn wrong_codes_close_the_door_for_their_address_alone() {
        let limits = Limits::new(Rates::default());
        let at = Timestamp::from_unix(AT);
        for _ in 0..WRONG_CODES_OF_ONE {
            assert!(limits.may_try_code(address(1), at).is_ok());
            limits.wrong_code(address(1), at);
        }
        assert!(limits.may_try_code(address(1), at).is_err());
        assert!(limits.may_try_code(address(2), at).is_ok(), "nobody else waits for it");
        assert!(limits.may_try_code(address(1), at.plus_seconds(60)).is_ok(), "after a minute it is heard again");
    }

    #[test]
    fn wrong_codes_of_many_addresses_have_a_bound_too() {
        let limits = Limits::new(Rates::default());
        let at = Timestamp::from_unix(AT);
        for count in 0..WRONG_CODES_OF_ALL {
            limits.wrong_code(address(u8::try_from(count % 250).unwrap()), at);
        }
        assert!(limits.may_try_code(address(251), at).is_err());
        assert!(limits.may_try_code(address(251), at.plus_seconds(61)).is_ok());
    }

    #[test]
    fn who_forges_withdrawals_loses_the_way_past_the_rate_for_a_minute() {
        let limits = Limits::new(Rates::default());
        let at = Timestamp::from_unix(AT);
        limits.forged_withdrawals(address(1), FORGED_OF_ONE - 1, at);
        assert!(limits.takes_withdrawals_freely(address(1), at));
        limits.forged_withdrawals(address(1), 1, at);
        assert!(!limits.takes_withdrawals_freely(address(1), at));
        assert!(limits.takes_withdrawals_freely(address(2), at), "nobody else");
        assert!(limits.takes_withdrawals_freely(address(1), at.plus_seconds(60)));
        limits.forged_withdrawals(address(1), 2 * FORGED_OF_ALL, at);
        assert!(!limits.takes_withdrawals_freely(address(2), at), "all addresses together have a bound");
        assert_eq!(limits.forged.lock().unwrap().by_address[&address(1)].len(), FORGED_OF_ALL);
    }

    #[test]
    fn a_burst_is_heard_and_then_the_caller_waits() {
        let few = Allowance { per_second: 1, burst: 3 };
        let free = Allowance { per_second: 0, burst: 0 };
        let allowances = Allowances { read: free, write: few, costly: few };
        let limits = Limits::new(Rates { address: allowances, caller: allowances });
        let heard = (0..10).filter(|_| limits.caller("one", Rate::Write).is_ok()).count();
        assert!((3..=4).contains(&heard), "{heard}");
        assert!(limits.caller("two", Rate::Write).is_ok(), "another caller has an allowance of their own");
        assert!(limits.caller("one", Rate::Costly).is_ok(), "and each kind of call too");
        assert!((0..1_000).all(|_| limits.address(address(1), Rate::Read).is_ok()), "zero is no limit");
    }

    #[test]
    fn neighbours_in_one_network_of_ipv6_count_as_one() {
        let of = |text: &str| household(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn depth_counts_brackets_and_not_what_stands_in_quotes() {
        assert!(!too_deep(br#"{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[["}"#));
        assert!(!too_deep("[".repeat(MAX_DEPTH).as_bytes()));
        assert!(too_deep("[".repeat(MAX_DEPTH + 1).as_bytes()));
        assert!(too_deep("{\"a\":".repeat(MAX_DEPTH + 1).as_bytes()));
        assert!(!too_deep("[],".repeat(1_000).as_bytes()));
    }
}
