//! Executions that a tail names, and how a tail of names is written and read.
//!
//! Invariant: whatever the bytes are, reading them ends: what is cut off or of no known form is no entry.

use super::TAIL_MAX;
use crate::ids::VenueId;
use crate::text::ExecId;
use crate::time::DayNumber;

/// An execution as a source names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedExecution {
    /// Venue.
    pub venue: VenueId,
    /// Trade date; 0: the present trading date of any calendar.
    pub trade_date: DayNumber,
    /// The venue's identifier.
    pub exec_id: ExecId,
}

/// A tail that is being written. What does not fit is `None`, and leaves the tail of no use.
#[derive(Clone, Copy)]
pub(super) struct TailWriter {
    bytes: [u8; TAIL_MAX],
    len: usize,
}

impl TailWriter {
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; TAIL_MAX],
            len: 0,
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let room = self.bytes.get_mut(self.len..self.len + bytes.len())?;
        room.copy_from_slice(bytes);
        self.len += bytes.len();
        Some(())
    }

    /// As much of it as fits.
    pub(super) fn push_cut(&mut self, bytes: &[u8]) {
        let len = bytes.len().min(TAIL_MAX - self.len);
        self.bytes[self.len..self.len + len].copy_from_slice(&bytes[..len]);
        self.len += len;
    }

    pub(super) fn push_text(&mut self, text: &[u8]) -> Option<()> {
        self.push(&[u8::try_from(text.len()).ok()?])?;
        self.push(text)
    }

    pub(super) fn push_execution(&mut self, execution: &NamedExecution) -> Option<()> {
        self.push(&execution.venue.0.to_le_bytes())?;
        self.push(&execution.trade_date.to_le_bytes())?;
        self.push_text(execution.exec_id.as_bytes())
    }
}

/// Takes `N` bytes off the front.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

pub(super) fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let [len] = take(bytes)?;
    let (text, rest) = bytes.split_at_checked(usize::from(len))?;
    *bytes = rest;
    Some(text)
}

pub(super) fn take_execution(bytes: &mut &[u8]) -> Option<NamedExecution> {
    Some(NamedExecution {
        venue: VenueId(u16::from_le_bytes(take(bytes)?)),
        trade_date: DayNumber::from_le_bytes(take(bytes)?),
        exec_id: ExecId::new(take_text(bytes)?).ok()?,
    })
}
