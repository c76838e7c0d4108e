//! Quarantine: executed trades that could not be booked as they came (LIMITS section 9). They touch no position until a person
//! releases or repairs them; nothing that was executed is dropped.
//!
//! A released or repaired trade becomes an effect of the person's command: one `TradeCapture` part in its group, booked like any
//! other. The wide collar and the business rules are what the person overrules; what makes a trade impossible to book (no
//! account, no instrument, no price, an identifier that was booked since) refuses the command, and the trade stays.
//!
//! A bust or correction of a trade that is not known waits here as well, and a correction that a trade would not have passed with
//! (see `early`).
//!
//! # Invariants
//! - Every refused execution is kept, but for one that was booked already: it is ignored. The same execution again is kept once.
//! - A trade whose source names no trade date has the date on which it was put aside: identifiers that a venue uses again every day
//!   are different trades, and one that the venue sent again, and that was booked since, is not booked a second time.
//! - A trade is resolved once. Rows of resolved trades are used again in the order of their resolution.
//! - Where every row waits for somebody, a further trade stays in the journal alone, and is counted.

use super::book::Book;
use super::early::named_by;
use super::execution::exec_scope;
use super::look_ahead::Hint;
use crate::orders::keys::Key;
use bytemuck::{Pod, Zeroable, bytes_of};
use std::collections::VecDeque;
use tradewind_domain::codes::{QuarantineAction, Side};
use tradewind_domain::event::{Event, Execution, Kind, QuarantineResolve, TakenBack, execution_alerts};
use tradewind_domain::ids::{CalendarId, OrderSlot, Seq};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::time::{DayNumber, UnixNanos};

/// Bytes of a row that keep names which did not resolve.
const TEXT_MAX: usize = 96;

/// Where the scope of a key says that it is of a bust or correction: a trade may wait beside them.
const KIND_SHIFT: u32 = 32;

/// Days before and after the date of a trade that its source did not date, on which it may have been booked: calendars do not roll
/// together, and are days apart over a weekend.
const DATES_APART: DayNumber = 4;
/// Dates that are looked at when such a trade is released.
const DATES_MAX: DayNumber = 64;

/// A trade that was put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct QuarantineRow {
    /// The execution as it was refused; once it is released, as it is booked.
    pub body: Execution,
    /// Sequence number, by which it is resolved.
    pub seq: Seq,
    /// When ingest took it.
    pub recv_ns: UnixNanos,
    /// Sequence number of the command that resolved it; 0 while it waits.
    resolved_seq: Seq,
    /// When it was resolved.
    resolved_ns: UnixNanos,
    /// Names that did not resolve, as normalize wrote them.
    text: [u8; TEXT_MAX],
    text_len: u16,
    /// [`RejectCode`].
    reason: u16,
    /// [`Kind`] of the execution.
    kind: u16,
    /// 1 where the source named no trade date: the body has the date on which the trade was put aside.
    is_undated: u16,
    #[doc(hidden)]
    pub reserved: [u16; 4],
}

const _: () = assert!(size_of::<QuarantineRow>() == 400);

impl QuarantineRow {
    /// Why it was put aside.
    pub fn reason(&self) -> Option<RejectCode> {
        RejectCode::from_number(self.reason)
    }

    /// `VenueFill` or `TradeCapture`; `TradeBust` or `TradeCorrect` of a trade that was not known, which the body names.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_number(self.kind)
    }

    /// Names that did not resolve, as `symbol=X account=Y`.
    pub fn text(&self) -> &[u8] {
        &self.text[..usize::from(self.text_len).min(TEXT_MAX)]
    }

    fn waits(&self) -> bool {
        self.resolved_seq == 0
    }

    pub(super) fn takes_back(&self) -> bool {
        matches!(self.kind(), Some(Kind::TradeBust | Kind::TradeCorrect))
    }

    /// True where this bust or correction may mean the trade: the dates need not agree where its source gave none.
    fn may_mean(&self, trade: &Execution) -> bool {
        let apart = self.body.trade_date.abs_diff(trade.trade_date);
        let names = (self.body.venue, self.body.exec_id) == (trade.venue, trade.exec_id);
        names && (apart == 0 || self.is_undated != 0 && apart <= DATES_APART)
    }

    /// What is closed without being booked by itself: an effect has booked it.
    pub(super) fn closed_by(self, seq: Seq) -> Self {
        Self {
            resolved_seq: seq,
            ..self
        }
    }
}

