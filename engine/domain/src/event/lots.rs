//! The body of a selection of lots, and what its tail names.
//!
//! A source names lots by the executions that opened them, and may say why behind the names. The limit check appends the numbers of their
//! records, which is what the lots themselves are called by.

use super::named::{NamedExecution, TailWriter, take, take_execution};
use super::{Body, Event, TAIL_MAX};
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

    /// With the reason behind the names, as much of it as leaves room for the numbers of so many lots.
    pub fn with_reason(mut self, reason: &[u8], lots: usize) -> Self {
        let room = TAIL_MAX
            .saturating_sub(self.0.as_bytes().len())
            .saturating_sub(lots * size_of::<SelectedLot>());
        self.0.push_cut(&reason[..reason.len().min(room)]);
        self
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

    /// What the tail of a selection has from the source: names of lots and the reason, without the numbers of an accepted one.
    pub fn lots_from_source(&self) -> &[u8] {
        let tail = self.tail();
        let numbers = usize::from(self.body::<LotSelect>().lots) * size_of::<SelectedLot>();
        let has_numbers = |names: &usize| !self.is_rejected() && names + numbers <= tail.len();
        match self.named_lots_len().filter(has_numbers) {
            Some(_) => &tail[..tail.len() - numbers],
            None => tail,
        }
    }

    /// Why lots are selected.
    pub fn lots_reason(&self) -> &[u8] {
        let names = self.named_lots_len().unwrap_or(usize::MAX);
        self.lots_from_source().get(names..).unwrap_or_default()
    }

    /// The lots of an accepted selection.
    pub fn selected_lots(&self) -> impl Iterator<Item = SelectedLot> + '_ {
        self.tail()[self.lots_from_source().len()..]
            .chunks_exact(size_of::<SelectedLot>())
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
        assert_eq!((event.selected_lots().count(), event.lots_reason().len()), (0, 0));
        let rows = [SelectedLot { open: 11, qty: 5 }, SelectedLot { open: 12, qty: 7 }];
        assert!(event.append_tail(bytemuck::cast_slice(&rows)));
        assert_eq!(event.selected_lots().collect::<Vec<_>>(), rows);
        event.body_mut::<LotSelect>().lots = 9;
        assert_eq!(event.named_lots_len(), None);
        assert_eq!((event.selected_lots().count(), event.lots_reason().len()), (0, 0));
        assert!(LotTail::new(&[lots[0]; NAMED_LOTS_MAX + 1]).is_none());
    }

    #[test]
    fn a_reason_stands_between_names_and_numbers_and_leaves_them_room() {
        let name = NamedExecution {
            venue: VenueId(3),
            trade_date: 20_000,
            exec_id: ExecId::new("X-1").unwrap(),
        };
        for reason in [&b"as the client asked"[..], &[b'x'; TAIL_MAX]] {
            let tail = LotTail::new(&[(name, 5)]).unwrap().with_reason(reason, 1);
            let mut event = Event::empty();
            event.reset(Kind::LotSelect);
            event.body_mut::<LotSelect>().lots = 1;
            event.set_tail(tail.as_bytes());
            let row = SelectedLot { open: 11, qty: 5 };
            assert!(event.append_tail(bytemuck::bytes_of(&row)));
            assert!(reason.starts_with(event.lots_reason()) && !event.lots_reason().is_empty());
            assert_eq!(event.selected_lots().collect::<Vec<_>>(), [row]);
            assert_eq!(event.lots_from_source(), tail.as_bytes());
        }
    }
}
