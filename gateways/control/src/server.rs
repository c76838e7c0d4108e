//! Connections: who may come in, how many at one time, how long each may take.
//!
//! # Invariants
//! - At most [`CLIENTS_MAX`] connections. One more takes the place of the one that has been idle longest: a forgotten client never
//!   keeps an operator out. Where all are at work, the newcomer is told so and sent away.
//! - A line has a longest length and a longest time, an answer a longest time. Who exceeds them loses the connection.
//! - Stopping ends every connection and joins every thread.
//!
//! Not here: what requests mean (see `desk`).

use crate::desk::Desk;
use crate::peer::Peer;
use crate::place::{self, PlaceError};
use crate::protocol::{Answer, ErrorCode, Failure, LINE_MAX, decode, too_long};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tradewind_machine::clock::RawStamp;

/// Connections at one time.
const CLIENTS_MAX: usize = 16;
/// How often the listener looks whether it is to end.
const ACCEPT_WAIT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// How long a connection may be silent between two requests.
const IDLE_MAX: Duration = Duration::from_secs(600);
/// How long a line may take from its first byte to its last.
const LINE_NS_MAX: u64 = 10_000_000_000;
/// How long an answer may take to be read.
const ANSWER_NS_MAX: u64 = 10_000_000_000;
/// How long one read or write of a slow client blocks.
const STEP: Duration = Duration::from_secs(2);

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The socket cannot be made.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A thread cannot be started.
    #[error("a thread cannot be started")]
    Thread(#[source] io::Error),
}

/// A running control socket.
pub struct Server {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

struct Shared {
    desk: Arc<Desk>,
    stop: AtomicBool,
    clients: Mutex<Clients>,
}

#[derive(Default)]
struct Clients {
    last_id: u64,
    open: Vec<OpenClient>,
    threads: Vec<JoinHandle<()>>,
}

/// A connection as the listener sees it.
struct OpenClient {
    id: u64,
    stream: UnixStream,
    /// Since when it waits for the client's next line; `None` while it is at work.
    idle_since: Option<RawStamp>,
}

impl Server {
    /// Makes the socket and starts to answer. The desk's journal must have a running writer.
    pub fn start(desk: Arc<Desk>) -> Result<Self, ServerError> {
        let listener = place::listen(desk.data_dir())?;
        let shared = Arc::new(Shared {
            desk,
            stop: AtomicBool::new(false),
            clients: Mutex::default(),
        });
        let acceptor = Arc::clone(&shared);
        let thread = spawn("tw-control", move || accept(&acceptor, &listener))?;
        Ok(Self { shared, thread })
    }

