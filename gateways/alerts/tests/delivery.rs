//! Delivery over a real socket: a receiver that takes, fails, hangs, refuses and comes back, and an outbox that repeats nothing.
//!
//! Time is the machine's here, in short pauses; nothing is asserted about how long something takes but that it ends.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tradewind_alerts::delivery::{
    Authorities, Channel, DEAD_LETTERS_FILE, DeliveryError, Outbox, OutboxSettings, WebhookChannel, signature,
};
use tradewind_alerts::{Cause, Notification, Severity};
use tradewind_machine::clock::Clock;

/// Looks at a condition until it holds.
const LOOKS_MAX: usize = 2_000;
const PAUSE: Duration = Duration::from_millis(5);

/// What the receiver does with the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Take,
    Fail,
    Refuse,
    Hang,
    Drip,
    Nonsense,
}

/// One request as it came: head and body.
type Request = (String, Vec<u8>);

struct Receiver {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    manners: Arc<Mutex<Vec<Manner>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// A receiver with a manner for each request, the last one for all that follow.
    fn start(manners: &[Manner]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let manners = Arc::new(Mutex::new(manners.to_vec()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (requests, manners, stop) = (Arc::clone(&requests), Arc::clone(&manners), Arc::clone(&stop));
            move || {
                let mut hung = Vec::new();
                for stream in listener.incoming() {
                    if stop.load(Ordering::Acquire) {
                        return;
                    }
                    let stream = stream.unwrap();
                    let manner = {
                        let mut manners = manners.lock().unwrap();
                        if manners.len() > 1 {
                            manners.remove(0)
                        } else {
                            manners[0]
                        }
                    };
                    answer(stream, manner, &requests, &mut hung);
                }
            }
        });
        Self {
            port,
            requests,
            manners,
            stop,
            thread: Some(thread),
        }
    }

