//! W3C ODRL 2.2 agreements with a profile for the Data Use Ontology (DUO), as JSON-LD.
//!
//! How DUO's terms become rules follows DUODRL (Pandit and Esteves, "Enhancing Data Use Ontology (DUO) for Health-Data
//! Sharing by Extending it with ODRL and DPV", `https://w3id.org/duodrl`): a permission is limited by its purpose, a
//! modifier is a constraint, a prohibition or a duty. Each rule names the term that it comes from (`dct:source`). What
//! DUO and DUODRL lack stands under terms of our own.
//!
//! A consent is an `Agreement`; one that was only asked for is an `Offer`. A consent that is not in force permits
//! nothing, whatever was signed: it then holds one prohibition, with the state as its reason. Conditions stand as
//! constraints inside the permission, so that a reader who does not know one of them can not take the permission for
//! unlimited: by ODRL 2.2 every constraint of a rule has to be satisfied.

use super::{ConsentRecord, argument, iri, own, put};
use consent::{Answer, ConsentState, Modifier, Permission, Question, Vocabulary};
use serde_json::{Value, json};

/// The agreement of a consent.
pub fn export(record: &ConsentRecord) -> Value {
    let claims = &record.claims;
    let mut policy = json!({
        "@context": [
            "http://www.w3.org/ns/odrl.jsonld",
            {
                "duodrl": "https://w3id.org/duodrl#",
                "obo": "http://purl.obolibrary.org/obo/",
                "loc": "https://w3id.org/dpv/loc#",
                "dct": "http://purl.org/dc/terms/",
                "own": consent::OWN,
                // Members that ODRL does not know are terms of our own.
                "@vocab": consent::OWN,
            },
        ],
        "@type": if record.state.is_open() { "Offer" } else { "Agreement" },
        "uid": record.credential_id,
        "profile": ["https://w3id.org/duodrl", consent::OWN.trim_end_matches('#')],
        "assigner": { "uid": claims.subject, "@type": "Party" },
        "assignee": { "uid": claims.recipient, "@type": "Party", "dct:title": record.organisation() },
        "target": target(record),
        "dct:title": record.study(),
        "dct:issued": { "@value": record.issued, "@type": "xsd:dateTime" },
        "own:state": { "@id": record.state.id() },
        "own:stateSince": { "@value": record.state_since, "@type": "xsd:dateTime" },
        "own:stateAsSigned": record.state_checked.is_none(),
        "own:credentialSha256": hex::encode(record.credential_hash),
        "own:notice": claims.notice,
    });
    if !record.state.allows_use() {
        policy["prohibition"] = json!([{ "action": "use", "dct:source": { "@id": record.state.id() } }]);
        return policy;
    }
    let mut permissions: Vec<_> =
        claims.policy.permissions.iter().map(|permission| permit(record, *permission)).collect();
    let (more, prohibitions) = answers(record);
    permissions.extend(more);
    if claims.policy.modifiers.contains(&Modifier::Cc) {
        permissions.push(json!({
            "action": "use",
            "constraint": with_limits(record, purpose(json!({ "@id": "duodrl:CC" }))),
            "dct:source": source(&Modifier::Cc),
        }));
    }
    put(&mut policy, "permission", Some(json!(permissions)));
    let mut prohibitions: Vec<_> = claims.policy.modifiers.iter().filter_map(prohibit).chain(prohibitions).collect();
    if record.state == ConsentState::NoAccess {
        prohibitions.push(json!({ "action": "own:collect", "dct:source": { "@id": record.state.id() } }));
    }
    put(&mut policy, "prohibition", Some(json!(prohibitions)));
    policy
}

fn target(record: &ConsentRecord) -> Value {
    let subject = &record.claims.subject;
    let kinds = record.claims.policy.shared().iter();
    let assets = kinds.map(|kind| {
        json!({
            "@type": "AssetCollection",
            "uid": format!("{subject}#{}", kind.code()),
            "dct:type": { "@id": kind.id() },
        })
    });
    json!(assets.collect::<Vec<_>>())
}

fn source(modifier: &Modifier) -> Value {
    json!({ "@id": iri(modifier.id()) })
}

