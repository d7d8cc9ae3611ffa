//! The rules of access and of samples: an answer only becomes narrower, a grant rests on what was allowed, a use on a
//! grant, and a sample has one life.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use common::hash;
use common::world::*;
use consent::Outcome;
use ledger::event::{InstitutionEvent, Role, SampleStep};
use ledger::{Effect, Key, Rejected};

#[test]
fn an_answer_to_a_request_only_becomes_narrower() {
    use Outcome::{Deny, Permit, Review};
    let mut world = World::new();
    let asked = world.request();
    let answered = Rejected::NotNew(Key::request(&asked));
    let ways: [(&[Outcome], &[Outcome]); 5] = [
        (&[], &[Permit, Deny, Review]),
        (&[Review], &[Permit, Deny]),
        (&[Permit], &[Deny]),
        (&[Deny], &[]),
        (&[Permit, Deny], &[]),
    ];
    for (past, possible) in ways {
        let mut world = world.clone();
        for outcome in past {
            world.must(COMMITTEE, decision(asked, *outcome, ""));
        }
        for next in [Permit, Deny, Review] {
            let wanted = if possible.contains(&next) { None } else { Some(answered.clone()) };
            assert_eq!(world.check(COMMITTEE, decision(asked, next, "")).err(), wanted, "{past:?} {next:?}");
        }
        // The same request a second time does not take the answer back.
        let first = world.log.iter().find(|entry| entry.hash() == asked).unwrap().clone();
        assert_eq!(world.give(&first), Err(answered.clone()));
    }
    for (outcome, until) in [(Permit, "2026-11-22"), (Deny, "2026-12-31"), (Review, "2026-12-31")] {
        assert_eq!(world.check(COMMITTEE, decision(asked, outcome, until)), Err(Rejected::Time));
    }
    let lost = ledger::EntryHash::of(b"no request");
    let unknown = Err(Rejected::NotThere(Key::request(&lost)));
    assert_eq!(world.say(COMMITTEE, decision(lost, Permit, "")), unknown);
}

#[test]
fn a_grant_lasts_an_hour_and_rests_on_what_was_allowed() {
    let mut world = World::new();
    let asked = world.request();
    let grant = |it| InstitutionEvent::AccessGrant(it);
    let of = |request| access(RESEARCHER, request, "12:00:00", "13:00:00");
    let undecided = Rejected::NotThere(Key::request(&asked));
    assert_eq!(world.check(INSTITUTION, grant(of(Some(asked)))), Err(undecided.clone()));
    world.must(COMMITTEE, decision(asked, Outcome::Permit, "2026-11-23"));
    for (from, to) in [("12:00:00", "12:00:00"), ("12:00:00", "11:00:00"), ("12:00:00", "13:00:01")] {
        assert_eq!(world.check(INSTITUTION, grant(access(RESEARCHER, None, from, to))), Err(Rejected::Time));
    }
    let mut other = of(Some(asked));
    other.purpose = hash(77);
    assert_eq!(world.check(INSTITUTION, grant(other)), Err(undecided.clone()));
    let elsewhere = access(OTHER_RESEARCHER, Some(asked), "12:00:00", "13:00:00");
    assert_eq!(world.check(INSTITUTION, grant(elsewhere)), Err(undecided.clone()));
    for nobody in [STRANGER, COMMITTEE, DONOR] {
        let unknown = Rejected::NotThere(Key::member(&did(nobody)));
        assert_eq!(world.check(INSTITUTION, grant(access(nobody, None, "12:00:00", "13:00:00"))), Err(unknown));
    }
    // Beyond the last day of the yes.
    let mut late = access(RESEARCHER, Some(asked), "23:30:00", "23:59:59");
    world.clone().must(INSTITUTION, grant(late.clone()));
    late.expires = late.expires.plus_seconds(1);
    assert_eq!(world.check(INSTITUTION, grant(late)), Err(Rejected::Time));
    let given = world.must(INSTITUTION, grant(of(Some(asked))));
    let twice = Rejected::NotNew(Key::grant(&given));
    assert_eq!(world.check(INSTITUTION, grant(of(Some(asked)))), Err(twice));
    world.must(COMMITTEE, decision(asked, Outcome::Deny, ""));
    assert_eq!(world.check(INSTITUTION, grant(of(Some(asked)))).err(), Some(undecided), "taken back");
}

