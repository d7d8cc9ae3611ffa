//! The rules over the entries of a log: the life of a consent, step by step, and what holds whatever comes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::{given, grant, hash, sign, suspend, withdraw};
use consent::{ConsentState, Date, ImpossibleMove, Move, Step, Withdrawal, fold};
use identity::SigningKey;
use ledger::{
    Act, Batch, ConsentEntry, ConsentEvent, EntryHash, Hash, Records as _, Rejected, State, empty_state_hash, keys_of,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One subject in a log of its own, spoken for by one key.
#[derive(Clone)]
struct Donor {
    state: State,
    latest: Option<EntryHash>,
    entries: u64,
}

const NOON: &str = "T12:00:00Z";

impl Donor {
    fn new() -> Self {
        Self { state: State::new(), latest: None, entries: 0 }
    }

    fn does(&mut self, day: &str, act: Act) -> Result<(), Rejected> {
        let entry = sign(1, hash(2), self.latest, &format!("{day}{NOON}"), act);
        self.state.apply(self.entries, &entry)?;
        (self.latest, self.entries) = (Some(entry.hash()), self.entries + 1);
        Ok(())
    }

    /// A donor who has done all this.
    fn who_did(acts: &[(&str, Act)]) -> Self {
        let mut donor = Self::new();
        acts.iter().for_each(|(day, act)| donor.does(day, *act).unwrap());
        donor
    }

    fn on(&self, day: &str) -> ConsentState {
        self.state.subject(&hash(2)).unwrap().state_at(day.parse().unwrap())
    }
}

fn give() -> Act {
    Act::Grant(given(""))
}

fn change() -> Act {
    Act::Change(given(""))
}

fn leave(level: Withdrawal) -> Act {
    Act::Withdraw { level }
}

fn impossible(from: ConsentState, step: Move) -> Result<(), Rejected> {
    Err(Rejected::Impossible(ImpossibleMove { from, step }))
}

const LEVELS: [Withdrawal; 4] =
    [Withdrawal::NoContact, Withdrawal::NoAccess, Withdrawal::NoUse, Withdrawal::DestroySample];

#[test]
fn the_life_of_a_consent() {
    let (mut state, first) = (State::new(), grant(1, 1));
    let subject = first.event().subject;
    assert_eq!(state.apply(0, &withdraw(1, &first)).err(), Some(Rejected::NotGranted));
    state.apply(0, &first).unwrap();
    let active = |state: &State| state.subject(&subject).unwrap().standing.written == ConsentState::Active;
    assert!(active(&state));
    // Giving twice, once blindly and once knowingly.
    let again = |key, previous| sign(key, subject, previous, "2026-11-23T12:00:00Z", give());
    let blind = Rejected::PreviousMismatch { latest: Some(first.hash()) };
    assert_eq!(state.check(&again(1, None)), Err(blind));
    assert_eq!(state.check(&again(1, Some(first.hash()))), impossible(ConsentState::Active, Move::Give));
    assert_eq!(state.check(&again(2, Some(first.hash()))), Err(Rejected::ForeignKey));
    let end = withdraw(1, &first);
    assert_eq!(state.apply(0, &end).err(), Some(Rejected::OutOfOrder));
    state.apply(1, &end).unwrap();
    assert!(!active(&state));
    let twice = impossible(ConsentState::Withdrawn, Move::Withdraw(Withdrawal::NoUse));
    assert_eq!(state.check(&withdraw(1, &end)), twice);
    assert_eq!(state.check(&withdraw(1, &first)), twice, "wherever it stands");
    let renewed = again(1, Some(end.hash()));
    state.apply(5, &renewed).unwrap();
    let now = state.subject(&subject).unwrap();
    assert_eq!((active(&state), now.grant.entry, now.latest_index), (true, renewed.hash(), 5));
}

#[test]
fn nothing_but_a_grant_begins() {
    for level in LEVELS {
        assert_eq!(Donor::new().does("2026-11-22", leave(level)), Err(Rejected::NotGranted));
    }
    assert_eq!(Donor::new().does("2026-11-22", suspend("")), Err(Rejected::NotGranted));
    assert_eq!(Donor::new().does("2026-11-22", Act::Resume), Err(Rejected::NotGranted));
    assert_eq!(Donor::new().does("2026-11-22", change()), impossible(ConsentState::Requested, Move::Change));
    // Also not behind an entry that is not there.
    let lost = sign(1, hash(2), Some(grant(9, 9).hash()), "2026-11-22T12:00:00Z", give());
    assert_eq!(State::new().apply(0, &lost), Err(Rejected::PreviousMismatch { latest: None }));
}

#[test]
fn a_change_takes_the_place_of_an_active_version_and_of_no_other() {
    let mut donor = Donor::who_did(&[("2026-11-22", Act::Grant(given("2026-12-31")))]);
    donor.does("2026-11-23", Act::Change(given("2027-06-30"))).unwrap();
    assert_eq!(donor.on("2027-06-30"), ConsentState::Active);
    assert_eq!(donor.on("2027-07-01"), ConsentState::Expired);
    let now = donor.state.subject(&hash(2)).unwrap();
    assert_eq!((now.grant.index, Some(now.grant.entry)), (1, donor.latest));
    // A change without a last day takes the day away.
    donor.does("2026-11-24", change()).unwrap();
    assert_eq!(donor.on("2099-01-01"), ConsentState::Active);

    let over = Donor::who_did(&[("2026-11-22", Act::Grant(given("2026-12-31")))]);
    assert_eq!(over.clone().does("2027-01-01", change()), impossible(ConsentState::Expired, Move::Change));
    assert_eq!(over.clone().does("2026-12-31", change()), Ok(()), "its last day is a day of it");
    let paused = Donor::who_did(&[("2026-11-22", give()), ("2026-11-23", suspend(""))]);
    assert_eq!(paused.clone().does("2026-11-24", change()), impossible(ConsentState::Suspended, Move::Change));
    for level in LEVELS {
        let mut left = Donor::who_did(&[("2026-11-22", give()), ("2026-11-23", leave(level))]);
        assert_eq!(left.does("2026-11-24", change()), impossible(level.state(), Move::Change));
    }
}

#[test]
fn a_pause_lasts_until_the_donor_resumes() {
    let mut donor = Donor::who_did(&[("2026-11-22", give()), ("2026-11-23", suspend(""))]);
    assert_eq!(donor.on("2099-01-01"), ConsentState::Suspended);
    assert_eq!(donor.does("2026-11-24", suspend("2026-12-01")), impossible(ConsentState::Suspended, Move::Suspend));
    assert_eq!(donor.does("2026-11-24", give()), impossible(ConsentState::Suspended, Move::Give));
    let version = donor.state.subject(&hash(2)).unwrap().grant.clone();
    donor.does("2026-11-25", Act::Resume).unwrap();
    assert_eq!(donor.on("2026-11-25"), ConsentState::Active);
    assert_eq!(donor.state.subject(&hash(2)).unwrap().grant, version, "the version is the one from before");
    assert_eq!(donor.does("2026-11-26", Act::Resume), impossible(ConsentState::Active, Move::Resume));
}

#[test]
fn a_pause_is_over_after_its_last_day() {
    let paused = Donor::who_did(&[("2026-11-22", give()), ("2026-11-23", suspend("2026-12-10"))]);
    assert_eq!(paused.on("2026-12-10"), ConsentState::Suspended);
    assert_eq!(paused.on("2026-12-11"), ConsentState::Active);
    assert_eq!(paused.clone().does("2026-12-11", Act::Resume), impossible(ConsentState::Active, Move::Resume));
    // From then on everything is possible that is possible while it is active.
    assert_eq!(paused.clone().does("2026-12-10", change()), impossible(ConsentState::Suspended, Move::Change));
    for act in [change(), suspend(""), leave(Withdrawal::NoAccess)] {
        assert_eq!(paused.clone().does("2026-12-11", act), Ok(()), "{act:?}");
    }
    // A change after it does not bring the old pause back, nor does resuming before its last day.
    for (day, act) in [("2026-12-11", change()), ("2026-11-30", Act::Resume)] {
        let mut goes_on = paused.clone();
        goes_on.does(day, act).unwrap();
        assert_eq!(goes_on.on("2026-11-30"), ConsentState::Active, "{act:?}");
    }
    // A second pause has a day of its own.
    let mut again = paused.clone();
    again.does("2026-12-11", suspend("2026-12-20")).unwrap();
    assert_eq!((again.on("2026-12-20"), again.on("2026-12-21")), (ConsentState::Suspended, ConsentState::Active));
}

#[test]
fn a_consent_is_over_after_its_last_day_also_while_it_is_paused() {
    let given = ("2026-11-22", Act::Grant(given("2026-12-31")));
    let pauses =
        [suspend(""), suspend("2026-12-01"), suspend("2027-06-30")].map(|act| vec![given, ("2026-11-23", act)]);
    for acts in [vec![given]].iter().chain(&pauses) {
        let donor = Donor::who_did(acts);
        assert_ne!(donor.on("2026-12-31"), ConsentState::Expired);
        for day in ["2027-01-01", "2027-07-01", "2099-01-01"] {
            assert_eq!(donor.on(day), ConsentState::Expired);
        }
        for act in [suspend(""), Act::Resume] {
            let step = if act == Act::Resume { Move::Resume } else { Move::Suspend };
            assert_eq!(donor.clone().does("2027-01-01", act), impossible(ConsentState::Expired, step));
        }
        // Resuming does not make it longer.
        let mut resumed = donor.clone();
        if resumed.on("2026-11-24") == ConsentState::Suspended {
            resumed.does("2026-11-24", Act::Resume).unwrap();
        }
        assert_eq!((resumed.on("2026-12-31"), resumed.on("2027-01-01")), (ConsentState::Active, ConsentState::Expired));
    }
}

#[test]
fn a_withdrawal_only_becomes_stronger() {
    for from in LEVELS {
        let left = Donor::who_did(&[("2026-11-22", give()), ("2026-11-23", leave(from))]);
        assert_eq!(left.on("2026-11-23"), from.state());
        assert!(from < Withdrawal::NoUse || !left.on("2099-01-01").allows_use());
        for to in LEVELS {
            let mut goes_on = left.clone();
            let wanted = if to > from { Ok(()) } else { impossible(from.state(), Move::Withdraw(to)) };
            assert_eq!(goes_on.does("2026-11-24", leave(to)), wanted, "{from:?} to {to:?}");
            assert_eq!(goes_on.on("2026-11-24"), from.max(to).state());
        }
        for (act, step) in [(suspend(""), Move::Suspend), (Act::Resume, Move::Resume)] {
            assert_eq!(left.clone().does("2026-11-24", act), impossible(from.state(), step));
        }
    }
    let paused = Donor::who_did(&[("2026-11-22", give()), ("2026-11-23", suspend("2026-12-24"))]);
    for level in [Withdrawal::NoUse, Withdrawal::DestroySample] {
        let mut left = paused.clone();
        left.does("2026-11-24", leave(level)).unwrap();
        assert_eq!(left.on("2027-01-01"), level.state(), "the end of the pause changes nothing");
    }
}

#[test]
fn consent_is_given_again_after_a_withdrawal_or_its_last_day() {
    // At the milder levels use goes on: there the way is to a stronger one first.
    for level in [Withdrawal::NoContact, Withdrawal::NoAccess] {
        let mut donor = Donor::who_did(&[("2026-11-22", give()), ("2026-11-23", leave(level))]);
        assert_eq!(donor.does("2026-11-24", give()), impossible(level.state(), Move::Give));
    }
    for level in [Withdrawal::NoUse, Withdrawal::DestroySample] {
        let mut donor =
            Donor::who_did(&[("2026-11-22", Act::Grant(given("2026-12-31"))), ("2026-11-23", leave(level))]);
        donor.does("2026-11-24", give()).unwrap();
        assert_eq!(donor.on("2027-01-01"), ConsentState::Active, "the old last day is gone");
    }
    let mut donor = Donor::who_did(&[("2026-11-22", Act::Grant(given("2026-12-31")))]);
    assert_eq!(donor.does("2026-12-31", give()), impossible(ConsentState::Active, Move::Give));
    donor.does("2027-01-01", Act::Grant(given("2027-12-31"))).unwrap();
    assert_eq!((donor.on("2027-12-31"), donor.on("2028-01-01")), (ConsentState::Active, ConsentState::Expired));
    assert_eq!(donor.state.subject(&hash(2)).unwrap().grant.index, 1);
}

#[test]
fn days_are_days_in_utc() {
    let late = sign(1, hash(2), None, "2026-12-31T23:59:59Z", Act::Grant(given("2026-12-31")));
    let mut state = State::new();
    state.apply(0, &late).unwrap();
    let change = |time| sign(1, hash(2), Some(late.hash()), time, change());
    assert_eq!(state.check(&change("2026-12-31T23:59:59Z")), Ok(()));
    assert_eq!(state.check(&change("2027-01-01T00:00:00Z")), impossible(ConsentState::Expired, Move::Change));
}

#[test]
fn a_foreign_key_learns_nothing() {
    let first = grant(1, 1);
    let mut state = State::new();
    state.apply(0, &first).unwrap();
    let subject = first.event().subject;
    let acts = [give(), change(), suspend(""), Act::Resume, leave(Withdrawal::DestroySample)];
    for act in acts {
        for previous in [None, Some(first.hash()), Some(grant(9, 9).hash())] {
            let foreign = sign(2, subject, previous, "2026-11-23T12:00:00Z", act);
            assert_eq!(state.check(&foreign), Err(Rejected::ForeignKey), "{act:?}");
        }
    }
    // The own key is told what it missed, whatever it wanted. Only taking back waits for nothing.
    for act in acts {
        for previous in [None, Some(grant(9, 9).hash())] {
            let behind = sign(1, subject, previous, "2026-11-23T12:00:00Z", act);
            let missed = Rejected::PreviousMismatch { latest: Some(first.hash()) };
            let ends = matches!(act, Act::Withdraw { .. });
            assert_eq!(state.check(&behind), if ends { Ok(()) } else { Err(missed) }, "{act:?}");
        }
    }
}

/// What a donor signed who had not seen everything, told by what it names and when it was signed.
fn late(level: Withdrawal, names: Option<EntryHash>, day: &str) -> ConsentEntry {
    sign(1, hash(2), names, &format!("{day}{NOON}"), leave(level))
}

#[test]
fn a_withdrawal_counts_wherever_it_stands() {
    let mut donor = Donor::who_did(&[("2026-11-22", give()), ("2026-11-23", suspend("2026-12-24"))]);
    let version = donor.state.subject(&hash(2)).unwrap().grant.entry;
    donor.does("2026-11-24", Act::Resume).unwrap();
    // It names nothing, or something that nobody knows, but it is younger than the version.
    for names in [None, Some(grant(9, 9).hash()), Some(version)] {
        for day in ["2026-11-22", "2026-11-23", "2026-12-01"] {
            assert_eq!(donor.state.check(&late(Withdrawal::NoUse, names, day)), Ok(()), "{names:?} {day}");
        }
    }
    // One from a clock that is behind names the version that it ends.
    let slow = late(Withdrawal::NoUse, Some(version), "1970-01-01");
    assert_eq!(donor.state.check(&slow), Ok(()));
    donor.state.apply(3, &slow).unwrap();
    for day in ["1970-01-01", "2026-11-24", "2099-01-01"] {
        assert_eq!(donor.on(day), ConsentState::Withdrawn);
    }
    // Who follows it names it.
    assert_eq!(donor.state.subject(&hash(2)).unwrap().latest, slow.hash());
}

#[test]
fn a_withdrawal_that_was_held_back_ends_no_later_consent() {
    let leaves = [("2026-11-22", give()), ("2026-11-24", leave(Withdrawal::NoUse))];
    let mut donor = Donor::who_did(&leaves);
    let version = donor.state.subject(&hash(2)).unwrap().grant.entry;
    let held = [
        late(Withdrawal::DestroySample, Some(version), "2026-11-23"),
        late(Withdrawal::DestroySample, None, "2026-11-24"),
        late(Withdrawal::NoUse, Some(grant(9, 9).hash()), "2026-11-25"),
    ];
    donor.does("2026-11-26", give()).unwrap();
    let latest = donor.latest;
    for entry in &held {
        assert_eq!(donor.state.check(entry), Err(Rejected::PreviousMismatch { latest }));
    }
    // Nor does one that the log holds already, a second time.
    let first = Donor::who_did(&leaves).latest;
    let again = late(Withdrawal::NoUse, Some(version), "2026-11-24");
    assert_eq!(first, Some(again.hash()));
    assert_eq!(donor.state.check(&again), Err(Rejected::PreviousMismatch { latest }));
    // A change is a new version as well: who has not seen it is told.
    let mut changed = Donor::who_did(&[("2026-11-22", give()), ("2026-11-26", change())]);
    let behind = late(Withdrawal::NoUse, Some(version), "2026-11-25");
    assert_eq!(changed.state.check(&behind), Err(Rejected::PreviousMismatch { latest: changed.latest }));
    changed.does("2026-11-25", leave(Withdrawal::NoUse)).unwrap();
}

#[test]
fn a_mild_withdrawal_opens_nothing_wherever_it_stands() {
    for level in [Withdrawal::NoContact, Withdrawal::NoAccess] {
        // Signed before a pause that it has not seen: in the pause nothing may be used.
        let paused = Donor::who_did(&[("2026-11-22", give()), ("2026-11-25", suspend("2026-12-24"))]);
        let refused =
            Rejected::Impossible(ImpossibleMove { from: ConsentState::Suspended, step: Move::Withdraw(level) });
        assert_eq!(paused.state.check(&late(level, None, "2026-11-23")), Err(refused));
        // Signed before the last day, heard after it: the day is over all the same.
        let mut over = Donor::who_did(&[("2026-11-22", Act::Grant(given("2026-11-30")))]);
        over.state.apply(1, &late(level, None, "2026-11-29")).unwrap();
        assert_eq!((over.on("2026-11-30"), over.on("2026-12-01")), (level.state(), ConsentState::Expired));
        // Behind a stronger one.
        let gone = Donor::who_did(&[("2026-11-22", give()), ("2026-11-25", leave(Withdrawal::NoUse))]);
        let refused =
            Rejected::Impossible(ImpossibleMove { from: ConsentState::Withdrawn, step: Move::Withdraw(level) });
        assert_eq!(gone.state.check(&late(level, None, "2026-11-23")), Err(refused));
    }
}

/// What somebody, honest or not, does next.
#[derive(Debug, Clone)]
struct Deed {
    key: u8,
    subject: u8,
    act: Act,
    /// Days after the day before; some clocks go wrong.
    days: i64,
    /// Which of the entries so far is named as the previous one; without it, the latest of the subject.
    names: Option<prop::sample::Index>,
}

const START: i64 = 1_795_348_800;

fn day(days: i64) -> Date {
    consent::Timestamp::from_unix(START + days * 86_400).date()
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let until = || prop::option::of((0_i64..60).prop_map(day));
    let version = move || until().prop_map(|until| ledger::Given { until, ..given("") });
    let act = prop_oneof![
        3 => version().prop_map(Act::Grant),
        2 => version().prop_map(Act::Change),
        2 => until().prop_map(|until| Act::Suspend { until }),
        2 => Just(Act::Resume),
        3 => prop::sample::select(LEVELS.to_vec()).prop_map(leave),
    ];
    // Most deeds follow the chain with the right key, so that they get through.
    let key = prop_oneof![9 => Just(1_u8), 1 => Just(2)];
    let names = prop_oneof![4 => Just(None), 1 => any::<Option<prop::sample::Index>>()];
    let deed = (key, 1_u8..3, act, -2_i64..9, names);
    let deed = deed.prop_map(|(key, subject, act, days, names)| Deed { key, subject, act, days, names });
    prop::collection::vec(deed, 0..32)
}

/// A batch over what a host would look up for one entry.
fn looked_up(state: &State, entry: &ConsentEntry, index: u64) -> Batch {
    let known = keys_of(entry).into_iter().map(|key| (key.clone(), state.record(&key).cloned()));
    Batch::new(index, state.hash(), known.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_whatever_comes(deeds in deeds()) {
        let (mut state, mut log, mut days) = (State::new(), Vec::<ConsentEntry>::new(), 0);
        let mut ended: BTreeMap<Hash, bool> = BTreeMap::new();
        for (mark, deed) in (0_u8..).zip(deeds) {
            days += deed.days;
            let subject = hash(deed.subject);
            let latest = state.subject(&subject).map(|s| s.latest);
            let previous = match deed.names {
                Some(index) if !log.is_empty() => Some(index.get(&log).hash()),
                _ => latest,
            };
            let time = consent::Timestamp::from_unix(START + days * 86_400 + 43_200);
            let event = ConsentEvent { subject, previous, notice: hash(mark), time, act: deed.act };
            let entry = ConsentEntry::sign(&SigningKey::from_seed([deed.key; 32]), &event);
            let (before, index) = (state.clone(), log.len() as u64);
            let mut batch = looked_up(&before, &entry, index);
            let judged = batch.push(&entry).map(|(_, effect)| effect);
            prop_assert_eq!(before.check(&entry), judged.clone().map(|_| ()));
            let applied = state.apply(index, &entry);
            prop_assert_eq!(judged, applied.clone());
            if applied.is_err() {
                prop_assert_eq!(&state, &before);
                continue;
            }
            let mut kept = before.clone();
            kept.keep(batch);
            prop_assert_eq!(&kept, &state);
            let now = state.subject(&subject).unwrap();
            // The chain: what was accepted names what was latest, by the key that spoke first. Only a withdrawal from
            // what was given before it may name another.
            let ends = before.subject(&subject).is_some_and(|was| {
                let ends = event.time >= was.grant.time || event.previous == Some(was.grant.entry);
                matches!(deed.act, Act::Withdraw { .. }) && ends
            });
            prop_assert!(event.previous == latest || ends);
            prop_assert_eq!(now.latest, entry.hash());
            prop_assert!(before.subject(&subject).is_none_or(|was| was.signer == *entry.signer()));
            prop_assert!(before.subject(&subject).is_some() || matches!(deed.act, Act::Grant(_)));
            match deed.act {
                Act::Grant(_) => ended.insert(subject, false),
                Act::Withdraw { level } if level >= Withdrawal::NoUse => ended.insert(subject, true),
                _ => None,
            };
            log.push(entry);
            for (subject, ended) in &ended {
                let subject = state.subject(subject).unwrap();
                for on in (-4..120).map(day) {
                    let is = subject.state_at(on);
                    // Who took everything back is not used again, on no day, until they give consent again.
                    prop_assert!(!(*ended && is.allows_use()), "{:?}", subject);
                    prop_assert_eq!(*ended, matches!(is, ConsentState::Withdrawn | ConsentState::DestroySample));
                    // Nobody has to do anything for a consent to end with its last day.
                    let stands = matches!(is, ConsentState::Active | ConsentState::Suspended);
                    prop_assert!(!stands || subject.standing.until.is_none_or(|until| on <= until));
                }
            }
        }
        // Whoever reads the accepted entries again, one by one or in one batch, understands the same.
        let mut again = State::new();
        let keys = log.iter().flat_map(|entry| keys_of(entry)).map(|key| (key, None)).collect();
        let mut batch = Batch::new(0, empty_state_hash(), keys);
        for (index, entry) in (0..).zip(&log) {
            let read = ConsentEntry::parse(entry.bytes()).unwrap();
            again.apply(index, &read).unwrap();
            prop_assert_eq!(batch.push(&read).unwrap().0, index);
        }
        let mut kept = State::new();
        kept.keep(batch);
        prop_assert_eq!(again.hash(), state.hash());
        prop_assert_eq!(&again, &state);
        prop_assert_eq!(&kept, &state);
        // And so does the fold by which a wallet reads its own journal.
        for (commitment, subject) in state.subjects() {
            let mut previous = None;
            let own = log.iter().filter(|entry| entry.event().subject == commitment).map(|entry| {
                let (id, event) = (entry.hash(), entry.event());
                Step { id, previous: previous.replace(id), step: event.step(), at: event.time, day: event.until() }
            });
            let (life, passed) = fold(own);
            prop_assert_eq!(passed, vec![]);
            prop_assert_eq!((life.standing(), life.latest()), (subject.standing, Some(&subject.latest)));
        }
    }
}
