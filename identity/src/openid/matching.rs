//! Which credentials of a holder a query asks for (OpenID4VP 1.0, sections 6.4 and 7).

use super::dcql::{ClaimQuery, CredentialQuery, CredentialSet, Format, Query, Step};
use serde_json::Value;

/// The types of a consent credential, as [`Held`] has them.
pub const CONSENT_TYPES: &[&[&str]] = &[
    &["VerifiableCredential", "https://www.w3.org/2018/credentials#VerifiableCredential"],
    &["ResearchConsentCredential", "https://w3id.org/consent-wallet/v1#ResearchConsentCredential"],
];

/// A credential as the query sees it, in whatever form it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The form in which it would be shown.
    pub format: Format,
    /// Each of its types under every name that it has: the term and the IRI of a W3C credential, the `vct` of an SD-JWT.
    pub types: &'a [&'a [&'a str]],
    /// Its content: the W3C credential, or the processed claims of an SD-JWT.
    pub claims: &'a Value,
}

/// A credential that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its place among those that were looked at.
    pub held: usize,
    /// The claims that it would be shown for, as places in the query's list: the first set that it can meet.
    pub claims: Vec<usize>,
}

/// Something that a verifier wants, and that this holder can give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Whether the verifier can not go on without it.
    pub required: bool,
    /// The credential queries that meet it, each with the credentials that fit, of which there is at least one.
    pub credentials: Vec<(String, Vec<Found>)>,
}

/// Finds what a query asks for, or `None` where something that is required is not there: then nothing may be shown.
/// What is optional and not there is left out.
pub fn find(query: &Query, held: &[Held<'_>]) -> Option<Vec<Want>> {
    let found: Vec<(&str, Vec<Found>)> =
        query.credentials.iter().map(|one| (one.id.as_str(), fitting(one, held))).collect();
    let all = |ids: &[String]| {
        let of = |id: &String| found.iter().find(|(name, found)| name == id && !found.is_empty());
        ids.iter().map(|id| of(id).map(|(name, found)| ((*name).to_owned(), found.clone()))).collect::<Option<Vec<_>>>()
    };
    if query.sets.is_empty() {
        // Without sets every credential is required.
        let each = query.credentials.iter().map(|one| std::slice::from_ref(&one.id));
        return each.map(|id| all(id).map(|credentials| Want { required: true, credentials })).collect();
    }
    let mut wants = Vec::new();
    for CredentialSet { options, required } in &query.sets {
        match options.iter().find_map(|ids| all(ids)) {
            Some(credentials) => wants.push(Want { required: *required, credentials }),
            None if *required => return None,
            None => {}
        }
    }
    if wants.is_empty() { None } else { Some(wants) }
}

fn fitting(query: &CredentialQuery, held: &[Held<'_>]) -> Vec<Found> {
    if query.trusted_authorities {
        return Vec::new();
    }
    let fits = |(place, one): (usize, &Held<'_>)| {
        let has = |kind: &String| one.types.iter().any(|names| names.contains(&kind.as_str()));
        let typed = query.format == one.format && query.types.iter().any(|all| all.iter().all(has));
        let claims = if typed { claims(query, one.claims) } else { None };
        claims.map(|claims| Found { held: place, claims })
    };
    held.iter().enumerate().filter_map(fits).collect()
}

/// The claims to show, if the credential has them.
fn claims(query: &CredentialQuery, content: &Value) -> Option<Vec<usize>> {
    let has = |place: &usize| query.claims.get(*place).is_some_and(|claim| matches(claim, content));
    let everything: Vec<usize> = (0..query.claims.len()).collect();
    let sets = if query.claim_sets.is_empty() { std::slice::from_ref(&everything) } else { &query.claim_sets[..] };
    sets.iter().find(|set| set.iter().all(has)).cloned()
}

fn matches(claim: &ClaimQuery, content: &Value) -> bool {
    let chosen = select(&claim.path, content);
    !chosen.is_empty() && (claim.values.is_empty() || chosen.iter().any(|found| claim.values.contains(found)))
}

/// What a path leads to; nothing if a step does not fit what is there (section 7.1).
fn select<'a>(path: &[Step], content: &'a Value) -> Vec<&'a Value> {
    let mut chosen = vec![content];
    for step in path {
        let mut next = Vec::new();
        for value in chosen {
            match (step, value) {
                (Step::Member(name), Value::Object(object)) => next.extend(object.get(name)),
                (Step::Item(place), Value::Array(items)) => next.extend(items.get(*place)),
                (Step::All, Value::Array(items)) => next.extend(items),
                _ => return Vec::new(),
            }
        }
        chosen = next;
    }
    chosen
}
