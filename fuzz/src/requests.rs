//! Signed HTTP requests.

use crate::key;
use consent::Timestamp;
use identity::{RequestHeaders, sign_request, verify_request};

const NOW: i64 = 1_795_000_000;

/// The headers as they come, and a signed request of which one part is exchanged. The input is lines: the three
/// headers, method, authority, path, query and body.
pub fn request(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(8, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let headers =
        RequestHeaders { signature_input: line().into(), signature: line().into(), content_digest: line().into() };
    let (method, authority, path, query, body) = (line(), line(), line(), line(), line().as_bytes());
    let now = Timestamp::from_unix(NOW);
    let foreign = verify_request(&headers, method, authority, path, query, body, now, 300);
    if let Ok(caller) = foreign {
        assert!((8..=128).contains(&caller.nonce.len()));
        assert!((NOW - 300..=NOW + 300).contains(&caller.created.unix()));
    }

    let nonce = "0123456789abcdef";
    let signed = sign_request(&key(1), method, authority, path, query, body, now, nonce);
    let check = |method: &str, authority: &str, path: &str, query: &str, body: &[u8]| {
        verify_request(&signed, method, authority, path, query, body, now, 300)
    };
    let plain = |part: &str| part.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    let same = check(method, authority, path, query, body);
    assert_eq!(same.is_ok(), [method, authority, path, query].into_iter().all(plain));
    if let Ok(caller) = same {
        assert_eq!((caller.did, caller.nonce.as_str(), caller.created), (key(1).did(), nonce, now));
    }
    let longer = |part: &str| format!("{part}x");
    assert!(check(&longer(method), authority, path, query, body).is_err());
    assert!(check(method, &longer(authority), path, query, body).is_err());
    assert!(check(method, authority, &longer(path), query, body).is_err());
    assert!(check(method, authority, path, &longer(query), body).is_err());
    assert!(check(method, authority, path, query, &[body, b"x"].concat()).is_err());
    // Where one part ends and the next begins is signed as well.
    if !query.is_empty() {
        assert!(check(method, authority, &format!("{path}{query}"), "", body).is_err());
    }
}
