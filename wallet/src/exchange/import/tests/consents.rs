//! Foreign consents in FHIR: what becomes a choice, and that no limit is lost.

use super::*;

/// A consent without single samples.
fn without_assets(policy: Policy) -> crate::exchange::ConsentRecord {
    let mut record = sample::of(policy);
    record.claims.terms.assets.clear();
    record
}

/// A consent that choices can say wholly.
fn sayable() -> Value {
    let mut policy = sample::policy();
    let said = |modifier: &Modifier| matches!(modifier, Modifier::Npu | Modifier::Npoa | Modifier::Gs { .. });
    policy.modifiers.retain(said);
    policy.until = None;
    fhir::export(&without_assets(policy))
}

/// A consent that was signed comes back as the choices that it was made from, where choices can say it.
#[test]
fn choices_that_become_a_consent_come_back_the_same() {
    let base = Choices {
        scope: Some(Permission::Hmb),
        ancestry: Some(Answer::No),
        methods: Some(Answer::No),
        commercial: Some(Answer::No),
        who: OrganisationKind::ALL
            .iter()
            .map(|kind| (*kind, if kind.makes_profit() { Answer::No } else { Answer::Yes }))
            .collect(),
        what: DataKind::ALL.iter().map(|kind| (*kind, Answer::Yes)).collect(),
        places: Some(vec!["NL".to_owned(), "EU".to_owned()]),
        questions: Question::ALL.iter().enumerate().map(|(n, question)| (*question, Answer::ALL[n % 3])).collect(),
        preferences: sample::record().claims.preferences,
        ..Choices::default()
    };
    let disease = Choices {
        scope: Some(Permission::Ds),
        diseases: vec!["MONDO:0004981".to_owned()],
        ontology: Some(TermSystem { system: "MONDO".to_owned(), version: "2026-05-05".to_owned() }),
        ..base.clone()
    };
    let general = Choices { scope: Some(Permission::Gru), ..base.clone() };
    let origins = Choices { scope: Some(Permission::Poa), ancestry: None, ..base.clone() };
    for choices in [base, disease, general, origins] {
        let record = without_assets(Policy { issued: sample::policy().issued, ..choices.policy() });
        assert_eq!(record.claims.policy.validate(), Ok(()));
        let imported = read(&fhir::export(&record));
        assert_eq!(imported.choices, choices);
    }
}

#[test]
fn a_consent_that_is_not_in_force_is_no_wish() {
    for state in ConsentState::ALL.iter().filter(|state| **state != ConsentState::Active) {
        let imported = read(&fhir::export(&crate::exchange::ConsentRecord { state: *state, ..sample::record() }));
        assert_eq!((imported.choices, imported.read, imported.left_out.len()), (Choices::default(), 0, 1), "{state:?}");
    }
}

#[test]
fn what_choices_can_not_say_is_listed_in_plain_words() {
    let left_out = read(&fhir::export(&sample::record())).left_out.join("\n");
    for words in [
        "They may use it for 24 months.",
        "Only institutes on a fixed list may use it.",
        "They may only use it for research on women and girls.",
        "An ethics board must say yes first.: choices can not ask researchers for this",
        "period: choices have no last day",
        "data: choices are not about single samples or data sets",
        "Leiden Hospital: to whom the consent was given is no choice",
        "research on named illnesses: something that limits it can not be taken over",
    ] {
        assert!(left_out.contains(words), "{words}\n{left_out}");
    }
}

fn changed(change: impl FnOnce(&mut Value)) -> Imported {
    let mut consent = sayable();
    change(&mut consent);
    read(&consent)
}

