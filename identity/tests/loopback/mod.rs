//! A web server on this machine with a certificate of its own, that answers well or badly as a test says.
#![allow(dead_code, reason = "each test that shares this takes its part")]

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What is sent back.
pub enum Answer {
    /// These bytes, head included.
    Bytes(Vec<u8>),
    /// A good head, and then one byte a second.
    Drip,
    /// A good head, and then bytes without an end.
    Endless,
    /// Nothing, with the connection open.
    Silence,
}

/// A good answer of JSON.
#[allow(dead_code, reason = "not every test that shares this needs it")]
pub fn json(body: &str) -> Answer {
    with_head("200 OK", "content-type: application/json", body.as_bytes())
}

/// An answer with one line in its head beside the length.
pub fn with_head(status: &str, line: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status}\r\n{line}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    Answer::Bytes([head.as_bytes(), body].concat())
}

/// A server that runs until the test ends.
pub struct Host {
    pub port: u16,
    /// The certificate (DER) by which it is known.
    pub root: Vec<u8>,
    /// How many requests it got.
    pub asked: Arc<AtomicUsize>,
}

impl Host {
    /// Serves; `answer` gets the head of each request.
    pub async fn open(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let (certificate, root) = (made.cert.der().clone(), made.cert.der().to_vec());
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let (counted, answer) = (asked.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, counted, answer) = (acceptor.clone(), counted.clone(), answer.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut head = vec![0; 8_192];
                    let read = stream.read(&mut head).await.unwrap_or(0);
                    counted.fetch_add(1, Ordering::SeqCst);
                    let good = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
                    match answer(&String::from_utf8_lossy(&head[..read])) {
                        Answer::Bytes(bytes) => {
                            let _ = stream.write_all(&bytes).await;
                            let _ = stream.shutdown().await;
                        }
                        Answer::Drip => {
                            let _ = stream.write_all(good).await;
                            while stream.write_all(b" ").await.is_ok() && stream.flush().await.is_ok() {
                                tokio::time::sleep(Duration::from_secs(1)).await;
                            }
                        }
                        Answer::Endless => {
                            let _ = stream.write_all(good).await;
                            while stream.write_all(&[b' '; 16 << 10]).await.is_ok() {}
                        }
                        Answer::Silence => tokio::time::sleep(Duration::from_secs(60)).await,
                    }
                });
            }
        });
        Self { port, root, asked }
    }

    /// An address below it.
    #[allow(dead_code, reason = "not every test that shares this needs it")]
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Its `did:web`.
    pub fn did(&self) -> String {
        format!("did:web:localhost%3A{}", self.port)
    }
}
