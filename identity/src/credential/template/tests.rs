//! The short way against the library, byte by byte, over generated documents and their mutations.

use super::super::generated::{Generator, mutate};
use super::super::linked;
use super::{canonical_options, canonical_text};
use serde_json::{Map, Value};

/// How many documents: enough for a test run, or as many as the environment says.
fn cases() -> u64 {
    std::env::var("CANONICAL_CASES").ok().map_or(1_000, |count| count.parse().unwrap())
}

/// What came of one document.
#[derive(Default)]
struct Count {
    equal: u64,
    left: u64,
}

impl Count {
    /// What the short way says must be what the library says. It may always say nothing.
    async fn compare(&mut self, document: &Map<String, Value>, what: &str) {
        let text = || serde_json::to_string(document).unwrap();
        let whole = || Value::Object(document.clone());
        let short = canonical_text(document);
        if let Some(short) = &short {
            assert_eq!(Ok(short), linked::canonical(whole()).await.as_ref(), "{what}\n{}", text());
        }
        let options = document.get("proof").and_then(Value::as_object).and_then(canonical_options);
        // What a proof is about is the options and the document: one of them alone is of no use.
        if let (Some(options), Some(_)) = (&options, &short) {
            let library = linked::canonical_options(whole()).await;
            assert_eq!(Ok(options), library.as_ref(), "{what}, options of the proof\n{}", text());
            self.equal += 1;
        } else {
            self.left += 1;
        }
    }
}

#[tokio::test]
async fn the_short_way_writes_what_the_library_writes() {
    let cases = cases();
    let (mut whole, mut mutated) = (Count::default(), Count::default());
    for seed in 0..cases {
        let mut generator = Generator::new(seed);
        let document = generator.document();
        whole.compare(&document, &format!("document {seed}")).await;
        let (changed, what) = mutate(&document, &mut generator);
        mutated.compare(&changed, &format!("document {seed}, {what}")).await;
    }
    // Some say the same twice, and equal parts get their labels from the long way only.
    assert!(whole.left <= cases / 50, "{} of {cases} whole documents take the long way", whole.left);
    assert!(mutated.left > cases / 10 && mutated.equal > cases / 10, "{} and {}", mutated.equal, mutated.left);
    println!(
        "{} documents are equal, {} mutated ones as well, {} mutated ones take the long way",
        whole.equal, mutated.equal, mutated.left
    );
}
