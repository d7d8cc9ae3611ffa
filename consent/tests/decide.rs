//! The matcher: each rule by example, and the properties that hold for every policy and purpose.

use consent::*;
use proptest::prelude::*;

fn today() -> Date {
    "2026-11-22".parse().unwrap()
}

fn policy(permission: Permission, modifiers: Vec<Modifier>) -> Policy {
    Policy {
        permissions: vec![permission],
        modifiers,
        data: vec![DataKind::Genome],
        until: "2028-12-31".parse().ok(),
        ..Policy::default()
    }
}

fn purpose(topics: &[Topic]) -> Purpose {
    Purpose {
        topics: topics.to_vec(),
        commercial: Some(false),
        organisation: Organisation { id: "did:example:uni".into(), kind: Some(OrganisationKind::NonProfit) },
        places: vec!["NL".into()],
        data: vec![DataKind::Genome],
        ..Purpose::default()
    }
}

fn outcome(policy: &Policy, purpose: &Purpose) -> Outcome {
    decide(policy, purpose, today()).outcome
}

#[test]
fn general_research_on_a_disease_only_consent_is_denied() {
    let cancer = Policy { diseases: vec!["MONDO:0004992".into()], ..policy(Permission::Ds, vec![]) };
    assert_eq!(outcome(&cancer, &purpose(&[Topic::Gru])), Outcome::Deny);
    assert_eq!(outcome(&cancer, &purpose(&[Topic::Hmb])), Outcome::Deny);
}

#[test]
fn silence_permits_nothing() {
    assert_eq!(outcome(&Policy::default(), &purpose(&[Topic::Gru])), Outcome::Deny);
    assert_eq!(outcome(&policy(Permission::Gru, vec![]), &purpose(&[])), Outcome::Review);
    assert_eq!(outcome(&policy(Permission::Gru, vec![Modifier::Unknown]), &purpose(&[Topic::Gru])), Outcome::Review);
}

#[test]
fn health_research_does_not_cover_ancestry() {
    assert_eq!(outcome(&policy(Permission::Hmb, vec![]), &purpose(&[Topic::Poa])), Outcome::Deny);
    assert_eq!(outcome(&policy(Permission::Gru, vec![]), &purpose(&[Topic::Poa])), Outcome::Permit);
    assert_eq!(outcome(&policy(Permission::Gru, vec![Modifier::Npoa]), &purpose(&[Topic::Poa])), Outcome::Deny);
}

#[test]
fn diseases_match_themselves_and_go_to_review_otherwise() {
    let diabetes = Policy { diseases: vec!["MONDO:0005015".into()], ..policy(Permission::Ds, vec![]) };
    let asks = |disease: &str| Purpose { diseases: vec![disease.into()], ..purpose(&[Topic::Ds]) };
    assert_eq!(outcome(&diabetes, &asks("MONDO:0005015")), Outcome::Permit);
    assert_eq!(outcome(&diabetes, &asks("MONDO:0005147")), Outcome::Review);
    assert_eq!(outcome(&policy(Permission::Hmb, vec![]), &asks("MONDO:0005147")), Outcome::Permit);
    assert_eq!(outcome(&policy(Permission::Poa, vec![]), &asks("MONDO:0005147")), Outcome::Deny);
}

#[test]
fn profit_place_ethics_and_data_are_looked_at() {
    let hmb = |m| policy(Permission::Hmb, vec![m]);
    let ask = purpose(&[Topic::Hmb]);
    let company = Purpose {
        organisation: Organisation { kind: Some(OrganisationKind::Commercial), ..ask.organisation.clone() },
        ..ask.clone()
    };
    let silent = Purpose { organisation: Organisation::default(), commercial: None, places: vec![], ..ask.clone() };
    let dutch = Modifier::Gs { places: vec!["NL".into(), "BE".into()] };
    assert_eq!(outcome(&hmb(Modifier::Npu), &ask), Outcome::Permit);
    assert_eq!(outcome(&hmb(Modifier::Npu), &company), Outcome::Deny);
    assert_eq!(outcome(&hmb(Modifier::Npu), &silent), Outcome::Deny);
    assert_eq!(outcome(&hmb(Modifier::Ncu), &silent), Outcome::Deny);
    assert_eq!(outcome(&hmb(dutch.clone()), &ask), Outcome::Permit);
    assert_eq!(outcome(&hmb(dutch.clone()), &silent), Outcome::Deny);
    let abroad = Purpose { places: vec!["NL".into(), "US".into()], ..ask.clone() };
    assert_eq!(outcome(&hmb(dutch), &abroad), Outcome::Deny);
    assert_eq!(outcome(&hmb(Modifier::Irb), &ask), Outcome::Review);
    let approval = |day: &str| {
        Some(EthicsApproval { committee: "METC".into(), number: "24-017".into(), valid_until: day.parse().unwrap() })
    };
    assert_eq!(
        outcome(&hmb(Modifier::Irb), &Purpose { ethics_approval: approval("2027-12-31"), ..ask.clone() }),
        Outcome::Permit
    );
    assert_eq!(
        outcome(&hmb(Modifier::Irb), &Purpose { ethics_approval: approval("2025-12-31"), ..ask.clone() }),
        Outcome::Review
    );
    let more = Purpose { data: vec![DataKind::Genome, DataKind::HealthRecord], ..ask };
    assert_eq!(outcome(&hmb(Modifier::Pub), &more), Outcome::Deny);
}

