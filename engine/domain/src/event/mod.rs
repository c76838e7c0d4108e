//! Events: what travels through the six stages, and what the journal holds.
//!
//! An event is a [`Head`], a body whose type follows from its [`Kind`], and an optional tail of bytes. A body is plain data:
//! first the input as the source gave it, then what normalize resolved, then the facts that the deciding stages wrote. The
//! journal record is these bytes as they are, so a reader needs only the layout in docs/journal-format.md.
//!
//! # Invariants
//! - Every body's size is a multiple of 64 and at most [`BODY_MAX`]; a kind has one body type for ever.
//! - Sizes and numbers never change; a body grows by a new kind.
//!
//! Not here: what the facts mean for a stage's state. That is each stage's `apply`.

mod access;
mod admin;
mod allocation;
mod cash;
mod execution;
mod holder;
mod inbound;
mod kind;
mod lots;
mod market;
mod named;
mod order;
mod recon;
mod risk;
mod settle;
mod system;
mod transfer;
mod venue;

pub use access::AccessSet;
pub use admin::{
    CalendarSet, Control, CurrencySet, EntitlementSource, FeeScheduleSet, InstrumentSet, LimitSet, NodeSet,
    QuotaGrant, control_effects,
};
pub use allocation::{
    ALLOCATED_MAX, Allocation, AllocationLeg, AllocationTail, LEGS_MAX, NamedLeg, resolve_legs,
};
pub use cash::{CashMove, CorporateAction, DatedSettlement, FxConversion, Locate, Valuation};
pub use execution::{ChainDays, Execution, TakenBack, TradeBust, execution_alerts, execution_flags};
pub use holder::{Adjustment, HolderAction, LotMethodSet};
pub use inbound::{INPUT_MAX, Inbound, InboundLong};
pub use kind::{Decider, Kind, SCHEMAS_READ, schema_hash};
pub use lots::{LotSelect, LotTail, NAMED_LOTS_MAX, SelectedLot};
pub use market::{FxRate, InstrumentStatus, LastTrade, Mark, Quote};
pub use named::NamedExecution;
pub use order::{
    DerivedOrder, HitKind, LimitHit, MassCancel, OrderCancel, OrderNew, OrderReplace, OrderView, Verdict,
};
pub use recon::{ReconAction, ReconEnd, ReconFinding, ReconRun, recon_covers, recon_fields};
pub use risk::{AlertAction, AlertMaintenance, AlertVerb, LimitProbe, QuarantineResolve, RestrictedSet};
pub use settle::{DatedSplit, SettlementFail, SymbolChange};
pub use system::{
    Blob, Capacities, EdgeStats, EngineStarted, EngineStopped, SessionEvent, Timer, TimerKind, documents,
};
pub use transfer::{LedgerTransfer, TransferFacts};
pub use venue::VenueReport;

use crate::ids::Seq;
use crate::reject::{Note, RejectCode};
use crate::text::{Code, Symbol};
use crate::time::UnixNanos;
use bytemuck::{Pod, Zeroable};

/// Bytes of a [`Head`].
pub const HEAD_LEN: usize = 64;
/// The largest body.
pub const BODY_MAX: usize = 448;
/// The longest tail.
pub const TAIL_MAX: usize = 1024;

