//! The contract of the tables, and the rules of the desk, over both kinds of tables.

use super::{Embedded, Rows, Shared, Table, Tables, TablesError, copy};
use crate::desk::{Accepted, Account, AccountRole, Desk, Step, StudyKey};
use crate::postgres::Database;
use consent::Timestamp;
use identity::SigningKey;

#[path = "../../tests/cluster/mod.rs"]
mod cluster;

const A: Table = Table("a");
const B: Table = Table("b");

fn shared(address: &str) -> Box<dyn Tables> {
    Box::new(Shared::new(Database::open(&address.parse().unwrap(), true).unwrap()))
}

fn keeps_the_contract(tables: &dyn Tables) {
    assert_eq!((tables.get(A, "x").unwrap(), tables.range(A, ("", None), 9).unwrap()), (None, vec![]));
    let keys = ["", "a", "a\n1", "a\n2", "a\u{b}", "b", "Z", "\u{e9}", "\u{1f600}"];
    tables.change(&mut |rows| keys.iter().try_for_each(|key| rows.put(A, key, key.as_bytes()))).unwrap();
    let mut sorted = keys.map(str::to_owned).to_vec();
    sorted.sort();
    let names = |rows: Vec<super::Row>| rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    assert_eq!(names(tables.range(A, ("", None), 99).unwrap()), sorted, "by the bytes of the key");
    assert_eq!(names(tables.range(A, ("a\n", Some("a\u{b}")), 99).unwrap()), ["a\n1", "a\n2"]);
    assert_eq!(names(tables.range(A, ("a", None), 2).unwrap()), ["a", "a\n1"]);
    assert_eq!(tables.get(B, "a").unwrap(), None, "tables are apart");
    // A change sees what it wrote, and a change that fails has written nothing.
    let failed = tables.change(&mut |rows| {
        rows.put(A, "a", b"other")?;
        rows.remove(A, "b")?;
        assert_eq!((rows.get(A, "a")?.as_deref(), rows.get(A, "b")?), (Some(&b"other"[..]), None));
        assert_eq!(rows.range(A, ("b", Some("c")), 9)?, []);
        Err(TablesError::new("on purpose"))
    });
    assert_eq!(failed.unwrap_err().to_string(), "on purpose");
    assert_eq!((tables.get(A, "a").unwrap(), tables.get(A, "b").unwrap()), (Some(b"a".to_vec()), Some(b"b".to_vec())));
    tables.change(&mut |rows| rows.remove(A, "not there")).unwrap();
    // Nobody comes between the reads and the writes of a change.
    let add = |rows: &mut dyn Rows| {
        let count: u32 = rows.get(B, "count")?.map_or(0, |text| String::from_utf8(text).unwrap().parse().unwrap());
        rows.put(B, "count", (count + 1).to_string().as_bytes())
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..5).for_each(|_| tables.change(&mut |rows| add(rows)).unwrap()));
        }
    });
    assert_eq!(tables.get(B, "count").unwrap(), Some(b"20".to_vec()));
    assert_eq!(tables.names().unwrap(), ["a", "b"]);
}

