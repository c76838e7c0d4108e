//! The body of a selection of lots, and what its tail names.
//!
//! A source names lots by the executions that opened them. The limit check appends the numbers of their records, which is what the lots
//! themselves are called by.

use super::named::{NamedExecution, TailWriter, take, take_execution};
use super::{Body, Event};
use crate::ids::{AccountId, HoldingId, InstrumentId, Seq, VenueId};
use crate::text::{Code, ExecId};
use crate::time::DayNumber;
use bytemuck::{Pod, Zeroable};

/// The most lots that one execution names.
pub const NAMED_LOTS_MAX: usize = 16;

/// An execution closes these lots first, in this order; what is left of it goes by the account's method. Without lots: all of it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct LotSelect {
    /// The execution that closes, as its venue calls it.
    pub exec_id: ExecId,
    /// Its trade date; 0: the present trading date of any calendar.
    pub trade_date: DayNumber,
    /// Its venue.
    pub venue: VenueId,
    /// Lots in the tail.
    pub lots: u16,
    /// Who selects.
    pub author: Code,
    /// Sequence number of the execution's record.
    pub trade_seq: Seq,
    /// Account and instrument.
    pub holding: HoldingId,
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// [`execution_alerts`](super::execution_alerts): NOT_REPLAYED where the trades since the position was flat are not all retained, and
    /// nothing changes. Written by position.
    pub alerts: u8,
    #[doc(hidden)]
    pub reserved: [u8; 27],
}

const _: () = assert!(size_of::<LotSelect>() == 128);

impl Body for LotSelect {
    const INPUT_LEN: usize = 80;
}

/// A lot, by the record of the trade that opened it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct SelectedLot {
    /// Sequence number of the record.
    pub open: Seq,
    /// At most so much of it, at 1e-8.
    pub qty: i64,
}

/// Lots as a source names them, with the quantity that is taken of each at most.
#[derive(Clone, Copy)]
pub struct LotTail(TailWriter);

impl LotTail {
    /// `None` where it does not fit, with the numbers that are appended.
    pub fn new(lots: &[(NamedExecution, i64)]) -> Option<Self> {
        if lots.len() > NAMED_LOTS_MAX {
            return None;
        }
        let mut tail = TailWriter::new();
        for (execution, qty) in lots {
            tail.push_execution(execution)?;
            tail.push(&qty.to_le_bytes())?;
        }
        let mut whole = tail;
        for _ in lots {
            whole.push(&[0; size_of::<SelectedLot>()])?;
        }
        Some(Self(tail))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Event {
    /// The lots that a selection names, with the quantity of each.
    pub fn named_lots(&self) -> impl Iterator<Item = (NamedExecution, i64)> + '_ {
        let mut rest = self.tail();
        let count = usize::from(self.body::<LotSelect>().lots);
        let next = move || Some((take_execution(&mut rest)?, i64::from_le_bytes(take(&mut rest)?)));
        std::iter::from_fn(next).take(count)
    }

    /// Bytes of the tail that name lots; `None` where it is not what the body says.
    pub fn named_lots_len(&self) -> Option<usize> {
        let mut rest = self.tail();
        for _ in 0..self.body::<LotSelect>().lots {
            take_execution(&mut rest)?;
            take::<8>(&mut rest)?;
        }
        Some(self.tail().len() - rest.len())
    }

    /// The lots of an accepted selection.
    pub fn selected_lots(&self) -> impl Iterator<Item = SelectedLot> + '_ {
        let from = self.named_lots_len().unwrap_or(self.tail().len());
        self.tail()[from..]
            .chunks_exact(size_of::<SelectedLot>())
            .take(usize::from(self.body::<LotSelect>().lots))
            .map(bytemuck::pod_read_unaligned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;

    #[test]
    fn names_are_followed_by_numbers() {
        let name = |id: &str| NamedExecution {
            venue: VenueId(3),
            trade_date: 20_000,
            exec_id: ExecId::new(id).unwrap(),
        };
        let lots = [(name("X-1"), 5), (name("X-2"), 7)];
        let mut event = Event::empty();
        event.reset(Kind::LotSelect);
        event.body_mut::<LotSelect>().lots = 2;
        event.set_tail(LotTail::new(&lots).unwrap().as_bytes());
        assert_eq!(event.named_lots().collect::<Vec<_>>(), lots);
        assert_eq!(event.named_lots_len(), Some(event.tail().len()));
        assert_eq!(event.selected_lots().count(), 0);
        let rows = [SelectedLot { open: 11, qty: 5 }, SelectedLot { open: 12, qty: 7 }];
        assert!(event.append_tail(bytemuck::cast_slice(&rows)));
        assert_eq!(event.selected_lots().collect::<Vec<_>>(), rows);
        event.body_mut::<LotSelect>().lots = 9;
        assert_eq!(event.named_lots_len(), None);
        assert_eq!(event.selected_lots().count(), 0);
        assert!(LotTail::new(&[lots[0]; NAMED_LOTS_MAX + 1]).is_none());
    }
}
