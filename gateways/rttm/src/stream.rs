//! Streams: the frames that all subscribers share who see the same rows of a channel, chose the same ones, and want them in the same
//! form at the same rate.

use crate::channel::Channel;
use crate::class::Class;
use crate::frame::{Encoding, Frame, FrameHead};
use crate::protocol::Choice;
use crate::row::{Row, Whose};
use crate::table::{Table, WINDOW};
use axum::extract::ws::Message;
use std::sync::Arc;
use tradewind_domain::ids::Seq;
use tradewind_domain::time::UnixNanos;

/// Rows of a frame at most.
pub(crate) const ROWS_MAX: usize = 5_000;
/// Ticks a second.
pub(crate) const TICKS_PER_S: u64 = 20;

/// What makes two subscribers share a stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StreamKey {
    pub(crate) channel: Channel,
    pub(crate) class: u64,
    pub(crate) choice: Arc<Choice>,
    pub(crate) hz: u8,
    pub(crate) is_binary: bool,
}

impl StreamKey {
    pub(crate) fn encoding(&self) -> Encoding {
        if self.is_binary {
            Encoding::Binary
        } else {
            Encoding::Json
        }
    }

    /// Ticks between two frames.
    pub(crate) fn period(&self) -> u64 {
        TICKS_PER_S / u64::from(self.hz).max(1)
    }

    /// The head of a frame.
    pub(crate) fn head(&self, moment: Moment, is_snapshot: bool, seq: u64, prev: u64) -> FrameHead {
        FrameHead {
            channel: self.channel,
            is_snapshot,
            seq,
            prev,
            as_of: moment.as_of,
            now_ns: moment.now_ns,
            more: false,
            gap: false,
        }
    }

    /// Whether a row goes into this stream.
    pub(crate) fn takes(&self, class: &mut Class, row: &Row) -> bool {
        self.takes_of(class, &row.whose)
    }

    /// Whether a row of these does.
    pub(crate) fn takes_of(&self, class: &mut Class, whose: &Whose) -> bool {
        self.choice.takes(&whose.account, &whose.symbol) && class.sees(whose.owner)
    }
}

/// A moment: what frames say about when they were made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) tick: u64,
    pub(crate) as_of: Seq,
    pub(crate) now_ns: UnixNanos,
}

/// The frames of a state channel that subscribers share.
pub(crate) struct Stream {
    pub(crate) subscribers: Vec<u64>,
    /// Of the last frame; of event channels the newest input that a frame took into account.
    pub(crate) seq: u64,
    /// The tick up to which frames have gone out.
    last_tick: u64,
    pub(crate) due: u64,
    /// The whole table as of `seq`, where somebody needed it.
    snapshot: Option<Arc<Vec<Message>>>,
    /// Event channels: rows up to this place have gone out.
    pub(crate) place: (Seq, u32),
}

impl Stream {
    pub(crate) fn new(moment: Moment) -> Self {
        Self {
            subscribers: Vec::new(),
            seq: 0,
            last_tick: moment.tick,
            due: moment.tick,
            snapshot: None,
            place: (0, 0),
        }
    }

    /// The frame of what changed since the last one; none where nothing did. `Err` where that is not known any more: everybody needs
    /// a snapshot.
    pub(crate) fn update(
        &mut self,
        key: &StreamKey,
        table: &Table,
        class: &mut Class,
        moment: Moment,
    ) -> Result<Option<Message>, Lost> {
        let since = self.last_tick;
        self.last_tick = moment.tick;
        if since + WINDOW < moment.tick {
            self.seq += 1;
            self.snapshot = None;
            return Err(Lost);
        }
        let mut frame = Frame::new(key.head(moment, false, self.seq + 1, self.seq), key.encoding());
        for row in table.changed_after(since) {
            if key.takes(class, row) {
                frame.row(&row.json, &row.binary);
            }
        }
        for gone in table.gone_after(since) {
            if key.takes_of(class, &gone.whose) {
                frame.remove(&gone.key.0, &gone.key.1);
            }
        }
        if frame.is_empty() {
            return Ok(None);
        }
        self.seq += 1;
        self.snapshot = None;
        Ok(Some(frame.finish()))
    }

    /// All rows as of the last frame, in pieces.
    pub(crate) fn snapshot(
        &mut self,
        key: &StreamKey,
        table: &Table,
        class: &mut Class,
        moment: Moment,
    ) -> Arc<Vec<Message>> {
        if let Some(snapshot) = &self.snapshot {
            return Arc::clone(snapshot);
        }
        let mut rows = table.rows().filter(|row| key.takes(class, row)).peekable();
        let mut pieces = Vec::new();
        loop {
            let is_first = pieces.is_empty();
            let prev = if is_first { 0 } else { self.seq };
            let mut frame = Frame::new(key.head(moment, is_first, self.seq, prev), key.encoding());
            for row in rows.by_ref().take(ROWS_MAX) {
                frame.row(&row.json, &row.binary);
            }
            pieces.push(frame.finish());
            if rows.peek().is_none() {
                break;
            }
        }
        let pieces = Arc::new(pieces);
        self.snapshot = Some(Arc::clone(&pieces));
        pieces
    }
}

/// What changed is not known any more.
#[derive(Debug)]
pub(crate) struct Lost;
