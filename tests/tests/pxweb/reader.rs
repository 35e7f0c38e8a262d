//! A client of its own: HTTP/1.0 over loopback, so that a body is what comes until the end.

use serde_json::Value;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    /// A success, as JSON.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

/// Sends a request with these headers.
pub fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut request = format!("{method} {path} HTTP/1.0\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").expect("a String takes it");
    }
    if method == "POST" {
        write!(request, "Content-Length: {}\r\n", body.len()).expect("a String takes it");
    }
    request.push_str("\r\n");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_mins(2))).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("the request is taken");
    // A server that refuses a body may close before it has read it.
    let _sent = stream.write_all(body);
    let mut bytes = Vec::new();
    let _until_the_end = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer to {method} {path}: {bytes:?}"));
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    Answer {
        status: status.parse().expect("a number"),
        headers: headers.collect(),
        body: bytes[end + 4..].to_vec(),
    }
}

/// Checks that an answer is a refusal as clients know it.
#[track_caller]
pub fn check_problem(answer: &Answer, status: u16, title: &str) {
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, status, "{text}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{text}");
    let problem = answer.json();
    assert_eq!(problem["title"], title, "{text}");
    assert_eq!(problem["status"], status, "{text}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{text}");
}