/// A limit or denial that is not understood could be any: nothing is permitted then.
#[test]
fn what_is_not_understood_in_a_consent_permits_nothing() {
    let whole = changed(|_| ());
    assert_eq!(whole.choices.scope, Some(Permission::Ds), "{:#?}", whole.left_out);
    assert_eq!(whole.choices.questions.get(Question::Controls), Some(Answer::Yes));
    let deny = json!([{ "url": fhir::codes::PROVISION_TYPE, "valueCode": "deny" }]);
    type Change = Box<dyn FnOnce(&mut Value)>;
    let changes: Vec<(&str, Change)> = vec![
        ("class", Box::new(|c| c["provision"][0]["class"] = json!([{ "code": "Observation" }]))),
        ("dataPeriod", Box::new(|c| c["provision"][0]["dataPeriod"] = json!({ "end": "2020-01-01" }))),
        ("expression", Box::new(|c| c["provision"][0]["expression"] = json!({ "language": "text/cql" }))),
        ("modifierExtension", Box::new(|c| c["provision"][0]["modifierExtension"] = json!([]))),
        (
            "foreign extension",
            Box::new(|c| {
                c["provision"][0]["extension"].as_array_mut().unwrap().push(json!({ "url": "https://x.example" }));
            }),
        ),
        ("foreign code", Box::new(|c| c["provision"][0]["code"][0]["coding"][0]["system"] = json!("http://loinc.org"))),
        ("denied actor", Box::new(|c| c["provision"][0]["provision"][0]["actor"] = json!([{}]))),
        ("denied nothing", Box::new(|c| c["provision"][0]["provision"][0]["purpose"] = json!([]))),
        ("denied code", Box::new(|c| c["provision"][0]["provision"][0]["purpose"][0]["code"] = json!("DUO:9999999"))),
        (
            "argument",
            Box::new(|c| {
                c["provision"][0]["provision"][2]["purpose"][0]["extension"] = json!([{ "url": "https://x.example" }]);
            }),
        ),
        (
            "nested permit",
            Box::new(|c| c["provision"][0]["provision"][0]["extension"][0]["valueCode"] = json!("permit")),
        ),
        ("no type", Box::new(|c| c["provision"][0]["provision"][0]["extension"] = json!([]))),
        ("two types", Box::new(|c| c["provision"][0]["type"] = json!("deny"))),
        (
            "second provision",
            Box::new(|c| {
                c["provision"].as_array_mut().unwrap().push(json!({ "securityLabel": [] }));
            }),
        ),
        (
            "second denial",
            Box::new(move |c| {
                c["provision"].as_array_mut().unwrap().push(json!({ "extension": deny, "securityLabel": [] }));
            }),
        ),
        ("actor", Box::new(|c| c["provision"][0]["actor"][0]["reference"]["display"] = json!("Only Hospital X"))),
        ("actor of a kind", Box::new(|c| c["provision"][0]["actor"][1]["reference"] = json!({ "display": "X" }))),
        ("grantee", Box::new(|c| drop(c.as_object_mut().unwrap().remove("grantee")))),
        ("data", Box::new(|c| c["provision"][0]["data"] = json!([{ "meaning": "instance" }]))),
        ("only access", Box::new(|c| c["provision"][0]["action"] = json!([{ "coding": [{ "code": "access" }] }]))),
        ("duty", Box::new(|c| c["provision"][0]["securityLabel"] = json!([{ "code": "NORELINK" }]))),
        ("end", Box::new(|c| c["provision"][0]["period"]["end"] = json!("2030"))),
        ("end of all", Box::new(|c| c["period"]["end"] = json!("2030-01-01"))),
        ("over", Box::new(|c| c["period"]["end"] = json!("2010"))),
        ("begins later", Box::new(|c| c["provision"][0]["period"]["start"] = json!("2026-12"))),
        ("no date", Box::new(|c| c["period"]["start"] = json!("soon"))),
        ("condition", Box::new(|c| c["provision"][0]["provision"][0]["purpose"][0]["code"] = json!("DUO:0000016"))),
        (
            "no place",
            Box::new(|c| {
                let text = serde_json::to_string(&c).unwrap().replace("\"NL\"", "\"Narnia\"");
                *c = serde_json::from_str(&text).unwrap();
            }),
        ),
        (
            "denied research",
            Box::new(|c| {
                c["provision"][0]["provision"][0]["purpose"][0]["code"] = json!("DUO:0000042");
            }),
        ),
        ("limited permission", Box::new(|c| c["provision"][0]["purpose"][1]["extension"] = json!([{ "url": "x" }]))),
        ("state", Box::new(|c| c["extension"][0]["valueCode"] = json!("withdrawn"))),
        ("policyRule", Box::new(|c| c["policyRule"] = json!({ "coding": [{ "code": "OPTOUT" }] }))),
        ("unheard of", Box::new(|c| c["unheardOf"] = json!(1))),
        ("deny", Box::new(|c| c["decision"] = json!("deny"))),
        ("implicitRules", Box::new(|c| c["implicitRules"] = json!("https://x.example"))),
        ("contained", Box::new(|c| c["contained"] = json!([{}]))),
        ("no status", Box::new(|c| drop(c.as_object_mut().unwrap().remove("status")))),
    ];
    for (name, change) in changes {
        let imported = changed(change);
        assert_eq!(imported.choices.scope, None, "{name}: {:#?}", imported.left_out);
        assert_eq!(imported.choices.questions.iter().find(|(_, answer)| *answer == Answer::Yes), None, "{name}");
        assert_eq!(imported.choices.what.iter().find(|(_, answer)| *answer == Answer::Yes), None, "{name}");
        assert!(imported.left_out.len() >= if imported.read == 0 { 1 } else { 3 }, "{name}: {:#?}", imported.left_out);
    }
}

