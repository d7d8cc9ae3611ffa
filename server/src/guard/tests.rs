//! The policies against their schema, and against a written table of who may do what.

use super::*;
use crate::routes::{ROUTES, Route, Who};
use cedar_policy::{ValidationMode, Validator};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

const OWN: &str = "https://own.example";
const OTHER: &str = "https://other.example";

#[test]
fn each_policy_fits_the_schema_and_says_what_it_is_for() {
    let guard = Guard::new().unwrap();
    let result = Validator::new(guard.schema.clone()).validate(&guard.policies, ValidationMode::Strict);
    assert!(result.validation_passed_without_warnings(), "{result}");
    for policy in guard.policies.policies() {
        let says = policy.annotation("says").unwrap_or_default();
        assert!(says.ends_with('.') && says.len() > 20, "{} says what it is for", policy.id());
        assert_eq!(policy.annotation("id"), Some(AsRef::<str>::as_ref(policy.id())));
    }
}

#[test]
fn the_table_of_routes_and_the_schema_name_the_same_actions() {
    let guard = Guard::new().unwrap();
    let groups: BTreeSet<String> =
        guard.schema.action_groups().map(|group| group.id().unescaped().to_owned()).collect();
    let in_schema: BTreeSet<String> = guard.schema.actions().map(|action| action.id().unescaped().to_owned()).collect();
    let in_table: BTreeSet<String> = ROUTES.iter().map(|row| row.action.to_owned()).collect();
    assert_eq!(in_table, in_schema.difference(&groups).cloned().collect());
}

#[test]
fn no_route_stands_in_the_table_twice() {
    let rows: BTreeSet<(&str, &str)> = ROUTES.iter().map(|row| (row.method, row.path)).collect();
    assert_eq!(rows.len(), ROUTES.len());
}

