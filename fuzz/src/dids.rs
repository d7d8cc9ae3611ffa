//! DIDs, DID URLs, DID documents, and lists of trusted issuers.

use crate::key;
use consent::Timestamp;
use identity::did_document::{Age, DidDocument, DidUrl, Local, ResolveError, Resolver, address_of};
use identity::{TRUST_TYPE, TrustList, sign_jws};

/// The first line is a DID URL, the rest the document that was found for its DID.
pub fn did(data: &[u8]) {
    let line = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (text, document) = (String::from_utf8_lossy(&data[..line]), data.get(line + 1..).unwrap_or_default());
    let Ok(url) = DidUrl::parse(&text) else { return };
    assert_eq!(url.as_str(), text);
    assert!(text.is_ascii() && url.did().starts_with(&format!("did:{}:", url.method())));
    let did = DidUrl::parse_did(url.did()).unwrap();
    assert_eq!((did.id(), did.fragment(), did.path_and_query()), (url.id(), None, ""));
    let fragment = url.fragment().map(|fragment| format!("#{fragment}")).unwrap_or_default();
    assert_eq!(format!("{}{}{fragment}", url.did(), url.path_and_query()), text);

    match address_of(&did) {
        // A host that is a name, and a path that stays where it says.
        Ok(Some(address)) => {
            let rest = address.strip_prefix("https://").unwrap();
            let (authority, path) = rest.split_once('/').unwrap();
            let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
            assert!(port.parse::<u16>().is_ok() && host.parse::<std::net::IpAddr>().is_err());
            assert!(!host.contains(['@', '\\', '%', '[']) && !path.contains(['%', '?', '#', '\\']));
            assert!(path.split('/').all(|part| !part.is_empty() && part != "." && part != ".."));
            assert_eq!(Local.resolve(&did), Err(ResolveError::Method));
        }
        // A DID that is a key: its document says the same key again.
        Ok(None) => {
            if let Ok(found) = Local.resolve(&did) {
                assert_eq!((found.document.id(), found.age), (did.did(), Age::Fixed));
                let bytes = found.document.json().to_string().into_bytes();
                assert_eq!(DidDocument::read(&bytes, &did).as_ref(), Ok(&found.document));
            }
        }
        Err(error) => assert!(matches!(error, ResolveError::Method | ResolveError::InvalidDid)),
    }

    if let Ok(read) = DidDocument::read(document, &did) {
        assert_eq!(read.id(), did.did());
        let again = DidDocument::read(read.json().to_string().as_bytes(), &did);
        assert_eq!(again.as_ref(), Ok(&read));
        for purpose in ["assertionMethod", "authentication", &text] {
            // What may sign has a place in the document.
            assert!(read.key_for(purpose, url.as_str()).is_err() || read.part(url.as_str()).is_some());
        }
    }
}

/// A list as it comes, and as what a biobank signed.
pub fn trusted(data: &[u8]) {
    let (biobank, now) = (key(1), Timestamp::from_unix(1_795_000_000));
    let foreign = TrustList::read(&String::from_utf8_lossy(data), &biobank.did(), None, now);
    assert!(foreign.is_err(), "nobody else has the key");
    let signed = sign_jws(&biobank, TRUST_TYPE, data);
    let Ok(list) = TrustList::read(&signed, &biobank.did(), None, now) else { return };
    assert_eq!(TrustList::sign(&biobank, list.claims()).as_ref(), Ok(&signed), "one text for what it says");
    assert_eq!(TrustList::read(&signed, &biobank.did(), Some(list.seen()), now).as_ref(), Ok(&list));
    let next = list.next(Vec::new(), now, now);
    if let Ok(signed) = TrustList::sign(&biobank, &next) {
        let next = TrustList::read(&signed, &biobank.did(), Some(list.seen()), now).unwrap();
        assert!(
            TrustList::read(&sign_jws(&biobank, TRUST_TYPE, data), &biobank.did(), Some(next.seen()), now).is_err()
        );
    }
}
