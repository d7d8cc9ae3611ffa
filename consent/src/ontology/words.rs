//! How names and queries are cut into words that compare equal when a person would say that they are.

/// Calls `each` with every word of a name: letters and digits only, in lower case, without accents.
///
/// An apostrophe does not divide, and the possessive goes: "Crohn's" and "Crohn" are one word. Greek letters are
/// spelled, since half of the names write "β" and the other half "beta".
pub(super) fn words(name: &str, mut each: impl FnMut(&str)) {
    let mut word = String::new();
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        } else if matches!(c, '\'' | '’') {
            let mut rest = chars.clone();
            if matches!(rest.next(), Some('s' | 'S')) && !rest.next().is_some_and(char::is_alphanumeric) {
                chars.next();
            }
        } else if c.is_alphanumeric() {
            c.to_lowercase().for_each(|small| push_plain(small, &mut word));
        } else if !is_accent(c) && !word.is_empty() {
            each(&word);
            word.clear();
        }
    }
    if !word.is_empty() {
        each(&word);
    }
}

/// Marks that stand after the letter that they belong to.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// The letters of European names of people and places, which is where accents in disease names come from. Others stay
/// as they are, and are found by those who type them so.
fn push_plain(c: char, word: &mut String) {
    let plain = match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'α' => "alpha",
        'β' => "beta",
        'γ' => "gamma",
        'δ' => "delta",
        'ε' => "epsilon",
        'ζ' => "zeta",
        'κ' => "kappa",
        'λ' => "lambda",
        'μ' | 'µ' => "mu",
        'σ' => "sigma",
        'ω' => "omega",
        other if is_accent(other) => "",
        other => return word.push(other),
    };
    word.push_str(plain);
}

#[cfg(test)]
mod tests {
    use super::words;

    fn cut(name: &str) -> Vec<String> {
        let mut all = Vec::new();
        words(name, |word| all.push(word.to_owned()));
        all
    }

    #[test]
    fn spelling_does_not_matter() {
        assert_eq!(cut("Crohn's disease"), ["crohn", "disease"]);
        assert_eq!(cut("Sjögren-Larsson SYNDROME"), cut("sjogren larsson syndrome"));
        assert_eq!(cut("Sjo\u{308}gren"), ["sjogren"]);
        assert_eq!(cut("β-thalassaemia"), ["beta", "thalassaemia"]);
        assert_eq!(cut("d'Acosta’s (type 2)"), ["dacosta", "type", "2"]);
        assert_eq!(cut("  ,;  "), Vec::<String>::new());
    }
}
