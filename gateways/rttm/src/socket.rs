//! One connection: lets its client in, hears its requests, writes what its mailbox holds.
//!
//! # Invariants
//! - Who has not shown a token after [`LOGIN_MAX`] is closed with 4001; who does not read is closed after the send timeout.
//! - An ending is said in a close frame where the client still reads, and the socket is gone soon after in any case.

use crate::channel::Channel;
use crate::feed::Shared;
use crate::frame::Encoding;
use crate::hub::Command;
use crate::mailbox::{Ending, Mailbox, ending};
use crate::protocol::{Problem, Request, answer, channel, credentials, problem, wish};
use crate::viewer::Viewer;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tradewind_domain::time::Rfc3339;

/// How long a client may take to show its token.
const LOGIN_MAX: Duration = Duration::from_secs(5);
/// How often a client hears something at least.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a client has to take the close frame and to close.
const CLOSE_MAX: Duration = Duration::from_millis(500);
/// The longest message of a client.
const MESSAGE_MAX: usize = 16 << 10;
/// Bytes that are read at once. The library zeroes as many whenever it looks for a message, which is each time that a frame is written: its own
/// 128 KiB took a third of the time that a small frame costs, and as much memory of each client.
const READ_BUFFER: usize = 4 << 10;
/// Bytes that wait in the socket's own buffer at most, beside the frame that is being written.
const WRITE_BUFFER_MAX: usize = 8 << 20;
/// Messages that a client may send at once, and how many more it gets a second.
const MESSAGES_MAX: f64 = 100.0;
const MESSAGES_PER_S: f64 = 50.0;
/// Frames that are written before the socket is flushed.
const FRAMES_OF_FLUSH: usize = 32;

type Sink = SplitSink<WebSocket, Message>;
type Incoming = SplitStream<WebSocket>;

/// Takes a connection.
pub(crate) async fn upgrade(upgrade: WebSocketUpgrade, State(shared): State<Arc<Shared>>) -> Response {
    upgrade
        .max_message_size(MESSAGE_MAX)
        .max_frame_size(MESSAGE_MAX)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_MAX)
        .on_upgrade(move |socket| connection(socket, shared))
}

/// Counts a connection for as long as it lives.
struct Counted<'a>(&'a Shared);

impl<'a> Counted<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.counts.connections.fetch_add(1, Ordering::AcqRel);
        Self(shared)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.counts.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn connection(socket: WebSocket, shared: Arc<Shared>) {
    let counted = Counted::new(&shared);
    let (mut sink, mut incoming) = socket.split();
    let is_full = shared.counts.connections.load(Ordering::Acquire) > u64::from(shared.settings.clients_max);
    if is_full || shared.stop.load(Ordering::Acquire) {
        let ending = if is_full { ending::FULL } else { ending::RESTART };
        return close(&mut sink, &mut incoming, ending).await;
    }
    let let_in = timeout(LOGIN_MAX, login(&mut sink, &mut incoming, &shared)).await;
    let (viewer, encoding) = match let_in {
        Ok(Some(let_in)) => let_in,
        Ok(None) | Err(_) => {
            shared.counts.refused.fetch_add(1, Ordering::Relaxed);
            return close(&mut sink, &mut incoming, ending::NOT_AUTHENTICATED).await;
        }
    };
    let mailbox = Arc::new(Mailbox::default());
    let id = shared.last_id.fetch_add(1, Ordering::Relaxed);
    let user = viewer.user();
    shared.tell(Command::Open {
        id,
        mailbox: Arc::clone(&mailbox),
        viewer,
    });
    if shared.stop.load(Ordering::Acquire) {
        mailbox.end(ending::RESTART); // the hub may have stopped before it heard of us
    }
    let session = Session {
        shared: &shared,
        mailbox: &mailbox,
        id,
        user,
        encoding,
    };
    tokio::select! {
        () = session.hear(&mut incoming) => {}
        () = session.write(&mut sink) => {}
        () = mailbox.ended() => {}
    }
    shared.tell(Command::Close { id });
    if let Some(ending) = mailbox.ending() {
        if ending == ending::SLOW {
            shared.counts.slow.fetch_add(1, Ordering::Relaxed);
        }
        close(&mut sink, &mut incoming, ending).await;
    }
    drop(counted);
}

