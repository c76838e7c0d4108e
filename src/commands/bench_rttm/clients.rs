//! Clients of the feed that count what they get: on one thread, with the least that a WebSocket needs, so that they take little of the
//! machine that is measured.

use anyhow::Context;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tradewind_domain::time::parse_rfc3339;
use tradewind_machine::clock::Clock;
use tradewind_machine::latency::{SpanCounts, Spans};

/// Bytes of a frame that are looked at: its head.
const HEAD_BYTES: usize = 256;
/// Clients that connect at one time.
const CONNECTING_MAX: usize = 32;

/// What all clients have got.
#[derive(Default)]
struct Counts {
    ready: AtomicU64,
    closed: AtomicU64,
    frames: AtomicU64,
    bytes: AtomicU64,
    /// From the making of a frame to its reading; filled by the clients' one thread.
    spans: Spans,
}

/// Counts of a moment.
pub(super) struct Seen {
    pub(super) frames: u64,
    pub(super) bytes: u64,
    pub(super) spans: SpanCounts,
}

impl Seen {
    pub(super) fn since(&self, before: &Seen) -> Seen {
        Seen {
            frames: self.frames - before.frames,
            bytes: self.bytes - before.bytes,
            spans: self.spans.since(&before.spans),
        }
    }
}

/// The clients on their thread.
pub(super) struct Clients {
    counts: Arc<Counts>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl Clients {
    pub(super) fn start(
        address: SocketAddr,
        clients: usize,
        hz: u8,
        binary: bool,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let counts = Arc::new(Counts::default());
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let encoding = if binary { "binary" } else { "json" };
        let requests = [
            r#"{"method":"authenticate","params":{"token":"bench"}}"#.to_owned(),
            format!(
                r#"{{"method":"subscribe","params":{{"channel":"market","hz":{hz},"encoding":"{encoding}"}}}}"#
            ),
        ];
        let thread = std::thread::Builder::new()
            .name("bench-clients".into())
            .spawn({
                let counts = Arc::clone(&counts);
                move || runtime.block_on(all(address, clients, requests, counts, clock, stopped))
            })
            .context("a thread for the clients")?;
        Ok(Self { counts, stop, thread })
    }

    /// Clients that have had a first frame.
    pub(super) fn ready(&self) -> u64 {
        self.counts.ready.load(Ordering::Relaxed)
    }

    /// Clients that were closed or failed.
    pub(super) fn closed(&self) -> u64 {
        self.counts.closed.load(Ordering::Relaxed)
    }

    pub(super) fn seen(&self) -> Seen {
        Seen {
            frames: self.counts.frames.load(Ordering::Relaxed),
            bytes: self.counts.bytes.load(Ordering::Relaxed),
            spans: self.counts.spans.counts(),
        }
    }

    pub(super) fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.thread.join(); // a thread that broke has nothing more to give back
    }
}

async fn all(
    address: SocketAddr,
    clients: usize,
    requests: [String; 2],
    counts: Arc<Counts>,
    clock: Clock,
    mut stopped: watch::Receiver<bool>,
) {
    let slots = Arc::new(tokio::sync::Semaphore::new(CONNECTING_MAX));
    let requests = Arc::new(requests);
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (counts, clock) = (Arc::clone(&counts), clock.clone());
            let (slots, requests) = (Arc::clone(&slots), Arc::clone(&requests));
            tokio::spawn(async move {
                let _ = one(address, &requests, &counts, &clock, &slots).await;
                counts.closed.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    let _ = stopped.wait_for(|stop| *stop).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    tokio::time::sleep(Duration::from_millis(50)).await; // sockets are closed
}

async fn one(
    address: SocketAddr,
    requests: &[String; 2],
    counts: &Counts,
    clock: &Clock,
    slots: &tokio::sync::Semaphore,
) -> io::Result<()> {
    let slot = slots.acquire().await.map_err(io::Error::other)?;
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::with_capacity(64 << 10, reader);
    let hello = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    writer.write_all(hello.as_bytes()).await?;
    let mut end = [0; 4];
    while end != *b"\r\n\r\n" {
        end.rotate_left(1);
        end[3] = reader.read_u8().await?;
    }
    for request in requests {
        writer.write_all(&masked(request)).await?;
    }
    drop(slot);
    let mut is_ready = false;
    let mut head = [0; HEAD_BYTES];
    loop {
        let (opcode, len) = frame_head(&mut reader).await?;
        let kept = usize::try_from(len).unwrap_or(HEAD_BYTES).min(HEAD_BYTES);
        reader.read_exact(&mut head[..kept]).await?;
        let mut rest = (&mut reader).take(len - kept as u64);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
        if opcode == 8 {
            return Ok(());
        }
        let Some(made_ns) = made_at(opcode, &head[..kept]) else {
            continue;
        };
        if !std::mem::replace(&mut is_ready, true) {
            counts.ready.fetch_add(1, Ordering::Relaxed);
        }
        counts.frames.fetch_add(1, Ordering::Relaxed);
        counts.bytes.fetch_add(len, Ordering::Relaxed);
        counts.spans.record(clock.now_ns().saturating_sub(made_ns));
    }
}

/// A text frame of a client, masked with zeros.
fn masked(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(len) if len < 126 => frame.push(0x80 | len),
        _ => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(text.len() as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// Kind and length of a server's frame.
async fn frame_head(reader: &mut (impl AsyncReadExt + Unpin)) -> io::Result<(u8, u64)> {
    let (first, second) = (reader.read_u8().await?, reader.read_u8().await?);
    let len = match second & 0x7f {
        126 => reader.read_u16().await?.into(),
        127 => reader.read_u64().await?,
        len => len.into(),
    };
    Ok((first & 0x0f, len))
}

/// When a frame of the market was made; `None` for anything else.
fn made_at(opcode: u8, head: &[u8]) -> Option<u64> {
    if opcode == 2 {
        return Some(u64::from_le_bytes(head.get(32..40)?.try_into().ok()?));
    }
    let text = std::str::from_utf8(head).ok()?;
    if !text.starts_with(r#"{"channel":"market""#) {
        return None;
    }
    parse_rfc3339(text.split(r#""ts":""#).nth(1)?.split('"').next()?)
}
