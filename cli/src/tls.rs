//! Where a service of this program listens with TLS.

use server::TlsFiles;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(clap::Args, Clone)]
pub struct Tls {
    /// Address to listen on with TLS.
    #[arg(long, value_name = "ADDR")]
    pub tls_listen: Option<SocketAddr>,
    /// Certificate chain in PEM [default: one that nobody vouches for, made at each start].
    #[arg(long, value_name = "FILE", requires = "tls_key", requires = "tls_listen")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl Tls {
    /// The certificate, if one was given.
    pub fn files(self) -> Option<TlsFiles> {
        self.tls_cert.zip(self.tls_key).map(|(certificate, key)| TlsFiles { certificate, key })
    }
}
