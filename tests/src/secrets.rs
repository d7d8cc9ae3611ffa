//! Looks for secrets where none may be.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::io;
use std::path::Path;

/// The forms in which 32 secret bytes could show: as they are, in hex, in base64, as a list of numbers.
fn forms(secret: &[u8; 32]) -> [Vec<u8>; 6] {
    let numbers: Vec<_> = secret.iter().map(u8::to_string).collect();
    [
        secret.to_vec(),
        hex::encode(secret).into_bytes(),
        hex::encode_upper(secret).into_bytes(),
        STANDARD_NO_PAD.encode(secret).into_bytes(),
        URL_SAFE_NO_PAD.encode(secret).into_bytes(),
        numbers.join(",").into_bytes(),
    ]
}

/// Whether a secret is in these bytes, in any form.
pub fn holds_secret(bytes: &[u8], secret: &[u8; 32]) -> bool {
    forms(secret).iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
}

/// The first file below a folder that holds a secret, and how many files were read.
pub fn find_secret(folder: &Path, secret: &[u8; 32]) -> io::Result<(Option<String>, usize)> {
    let (mut folders, mut read) = (vec![folder.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                read += 1;
                if holds_secret(&std::fs::read(&path)?, secret) {
                    return Ok((Some(path.display().to_string()), read));
                }
            }
        }
    }
    Ok((None, read))
}
