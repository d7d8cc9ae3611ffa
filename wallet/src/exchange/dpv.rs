//! ISO/IEC TS 27560 consent receipts in the Data Privacy Vocabulary (DPV 2), as JSON-LD.
//!
//! Source: W3C DPVCG, "Guide for implementing ISO/IEC TS 27560 using DPV", profile `dpv-27560#receipt`. Every IRI is
//! written out as `@id`, so that no reader has to guess which text is a name and which an address; the context holds
//! prefixes only and is never fetched.
//!
//! Two fields that TS 27560 asks for are not in a consent: the postal address of a party (an identifier that leads to
//! it stands instead), and storage locations (the places where data may be used stand instead).
//!
//! DPV has no word for a pause, for a consent that a newer one replaced, or for levels of a withdrawal: those are terms
//! of our own below `dpv:ConsentStatusInvalidForProcessing`, and each status also carries the state of this program.

use super::{ConsentRecord, Kind, argument, iri, kind, own, put};
use consent::{ConsentState, Modifier, Permission, Timestamp, Vocabulary};
use serde_json::{Value, json};

/// The profile of the guide that this follows.
const PROFILE: &str = "https://w3id.org/dpv/schema/dpv-27560#receipt";

/// The receipt of a consent.
pub fn export(record: &ConsentRecord) -> Value {
    let claims = &record.claims;
    let mut receipt = json!({
        "@context": {
            "dpv": "https://w3id.org/dpv#",
            "pd": "https://w3id.org/dpv/pd#",
            "loc": "https://w3id.org/dpv/loc#",
            "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
            "dct": "http://purl.org/dc/terms/",
            "skos": "http://www.w3.org/2004/02/skos/core#",
            "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
            "own": consent::OWN,
            // Members without a prefix are terms of our own.
            "@vocab": consent::OWN,
        },
        "@id": record.credential_id,
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": record.uuid(),
        "dct:conformsTo": id(PROFILE),
        "dct:hasVersion": identity::CONSENT_SCHEMA,
        "dct:issued": moment(record.issued),
        "dpv:hasDataSubject": { "@id": claims.subject, "@type": "dpv:DataSubject" },
        "dpv:hasDataController": { "@id": claims.biobank },
        "dpv:hasRecipient": { "@id": claims.recipient },
        "dpv:hasEntity": [
            party(claims.biobank.as_str(), record.biobank(), "dpv:DataController"),
            party(&claims.recipient, record.organisation(), "dpv:Recipient"),
        ],
        "dpv:hasNotice": notice(record),
        "dpv:hasLegalBasis": legal_basis(record),
        "dpv:hasProcess": process(record),
        "dpv:hasConsentControl": withdrawal(record),
        "dpv:hasConsentStatus": statuses(record),
        "own:study": {
            "dct:identifier": claims.study,
            "dct:title": record.study(),
            "dct:hasVersion": claims.version,
        },
        "own:credentialSha256": hex::encode(record.credential_hash),
    });
    let terms = &claims.terms;
    put(&mut receipt, "dpv:hasJurisdiction", terms.jurisdiction.as_ref().map(|place| id(&format!("loc:{place}"))));
    put(&mut receipt, "own:supersedes", claims.supersedes.as_ref().map(|hash| json!(hash)));
    put(&mut receipt, "own:entry", record.entry.as_ref().map(entry));
    put(&mut receipt, "own:stateChecked", record.state_checked.map(moment));
    put(&mut receipt, "own:preferences", (!claims.preferences.is_empty()).then(|| json!(claims.preferences)));
    put(&mut receipt, "own:ethics", terms.ethics.as_ref().map(|ethics| json!(ethics)));
    put(&mut receipt, "own:comprehension", terms.comprehension.as_ref().map(|check| json!(check)));
    put(&mut receipt, "own:provenance", terms.provenance.as_ref().map(|hash| json!(hash)));
    put(&mut receipt, "own:community", terms.community.as_ref().map(|body| id(body)));
    if let Some(acting) = &terms.acting_for {
        let role = match acting.relation.as_str() {
            "parent" => "dpv:ParentOfDataSubject",
            "guardian" => "dpv:GuardianOfDataSubject",
            _ => "dpv:Representative",
        };
        let mut who = json!({ "@type": role, "own:authorityEvidence": acting.evidence });
        put(&mut who, "own:assent", acting.assent.map(|assent| json!(assent)));
        put(&mut who, "own:majority", acting.majority.map(day));
        receipt["dpv:hasRepresentative"] = who;
    }
    receipt
}

fn id(iri: &str) -> Value {
    json!({ "@id": iri })
}

fn moment(at: Timestamp) -> Value {
    json!({ "@value": at, "@type": "xsd:dateTime" })
}

fn day(day: consent::Date) -> Value {
    json!({ "@value": day, "@type": "xsd:date" })
}