    fn channel(&self, secret: Option<&[u8]>, timeout: Duration) -> WebhookChannel {
        let url = format!("http://127.0.0.1:{}/hook?a=1", self.port);
        WebhookChannel::new(&url, secret.map(<[u8]>::to_vec), timeout, &Authorities::default()).unwrap()
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    fn behave(&self, manner: Manner) {
        *self.manners.lock().unwrap() = vec![manner];
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(mut stream: TcpStream, manner: Manner, requests: &Mutex<Vec<Request>>, hung: &mut Vec<TcpStream>) {
    requests.lock().unwrap().push(read_request(&mut stream));
    let text = match manner {
        Manner::Take => "HTTP/1.1 204 No Content\r\n\r\n",
        Manner::Fail => "HTTP/1.1 503 Service Unavailable\r\n\r\n",
        Manner::Refuse => "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno!",
        Manner::Nonsense => "SSH-2.0-OpenSSH\r\n",
        Manner::Hang => return hung.push(stream),
        Manner::Drip => {
            let _ = stream.write_all(b"HTTP/1.1 2");
            return hung.push(stream);
        }
    };
    let _ = stream.write_all(text.as_bytes());
}

fn read_request(stream: &mut TcpStream) -> Request {
    let mut bytes = Vec::new();
    let mut chunk = [0; 1_024];
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = header(&head, "Content-Length").unwrap().parse::<usize>().unwrap();
            if bytes.len() >= end + 4 + length {
                return (head, bytes[end + 4..].to_vec());
            }
        }
        let count = stream.read(&mut chunk).unwrap();
        assert!(count > 0, "the request ends early");
        bytes.extend_from_slice(&chunk[..count]);
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .into_iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn clock() -> Clock {
    Clock::start().unwrap()
}

fn notification(incident: u64) -> Notification {
    Notification {
        id: format!("{incident}:1"),
        incident,
        cause: Cause::Opened,
        level: 1,
        severity: Severity::Error,
        rule: "feed_silent".into(),
        scope: "venue 4".into(),
        instrument: String::new(),
        text: "no market data for 5000 ms".into(),
        count: 1,
        opened_at: "2026-03-02T10:00:00.000000000Z".into(),
        at: "2026-03-02T10:00:00.000000000Z".into(),
        at_ns: 1,
        route: "error".into(),
        muted: false,
    }
}

fn outbox(folder: &Path, channels: Vec<Box<dyn Channel>>) -> Outbox {
    let all = vec!["log".to_owned(), "webhook".to_owned()];
    let routes: BTreeMap<_, _> = ["error", "info"]
        .map(|route| (route.to_owned(), all.clone()))
        .into();
    let settings = OutboxSettings {
        folder: folder.to_path_buf(),
        journal: "00ff".into(),
        routes,
        per_minute: 1_000_000,
    };
    Outbox::open(settings, channels, &clock()).unwrap()
}

/// Polls until a condition holds.
#[track_caller]
fn until(outbox: &mut Outbox, mut holds: impl FnMut(&mut Outbox) -> bool) {
    for _ in 0..LOOKS_MAX {
        outbox.poll(clock_ns()).unwrap();
        if holds(outbox) {
            return;
        }
        std::thread::park_timeout(PAUSE);
    }
    panic!("it did not happen");
}

fn clock_ns() -> u64 {
    1_772_445_600_000_000_000
}

/// A log that counts.
struct Counting(Arc<AtomicUsize>);

impl Channel for Counting {
    fn name(&self) -> &str {
        "log"
    }
    fn deliver(&mut self, _: &Notification) -> Result<(), DeliveryError> {
        self.0.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }
}

#[test]
fn a_notification_is_posted_as_json_with_its_id_and_signature() {
    let receiver = Receiver::start(&[Manner::Take]);
    let mut channel = receiver.channel(Some(b"secret"), Duration::from_secs(5));
    channel.deliver(&notification(12)).unwrap();
    let (head, body) = receiver.requests().remove(0);
    assert!(head.starts_with("POST /hook?a=1 HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "Idempotency-Key"), Some("12:1"));
    let expected = signature(b"secret", &body);
    assert_eq!(header(&head, "X-Tradewind-Signature"), Some(expected.as_str()));
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&json["severity"], &json["cause"]),
        (&"ERROR".into(), &"opened".into())
    );
    assert_eq!(json["incident"], 12);
}

#[test]
fn without_a_secret_nothing_is_signed() {
    let receiver = Receiver::start(&[Manner::Take]);
    receiver
        .channel(None, Duration::from_secs(5))
        .deliver(&notification(1))
        .unwrap();
    assert_eq!(header(&receiver.requests()[0].0, "X-Tradewind-Signature"), None);
}

#[test]
fn failures_may_pass_and_refusals_do_not() {
    for (manner, may_pass) in [
        (Manner::Fail, true),
        (Manner::Hang, true),
        (Manner::Drip, true),
        (Manner::Nonsense, true),
        (Manner::Refuse, false),
    ] {
        let receiver = Receiver::start(&[manner]);
        let error = receiver
            .channel(None, Duration::from_millis(100))
            .deliver(&notification(1))
            .unwrap_err();
        assert_eq!(
            matches!(error, DeliveryError::Failed(_)),
            may_pass,
            "{manner:?}: {error}"
        );
    }
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{nobody}/");
    let mut channel =
        WebhookChannel::new(&url, None, Duration::from_millis(200), &Authorities::default()).unwrap();
    assert!(matches!(
        channel.deliver(&notification(1)),
        Err(DeliveryError::Failed(_))
    ));
}

#[test]
fn a_receiver_that_fails_once_gets_it_with_the_second_attempt() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::start(&[Manner::Fail, Manner::Take]);
    let mut outbox = outbox(
        folder.path(),
        vec![Box::new(receiver.channel(None, Duration::from_secs(5)))],
    );
    outbox.offer(&notification(1), clock_ns()).unwrap();
    until(&mut outbox, |_| receiver.requests().len() == 2);
    let ids: Vec<String> = receiver
        .requests()
        .iter()
        .map(|(head, _)| header(head, "Idempotency-Key").unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["1:1", "1:1"]);
    outbox.close().unwrap();
}

#[test]
fn a_webhook_that_hangs_holds_up_neither_the_outbox_nor_the_log() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::start(&[Manner::Hang]);
    let logged = Arc::new(AtomicUsize::new(0));
    let mut outbox = outbox(
        folder.path(),
        vec![
            Box::new(receiver.channel(None, Duration::from_secs(3_600))),
            Box::new(Counting(Arc::clone(&logged))),
        ],
    );
    // More than the queue of the webhook holds; the log is given time to keep up.
    let mut dead = 0;
    for incident in 1..=1_200 {
        outbox.offer(&notification(incident), clock_ns()).unwrap();
        if incident % 100 == 0 {
            until(&mut outbox, |_| {
                logged.load(Ordering::Acquire) == incident as usize
            });
        }
        dead += outbox.drain_undelivered().len();
    }
    assert!(
        (100..200).contains(&dead),
        "{dead} of 1200 did not fit a queue of 1024"
    );
    let kept = std::fs::read_to_string(folder.path().join(DEAD_LETTERS_FILE)).unwrap();
    assert_eq!(kept.lines().count(), dead);
    // The receiver's end frees the thread that waits for it.
    receiver.behave(Manner::Take);
    drop(receiver);
    outbox.close().unwrap();
}

#[test]
fn a_refused_notification_is_a_dead_letter_and_is_told() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::start(&[Manner::Refuse]);
    let mut outbox = outbox(
        folder.path(),
        vec![Box::new(receiver.channel(None, Duration::from_secs(5)))],
    );
    outbox.offer(&notification(7), clock_ns()).unwrap();
    let mut told = Vec::new();
    until(&mut outbox, |outbox| {
        told.extend(outbox.drain_undelivered());
        !told.is_empty()
    });
    assert_eq!(
        (told[0].channel.as_str(), told[0].id.as_str()),
        ("webhook", "7:1")
    );
    assert!(told[0].why.contains("400"), "{}", told[0].why);
    let line = std::fs::read_to_string(folder.path().join(DEAD_LETTERS_FILE)).unwrap();
    let json: serde_json::Value = serde_json::from_str(line.trim()).unwrap();
    assert_eq!(json["notification"]["id"], "7:1");
    outbox.close().unwrap();
}

