//! The life of a consent: every move from every state, and the fold of steps that arrive in any order.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod common;

use common::day;
use consent::ConsentState as S;
use consent::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;

const MOVES: [Move; 15] = [
    Move::Ask,
    Move::Defer,
    Move::Refuse,
    Move::Lapse,
    Move::Give,
    Move::Change,
    Move::Suspend,
    Move::Resume,
    Move::Expire,
    Move::Withdraw(Withdrawal::NoContact),
    Move::Withdraw(Withdrawal::NoAccess),
    Move::Withdraw(Withdrawal::NoUse),
    Move::Withdraw(Withdrawal::DestroySample),
    Move::Revoke,
    Move::Invalidate,
];

const LEVELS: [(Withdrawal, S); 4] = [
    (Withdrawal::NoContact, S::NoContact),
    (Withdrawal::NoAccess, S::NoAccess),
    (Withdrawal::NoUse, S::Withdrawn),
    (Withdrawal::DestroySample, S::DestroySample),
];

/// Where each move leads from a state, as the table of states says.
fn leads(from: S) -> Vec<(Move, S)> {
    let withdraw = || LEVELS.iter().map(|(level, state)| (Move::Withdraw(*level), *state));
    let stronger = |above: usize| withdraw().skip(above).chain([(Move::Ask, S::Requested)]).collect::<Vec<_>>();
    // A court does not wait until a pause is over.
    let ended = [(Move::Expire, S::Expired), (Move::Revoke, S::Revoked), (Move::Invalidate, S::Invalidated)];
    match from {
        S::Requested => {
            vec![
                (Move::Defer, S::Deferred),
                (Move::Refuse, S::Refused),
                (Move::Lapse, S::Expired),
                (Move::Give, S::Active),
            ]
        }
        // "Not sure" does not keep a request open for ever.
        S::Deferred => vec![(Move::Refuse, S::Refused), (Move::Lapse, S::Expired), (Move::Give, S::Active)],
        S::Active => [(Move::Change, S::Active), (Move::Suspend, S::Suspended)]
            .into_iter()
            .chain(ended)
            .chain(withdraw())
            .collect(),
        // Where nothing may be used, no level may open anything.
        S::Suspended => [(Move::Resume, S::Active)].into_iter().chain(ended).chain(withdraw().skip(2)).collect(),
        S::Expired | S::Revoked | S::Invalidated => {
            [(Move::Ask, S::Requested)].into_iter().chain(withdraw().skip(2)).collect()
        }
        S::Refused => vec![(Move::Ask, S::Requested)],
        // While use goes on, the way out is a stronger level, and a new question does not hide it. An ethics board can
        // end it.
        S::NoContact => withdraw().skip(1).chain(ended.into_iter().skip(1)).collect(),
        S::NoAccess => withdraw().skip(2).chain(ended.into_iter().skip(1)).collect(),
        S::Withdrawn => stronger(3),
        S::DestroySample => stronger(4),
        S::Superseded => vec![],
        _ => panic!("a state that the table lacks"),
    }
}

#[test]
fn each_move_from_each_state_leads_where_the_table_says() {
    for from in S::ALL {
        let leads = leads(*from);
        for step in MOVES {
            let expected = leads.iter().find(|(known, _)| *known == step).map(|(_, to)| *to);
            let found = advance(*from, step);
            assert_eq!(found.ok(), expected, "{from:?} {step:?}");
            if let Err(error) = found {
                assert_eq!(error, ImpossibleMove { from: *from, step });
                assert!(!error.reason().is_empty() && error.to_string().contains(error.reason()));
            }
        }
    }
}

#[test]
fn a_withdrawal_becomes_stronger_and_never_weaker() {
    assert!(Withdrawal::ALL.is_sorted());
    for (now, state) in LEVELS {
        assert_eq!((now.state(), state.withdrawal()), (state, Some(now)));
        for (wanted, result) in LEVELS {
            let expected = (wanted > now).then_some(result);
            assert_eq!(advance(state, Move::Withdraw(wanted)).ok(), expected, "{now:?} to {wanted:?}");
        }
    }
}

