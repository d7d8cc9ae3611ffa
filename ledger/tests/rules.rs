//! Who may say what, and what the log does with it: every kind by every role, every reason to refuse, and whatever
//! else comes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::world::*;
use common::{given, hash, suspend};
use consent::{ConsentState, ImpossibleMove, Move, Outcome, Withdrawal};
use ledger::event::{Cause, InstitutionEvent, Role, SampleStep};
use ledger::{Act, Effect, Key, Record, Rejected, State};
use proptest::prelude::*;

const EVERYBODY: [u8; 11] = [
    INSTITUTION,
    STAFF,
    SECOND_STAFF,
    FOREIGN_STAFF,
    RESEARCHER,
    OTHER_RESEARCHER,
    COMMITTEE,
    AUDITOR,
    PARTNER,
    DONOR,
    STRANGER,
];

fn leave(level: Withdrawal) -> Act {
    Act::Withdraw { level }
}

fn state_of(world: &World) -> ConsentState {
    world.state.subject(&subject()).unwrap().state_at("2026-11-23".parse().unwrap())
}

/// The table of the document, section 1.
#[test]
fn each_kind_is_heard_only_from_those_who_may_say_it() {
    let mut world = World::new();
    let request = world.request();
    let grant = InstitutionEvent::AccessGrant(access(RESEARCHER, None, "11:00:00", "12:00:00"));
    let grant = world.must(INSTITUTION, grant);
    let speakers: [&[u8]; 16] = [
        &[INSTITUTION],
        &[INSTITUTION],
        &[INSTITUTION],
        &[INSTITUTION, STAFF, SECOND_STAFF, FOREIGN_STAFF],
        &[INSTITUTION],
        &[INSTITUTION],
        &[INSTITUTION],
        &[DONOR],
        &[STAFF, SECOND_STAFF],
        &[RESEARCHER],
        &[COMMITTEE],
        &[INSTITUTION],
        &[INSTITUTION, RESEARCHER],
        &[INSTITUTION, STAFF, SECOND_STAFF, FOREIGN_STAFF],
        &[INSTITUTION],
        &[INSTITUTION],
    ];
    for signer in EVERYBODY {
        let kinds = one_of_each(&world, signer, request, grant);
        assert_eq!(kinds.iter().map(InstitutionEvent::typ).collect::<Vec<_>>(), InstitutionEvent::TYPES);
        for (event, speakers) in kinds.into_iter().zip(speakers) {
            let (typ, ends) = (event.typ(), matches!(event, InstitutionEvent::KeyRotation(_)));
            let mut world = world.clone();
            if matches!(event, InstitutionEvent::Asking(_)) {
                world.must(INSTITUTION, ending(Cause::Court, "11:59:59"));
            }
            let heard = world.say(signer, event);
            let refused = if ends { Rejected::ForeignKey } else { Rejected::NotAllowed };
            let wanted = if speakers.contains(&signer) { None } else { Some(refused) };
            assert_eq!(heard.err(), wanted, "{typ} by {signer}");
        }
    }
}

#[test]
fn a_log_is_founded_once_and_by_the_institution_itself() {
    let mut world = World::empty();
    let found = |seed| member(seed, Role::Institution, "biobank", true, "08:00:00");
    for (signer, event) in [
        (STRANGER, found(INSTITUTION)),
        (INSTITUTION, member(INSTITUTION, Role::Institution, "biobank", false, "08:00:00")),
        (INSTITUTION, member(INSTITUTION, Role::Staff, "biobank", true, "08:00:00")),
        (INSTITUTION, member(STAFF, Role::Staff, "biobank", true, "08:00:00")),
        (INSTITUTION, log_key(5, "08:00:00")),
        (INSTITUTION, study(1, true, "08:00:00")),
    ] {
        assert_eq!(world.check(signer, event.clone()), Err(Rejected::NotAllowed), "{event:?}");
    }
    // Donors need no institution.
    world.give(&consent(DONOR, None, "07:00:00", Act::Grant(given("")))).unwrap();
    world.must(INSTITUTION, found(INSTITUTION));
    assert_eq!(world.check(INSTITUTION, found(INSTITUTION)), Err(Rejected::NotAllowed));
    assert_eq!(world.check(STRANGER, found(STRANGER)), Err(Rejected::NotAllowed));
    assert_eq!(world.check(INSTITUTION, found(STRANGER)), Err(Rejected::NotAllowed));
}