fn duo(code: &str) -> Value {
    json!({ "system": "http://purl.obolibrary.org/obo/duo.owl", "code": code })
}

fn illness(code: &str) -> Value {
    json!([{ "coding": [{ "system": "http://purl.obolibrary.org/obo/mondo.owl", "code": code }] }])
}

fn permitting(provisions: Value) -> Imported {
    read(&json!({ "resourceType": "Consent", "status": "active", "decision": "permit", "provision": provisions }))
}

/// A limit to illnesses makes any research into research on them; of several permissions the narrowest counts.
#[test]
fn the_narrowest_of_what_a_consent_permits_counts() {
    let health = json!({ "type": "permit", "purpose": [duo("DUO:0000006")], "code": illness("MONDO:0005015") });
    let choices = permitting(json!([health])).choices;
    assert_eq!((choices.scope, choices.diseases.as_slice()), (Some(Permission::Ds), &["MONDO:0005015".to_owned()][..]));
    let any = json!({ "type": "permit", "purpose": [duo("DUO:0000042")] });
    let diabetes = json!({ "type": "permit", "purpose": [duo("DUO:0000007")], "code": illness("MONDO:0005015") });
    let choices = permitting(json!([any, diabetes])).choices;
    assert_eq!((choices.scope, choices.diseases.as_slice()), (Some(Permission::Ds), &["MONDO:0005015".to_owned()][..]));

    let origins = json!({ "type": "permit", "purpose": [duo("DUO:0000011")], "code": illness("MONDO:0005015") });
    let nothing = json!({ "type": "permit", "code": illness("MONDO:0005015") });
    for provisions in [json!([origins]), json!([any, nothing])] {
        assert_eq!(permitting(provisions.clone()).choices.scope, None, "{provisions:#}");
    }
    let ended = json!({
        "resourceType": "Consent",
        "status": "active",
        "period": { "start": "2009-01-01", "end": "2010" },
        "provision": [any],
    });
    let imported = read(&ended);
    assert_eq!((imported.choices, imported.read), (Choices::default(), 0));
    assert_eq!(imported.left_out, ["Consent: it ended in 2010, so nothing was taken over"]);
    let all = json!([
        {
            "type": "permit",
            "purpose": [duo("DUO:0000042")],
            "actor": [{ "reference": { "display": "Only Hospital X" } }],
            "provision": [{ "type": "deny", "purpose": [duo("DUO:0000016")] }],
            "period": { "end": "2010" },
        },
        diabetes,
    ]);
    let imported = permitting(all);
    assert_eq!(imported.choices.scope, None);
    for what in
        ["Only Hospital X: ", "study genes", "period: ", "any kind of research: ", "research on named illnesses: "]
    {
        assert!(imported.left_out.iter().any(|line| line.contains(what)), "{what}: {:#?}", imported.left_out);
    }
}