#[test]
fn states_and_levels_travel_as_words_and_are_read_in_their_old_ones() {
    for state in S::ALL {
        assert_eq!(S::read(state.code()), Some(*state));
        assert_eq!(S::read(state.id()), Some(*state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.code());
    }
    for (old, state) in [("noUse", S::Withdrawn), ("noAccess", S::NoAccess), ("destroySample", S::DestroySample)] {
        assert_eq!(S::read(old), Some(state));
    }
    assert_eq!(S::read("Active"), None);
    let allowed: Vec<_> = S::ALL.iter().filter(|state| state.allows_use()).collect();
    assert_eq!(allowed, [&S::Active, &S::NoContact, &S::NoAccess]);
}

/// A step signed `at` seconds after the epoch.
fn step(id: u32, previous: Option<u32>, step: Move, at: i64) -> Step<u32> {
    Step { id, previous, step, at: Timestamp::from_unix(at), day: None }
}

fn until(step: Step<u32>, last: &str) -> Step<u32> {
    Step { day: Some(day(last)), ..step }
}

const DAY: i64 = 86_400;
const GIVE: Move = Move::Give;
const NO_USE: Move = Move::Withdraw(Withdrawal::NoUse);
const DESTROY: Move = Move::Withdraw(Withdrawal::DestroySample);

fn epoch() -> Date {
    day("1970-01-01")
}

fn states(life: &Life<u32>) -> Vec<S> {
    life.versions().iter().map(|version| version.state).collect()
}

fn why(passed: &[PassedOver<u32>], id: u32) -> Vec<Passed> {
    passed.iter().filter(|over| over.id == id).map(|over| over.why).collect()
}

#[test]
fn a_life_of_its_own_pace() {
    let (life, passed) = fold([
        until(step(1, None, GIVE, 0), "1970-02-01"),
        until(step(2, Some(1), Move::Change, DAY), "1970-03-01"),
        step(3, Some(2), Move::Suspend, 2 * DAY),
        step(4, Some(3), Move::Resume, 3 * DAY),
        step(5, Some(4), Move::Withdraw(Withdrawal::NoContact), 4 * DAY),
        step(6, Some(5), NO_USE, 5 * DAY),
        step(7, Some(6), GIVE, 6 * DAY),
    ]);
    assert_eq!(passed, []);
    assert_eq!(states(&life), [S::Superseded, S::Withdrawn, S::Active]);
    assert_eq!((life.state_at(epoch()), life.latest()), (S::Active, Some(&7)));
}

#[test]
fn a_date_ends_a_consent_and_a_pause_without_anybody() {
    let give = until(step(1, None, GIVE, 0), "1970-01-31");
    let pause = until(step(2, Some(1), Move::Suspend, DAY), "1970-01-10");
    let (life, _) = fold([give.clone(), pause]);
    for (on, state) in [
        ("1970-01-02", S::Suspended),
        ("1970-01-10", S::Suspended),
        ("1970-01-11", S::Active),
        ("1970-01-31", S::Active),
        ("1970-02-01", S::Expired),
    ] {
        assert_eq!(life.state_at(day(on)), state, "{on}");
    }
    let open = step(2, Some(1), Move::Suspend, DAY);
    let (life, _) = fold([give, open]);
    assert_eq!(life.state_at(day("1970-01-31")), S::Suspended);
    assert_eq!(life.state_at(day("1970-02-01")), S::Expired);
}

#[test]
fn what_comes_after_a_date_finds_it_over() {
    let give = until(step(1, None, GIVE, 0), "1970-01-31");
    // Paused at the end, over, and given anew: no version is left standing.
    let pause = step(2, Some(1), Move::Suspend, DAY);
    let (life, passed) = fold([give.clone(), pause, step(3, Some(2), GIVE, 40 * DAY)]);
    assert_eq!((states(&life), passed), (vec![S::Expired, S::Active], vec![]));
    // Changed after a pause that ended by itself.
    let pause = until(step(2, Some(1), Move::Suspend, DAY), "1970-01-10");
    let (life, passed) = fold([give.clone(), pause.clone(), step(3, Some(2), Move::Change, 20 * DAY)]);
    assert_eq!((states(&life), passed), (vec![S::Superseded, S::Active], vec![]));
    // Taken back after a pause that ended by itself.
    let (life, _) = fold([give.clone(), pause, step(3, Some(2), NO_USE, 20 * DAY)]);
    assert_eq!(states(&life), [S::Withdrawn]);
    // Too late to change; not too late to write down that it is over.
    let (life, passed) = fold([give.clone(), step(2, Some(1), Move::Change, 40 * DAY)]);
    let late = ImpossibleMove { from: S::Expired, step: Move::Change };
    assert_eq!((life.versions().len(), why(&passed, 2)), (1, vec![Passed::Impossible(late)]));
    let (life, passed) = fold([give, step(2, Some(1), Move::Expire, 40 * DAY), step(3, Some(2), GIVE, 41 * DAY)]);
    assert_eq!((states(&life), passed), (vec![S::Expired, S::Active], vec![]));
}

#[test]
fn a_request_leaves_the_consents_of_before_as_they_ended() {
    let mut life = Life::default();
    life.follow(&until(step(1, None, GIVE, 0), "1970-01-31")).unwrap();
    life.take(Move::Ask, day("1970-01-31")).unwrap_err();
    life.take(Move::Ask, day("1970-02-01")).unwrap();
    life.take(Move::Refuse, day("1970-02-02")).unwrap();
    assert_eq!(
        (states(&life), life.state_at(day("1970-02-02")), life.latest()),
        (vec![S::Expired], S::Refused, Some(&1))
    );
    // The same as entries.
    let (life, passed) = fold([
        step(1, None, GIVE, 0),
        step(2, Some(1), NO_USE, DAY),
        step(3, Some(2), Move::Ask, 2 * DAY),
        step(4, Some(3), Move::Refuse, 3 * DAY),
    ]);
    assert_eq!((states(&life), life.state_at(epoch()), passed), (vec![S::Withdrawn], S::Refused, vec![]));
}

#[test]
fn a_withdrawal_closes_what_two_devices_gave() {
    // Both give, offline; one of them takes it back, also offline.
    for (first, second) in [(1, 2), (2, 1)] {
        let (life, passed) =
            fold([step(1, None, GIVE, first), step(2, None, GIVE, second), step(3, Some(1), NO_USE, 10)]);
        assert_eq!(states(&life), [S::Withdrawn], "{passed:?}");
        assert!(!life.state_at(epoch()).allows_use());
    }
}

#[test]
fn what_allows_something_counts_only_after_the_latest_entry() {
    let given = step(1, None, GIVE, 0);
    let ended = step(2, Some(1), NO_USE, 10);
    // Signed later, and without having seen the withdrawal.
    for late in [Move::Resume, Move::Change, GIVE] {
        let (life, passed) = fold([given.clone(), ended.clone(), step(3, Some(1), late, 20)]);
        assert_eq!((states(&life), why(&passed, 3)), (vec![S::Withdrawn], vec![Passed::NotLatest]), "{late:?}");
    }
    // A pause on one device, the end of an earlier one on the other.
    let (life, passed) = fold([
        given,
        step(4, Some(1), Move::Suspend, 5),
        step(5, Some(1), Move::Suspend, 6),
        step(6, Some(4), Move::Resume, 7),
    ]);
    assert_eq!((life.state_at(epoch()), why(&passed, 6)), (S::Suspended, vec![Passed::NotLatest]));
}

#[test]
fn of_two_pauses_the_longer_counts() {
    let given = step(1, None, GIVE, 0);
    let short = until(step(2, Some(1), Move::Suspend, 5), "1970-01-10");
    let long = until(step(3, Some(1), Move::Suspend, 6), "1970-01-20");
    let open = step(4, Some(1), Move::Suspend, 7);
    let (life, passed) = fold([given.clone(), short.clone(), long.clone()]);
    assert_eq!((life.state_at(day("1970-01-20")), life.state_at(day("1970-01-21"))), (S::Suspended, S::Active));
    assert_eq!(passed, []);
    let (life, _) = fold([given, short, long, open]);
    assert_eq!(life.state_at(day("2020-01-01")), S::Suspended);
}

#[test]
fn a_step_whose_past_is_missing_is_told_and_still_ends_what_it_ends() {
    let given = step(1, None, GIVE, 0);
    let (life, passed) = fold([given.clone(), step(3, Some(2), Move::Change, 20)]);
    assert_eq!((life.versions().len(), why(&passed, 3)), (1, vec![Passed::Unlinked]));
    for end in [NO_USE, DESTROY, Move::Suspend, Move::Revoke, Move::Invalidate] {
        // A new consent on top of it waits until the gap is closed.
        let (life, passed) = fold([given.clone(), step(3, Some(2), end, 20), step(4, Some(3), GIVE, 30)]);
        assert!(!life.state_at(epoch()).allows_use(), "{end:?}");
        assert_eq!((why(&passed, 3), why(&passed, 4)), (vec![Passed::Unlinked], vec![Passed::Unlinked]));
    }
    // Closed, all of it counts.
    let (life, passed) =
        fold([given, step(2, Some(1), Move::Change, 10), step(3, Some(2), NO_USE, 20), step(4, Some(3), GIVE, 30)]);
    assert_eq!((life.state_at(epoch()), passed), (S::Active, vec![]));
}

#[test]
fn the_same_entry_twice_and_links_in_a_ring_are_harmless() {
    let given = step(1, None, GIVE, 0);
    let (life, passed) = fold([given.clone(), given.clone(), given.clone()]);
    assert_eq!((life.versions().len(), why(&passed, 1)), (1, vec![Passed::Repeated; 2]));
    let (life, passed) = fold([
        given,
        step(2, Some(4), Move::Change, 1),
        step(3, Some(2), Move::Change, 2),
        step(4, Some(3), Move::Change, 3),
        step(5, Some(5), GIVE, 4),
    ]);
    assert_eq!((states(&life), passed.len()), (vec![S::Active], 4));
    assert!(passed.iter().all(|over| over.why == Passed::Unlinked));
}

#[test]
fn long_lives_are_folded_in_a_moment_and_without_depth() {
    let chain = (0..50_000_u32).rev().map(|id| {
        let moves = [GIVE, NO_USE];
        step(id, id.checked_sub(1), moves[id as usize % 2], i64::from(id))
    });
    let (life, passed) = fold(chain);
    assert_eq!((life.versions().len(), life.state_at(epoch()), passed.len()), (25_000, S::Withdrawn, 0));
}

/// What one of two devices does: which, how long after the last, what, with which last day, and whether it has heard of
/// everything before.
type Deed = (bool, i64, Move, Option<i64>, bool);

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![4 => Just(GIVE), 2 => Just(Move::Change), 6 => select(MOVES.to_vec())]
}