#[test]
fn who_left_says_nothing_and_comes_back_only_by_a_new_word() {
    let mut world = World::new();
    let staff = |active, time| member(STAFF, Role::Staff, "biobank", active, time);
    assert_eq!(world.check(INSTITUTION, staff(true, "09:00:00")), Err(Rejected::NotNew(Key::member(&did(STAFF)))));
    let came = world.log[1].clone();
    world.must(INSTITUTION, staff(false, "10:00:00"));
    assert_eq!(world.check(STAFF, study(2, true, "10:30:00")), Err(Rejected::NotAllowed));
    let latest = world.latest();
    assert_eq!(world.check(SECOND_STAFF, rebinding(52, STAFF, latest)), Err(Rejected::NotAllowed));
    // The old word once more, or one that was held back.
    assert_eq!(world.give(&came), Err(Rejected::Time));
    assert_eq!(world.check(INSTITUTION, staff(true, "09:59:59")), Err(Rejected::Time));
    let again = staff(false, "10:00:01");
    assert_eq!(world.check(INSTITUTION, again), Err(Rejected::NotNew(Key::member(&did(STAFF)))));
    world.must(INSTITUTION, staff(true, "10:00:01"));
    world.must(STAFF, study(2, true, "10:30:00"));
    // Nobody leaves who was never there.
    let nobody = member(STRANGER, Role::Staff, "biobank", false, "10:00:00");
    assert_eq!(world.check(INSTITUTION, nobody), Err(Rejected::NotThere(Key::member(&did(STRANGER)))));
    // Who changes the role loses the old one.
    world.must(INSTITUTION, member(STAFF, Role::Auditor, "biobank", true, "11:00:00"));
    assert_eq!(world.check(STAFF, study(3, true, "11:30:00")), Err(Rejected::NotAllowed));
}

#[test]
fn the_institution_changes_its_key_and_the_old_one_is_over() {
    let mut world = World::new();
    assert_eq!(
        world.check(INSTITUTION, institution_key(STAFF, INSTITUTION, "12:00:00")),
        Err(Rejected::NotNew(Key::member(&did(STAFF))))
    );
    assert_eq!(world.check(INSTITUTION, institution_key(60, INSTITUTION, "07:00:00")), Err(Rejected::Time));
    world.must(INSTITUTION, institution_key(60, INSTITUTION, "12:00:00"));
    for event in [policy(1), study(2, true, "12:00:01"), institution_key(61, INSTITUTION, "12:00:01")] {
        assert_eq!(world.check(INSTITUTION, event), Err(Rejected::NotAllowed));
    }
    world.must(60, policy(1));
    // The old key does not come back, neither as the institution nor as anybody else.
    let back = Rejected::NotNew(Key::member(&did(INSTITUTION)));
    assert_eq!(world.check(60, institution_key(INSTITUTION, 60, "12:00:01")), Err(back));
    for role in [Role::Staff, Role::Institution] {
        assert_eq!(world.check(60, member(INSTITUTION, role, "biobank", true, "12:00:01")), Err(Rejected::NotAllowed));
    }
    let now = world.state.records().find(|(key, _)| key.as_str() == "authority").unwrap().1;
    assert!(matches!(now, Record::Authority(authority) if authority.key == did(60)));
}

