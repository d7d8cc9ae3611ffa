//! How hard a text is to read. Shared by the tests of this crate's words and of the interface's.

/// The longest sentence for a participant, in words.
const LONGEST: usize = 15;
/// The hardest text for a participant, as a Flesch-Kincaid grade.
const HARDEST: f64 = 6.0;

/// The messages of a Fluent file: id, and everything up to the next id.
pub fn messages(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if line.starts_with([' ', '}']) {
            let (_, value) = found.last_mut().expect("a message begins with its id");
            value.push('\n');
            value.push_str(line);
        } else {
            let (id, value) = line.split_once(" = ").unwrap_or_else(|| panic!("not a message: {line}"));
            found.push((id.to_owned(), value.to_owned()));
        }
    }
    found
}

/// What is too hard for a participant in a message or a text: one line a finding.
pub fn hard(name: &str, text: &str) -> Vec<String> {
    let sentences = sentences(text);
    let lengths: Vec<usize> = sentences.iter().map(|sentence| words(sentence).len()).collect();
    let long = lengths.iter().zip(&sentences).filter(|(length, _)| **length > LONGEST);
    let mut found: Vec<String> = long.map(|(length, sentence)| format!("{name}: {length} words: {sentence}")).collect();
    // The formula is made for running text: on a label of two words it measures only the words.
    if lengths.iter().sum::<usize>() >= 6 && grade(&sentences) > HARDEST {
        found.push(format!("{name}: grade {:.1}: {}", grade(&sentences), sentences.join(" ")));
    }
    found
}

/// The sentences that a message can become: each variant of a choice on its own, gaps filled with a short word.
pub fn sentences(value: &str) -> Vec<String> {
    let mut texts = Vec::new();
    if value.contains("->") {
        texts.extend(value.lines().filter_map(|line| Some(line.split_once("] ")?.1.to_owned())));
    } else {
        texts.push(value.to_owned());
    }
    let without_gaps = texts.iter().map(|text| {
        let mut out = String::new();
        for (place, part) in text.split('{').enumerate() {
            match part.split_once('}') {
                Some((_, rest)) if place > 0 => {
                    out.push_str("it");
                    out.push_str(rest);
                }
                _ => out.push_str(part),
            }
        }
        out
    });
    without_gaps
        .flat_map(|text| text.split_inclusive(['.', '?', '!', ':']).map(str::to_owned).collect::<Vec<_>>())
        .map(|sentence| sentence.trim().to_owned())
        .filter(|sentence| sentence.chars().any(char::is_alphabetic))
        .collect()
}

/// The Flesch-Kincaid grade: the years at school after which a text is easy.
pub fn grade(sentences: &[String]) -> f64 {
    let words: Vec<String> = sentences.iter().flat_map(|sentence| words(sentence)).collect();
    let syllables: usize = words.iter().map(|word| syllables(word)).sum();
    let count = words.len() as f64;
    0.39 * count / sentences.len() as f64 + 11.8 * syllables as f64 / count - 15.59
}

fn words(sentence: &str) -> Vec<String> {
    sentence
        .split(|c: char| !c.is_alphanumeric() && c != '’' && c != '\'')
        .filter(|word| word.chars().any(char::is_alphabetic))
        .map(str::to_lowercase)
        .collect()
}

/// A rough count: groups of vowels, without a silent `e` or `ed` at the end.
fn syllables(word: &str) -> usize {
    let letters: Vec<char> = word.chars().filter(|c| c.is_ascii_alphabetic()).collect();
    let vowel = |c: char| "aeiouy".contains(c);
    let mut count =
        letters.iter().enumerate().filter(|(i, c)| vowel(**c) && (*i == 0 || !vowel(letters[i - 1]))).count();
    let text: String = letters.iter().collect();
    let silent = (text.ends_with('e') && !text.ends_with("le"))
        || (text.ends_with("ed") && !text.ends_with("ted") && !text.ends_with("ded"));
    if silent && count > 1 {
        count -= 1;
    }
    // "biobank" has two vowels where "action" has one.
    let apart = text.match_indices("io").filter(|(i, _)| !text[..*i].ends_with(['t', 's', 'c', 'x'])).count();
    (count + apart).max(1)
}

#[test]
fn the_counter_of_grades_agrees_with_plain_and_with_hard_text() {
    assert_eq!(["key", "biobank", "answer", "recorded", "shared", "people"].map(syllables), [1, 3, 2, 3, 1, 2]);
    let plain = "You can stop at any time. Your care stays the same.";
    let difficult = "Participation necessitates comprehensive authorisation of pseudonymised information.";
    assert!(grade(&sentences(plain)) < 3.0 && grade(&sentences(difficult)) > 12.0);
    assert_eq!((hard("plain", plain).len(), hard("difficult", difficult).len()), (0, 1));
    assert_eq!(hard("long", "We go and we go and we go and we go and we go and go.").len(), 1);
}