/// Who may do what, on paper: `policies/who-may.txt`. A change of it is a change of rights, and is seen as such.
#[test]
fn who_may_do_what_is_what_the_written_table_says() {
    let guard = Guard::new().unwrap();
    let mut table = String::from("# Who may do what: made by the tests of the guard. `*`: also by a capability.\n");
    for row in ROUTES {
        for (about, what) in resources(&guard, row) {
            let allowed: Vec<String> = principals(row)
                .into_iter()
                .filter(|(_, who)| guard.decide(who, row.action, &what, false).allowed)
                .map(|(name, who)| {
                    let star = if guard.decide(&who, row.action, &what, true).allowed { "*" } else { "" };
                    format!("{name}{star}")
                })
                .collect();
            let allowed = if allowed.is_empty() { "nobody".to_owned() } else { allowed.join(", ") };
            writeln!(table, "{:6} {} ({}){about}: {allowed}", row.method, row.path, row.action).unwrap();
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/who-may.txt");
    if std::env::var_os("WRITE_WHO_MAY").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    assert_eq!(table, std::fs::read_to_string(&path).unwrap(), "WRITE_WHO_MAY=1 writes it anew, for a review");
}

#[test]
fn a_capability_never_opens_what_its_maker_may_not_do() {
    let guard = Guard::new().unwrap();
    for row in ROUTES {
        for (_, what) in resources(&guard, row) {
            for (name, who) in principals(row) {
                let by_capability = guard.decide(&who, row.action, &what, true).allowed;
                let itself = guard.decide(&who, row.action, &what, false).allowed;
                assert!(!by_capability || itself, "{name} {}", row.action);
                assert!(!by_capability || guard.is_delegable(row.action), "{name} {}", row.action);
            }
        }
    }
}

#[test]
fn what_no_policy_foresees_is_refused() {
    let guard = Guard::new().unwrap();
    let staff = Principal::Account { role: AccountRole::Staff, organisation: OWN.into() };
    for (action, what) in [
        ("noSuchAction", Resource::biobank()),
        ("invite", Resource::of("NoSuchThing")),
        ("invite", Resource::of("Study")),
        ("invite", Resource::biobank().with("attribute", "unknown")),
        ("readPublic", Resource::biobank()),
        ("", Resource::biobank()),
    ] {
        let verdict = guard.decide(&staff, action, &what, false);
        assert!(!verdict.allowed && verdict.or_refuse().is_err(), "{action} {what:?}");
    }
    assert!(guard.decide(&staff, "invite", &Resource::biobank(), false).allowed);
    assert!(!guard.is_delegable("delegable") && !guard.is_delegable("x\"y") && !guard.is_delegable("issueCapability"));
}

#[test]
fn remembered_verdicts_stay_the_same_and_bounded() {
    let guard = Guard::new().unwrap();
    let researcher = |organisation: String| Principal::Account { role: AccountRole::Researcher, organisation };
    let study = Resource::of("Study").with("organisation", OWN);
    for round in 0..2 {
        for number in 0..MAX_REMEMBERED / 2 + 10 {
            let who = researcher(format!("https://{round}.{number}.example"));
            assert!(!guard.decide(&who, "listParticipants", &study, false).allowed);
        }
        let first = guard.decide(&researcher(OWN.into()), "listParticipants", &study, false);
        assert!(first.allowed);
        assert_eq!(first, guard.decide(&researcher(OWN.into()), "listParticipants", &study, false));
        assert_eq!(&*first.policies, "researchers-own-studies");
    }
    assert!(guard.remembered.read().unwrap().len() <= MAX_REMEMBERED);
}

#[test]
fn a_fingerprint_is_no_did_and_another_one_at_each_start() {
    let did = identity::SigningKey::from_seed([5; 32]).did();
    let (one, two) = (Guard::new().unwrap(), Guard::new().unwrap());
    assert_eq!(one.fingerprint(&did), one.fingerprint(&did));
    assert_ne!(one.fingerprint(&did), two.fingerprint(&did));
    assert!(!did.as_str().contains(&one.fingerprint(&did)));
}

/// Everybody who can come to a route, with a name for the table.
fn principals(row: &Route) -> Vec<(String, Principal)> {
    let unsigned = [("anybody".to_owned(), Principal::Anybody)];
    match row.who {
        Who::Anybody => return unsigned.into(),
        Who::Machine => return unsigned.into_iter().chain([("own machine".to_owned(), Principal::Machine)]).collect(),
        Who::Signer | Who::Known => {}
    }
    let own = || Some(OWN.to_owned());
    let mut all = vec![
        ("donor".to_owned(), Principal::Participant { donor: true, organisation: None }),
        ("participant".to_owned(), Principal::Participant { donor: false, organisation: own() }),
    ];
    all.extend(
        AccountRole::ALL
            .map(|role| (role.name().to_owned(), Principal::Account { role, organisation: OWN.to_owned() })),
    );
    if row.who == Who::Signer {
        all.insert(0, ("stranger".to_owned(), Principal::Stranger));
    }
    all
}

/// What a route can be about, as the caller's own and as somebody else's.
fn resources(guard: &Guard, row: &Route) -> Vec<(String, Resource)> {
    let action = entity_id("Action", row.action).unwrap();
    let mut found = Vec::new();
    for kind in guard.schema.resources_for_action(&action).unwrap() {
        match kind.to_string().as_str() {
            "Biobank" => found.push((String::new(), Resource::biobank())),
            "Study" => {
                for (whose, organisation) in [("own", OWN), ("other", OTHER)] {
                    let study = Resource::of("Study").with("organisation", organisation);
                    found.push((format!(" of {whose} organisation"), study));
                }
            }
            "Mailbox" => {
                let of = |who| Resource::of("Mailbox").with("of", who);
                for who in ["participant", "researcher", "staff", "committee", "auditor", "member"] {
                    for (whose, organisation) in [("own", OWN), ("other", OTHER)] {
                        let mailbox = of(who).with("organisation", organisation);
                        found.push((format!(" to {who} of {whose} organisation"), mailbox));
                    }
                }
                found.push((" to participant of a study off the list".into(), of("participant")));
                found.push((" to nobody".into(), of("nobody")));
            }
            other => panic!("say here what a {other} can be"),
        }
    }
    assert!(!found.is_empty(), "{} is about nothing", row.action);
    found
}
