//! `consentctl decide`.

mod line;

use crate::stream::{self, Stopped};
use consent::Matcher;
use consent::ontology::Ontology;
use std::io::{self, ErrorKind, Read};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// More than any disease hierarchy has that the reader takes, so that a wrong file does not fill the memory first.
const MOST_BYTES: u64 = 65_000_000;

#[derive(clap::Args)]
pub struct Arguments {
    /// A disease hierarchy to use before MONDO, which is built in: OBO, or a table with the columns id, label and
    /// subClassOf; plain or gzip. Where both have the same prefix, the file counts.
    #[arg(long, value_name = "FILE")]
    ontology: Option<PathBuf>,
    /// Leave out the topic rule, to look at one facet of policy and purpose alone.
    #[arg(long)]
    facet: bool,
}

pub fn run(arguments: Arguments) -> ExitCode {
    let own = match arguments.ontology.as_deref().map(read).transpose() {
        Ok(own) => own,
        Err(reason) => return stop(&reason),
    };
    if let Some(own) = &own
        && let [first, ..] = own.dropped_links()
    {
        let count = own.dropped_links().len();
        eprintln!(
            "consentctl: {count} is-a links of the ontology are left out, as their parents are not in the file; the \
             first is {:?} on line {}",
            first.parent, first.line
        );
    }
    let facet = arguments.facet;
    let answer = move |number: u64, line: Option<&[u8]>, out: &mut Vec<u8>| {
        let ontologies: &[&Ontology] = match &own {
            Some(own) => &[own, Ontology::mondo()],
            None => &[Ontology::mondo()],
        };
        let matcher = Matcher::new(ontologies);
        let matcher = if facet { matcher.facet() } else { matcher };
        line::answer(&matcher, || wallet::now().date(), number, line, out)
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    match stream::run(io::stdin(), io::stdout(), workers, answer) {
        Ok(bad) => ExitCode::from(u8::from(bad > 0)),
        // Whoever reads our answers has seen enough.
        Err(Stopped::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(stopped) => stop(&stopped.to_string()),
    }
}

fn stop(reason: &str) -> ExitCode {
    eprintln!("consentctl: {reason}");
    ExitCode::from(2)
}

fn read(path: &Path) -> Result<Ontology, String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ontology::read(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}
