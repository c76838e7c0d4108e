//! Messages that make no sense, and the binary form.

use crate::client::{Came, Client};
use crate::room::Room;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tradewind_domain::fixed::Money;
use tradewind_domain::time::Rfc3339;

#[test]
fn what_makes_no_sense_is_answered_and_leaves_the_connection_open() {
    let room = Room::new();
    let mut client = Client::login(room.runtime.handle(), room.address, "boss");
    for (text, code) in [
        ("", "MALFORMED"),
        ("{", "MALFORMED"),
        ("[1,2]", "MALFORMED"),
        ("{\"method\":\"dance\"}", "UNKNOWN_METHOD"),
        ("{\"method\":\"subscribe\"}", "INVALID_PARAMS"),
        (
            "{\"method\":\"subscribe\",\"params\":{\"channel\":\"secrets\"}}",
            "UNKNOWN_CHANNEL",
        ),
        (
            "{\"method\":\"unsubscribe\",\"params\":{\"channel\":\"market\"}}",
            "NOT_SUBSCRIBED",
        ),
        (
            "{\"method\":\"subscribe\",\"params\":{\"channel\":\"market\",\"hz\":1000}}",
            "INVALID_PARAMS",
        ),
    ] {
        client.send(text);
        let answer = client.next().json();
        assert_eq!(
            (&answer["success"], &answer["error"]["code"]),
            (&false.into(), &code.into()),
            "{text}"
        );
    }
    client.subscribe(json!({"channel": "market"}));
    let twice = client.ask("subscribe", json!({"channel": "market"}));
    assert_eq!(twice["error"]["code"], "ALREADY_SUBSCRIBED");
    let pong = client.ask("ping", Value::Null);
    assert_eq!(
        (&pong["method"], &pong["success"]),
        (&"pong".into(), &true.into())
    );
    let gone = client.ask("unsubscribe", json!({"channel": "market"}));
    assert_eq!(gone["success"], true);
    let beat = client.next().json();
    assert_eq!(
        beat["channel"], "heartbeat",
        "a connection without frames hears a heartbeat: {beat}"
    );
    room.stop();
}

#[test]
fn who_floods_or_sends_what_there_is_not_is_closed() {
    let room = Room::new();
    let handle = room.runtime.handle();
    let mut flood = Client::login(handle, room.address, "boss");
    for _ in 0..300 {
        flood.send("{\"method\":\"ping\"}");
    }
    let code = flood.closed();
    assert!(code == Some(1008) || code == Some(4008), "{code:?}");
    let mut binary = Client::login(handle, room.address, "boss");
    binary.send_message(Message::Binary(vec![1, 2, 3].into()));
    assert_eq!(binary.closed(), Some(1003));
    let mut long = Client::login(handle, room.address, "boss");
    long.send(format!("{{\"method\":\"{}\"}}", "x".repeat(20_000)));
    assert!(matches!(long.closed(), None | Some(1009)));
    let mut well = Client::login(handle, room.address, "boss");
    assert_eq!(well.ask("ping", Value::Null)["success"], true);
    room.stop();
}

/// Reads binary frames as the document says.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.0.split_at(N);
        self.0 = rest;
        head.try_into().unwrap()
    }
    fn text(&mut self, len: usize) -> Value {
        let (head, rest) = self.0.split_at(len);
        self.0 = rest;
        std::str::from_utf8(head).unwrap().into()
    }
    fn cell(&mut self) -> Value {
        match self.take::<1>()[0] {
            0 => Value::Null,
            1 => {
                let len = self.take::<1>()[0];
                self.text(len.into())
            }
            2 => {
                let len = u16::from_le_bytes(self.take());
                self.text(len.into())
            }
            3 => i64::from_le_bytes(self.take()).into(),
            4 => Money::from_raw(i64::from_le_bytes(self.take()).into())
                .to_string()
                .into(),
            5 => Money::from_raw(i128::from_le_bytes(self.take()))
                .to_string()
                .into(),
            7 => false.into(),
            8 => true.into(),
            9 => Rfc3339(u64::from_le_bytes(self.take())).to_string().into(),
            tag => panic!("there is no tag {tag}"),
        }
    }
}

#[test]
fn the_binary_form_says_what_the_json_form_says() {
    let mut room = Room::new();
    let handle = room.runtime.handle().clone();
    room.act(|desk| desk.busy_day());
    let channels = [
        "positions",
        "pnl",
        "orders",
        "trades",
        "rejects",
        "limits",
        "alerts",
        "market",
    ];
    for (number, channel) in [1u8, 2, 3, 4, 5, 6, 7, 8].into_iter().zip(channels) {
        let mut json_client = Client::login(&handle, room.address, "boss");
        json_client.subscribe(json!({"channel": channel}));
        let text = json_client.frame(channel);
        let mut client = Client::login(&handle, room.address, "boss");
        let result = client.subscribe(json!({"channel": channel, "encoding": "binary"}));
        assert_eq!(result["encoding"], "binary");
        let bytes = loop {
            match client.next_within(Duration::from_secs(20)) {
                Came::Binary(bytes) => break bytes,
                Came::Json(_) => {}
                other => panic!("{other:?}"),
            }
        };
        let mut frame = Bytes(&bytes);
        let [magic, version, of, kind, flags, columns, keys, _] = frame.take();
        assert_eq!((magic, version, of, kind, flags), (0x54, 1, number, 1, 0));
        assert_eq!(usize::from(columns), result["columns"].as_array().unwrap().len());
        assert_eq!(u64::from(keys), result["key_columns"].as_u64().unwrap());
        for _ in 0..4 {
            frame.take::<8>();
        }
        let (rows, removed) = (u32::from_le_bytes(frame.take()), u32::from_le_bytes(frame.take()));
        let shown: Vec<Value> = (0..rows)
            .map(|_| (0..columns).map(|_| frame.cell()).collect::<Vec<_>>().into())
            .collect();
        assert_eq!((removed, frame.0.len()), (0, 0));
        assert!(!shown.is_empty(), "{channel}");
        assert_eq!(Value::from(shown), text["data"], "{channel}");
    }
    room.stop();
}
