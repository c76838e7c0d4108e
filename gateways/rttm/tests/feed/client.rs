//! A client as docs/rttm.md says that one behaves, and what it has folded.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long something that must come is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection.
pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    runtime: Handle,
    asked: u64,
    /// Rows of each channel by their key columns.
    pub(crate) tables: BTreeMap<String, BTreeMap<String, Value>>,
    seen: BTreeMap<String, u64>,
    key_columns: BTreeMap<String, usize>,
    pub(crate) snapshots: BTreeMap<String, u32>,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Came {
    Json(Value),
    Binary(Vec<u8>),
    /// Code of the close frame; `None` where the socket ended without one.
    Closed(Option<u16>),
    /// Nothing within the time.
    Nothing,
}

impl Came {
    pub(crate) fn json(self) -> Value {
        match self {
            Came::Json(value) => value,
            other => panic!("no JSON, but {other:?}"),
        }
    }
}

impl Client {
    /// Connected, and nothing said yet.
    pub(crate) fn connect(runtime: &Handle, address: SocketAddr) -> Self {
        let socket = runtime.block_on(async {
            let stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            client_async(format!("ws://{address}/ws"), stream)
                .await
                .unwrap()
                .0
        });
        Self {
            socket,
            runtime: runtime.clone(),
            asked: 0,
            tables: BTreeMap::new(),
            seen: BTreeMap::new(),
            key_columns: BTreeMap::new(),
            snapshots: BTreeMap::new(),
        }
    }

    /// Connected and let in.
    pub(crate) fn login(runtime: &Handle, address: SocketAddr, token: &str) -> Self {
        let mut client = Self::connect(runtime, address);
        let answer = client.ask("authenticate", json!({ "token": token }));
        assert_eq!(answer["success"], true, "{answer}");
        assert_eq!(answer["result"]["user"], token);
        client
    }

    pub(crate) fn send(&mut self, text: impl Into<String>) {
        self.send_message(Message::Text(text.into().into()));
    }

    pub(crate) fn send_message(&mut self, message: Message) {
        let sent = self.socket.send(message);
        let _ = self.runtime.block_on(sent); // a closed socket shows when it is read
    }

    /// What comes next, whatever it is.
    pub(crate) fn next_within(&mut self, time: Duration) -> Came {
        let socket = &mut self.socket;
        let next = self.runtime.block_on(async {
            loop {
                match tokio::time::timeout(time, socket.next()).await {
                    Err(_) => return Came::Nothing,
                    Ok(Some(Ok(Message::Text(text)))) => {
                        return Came::Json(serde_json::from_str(&text).unwrap());
                    }
                    Ok(Some(Ok(Message::Binary(bytes)))) => return Came::Binary(bytes.to_vec()),
                    Ok(Some(Ok(Message::Close(frame)))) => {
                        return Came::Closed(frame.map(|frame| frame.code.into()));
                    }
                    Ok(Some(Ok(_))) => {}
                    Ok(None | Some(Err(_))) => return Came::Closed(None),
                }
            }
        });
        if let Came::Json(frame) = &next {
            self.fold(frame);
        }
        next
    }

    pub(crate) fn next(&mut self) -> Came {
        self.next_within(PATIENCE)
    }

    /// Sends a request and takes everything up to its answer.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let number = self.asked;
        self.send(json!({"method": method, "req_id": number, "params": params}).to_string());
        loop {
            let came = self.next().json();
            if came["req_id"] == number {
                return came;
            }
            assert!(came.get("channel").is_some(), "{came}");
        }
    }

    pub(crate) fn subscribe(&mut self, params: Value) -> Value {
        let answer = self.ask("subscribe", params);
        assert_eq!(answer["success"], true, "{answer}");
        answer["result"].clone()
    }

    /// The next frame of a channel; others are folded and passed over.
    pub(crate) fn frame(&mut self, channel: &str) -> Value {
        loop {
            let came = self.next().json();
            if came["channel"] == channel {
                return came;
            }
        }
    }

    /// The code of the close frame; frames before it are passed over.
    pub(crate) fn closed(&mut self) -> Option<u16> {
        loop {
            match self.next() {
                Came::Closed(code) => return code,
                Came::Nothing => panic!("it is not closed"),
                _ => {}
            }
        }
    }

    /// Takes frames until nothing but heartbeats came for a while.
    pub(crate) fn calm(&mut self) {
        let mut quiet = 0;
        while quiet < 2 {
            match self.next_within(Duration::from_millis(300)) {
                Came::Json(value) if value["channel"] == "heartbeat" => quiet += 1,
                Came::Nothing => quiet += 1,
                Came::Json(_) | Came::Binary(_) => quiet = 0,
                Came::Closed(code) => panic!("closed with {code:?}"),
            }
        }
    }

    /// Rows of a channel, in the order of their keys.
    pub(crate) fn rows(&self, channel: &str) -> Vec<&Value> {
        self.tables
            .get(channel)
            .into_iter()
            .flat_map(|rows| rows.values())
            .collect()
    }

    pub(crate) fn last_seq(&self, channel: &str) -> u64 {
        self.seen.get(channel).copied().unwrap_or(0)
    }

    fn fold(&mut self, frame: &Value) {
        let Some(channel) = frame["channel"].as_str().filter(|name| *name != "heartbeat") else {
            return;
        };
        let (seq, prev) = (frame["seq"].as_u64().unwrap(), frame["prev"].as_u64().unwrap());
        let table = self.tables.entry(channel.to_owned()).or_default();
        if frame["type"] == "snapshot" {
            table.clear();
            *self.snapshots.entry(channel.to_owned()).or_default() += 1;
            let keys = frame["key_columns"].as_u64().unwrap() as usize;
            self.key_columns.insert(channel.to_owned(), keys);
        } else if let Some(seen) = self.seen.get(channel) {
            assert_eq!(prev, *seen, "a gap in {channel}");
            assert!(seq >= *seen, "{channel} goes back: {seq} after {seen}");
        }
        self.seen.insert(channel.to_owned(), seq);
        let keys = self.key_columns.get(channel).copied().unwrap_or(2);
        let key = |row: &Value| json!(row.as_array().unwrap()[..keys]).to_string();
        for gone in frame["removed"].as_array().into_iter().flatten() {
            table.remove(&gone.to_string());
        }
        for row in frame["data"].as_array().unwrap() {
            table.insert(key(row), row.clone());
        }
    }
}
