//! TLS by rustls: with the operator's certificate and key, or with one that is made for a start.

use crate::biobank::StartError;
use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a certificate and its key lie, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those between it and a root that callers know.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads both.
    pub fn read(&self) -> Result<RustlsConfig, StartError> {
        Ok(RustlsConfig::from_config(self.config()?))
    }

    /// Reads both again, for connections that come from now on; open ones go on as they are.
    pub fn reread(&self, into: &RustlsConfig) -> Result<(), StartError> {
        into.reload_from_config(self.config()?);
        Ok(())
    }

    fn config(&self) -> Result<Arc<ServerConfig>, StartError> {
        let certificates = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unreadable(&self.certificate, error))?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| unreadable(&self.key, error))?;
        config_of(certificates, key).map_err(|error| unreadable(&self.certificate, error))
    }
}

fn config_of(
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)?;
    // The signature of a request covers its host header, which HTTP/2 does not have.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A certificate for this address and `localhost` that nobody vouches for, with a key that is kept nowhere.
pub fn self_signed(address: IpAddr) -> Result<RustlsConfig, StartError> {
    let failed = |error: String| StartError::Network(format!("a certificate could not be made: {error}"));
    let names = vec!["localhost".to_owned(), address.to_string()];
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| failed(error.to_string()))?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(|error| failed(error.to_owned()))?;
    let config = config_of(vec![made.cert.der().clone()], key).map_err(|error| failed(error.to_string()))?;
    Ok(RustlsConfig::from_config(config))
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> StartError {
    StartError::Network(format!("{}: {error}", path.display()))
}