fn constraint(left: &str, operator: &str, right: Value) -> Value {
    json!({ "leftOperand": left, "operator": operator, "rightOperand": right })
}

fn purpose(term: Value) -> Value {
    constraint("purpose", "isA", term)
}

fn any_of(ids: impl Iterator<Item = String>) -> Value {
    json!(ids.map(|id| json!({ "@id": id })).collect::<Vec<_>>())
}

/// The use that is permitted: for what, under which limits, and with which duties.
fn permit(record: &ConsentRecord, permission: Permission) -> Value {
    let policy = &record.claims.policy;
    let what_for = match permission {
        // The word for every purpose there is.
        Permission::Nres => purpose(json!({ "@id": "odrl:Purpose" })),
        Permission::Ds => {
            let diseases = policy.diseases.iter().map(|term| purpose(json!({ "@id": iri(term) })));
            let mut diseases = json!({ "or": diseases.collect::<Vec<_>>() });
            put(&mut diseases, "own:ontology", policy.ontology.as_ref().map(|ontology| json!(ontology)));
            diseases
        }
        _ => purpose(json!({ "@id": format!("duodrl:{}", permission.code()) })),
    };
    let duties: Vec<_> = policy.modifiers.iter().filter_map(|modifier| duty(record, modifier)).collect();
    let mut rule = json!({
        "action": "use",
        "constraint": with_limits(record, what_for),
        "dct:source": { "@id": iri(permission.id()) },
    });
    put(&mut rule, "duty", Some(json!(duties)));
    rule
}

/// A purpose, and everything else that limits a use.
fn with_limits(record: &ConsentRecord, what_for: Value) -> Value {
    let policy = &record.claims.policy;
    let mut all = vec![what_for];
    all.extend(policy.modifiers.iter().filter_map(limit));
    if let Some(until) = policy.until {
        all.push(constraint("dateTime", "lteq", json!({ "@value": until.end(), "@type": "xsd:dateTime" })));
    }
    if !policy.recipients.is_empty() {
        let kinds = policy.recipients.iter().map(|kind| kind.id().to_owned());
        all.push(constraint("recipient", "isAnyOf", any_of(kinds)));
    }
    json!(all)
}

fn limit(modifier: &Modifier) -> Option<Value> {
    let ids = |ids: &[String]| any_of(ids.iter().cloned());
    let mut limit = match modifier {
        Modifier::Gs { places } => {
            constraint("spatial", "isAnyOf", any_of(places.iter().map(|place| format!("loc:{place}"))))
        }
        // Counted from the day of issue, which the policy names.
        Modifier::Ts { months } => {
            constraint("elapsedTime", "lteq", json!({ "@value": format!("P{months}M"), "@type": "xsd:duration" }))
        }
        Modifier::Us { users } => constraint("recipient", "isAnyOf", ids(users)),
        Modifier::Is { institutions } => constraint("recipient", "isAnyOf", ids(institutions)),
        Modifier::Ps { projects } => constraint("own:project", "isAnyOf", ids(projects)),
        Modifier::Gso => purpose(json!({ "@id": "duodrl:GS" })),
        Modifier::Rs { topics } => {
            let terms = topics.iter().map(|focus| match focus {
                consent::Focus::Flag(flag) => iri(flag.id()),
                consent::Focus::Topic(topic) => iri(topic.id()),
            });
            constraint("purpose", "isAllOf", any_of(terms))
        }
        Modifier::Npu => constraint("recipient", "isA", json!({ "@id": "duodrl:NotForProfitOrganisation" })),
        Modifier::Npuncu => json!({ "and": [
            constraint("recipient", "isA", json!({ "@id": "duodrl:NotForProfitOrganisation" })),
            purpose(json!({ "@id": "duodrl:NCU" })),
        ] }),
        Modifier::Ncu => purpose(json!({ "@id": "duodrl:NCU" })),
        _ => return None,
    };
    limit["dct:source"] = source(modifier);
    Some(limit)
}

