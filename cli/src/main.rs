//! `consentctl`: check a proof of consent, decide what policies allow, audit a log, call a biobank with a key.
//!
//! Prints are this program's face: everything else goes through exit codes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks by printing")]

mod audit;
mod call;
mod decide;
mod entry;
mod evidence;
mod export;
mod import;
mod key;
mod load;
mod replay;
mod request;
mod stream;
mod tls;
mod vc_api;
mod verify;
mod verify_batch;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Research consent for terminals and pipelines.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a proof of consent.
    ///
    /// Exit status: 0 permit, 1 deny, 2 review, 3 not valid, 4 could not check.
    Verify(verify::Arguments),
    /// Check the signatures of many consents: one credential, or one proof of consent, a line.
    ///
    /// Says of each line, in the same order, whether it is valid at this moment, and which checks failed. With --ledger a
    /// proof is held against the record, which is read once, and the answer is permit, deny or review for the purpose;
    /// without it nobody asks whether a consent was withdrawn, and of a credential alone nobody can. A credential is a
    /// consent; an enrolment names its two parties elsewhere and fails here by its type.
    ///
    /// With --json: {"line":7,"kind":"credential","verdict":"not valid","failed":["signature"],"notMade":[]}. In a proof
    /// the checks that need the record are not made, unless --ledger names it.
    ///
    /// Ctrl-C ends after the lines that were read, and says at which line to go on.
    ///
    /// Exit status: 0 every line is valid or permitted, 1 some are not, 2 wrong arguments, or input or output that
    /// failed, 4 the ledger can not be read, 130 ended by Ctrl-C.
    #[command(verbatim_doc_comment)]
    VerifyBatch(verify_batch::Arguments),
    /// Decide whether policies allow purposes: one JSON object a line in, one a line out, in the same order.
    ///
    /// In: {"id":"1","at":"2026-11-22","policy":{"permissions":["GRU"]},"purpose":{"topics":["HMB"]}}. The id is any
    /// text, number, true, false or null and comes back as it came; without it the answer has none. "at" is a day, or a
    /// moment (RFC 3339) whose day in UTC counts; without it, today in UTC. A member that is not known is a matter for
    /// review. Empty lines are passed over.
    ///
    /// Out: {"id":"1","decision":"permit","reasons":[...],"duties":[...],"evaluated":[...]}. A line that cannot be
    /// decided gives {"line":7,"error":"..."}, with the id if it could be read, and the rest goes on.
    ///
    /// Exit status: 0 every line was decided, 1 some could not be, 2 wrong arguments, an ontology that cannot be used,
    /// or input or output that failed.
    #[command(verbatim_doc_comment)]
    Decide(decide::Arguments),
    /// Write a consent in the form that another system reads.
    ///
    /// The signature is checked first. Without --ledger the state is the one that was signed, and the output says so.
    ///
    /// Exit status: 0 written, 1 no visa as the decision is deny, 2 no visa as it is review (or wrong arguments), 3 not
    /// valid, 4 could not check, read or write.
    Export(export::Arguments),
    /// Read answers from another system as choices: CTRL-style questions as JSON or CSV, or a FHIR Consent.
    ///
    /// Prints {"format", "choices", "policy", "read", "leftOut"}. What could not be taken over is listed in leftOut.
    ///
    /// Exit status: 0 read, 3 not a form that is known, 4 could not read the file.
    Import(import::Arguments),
    /// Send a request that a key signs, and print the answer: for staff, committees, auditors, members of a federation
    /// and programs, who have no window. The routes and their bodies: GET /v1/openapi.json.
    ///
    /// The signature (RFC 9421) covers method, address, query and body, counts once, and is good for five minutes.
    ///
    /// Exit status: 0 granted, 1 refused (the answer says why, standard error the status), 2 wrong arguments, 4 could
    /// not ask: the key is missing or readable by others, a file can not be read, nobody answers.
    Call(call::Arguments),
    /// Take up an account with a one-time code: from then on the biobank knows the key by its role.
    ///
    /// Exit status: 0 the account is there, 1 refused, 2 wrong arguments, 4 could not ask.
    Pair(call::Pair),
    /// Make and look at keys in files.
    #[command(subcommand)]
    Key(key::Command),
    /// Measure how many signed entries a second a log takes, or how much is read of it, and whether it keeps its word.
    ///
    /// Lets people of its own in (with --staff-code), signs their entries beforehand, which does not count, and sends
    /// them. Then the whole log is audited and each entry that was acknowledged is looked for. The entries stay in the
    /// log: never do this with one that is in use. Limits of callers and addresses are the service's own; start it with
    /// --limit address.write=0 and the like.
    ///
    /// Exit status: 0 sound and all there, 1 not so, or there were errors, 4 could not measure.
    Load(load::Arguments),
    /// Ask one donor for proof of consent, by a link (OpenID4VP 1.0), and check what comes back.
    ///
    /// Prints the link, which is for that donor alone, and waits for one valid answer. The donor's wallet has to reach
    /// this program: with TLS, or behind something that has it and is named by --public.
    ///
    /// Exit status: 0 permit, 1 deny, 2 review (or wrong arguments), 4 nobody answered, or it could not be checked.
    Request(request::Arguments),
    /// Sign and verify credentials of any kind for other programs, over HTTP (the W3C VC-API).
    ///
    /// Prints its addresses, a line each, and runs until it is ended. Routes: POST /INSTANCE/credentials/issue,
    /// POST /credentials/verify, POST /presentations/verify, POST /credentials/status, GET /status/NUMBER, GET /keys,
    /// GET /identifiers/DID, GET /1.0/identifiers/DID, GET /openapi.json; GET / is a page to check a credential on.
    /// Contexts that are not part of the program are unknown, and nothing is fetched but, with --resolve-web, documents
    /// of did:web and status lists.
    ///
    /// Whoever can have things signed speaks in this institution's name: programs on this machine only, unless
    /// --issue-for-all is given.
    ///
    /// Exit status: 0 ended, 4 could not start or go on.
    VcApi(vc_api::Arguments),
    /// Work with a ledger.
    #[command(subcommand)]
    Ledger(Ledger),
}

