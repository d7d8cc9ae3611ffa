//! HTTP/1.1 over one kept connection, and no more of it than a load test needs: whoever measures a service on the
//! machine that it runs on should take as little of that machine as can be.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// The largest answer that is read.
const MAX_ANSWER: u64 = 32 << 20;
/// The longest line of a head.
const MAX_LINE: u64 = 16 << 10;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a service listens.
#[derive(Debug, Clone)]
pub struct Address {
    /// Host and port, as the `Host` field says them.
    pub authority: String,
}

impl Address {
    /// Reads an address like `http://127.0.0.1:8480`.
    pub fn parse(url: &str) -> Result<Self, String> {
        let rest = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        match rest {
            Some(authority) if authority.contains(':') && !authority.contains(['/', '@', '?', '#']) => {
                Ok(Self { authority: authority.to_owned() })
            }
            _ => Err(format!("{url}: write it as http://HOST:PORT; measure behind a proxy, where TLS has ended")),
        }
    }
}

/// A request that is ready to be sent.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The path, with the query.
    pub path: String,
    /// Header fields beside those that every request has, each with its line break.
    pub fields: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// How many seconds the service asks to wait.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// A connection.
pub struct Wire {
    stream: BufReader<TcpStream>,
    authority: String,
}

impl Wire {
    /// Connects.
    pub fn open(address: &Address) -> io::Result<Self> {
        let stream = TcpStream::connect(&address.authority)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream), authority: address.authority.clone() })
    }

    /// Sends a request and reads its answer. After an error the connection is of no use.
    pub fn call(&mut self, request: &Request) -> io::Result<Answer> {
        let Request { method, path, fields, body } = request;
        let (host, length) = (&self.authority, body.len());
        let mut bytes = String::with_capacity(256 + fields.len());
        // Writing to a string can not fail.
        let _ = write!(bytes, "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n{fields}\r\n");
        let mut bytes = bytes.into_bytes();
        // One write, so that head and body travel together.
        bytes.extend_from_slice(body);
        self.stream.get_mut().write_all(&bytes)?;
        self.read()
    }

    fn read(&mut self) -> io::Result<Answer> {
        let first = self.line()?;
        let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let mut answer = Answer { status: status.ok_or_else(|| wrong("status"))?, retry_after: None, body: Vec::new() };
        let mut length = 0;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| wrong("head"))?;
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().map_err(|_| wrong("length"))?,
                "transfer-encoding" => return Err(wrong("length")),
                "retry-after" => answer.retry_after = value.parse().ok(),
                _ => {}
            }
        }
        if length > MAX_ANSWER {
            return Err(wrong("length"));
        }
        self.stream.by_ref().take(length).read_to_end(&mut answer.body)?;
        if answer.body.len() as u64 == length { Ok(answer) } else { Err(wrong("body")) }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.by_ref().take(MAX_LINE).read_line(&mut line)?;
        if !line.ends_with('\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the {what} of an answer can not be read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn ask(answer: &'static str) -> io::Result<Answer> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let service = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1_024];
            let length = stream.read(&mut asked).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let request = Request { method: "POST", path: "/x".into(), fields: "a: b\r\n".into(), body: b"body".to_vec() };
        let answer = Wire::open(&address).unwrap().call(&request);
        let asked = service.join().unwrap();
        assert!(asked.starts_with("POST /x HTTP/1.1\r\nhost: 127.0.0.1:"), "{asked}");
        assert!(asked.ends_with("content-length: 4\r\na: b\r\n\r\nbody"), "{asked}");
        answer
    }

    #[test]
    fn answers_are_read_whole_or_refused() {
        let answer = ask("HTTP/1.1 429 Too Many\r\nRetry-After: 2\r\nContent-Length: 3\r\n\r\nno!").unwrap();
        assert_eq!((answer.status, answer.retry_after, answer.body.as_slice()), (429, Some(2), &b"no!"[..]));
        assert_eq!(ask("HTTP/1.1 204 No Content\r\n\r\n").unwrap().body, b"");
        for wrong in [
            "",
            "HTTP/1.1 2",
            "SPDY 200\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
            "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ] {
            assert!(ask(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_plain_addresses_are_taken() {
        assert_eq!(Address::parse("http://[::1]:8480/").unwrap().authority, "[::1]:8480");
        for wrong in ["https://biobank.example", "http://biobank.example", "http://a:1/b", "http://u@a:1", "a:1", ""] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
