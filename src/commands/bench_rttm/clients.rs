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

/// What clients are subscribed to.
#[derive(Clone, Copy)]
pub(super) enum Watch {
    /// The market, so many frames a second; times count from the making of a frame.
    Market { hz: u8, is_binary: bool },
    /// Executions as they happen; times count from when the engine took the oldest one of a frame.
    Fills,
}

impl Watch {
    fn channel(self) -> &'static str {
        match self {
            Watch::Market { .. } => "market",
            Watch::Fills => "trades",
        }
    }

    fn subscribe(self) -> String {
        let (hz, is_binary) = match self {
            Watch::Market { hz, is_binary } => (hz, is_binary),
            Watch::Fills => (0, false),
        };
        let (channel, encoding) = (self.channel(), if is_binary { "binary" } else { "json" });
        format!(
            r#"{{"method":"subscribe","params":{{"channel":"{channel}","hz":{hz},"encoding":"{encoding}","snapshot":false}}}}"#
        )
    }

    /// When what a frame is about began; `None` for anything else.
    fn began_at(self, opcode: u8, head: &[u8]) -> Option<u64> {
        match self {
            Watch::Market { .. } => made_at(opcode, head),
            Watch::Fills => taken_at(head),
        }
    }
}

/// What all clients have got.
#[derive(Default)]
struct Counts {
    ready: AtomicU64,
    closed: AtomicU64,
    frames: AtomicU64,
    bytes: AtomicU64,
    /// As [`Watch`] says; filled by the clients' one thread.
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
        watch: Watch,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let counts = Arc::new(Counts::default());
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let requests = [
            r#"{"method":"authenticate","params":{"token":"bench"}}"#.to_owned(),
            watch.subscribe(),
        ];
        let thread = std::thread::Builder::new()
            .name("bench-clients".into())
            .spawn({
                let counts = Arc::clone(&counts);
                move || runtime.block_on(all(address, clients, watch, requests, counts, clock, stopped))
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
    watch: Watch,
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
                let _ = one(address, watch, &requests, &counts, &clock, &slots).await;
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
    watch: Watch,
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
        let Some(began_ns) = watch.began_at(opcode, &head[..kept]) else {
            continue;
        };
        if !std::mem::replace(&mut is_ready, true) {
            counts.ready.fetch_add(1, Ordering::Relaxed);
        }
        counts.frames.fetch_add(1, Ordering::Relaxed);
        counts.bytes.fetch_add(len, Ordering::Relaxed);
        counts.spans.record(clock.now_ns().saturating_sub(began_ns));
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

/// When the engine took the first execution of a frame, which is the oldest.
fn taken_at(head: &[u8]) -> Option<u64> {
    // The head may end within a letter.
    let text = String::from_utf8_lossy(head);
    if !text.starts_with(r#"{"channel":"trades","type":"update""#) {
        return None;
    }
    let (_, rows) = text.split_once(r#""data":[["#)?;
    parse_rfc3339(rows.split('"').nth(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_executions_counts_from_its_oldest_one() {
        let frame = br#"{"channel":"trades","type":"update","seq":9,"prev":7,"as_of":9,"ts":"2026-11-21T16:20:03.000000000Z","data":[[8,0,"1970-01-01T00:00:01.000000005Z","FILL"],[9,0,"1970-01-01T00:00:02.000000000Z","FILL"]]}"#;
        assert_eq!(taken_at(frame), Some(1_000_000_005));
        assert_eq!(taken_at(br#"{"channel":"heartbeat"}"#), None);
        assert_eq!(made_at(1, frame), None);
    }
}
