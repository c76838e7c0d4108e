//! The webhook: one POST of JSON a notification, over plain HTTP/1.1, signed where there is a secret.
//!
//! # Invariants
//! - A delivery ends within the timeout, whatever the receiver does; at most [`ANSWER_MAX`] bytes of its answer are read.
//! - A status of 2xx is delivery. 408, 425, 429 and 5xx may come right later; any other refuses this notification for good.
//! - Nothing of the receiver's answer but its status is shown.
//!
//! Not here: https and redirects.

use super::{Channel, DeliveryError};
use crate::notification::Notification;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;
use tradewind_machine::clock::Clock;

/// Header with the signature: `sha256=` and 64 hexadecimal digits.
pub const SIGNATURE_HEADER: &str = "X-Tradewind-Signature";
/// Bytes of an answer that are read to find its status.
const ANSWER_MAX: usize = 4_096;

/// What is wrong with a webhook's settings.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The address is none of plain http.
    #[error("{0:?} is no address like http://HOST[:PORT][/PATH]")]
    Url(String),
}

/// See the module.
pub struct WebhookChannel {
    host: String,
    port: u16,
    path: String,
    secret: Option<Vec<u8>>,
    timeout_ns: u64,
    clock: Clock,
}

impl WebhookChannel {
    /// Posts to `url`; signs with `secret` where there is one.
    pub fn new(
        url: &str,
        secret: Option<Vec<u8>>,
        timeout: Duration,
        clock: Clock,
    ) -> Result<Self, WebhookError> {
        let (host, port, path) = parse(url).ok_or_else(|| WebhookError::Url(url.into()))?;
        Ok(Self {
            host,
            port,
            path,
            secret,
            timeout_ns: u64::try_from(timeout.as_nanos())
                .unwrap_or(u64::MAX)
                .max(1_000_000),
            clock,
        })
    }

    fn post(&self, notification: &Notification) -> io::Result<u16> {
        let body = serde_json::to_vec(notification)?;
        let deadline = Deadline {
            clock: &self.clock,
            end_ns: self.clock.now_ns().saturating_add(self.timeout_ns),
        };
        let mut stream = self.connect(&deadline)?;
        let head = self.head(notification, &body);
        send(&mut stream, head.as_bytes(), &deadline)?;
        send(&mut stream, &body, &deadline)?;
        status(&mut stream, &deadline)
    }

    fn connect(&self, deadline: &Deadline<'_>) -> io::Result<TcpStream> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (host, self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, deadline.left()?) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn head(&self, notification: &Notification, body: &[u8]) -> String {
        let signature = self.secret.as_ref().map_or_else(String::new, |secret| {
            format!("{SIGNATURE_HEADER}: {}\r\n", signature(secret, body))
        });
        let Self { host, port, path, .. } = self;
        format!(
            "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: tradewind/{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nIdempotency-Key: {}\r\n{signature}Connection: close\r\n\r\n",
            env!("CARGO_PKG_VERSION"),
            body.len(),
            notification.id,
        )
    }
}

impl Channel for WebhookChannel {
    fn name(&self) -> &str {
        "webhook"
    }

    fn deliver(&mut self, notification: &Notification) -> Result<(), DeliveryError> {
        match self.post(notification) {
            Ok(200..=299) => Ok(()),
            Ok(status @ (408 | 425 | 429 | 500..)) => Err(DeliveryError::Failed(format!("status {status}"))),
            Ok(status) => Err(DeliveryError::Refused(format!("status {status}"))),
            Err(error) => Err(DeliveryError::Failed(error.to_string())),
        }
    }
}

/// The signature of a body: `sha256=` and the HMAC-SHA256 in hexadecimal.
pub fn signature(secret: &[u8], body: &[u8]) -> String {
    let mut text = String::from("sha256=");
    // HMAC takes keys of any length, so this never fails; without a key nothing would match.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) {
        mac.update(body);
        for byte in mac.finalize().into_bytes() {
            text.push_str(&format!("{byte:02x}"));
        }
    }
    text
}

fn parse(url: &str) -> Option<(String, u16, String)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let has_port = authority.rfind(':') > authority.rfind(']');
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if has_port => (host, port.parse().ok()?),
        _ => (authority, 80),
    };
    let is_clean = url.bytes().all(|byte| byte.is_ascii_graphic()) && !authority.contains('@');
    (is_clean && !host.is_empty() && port != 0).then(|| (host.into(), port, path.into()))
}

/// The end of a delivery.
struct Deadline<'a> {
    clock: &'a Clock,
    end_ns: u64,
}

impl Deadline<'_> {
    /// What is left of the time, or the error that it is up.
    fn left(&self) -> io::Result<Duration> {
        match self.end_ns.saturating_sub(self.clock.now_ns()) {
            0 => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")),
            left_ns => Ok(Duration::from_nanos(left_ns.max(1_000))),
        }
    }
}

fn send(stream: &mut TcpStream, mut bytes: &[u8], deadline: &Deadline<'_>) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.set_write_timeout(Some(deadline.left()?))?;
        let count = stream.write(bytes)?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[count..];
    }
    Ok(())
}

/// Reads as much of the answer as says its status.
fn status(stream: &mut TcpStream, deadline: &Deadline<'_>) -> io::Result<u16> {
    let mut answer = [0u8; ANSWER_MAX];
    let mut len = 0;
    while len < answer.len() {
        stream.set_read_timeout(Some(deadline.left()?))?;
        let count = match stream.read(&mut answer[len..]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        len += count;
        let line_end = answer[..len].windows(2).position(|pair| pair == b"\r\n");
        if let Some(end) = line_end {
            return parse_status(&answer[..end]).ok_or_else(not_http);
        }
        if count == 0 {
            break;
        }
    }
    Err(not_http())
}

fn not_http() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP/1")
}

/// `HTTP/1.1 204 No Content`
fn parse_status(line: &[u8]) -> Option<u16> {
    let rest = line
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| line.strip_prefix(b"HTTP/1.0 "))?;
    let digits = rest.get(..3)?;
    let status: u16 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    ((100..600).contains(&status) && rest.get(3).is_none_or(|byte| *byte == b' ')).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_host_port_and_path() {
        for (url, expected) in [
            ("http://hooks", ("hooks", 80, "/")),
            ("http://hooks:8080/a/b?c=d", ("hooks", 8080, "/a/b?c=d")),
            ("http://[::1]:81/", ("[::1]", 81, "/")),
            ("http://[::1]/x", ("[::1]", 80, "/x")),
        ] {
            let (host, port, path) = parse(url).unwrap();
            assert_eq!((host.as_str(), port, path.as_str()), expected, "{url}");
        }
        for url in [
            "",
            "https://x",
            "http://",
            "http://:1/",
            "http://u@h/",
            "http://h:99999/",
            "http://h/\r\nX: y",
        ] {
            assert!(parse(url).is_none(), "{url}");
        }
    }

    #[test]
    fn a_status_line_is_read_and_nothing_else() {
        for (line, status) in [
            ("HTTP/1.1 200 OK", Some(200)),
            ("HTTP/1.0 503", Some(503)),
            ("HTTP/1.1 2000 OK", None),
            ("HTTP/2 200", None),
            ("SSH-2.0", None),
            ("HTTP/1.1 +20", None),
            ("", None),
        ] {
            assert_eq!(parse_status(line.as_bytes()), status, "{line}");
        }
    }

    /// RFC 4231, test case 2.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        assert_eq!(
            signature(b"Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
