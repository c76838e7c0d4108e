//! The request log: one JSON object a line, written by a thread of its own.
//!
//! # Invariants
//! - A log that nobody reads holds up no request: what does not fit is dropped and counted.
//! - Lines have no query, no body, no token: method, path, status, time, names of request, trace and user.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Lines that may wait.
const WAITING_MAX: usize = 8_192;

/// Where lines go. Without a writer they go nowhere.
#[derive(Clone, Default)]
pub(crate) struct RequestLog {
    lines: Option<SyncSender<String>>,
    dropped: Arc<AtomicU64>,
}

impl RequestLog {
    /// Starts the writer.
    pub(crate) fn start(mut out: Box<dyn Write + Send>) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (lines, waiting): (_, Receiver<String>) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("tw-http-log".into())
            .spawn(move || {
                for line in waiting {
                    // Nobody is left to be told that a log cannot be written.
                    let _ = writeln!(out, "{line}");
                }
            })?;
        let log = Self {
            lines: Some(lines),
            dropped: Arc::default(),
        };
        Ok((log, thread))
    }

    /// Takes a line.
    pub(crate) fn put(&self, line: impl FnOnce() -> serde_json::Value) {
        let Some(lines) = &self.lines else { return };
        if lines.try_send(line().to_string()).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines that did not fit.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc;

    struct Stuck(Mutex<Receiver<()>>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.lock().unwrap().recv();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_that_nobody_reads_drops_lines_and_counts_them() {
        let (go, stuck) = mpsc::channel();
        let (log, thread) = RequestLog::start(Box::new(Stuck(Mutex::new(stuck)))).unwrap();
        for _ in 0..WAITING_MAX + 10 {
            log.put(|| serde_json::json!({ "a": 1 }));
        }
        assert!((9..=10).contains(&log.dropped()), "{}", log.dropped());
        drop((go, log));
        thread.join().unwrap();
    }
}