#[test]
fn methods_follow_the_stricter_public_rule() {
    let nmds = policy(Permission::Hmb, vec![Modifier::Nmds]);
    assert_eq!(outcome(&nmds, &purpose(&[Topic::Methods])), Outcome::Deny);
    let with_disease = Purpose { diseases: vec!["MONDO:1".into()], ..purpose(&[Topic::Methods, Topic::Ds]) };
    assert_eq!(outcome(&nmds, &with_disease), Outcome::Permit);
    let disease_only = Policy { diseases: vec!["MONDO:1".into()], ..policy(Permission::Ds, vec![]) };
    assert_eq!(outcome(&disease_only, &purpose(&[Topic::Methods])), Outcome::Review);
}

#[test]
fn withdrawn_and_expired_deny_before_anything_else_and_say_why() {
    let mut gone = policy(Permission::Gru, vec![]);
    gone.status = Some(ConsentState::Withdrawn);
    let decision = decide(&gone, &purpose(&[Topic::Gru]), today());
    assert_eq!(decision.outcome, Outcome::Deny);
    assert_eq!(decision.reasons.iter().map(|r| r.message.id.as_str()).collect::<Vec<_>>(), ["reason-withdrawn"]);
    let live = policy(Permission::Gru, vec![]);
    assert_eq!(decide(&live, &purpose(&[Topic::Gru]), "2028-12-31".parse().unwrap()).outcome, Outcome::Permit);
    assert_eq!(decide(&live, &purpose(&[Topic::Gru]), "2029-01-01".parse().unwrap()).outcome, Outcome::Deny);
}

#[test]
fn a_permit_names_its_duties_and_a_denial_none() {
    let owes = policy(Permission::Gru, vec![Modifier::Rtn, Modifier::Pub]);
    assert_eq!(decide(&owes, &purpose(&[Topic::Hmb]), today()).duties, ["PUB", "RTN"]);
    let company_only = policy(Permission::Hmb, vec![Modifier::Rtn, Modifier::Pub]);
    assert!(decide(&company_only, &purpose(&[Topic::Poa]), today()).duties.is_empty());
}

#[test]
fn policies_that_contradict_themselves_can_not_be_signed() {
    let good = policy(Permission::Hmb, vec![]);
    assert_eq!(good.validate(), Ok(()));
    assert_eq!(Policy { permissions: vec![], ..good.clone() }.validate(), Err(PolicyError::NoPermission));
    assert_eq!(Policy { data: vec![], ..good.clone() }.validate(), Err(PolicyError::NoData));
    assert_eq!(policy(Permission::Ds, vec![]).validate(), Err(PolicyError::DiseaseMismatch));
    assert_eq!(policy(Permission::Poa, vec![Modifier::Npoa]).validate(), Err(PolicyError::Contradiction));
    assert_eq!(policy(Permission::Hmb, vec![Modifier::Gs { places: vec![] }]).validate(), Err(PolicyError::NoPlace));
    assert_eq!(policy(Permission::Hmb, vec![Modifier::Unknown]).validate(), Err(PolicyError::UnknownTerm));
    let both = Policy { permissions: vec![Permission::Gru, Permission::Poa], ..good };
    assert_eq!(both.validate(), Err(PolicyError::Contradiction));
}