/// What two provisions allow under two limits is not allowed under either of them.
#[test]
fn limits_of_several_provisions_do_not_mix() {
    let of = |who: &str, what: &str, code: &str| {
        let coding = |code: &str| json!([{ "system": fhir::codes::OWN_SYSTEM, "code": code }]);
        let mut codes = vec![json!({ "coding": coding(what) })];
        codes.extend(illness(code).as_array().unwrap().clone());
        json!({
            "type": "permit",
            "purpose": [duo("DUO:0000007")],
            "actor": [{ "role": { "coding": coding("academic") } }, { "role": { "coding": coding(who) } }],
            "code": codes,
        })
    };
    let provisions = json!([of("nonProfit", "genome", "MONDO:0005015"), of("commercial", "genome", "MONDO:0004979")]);
    let choices = permitting(provisions).choices;
    let welcome: Vec<_> =
        choices.who.iter().filter(|(_, answer)| *answer == Answer::Yes).map(|(kind, _)| kind).collect();
    assert_eq!(welcome, [OrganisationKind::Academic]);
    assert_eq!(choices.policy().data, Some(vec![DataKind::Genome]), "no other kind of data was given");
    let choices =
        permitting(json!([of("nonProfit", "genome", "MONDO:1"), of("nonProfit", "sample", "MONDO:1")])).choices;
    assert_eq!(choices.policy().data, Some(Vec::new()));
}

#[test]
fn several_restrictions_of_place_leave_what_all_allow() {
    let with = |one: &[&str], other: &[&str]| {
        let gs = |places: &[&str]| Modifier::Gs { places: places.iter().map(|place| (*place).to_owned()).collect() };
        let policy = Policy {
            permissions: vec![Permission::Hmb],
            diseases: Vec::new(),
            ontology: None,
            modifiers: vec![gs(one), gs(other)],
            ..sample::policy()
        };
        let imported = read(&fhir::export(&sample::of(Policy { until: None, ..policy })));
        imported.choices.places
    };
    assert_eq!(with(&["EU"], &["NL", "US"]), Some(vec!["NL".to_owned()]));
    assert_eq!(with(&["US"], &["EU"]), None);
}

/// R4: one provision with a type, nested ones with theirs.
#[test]
fn a_consent_of_the_release_before_is_read_where_it_is_the_same() {
    let consent = json!({
        "resourceType": "Consent",
        "status": "active",
        "scope": { "coding": [{ "code": "research" }] },
        "category": [{ "coding": [{ "system": "http://loinc.org", "code": "59284-0" }] }],
        "patient": { "reference": "Patient/1" },
        "dateTime": "2026-11-22",
        "policy": [{ "uri": "https://biobank.example/policy" }],
        "provision": {
            "type": "permit",
            "purpose": [duo("DUO:0000006")],
            "provision": [{ "type": "deny", "purpose": [duo("DUO_0000046")] }],
        },
    });
    let imported = read(&consent);
    assert_eq!((imported.choices.scope, imported.choices.commercial), (Some(Permission::Hmb), Some(Answer::No)));
    assert_eq!(imported.left_out.len(), 1);
    let mut refused = consent;
    refused["provision"]["type"] = json!("deny");
    assert_eq!(read(&refused).choices.scope, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_makes_an_import_panic(text: String) {
        let _ = import(&text);
        let _ = import(&format!("question,answer\n{text}"));
    }

    /// A consent of which one value is another: it is read or refused, and never permits more than before.
    #[test]
    fn no_bent_consent_permits_more(at in any::<prop::sample::Index>(), with in prop::sample::select(vec![
        json!(null), json!(7), json!("permit"), json!("deny"), json!([]), json!({}), json!([[]]), json!("DUO:0000042"),
        json!("EU"), json!("active"), json!([{ "url": "x" }]),
    ])) {
        let mut consent = sayable();
        let mut paths = Vec::new();
        all(&consent, String::new(), &mut paths);
        let path = paths[at.index(paths.len())].clone();
        let permits = path.ends_with("/purpose/1/code");
        *consent.pointer_mut(&path).unwrap() = with.clone();
        if let Ok(imported) = import_at(&consent.to_string(), sample::at("2026-11-24T10:00:00Z")) {
            let scope = imported.choices.scope;
            // Only the word that says what research is for can say something else.
            prop_assert!(matches!(scope, None | Some(Permission::Ds)) || permits, "{} {}: {:?}", path, with, scope);
        }
    }
}

fn all(value: &Value, at: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, child)| all(child, format!("{at}/{name}"), paths)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, child)| all(child, format!("{at}/{place}"), paths));
        }
        _ => {}
    }
    if !at.is_empty() {
        paths.push(at);
    }
}