#[test]
fn a_proof_of_a_new_key_holds_for_one_institution_and_one_binding() {
    let latest = World::new().latest();
    let refused = |seed: u8, event: InstitutionEvent| {
        assert_eq!(ledger::Entry::sign(&key(seed), &event).err(), Some(ledger::EntryError::Signature), "{event:?}");
    };
    refused(INSTITUTION, institution_key(60, STRANGER, "12:00:00"));
    let other = ledger::EntryHash::of(b"another entry");
    for change in 0..5 {
        let InstitutionEvent::KeyRebinding(mut said) = rebinding(52, SECOND_STAFF, latest) else { panic!() };
        let InstitutionEvent::KeyRebinding(wrong) = rebinding(53, SECOND_STAFF, other) else { panic!() };
        match change {
            0 => said.key = did(53),
            1 => said.subject = hash(3),
            2 => said.previous = other,
            3 => said.approval = wrong.approval,
            _ => said.proof = wrong.proof,
        }
        refused(STAFF, InstitutionEvent::KeyRebinding(said));
    }
    // A proof is no approval, and the other way round.
    let InstitutionEvent::KeyRebinding(mut said) = rebinding(52, 52, latest) else { panic!() };
    (said.proof, said.approval) = (said.approval, said.proof);
    refused(STAFF, InstitutionEvent::KeyRebinding(said));
    let InstitutionEvent::KeyRotation(mut said) = rotation(52, latest) else { panic!() };
    said.previous = other;
    refused(DONOR, InstitutionEvent::KeyRotation(said));
}

#[test]
fn the_keys_of_the_log_are_one_of_each_kind_under_one_name() {
    let mut world = World::new();
    let again = Rejected::NotNew(Key::authority());
    world.must(INSTITUTION, log_key(5, "10:00:00"));
    assert_eq!(world.check(INSTITUTION, log_key(5, "10:00:01")), Err(again));
    world.must(INSTITUTION, log_key(6, "11:00:00"));
    assert_eq!(world.check(INSTITUTION, log_key(5, "10:00:00")), Err(Rejected::Time), "held back");
    let change = |text: String| {
        let (time, vkey) = (at("12:00:00"), text.parse().unwrap());
        InstitutionEvent::LogKey(ledger::event::LogKeyChange { time, vkey })
    };
    let other = ledger::NoteKey::new("other.example/log", key(5)).unwrap();
    assert_eq!(world.check(INSTITUTION, change(other.verifier().to_string())), Err(Rejected::NotAllowed));
    let ml_dsa = ledger::Cosigner::ml_dsa_44(common::ORIGIN, &[7; 32]).unwrap().key().to_string();
    world.must(INSTITUTION, change(ml_dsa.clone()));
    let Some(Record::Authority(now)) = ledger::Records::record(&world.state, &Key::authority()) else { panic!() };
    assert_eq!((now.vkey.clone(), now.ml_dsa_vkey.clone()), (Some(vkey(6).to_string()), Some(ml_dsa)));
}

#[test]
fn a_study_has_one_text_a_version_and_its_versions_only_go_up() {
    let mut world = World::new();
    let old = Rejected::NotNew(Key::study(&"heart-2026".parse().unwrap()));
    assert_eq!(world.check(STAFF, study(1, true, "09:00:00")), Err(old.clone()));
    assert_eq!(world.check(STAFF, study(0, true, "09:00:00")), Err(old.clone()));
    let InstitutionEvent::Study(mut other) = study(1, false, "09:00:00") else { panic!() };
    other.request = hash(77);
    assert_eq!(world.check(STAFF, InstitutionEvent::Study(other)), Err(old.clone()), "another text under the version");
    let opened = world.log[9].clone();
    let effect = Effect::Study { study: "heart-2026".parse().unwrap(), version: 1, open: false };
    assert_eq!(world.say(STAFF, study(1, false, "09:00:00")), Ok(effect));
    assert_eq!(world.give(&opened), Err(Rejected::Time), "the old word does not open it again");
    // Researchers ask only for what is open, in the version that is.
    let closed = Rejected::NotThere(Key::study(&"heart-2026".parse().unwrap()));
    assert_eq!(world.check(RESEARCHER, request("university", 1, "09:30:00")), Err(closed.clone()));
    world.must(STAFF, study(3, true, "10:00:00"));
    assert_eq!(world.check(RESEARCHER, request("university", 1, "10:30:00")), Err(closed));
    assert_eq!(world.check(RESEARCHER, request("company", 3, "10:30:00")), Err(Rejected::NotAllowed));
    world.must(RESEARCHER, request("university", 3, "10:30:00"));
    assert_eq!(world.check(STAFF, study(2, true, "11:00:00")), Err(old));
}

