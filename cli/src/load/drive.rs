//! Sends prepared requests over many connections, at full speed or at a pace, and counts what came of them.

use super::wire::{Address, Answer, Request, Wire};
use ledger::EntryHash;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often a busy service is asked again.
const TRIES: usize = 200;
/// How long to wait at most before a busy service is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long if it does not say.
const PAUSE: Duration = Duration::from_millis(20);

/// A request with what must come back.
pub struct Job {
    /// The request.
    pub request: Request,
    /// What must come back.
    pub expects: Expects,
}

/// What must come back.
pub enum Expects {
    /// That one entry is durable.
    Entry,
    /// That each of so many is.
    Entries(usize),
    /// Anything with the status 200.
    Ok,
    /// Decisions about so many subjects.
    Decisions(usize),
}

/// What came of the requests.
#[derive(Default)]
pub struct Tally {
    /// What was done: entries, reads, decisions.
    pub done: u64,
    /// Of each request, from when it was due until its answer was there.
    pub latencies: Vec<Duration>,
    /// Entries that the service said are durable, with their numbers.
    pub acknowledged: Vec<(u64, EntryHash)>,
    /// How many of them came with their receipt.
    pub receipts: u64,
    /// How often the service asked to come later.
    pub busy: u64,
    /// What went wrong, and how often.
    pub errors: BTreeMap<String, u64>,
    /// From the first request to the last answer.
    pub took: Duration,
}

#[derive(Deserialize)]
struct Taken {
    status: u16,
    hash: Option<EntryHash>,
    index: Option<u64>,
    receipt: Option<serde::de::IgnoredAny>,
    code: Option<String>,
}

#[derive(Deserialize)]
struct ManyTaken {
    results: Vec<Taken>,
}

#[derive(Deserialize)]
struct Decided {
    answers: Vec<serde::de::IgnoredAny>,
}

impl Tally {
    fn error(&mut self, what: impl Into<String>) {
        *self.errors.entry(what.into()).or_insert(0) += 1;
    }

    fn add(&mut self, other: Self) {
        self.done += other.done;
        self.latencies.extend(other.latencies);
        self.acknowledged.extend(other.acknowledged);
        self.receipts += other.receipts;
        self.busy += other.busy;
        for (what, count) in other.errors {
            *self.errors.entry(what).or_insert(0) += count;
        }
    }

    /// The latency that so many percent of the requests stay below.
    pub fn percentile(&self, percent: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        let place = (self.latencies.len() as f64 * percent / 100.0).ceil() as usize;
        self.latencies.get(place.saturating_sub(1).min(last)).copied().unwrap_or_default()
    }

    /// How many a second.
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }

    /// Takes an answer. False if the service asks to come again.
    fn take(&mut self, expects: &Expects, answer: &Answer) -> bool {
        if matches!(answer.status, 429 | 503) {
            return false;
        }
        let many: Vec<Taken> = match expects {
            Expects::Ok | Expects::Decisions(_) if answer.status != 200 => {
                self.error(format!("status {}", answer.status));
                return true;
            }
            Expects::Ok => {
                self.done += 1;
                return true;
            }
            Expects::Decisions(asked) => {
                let decided = serde_json::from_slice::<Decided>(&answer.body).map(|decided| decided.answers.len());
                if decided.is_ok_and(|count| count == *asked) {
                    self.done += *asked as u64;
                } else {
                    self.error("not the decisions that were asked for");
                }
                return true;
            }
            Expects::Entry => serde_json::from_slice(&answer.body).into_iter().collect(),
            Expects::Entries(_) => {
                serde_json::from_slice::<ManyTaken>(&answer.body).map(|many| many.results).unwrap_or_default()
            }
        };
        if many.iter().any(|taken| matches!(taken.status, 429 | 503)) {
            return false;
        }
        let asked = if let Expects::Entries(asked) = expects { *asked } else { 1 };
        if many.len() != asked {
            self.error(format!("status {}, and not the answers that were asked for", answer.status));
        }
        for taken in many {
            match (taken.hash, taken.index) {
                (Some(hash), Some(index)) if matches!(taken.status, 200 | 202) => {
                    self.done += 1;
                    self.receipts += u64::from(taken.receipt.is_some());
                    self.acknowledged.push((index, hash));
                }
                _ => self.error(taken.code.unwrap_or_else(|| format!("status {}", taken.status))),
            }
        }
        true
    }
}

