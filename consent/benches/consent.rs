//! How many decisions a second, and how many lines of `consentctl decide`; beside the rules of DUOS on the same inputs.
//! `scripts/bench consent` runs it and prints the table.
//!
//! The port of DUOS gives one word and looks at five facets; ours gives every reason, the duties and the terms that were
//! looked at. The name of each benchmark ends in the number of decisions of one round.

#![allow(clippy::unwrap_used, reason = "the inputs are made here")]

#[path = "../tests/duos/mod.rs"]
mod duos;
// The command's own code: the command itself would bring the whole wallet.
#[path = "../../cli/src/decide/line.rs"]
mod line;
mod mix;
#[allow(dead_code, unused_imports, reason = "its tests are compiled here too, and run with the command")]
#[path = "../../cli/src/stream.rs"]
mod stream;

use consent::ontology::Ontology;
use consent::{Date, Matcher, Policy, Purpose};
use criterion::{Criterion, Throughput};
use mix::Mix;
use serde_json::json;
use std::hint::black_box;
use std::io;
use std::num::NonZero;
use std::sync::Arc;

/// So many of each, so that each meets each.
const SIDE: usize = 64;
/// A large biobank.
const BIOBANK: usize = 500_000;
/// Lines of the command's input.
const LINES: usize = 1 << 15;

fn today() -> Date {
    "2026-11-22".parse().unwrap()
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut mix = Mix::new();
    let general = (policies(SIDE, || mix.general_policy()), purposes(|| mix.general_purpose()));
    let mut mix = Mix::new();
    let diseases = (policies(SIDE, || mix.disease_policy()), purposes(|| mix.disease_purpose()));
    each_with_each(&mut criterion, "general", &general);
    each_with_each(&mut criterion, "diseases", &diseases);
    biobank(&mut criterion);
    lines(&mut criterion, &general, &diseases);
    criterion.final_summary();
}

fn policies(count: usize, make: impl FnMut() -> Policy) -> Vec<Policy> {
    std::iter::repeat_with(make).take(count).collect()
}

fn purposes(make: impl FnMut() -> Purpose) -> Vec<Purpose> {
    std::iter::repeat_with(make).take(SIDE).collect()
}

/// Every policy with every purpose, on one core.
fn each_with_each(criterion: &mut Criterion, name: &str, (policies, purposes): &(Vec<Policy>, Vec<Purpose>)) {
    let mondo = Ontology::mondo();
    let (ontologies, at) = ([mondo], today());
    let matcher = Matcher::new(&ontologies);
    let datasets: Vec<_> = policies.iter().map(mix::dataset).collect();
    let requests: Vec<_> = purposes.iter().map(mix::request).collect();
    let count = policies.len() * purposes.len();
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function(format!("ours@{count}"), |bencher| {
        bencher.iter(|| {
            for policy in policies {
                for purpose in purposes {
                    black_box(matcher.decide(black_box(policy), black_box(purpose), at));
                }
            }
        });
    });
    group.bench_function(format!("duos@{count}"), |bencher| {
        bencher.iter(|| {
            for dataset in &datasets {
                for request in &requests {
                    black_box(duos::decide(black_box(request), black_box(dataset), mondo));
                }
            }
        });
    });
    group.finish();
}

/// One purpose against the consents of a whole biobank, on one core.
fn biobank(criterion: &mut Criterion) {
    let mut mix = Mix::new();
    let purpose = mix.disease_purpose();
    let policies = policies(BIOBANK, || mix.any_policy());
    let datasets: Vec<_> = policies.iter().map(mix::dataset).collect();
    let request = mix::request(&purpose);
    let mondo = Ontology::mondo();
    let (ontologies, at) = ([mondo], today());
    let matcher = Matcher::new(&ontologies);
    let mut group = criterion.benchmark_group("biobank");
    group.sample_size(10).throughput(Throughput::Elements(BIOBANK as u64));
    group.bench_function(format!("ours@{BIOBANK}"), |bencher| {
        bencher.iter(|| policies.iter().for_each(|policy| drop(black_box(matcher.decide(policy, &purpose, at)))));
    });
    group.bench_function(format!("duos@{BIOBANK}"), |bencher| {
        bencher.iter(|| {
            for dataset in &datasets {
                black_box(duos::decide(&request, dataset, mondo));
            }
        });
    });
    group.finish();
}

/// From lines of JSON in memory to lines of JSON that nobody keeps, by the code of `consentctl decide`, on all cores.
fn lines(criterion: &mut Criterion, general: &(Vec<Policy>, Vec<Purpose>), diseases: &(Vec<Policy>, Vec<Purpose>)) {
    let mut input = Vec::new();
    for n in 0..LINES {
        let (policies, purposes) = if n % 2 == 0 { general } else { diseases };
        let (policy, purpose) = (&policies[n / 2 % SIDE], &purposes[n / 2 / SIDE % SIDE]);
        let line = json!({"id": n.to_string(), "at": "2026-11-22", "policy": policy, "purpose": purpose});
        serde_json::to_writer(&mut input, &line).unwrap();
        input.push(b'\n');
    }
    let input: Arc<[u8]> = input.into();
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut group = criterion.benchmark_group("lines");
    group.sample_size(20).throughput(Throughput::Elements(LINES as u64));
    group.bench_function(format!("ours@{LINES}"), |bencher| {
        bencher.iter(|| {
            let bad = stream::run(io::Cursor::new(Arc::clone(&input)), io::sink(), workers, |number, line, out| {
                line::answer(&Matcher::new(&[Ontology::mondo()]), today, number, line, out)
            });
            assert_eq!(bad.unwrap(), 0, "every line is decided");
        });
    });
    group.finish();
}
