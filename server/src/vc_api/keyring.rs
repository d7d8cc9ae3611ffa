//! The keys of the service, and what each of them signs with.

use crate::StartError;
use identity::vc::{KeyKind, Signer, Suite};
use std::io::{Error, ErrorKind, Write};
use std::path::Path;
use zeroize::Zeroizing;

/// An issuer at a path of its own: one suite with one kind of key.
#[derive(Debug, Clone, Copy)]
pub struct Instance {
    /// The first part of its path.
    pub name: &'static str,
    pub(super) suite: Suite,
    pub(super) kind: KeyKind,
}

#[rustfmt::skip]
pub(super) const INSTANCES: [Instance; 8] = [
    Instance { name: "eddsa-rdfc-2022", suite: Suite::EddsaRdfc2022, kind: KeyKind::Ed25519 },
    Instance { name: "eddsa-jcs-2022", suite: Suite::EddsaJcs2022, kind: KeyKind::Ed25519 },
    Instance { name: "ecdsa-rdfc-2019-p256", suite: Suite::EcdsaRdfc2019, kind: KeyKind::P256 },
    Instance { name: "ecdsa-rdfc-2019-p384", suite: Suite::EcdsaRdfc2019, kind: KeyKind::P384 },
    Instance { name: "ecdsa-jcs-2019-p256", suite: Suite::EcdsaJcs2019, kind: KeyKind::P256 },
    Instance { name: "ecdsa-jcs-2019-p384", suite: Suite::EcdsaJcs2019, kind: KeyKind::P384 },
    Instance { name: "ecdsa-sd-2023-p256", suite: Suite::EcdsaSd2023, kind: KeyKind::P256 },
    Instance { name: "bbs-2023", suite: Suite::Bbs2023, kind: KeyKind::Bls12381G2 },
];

/// One key of each kind, under the name that `GET /keys` and the files have for it.
pub(super) struct Keyring([(&'static str, KeyKind, Signer); 4]);

impl Keyring {
    /// Reads the keys of a folder, or makes them; without a folder they are made and kept nowhere.
    pub(super) fn open(folder: Option<&Path>) -> Result<Self, StartError> {
        if let Some(folder) = folder {
            let io = |error| StartError::Io(folder.display().to_string(), error);
            std::fs::create_dir_all(folder).map_err(io)?;
            #[cfg(unix)]
            std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(io)?;
        }
        let key = |name, kind| {
            let signer = match folder {
                Some(folder) => read_or_make(&folder.join(format!("{name}.key")), kind)?,
                None => make(kind)?.1,
            };
            Ok::<_, StartError>((name, kind, signer))
        };
        Ok(Self([
            key("ed", KeyKind::Ed25519)?,
            key("p256", KeyKind::P256)?,
            key("p384", KeyKind::P384)?,
            key("bls", KeyKind::Bls12381G2)?,
        ]))
    }

    pub(super) fn of(&self, kind: KeyKind) -> Option<&Signer> {
        self.0.iter().find(|(_, other, _)| *other == kind).map(|(_, _, signer)| signer)
    }

    /// The kinds of keys, in an order that does not change.
    pub(super) fn kinds(&self) -> impl Iterator<Item = KeyKind> {
        self.0.iter().map(|(_, kind, _)| *kind)
    }

    /// Names and DIDs.
    pub(super) fn ids(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.0.iter().map(|(name, _, signer)| (*name, signer.id().to_string()))
    }
}

/// A suite for a kind of key that signs for everybody, if there is one; others sign for a holder, who derives from it.
pub(super) fn suite_of(kind: KeyKind) -> Option<Suite> {
    let in_parts = |suite| matches!(suite, Suite::EcdsaSd2023 | Suite::Bbs2023);
    let plain = |instance: &&Instance| instance.kind == kind && !in_parts(instance.suite);
    INSTANCES.iter().find(plain).map(|instance| instance.suite)
}

fn make(kind: KeyKind) -> Result<(Zeroizing<Vec<u8>>, Signer), StartError> {
    let mut secret = Zeroizing::new(vec![0; kind.secret_len()]);
    loop {
        getrandom::fill(&mut secret)?;
        // Some numbers are no private key: of BLS12-381 more than half, of the others far less than one in a billion.
        if let Ok(signer) = Signer::from_secret(kind, &secret) {
            return Ok((secret, signer));
        }
    }
}

fn read_or_make(path: &Path, kind: KeyKind) -> Result<Signer, StartError> {
    let io = |error| StartError::Io(path.display().to_string(), error);
    match std::fs::read(path).map(Zeroizing::new) {
        Ok(secret) => Signer::from_secret(kind, &secret)
            .map_err(|error| io(Error::new(ErrorKind::InvalidData, error.to_string()))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let (secret, signer) = make(kind)?;
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let write = |mut file: std::fs::File| file.write_all(&secret).and_then(|()| file.sync_all());
            options.open(path).and_then(write).map_err(io)?;
            Ok(signer)
        }
        Err(error) => Err(io(error)),
    }
}