fn any_deeds() -> impl Strategy<Value = Vec<Deed>> {
    vec((any::<bool>(), 1..40 * DAY, any_move(), proptest::option::weighted(0.4, 0..60_i64), any::<bool>()), 1..14)
}

/// The steps that two devices sign: each follows the latest entry that its device knows, and is one that its device
/// holds for possible.
fn signed(deeds: Vec<Deed>) -> Vec<Step<u32>> {
    let mut known: [Vec<Step<u32>>; 2] = [Vec::new(), Vec::new()];
    let (mut all, mut now): (Vec<Step<u32>>, i64) = (Vec::new(), 0);
    for (number, (device, wait, what, days, heard)) in deeds.into_iter().enumerate() {
        now += wait;
        let device = usize::from(device);
        if heard {
            known[device].clone_from(&all);
        }
        let (mut life, _) = fold(known[device].clone());
        // Names in another order than time, as hashes are.
        let id = (number as u32 * 7919 + 13) % 10_007;
        let at = Timestamp::from_unix(now);
        let day = days.map(|days| Timestamp::from_unix(now + days * DAY).date());
        let step = Step { id, previous: life.latest().copied(), step: what, at, day };
        if life.follow(&step).is_ok() {
            known[device].push(step.clone());
            all.push(step);
        }
    }
    all
}