/// Sends the requests of each line over a connection of its own, one after the other. With a pace, so many requests a
/// second are due over all lines together, and a late answer counts as late for each request that it kept waiting.
pub fn drive(address: &Address, lines: Vec<Vec<Job>>, pace: Option<f64>) -> Tally {
    let step = pace.map(|pace| Duration::from_secs_f64(lines.len() as f64 / pace));
    let begun = Instant::now();
    let count = lines.len();
    let mut tally = std::thread::scope(|scope| {
        let send = |(number, jobs)| {
            // The lines start one after the other within a step.
            let first = step.map(|step| step.mul_f64(number as f64 / count as f64)).unwrap_or_default();
            scope.spawn(move || send(address, jobs, begun + first, step))
        };
        let threads: Vec<_> = lines.into_iter().enumerate().map(send).collect();
        let mut tally = Tally::default();
        for thread in threads {
            match thread.join() {
                Ok(part) => tally.add(part),
                Err(_) => tally.error("a line of requests broke off"),
            }
        }
        tally
    });
    tally.took = begun.elapsed();
    tally.latencies.sort_unstable();
    tally
}

fn send(address: &Address, jobs: Vec<Job>, begun: Instant, step: Option<Duration>) -> Tally {
    let mut tally = Tally::default();
    let mut wire = None;
    for (number, job) in jobs.into_iter().enumerate() {
        let due = match step {
            Some(step) => begun + step.mul_f64(number as f64),
            None => Instant::now(),
        };
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        // Nothing is given up silently: an entry of a donor that is missing would turn away all that come after it.
        for again in 0.. {
            match call(address, &mut wire, &job.request) {
                Ok(answer) if tally.take(&job.expects, &answer) => break,
                _ if again == TRIES => {
                    tally.error("no answer after many tries");
                    break;
                }
                Ok(answer) => {
                    tally.busy += 1;
                    let pause = answer.retry_after.map_or(PAUSE, Duration::from_secs);
                    std::thread::sleep(pause.min(LONGEST_PAUSE));
                }
                Err(error) => {
                    tally.error(format!("connection: {}", error.kind()));
                    wire = None;
                    std::thread::sleep(PAUSE);
                }
            }
        }
        tally.latencies.push(due.elapsed());
    }
    tally
}

fn call(address: &Address, wire: &mut Option<Wire>, request: &Request) -> std::io::Result<Answer> {
    let open = match wire.take() {
        Some(open) => open,
        None => Wire::open(address)?,
    };
    wire.insert(open).call(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: None, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn only_what_was_acknowledged_counts() {
        let (hash, mut tally) = (EntryHash::of(b"x"), Tally::default());
        let one = format!(r#"{{"status":202,"hash":"{hash}","index":7}}"#);
        assert!(tally.take(&Expects::Entry, &answer(202, &one)));
        let with_receipt = format!(r#"{{"status":200,"hash":"{hash}","index":8,"receipt":"r"}}"#);
        let refused = r#"{"status":409,"code":"previous-mismatch","title":"x"}"#;
        let many = format!(r#"{{"results":[{with_receipt},{refused}]}}"#);
        assert!(tally.take(&Expects::Entries(2), &answer(200, &many)));
        assert_eq!((tally.done, tally.receipts), (2, 1));
        assert_eq!(tally.acknowledged, [(7, hash), (8, hash)]);
        assert_eq!(tally.errors.get("previous-mismatch"), Some(&1));
        // Busy, as a whole or for one of many: all is sent again, and nothing was counted.
        let busy = format!(r#"{{"results":[{with_receipt},{{"status":503,"code":"busy"}}]}}"#);
        assert!(!tally.take(&Expects::Entries(2), &answer(200, &busy)));
        assert!(!tally.take(&Expects::Entry, &answer(429, "")));
        assert_eq!(tally.done, 2);
        // An answer that says nothing is an error.
        assert!(tally.take(&Expects::Entry, &answer(200, "?")) && tally.take(&Expects::Entries(1), &answer(200, "{}")));
        assert!(tally.take(&Expects::Decisions(2), &answer(200, r#"{"answers":[{}]}"#)));
        assert!(tally.take(&Expects::Ok, &answer(404, "")));
        assert_eq!((tally.done, tally.errors.values().sum::<u64>()), (2, 5));
        assert!(tally.take(&Expects::Decisions(2), &answer(200, r#"{"answers":[{},{}]}"#)));
        assert!(tally.take(&Expects::Ok, &answer(200, "")));
        assert_eq!(tally.done, 5);
    }

    #[test]
    fn percentiles_are_those_of_the_requests() {
        let latencies = (1..=200).map(Duration::from_millis).collect();
        let tally = Tally { latencies, ..Tally::default() };
        assert_eq!(tally.percentile(50.0), Duration::from_millis(100));
        assert_eq!(tally.percentile(99.0), Duration::from_millis(198));
        assert_eq!(tally.percentile(100.0), Duration::from_millis(200));
        assert_eq!(Tally::default().percentile(99.0), Duration::ZERO);
    }
}
