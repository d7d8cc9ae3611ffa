//! The disease hierarchy: the one that is built in, those that are read from files, and what is not a hierarchy.

use consent::ontology::{Found, Ontology, OntologyError, TermIndex};
use proptest::prelude::*;
use std::collections::HashSet;
use std::io::Write;

fn live(ontology: &Ontology, curie: &str) -> TermIndex {
    match ontology.find(curie) {
        Found::Live(term) => term,
        other => panic!("{curie} is {other:?}"),
    }
}

fn first(query: &str) -> (String, Option<String>) {
    let hit = Ontology::mondo().search(query, 1).into_iter().next();
    hit.map(|hit| (hit.label, hit.synonym)).unwrap_or_default()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

// MONDO

#[test]
fn mondo_is_there_in_its_version() {
    let mondo = Ontology::mondo();
    assert_eq!((mondo.prefix(), mondo.version(), mondo.len()), ("MONDO", "2026-05-05", 27_990));
    let size = std::fs::metadata(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mondo.br")).unwrap().len();
    assert!(size < 500_000, "{size} bytes");
}

#[test]
fn a_melanoma_is_a_cancer_and_a_cancer_is_not_a_melanoma() {
    let mondo = Ontology::mondo();
    let melanoma = mondo.search("melanoma", 1)[0].term;
    let tumour = live(mondo, "MONDO:0045024");
    let uveal = mondo.search("uveal melanoma", 1)[0].term;
    assert_eq!(mondo.curie(melanoma), "MONDO:0005105");
    assert_eq!(mondo.label(tumour), "cancer or benign tumor");
    assert!(mondo.is_a(melanoma, tumour) && mondo.is_a(uveal, melanoma) && mondo.is_a(uveal, tumour));
    assert!(!mondo.is_a(tumour, melanoma) && !mondo.is_a(melanoma, uveal));
    assert!(mondo.is_a(melanoma, melanoma));
    assert!(!mondo.is_a(melanoma, live(mondo, "MONDO:0005015")));
}

#[test]
fn every_term_reaches_one_of_four_roots() {
    let mondo = Ontology::mondo();
    let roots: Vec<_> = mondo.terms().filter(|term| mondo.parents(*term).is_empty()).collect();
    let names: Vec<_> = roots.iter().map(|root| mondo.label(*root)).collect();
    assert_eq!(names, ["disease", "disease characteristic", "injury", "disease susceptibility"]);
    assert!(mondo.terms().all(|term| roots.iter().any(|root| mondo.is_a(term, *root))));
    assert!(mondo.terms().all(|term| !mondo.label(term).is_empty()));
    assert_eq!(mondo.terms().map(|term| mondo.parents(term).len()).sum::<usize>(), 41_908);
}

#[test]
fn ancestors_are_those_of_a_slow_walk_over_the_parents() {
    let mondo = Ontology::mondo();
    let walk = |term| {
        let (mut seen, mut open) = (HashSet::new(), vec![term]);
        while let Some(term) = open.pop() {
            if seen.insert(term) {
                open.extend(mondo.parents(term));
            }
        }
        seen
    };
    let mut pairs = 0;
    for term in mondo.terms().step_by(97) {
        let ancestors = walk(term);
        assert!(ancestors.iter().all(|ancestor| mondo.is_a(term, *ancestor)));
        let found = mondo.terms().filter(|other| mondo.is_a(term, *other)).count();
        assert_eq!(found, ancestors.len(), "{}", mondo.curie(term));
        pairs += found;
    }
    assert!(pairs > 2_000);
}

#[test]
fn ids_are_found_in_both_spellings_and_nothing_else_is() {
    let mondo = Ontology::mondo();
    let diabetes = live(mondo, "MONDO:0005015");
    assert_eq!(mondo.find("http://purl.obolibrary.org/obo/MONDO_0005015"), Found::Live(diabetes));
    assert_eq!((mondo.label(diabetes), mondo.curie(diabetes).as_str()), ("diabetes mellitus", "MONDO:0005015"));
    assert!(mondo.synonyms(diabetes).any(|name| name == "diabetes"));
    assert!(mondo.terms().all(|term| mondo.find(&mondo.curie(term)) == Found::Live(term)));
    for other in [
        "",
        "MONDO:",
        "MONDO:5015",
        "MONDO:00050150",
        "MONDO:9999999",
        "MONDO_0005015",
        "mondo:0005015",
        "DOID:0005015",
        "MONDO:0005015 ",
        "http://purl.obolibrary.org/obo/MONDO:0005015",
        "http://example.org/MONDO_0005015",
        "MONDO:0005015\0",
        "MONDO:ééééé",
    ] {
        assert_eq!(mondo.find(other), Found::Unknown, "{other:?}");
    }
}

#[test]
fn a_deprecated_id_is_not_live_and_names_its_replacement() {
    let mondo = Ontology::mondo();
    let heir = live(mondo, "MONDO:0017572");
    assert_eq!(mondo.find("MONDO:0000274"), Found::Deprecated(Some(heir)));
    assert_eq!(mondo.label(heir), "tick-borne encephalitis");
    assert_eq!(mondo.find("MONDO:0016375"), Found::Deprecated(None));
}

#[test]
fn the_number_of_another_ontology_is_a_kind_of_nothing() {
    let mondo = Ontology::mondo();
    let small = Ontology::from_obo(SMALL).unwrap();
    let foreign = mondo.terms().last().unwrap();
    assert!(!small.is_a(foreign, foreign));
    assert!(!small.is_a(foreign, live(&small, "T:1")) && !small.is_a(live(&small, "T:1"), foreign));
    assert_eq!((small.label(foreign), small.curie(foreign).as_str()), ("", ""));
    assert!(small.parents(foreign).is_empty());
}

// Search

#[test]
fn people_find_what_they_mean() {
    let label = |query| first(query).0;
    assert_eq!(first("asthma"), ("asthma".into(), None));
    assert_eq!(first("heart attack"), ("myocardial infarction".into(), Some("heart attack".into())));
    assert_eq!(first("diabetes"), ("diabetes mellitus".into(), Some("diabetes".into())));
    assert_eq!(first("T2D"), ("type 2 diabetes mellitus".into(), Some("T2D".into())));
    assert_eq!(label("melanom"), "melanoma");
    assert_eq!(label("melanomas"), "melanoma");
    assert_eq!(label("MELANOMA, uveal"), "uveal melanoma");
    assert_eq!(label("cancer lung"), "lung cancer");
    assert_eq!(label("cancer of the lung"), "lung cancer");
    assert_eq!(label("crohns"), "Crohn disease");
    assert_eq!(label("Alzheimer’s disease"), "Alzheimer disease");
    assert_eq!(label("sjögren"), "Sjogren syndrome");
    assert_eq!(label("β-thalassemia"), "beta thalassemia");
    assert_eq!(label("MONDO:0005015"), "diabetes mellitus");
    assert_eq!(label(" http://purl.obolibrary.org/obo/MONDO_0005015 "), "diabetes mellitus");
}

#[test]
fn words_may_be_spread_over_the_names_of_a_term() {
    let text = "[Term]\nid: T:1\nname: grey fever\nsynonym: \"Maria's cough\" EXACT []\n";
    let small = Ontology::from_obo(text).unwrap();
    let hits = small.search("cough grey", 5);
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].synonym.as_deref(), Some("Maria's cough"));
    assert!(small.search("cough red", 5).is_empty());
}

