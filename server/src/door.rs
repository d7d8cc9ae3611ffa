//! The door: how many connections stand open, of all and of one address. Who comes beyond is turned away at once.

use crate::limits::household;
use axum_server::accept::Accept;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::HashMap;
use std::future::{Ready, ready};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How many connections may stand open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Of all callers together.
    pub all: usize,
    /// Of one address. A proxy in front is one address, so there only the first figure counts.
    pub of_one: usize,
}

impl Default for Connections {
    fn default() -> Self {
        Self { all: 4_096, of_one: 512 }
    }
}

/// Counts connections while they are open.
#[derive(Clone)]
pub struct Door {
    bounds: Connections,
    open: Arc<Mutex<Open>>,
    inside: Gauge,
    away: Counter,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Door {
    /// With nobody inside.
    pub fn new(bounds: Connections) -> Self {
        Self { bounds, open: Arc::default(), inside: Gauge::default(), away: Counter::default() }
    }

    /// Adds its figures.
    pub fn count(&self, registry: &mut Registry) {
        registry.register("connections", "Connections that stand open", self.inside.clone());
        registry.register("connections_refused", "Connections beyond a bound", self.away.clone());
    }

    fn enter(&self, address: IpAddr) -> Option<Guest> {
        let address = household(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.by_address.get(&address).copied().unwrap_or_default();
        if open.all >= self.bounds.all || own >= self.bounds.of_one {
            self.away.inc();
            return None;
        }
        open.all += 1;
        open.by_address.insert(address, own + 1);
        self.inside.inc();
        Some(Guest { address, open: self.open.clone(), inside: self.inside.clone() })
    }
}

/// One open connection; dropping it makes room.
struct Guest {
    address: IpAddr,
    open: Arc<Mutex<Open>>,
    inside: Gauge,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        self.inside.dec();
        let own = open.by_address.get(&self.address).copied().unwrap_or_default();
        if own > 1 {
            open.by_address.insert(self.address, own - 1);
        } else {
            open.by_address.remove(&self.address);
        }
    }
}

impl<S> Accept<TcpStream, S> for Door {
    type Stream = Counted;
    type Service = S;
    type Future = Ready<io::Result<(Counted, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        // Answers are small and complete: waiting to fill a packet only makes them late.
        let counted = stream
            .set_nodelay(true)
            .and_then(|()| stream.peer_addr())
            .and_then(|peer| self.enter(peer.ip()).ok_or_else(|| io::Error::other("too many connections stand open")));
        ready(counted.map(|guest| (Counted { stream, _guest: guest }, service)))
    }
}

/// A connection that is counted until it is closed.
pub struct Counted {
    stream: TcpStream,
    _guest: Guest,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_beyond_a_bound_is_turned_away_until_somebody_leaves() {
        let door = Door::new(Connections { all: 3, of_one: 2 });
        let [one, two] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        let first = door.enter(one).unwrap();
        let _second = door.enter(one).unwrap();
        assert!(door.enter(one).is_none(), "one address");
        let _other = door.enter(two).unwrap();
        assert!(door.enter(two).is_none(), "all together");
        drop(first);
        assert!(door.enter(two).is_some());
        assert!(door.enter(one).is_some(), "a guest that is dropped makes room");
        assert_eq!((door.inside.get(), door.away.get()), (2, 2));
    }

    #[test]
    fn neighbours_in_one_network_of_ipv6_share_their_places() {
        let door = Door::new(Connections { all: 9, of_one: 2 });
        let enter = |text: &str| door.enter(text.parse().unwrap());
        let inside = [enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap()];
        assert!(enter("2001:db8::3").is_none());
        assert!(enter("2001:db8:0:1::1").is_some(), "another network");
        drop(inside);
        assert!(enter("2001:db8::3").is_some());
        assert!(door.open.lock().unwrap().by_address.is_empty(), "who left is not remembered");
    }
}