/// Steps that nobody would sign: any move after any entry at any time, also after one that does not exist.
fn any_steps() -> impl Strategy<Value = Vec<Step<u32>>> {
    let one = (
        proptest::option::weighted(0.9, 0..14_u32),
        any_move(),
        0..100 * DAY,
        proptest::option::weighted(0.2, 0..100_i64),
    );
    vec(one, 1..12).prop_map(|drawn| {
        let steps = drawn.into_iter().enumerate().map(|(id, (previous, what, at, days))| Step {
            id: id as u32,
            previous,
            step: what,
            at: Timestamp::from_unix(at),
            day: days.map(|days| Timestamp::from_unix(days * DAY).date()),
        });
        steps.collect()
    })
}

fn standing(state: S) -> bool {
    matches!(state, S::Active | S::Suspended)
}

/// What holds for every fold.
fn hold(steps: &[Step<u32>], orders: &[Vec<prop::sample::Index>]) -> Result<(), TestCaseError> {
    let (life, passed) = fold(steps.to_vec());
    for order in orders {
        let mut turned = steps.to_vec();
        for (place, other) in order.iter().enumerate().take(turned.len()) {
            let other = other.index(turned.len());
            turned.swap(place, other);
        }
        prop_assert_eq!(&fold(turned), &(life.clone(), passed.clone()));
    }
    // One head at most, and it is the last one.
    let states = states(&life);
    let (last, before) = states.split_last().map_or((None, &[][..]), |(last, before)| (Some(*last), before));
    prop_assert!(!before.iter().copied().any(standing), "{states:?}");
    if last.is_some_and(standing) {
        prop_assert!(standing(life.state_at(epoch())));
    }
    // Each version was given by a step that counted.
    let of: BTreeMap<u32, &Step<u32>> = steps.iter().map(|step| (step.id, step)).collect();
    for version in life.versions() {
        prop_assert!(matches!(of[&version.id].step, Move::Give | Move::Change));
        prop_assert!(passed.iter().all(|over| over.id != version.id));
    }
    // A withdrawal that nothing followed stands. Only a new consent after the latest entry ends it.
    let ends =
        |step: &&Step<u32>| matches!(step.step, NO_USE | DESTROY) && passed.iter().all(|over| over.id != step.id);
    if let (Some(end), Some(head)) = (steps.iter().filter(ends).max_by_key(|step| step.at), life.versions().last()) {
        let given = of[&head.id];
        let anew = given.previous.is_some() && matches!(given.step, Move::Give | Move::Change);
        for year in ["1970-01-01", "1971-01-01", "2040-01-01"] {
            let use_again = life.state_at(day(year)).allows_use();
            prop_assert!(!use_again || anew, "{:?} after {:?}", life, end);
        }
    }
    Ok(())
}