#[test]
fn terms_that_are_not_known_read_as_unknown_and_never_as_yes() {
    let policy: Policy = serde_json::from_str(
        r#"{"permissions":["GRU"],"modifiers":[{"code":"XYZ","arg":1},{"code":"GS","places":["NL"]}],"data":["genome"]}"#,
    )
    .unwrap();
    assert_eq!(policy.modifiers[0], Modifier::Unknown);
    assert_eq!(outcome(&policy, &purpose(&[Topic::Gru])), Outcome::Review);
    assert!(serde_json::from_str::<Policy>(r#"{"permissions":["EVERYTHING"]}"#).is_err());
}

fn any_permission() -> impl Strategy<Value = Permission> {
    prop_oneof![
        Just(Permission::Nres),
        Just(Permission::Gru),
        Just(Permission::Hmb),
        Just(Permission::Ds),
        Just(Permission::Poa)
    ]
}

fn any_modifier() -> impl Strategy<Value = Modifier> {
    prop_oneof![
        Just(Modifier::Npu),
        Just(Modifier::Ncu),
        Just(Modifier::Nmds),
        Just(Modifier::Npoa),
        Just(Modifier::Irb),
        Just(Modifier::Pub),
        Just(Modifier::Rtn),
        Just(Modifier::Unknown),
        proptest::collection::vec(prop_oneof![Just("NL".to_owned()), Just("US".to_owned())], 0..2)
            .prop_map(|places| Modifier::Gs { places }),
    ]
}

fn any_topic() -> impl Strategy<Value = Topic> {
    prop_oneof![
        Just(Topic::Gru),
        Just(Topic::Hmb),
        Just(Topic::Ds),
        Just(Topic::Poa),
        Just(Topic::Methods),
        Just(Topic::Unknown)
    ]
}

fn any_disease() -> impl Strategy<Value = String> {
    prop_oneof![Just("MONDO:1".to_owned()), Just("MONDO:2".to_owned())]
}

prop_compose! {
    fn any_policy()(permissions in proptest::collection::vec(any_permission(), 0..3), diseases in proptest::collection::vec(any_disease(), 0..2),
                    modifiers in proptest::collection::vec(any_modifier(), 0..4), genome in any::<bool>()) -> Policy {
        Policy { permissions, diseases, modifiers, data: if genome { vec![DataKind::Genome] } else { vec![] }, until: None, status: None }
    }
}

prop_compose! {
    fn any_purpose()(topics in proptest::collection::vec(any_topic(), 0..4), diseases in proptest::collection::vec(any_disease(), 0..2),
                     commercial in any::<Option<bool>>(), profit in any::<Option<bool>>(), nl in any::<bool>(), us in any::<bool>()) -> Purpose {
        let kind = profit.map(|p| if p { OrganisationKind::Commercial } else { OrganisationKind::NonProfit });
        let mut places = vec![];
        if nl { places.push("NL".into()) }
        if us { places.push("US".into()) }
        Purpose { topics, diseases, commercial, organisation: Organisation { id: String::new(), kind }, places, data: vec![DataKind::Genome], ethics_approval: None }
    }
}

proptest! {
    #[test]
    fn a_condition_never_widens(policy in any_policy(), purpose in any_purpose(), extra in any_modifier()) {
        let mut narrowed = policy.clone();
        narrowed.modifiers.push(extra);
        prop_assert!(outcome(&narrowed, &purpose) >= outcome(&policy, &purpose));
    }

    #[test]
    fn one_more_topic_never_turns_deny_into_permit(policy in any_policy(), purpose in any_purpose(), extra in any_topic()) {
        let mut wider = purpose.clone();
        wider.topics.push(extra);
        if outcome(&policy, &purpose) == Outcome::Deny {
            prop_assert_ne!(outcome(&policy, &wider), Outcome::Permit);
        }
    }

    #[test]
    fn a_state_that_is_not_active_never_permits(mut policy in any_policy(), purpose in any_purpose(),
        state in prop_oneof![Just(ConsentState::Requested), Just(ConsentState::Deferred), Just(ConsentState::Refused), Just(ConsentState::Withdrawn)]) {
        policy.status = Some(state);
        prop_assert_eq!(outcome(&policy, &purpose), Outcome::Deny);
    }

    #[test]
    fn order_changes_nothing(policy in any_policy(), purpose in any_purpose()) {
        let (mut p, mut q) = (policy.clone(), purpose.clone());
        p.modifiers.reverse();
        q.topics.reverse();
        q.places.reverse();
        prop_assert_eq!(decide(&p, &q, today()).outcome, decide(&policy, &purpose, today()).outcome);
    }
}
