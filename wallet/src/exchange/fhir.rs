//! HL7 FHIR R5 Consent.
//!
//! Code systems: DUO is `http://purl.obolibrary.org/obo/duo.owl` and MONDO `http://purl.obolibrary.org/obo/mondo.owl`,
//! the pattern under which HL7 Terminology (THO) names ontologies of the OBO Foundry; codes keep their prefix
//! (`DUO:0000042`). What no code system has stands under our own, [`consent::OWN`].
//!
//! `decision` is the base rule. R5 took the type out of provisions, and readers differ on what a provision means; so
//! each provision carries the type that it has in R4, by the extension that FHIR reserves for this
//! (`http://hl7.org/fhir/4.0/StructureDefinition/extension-Consent.provision.type`). The first provision permits; what
//! is prohibited or limited is nested in it as `deny`, duties are its security labels. "Not sure" is nested as `deny`
//! with the answer beside it: it permits nothing.
//!
//! FHIR has no word for a pause: a paused consent is `inactive`, and an extension carries the state of this program.
//! A consent that is not in force has the decision `deny` and no provisions: in R5 they are exceptions to the decision,
//! and what was once permitted is none.

pub(super) mod codes;
mod coding;
pub(super) mod read;

use super::{ConsentRecord, Kind, argument, iri, kind, own, put};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use codes::*;
use consent::{Answer, Answers, ConsentState, Date, Modifier, Vocabulary};
use serde_json::{Map, Value, json};

/// The FHIR resource of a consent.
pub fn export(record: &ConsentRecord) -> Value {
    let (claims, terms) = (&record.claims, &record.claims.terms);
    let subject = party("Patient", claims.subject.as_str(), None);
    let mut consent = json!({
        "resourceType": "Consent",
        "id": record.uuid(),
        "language": claims.notice.language,
        "extension": extensions(record),
        "identifier": [
            { "system": URI, "value": record.credential_id },
            { "system": own("credentialSha256"), "value": hex::encode(record.credential_hash) },
        ],
        "status": status(record.state),
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/consentcategorycodes",
            "code": "research",
            "display": "Research Information Access",
        }] }],
        "subject": subject,
        "date": record.issued.date(),
        "period": period(record),
        "grantor": [subject],
        "grantee": [party("Organization", &claims.recipient, Some(record.organisation()))],
        "manager": [party("Organization", claims.biobank.as_str(), Some(record.biobank()))],
        "controller": [party("Organization", claims.biobank.as_str(), Some(record.biobank()))],
        "sourceAttachment": [attachment(record)],
        "decision": if record.state.allows_use() { "permit" } else { "deny" },
    });
    put(&mut consent, "provision", record.state.allows_use().then(|| provisions(record)));
    if let Some(acting) = &terms.acting_for {
        let mut who = party("RelatedPerson", claims.subject.as_str(), None);
        who["display"] = json!(acting.relation);
        consent["grantor"] = json!([who]);
        consent["verification"] = json!([{
            "verified": true,
            "verificationType": { "text": acting.relation },
            "verifiedWith": { "identifier": { "value": acting.evidence } },
            "verificationDate": [record.issued],
        }]);
    }
    let basis = terms.legal_basis.iter().map(|basis| match basis.split_once(':') {
        Some(("eu-gdpr", article)) => json!({ "coding": [{ "system": GDPR, "code": article }] }),
        _ => json!({ "text": basis }),
    });
    put(&mut consent, "regulatoryBasis", Some(json!(basis.collect::<Vec<_>>())));
    consent
}

/// The word of FHIR for a state. It has none for a pause.
fn status(state: ConsentState) -> &'static str {
    match state {
        ConsentState::Requested | ConsentState::Deferred => "draft",
        ConsentState::Refused => "not-done",
        ConsentState::Active => "active",
        ConsentState::Invalidated => "entered-in-error",
        _ => "inactive",
    }
}