#[test]
fn uses_are_told_by_who_holds_the_grant_and_within_its_hour() {
    let mut world = World::new();
    let asked = world.allowed();
    let grant = InstitutionEvent::AccessGrant(access(RESEARCHER, Some(asked), "12:00:00", "13:00:00"));
    let grant = world.must(INSTITUTION, grant);
    for time in ["11:59:59", "13:00:00", "23:00:00"] {
        assert_eq!(world.check(RESEARCHER, used(grant, time)), Err(Rejected::Time), "{time}");
        assert_eq!(world.check(INSTITUTION, used(grant, time)), Err(Rejected::Time), "{time}");
    }
    for time in ["12:59:59", "12:00:00"] {
        assert_eq!(world.say(RESEARCHER, used(grant, time)), Ok(Effect::Use { grant }), "in any order");
    }
    let lost = ledger::EntryHash::of(b"no grant");
    assert_eq!(world.check(RESEARCHER, used(lost, "12:00:00")), Err(Rejected::NotThere(Key::grant(&lost))));
    // Who left tells nothing under the old name; the institution still can.
    world.must(INSTITUTION, member(RESEARCHER, Role::Researcher, "university", false, "12:30:00"));
    assert_eq!(world.check(RESEARCHER, used(grant, "12:45:00")), Err(Rejected::NotAllowed));
    world.must(INSTITUTION, used(grant, "12:15:00"));
    let again = InstitutionEvent::AccessGrant(access(RESEARCHER, Some(asked), "13:00:00", "14:00:00"));
    assert_eq!(world.check(INSTITUTION, again), Err(Rejected::NotThere(Key::member(&did(RESEARCHER)))));
}

#[test]
fn a_sample_has_one_life() {
    use SampleStep::{Collect, Consume, Derive, Destroy, Move};
    let world = World::new();
    let (first, key) = (world.log.last().unwrap().hash(), Key::sample(&hash(1)));
    let check = |event| world.check(STAFF, event);
    let mismatch = Rejected::PreviousMismatch { latest: Some(first) };
    assert_eq!(check(sample(Move, 1, None, None)), Err(mismatch.clone()));
    assert_eq!(check(sample(Collect, 1, None, None)), Err(mismatch));
    assert_eq!(check(sample(Collect, 1, None, Some(first))), Err(Rejected::NotNew(key.clone())));
    assert_eq!(check(sample(Move, 9, None, None)), Err(Rejected::NotThere(Key::sample(&hash(9)))));
    assert_eq!(check(sample(Move, 9, None, Some(first))), Err(Rejected::PreviousMismatch { latest: None }));
    assert_eq!(check(sample(Derive, 2, None, None)), Err(Rejected::NotThere(Key::sample(&hash(2)))));
    assert_eq!(check(sample(Derive, 2, Some(2), None)), Err(Rejected::NotThere(Key::sample(&hash(2)))), "of itself");
    assert_eq!(check(sample(Derive, 2, Some(9), None)), Err(Rejected::NotThere(Key::sample(&hash(9)))));
    assert_eq!(check(sample(Move, 1, Some(1), Some(first))), Err(Rejected::NotAllowed));
    assert_eq!(check(sample(Collect, 2, Some(1), None)), Err(Rejected::NotAllowed));
    for end in [Consume, Destroy] {
        let mut world = world.clone();
        let child = world.must(STAFF, sample(Derive, 2, Some(1), None));
        let moved = world.must(FOREIGN_STAFF, sample(Move, 1, None, Some(first)));
        let gone = world.must(INSTITUTION, sample(end, 1, None, Some(moved)));
        for step in [Move, Consume, Destroy] {
            assert_eq!(world.check(STAFF, sample(step, 1, None, Some(gone))), Err(Rejected::NotThere(key.clone())));
        }
        assert_eq!(world.check(STAFF, sample(Derive, 3, Some(1), None)), Err(Rejected::NotThere(key.clone())));
        world.must(STAFF, sample(Derive, 3, Some(2), None));
        world.must(STAFF, sample(Move, 2, None, Some(child)));
    }
}