#[test]
fn any_query_is_answered_in_bounds() {
    let mondo = Ontology::mondo();
    assert!(mondo.search("", 10).is_empty());
    assert!(mondo.search("  ,;  ", 10).is_empty());
    assert!(mondo.search("asthma", 0).is_empty());
    assert!(mondo.search("MONDO:0005015", 0).is_empty());
    assert_eq!(mondo.search("a", 10).len(), 10);
    assert!(!mondo.search("in", 10).is_empty());
    assert!(mondo.search(&"x".repeat(10_000), 10).is_empty());
    assert!(mondo.search(&"é".repeat(10_000), 10).is_empty());
    // Only the first words count.
    assert_eq!(mondo.search(&"asthma ".repeat(2_000), 1)[0].label, "asthma");
    let all = mondo.search("d", usize::MAX);
    assert_eq!(all.iter().map(|hit| hit.term).collect::<HashSet<_>>().len(), all.len(), "each term once");
    assert_eq!(all[..20], mondo.search("d", 20), "fewer hits are the best of all hits");
}

/// The aim is 20 ms in a release build. This one may be unoptimised and the machine busy: ten times that is a defect.
#[test]
fn answers_come_while_typing() {
    let mondo = Ontology::mondo();
    mondo.search("warm", 1);
    for query in ["a", "d", "s", "disease", "syndrome autosomal", "melanom", "type 2 diabetes mellitus"] {
        let begun = std::time::Instant::now();
        mondo.search(query, 20);
        let taken = begun.elapsed();
        println!("{query}: {taken:?}");
        assert!(taken.as_millis() < 200, "{query}: {taken:?}");
    }
}

