//! Bodies: how many bytes of requests lie in memory at once, of all callers and of one address.

use crate::Problem;
use crate::limits::household;
use axum::body::{Body, Bytes};
use futures_util::StreamExt as _;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Bodies up to this size are not counted: the bound on connections bounds them, and a withdrawal always finds room.
const SMALL: usize = 64 << 10;
/// How much of larger ones is held for all callers together.
const OF_ALL: usize = 256 << 20;
/// How much of larger ones is held for one address.
const OF_ONE: usize = 64 << 20;
/// How long who finds no room is told to wait.
const WAIT: Duration = Duration::from_secs(1);

/// Counts what is held.
#[derive(Default)]
pub struct Bodies(Mutex<Held>);

#[derive(Default)]
struct Held {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// What one request holds; dropping it makes room.
pub struct Share<'a> {
    bodies: &'a Bodies,
    address: IpAddr,
    bytes: usize,
}

impl Bodies {
    /// A request that holds nothing yet.
    pub fn share(&self, address: IpAddr) -> Share<'_> {
        Share { bodies: self, address: household(address), bytes: 0 }
    }
}

impl Share<'_> {
    /// Reads a body of at most `limit` bytes. What comes is counted as it comes: what a caller only announces takes no
    /// room from others.
    pub async fn read(&mut self, body: Body, limit: usize) -> Result<Bytes, Problem> {
        let (mut pieces, mut whole) = (body.into_data_stream(), Vec::new());
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Problem::malformed())?;
            let size = whole.len() + piece.len();
            if size > limit {
                return Err(Problem::too_large());
            }
            self.grow(size)?;
            whole.extend_from_slice(&piece);
        }
        Ok(whole.into())
    }

    /// Makes the share this large, if there is room.
    fn grow(&mut self, size: usize) -> Result<(), Problem> {
        if size <= SMALL {
            return Ok(());
        }
        let more = size - self.bytes;
        let mut held = self.bodies.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = held.by_address.get(&self.address).copied().unwrap_or_default() + more;
        if held.all + more > OF_ALL || own > OF_ONE {
            return Err(Problem::too_many_requests().after(WAIT));
        }
        held.all += more;
        held.by_address.insert(self.address, own);
        self.bytes = size;
        Ok(())
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut held = self.bodies.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.all = held.all.saturating_sub(self.bytes);
        let own = held.by_address.get(&self.address).copied().unwrap_or_default().saturating_sub(self.bytes);
        if own > 0 {
            held.by_address.insert(self.address, own);
        } else {
            held.by_address.remove(&self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: usize = 16 << 20;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn large_bodies_find_room_until_their_address_or_all_hold_too_much() {
        let bodies = Bodies::default();
        let take = |last: u8, size: usize| {
            let mut share = bodies.share(address(last));
            share.grow(size).map(|()| share)
        };
        let mut held: Vec<_> = (0..4).map(|_| take(1, LARGE).unwrap()).collect();
        assert!(take(1, LARGE).is_err(), "one address");
        assert!(take(1, SMALL).is_ok(), "a small one always finds room");
        held.extend((0..12).map(|number| take(2 + number / 4, LARGE).unwrap()));
        assert!(take(9, SMALL + 1).is_err() && take(9, SMALL).is_ok(), "all together");
        held.pop();
        assert!(take(9, LARGE).is_ok(), "what is dropped makes room");
        drop(held);
        let left = bodies.0.lock().unwrap();
        assert_eq!((left.all, left.by_address.len()), (0, 0));
    }

    #[test]
    fn a_share_grows_with_what_came_and_neighbours_in_a_network_have_one() {
        let bodies = Bodies::default();
        let [mut one, mut two] = ["2001:db8::1", "2001:db8::2"].map(|text| bodies.share(text.parse().unwrap()));
        for size in [1, SMALL, SMALL + 1, LARGE, OF_ONE - LARGE] {
            one.grow(size).unwrap();
        }
        assert_eq!(bodies.0.lock().unwrap().all, OF_ONE - LARGE);
        assert!(two.grow(LARGE).is_ok() && two.grow(LARGE + 1).is_err());
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let bodies = Bodies::default();
        let read = async |size: usize| bodies.share(address(1)).read(vec![7; size].into(), 100_000).await;
        assert_eq!(read(0).await.unwrap(), Bytes::new());
        assert_eq!(read(100_000).await.unwrap().len(), 100_000);
        assert!(read(100_001).await.is_err());
    }
}