/// The table of trades that wait.
pub(super) struct Quarantine {
    rows: Vec<QuarantineRow>,
    /// Keys of the rows, side by side: a venue that sends its refused trades again is looked up here.
    keys: Vec<Key>,
    /// Rows of resolved trades, the first resolved first.
    resolved: VecDeque<u32>,
    capacity: u32,
    /// Rows of busts and corrections that wait; follows from the rows.
    taking_back: Vec<u32>,
    /// The trade whose busts and corrections are looked for, and when it came; follows from the record that is applied.
    arrived: Option<(Execution, UnixNanos)>,
    /// Trades that found no row.
    pub(super) lost: u64,
}

impl Quarantine {
    pub(super) fn new(capacity: u32) -> Self {
        Self {
            rows: Vec::with_capacity(capacity as usize),
            keys: Vec::with_capacity(capacity as usize),
            resolved: VecDeque::with_capacity(capacity as usize),
            capacity,
            taking_back: Vec::with_capacity(capacity as usize),
            arrived: None,
            lost: 0,
        }
    }

    /// Sets how many may wait, at most what there is memory for.
    pub(super) fn set_capacity(&mut self, capacity: u32) {
        self.capacity = capacity.min(self.rows.capacity() as u32);
    }

    /// Trades that wait.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &QuarantineRow> {
        self.rows.iter().filter(|row| row.waits())
    }

    /// How many trades wait.
    pub(super) fn used(&self) -> u32 {
        (self.rows.len() - self.resolved.len()) as u32
    }

    fn holds(&self, key: Key) -> bool {
        let mut same = self.keys.iter().zip(&self.rows).filter(|(held, _)| **held == key);
        same.any(|(_, row)| row.waits())
    }

    fn put(&mut self, key: Key, row: QuarantineRow) {
        if self.used() >= self.capacity {
            self.lost += 1;
            return;
        }
        let at = match self.resolved.pop_front() {
            Some(at) => {
                (self.rows[at as usize], self.keys[at as usize]) = (row, key);
                at
            }
            None => {
                self.rows.push(row);
                self.keys.push(key);
                self.rows.len() as u32 - 1
            }
        };
        if row.takes_back() {
            self.taking_back.push(at);
        }
    }

    /// Busts and corrections that wait, with their places.
    pub(super) fn taking_back(&self) -> impl Iterator<Item = (u32, &QuarantineRow)> {
        let rows = &self.rows;
        self.taking_back
            .iter()
            .filter_map(move |&at| Some((at, rows.get(at as usize)?)))
    }

    /// True where a bust or correction that may mean the trade waits.
    #[inline]
    fn is_taken_back(&self, trade: &Execution) -> bool {
        !self.taking_back.is_empty() && self.taking_back().any(|(_, row)| row.may_mean(trade))
    }

    /// A trade was booked whose bust or correction came before it.
    pub(super) fn note_arrival(&mut self, trade: &Execution, now_ns: UnixNanos) {
        self.arrived = Some((*trade, now_ns));
    }

    /// The trade whose busts and corrections are looked for.
    #[inline]
    pub(super) fn arrived(&self) -> Option<&(Execution, UnixNanos)> {
        self.arrived.as_ref()
    }

    /// Nothing more is looked for.
    #[inline]
    pub(super) fn forget_arrival(&mut self) {
        self.arrived = None;
    }

    /// The row in a place.
    pub(super) fn row(&self, at: u32) -> Option<&QuarantineRow> {
        self.rows.get(at as usize)
    }

    /// Closes a row.
    pub(super) fn close(&mut self, at: u32, row: QuarantineRow) {
        let Some(held) = self.rows.get_mut(at as usize) else {
            return;
        };
        *held = row;
        self.taking_back.retain(|&other| other != at);
        self.resolved.push_back(at);
    }

    /// The row of a trade that was put aside, with its place.
    fn find(&self, seq: Seq) -> Option<(u32, &QuarantineRow)> {
        let found = self.rows.iter().enumerate().find(|(_, row)| row.seq == seq);
        found.map(|(at, row)| (at as u32, row))
    }

    pub(super) fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        sink(&self.lost.to_le_bytes());
        for row in &self.rows {
            sink(bytes_of(row));
        }
        for at in &self.resolved {
            sink(&at.to_le_bytes());
        }
    }
}