#[derive(Subcommand)]
enum Ledger {
    /// Download a whole log, rebuild its tree, check every signature and every rule.
    ///
    /// A log that was pruned is audited from an entry on, if --from says so.
    ///
    /// Exit status: 0 sound (with --from: what is left of it), 1 not sound, 4 could not check.
    Audit(audit::Arguments),
    /// Read a whole log, apply every entry by the rules, and print size, root, state hash and counts by kind.
    ///
    /// Whoever replays the same entries must get the same state hash. A log that was pruned can not be replayed.
    ///
    /// Exit status: 0 sound and as expected, 1 a difference, 4 could not check.
    Replay(replay::Arguments),
    /// Sign an entry of an institution, a committee, a researcher or a key of a donor, and print it.
    ///
    /// The members of each kind: section 1 of ledger/FORMAT.md; who may say it is judged by the log. It is sent with
    /// `consentctl call`: as the body of POST /v1/entries, or in the route of its kind (GET /v1/openapi.json).
    ///
    /// Exit status: 0 printed, 2 wrong arguments, 4 the key or the file can not be used, or it makes no entry.
    Entry(entry::Arguments),
    /// Judge a file of evidence: whether two checkpoints convict the log that signed them. Needs no connection.
    ///
    /// Exit status: 0 proved, 1 not proved, 4 could not read.
    Evidence(evidence::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Verify(arguments) => verify::run(arguments).await,
        Command::VerifyBatch(arguments) => verify_batch::run(arguments).await,
        Command::Decide(arguments) => decide::run(arguments),
        Command::Export(arguments) => export::run(arguments).await,
        Command::Import(arguments) => import::run(&arguments),
        Command::Call(arguments) => call::run(arguments).await,
        Command::Pair(arguments) => call::pair(arguments).await,
        Command::Key(command) => key::run(&command),
        Command::Load(arguments) => load::run(arguments).await,
        Command::Request(arguments) => request::run(arguments).await,
        Command::VcApi(arguments) => vc_api::run(arguments).await,
        Command::Ledger(Ledger::Audit(arguments)) => audit::run(arguments).await,
        Command::Ledger(Ledger::Replay(arguments)) => replay::run(arguments).await,
        Command::Ledger(Ledger::Entry(arguments)) => entry::run(&arguments),
        Command::Ledger(Ledger::Evidence(arguments)) => evidence::run(&arguments),
    }
}