/// The first 64 bytes of every event and record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Head {
    /// Bytes of the record, a multiple of 64; stored last when a record is committed, so zero means "not there yet".
    pub len: u32,
    /// CRC32C, written by the journal (docs/journal-format.md says over what).
    pub crc: u32,
    /// Position in the one sequence; the effects of an input have its number.
    pub seq: Seq,
    /// When the record was released, in nanoseconds: written by the journal, not covered by the checksum.
    pub journaled_ns: UnixNanos,
    /// When ingest took the event: strictly rising from one sequence number to the next.
    pub recv_ns: UnixNanos,
    /// The source's own time stamp (TransactTime, planned send, venue time); 0 where it gave none.
    pub origin_ns: UnixNanos,
    /// 0 for an input, 1.. for its effects.
    pub part: u32,
    /// [`Kind`].
    pub kind: u16,
    /// Which ring of ingest it came through.
    pub source: u16,
    /// [`head_flags`].
    pub flags: u8,
    /// Which field a refusal is about, as the source counts them; 0 where it does not say.
    pub field: u8,
    /// [`RejectCode`] where the event was refused, else 0.
    pub outcome: u16,
    /// Bytes of the tail.
    pub tail_len: u16,
    /// The first business rule that refuses or quarantines, counted from 1 in the rules document in force; 0 where none does.
    pub rule: u8,
    /// The first business rule that only alerts, counted alike; 0 where none does.
    pub rule_alert: u8,
    /// Findings of the stages before the deciding one, as bits of [`Note`].
    pub notes: u64,
}

const _: () = assert!(size_of::<Head>() == HEAD_LEN);

/// Bits of [`Head::flags`].
pub mod head_flags {
    /// The last part of its group.
    pub const LAST: u8 = 1;
    /// A possible resend of something sent before (FIX tag 97).
    pub const POSS_RESEND: u8 = 2;
}

/// A body type and where its input ends.
pub trait Body: Pod {
    /// Bytes that the source fills, from the start of the body.
    const INPUT_LEN: usize;
}

/// Names as the source wrote them, until normalize has resolved them. They are not part of the record; names that do not
/// resolve go into the tail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Names {
    /// Instrument, or currency where the event is about one.
    pub symbol: Symbol,
    /// Account or node.
    pub account: Code,
}

/// One event on its way, in a slot of the slab.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Event {
    /// Head.
    pub head: Head,
    body: [u8; BODY_MAX],
    /// Names to resolve.
    pub names: Names,
    /// Room for a stage to keep something between looking ahead at a batch and processing it. Not part of the record.
    pub scratch: [u64; 8],
    tail: [u8; TAIL_MAX],
}

impl Event {
    /// An event of nothing: kind 0, no body.
    pub fn empty() -> Self {
        Self::zeroed()
    }

    /// Makes it an event of this kind with an all-zero body, no names and no tail. The tail's old bytes stay where they
    /// are, unreachable.
    #[inline]
    pub fn reset(&mut self, kind: Kind) {
        self.head = Head {
            kind: kind as u16,
            ..Head::zeroed()
        };
        self.body[..kind.body_len()].fill(0);
        self.names = Names::zeroed();
    }