fn party(kind: &str, identifier: &str, name: Option<&str>) -> Value {
    let mut party = json!({ "type": kind, "identifier": { "system": URI, "value": identifier } });
    put(&mut party, "display", name.map(|name| json!(name)));
    party
}

fn period(record: &ConsentRecord) -> Value {
    let mut period = json!({ "start": record.issued });
    put(&mut period, "end", record.valid_until.map(|end| json!(end)));
    period
}

fn attachment(record: &ConsentRecord) -> Value {
    let notice = &record.claims.notice;
    let mut attachment = json!({
        // FHIR's own member for a hash is SHA-1.
        "extension": [
            { "url": own("sha256"), "valueString": notice.sha256 },
            { "url": own("noticeVersion"), "valueString": notice.version.to_string() },
        ],
        "contentType": "text/plain; charset=utf-8",
        "language": notice.language,
        "url": notice.uri,
        "title": record.study(),
        "creation": record.issued,
    });
    if !record.statement.is_empty() {
        attachment["data"] = json!(STANDARD.encode(&record.statement));
    }
    attachment
}

fn extensions(record: &ConsentRecord) -> Value {
    let (claims, terms) = (&record.claims, &record.claims.terms);
    let mut all = vec![
        json!({ "url": own("state"), "valueCode": record.state.code() }),
        json!({ "url": own("stateSince"), "valueDateTime": record.state_since }),
        json!({ "url": own("stateAsSigned"), "valueBoolean": record.state_checked.is_none() }),
        json!({ "url": own("schemaVersion"), "valueString": identity::CONSENT_SCHEMA }),
        group(
            "study",
            [
                part("identifier", "valueString", json!(claims.study)),
                part("version", "valueString", json!(claims.version.to_string())),
            ],
        ),
    ];
    if let Some((number, hash)) = &record.entry {
        let number = part("number", "valueString", json!(number.to_string()));
        all.push(group("entry", [number, part("sha256", "valueString", json!(hash))]));
    }
    all.extend(answers("results", claims.preferences.results));
    all.extend(answers("contact", claims.preferences.contact));
    let text = |name: &str, text: &str| json!({ "url": own(name), "valueString": text });
    let date = |name: &str, date: Date| json!({ "url": own(name), "valueDate": date });
    all.extend(claims.supersedes.as_ref().map(|hash| text("supersedes", hash)));
    all.extend(terms.jurisdiction.as_ref().map(|place| text("jurisdiction", place)));
    all.extend(terms.community.as_ref().map(|body| text("community", body)));
    all.extend(terms.provenance.as_ref().map(|hash| text("provenance", hash)));
    all.extend(terms.collect_until.map(|day| date("collectUntil", day)));
    all.extend(terms.retain_until.map(|day| date("retainUntil", day)));
    all.extend(terms.ethics.as_ref().map(|ethics| {
        group(
            "ethics",
            [
                part("committee", "valueString", json!(ethics.committee)),
                part("number", "valueString", json!(ethics.number)),
                part("validUntil", "valueDate", json!(ethics.valid_until)),
            ],
        )
    }));
    all.extend(terms.withdrawal.as_ref().map(|withdrawal| {
        let levels = withdrawal.levels.iter().map(|level| part("level", "valueCode", json!(level.code())));
        let days = withdrawal.grace_days.map(|days| part("graceDays", "valueUnsignedInt", json!(days)));
        group("withdrawal", levels.chain(days))
    }));
    all.extend(terms.acting_for.as_ref().into_iter().flat_map(|acting| {
        let assent = acting.assent.map(|assent| json!({ "url": own("assent"), "valueBoolean": assent }));
        assent.into_iter().chain(acting.majority.map(|day| date("majority", day)))
    }));
    all.extend(terms.comprehension.as_ref().map(|check| {
        group(
            "comprehension",
            [
                part("quiz", "valueString", json!(check.quiz)),
                part("score", "valueUnsignedInt", json!(check.score)),
                part("at", "valueDate", json!(check.at)),
            ],
        )
    }));
    json!(all)
}