/// True where something that was refused waits for a person, or for its trade. An execution that was booked already, and one that this
/// version cannot read, wait for nobody; of busts and corrections those wait that may have come before their trade, and corrections
/// that a person may overrule the refusal of.
pub fn is_put_aside(kind: Kind, reason: RejectCode) -> bool {
    match kind {
        Kind::VenueFill | Kind::TradeCapture => {
            !matches!(reason, RejectCode::DuplicateExecId | RejectCode::UnsupportedEvent)
        }
        Kind::TradeBust => reason == RejectCode::UnknownTrade,
        Kind::TradeCorrect => matches!(
            reason,
            RejectCode::UnknownTrade
                | RejectCode::QuarantineRule
                | RejectCode::QuarantinePrice
                | RejectCode::InvalidLot
                | RejectCode::InvalidTick
        ),
        _ => false,
    }
}

/// True where a retained execution is the trade that waits.
fn is_same(trade: &Execution, booked: &TakenBack) -> bool {
    (trade.instrument, trade.side, trade.qty, trade.px)
        == (booked.instrument, booked.side, booked.qty, booked.px)
}

impl Book {
    /// Keeps a refused execution, or a refused bust or correction once for each trade and kind.
    pub(super) fn put_aside(&mut self, event: &Event, kind: Kind) {
        let Some(reason) = event.reject_code().filter(|&reason| is_put_aside(kind, reason)) else {
            return;
        };
        let body = match kind {
            Kind::TradeBust => named_by(event.body()),
            _ => *event.body(),
        };
        self.keep(event, body, reason);
    }

    fn keep(&mut self, event: &Event, mut body: Execution, reason: RejectCode) {
        let is_undated = u16::from(body.trade_date == 0);
        if body.trade_date == 0 {
            body.trade_date = self.date_of_trade(&body);
        }
        let key = match event.kind() {
            Some(kind @ (Kind::TradeBust | Kind::TradeCorrect)) => {
                let scope = exec_scope(body.venue, body.trade_date) | u64::from(kind as u8) << KIND_SHIFT;
                self.hasher.key(scope, body.exec_id.padded())
            }
            _ => self.exec_key(&body, Hint::NONE),
        };
        if !body.exec_id.is_empty() && self.quarantine.holds(key) {
            return;
        }
        let mut row = QuarantineRow {
            body,
            is_undated,
            seq: event.head.seq,
            recv_ns: event.head.recv_ns,
            reason: reason as u16,
            kind: event.head.kind,
            ..QuarantineRow::zeroed()
        };
        let text = &event.tail()[..event.tail().len().min(TEXT_MAX)];
        row.text[..text.len()].copy_from_slice(text);
        row.text_len = text.len() as u16;
        self.quarantine.put(key, row);
    }

    /// The present trading date of a trade's instrument; that of the UTC calendar where the instrument is not known.
    fn date_of_trade(&self, trade: &Execution) -> DayNumber {
        let instrument = self.market.instrument(trade.instrument);
        self.calendars
            .date(instrument.map_or(CalendarId::UTC, |instrument| instrument.calendar))
    }

    /// True where a trade that its source did not date was sent again and booked under another date. An identifier alone says nothing
    /// of that, as venues use theirs again: what is retained under it must be the same trade.
    fn was_booked_since(&self, trade: &Execution) -> bool {
        let last = self
            .date_of_trade(trade)
            .max(trade.trade_date.saturating_add(DATES_APART));
        let first = trade
            .trade_date
            .saturating_sub(DATES_APART)
            .max(last.saturating_sub(DATES_MAX));
        (first..=last).any(|trade_date| {
            let key = self.exec_key(&Execution { trade_date, ..*trade }, Hint::NONE);
            match self.executions.find(key) {
                Some(row) => is_same(trade, &row.trade),
                None => self.exec_ids.is_known(key),
            }
        })
    }

    /// Flags an execution whose bust or correction came before it.
    pub(super) fn flag_taking_back(&self, execution: &mut Execution) {
        if self.quarantine.is_taken_back(execution) {
            execution.alerts |= execution_alerts::TAKING_BACK_WAITS;
        }
    }

    /// Decides what a person wants to become of a trade.
    pub(super) fn decide_resolve(&self, event: &mut Event) {
        let code = Note::first(event.head.notes).or_else(|| self.check_resolve(event.body()).err());
        if let Some(code) = code {
            event.reject(code);
        }
    }