fn entry((number, hash): &(u64, String)) -> Value {
    json!({ "own:number": number, "own:sha256": hash })
}

fn party(identifier: &str, name: &str, role: &str) -> Value {
    json!({
        "@id": identifier,
        "@type": ["dpv:LegalEntity", role],
        "dct:identifier": identifier,
        "dpv:hasName": name,
        "dpv:hasContact": identifier,
    })
}

fn notice(record: &ConsentRecord) -> Value {
    let notice = &record.claims.notice;
    let mut value = json!({
        "@id": notice.uri,
        "@type": "dpv:ConsentNotice",
        "dct:language": notice.language,
        "dct:hasVersion": notice.version,
        "own:sha256": notice.sha256,
    });
    put(&mut value, "dct:description", (!record.statement.is_empty()).then(|| json!(record.statement)));
    value
}

fn legal_basis(record: &ConsentRecord) -> Value {
    let mut all = vec![id("dpv:ExplicitlyExpressedConsent")];
    for basis in &record.claims.terms.legal_basis {
        // A name of another list is a text: as an address it would point nowhere.
        all.push(if basis.starts_with("eu-gdpr:") || basis.starts_with("dpv:") { id(basis) } else { json!(basis) });
    }
    json!(all)
}

fn process(record: &ConsentRecord) -> Value {
    let (policy, terms) = (&record.claims.policy, &record.claims.terms);
    let purpose = |permission: &Permission| {
        let mut purpose = json!({
            "@type": ["dpv:Purpose", iri(permission.id())],
            "skos:notation": permission.code(),
            "skos:broader": id("dpv:ScientificResearch"),
        });
        if *permission == Permission::Ds {
            let diseases: Vec<_> = policy.diseases.iter().map(|term| id(&iri(term))).collect();
            put(&mut purpose, "own:diseases", Some(json!(diseases)));
            put(&mut purpose, "own:ontology", policy.ontology.as_ref().map(|ontology| json!(ontology)));
        }
        purpose
    };
    let data = |kind: &consent::DataKind| {
        let broader = match kind {
            consent::DataKind::Genome | consent::DataKind::Sample => "pd:Genetic",
            _ => "pd:MedicalHealth",
        };
        let mut data = json!({
            "@type": ["dpv:PersonalData", "dpv:SpecialCategoryPersonalData", kind.id()],
            "skos:notation": kind.code(),
            "skos:broader": id(broader),
        });
        let assets: Vec<_> = terms.assets.iter().filter(|asset| asset.kind == *kind).collect();
        put(&mut data, "own:assets", Some(json!(assets)));
        data
    };
    // What is not in force permits nothing; what must not be done still stands.
    let holds = |modifier: &&Modifier| record.state.allows_use() || kind(modifier) != Kind::Permission;
    let rules = policy.modifiers.iter().filter(holds);
    let mut process = json!({
        "@type": "dpv:Process",
        "dpv:hasPurpose": policy.permissions.iter().map(purpose).collect::<Vec<_>>(),
        "dpv:hasPersonalData": policy.shared().iter().map(data).collect::<Vec<_>>(),
        "dpv:hasProcessing": [id("dpv:Use"), id("dpv:Store")],
        "dpv:hasRecipient": id(&record.claims.recipient),
        "dpv:hasStorageCondition": {
            "@type": "dpv:StorageDuration",
            "dpv:hasDuration": until(terms.retain_until.or(policy.until).map(consent::Date::end)),
        },
        "dpv:hasRule": rules.map(rule).collect::<Vec<_>>(),
    });
    let places = policy.modifiers.iter().filter_map(|modifier| match modifier {
        Modifier::Gs { places } => Some(places),
        _ => None,
    });
    let places: Vec<_> = places.flatten().map(|place| id(&format!("loc:{place}"))).collect();
    put(&mut process, "dpv:hasLocation", Some(json!(places)));
    let kinds: Vec<_> = policy.recipients.iter().map(|kind| id(kind.id())).collect();
    put(&mut process, "own:recipients", Some(json!(kinds)));
    put(&mut process, "own:answers", (!policy.answers.is_empty()).then(|| json!(policy.answers)));
    put(&mut process, "own:collectUntil", terms.collect_until.map(day));
    process
}

fn rule(modifier: &Modifier) -> Value {
    let kind = match kind(modifier) {
        Kind::Prohibition => "dpv:Prohibition",
        Kind::Limit => "dpv:Rule",
        Kind::Duty => "dpv:Obligation",
        Kind::Permission => "dpv:Permission",
    };
    let mut rule = json!({
        "@type": kind,
        "dct:source": id(&iri(modifier.id())),
        "skos:notation": modifier.code(),
    });
    if let Some((name, value)) = argument(modifier) {
        rule[format!("own:{name}")] = value;
    }
    rule
}

