//! A running engine, and a client that speaks HTTP over a plain socket.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tradewind_domain::event::{Event, Kind};
use tradewind_machine::journal::{Follower, StartAt};

pub(crate) use crate::support::place::Place;
use crate::support::running::Running;

/// An engine in a process of its own.
pub(crate) struct Engine<'a> {
    place: &'a Place,
    process: Running,
    /// HOST:PORT of the server.
    pub(crate) address: String,
    /// Of the first user, where this is the first start.
    pub(crate) password: Option<String>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} {:?}", self.status, self.text))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The JSON of an answer that must have this status.
    pub(crate) fn must(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// A problem with this status and code.
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{}",
            self.text
        );
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem = self.json();
        assert!(
            problem["title"].is_string()
                && problem["request_id"].is_string()
                && problem["instance"].is_string()
        );
    }
}

/// Somebody who asks.
#[derive(Clone)]
pub(crate) struct Client {
    address: String,
    token: Option<String>,
}

impl<'a> Engine<'a> {
    pub(crate) fn start(place: &'a Place) -> Self {
        Self::start_with(place, &[])
    }

    /// The command line of `tradewind run` there.
    pub(crate) fn command_line(place: &Place, more: &[&str]) -> Vec<String> {
        let reference = place.root().join("firm.toml");
        std::fs::write(&reference, include_str!("../support/firm.toml")).expect("a reference file");
        let reference = format!("reference.path={}", reference.display());
        let mut sets = vec![
            reference.as_str(),
            "engine.clock=wall",
            "http.listen=127.0.0.1:0",
            "demo.orders_per_s=0",
            "demo.quotes_per_s=0",
        ];
        sets.extend(more);
        let mut args = vec![
            "run".to_owned(),
            "--data".to_owned(),
            place.data().display().to_string(),
        ];
        for set in place.sets(&sets) {
            args.extend(["--set".to_owned(), set]);
        }
        args
    }

    /// Starts it, and waits until it says that it runs.
    pub(crate) fn start_with(place: &'a Place, more: &[&str]) -> Self {
        let process = Running::start(Self::command_line(place, more));
        let url = process.told("HTTP interface at ").expect("an address");
        let engine = Self {
            place,
            address: url.split("://").nth(1).expect("an address").to_owned(),
            password: process.told("with the password "),
            process,
        };
        engine.wait_until_ready();
        engine
    }

    fn wait_until_ready(&self) {
        let client = self.anybody();
        while client.get("/ready").status != 200 {
            std::thread::yield_now();
        }
    }

    /// Somebody without a token.
    pub(crate) fn anybody(&self) -> Client {
        Client {
            address: self.address.clone(),
            token: None,
        }
    }

    /// The administrator of the first start.
    pub(crate) fn admin(&self) -> Client {
        self.login("admin", self.password.as_deref().expect("a first start"))
    }

    pub(crate) fn login(&self, user: &str, password: &str) -> Client {
        let body = json!({ "user": user, "password": password });
        let tokens = self.anybody().post("/api/v1/auth/login", &body).must(200);
        self.with_token(tokens["access_token"].as_str().expect("a token"))
    }

    pub(crate) fn with_token(&self, token: &str) -> Client {
        Client {
            address: self.address.clone(),
            token: Some(token.to_owned()),
        }
    }

    /// Makes a user with a role at a node, and logs him in.
    pub(crate) fn user(&self, admin: &Client, name: &str, role: &str, node: Option<&str>) -> (u64, Client) {
        let password = "a long password";
        let made = admin
            .post("/api/v1/users", &json!({ "name": name, "password": password }))
            .must(201);
        let id = made["id"].as_u64().expect("a number");
        grant(admin, id, role, node, "GRANTED").must(200);
        (id, self.login(name, password))
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.place.data()
    }

    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Asks it to stop, as an operator does.
    pub(crate) fn terminate(&self) {
        self.process.terminate();
    }

    /// Stops it in good order and gives the journal.
    pub(crate) fn stop(self) -> Vec<Event> {
        self.terminate();
        self.ended()
    }

    /// The journal of one that was told to stop.
    pub(crate) fn ended(mut self) -> Vec<Event> {
        self.process.ended();
        records(self.place)
    }

    /// Stops it in good order and gives its log.
    pub(crate) fn log(mut self) -> Vec<String> {
        self.terminate();
        let later = self.process.ended();
        [std::mem::take(&mut self.process.said), later].concat()
    }
}

/// How a user is to stand to a node.
pub(crate) fn grant(by: &Client, user: u64, role: &str, node: Option<&str>, status: &str) -> Answer {
    let body = json!({ "user": user, "role": role, "node": node, "status": status, "reason": "test" });
    by.post("/api/v1/access", &body)
}

pub(crate) fn records(place: &Place) -> Vec<Event> {
    let mut follower = Follower::open(&place.data(), StartAt::Start).expect("a journal");
    let mut events = Vec::new();
    while let Some(record) = follower.poll().expect("a good journal") {
        let mut event = Event::empty();
        event.read_record(record.bytes()).expect("a known kind");
        events.push(event);
    }
    events
}

pub(crate) fn of_kind(events: &[Event], kind: Kind) -> Vec<&Event> {
    events.iter().filter(|event| event.kind() == Some(kind)).collect()
}

impl Client {
    /// The token that it sends.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, &[], Some(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, &[], None)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.ask("PUT", path, &[], Some(body))
    }

    /// A request with a key.
    pub(crate) fn keyed(&self, method: &str, path: &str, key: &str, body: &Value) -> Answer {
        self.ask(method, path, &[("Idempotency-Key", key)], Some(body))
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let json = [("Content-Type", "application/json")];
        let body_text = body.map(Value::to_string).unwrap_or_default();
        let more: &[(&str, &str)] = if body.is_some() { &json } else { &[] };
        self.raw(method, path, &[headers, more].concat(), body_text.as_bytes())
    }

    pub(crate) fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            self.address
        );
        if let Some(token) = &self.token {
            head.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(head.as_bytes()).expect("it takes the head");
        let _ = stream.write_all(body); // a refusal may come before the body is read
        read_answer(stream)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a timeout");
        stream
    }
}

/// Reads an answer up to the end of the connection.
pub(crate) fn read_answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes); // what came before a reset counts
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .expect("a status");
    let headers = lines.filter_map(|line| line.split_once(": "));
    Answer {
        status: status.parse().expect("a number"),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        text: body.to_owned(),
    }
}

/// A purchase that the firm's limits let pass.
pub(crate) fn buy(account: &str, qty: &str) -> Value {
    json!({ "account": account, "symbol": "GIZMO", "side": "BUY", "qty": qty, "px": "50" })
}
