//! The printed receipt, read back by other programs.

use super::super::sample;
use super::*;
use std::path::Path;
use std::process::Command;

/// Runs a program of the PDF library Poppler; nothing where it is not installed.
fn poppler(program: &str, arguments: &[&Path]) -> Option<Vec<u8>> {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        println!("skipped: {program} is not installed");
        return None;
    };
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// The code as a camera sees it: read by a second library from the squares that are drawn.
#[test]
fn the_code_says_the_hash_of_the_receipt() {
    let text = code(&receipt(&sample::record()));
    assert_eq!(text.len(), 7 + 64);
    let squares = page::squares(&text, 0.0, 0.0).unwrap();
    let dark = |x: usize, y: usize| {
        let (x, y) = (x as f32 / 4.0 + 0.125, y as f32 / 4.0 + 0.125);
        squares.iter().any(|s| s.left() <= x && x < s.right() && s.top() <= y && y < s.bottom())
    };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(464, 464, |x, y| if dark(x, y) { 0 } else { 255 });
    let grids = picture.detect_grids();
    assert_eq!(grids.len(), 1);
    assert_eq!(grids[0].decode().unwrap().1, text);
}

#[test]
fn the_paper_says_who_what_until_and_how_to_stop() {
    let record = sample::record();
    let said: Vec<_> = items(&record, "sha256:00").into_iter().map(|item| item.text).collect();
    let all = said.join("\n");
    for words in [
        "Heart Rhythm Study, version 3",
        "Leiden Hospital",
        "In force, since 22 November 2026.",
        "They may use it until 31 December 2028.",
        "They may only use it in the Netherlands and Belgium.",
        "You can stop at any time.",
        "Stop contact only.",
        "22 November 2026, 12:00 UTC: You said yes. Entry 1204 of the record.",
    ] {
        assert!(all.contains(words), "{words}\n{all}");
    }
    for message in
        rules(&record.claims.policy).iter().chain(&answers(&record.claims.policy, &record.claims.preferences))
    {
        let sentence = words::sentence("en", &Message::new(message.id.clone()));
        let start = words::sentence("en", message);
        assert!(all.contains(&start) || all.contains(&sentence), "{}", message.id);
        assert_ne!(start, message.id, "a sentence is missing");
    }
}

#[test]
fn what_is_over_is_not_told_as_what_holds() {
    for state in ConsentState::ALL {
        let record = ConsentRecord { state: *state, ..sample::record() };
        let all: Vec<_> = items(&record, "").into_iter().map(|item| item.text).collect();
        assert_eq!(all.contains(&"What you allow".to_owned()), state.allows_use(), "{state:?}");
        assert_eq!(
            all.contains(&"How to stop".to_owned()),
            state.allows_use() || *state == ConsentState::Suspended,
            "{state:?}"
        );
    }
    let signed = ConsentRecord { state_checked: None, ..sample::record() };
    assert!(items(&signed, "").iter().any(|item| item.text.starts_with("This is how you signed it.")));
}

/// Only steps that can be taken from where the consent stands.
#[test]
fn how_to_stop_offers_what_the_life_of_a_consent_knows() {
    use ConsentState as S;
    for (state, levels) in [
        (S::Active, Withdrawal::ALL),
        (S::Suspended, &[Withdrawal::NoUse, Withdrawal::DestroySample]),
        (S::Expired, &[Withdrawal::NoUse, Withdrawal::DestroySample]),
        (S::NoAccess, &[Withdrawal::NoUse, Withdrawal::DestroySample]),
        (S::Withdrawn, &[Withdrawal::DestroySample]),
        (S::DestroySample, &[]),
        (S::Refused, &[]),
        (S::Revoked, &[Withdrawal::NoUse, Withdrawal::DestroySample]),
    ] {
        let record = ConsentRecord { state, ..sample::record() };
        let all: Vec<_> = items(&record, "").into_iter().map(|item| item.text).collect();
        for level in Withdrawal::ALL {
            let label = words::sentence("en", &Message::new(format!("withdrawal-{}", level.code())));
            let told = all.iter().any(|text| text.starts_with(&format!("{label}. ")));
            assert_eq!(told, levels.contains(level), "{state:?} {level:?}");
        }
        assert_eq!(all.iter().any(|text| text.starts_with("Open your wallet")), !levels.is_empty(), "{state:?}");
        assert_eq!(all.contains(&"None of this holds now.".to_owned()), !state.allows_use(), "{state:?}");
    }
}

#[test]
fn the_same_consent_gives_the_same_file() {
    assert_eq!(export(&sample::record()).unwrap(), export(&sample::record()).unwrap());
}

#[test]
fn the_file_opens_elsewhere_with_its_words_and_its_attachment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("receipt.pdf");
    let record = sample::record();
    std::fs::write(&file, export(&record).unwrap()).unwrap();
    let Some(text) = poppler("pdftotext", &["-layout".as_ref(), &file, "-".as_ref()]) else { return };
    let text = String::from_utf8(text).unwrap();
    for words in ["Receipt of your consent", "Heart Rhythm Study", "What you allow", "Receipt: sha256:"] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let attached = folder.path().join("out");
    let arguments: [&Path; 5] = ["-save".as_ref(), "1".as_ref(), "-o".as_ref(), &attached, &file];
    if poppler("pdfdetach", &arguments).is_some() {
        assert_eq!(std::fs::read(&attached).unwrap(), receipt(&record), "the receipt itself is inside");
    }
}

/// Names in any script, names that are too long, and names that are none.
#[test]
fn no_name_breaks_the_paper() {
    let folder = tempfile::tempdir().unwrap();
    for (number, name) in [
        "Zażółć gęślą jaźń, Đặng, Þóra, İstanbul",
        "Герц и 心臓 och 🫀 ‏قلب‎",
        &"x".repeat(512),
        "a\u{0}b\r\nc\u{202e}d\u{feff}",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        let record = ConsentRecord {
            study_title: name.to_owned(),
            organisation_name: name.to_owned(),
            events: vec![super::super::Moment { words: name.repeat(20), ..sample::record().events[0].clone() }],
            ..sample::record()
        };
        let pdf = export(&record).unwrap_or_else(|error| panic!("{name:?}: {error}"));
        let file = folder.path().join(format!("{number}.pdf"));
        std::fs::write(&file, pdf).unwrap();
        let Some(text) = poppler("pdftotext", &[&file, "-".as_ref()]) else { return };
        let text = String::from_utf8(text).unwrap();
        if number == 1 {
            assert!(text.contains("心臓"), "what can not be printed can still be copied: {text}");
        }
    }
}