/// Says why, if the client hears it. What it still sends is read and forgotten until it has closed: a socket that ends over unread bytes is
/// reset, and takes the close frame with it.
async fn close(sink: &mut Sink, incoming: &mut Incoming, ending: Ending) {
    let frame = CloseFrame {
        code: ending.code,
        reason: ending.reason.into(),
    };
    let said = async {
        if sink.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = incoming.next().await {}
        }
    };
    let _ = timeout(CLOSE_MAX, said).await;
}

/// Waits for a token that lets its user in. `None` where the client is to be sent away.
async fn login(
    sink: &mut Sink,
    incoming: &mut Incoming,
    shared: &Arc<Shared>,
) -> Option<(Arc<dyn Viewer>, Encoding)> {
    loop {
        let Some(Ok(Message::Text(text))) = next(incoming).await else {
            return None;
        };
        let time_in = shared.clock.now_ns();
        let now = || shared.clock.now_ns();
        let request = match Request::read(&text, time_in) {
            Ok(request) => request,
            Err(error) => {
                sink.send(answer("", None, Err(error), time_in, now()))
                    .await
                    .ok()?;
                continue;
            }
        };
        if request.method != "authenticate" {
            let refused = match request.method.as_str() {
                "ping" => request.answer("pong", Ok(Value::Null), now()),
                method => {
                    let message = "the first message is authenticate";
                    request.answer(method, Err(problem("NOT_AUTHENTICATED", message)), now())
                }
            };
            sink.send(refused).await.ok()?;
            continue;
        }
        let (token, encoding) = match credentials(&request.params) {
            Ok(credentials) => credentials,
            Err(error) => {
                sink.send(request.answer("authenticate", Err(error), now()))
                    .await
                    .ok()?;
                continue;
            }
        };
        let Some(viewer) = authenticate(shared, token).await else {
            let refused = Err(problem("NOT_AUTHENTICATED", "the token lets nobody in"));
            sink.send(request.answer("authenticate", refused, now()))
                .await
                .ok()?;
            return None;
        };
        let welcome = request.answer("authenticate", Ok(welcome(shared, &*viewer)), now());
        sink.send(welcome).await.ok()?;
        return Some((viewer, encoding));
    }
}

/// The next message that says something.
async fn next(incoming: &mut Incoming) -> Option<Result<Message, axum::Error>> {
    loop {
        match incoming.next().await? {
            Ok(Message::Ping(_) | Message::Pong(_)) => {} // answered by the protocol
            message => return Some(message),
        }
    }
}

async fn authenticate(shared: &Arc<Shared>, token: String) -> Option<Arc<dyn Viewer>> {
    let entitlements = Arc::clone(&shared.entitlements);
    let asked = tokio::task::spawn_blocking(move || entitlements.authenticate(&token));
    asked.await.ok()?.ok()
}

fn welcome(shared: &Shared, viewer: &dyn Viewer) -> Value {
    let base = shared.live.look(|held| {
        held.replica()
            .registry()
            .base_currency()
            .map(|row| row.code.to_string())
    });
    json!({
        "user": viewer.user(),
        "server": shared.settings.server,
        "environment": shared.settings.environment,
        "epoch": shared.settings.epoch,
        "base_currency": base.unwrap_or_default(),
        "heartbeat_ms": HEARTBEAT.as_millis() as u64,
        "max_subscriptions": Channel::ALL.len(),
        "channels": Channel::ALL.map(Channel::name),
    })
}

/// A client that was let in.
struct Session<'a> {
    shared: &'a Arc<Shared>,
    mailbox: &'a Arc<Mailbox>,
    id: u64,
    user: String,
    encoding: Encoding,
}

