//! What the operator sees of the federation. Labels come from the institution's own files, so their number is bounded.

use crate::metrics::Metrics;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use std::time::Duration;

/// Upper bounds of the classes of an answer's time, in seconds.
const SECONDS: [f64; 8] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    peer: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Watched {
    origin: String,
}

/// Figures of the federation.
#[derive(Clone)]
pub struct Figures {
    seconds: Family<Asked, Histogram>,
    last_success: Family<Asked, Gauge>,
    failures: Family<Asked, Counter>,
    is_final: Gauge,
    final_size: Gauge,
    ahead: Gauge,
    watched_size: Family<Watched, Gauge>,
    went_back: Family<Watched, Counter>,
}

impl Figures {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let figures = Self {
            seconds: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            last_success: Family::default(),
            failures: Family::default(),
            is_final: Gauge::default(),
            final_size: Gauge::default(),
            ahead: Gauge::default(),
            watched_size: Family::default(),
            went_back: Family::default(),
        };
        let own = figures.clone();
        metrics.register(|registry| {
            registry.register("peer_seconds", "Time until a witness or mirror had signed", own.seconds);
            registry.register(
                "peer_last_success",
                "When a witness or mirror last signed, since 1970",
                own.last_success,
            );
            registry.register("peer_failures", "Tries in which a witness or mirror did not sign", own.failures);
            registry.register("checkpoint_final", "Whether the published checkpoint has its quorum", own.is_final);
            registry.register("final_entries", "Entries under the last checkpoint with its quorum", own.final_size);
            registry.register("witness_ahead", "Entries that a witness has seen and this log lacks", own.ahead);
            registry.register("watched_entries", "Entries of another log as last signed here", own.watched_size);
            registry.register("watched_went_back", "Times another log showed less than before", own.went_back);
        });
        figures
    }

    pub(super) fn asked(&self, peer: &str, took: Duration, now: i64) {
        let peer = Asked { peer: peer.to_owned() };
        self.seconds.get_or_create(&peer).observe(took.as_secs_f64());
        self.last_success.get_or_create(&peer).set(now);
    }

    pub(super) fn failed(&self, peer: &str) {
        self.failures.get_or_create(&Asked { peer: peer.to_owned() }).inc();
    }

    pub(super) fn published(&self, size: u64, is_final: bool) {
        self.is_final.set(i64::from(is_final));
        if is_final {
            self.final_size.set(number(size));
        }
    }

    pub(super) fn ahead(&self, entries: u64) {
        self.ahead.set(number(entries));
    }

    pub(super) fn signed(&self, origin: &str, size: u64) {
        self.watched_size.get_or_create(&Watched { origin: origin.to_owned() }).set(number(size));
    }

    pub(super) fn went_back(&self, origin: &str) {
        self.went_back.get_or_create(&Watched { origin: origin.to_owned() }).inc();
    }
}

fn number(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