#[test]
fn policies_sets_and_anchors_are_said_once() {
    let mut world = World::new();
    world.must(INSTITUTION, policy(2));
    for version in [0, 1, 2] {
        assert_eq!(world.check(INSTITUTION, policy(version)), Err(Rejected::NotNew(Key::policy("access"))));
    }
    world.must(INSTITUTION, policy(3));
    world.must(INSTITUTION, snapshot("2026-11-23"));
    assert!(matches!(world.check(INSTITUTION, snapshot("2026-11-23")), Err(Rejected::NotNew(_))));
    world.must(INSTITUTION, snapshot("2026-11-24"));
    let InstitutionEvent::Snapshot(mut other) = snapshot("2026-11-25") else { panic!() };
    other.study = "lung-2026".parse().unwrap();
    let unknown = Rejected::NotThere(Key::study(&other.study));
    assert_eq!(world.check(INSTITUTION, InstitutionEvent::Snapshot(other)), Err(unknown));
    // An anchor is of a checkpoint that there was.
    let old = Rejected::NotNew(Key::anchor("rfc3161"));
    let next = world.next;
    for size in [0, next + 1, 1 << 53] {
        let InstitutionEvent::Anchor(mut said) = anchor(1) else { panic!() };
        said.size = size;
        let entry = ledger::Entry::sign(&key(INSTITUTION), &InstitutionEvent::Anchor(said));
        match entry {
            Ok(entry) => assert_eq!(world.give(&entry), Err(old.clone()), "{size}"),
            Err(why) => assert_eq!((size, why), (1 << 53, ledger::EntryError::Content)),
        }
    }
    world.must(INSTITUTION, anchor(next));
    assert_eq!(world.check(INSTITUTION, anchor(next)), Err(old));
    world.must(INSTITUTION, anchor(next + 1));
}