#[test]
fn what_is_told_about_a_channel_goes_to_the_others() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::start(&[Manner::Take]);
    let logged = Arc::new(AtomicUsize::new(0));
    let mut outbox = outbox(
        folder.path(),
        vec![
            Box::new(receiver.channel(None, Duration::from_secs(5))),
            Box::new(Counting(Arc::clone(&logged))),
        ],
    );
    let about = Notification {
        rule: "dead_letter".into(),
        scope: "webhook".into(),
        route: "info".into(),
        ..notification(tradewind_alerts::LIVE_FIRST)
    };
    outbox.offer(&about, clock_ns()).unwrap();
    outbox.close().unwrap();
    assert_eq!(
        (logged.load(Ordering::Acquire), receiver.requests().len()),
        (1, 0)
    );
}

#[test]
fn after_a_restart_only_what_was_not_delivered_goes_out() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::start(&[Manner::Take]);
    let channels =
        || -> Vec<Box<dyn Channel>> { vec![Box::new(receiver.channel(None, Duration::from_secs(5)))] };
    let mut first = outbox(folder.path(), channels());
    first.offer(&notification(1), clock_ns()).unwrap();
    first.offer(&notification(1), clock_ns()).unwrap();
    first.close().unwrap();
    assert_eq!(receiver.requests().len(), 1, "offered twice, sent once");
    let mut second = outbox(folder.path(), channels());
    second.offer(&notification(1), clock_ns()).unwrap();
    second.offer(&notification(2), clock_ns()).unwrap();
    second.close().unwrap();
    assert_eq!(receiver.requests().len(), 2);
    assert_eq!(header(&receiver.requests()[1].0, "Idempotency-Key"), Some("2:1"));
}

#[test]
fn what_is_muted_or_without_a_route_goes_nowhere() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::start(&[Manner::Take]);
    let mut outbox = outbox(
        folder.path(),
        vec![Box::new(receiver.channel(None, Duration::from_secs(5)))],
    );
    let muted = Notification {
        muted: true,
        ..notification(1)
    };
    let nowhere = Notification {
        route: "level2".into(),
        ..notification(2)
    };
    outbox.offer(&muted, clock_ns()).unwrap();
    outbox.offer(&nowhere, clock_ns()).unwrap();
    outbox.close().unwrap();
    assert!(receiver.requests().is_empty());
}