// OBO

const SMALL: &str = r#"format-version: 1.4
data-version: releases/2024-02-29/t.obo
! a comment: with a colon

[Term]
id: T:1
name: disease \"of\" all ! the top
synonym: "illness" BROAD []
synonym: "a \"quoted\" one" EXACT [PMID:1 "x"]

[Term]
id: T:0002 {source="x"}
name: fever
is_a: T:1 ! disease
is_a: T:1
is_a: OTHER:9 ! foreign
is_a: T:404 ! missing
alt_id: T:20
alt_id: T:21

[Term]
id: T:3
is_a: T:0002 {inferred="true"} ! fever
alt_id: T:21

[Term]
id: OTHER:9
name: imported

[Term]
id: T:4
is_obsolete: true
replaced_by: T:5

[Term]
id: T:5
is_obsolete: true
replaced_by: T:3

[Term]
id: T:6
is_obsolete: true
replaced_by: T:6

[Typedef]
id: part_of
name: part of
"#;

#[test]
fn obo_is_read_whole() {
    let small = Ontology::from_obo(SMALL).unwrap();
    assert_eq!((small.prefix(), small.version(), small.len()), ("T", "2024-02-29", 3));
    let [top, fever, third] = ["T:1", "T:0002", "T:3"].map(|id| live(&small, id));
    assert_eq!(small.label(top), "disease \"of\" all");
    assert_eq!(small.synonyms(top).collect::<Vec<_>>(), ["a \"quoted\" one"]);
    assert_eq!(small.label(third), "T:3", "a term without a name goes by its id");
    assert_eq!(small.parents(fever), [top]);
    assert!(small.is_a(third, top) && !small.is_a(top, third));
    assert_eq!(small.find("T:2"), Found::Unknown);
    assert_eq!(small.find("OTHER:9"), Found::Unknown);
    assert_eq!(small.find("T:20"), Found::Deprecated(Some(fever)));
    assert_eq!(small.find("T:21"), Found::Deprecated(None), "merged into two");
    assert_eq!(small.find("T:4"), Found::Deprecated(Some(third)), "replaced twice");
    assert_eq!(small.find("T:6"), Found::Deprecated(None), "replaced by itself");
    let dropped: Vec<_> = small.dropped_links().iter().map(|link| (link.line, link.parent.as_str())).collect();
    assert_eq!(dropped, [(17, "T:404")]);
    let packed = Ontology::read(&gzip(SMALL.as_bytes())).unwrap();
    assert_eq!(packed.len(), 3);
    assert_eq!(Ontology::read(SMALL.replace('\n', "\r\n").as_bytes()).unwrap().label(fever), "fever");
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let wrong = |text: &str| Ontology::from_obo(text).unwrap_err().to_string();
    let term = |id: &str, rest: &str| format!("[Term]\nid: {id}\n{rest}\n");
    assert_eq!(wrong(""), "the file has no terms");
    assert_eq!(wrong("[Term]\nname: x\n"), "line 1: the term has no id");
    assert_eq!(wrong(&term("T:1", "id: T:2")), "line 3: the term has a second id");
    assert_eq!(wrong(&term("T:1", "synonym: x")), "line 3: the synonym is not in quotes");
    assert_eq!(wrong(&term("T:1", "synonym: \"x\\\"")), "line 3: the synonym is not in quotes");
    assert_eq!(wrong(&(term("T:1", "") + &term("T:1", ""))), "line 4: T:1 is there twice");
    assert_eq!(wrong(&(term("T:1", "") + &term("T:1", "is_obsolete: true"))), "line 4: T:1 is there twice");
    let circle = term("T:1", "is_a: T:2") + &term("T:2", "is_a: T:3") + &term("T:3", "is_a: T:1");
    assert_eq!(wrong(&circle), "line 1: T:1 is a kind of itself over its parents");
    assert!(wrong(&term("T:1", "is_a: T:1")).contains("kind of itself"));
    assert!(wrong(&term("T:12345678901234567", "")).starts_with("line 1: the part of the id"));
    assert!(wrong(&term("T:1", &format!("name: {}", "x".repeat(10_001)))).starts_with("line 1: the name is longer"));
}