#[test]
fn what_the_institution_ends_stays_ended_until_it_asks() {
    use ConsentState as S;
    let pasts: [(&[Act], S, S, S); 8] = [
        (&[], S::Active, S::Revoked, S::Invalidated),
        (&[suspend("")], S::Suspended, S::Revoked, S::Invalidated),
        (&[leave(Withdrawal::NoContact)], S::NoContact, S::Revoked, S::Invalidated),
        (&[leave(Withdrawal::NoAccess)], S::NoAccess, S::Revoked, S::Invalidated),
        (&[leave(Withdrawal::NoUse)], S::Withdrawn, S::Withdrawn, S::Withdrawn),
        (&[leave(Withdrawal::DestroySample)], S::DestroySample, S::DestroySample, S::DestroySample),
        (&[Act::Change(given("2026-11-22")), suspend("")], S::Expired, S::Expired, S::Expired),
        (&[Act::Change(given("2026-11-22"))], S::Expired, S::Expired, S::Expired),
    ];
    for (acts, before, revoked, invalidated) in pasts {
        for (cause, after) in [
            (Cause::Ethics, revoked),
            (Cause::Court, revoked),
            (Cause::Institution, revoked),
            (Cause::Fraud, invalidated),
            (Cause::Capacity, invalidated),
            (Cause::Majority, invalidated),
        ] {
            let mut world = World::new();
            for act in acts {
                // What is over by its date is paused before that day.
                let entry = consent(DONOR, Some(world.latest()), "09:10:00", *act);
                let taken = world.give(&entry);
                assert!(taken.is_ok() || before == S::Expired, "{act:?}: {taken:?}");
            }
            assert_eq!(state_of(&world), before);
            let effect = Effect::Consent { subject: subject(), before, after };
            assert_eq!(world.say(INSTITUTION, ending(cause, "12:00:00")), Ok(effect), "{before:?} {cause:?}");
            assert_eq!(state_of(&world), after);
            assert!(!state_of(&world).allows_use());
            let again = Rejected::NotNew(Key::subject(&subject()));
            assert_eq!(world.check(INSTITUTION, ending(cause, "12:00:01")), Err(again.clone()));
            // Only the sample is left to be taken back, and no way round by that either.
            if after != S::DestroySample {
                let sample = consent(DONOR, None, "12:30:00", leave(Withdrawal::DestroySample));
                assert_eq!(world.clone().give(&sample).err(), None, "{after:?}");
                world.give(&sample).unwrap();
            }
            let yes = |world: &World| consent(DONOR, Some(world.latest()), "13:00:00", Act::Grant(given("")));
            let from = if cause.step() == Move::Revoke { S::Revoked } else { S::Invalidated };
            let closed = Rejected::Impossible(ImpossibleMove { from, step: Move::Give });
            let refused = yes(&world);
            assert_eq!(world.give(&refused), Err(closed.clone()));
            // Nor with another key.
            let latest = world.latest();
            world.must(DONOR, rotation(52, latest));
            let other = consent(52, Some(world.latest()), "13:00:00", Act::Grant(given("")));
            assert_eq!(world.give(&other), Err(closed));
            assert_eq!(world.check(INSTITUTION, asking("11:59:59")), Err(Rejected::Time));
            assert_eq!(world.say(INSTITUTION, asking("12:40:00")), Ok(Effect::Asked { subject: subject() }));
            assert_eq!(world.check(INSTITUTION, asking("12:40:01")), Err(again), "nothing is ended");
            assert_eq!(world.check(INSTITUTION, ending(cause, "12:00:00")), Err(Rejected::Time), "held back");
            assert!(!state_of(&world).allows_use(), "asking is no consent");
            let yes = consent(52, Some(world.latest()), "13:00:00", Act::Grant(given("")));
            world.give(&yes).unwrap();
            assert_eq!(state_of(&world), S::Active);
            world.must(INSTITUTION, ending(cause, "14:00:00"));
            assert!(!state_of(&world).allows_use());
        }
    }
    assert_eq!(World::empty().state.subjects().count(), 0);
    let mut world = World::new();
    let InstitutionEvent::Ending(mut unknown) = ending(Cause::Court, "12:00:00") else { panic!() };
    unknown.subject = hash(99);
    assert_eq!(world.say(INSTITUTION, InstitutionEvent::Ending(unknown)), Err(Rejected::NotGranted));
    // A graver cause is told as well.
    world.must(INSTITUTION, ending(Cause::Institution, "12:00:00"));
    world.must(INSTITUTION, ending(Cause::Fraud, "12:00:01"));
    assert_eq!(world.state.subject(&subject()).unwrap().closed(), Some(Cause::Fraud));
    assert_eq!(state_of(&world), ConsentState::Revoked);
}

#[test]
fn a_donor_has_one_key_at_a_time() {
    let mut world = World::new();
    let first = world.latest();
    assert_eq!(world.check(DONOR, rotation(DONOR, first)), Err(Rejected::NotNew(Key::subject(&subject()))));
    for taken in [STAFF, RESEARCHER, INSTITUTION] {
        assert_eq!(world.check(DONOR, rotation(taken, first)), Err(Rejected::NotAllowed));
        assert_eq!(world.check(STAFF, rebinding(taken, SECOND_STAFF, first)), Err(Rejected::NotAllowed));
    }
    // Two people of one organisation, and two they are.
    for (one, two) in [(STAFF, STAFF), (STAFF, FOREIGN_STAFF), (FOREIGN_STAFF, STAFF), (STAFF, INSTITUTION)] {
        assert_eq!(world.check(one, rebinding(52, two, first)), Err(Rejected::NotAllowed), "{one} {two}");
    }
    world.must(DONOR, rotation(52, first));
    let now = world.state.subject(&subject()).unwrap();
    assert_eq!((now.signer.clone(), now.grant.entry), (did(52), first), "the consent stays");
    // The old key says nothing any more, also not no; an old binding is over.
    for act in [suspend(""), leave(Withdrawal::DestroySample)] {
        assert_eq!(world.give(&consent(DONOR, Some(world.latest()), "12:00:00", act)), Err(Rejected::ForeignKey));
    }
    let latest = world.latest();
    assert_eq!(world.check(DONOR, rotation(53, latest)), Err(Rejected::ForeignKey));
    assert_eq!(world.check(52, rotation(53, first)), Err(Rejected::PreviousMismatch { latest: Some(latest) }));
    let late = world.check(STAFF, rebinding(53, SECOND_STAFF, first));
    assert_eq!(late, Err(Rejected::PreviousMismatch { latest: Some(latest) }));
    assert_eq!(
        world.say(SECOND_STAFF, rebinding(53, STAFF, latest)),
        Ok(Effect::Key { subject: subject(), key: did(53) })
    );
    world.give(&consent(53, None, "12:00:00", leave(Withdrawal::NoUse))).unwrap();
}