fn until(end: Option<Timestamp>) -> Value {
    match end {
        Some(end) => json!({ "@type": "dpv:UntilTimeDuration", "rdf:value": moment(end) }),
        None => json!({ "@type": "dpv:EndlessDuration" }),
    }
}

fn withdrawal(record: &ConsentRecord) -> Value {
    let mut control = json!({ "@type": "dpv:WithdrawConsent" });
    if let Some(terms) = &record.claims.terms.withdrawal {
        let levels: Vec<_> = terms.levels.iter().map(|level| id(level.id())).collect();
        put(&mut control, "own:levels", Some(json!(levels)));
        put(&mut control, "own:graceDays", terms.grace_days.map(|days| json!(days)));
    }
    control
}

/// The life of the consent, oldest first; the last one is where it stands.
fn statuses(record: &ConsentRecord) -> Value {
    let by = |state: ConsentState| match state {
        ConsentState::Requested | ConsentState::Revoked | ConsentState::Invalidated => &record.claims.biobank,
        _ => &record.claims.subject,
    };
    let status = |state: ConsentState, at: Timestamp, words: Option<&str>, written: Option<&(u64, String)>| {
        let mut status = json!({
            "@type": word(state, record.claims.supersedes.is_some()),
            "own:state": id(state.id()),
            "dpv:isIndicatedAtTime": moment(at),
            "dpv:isIndicatedBy": { "@id": by(state) },
            "dpv:hasDuration": until(record.valid_until),
        });
        put(&mut status, "dct:description", words.map(|words| json!(words)));
        put(&mut status, "own:entry", written.map(entry));
        status
    };
    let mut all: Vec<_> = record
        .events
        .iter()
        .map(|event| status(event.state, event.at, Some(&event.words), event.entry.as_ref()))
        .collect();
    let told = record.events.last().is_some_and(|last| last.state == record.state && last.at == record.state_since);
    if !told {
        let words = record.state_checked.is_none().then_some("As it was signed. Nobody looked at the record.");
        all.push(status(record.state, record.state_since, words, None));
    }
    json!(all)
}

/// The word of DPV for a state, or our own below the one that says "not valid for processing".
fn word(state: ConsentState, renewed: bool) -> Value {
    let dpv = match state {
        ConsentState::Requested => "ConsentRequested",
        ConsentState::Deferred => "ConsentRequestDeferred",
        ConsentState::Refused => "ConsentRefused",
        ConsentState::Active if renewed => "RenewedConsentGiven",
        ConsentState::Active => "ConsentGiven",
        ConsentState::Expired => "ConsentExpired",
        ConsentState::NoContact | ConsentState::NoAccess | ConsentState::Withdrawn | ConsentState::DestroySample => {
            "ConsentWithdrawn"
        }
        ConsentState::Revoked => "ConsentRevoked",
        ConsentState::Invalidated => "ConsentInvalidated",
        _ => return json!(["dpv:ConsentStatusInvalidForProcessing", own(state.code())]),
    };
    json!(format!("dpv:{dpv}"))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn each_state_has_a_status_and_only_a_live_one_says_given() {
        for state in ConsentState::ALL {
            let record = ConsentRecord { state: *state, events: Vec::new(), ..sample::record() };
            let receipt = export(&record);
            let statuses = receipt["dpv:hasConsentStatus"].as_array().unwrap();
            assert_eq!(statuses.len(), 1);
            assert_eq!(statuses[0]["own:state"]["@id"], state.id());
            let given = statuses[0]["@type"].to_string().contains("ConsentGiven");
            assert_eq!(given, *state == ConsentState::Active, "{state:?}");
            assert_eq!(receipt.to_string().contains("dpv:Permission"), state.allows_use(), "{state:?}");
        }
    }

    #[test]
    fn a_state_that_nobody_looked_up_says_so() {
        let receipt = export(&ConsentRecord { state_checked: None, events: Vec::new(), ..sample::record() });
        let text = receipt["dpv:hasConsentStatus"][0]["dct:description"].as_str().unwrap();
        assert!(text.starts_with("As it was signed"));
        assert!(receipt.get("own:stateChecked").is_none());
    }

    #[test]
    fn every_clause_of_the_policy_is_told() {
        let receipt = export(&sample::record());
        let rules = receipt["dpv:hasProcess"]["dpv:hasRule"].as_array().unwrap();
        let policy = sample::policy();
        assert_eq!(rules.len(), policy.modifiers.len());
        for (rule, modifier) in rules.iter().zip(&policy.modifiers) {
            assert_eq!(rule["dct:source"]["@id"], iri(modifier.id()));
            if let Some((name, value)) = argument(modifier) {
                assert_eq!(rule[format!("own:{name}")], value);
            }
        }
        let text = receipt.to_string();
        for word in ["MONDO_0004981", "own:answers", "loc:NL", "own:preferences", "2041-12-31", "P26.041", "NL-1234"] {
            assert!(text.contains(word), "{word}");
        }
    }
}