impl Session<'_> {
    /// Hears requests until the client is gone or to be closed.
    async fn hear(&self, incoming: &mut Incoming) {
        let (mut room, mut at) = (MESSAGES_MAX, Instant::now());
        while let Some(message) = incoming.next().await {
            let now = Instant::now();
            room = (room + now.duration_since(at).as_secs_f64() * MESSAGES_PER_S).min(MESSAGES_MAX) - 1.0;
            at = now;
            if room < 0.0 {
                return self.mailbox.end(ending::TOO_MANY);
            }
            match message {
                Ok(Message::Text(text)) => self.fulfil(&text).await,
                Ok(Message::Binary(_)) => return self.mailbox.end(ending::BINARY),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(_)) | Err(_) => return,
            }
        }
    }

    async fn fulfil(&self, text: &str) {
        let time_in = self.shared.clock.now_ns();
        let request = match Request::read(text, time_in) {
            Ok(request) => request,
            Err(error) => {
                let now_ns = self.shared.clock.now_ns();
                return self.mailbox.answer(answer("", None, Err(error), time_in, now_ns));
            }
        };
        match request.method.as_str() {
            "ping" => self.answer(&request, "pong", Ok(Value::Null)),
            "authenticate" => self.renew(&request).await,
            "subscribe" => match wish(&request.params, self.encoding) {
                Ok(wish) => self.shared.tell(Command::Subscribe {
                    id: self.id,
                    request,
                    wish,
                }),
                Err(error) => self.answer(&request, "subscribe", Err(error)),
            },
            "unsubscribe" => match channel(&request.params) {
                Ok(channel) => self.shared.tell(Command::Unsubscribe {
                    id: self.id,
                    request,
                    channel,
                }),
                Err(error) => self.answer(&request, "unsubscribe", Err(error)),
            },
            method => {
                let message = "methods are authenticate, subscribe, unsubscribe and ping";
                self.answer(&request, method, Err(problem("UNKNOWN_METHOD", message)));
            }
        }
    }

    fn answer(&self, request: &Request, method: &str, result: Result<Value, Problem>) {
        let now_ns = self.shared.clock.now_ns();
        self.mailbox.answer(request.answer(method, result, now_ns));
    }

    /// A new token of the same user takes the place of the old one.
    async fn renew(&self, request: &Request) {
        let (token, _) = match credentials(&request.params) {
            Ok(credentials) => credentials,
            Err(error) => return self.answer(request, "authenticate", Err(error)),
        };
        let refused = match authenticate(self.shared, token).await {
            Some(viewer) if viewer.user() == self.user => {
                let welcome = welcome(self.shared, &*viewer);
                self.shared.tell(Command::Renew { id: self.id, viewer });
                return self.answer(request, "authenticate", Ok(welcome));
            }
            Some(_) => problem("NOT_PERMITTED", "this connection is another user's"),
            None => problem("NOT_AUTHENTICATED", "the token lets nobody in"),
        };
        self.answer(request, "authenticate", Err(refused));
    }

    /// Writes what the mailbox holds, and a heartbeat where there was nothing for a while.
    async fn write(&self, sink: &mut Sink) {
        let patience = Duration::from_millis(u64::from(self.shared.settings.send_timeout_ms));
        let mut beats = interval(HEARTBEAT / 2);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut written = Instant::now();
        loop {
            let mut count = 0;
            while let Some(message) = self.mailbox.next() {
                if !self.feed(sink, message, patience).await {
                    return;
                }
                count += 1;
                if count == FRAMES_OF_FLUSH {
                    break;
                }
            }
            if count > 0 {
                match timeout(patience, sink.flush()).await {
                    Ok(Ok(())) => written = Instant::now(),
                    Ok(Err(_)) => return,
                    Err(_) => return self.mailbox.end(ending::SLOW),
                }
                continue;
            }
            tokio::select! {
                () = self.mailbox.filled() => {}
                _ = beats.tick() => {
                    if written.elapsed() >= HEARTBEAT && !self.heartbeat(sink, patience).await {
                        return;
                    }
                    if written.elapsed() >= HEARTBEAT {
                        written = Instant::now();
                    }
                }
            }
        }
    }

    /// Hands a message to the socket. False where the connection is over.
    async fn feed(&self, sink: &mut Sink, message: Message, patience: Duration) -> bool {
        match timeout(patience, sink.feed(message)).await {
            Ok(Ok(())) => true,
            Ok(Err(_)) => false,
            Err(_) => {
                self.mailbox.end(ending::SLOW);
                false
            }
        }
    }

    async fn heartbeat(&self, sink: &mut Sink, patience: Duration) -> bool {
        let beat = json!({
            "channel": "heartbeat",
            "type": "update",
            "ts": Rfc3339(self.shared.clock.now_ns()).to_string(),
            "as_of": self.shared.live.last().0,
        });
        let message = Message::Text(beat.to_string().into());
        self.feed(sink, message, patience).await && timeout(patience, sink.flush()).await.is_ok()
    }
}
