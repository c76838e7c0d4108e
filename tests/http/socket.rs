//! A WebSocket client over a plain socket: as much of RFC 6455 as the live feed needs.

use crate::client::Client;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A connection to `/ws`.
pub(crate) struct Socket {
    stream: TcpStream,
    asked: u64,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Came {
    Json(Value),
    /// Code of the close frame; none where the connection ended without one.
    Closed(Option<u16>),
}

impl Socket {
    /// Connected, and nothing said yet.
    pub(crate) fn connect(client: &Client) -> Self {
        let mut stream = client.connect();
        let request = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("it takes bytes");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("an answer");
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        Self { stream, asked: 0 }
    }

    /// Connected with the client's token.
    pub(crate) fn login(client: &Client) -> Self {
        let mut socket = Self::connect(client);
        let answer = socket.ask("authenticate", &json!({ "token": client.token() }));
        assert_eq!(answer["success"], true, "{answer}");
        socket
    }

    pub(crate) fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let mut frame = vec![0x81];
        match text.len() {
            short @ 0..126 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&u16::try_from(long).expect("a short message").to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]); // a mask that changes nothing
        frame.extend_from_slice(text.as_bytes());
        let _ = self.stream.write_all(&frame); // a closed one shows when it is read
    }

    /// The next message, whatever it is.
    pub(crate) fn next(&mut self) -> Came {
        loop {
            let Some((opcode, bytes)) = self.frame() else {
                return Came::Closed(None);
            };
            match opcode {
                1 => return Came::Json(serde_json::from_slice(&bytes).expect("JSON")),
                8 => return Came::Closed(bytes.first_chunk().map(|code| u16::from_be_bytes(*code))),
                _ => {}
            }
        }
    }

    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).ok()?;
        let len = match head[1] & 0x7f {
            126 => {
                let mut len = [0; 2];
                self.stream.read_exact(&mut len).ok()?;
                u16::from_be_bytes(len).into()
            }
            127 => {
                let mut len = [0; 8];
                self.stream.read_exact(&mut len).ok()?;
                usize::try_from(u64::from_be_bytes(len)).ok()?
            }
            short => usize::from(short),
        };
        let mut bytes = vec![0; len];
        self.stream.read_exact(&mut bytes).ok()?;
        Some((head[0] & 0x0f, bytes))
    }

    /// Sends a request and takes everything up to its answer.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        let number = self.asked;
        self.send(&json!({ "method": method, "req_id": number, "params": params }));
        loop {
            match self.next() {
                Came::Json(answer) if answer["req_id"] == number => return answer,
                Came::Json(_) => {}
                Came::Closed(code) => panic!("closed with {code:?} in place of an answer to {method}"),
            }
        }
    }

    /// Subscribes, and gives the snapshot's frame.
    pub(crate) fn snapshot(&mut self, channel: &str) -> Value {
        let answer = self.ask("subscribe", &json!({ "channel": channel }));
        assert_eq!(answer["success"], true, "{answer}");
        self.frame_of(channel)
    }

    /// The next frame of a channel; others are passed over.
    pub(crate) fn frame_of(&mut self, channel: &str) -> Value {
        loop {
            match self.next() {
                Came::Json(frame) if frame["channel"] == channel => return frame,
                Came::Json(_) => {}
                Came::Closed(code) => panic!("closed with {code:?} in place of a frame of {channel}"),
            }
        }
    }

    /// Takes everything up to the end, and gives the code that it was closed with.
    pub(crate) fn end(&mut self) -> Option<u16> {
        loop {
            if let Came::Closed(code) = self.next() {
                return code;
            }
        }
    }
}
