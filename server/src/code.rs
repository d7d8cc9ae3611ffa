//! One-time codes: eight characters that people can read out and type (Crockford's base 32).

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A fresh code of 40 random bits.
pub fn make_code() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes)?;
    // 256 is a multiple of 32: taking five bits of each byte favours no character.
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

/// Fresh random bytes as lower-case hex, for challenges and message ids.
pub fn make_nonce() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// `ABCD-EFGH` as people see it.
pub fn show(code: &str) -> String {
    match code.split_at_checked(4) {
        Some((head, tail)) => format!("{head}-{tail}"),
        None => code.to_owned(),
    }
}

/// What is stored in place of the code, after undoing what people do to codes: lower case, gaps, `O` for `0`.
pub fn digest(typed: &str) -> Option<String> {
    let mut code = String::with_capacity(8);
    for c in typed.chars().filter(|c| !matches!(c, '-' | ' ')).take(16) {
        code.push(match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        });
    }
    let fits = code.len() == 8 && code.bytes().all(|b| ALPHABET.contains(&b));
    fits.then(|| hex::encode(Sha256::digest(format!("consent-wallet/code/v1\n{code}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_how_people_type_them() {
        let code = make_code().unwrap();
        assert_eq!(code.len(), 8);
        assert_eq!(digest(&code), digest(&format!(" {} ", show(&code).to_lowercase())));
        assert_eq!(digest("0O1IL234"), digest("00111234"));
        assert_eq!(digest("short"), None);
        assert_eq!(digest("ABCDEFGH9"), None);
        assert_eq!(digest("ABCDEFGU"), None);
    }
}
