//! A whole biobank is copied while it runs, is lost, and comes back: its desk, its secrets, and what donors can do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may break off")]

mod program;
mod stage;

use consent::Withdrawal;
use ledger::Act;
use program::{biobankd, path};
use stage::{Biobank, refused};
use std::fs;

const LEFT: Act = Act::Withdraw { level: Withdrawal::NoUse };

#[tokio::test(flavor = "multi_thread")]
async fn a_biobank_that_is_lost_comes_back_and_its_donors_can_still_leave() {
    let mut biobank = Biobank::open().await;
    let (before, given, _) = biobank.consenting(3).await;
    let (data, copy, lost) = (biobank.data(), biobank.dir.path().join("copy"), biobank.dir.path().join("lost"));
    let pseudonyms = fs::read(data.join("pseudonym.key")).unwrap();
    // Beside the service, whose desk stays open.
    let (done, said) = biobankd(&["backup", "--data", path(&data), "--to", path(&copy), "--with-keys"]);
    assert!(done, "{said}");
    let (since, late, _) = biobank.consenting(4).await;
    biobank.close().await;
    fs::rename(&data, &lost).unwrap();
    let public = lost.join("log/public");
    let newest = public.join("checkpoint");
    let known = ["--mirror", path(&public), "--newest", path(&newest)];
    let (done, said) = biobankd(&[&["restore", "--from", path(&copy), "--data", path(&data)], &known[..]].concat());
    assert!(done && said.contains("newer than the copy of the desk"), "{said}");
    assert_eq!(fs::read(data.join("pseudonym.key")).unwrap(), pseudonyms);

    biobank.open_again().await;
    assert_eq!(biobank.append(before.says(Some(given.hash()), LEFT).bytes()).await.0, 200);
    // Who came after the copy is not on its desk. Invited anew with the same keys, they can leave as well.
    let leaves = since.says(Some(late.hash()), LEFT);
    assert_eq!(refused(&biobank.append(leaves.bytes()).await).1, "unknown-signer");
    biobank.donor(4).await;
    assert_eq!(biobank.append(leaves.bytes()).await.0, 200);
    biobank.close().await;
    let (sound, said) = biobankd(&["check", "--data", path(&data)]);
    assert!(sound, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_a_federation_comes_back_with_what_it_knows_of_the_others() {
    let mut biobank = Biobank::open().await;
    biobank.close().await;
    let (data, copy, back) = (biobank.data(), biobank.dir.path().join("copy"), biobank.dir.path().join("back"));
    fs::create_dir(data.join("evidence")).unwrap();
    let files = ["federation.policy", "federation.json", "evidence/0123456789abcdef0123456789abcdef.json"];
    for (file, text) in files.iter().zip(["policy", "peers", "evidence"]) {
        fs::write(data.join(file), text).unwrap();
    }
    fs::write(data.join("witness.key"), [7; 32]).unwrap();
    for _ in 0..2 {
        let (done, said) = biobankd(&["backup", "--data", path(&data), "--to", path(&copy), "--with-keys"]);
        assert!(done, "{said}");
    }
    let (done, said) = biobankd(&["restore", "--from", path(&copy), "--data", path(&back), "--nothing-newer"]);
    assert!(done && said.contains("give the others the new sheet"), "{said}");
    for file in files {
        assert_eq!(fs::read(back.join(file)).unwrap(), fs::read(data.join(file)).unwrap(), "{file}");
    }
    assert!(!back.join("witness.key").exists(), "a key without its memory could sign two trees of one size");
}