/// What anybody might say: a kind, by somebody, about something that is there or not, at some time of the day.
fn deeds() -> impl Strategy<Value = Vec<(usize, u8, u8, u32)>> {
    let signer = prop_oneof![3 => Just(INSTITUTION), 2 => Just(STAFF), 4 => prop::sample::select(EVERYBODY.to_vec())];
    prop::collection::vec((0_usize..24, signer, 0_u8..4, 0_u32..86_400), 0..48)
}

fn clock(seconds: u32) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// `World::give` asserts for each entry that state, batch and named records agree, and that what is refused
    /// changes nothing; here are the entries, and a replay of what was taken.
    #[test]
    fn whatever_is_said_everybody_understands_the_same(deeds in deeds()) {
        let mut world = World::new();
        for (kind, signer, which, seconds) in deeds {
            let time = clock(seconds);
            let entries: Vec<_> = world.log.iter().map(ledger::Entry::hash).collect();
            let some = entries[(entries.len() - 1).saturating_sub(usize::from(which))];
            let latest = if which == 0 { some } else { world.latest() };
            let act = [leave(Withdrawal::NoUse), suspend(""), Act::Resume, Act::Grant(given(""))];
            let cause = [Cause::Court, Cause::Fraud, Cause::Majority, Cause::Ethics][usize::from(which)];
            let step = [SampleStep::Move, SampleStep::Consume, SampleStep::Destroy, SampleStep::Collect];
            let outcome = [Outcome::Permit, Outcome::Deny, Outcome::Review, Outcome::Permit][usize::from(which)];
            let event = match kind {
                0 => member(40 + which, Role::Staff, "biobank", seconds % 2 == 0, &time),
                1 => institution_key(60 + which, signer, &time),
                2 => log_key(5 + which, &time),
                3 => study(1 + u32::from(which), seconds % 2 == 0, &time),
                4 => policy(u32::from(which)),
                5 => ending(cause, &time),
                6 => asking(&time),
                7 => rotation(1 + which, latest),
                8 => rebinding(1 + which, SECOND_STAFF, latest),
                9 => request("university", 1, &time),
                10 => decision(some, outcome, ""),
                11 => InstitutionEvent::AccessGrant(access(RESEARCHER, None, "12:00:00", "13:00:00")),
                12 => used(some, &time),
                13 => sample(step[usize::from(which)], 1 + which, None, Some(some)),
                14 => sample(SampleStep::Collect, 3 + which, None, None),
                15 => snapshot("2026-11-23"),
                16 => anchor(u64::from(which) * 5),
                // A second time, by whoever holds a copy.
                17 | 18 => {
                    let entry = world.log[usize::from(which) % world.log.len()].clone();
                    let _ = world.give(&entry);
                    continue;
                }
                _ => {
                    let entry = consent(1 + which, Some(latest), &time, act[kind % 4]);
                    let _ = world.give(&entry);
                    continue;
                }
            };
            let _ = world.say(signer, event);
            // Whoever was shut out by the institution is not let in by anybody else.
            let subject = world.state.subject(&hash(2)).unwrap();
            prop_assert!(subject.closed().is_none() || !subject.standing.written.allows_use());
        }
        let mut again = State::new();
        for (index, entry) in (0..).zip(&world.log) {
            again.apply(index, &ledger::Entry::parse(entry.bytes()).unwrap()).unwrap();
        }
        prop_assert_eq!(again.hash(), world.state.hash());
        prop_assert_eq!(again, world.state);
    }
}