#[test]
fn a_file_made_to_exhaust_memory_is_refused() {
    let chain: String = (0..20_000).map(|n| format!("[Term]\nid: T:{:07}\nis_a: T:{n:07}\n", n + 1)).collect();
    assert_eq!(Ontology::from_obo(&chain).unwrap_err(), OntologyError::TooLarge);
    let bomb = gzip(&vec![b' '; 65_000_000]);
    assert_eq!(Ontology::read(&bomb).unwrap_err(), OntologyError::TooLarge);
}

// Tables

const TABLE: &str = "id\tlabel\tsubClassOf
\"DOID:162\"\t\"cancer\"\t\"disease\"
\"DOID:2\"\t\"fever\"\t\"disease\"
\"DOID:3\"\t\"hot \"\"red\"\" cancer\"\t\"cancer\"
DOID:3\thot \"red\" cancer\tfever
\"DOID:5\"\t\"lost\"\t\"nowhere\"
";

#[test]
fn a_table_is_read_with_its_missing_root() {
    let table = Ontology::from_tsv(TABLE).unwrap();
    assert_eq!((table.prefix(), table.len()), ("DOID", 5));
    assert!(table.version().starts_with("crc32-"), "{}", table.version());
    assert_ne!(table.version(), Ontology::from_tsv(&TABLE.replace("hot", "cold")).unwrap().version());
    let [root, cancer, fever, both] = ["DOID:4", "DOID:162", "DOID:2", "DOID:3"].map(|id| live(&table, id));
    assert_eq!(table.label(root), "disease");
    assert_eq!(table.label(both), "hot \"red\" cancer");
    assert!(table.is_a(both, cancer) && table.is_a(both, fever) && table.is_a(both, root));
    assert!(!table.is_a(cancer, fever));
    assert_eq!(table.dropped_links().len(), 1);
    assert_eq!((table.dropped_links()[0].line, table.dropped_links()[0].parent.as_str()), (6, "nowhere"));
    // Only the Disease Ontology's root is known without a row.
    let other = Ontology::from_tsv(&TABLE.replace("DOID", "X")).unwrap();
    assert_eq!((other.len(), other.find("X:4"), other.dropped_links().len()), (4, Found::Unknown, 3));
}