    /// The kind, or `None` for a number that this build does not know.
    #[inline]
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_number(self.head.kind)
    }

    /// The body as its type. The caller has looked at the kind.
    #[inline]
    pub fn body<T: Body>(&self) -> &T {
        bytemuck::from_bytes(&self.body[..size_of::<T>()])
    }

    /// The body as its type, to write facts into.
    #[inline]
    pub fn body_mut<T: Body>(&mut self) -> &mut T {
        bytemuck::from_bytes_mut(&mut self.body[..size_of::<T>()])
    }

    /// Head and body side by side, for a stage that writes both.
    #[inline]
    pub fn split_mut<T: Body>(&mut self) -> (&mut Head, &mut T) {
        (
            &mut self.head,
            bytemuck::from_bytes_mut(&mut self.body[..size_of::<T>()]),
        )
    }

    /// The body's bytes, as long as the kind says.
    #[inline]
    pub fn body_bytes(&self) -> &[u8] {
        &self.body[..Kind::body_len_of(self.head.kind)]
    }

    /// The tail.
    #[inline]
    pub fn tail(&self) -> &[u8] {
        &self.tail[..usize::from(self.head.tail_len).min(TAIL_MAX)]
    }

    /// Replaces the tail, cutting what is longer than [`TAIL_MAX`].
    #[inline]
    pub fn set_tail(&mut self, bytes: &[u8]) {
        let len = bytes.len().min(TAIL_MAX);
        self.tail[..len].copy_from_slice(&bytes[..len]);
        self.head.tail_len = len as u16;
    }

    /// Appends to the tail. False, and nothing is written, where it does not fit.
    #[inline]
    pub fn append_tail(&mut self, bytes: &[u8]) -> bool {
        let at = usize::from(self.head.tail_len).min(TAIL_MAX);
        let Some(room) = self.tail.get_mut(at..at + bytes.len()) else {
            return false;
        };
        room.copy_from_slice(bytes);
        self.head.tail_len = (at + bytes.len()) as u16;
        true
    }

    /// Bytes of the record that this event becomes.
    #[inline]
    pub fn record_len(&self) -> usize {
        record_len(self.head.kind, self.head.tail_len)
    }

    /// Adds a finding.
    #[inline]
    pub fn note(&mut self, note: Note) {
        self.head.notes |= note.bit();
    }

    /// Refuses the event.
    #[inline]
    pub fn reject(&mut self, code: RejectCode) {
        self.head.outcome = code as u16;
    }

    /// True where it was refused.
    #[inline]
    pub fn is_rejected(&self) -> bool {
        self.head.outcome != 0
    }

    /// Why it was refused.
    pub fn reject_code(&self) -> Option<RejectCode> {
        RejectCode::from_number(self.head.outcome)
    }

    /// Takes an event from the bytes of a record: head, body, tail. `None` where the bytes are no record of a known kind.
    pub fn read_record(&mut self, record: &[u8]) -> Option<()> {
        let head: Head = bytemuck::pod_read_unaligned(record.get(..HEAD_LEN)?);
        let kind = Kind::from_number(head.kind)?;
        let body = record.get(HEAD_LEN..HEAD_LEN + kind.body_len())?;
        let tail_len = usize::from(head.tail_len);
        let tail_at = HEAD_LEN + kind.body_len();
        let tail = record.get(tail_at..tail_at + tail_len)?;
        if tail_len > TAIL_MAX || record.len() != record_len(head.kind, head.tail_len) {
            return None;
        }
        self.head = head;
        self.body[..body.len()].copy_from_slice(body);
        self.names = Names::zeroed();
        self.tail[..tail_len].copy_from_slice(tail);
        Some(())
    }
}

/// Bytes of a record: head, body of the kind, tail, filled up to a multiple of 64.
#[inline]
pub const fn record_len(kind: u16, tail_len: u16) -> usize {
    (HEAD_LEN + Kind::body_len_of(kind) + tail_len as usize).next_multiple_of(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_read_back_is_the_event_written() {
        let mut event = Event::empty();
        event.reset(Kind::Quote);
        event.head.seq = 9;
        event.body_mut::<Quote>().bid = 5;
        event.set_tail(b"why");
        let mut bytes = Vec::new();
        bytes.extend_from_slice(bytemuck::bytes_of(&event.head));
        bytes.extend_from_slice(event.body_bytes());
        bytes.extend_from_slice(event.tail());
        bytes.resize(event.record_len(), 0);
        let mut back = Event::empty();
        back.read_record(&bytes).unwrap();
        assert_eq!(back.head, event.head);
        assert_eq!(back.body::<Quote>().bid, 5);
        assert_eq!(back.tail(), b"why");
        assert_eq!(back.read_record(&bytes[..bytes.len() - 64]), None);
        assert_eq!(back.read_record(&[]), None);
    }

    #[test]
    fn a_tail_takes_what_fits() {
        let mut event = Event::empty();
        event.reset(Kind::Blob);
        assert!(event.append_tail(&[1; 1000]));
        assert!(!event.append_tail(&[2; 25]));
        assert!(event.append_tail(&[2; 24]));
        assert_eq!(event.tail().len(), TAIL_MAX);
    }
}
