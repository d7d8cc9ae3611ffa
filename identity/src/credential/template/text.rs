//! Texts as they stand in N-Quads: which ones are surely written alike by everybody.

/// The schemes with which an address may begin.
pub(super) const SCHEMES: [&str; 3] = ["did", "https", "urn"];

/// Whether a text is an address that JSON-LD leaves as it is and N-Quads writes as it is: absolute, and in letters
/// that are never escaped. Others may be addresses too; they take the general path.
pub(super) fn is_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    // Without slashes the part before the first colon could be the name of a term; none is called like these.
    SCHEMES.contains(&scheme) && (scheme != "https" || rest.starts_with("//")) && is_plain_iri(text)
}

/// Letters, digits and marks that need no thought, and a URI by its grammar.
pub(super) fn is_plain_iri(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&byte);
    text.bytes().all(plain) && iref::Uri::new(text).is_ok()
}

/// Appends a literal in its quotation marks. False for control characters, about which writers of N-Quads differ.
pub(super) fn quote(text: &str, out: &mut String) -> bool {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' | b'\\' => {
                out.push_str(&text[from..at]);
                out.push('\\');
                from = at;
            }
            // U+0080 to U+009F begin with this byte: control characters as well.
            0x00..=0x1f | 0x7f => return false,
            0xc2 if text.as_bytes().get(at + 1).is_some_and(|next| (0x80..=0x9f).contains(next)) => return false,
            _ => {}
        }
    }
    out.push_str(&text[from..]);
    out.push('"');
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_n_quads_want_it() {
        let quoted = |text: &str| {
            let mut out = String::new();
            quote(text, &mut out).then_some(out)
        };
        assert_eq!(quoted(""), Some(r#""""#.to_owned()));
        assert_eq!(quoted(r#"a"b\c"#), Some(r#""a\"b\\c""#.to_owned()));
        assert_eq!(quoted("\"\"\\"), Some(r#""\"\"\\""#.to_owned()));
        assert_eq!(quoted("Größe 漢字 🧬 \u{2028}"), Some("\"Größe 漢字 🧬 \u{2028}\"".to_owned()));
        assert_eq!(quoted("\u{a0}"), Some("\"\u{a0}\"".to_owned()));
        for control in (0..=0x1f_u32).chain(0x7f..=0x9f).filter_map(char::from_u32) {
            assert_eq!(quoted(&format!("a{control}b")), None, "{control:?}");
        }
    }

    #[test]
    fn only_plain_absolute_addresses_are_addresses() {
        for good in ["did:key:z6Mk#z6Mk", "urn:uuid:1", "https://ror.org/02n0bts35", "https://a.example/b?c=%20#d"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "x", "study", "http://a.example/", "https:a", "HTTPS://a.example/", "urn", "mailto:a@b", "_:b"]
        {
            assert!(!is_address(bad), "{bad}");
        }
        for bad in
            ["https://a.example/\u{e9}", "urn:a b", "https://a.example/%zz", "https://[::1]/", "urn:a<b>", "urn:a^"]
        {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