fn keeps_its_rules(desk: &Desk) {
    let did = |seed| SigningKey::from_seed([seed; 32]).did();
    let at = Timestamp::from_unix(1_790_000_000);
    // An account by a code, once.
    let account =
        Account { role: AccountRole::Researcher, organisation: "org".into(), organisation_name: "Org".into() };
    let digest = |code: &str| crate::code::digest(code).unwrap();
    let code = desk.make_pairing(account, at).unwrap();
    assert!(matches!(desk.pair(&digest("00000000"), &did(1), at).unwrap(), Step::Unknown));
    assert!(matches!(desk.pair(&digest(&code), &did(1), at).unwrap(), Step::Done(_)));
    assert!(matches!(desk.pair(&digest(&code), &did(1), at).unwrap(), Step::Done(_)), "the same caller may ask again");
    assert!(matches!(desk.pair(&digest(&code), &did(2), at).unwrap(), Step::Used));
    assert!(desk.account(&did(1)).unwrap().is_some() && desk.account(&did(2)).unwrap().is_none());
    // An invitation, and one winner of several who use it at once.
    let (code, invitation) = desk.invite(at, 60).unwrap();
    assert_eq!(desk.invitation(&digest(&code)).unwrap().unwrap().donor, invitation.donor);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let accepted = |seed: u8, at: Timestamp| {
        let (donor, biobank, until) = (did(seed), did(9), at.plus_seconds(600));
        let claims = identity::EnrolmentClaims { donor, biobank, biobank_name: "B".into(), donor_number: "1".into() };
        let key = SigningKey::from_seed([9; 32]);
        let issued = identity::issue_enrolment(&key, &claims, at, until);
        Accepted { did: did(seed), at, credential: runtime.block_on(issued).unwrap() }
    };
    let late = accepted(3, at.plus_seconds(61));
    assert!(matches!(desk.accept(&digest(&code), late).unwrap(), Step::Expired));
    let digest = digest(&code);
    let won = std::thread::scope(|scope| {
        let accept = |accepted| matches!(desk.accept(&digest, accepted).unwrap(), Step::Done(_));
        let tries: Vec<_> = (3..7).map(|seed| accepted(seed, at)).collect();
        let tries: Vec<_> = tries.into_iter().map(|accepted| scope.spawn(move || accept(accepted))).collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!(won, 1);
    assert_eq!((3..7).filter(|seed| desk.is_donor(&did(*seed)).unwrap()).count(), 1);
    // One key a donor and study.
    let key = StudyKey { donor: did(3), study: "heart-rhythm".parse().unwrap(), salt: "00".repeat(32) };
    assert!(matches!(desk.register_study_key(&did(20), &key).unwrap(), Step::Done(())));
    assert!(matches!(desk.register_study_key(&did(20), &key).unwrap(), Step::Done(())));
    assert!(matches!(desk.register_study_key(&did(21), &key).unwrap(), Step::Used));
    assert_eq!(desk.study_key(&did(20)).unwrap(), Some(key));
    // A mailbox that nobody fills for the others, and that forgets what waited too long.
    let post = |from, at| desk.post(&did(from), &did(20), "AAAA".into(), at).unwrap();
    for _ in 0..16 {
        assert!(matches!(post(1, at), Step::Done(_)));
    }
    assert!(matches!(post(1, at), Step::Full));
    let Step::Done(id) = post(2, at.plus_seconds(1)) else { panic!("the other's letter has room") };
    let letters = desk.letters(&did(20)).unwrap();
    assert_eq!((letters.len(), letters[16].id.as_str()), (17, id.as_str()), "oldest first");
    desk.take(&did(21), &id).unwrap();
    assert_eq!(desk.letters(&did(20)).unwrap().len(), 17, "a stranger takes nothing");
    desk.take(&did(20), &id).unwrap();
    assert_eq!(desk.letters(&did(20)).unwrap().len(), 16);
    assert!(matches!(post(1, at.plus_seconds(40 * 86_400)), Step::Done(_)), "the old ones have made room");
    assert_eq!(desk.letters(&did(20)).unwrap().len(), 1);
}

#[test]
fn in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    keeps_the_contract(&Embedded::open(&dir.path().join("tables")).unwrap());
    keeps_its_rules(&Desk::open(dir.path()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn in_postgresql_and_from_one_to_the_other() {
    let Some(cluster) = cluster::Cluster::start(0).await else { return };
    let (one, two) = (cluster.database("tables").await, cluster.database("desk").await);
    let third = cluster.database("copied").await;
    let checked = std::thread::spawn(move || {
        keeps_the_contract(&*shared(&one));
        keeps_its_rules(&Desk::over(shared(&two)));
        // There and back, every row as it was.
        let dir = tempfile::tempdir().unwrap();
        let (from, file, back) = (shared(&two), Embedded::open(&dir.path().join("copy")).unwrap(), shared(&third));
        let count = copy(&*from, &file).unwrap();
        assert_eq!(copy(&file, &*back).unwrap(), count);
        assert!(count > 5);
        for name in from.names().unwrap() {
            let rows = |tables: &dyn Tables| tables.range(Table(&name), ("", None), 1000).unwrap();
            assert_eq!(rows(&*from), rows(&*back));
            assert_eq!(rows(&*from), rows(&file));
        }
        assert!(copy(&*from, &*back).is_err(), "nothing is mixed");
    });
    checked.join().unwrap();
}