/// An extension made of parts. The names of parts are relative to it.
fn group(name: &str, parts: impl IntoIterator<Item = Value>) -> Value {
    json!({ "url": own(name), "extension": parts.into_iter().collect::<Vec<_>>() })
}

fn part(name: &str, member: &str, value: Value) -> Value {
    let mut part = Map::new();
    part.insert("url".to_owned(), json!(name));
    part.insert(member.to_owned(), value);
    Value::Object(part)
}

fn answers<Q: Vocabulary + PartialEq>(name: &str, answers: Answers<Q>) -> Option<Value> {
    let parts = answers.iter().map(|(question, answer)| part(question.code(), "valueCode", json!(answer.code())));
    (!answers.is_empty()).then(|| group(name, parts))
}

fn typed(kind: &str) -> Value {
    json!([{ "url": PROVISION_TYPE, "valueCode": kind }])
}

/// A term as a coding of its own system.
fn coding(id: &str, display: &str) -> Value {
    let (system, code) = match id.split_once(':') {
        Some(("DUO", _)) => (DUO, id),
        _ => (OWN_SYSTEM, id.strip_prefix(consent::OWN).unwrap_or(id)),
    };
    json!({ "system": system, "code": code, "display": display })
}

fn modifier(modifier: &Modifier) -> Value {
    let mut coding = coding(modifier.id(), modifier.code());
    if let Some((name, value)) = argument(modifier) {
        let extension = |value: Value| match modifier {
            Modifier::Mor { .. } => json!({ "url": own(&name), "valueDate": value }),
            Modifier::Ts { .. } => json!({ "url": own(&name), "valuePositiveInt": value }),
            _ => json!({ "url": own(&name), "valueString": value }),
        };
        let values = if let Value::Array(values) = value { values } else { vec![value] };
        put(&mut coding, "extension", Some(json!(values.into_iter().map(extension).collect::<Vec<_>>())));
    }
    coding
}

fn provisions(record: &ConsentRecord) -> Value {
    let (policy, terms) = (&record.claims.policy, &record.claims.terms);
    let of = |wanted: Kind| policy.modifiers.iter().filter(move |modifier| kind(modifier) == wanted);
    let mut purposes = vec![json!({ "system": ACT_REASON, "code": "HRESCH", "display": "healthcare research" })];
    purposes.extend(policy.permissions.iter().map(|permission| coding(permission.id(), permission.code())));
    purposes.extend(of(Kind::Permission).map(modifier));
    let mut labels: Vec<_> = of(Kind::Duty).map(modifier).collect();
    if policy.modifiers.contains(&Modifier::Nrl) {
        labels.push(json!({ "system": ACT_CODE, "code": "NORELINK", "display": "no relinking" }));
    }
    let role = |system: &str, code: &str| json!({ "coding": [{ "system": system, "code": code }] });
    let mut actors = vec![json!({
        "role": role(PARTICIPATION, "IRCP"),
        "reference": party("Organization", &record.claims.recipient, Some(record.organisation())),
    })];
    actors.extend(policy.recipients.iter().map(|kind| json!({ "role": role(OWN_SYSTEM, kind.code()) })));
    let mut content: Vec<_> =
        policy.shared().iter().map(|kind| json!({ "coding": [coding(kind.id(), kind.code())] })).collect();
    content.extend(policy.diseases.iter().map(|term| disease(policy, term)));
    let data = terms.assets.iter().flat_map(|asset| {
        let instance = |id: &String| {
            let mut reference = json!({ "identifier": { "value": id }, "display": asset.kind.code() });
            let period = [("from", asset.from), ("until", asset.until)];
            let period = period
                .into_iter()
                .filter_map(|(name, day)| day.map(|day| json!({ "url": own(name), "valueDate": day })));
            put(&mut reference, "extension", Some(json!(period.collect::<Vec<_>>())));
            json!({ "meaning": "instance", "reference": reference })
        };
        asset.ids.iter().map(instance).collect::<Vec<_>>()
    });
    let mut denied: Vec<_> = of(Kind::Prohibition)
        .chain(of(Kind::Limit))
        .map(|clause| json!({ "extension": typed("deny"), "purpose": [modifier(clause)] }))
        .collect();
    let mut more = Vec::new();
    for (question, answer) in policy.answers.iter() {
        let mut coding = coding(question.id(), question.code());
        coding["extension"] = json!([{ "url": own("answer"), "valueCode": answer.code() }]);
        let yes = answer == Answer::Yes;
        let provision = json!({ "extension": typed(if yes { "permit" } else { "deny" }), "purpose": [coding] });
        if yes { more.push(provision) } else { denied.push(provision) }
    }
    let mut first = json!({
        "extension": typed("permit"),
        "period": period(record),
        "actor": actors,
        "action": [
            { "coding": [{ "system": ACTION, "code": "access" }] },
            { "coding": [{ "system": ACTION, "code": "use" }] },
        ],
        "purpose": purposes,
    });
    put(&mut first, "securityLabel", Some(json!(labels)));
    put(&mut first, "code", Some(json!(content)));
    put(&mut first, "data", Some(json!(data.collect::<Vec<_>>())));
    put(&mut first, "provision", Some(json!(denied)));
    more.insert(0, first);
    json!(more)
}