fn any_orders() -> impl Strategy<Value = Vec<Vec<prop::sample::Index>>> {
    vec(vec(any::<prop::sample::Index>(), 14), 3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(3000), ..ProptestConfig::default() })]

    #[test]
    fn two_devices_agree_whatever_arrives_first(deeds in any_deeds(), orders in any_orders()) {
        let steps = signed(deeds);
        hold(&steps, &orders)?;
        // Their clocks agree here: who uses data after a withdrawal has a consent that is younger.
        let (life, passed) = fold(steps.clone());
        let counted = steps.iter().filter(|step| passed.iter().all(|over| over.id != step.id));
        let last_end = counted.filter(|step| matches!(step.step, NO_USE | DESTROY)).map(|step| step.at).max();
        if let (Some(end), Some(head)) = (last_end, life.versions().last()) {
            let use_again = ["1970-01-01", "2040-01-01"].iter().any(|on| life.state_at(day(on)).allows_use());
            prop_assert!(!use_again || head.at > end);
        }
    }

    #[test]
    fn no_sequence_of_steps_breaks_the_rules(steps in any_steps(), orders in any_orders()) {
        hold(&steps, &orders)?;
    }

    #[test]
    fn one_device_alone_is_never_passed_over(deeds in any_deeds()) {
        let alone = deeds.into_iter().map(|(_, wait, what, days, _)| (true, wait, what, days, true)).collect();
        let steps = signed(alone);
        let (life, passed) = fold(steps.clone());
        prop_assert_eq!((passed, life.latest()), (vec![], steps.last().map(|step| &step.id)));
    }

    /// What is withdrawn stays so whatever else arrives that had not seen it.
    #[test]
    fn nothing_that_had_not_seen_a_withdrawal_undoes_it(deeds in any_deeds(), what in any_move(), place in any::<prop::sample::Index>()) {
        let given = (true, 1, GIVE, None, true);
        let mut steps = signed([given].into_iter().chain(deeds).collect());
        let (life, _) = fold(steps.clone());
        let now = steps.last().map_or(0, |step| step.at.unix());
        let seen = steps[place.index(steps.len())].id;
        steps.push(step(20_000, life.latest().copied(), NO_USE, now + 1));
        let (life, passed) = fold(steps.clone());
        // There was something to take back.
        if passed.iter().any(|over| over.id == 20_000) {
            return Ok(());
        }
        prop_assert!(!life.state_at(epoch()).allows_use());
        steps.push(step(20_001, Some(seen), what, now + 2));
        let (life, _) = fold(steps);
        prop_assert!(!life.state_at(epoch()).allows_use(), "{:?}", life);
    }
}