#[test]
fn a_table_that_contradicts_itself_is_refused() {
    let wrong = |rows: &str| Ontology::from_tsv(&format!("id\tlabel\tsubClassOf\n{rows}")).unwrap_err().to_string();
    assert_eq!(wrong(""), "the file has no terms");
    assert_eq!(wrong("A:1\tx\t\nA:1\ty\t\n"), "line 3: A:1 is there twice");
    assert_eq!(wrong("A:1\tx\ty\nA:2\ty\tx\n"), "line 2: A:1 is a kind of itself over its parents");
    assert!(wrong("A:1\tx\t\nA:2\tx\t\nA:3\ty\tx\n").starts_with("line 4: several terms are called \"x\""));
    assert_eq!(wrong("A:1\n"), "line 2: a column is missing");
    assert_eq!(wrong("A1\tx\t\n"), "line 2: a row has an id with a prefix and a label");
    assert_eq!(Ontology::from_tsv("a\tb\n").unwrap_err(), OntologyError::UnknownForm);
}

#[test]
fn the_disease_ontology_itself_is_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/HumanDO.tsv.gz");
    let Ok(bytes) = std::fs::read(path) else {
        println!("skipped: the Disease Ontology's table is not on this machine");
        return;
    };
    let doid = Ontology::read(&bytes).unwrap();
    assert_eq!((doid.prefix(), doid.len(), doid.dropped_links().len()), ("DOID", 12_247, 0));
    let [intestinal, cancer, root] = ["DOID:10155", "DOID:162", "DOID:4"].map(|id| live(&doid, id));
    assert!(doid.is_a(intestinal, cancer) && !doid.is_a(cancer, intestinal));
    assert!(doid.terms().all(|term| doid.is_a(term, root)));
    assert_eq!(doid.label(live(&doid, "DOID:0060166")), "bipolar ll disorder");
    assert_eq!(doid.search("intestinal canc", 1)[0].term, intestinal);
}

// Bytes from anywhere

#[test]
fn other_files_are_refused() {
    assert_eq!(Ontology::read(b"").unwrap_err(), OntologyError::UnknownForm);
    assert_eq!(Ontology::read(b"PK\x03\x04").unwrap_err(), OntologyError::UnknownForm);
    assert_eq!(Ontology::read(&[0xff, 0xfe, 0]).unwrap_err(), OntologyError::NotText);
    assert_eq!(Ontology::read(&[0x1f, 0x8b]).unwrap_err(), OntologyError::Unpack);
    let packed = gzip(SMALL.as_bytes());
    for length in 2..packed.len() {
        assert_eq!(Ontology::read(&packed[..length]).unwrap_err(), OntologyError::Unpack, "cut to {length}");
    }
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = Ontology::read(&bytes);
        let _ = Ontology::mondo().find(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_damage_causes_a_panic(at in 0..SMALL.len(), byte in any::<u8>(), packed in any::<bool>()) {
        let mut bytes = if packed { gzip(SMALL.as_bytes()) } else { SMALL.as_bytes().to_vec() };
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Ontology::read(&bytes);
        let mut table = TABLE.as_bytes().to_vec();
        let at = at % table.len();
        table[at] = byte;
        let _ = Ontology::read(&table);
    }

    #[test]
    fn no_query_causes_a_panic(query in "\\PC{0,300}", limit in 0_usize..50) {
        let hits = Ontology::mondo().search(&query, limit);
        prop_assert!(hits.len() <= limit);
    }

    /// Any links at all: either a cycle is named, or every parent is an ancestor.
    #[test]
    fn any_graph_is_closed_or_refused(links in proptest::collection::vec((0_u32..12, 0_u32..12), 0..20)) {
        let mut text = String::new();
        for child in 0..12 {
            text += &format!("[Term]\nid: T:{child}\n");
            for (_, parent) in links.iter().filter(|(from, _)| *from == child) {
                text += &format!("is_a: T:{parent}\n");
            }
        }
        match Ontology::from_obo(&text) {
            Ok(ontology) => for (child, parent) in links {
                let [child, parent] = [child, parent].map(|n| live(&ontology, &format!("T:{n}")));
                prop_assert!(ontology.is_a(child, parent) && !ontology.is_a(parent, child));
            },
            Err(problem) => prop_assert!(matches!(problem, OntologyError::Cycle { .. }), "{problem}"),
        }
    }
}