fn disease(policy: &consent::Policy, term: &str) -> Value {
    let prefix = term.split(':').next().unwrap_or_default().to_lowercase();
    let mut coding = json!({
        "system": format!("http://purl.obolibrary.org/obo/{prefix}.owl"),
        "code": term,
        "display": consent::disease_name(term),
    });
    put(&mut coding, "version", policy.ontology.as_ref().map(|ontology| json!(ontology.version)));
    json!({ "coding": [coding], "extension": [{ "url": own("iri"), "valueUri": iri(term) }] })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn each_state_has_the_status_of_the_table() {
        for (state, word, decision) in [
            (ConsentState::Requested, "draft", "deny"),
            (ConsentState::Deferred, "draft", "deny"),
            (ConsentState::Refused, "not-done", "deny"),
            (ConsentState::Active, "active", "permit"),
            (ConsentState::Suspended, "inactive", "deny"),
            (ConsentState::Superseded, "inactive", "deny"),
            (ConsentState::Expired, "inactive", "deny"),
            (ConsentState::NoContact, "inactive", "permit"),
            (ConsentState::NoAccess, "inactive", "permit"),
            (ConsentState::Withdrawn, "inactive", "deny"),
            (ConsentState::DestroySample, "inactive", "deny"),
            (ConsentState::Revoked, "inactive", "deny"),
            (ConsentState::Invalidated, "entered-in-error", "deny"),
        ] {
            let consent = export(&ConsentRecord { state, ..sample::record() });
            assert_eq!((&consent["status"], &consent["decision"]), (&json!(word), &json!(decision)), "{state:?}");
            assert_eq!(consent.get("provision").is_some(), state.allows_use(), "{state:?}");
            assert_eq!(consent.to_string().contains("\"permit\""), state.allows_use(), "{state:?}");
            let told = json!({ "url": own("state"), "valueCode": state.code() });
            assert!(consent["extension"].as_array().unwrap().contains(&told), "{state:?}");
        }
    }

    #[test]
    fn every_clause_of_the_policy_is_told() {
        let text = export(&sample::record()).to_string();
        for modifier in sample::policy().modifiers {
            let code = modifier.id().strip_prefix(consent::OWN).unwrap_or(modifier.id());
            assert!(text.contains(&format!("\"code\":\"{code}\"")), "{code}");
        }
        for word in
            ["MONDO:0004981", "\"NL\"", "P26.041", "NL-1234", "A9-2-a", "notifyEachUse", "graceDays", "undecided"]
        {
            assert!(text.contains(word), "{word}");
        }
    }
}