    /// Ends all connections and threads and takes the socket away. To be called before the pipeline stops: requests that are at
    /// work get their outcome.
    pub fn stop(self) {
        self.shared.stop.store(true, Ordering::Release);
        let _ = self.thread.join(); // a thread that broke has nothing more to give back
        let threads = {
            let mut clients = self.shared.clients();
            for client in &clients.open {
                let _ = client.stream.shutdown(Shutdown::Read); // the answer on its way still goes out
            }
            std::mem::take(&mut clients.threads)
        };
        for thread in threads {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(place::socket_path(self.shared.desk.data_dir()));
    }
}

impl Shared {
    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a connection does.
    fn mark(&self, id: u64, idle_since: Option<RawStamp>) {
        if let Some(client) = self.clients().open.iter_mut().find(|client| client.id == id) {
            client.idle_since = idle_since;
        }
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ServerError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(ServerError::Thread)
}

/// Takes connections until the end.
fn accept(shared: &Arc<Shared>, listener: &UnixListener) {
    while !shared.is_stopping() {
        let mut ready = [PollFd::new(listener, PollFlags::IN)];
        if !poll(&mut ready, Some(&ACCEPT_WAIT)).is_ok_and(|count| count > 0) {
            continue;
        }
        // A connection that is gone again, or no descriptors left: the next round tries anew.
        match listener.accept() {
            Ok((stream, _)) => admit(shared, stream),
            Err(_) => std::thread::park_timeout(Duration::from_millis(10)),
        }
    }
}

/// Gives a connection its thread, or sends it away with a word.
fn admit(shared: &Arc<Shared>, stream: UnixStream) {
    let prepared = stream
        .set_nonblocking(false)
        .and_then(|()| stream.set_write_timeout(Some(STEP)))
        .and_then(|()| stream.try_clone());
    let (Ok(twin), Ok(peer)) = (prepared, Peer::of(&stream)) else {
        return;
    };
    if !peer.is_permitted() {
        let message = format!("user {} is neither the engine's nor root", peer.user);
        return turn_away(shared, stream, Failure::new(ErrorCode::NotPermitted, message));
    }
    let now = shared.desk.clock().raw();
    let mut clients = shared.clients();
    clients.threads.retain(|thread| !thread.is_finished());
    if clients.open.len() == CLIENTS_MAX && !evict_idle(shared, &mut clients, now) {
        drop(clients);
        let message = format!("all {CLIENTS_MAX} connections are at work; try again");
        return turn_away(shared, stream, Failure::new(ErrorCode::Busy, message));
    }
    clients.last_id += 1;
    let id = clients.last_id;
    clients.open.push(OpenClient {
        id,
        stream: twin,
        idle_since: Some(now),
    });
    let (own, spare) = (Arc::clone(shared), stream.try_clone());
    let thread = spawn("tw-control-peer", move || {
        converse(&own, id, &peer, stream);
        own.clients().open.retain(|client| client.id != id);
    });
    match thread {
        Ok(thread) => clients.threads.push(thread),
        Err(_) => {
            clients.open.retain(|client| client.id != id);
            drop(clients);
            if let Ok(stream) = spare {
                let message = "no thread can be started; try again";
                turn_away(shared, stream, Failure::new(ErrorCode::Busy, message));
            }
        }
    }
}

/// Ends the connection that has been idle longest. False where none is idle.
fn evict_idle(shared: &Shared, clients: &mut Clients, now: RawStamp) -> bool {
    let idle = clients.open.iter().enumerate().filter_map(|(at, client)| {
        let since = client.idle_since?;
        Some((shared.desk.clock().span_ns(since, now), at))
    });
    let Some((_, at)) = idle.max() else { return false };
    let client = clients.open.swap_remove(at);
    let _ = client.stream.shutdown(Shutdown::Both); // its thread ends at its next read
    true
}

fn turn_away(shared: &Shared, mut stream: UnixStream, failure: Failure) {
    let _ = send(shared, &mut stream, &Answer::new("", Err(failure)));
}

/// One connection, line by line.
fn converse(shared: &Shared, id: u64, peer: &Peer, mut stream: UnixStream) {
    let mut lines = Lines::default();
    while !shared.is_stopping() {
        shared.mark(id, Some(shared.desk.clock().raw()));
        let line = lines.next(shared, &mut stream);
        shared.mark(id, None);
        let answer = match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => continue,
            Line::Whole(line) => match decode(&line) {
                Ok(request) => Answer::new(&request.id, shared.desk.answer(peer, &request)),
                Err((id, failure)) => Answer::new(&id, Err(failure)),
            },
            Line::TooLong => {
                return turn_away(shared, stream, too_long());
            }
            Line::End => return,
        };
        if send(shared, &mut stream, &answer).is_err() {
            return;
        }
    }
}

/// Writes an answer, as long as the client takes it in time.
fn send(shared: &Shared, stream: &mut UnixStream, answer: &Answer) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(answer)?;
    bytes.push(b'\n');
    let clock = shared.desk.clock();
    let (began, mut rest) = (clock.raw(), bytes.as_slice());
    while !rest.is_empty() {
        match stream.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if clock.span_ns(began, clock.raw()) > ANSWER_NS_MAX {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
    Ok(())
}

/// What came of waiting for a line.
enum Line {
    Whole(Vec<u8>),
    TooLong,
    End,
}

/// Bytes that were read and belong to no line yet.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
}

impl Lines {
    /// Waits for the next whole line.
    fn next(&mut self, shared: &Shared, stream: &mut UnixStream) -> Line {
        let clock = shared.desk.clock();
        let mut begun = (!self.bytes.is_empty()).then(|| clock.raw());
        let mut searched = 0;
        loop {
            if let Some(at) = self.bytes[searched..].iter().position(|&byte| byte == b'\n') {
                let rest = self.bytes.split_off(searched + at + 1);
                return match std::mem::replace(&mut self.bytes, rest) {
                    line if line.len() <= LINE_MAX => Line::Whole(line),
                    _ => Line::TooLong,
                };
            }
            searched = self.bytes.len();
            if searched > LINE_MAX {
                return Line::TooLong;
            }
            if begun.is_some_and(|begun| clock.span_ns(begun, clock.raw()) > LINE_NS_MAX) {
                return Line::End;
            }
            if !self.read(stream, if begun.is_some() { STEP } else { IDLE_MAX }) {
                return Line::End;
            }
            begun = begun.or_else(|| Some(clock.raw()));
        }
    }

    /// Reads what comes. False at the end, or where nothing came in time.
    fn read(&mut self, stream: &mut UnixStream, timeout: Duration) -> bool {
        let mut chunk = [0; 4096];
        if stream.set_read_timeout(Some(timeout)).is_err() {
            return false;
        }
        loop {
            return match stream.read(&mut chunk) {
                Ok(0) => false,
                Ok(count) => {
                    self.bytes.extend_from_slice(&chunk[..count]);
                    true
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => false,
            };
        }
    }
}
