//! A server of static files on the loopback, honest or not, and what it serves.

use super::{MemoryLog, grant};
use ledger::client::{Limits, LogClient};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// 600 entries, made once: signing in debug builds takes a while.
pub static ENTRIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| (0..600).map(|i| grant(1, i).bytes().to_vec()).collect());

pub fn log_of(size: usize) -> MemoryLog {
    MemoryLog::of(ENTRIES[..size].to_vec())
}

/// How the server below misbehaves.
#[derive(Clone, Copy, PartialEq)]
pub enum Manner {
    Honest,
    /// Answers `/checkpoint` with a body without end.
    Endless,
    /// Takes the connection and says nothing.
    Silent,
    /// Sends one byte a while, for ever.
    Dripping,
    Redirecting,
}

/// A server of static files on the loopback, good for one test.
pub struct Server {
    pub address: String,
    log: Arc<Mutex<MemoryLog>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(log: MemoryLog, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (log, asked) = (Arc::new(Mutex::new(log)), Arc::new(Mutex::new(Vec::new())));
        let (files, paths) = (Arc::clone(&log), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (files, paths) = (Arc::clone(&files), Arc::clone(&paths));
                std::thread::spawn(move || serve(stream.unwrap(), &files, &paths, manner));
            }
        });
        Self { address, log, asked }
    }

    pub fn client(&self) -> LogClient {
        let limits = Limits {
            connect: Duration::from_secs(2),
            read: Duration::from_millis(400),
            total: Duration::from_secs(2),
            entries: 10_000,
        };
        LogClient::with_limits(&self.address, limits).unwrap()
    }

    pub fn show(&self, log: MemoryLog) {
        *self.log.lock().unwrap() = log;
    }

    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<MemoryLog>, asked: &Mutex<Vec<String>>, manner: Manner) {
    let mut request = Vec::new();
    while !request.windows(4).any(|w| w == b"\r\n\r\n") {
        let mut piece = [0; 1024];
        match stream.read(&mut piece) {
            Ok(n) if n > 0 => request.extend_from_slice(&piece[..n]),
            _ => return,
        }
    }
    let path = String::from_utf8_lossy(&request).split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
    asked.lock().unwrap().push(path.clone());
    match manner {
        Manner::Honest => {
            let answer = match log.lock().unwrap().files.get(&path) {
                Some(body) => {
                    let head =
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                    [head.as_bytes(), body].concat()
                }
                None => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
            };
            let _ = stream.write_all(&answer);
        }
        Manner::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            while stream.write_all(&[b'a'; 4096]).is_ok() {}
        }
        Manner::Silent => std::thread::sleep(Duration::from_secs(20)),
        Manner::Dripping => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            while stream.write_all(b"a").is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Manner::Redirecting => {
            let _ = stream.write_all(b"HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n");
        }
    }
}