    fn check_resolve(&self, resolve: &QuarantineResolve) -> Result<(), RejectCode> {
        let action = QuarantineAction::from_code(resolve.action).ok_or(RejectCode::InvalidValue)?;
        if resolve.author.is_empty() {
            return Err(RejectCode::Malformed);
        }
        let (_, row) = self
            .quarantine
            .find(resolve.trade_seq)
            .ok_or(RejectCode::UnknownTrade)?;
        if !row.waits() {
            return Err(RejectCode::StateMismatch);
        }
        if action == QuarantineAction::Reject {
            return Ok(());
        }
        if row.takes_back() {
            return self.check_release(row, action);
        }
        let mut trade = self.repaired(row, resolve);
        self.check_bookable(&mut trade)?;
        if row.is_undated != 0 && self.was_booked_since(&trade) {
            return Err(RejectCode::DuplicateExecId);
        }
        Ok(())
    }

    /// What nobody can overrule.
    fn check_bookable(&self, trade: &mut Execution) -> Result<(), RejectCode> {
        if trade.exec_id.is_empty() {
            return Err(RejectCode::Malformed);
        }
        if trade.leaf.is_none() || trade.account.is_none() {
            return Err(RejectCode::UnknownAccount);
        }
        if Side::from_code(trade.side).is_none() {
            return Err(RejectCode::InvalidSide);
        }
        if trade.qty_dp != 8 || trade.px_dp != 8 {
            return Err(RejectCode::InvalidPrecision);
        }
        let instrument = self
            .market
            .instrument(trade.instrument)
            .ok_or(RejectCode::UnknownSymbol)?;
        if trade.qty <= 0 {
            return Err(RejectCode::InvalidQty);
        }
        if trade.px <= 0 && !instrument.allows_negative_prices() {
            return Err(RejectCode::InvalidPrice);
        }
        self.trade_facts(trade, Hint::NONE)
    }

    /// The trade as it is to be booked: without an order of ours, and with what the repair changes.
    fn repaired(&self, row: &QuarantineRow, resolve: &QuarantineResolve) -> Execution {
        let mut trade = row.body;
        if resolve.action == QuarantineAction::Repair as u8 {
            if resolve.qty != 0 {
                (trade.qty, trade.qty_dp) = (resolve.qty, resolve.qty_dp);
            }
            if resolve.px != 0 {
                (trade.px, trade.px_dp) = (resolve.px, resolve.px_dp);
            }
            if resolve.side != 0 {
                trade.side = resolve.side;
            }
            if !resolve.leaf.is_none() {
                (trade.leaf, trade.account) = (resolve.leaf, resolve.account);
            }
            if !resolve.instrument.is_none() {
                trade.instrument = resolve.instrument;
            }
        }
        if let Some(instrument) = self.market.instrument(trade.instrument) {
            (trade.currency, trade.calendar) = (instrument.currency, instrument.calendar);
        }
        trade.slot = OrderSlot::NONE;
        trade
    }

    /// Makes a resolution true: the row is closed, and holds what is to be booked.
    pub(super) fn apply_resolve(&mut self, event: &Event) {
        if event.is_rejected() {
            return;
        }
        let resolve: &QuarantineResolve = event.body();
        let found = self
            .quarantine
            .find(resolve.trade_seq)
            .map(|(at, row)| (at, *row));
        let Some((at, row)) = found else {
            self.faults += 1;
            return;
        };
        let body = if row.takes_back() {
            row.body
        } else {
            self.repaired(&row, resolve)
        };
        let closed = QuarantineRow {
            body,
            resolved_seq: event.head.seq,
            resolved_ns: event.head.recv_ns,
            ..row
        };
        self.quarantine.close(at, closed);
    }

    /// The row whose trade an accepted command books.
    pub(super) fn released_by(&self, event: &Event) -> Option<u32> {
        let resolve: &QuarantineResolve = event.body();
        if event.is_rejected() || resolve.action == QuarantineAction::Reject as u8 {
            return None;
        }
        self.quarantine.find(resolve.trade_seq).map(|(at, _)| at)
    }

    /// Writes what a row holds as an effect. `None` where it cannot be booked, which the command's verdict rules out.
    pub(super) fn write_released(&self, at: u32, out: &mut Event) -> Option<Kind> {
        let row = self.quarantine.row(at)?;
        if row.takes_back() {
            return self.write_taking_back(row, row.resolved_ns, true, out);
        }
        let mut trade = row.body;
        self.check_bookable(&mut trade).ok()?;
        out.reset(Kind::TradeCapture);
        (out.head.seq, out.head.part) = (row.resolved_seq, 1);
        out.head.recv_ns = row.resolved_ns;
        self.flag_taking_back(&mut trade);
        *out.body_mut() = trade;
        Some(Kind::TradeCapture)
    }
}