fn prohibit(modifier: &Modifier) -> Option<Value> {
    let of_purpose = |term: &str| json!({ "action": "use", "constraint": [purpose(json!({ "@id": term }))] });
    let mut rule = match modifier {
        Modifier::Nmds => of_purpose("duodrl:MDS"),
        Modifier::Npoa => of_purpose("duodrl:POA"),
        Modifier::Nctrl => of_purpose("duodrl:ResearchControl"),
        Modifier::Nagr => json!({ "action": "own:publishAggregate" }),
        Modifier::Mor { date } => json!({
            "action": "distribute",
            "target": "duodrl:ResultsOfStudies",
            "constraint": [constraint("dateTime", "lt", json!({ "@value": date, "@type": "xsd:date" }))],
        }),
        Modifier::Nri => json!({ "action": "own:reidentification" }),
        Modifier::Nrl => json!({ "action": "own:relinking" }),
        _ => return None,
    };
    rule["dct:source"] = source(modifier);
    Some(rule)
}

fn duty(record: &ConsentRecord, modifier: &Modifier) -> Option<Value> {
    let mut duty = match modifier {
        Modifier::Pub => json!({ "action": "distribute", "target": "duodrl:ResultsOfStudies" }),
        Modifier::Col { .. } => json!({ "action": "duodrl:CollaborateWithStudyPI" }),
        Modifier::Irb => json!({ "action": "duodrl:ProvideEthicalApproval" }),
        Modifier::Rtn => json!({
            "action": "duodrl:ReturnDerivedOrEnrichedData",
            "informedParty": { "uid": record.claims.biobank },
        }),
        _ => return None,
    };
    duty["dct:source"] = source(modifier);
    if let Some((name, value)) = argument(modifier) {
        duty[format!("own:{name}")] = value;
    }
    Some(duty)
}

/// Yes permits under the same limits as everything else, no prohibits; "not sure" is not a yes, and says so.
fn answers(record: &ConsentRecord) -> (Vec<Value>, Vec<Value>) {
    let (mut permissions, mut prohibitions) = (Vec::new(), Vec::new());
    let topic = |question: Question| purpose(json!({ "@id": iri(question.id()) }));
    for (question, answer) in record.claims.policy.answers.iter() {
        let mut rule = json!({
            "action": "use",
            "dct:source": { "@id": own(&format!("question-{}", question.code())) },
            "own:answer": { "@id": answer.id() },
        });
        if answer == Answer::Yes {
            rule["constraint"] = with_limits(record, topic(question));
            permissions.push(rule);
        } else {
            rule["constraint"] = json!([topic(question)]);
            prohibitions.push(rule);
        }
    }
    (permissions, prohibitions)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn what_is_not_in_force_permits_nothing() {
        for state in ConsentState::ALL {
            let policy = export(&ConsentRecord { state: *state, ..sample::record() });
            let permits = policy.get("permission").is_some();
            assert_eq!(permits, state.allows_use(), "{state:?}");
            assert_eq!(policy["@type"] == "Offer", state.is_open(), "{state:?}");
            if !permits {
                assert_eq!(policy["prohibition"], json!([{ "action": "use", "dct:source": { "@id": state.id() } }]));
            }
        }
    }

    #[test]
    fn each_permission_stands_under_every_limit() {
        let policy = export(&sample::record());
        let permissions = policy["permission"].as_array().unwrap();
        // The disease, the care of patients, and the one question answered with yes.
        assert_eq!(permissions.len(), 3);
        for permission in permissions {
            let text = permission["constraint"].to_string();
            for word in ["loc:NL", "P24M", "2028-12-31", "02n0bts35", "0000-0002-1825-0097", "projects/7", "#female"] {
                assert!(text.contains(word), "{word}: {text}");
            }
        }
    }

    #[test]
    fn each_modifier_is_named_by_some_rule() {
        let text = export(&sample::record()).to_string();
        for modifier in sample::policy().modifiers {
            assert!(text.contains(&iri(modifier.id())), "{}", modifier.code());
        }
        for word in ["question-aiTraining", "question-aggregate", "question-controls", "#undecided"] {
            assert!(text.contains(word), "{word}");
        }
    }
}
