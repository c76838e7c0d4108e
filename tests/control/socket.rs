//! The socket itself: who is answered, what is no request, clients that hang and clients at one time.

use super::support::place::Place;
use super::support::process::{BINARY, Engine, code, of_kind, run_args, stderr};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use tradewind_domain::event::Kind;

/// A connection that speaks for itself.
struct Wire(BufReader<UnixStream>);

impl Wire {
    fn new(stream: UnixStream) -> Self {
        stream
            .set_read_timeout(Some(std::time::Duration::from_secs(30)))
            .expect("a socket takes a timeout");
        Self(BufReader::new(stream))
    }

    fn to(engine: &Engine<'_>) -> Self {
        Self::new(UnixStream::connect(engine.socket()).expect("somebody listens"))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("it takes bytes");
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("JSON")
    }

    fn error(&mut self, request: &[u8]) -> String {
        self.send(request);
        let answer = self.answer();
        assert_eq!(answer["ok"], false, "{answer}");
        answer["error"]["code"].as_str().expect("a code").to_owned()
    }

    /// True where the other end has closed.
    fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        !matches!(self.0.read_to_end(&mut rest), Ok(count) if count > 0)
    }
}

#[test]
fn a_killed_engines_socket_is_replaced_and_a_running_ones_is_not() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let socket = engine.socket();
    engine.kill();
    assert!(socket.exists(), "a crash leaves it behind");
    let again = Engine::start(&place);
    let hello = "{\"v\":1,\"id\":\"h\",\"command\":\"hello\"}\n";
    let mut wire = Wire::to(&again);
    wire.send(hello.as_bytes());
    assert_eq!(wire.answer()["result"]["epoch"], 2);
    let second = Command::new(BINARY)
        .args(run_args(&place))
        .output()
        .expect("the binary starts");
    assert_eq!(code(&second), 1);
    wire.send(hello.as_bytes());
    assert_eq!(wire.answer()["ok"], true, "the first one still answers");
    drop(wire);
    drop(again.stop());
}

#[test]
fn only_the_engines_user_and_root_are_answered() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let mode = std::fs::metadata(engine.socket())
        .expect("a socket")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    if !rustix::process::geteuid().is_root() {
        return; // only root can become somebody else
    }
    // Even where the file would let everybody in, the kernel's word about the peer does not.
    let open = |path: PathBuf, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    open(place.root().to_path_buf(), 0o755);
    open(place.data(), 0o755);
    open(engine.socket(), 0o666);
    let binary = place.root().join("tradewind");
    std::fs::copy(BINARY, &binary).expect("a copy that others may run");
    let output = Command::new(&binary)
        .args(["kill", "--node", "DESK", "--reason", "x", "--json", "--data"])
        .arg(place.data())
        .uid(65_534)
        .current_dir("/")
        .output()
        .expect("the binary starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(code(&output), 1, "{text}");
    assert!(text.contains("NOT_PERMITTED"), "{text} {}", stderr(&output));
    assert!(of_kind(&engine.stop(), Kind::Kill).is_empty());
}

#[test]
fn lines_that_are_no_requests_are_answered_and_a_line_without_an_end_ends_the_connection() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let mut wire = Wire::to(&engine);
    assert_eq!(wire.error(b"hello\n"), "BAD_REQUEST");
    assert_eq!(wire.error(b"\xff\xfe{}\n"), "BAD_REQUEST");
    assert_eq!(
        wire.error(b"{\"v\":9,\"command\":\"hello\"}\n"),
        "UNSUPPORTED_VERSION"
    );
    assert_eq!(
        wire.error(b"{\"v\":1,\"command\":\"shutdown\"}\n"),
        "UNKNOWN_COMMAND"
    );
    assert_eq!(
        wire.error(b"{\"v\":1,\"command\":\"limits.show\",\"args\":{}}\n"),
        "BAD_ARGUMENT"
    );
    let bare = b"{\"v\":1,\"command\":\"state.set\",\"args\":{\"level\":\"KILL\",\"node\":\"DESK\"}}\n";
    assert_eq!(wire.error(bare), "REASON_REQUIRED");
    // Two requests in one write, an empty line between them, and the second one in two pieces.
    wire.send(b"{\"v\":1,\"id\":\"a\",\"command\":\"hello\"}\n\n{\"v\":1,\"id\":\"b\",");
    assert_eq!(wire.answer()["id"], "a");
    wire.send(b"\"command\":\"state.list\"}\n");
    assert_eq!(wire.answer()["id"], "b");
    let huge = vec![b'x'; 262_200];
    assert_eq!(wire.error(&huge), "LINE_TOO_LONG");
    assert!(wire.is_closed());
    assert!(of_kind(&engine.stop(), Kind::Kill).is_empty());
}

#[test]
fn clients_that_hang_keep_nobody_out() {
    let place = Place::new();
    let engine = Engine::start(&place);
    // More than there is room for: some say nothing, some stop in the middle of a line, some never read their answers.
    let mut hanging: Vec<UnixStream> = (0..24)
        .map(|_| UnixStream::connect(engine.socket()).expect("it listens"))
        .collect();
    for (at, stream) in hanging.iter_mut().enumerate() {
        let bytes: &[u8] = match at % 3 {
            0 => b"",
            1 => b"{\"v\":1,",
            _ => b"{\"v\":1,\"command\":\"limits.list\"}\n{\"v\":1,\"command\":\"limits.list\"}\n",
        };
        let _ = stream.write_all(bytes); // one that was sent away already takes nothing
    }
    let killed = engine.json(&["kill", "--node", "DESK", "--reason", "still works"]);
    assert_eq!(killed["outcome"]["accepted"], true);
    drop(engine.stop());
    drop(hanging);
}

#[test]
fn clients_at_one_time_each_get_their_own_outcome() {
    let place = Place::new();
    let engine = Engine::start(&place);
    let threads: Vec<_> = (0..4)
        .map(|client| {
            let mut wire = Wire::to(&engine);
            std::thread::spawn(move || {
                let mut seqs = Vec::new();
                for round in 0..25 {
                    let reason = format!("client {client} round {round}");
                    let level = if round % 2 == 0 {
                        "REDUCE_ONLY"
                    } else {
                        "CANCEL_ONLY"
                    };
                    let request = serde_json::json!({
                        "v": 1, "id": format!("{client}-{round}"), "command": "state.set", "reason": reason,
                        "args": { "level": level, "session": client },
                    });
                    wire.send(format!("{request}\n").as_bytes());
                    let answer = wire.answer();
                    assert_eq!(answer["id"], format!("{client}-{round}"));
                    let outcome = &answer["result"]["outcome"];
                    assert!(
                        outcome["text"].as_str().expect("text").starts_with(&reason),
                        "{answer}"
                    );
                    seqs.push(outcome["seq"].as_u64().expect("a number"));
                }
                seqs
            })
        })
        .collect();
    let mut seqs: Vec<u64> = threads
        .into_iter()
        .flat_map(|thread| thread.join().expect("a client that is content"))
        .collect();
    seqs.sort_unstable();
    seqs.dedup();
    assert_eq!(seqs.len(), 100);
    let events = engine.stop();
    assert_eq!(of_kind(&events, Kind::StateSet).len(), 100);
}
