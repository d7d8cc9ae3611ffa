//! Figures for the operator, in the OpenMetrics format. None of them says anything of a person.

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the classes of a request's time, in seconds.
const SECONDS: [f64; 11] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Served {
    route: &'static str,
}

/// What is counted. Other parts add their own figures by [`Metrics::register`].
pub struct Metrics {
    registry: Mutex<Registry>,
    answers: Family<Answer, Counter>,
    seconds: Family<Served, Histogram>,
    log_size: Gauge,
}

impl Metrics {
    /// With every figure at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("biobankd");
        let answers = Family::<Answer, Counter>::default();
        let seconds = Family::<Served, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
        let log_size = Gauge::default();
        registry.register("requests", "Requests by method, route and status", answers.clone());
        registry.register("request_seconds", "Time until an answer began", seconds.clone());
        registry.register("log_entries", "Entries under the published checkpoint", log_size.clone());
        Self { registry: Mutex::new(registry), answers, seconds, log_size }
    }

    /// Adds figures of another part of the service. A lock that was held in a panic still holds a whole registry.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts an answer. All labels come from lists in the program, so their number is bounded.
    pub fn answered(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        self.answers.get_or_create(&Answer { method, route, status }).inc();
        self.seconds.get_or_create(&Served { route }).observe(took.as_secs_f64());
    }

    /// Says how many entries the log has.
    pub fn log_size(&self, entries: u64) {
        self.log_size.set(i64::try_from(entries).unwrap_or(i64::MAX));
    }

    /// All figures as text.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(text)
    }
}
