//! Fee schedules in force, by account, instrument and venue, and what orders were charged by them.
//!
//! # Invariants
//! - Of the schedules that fit an execution the one that names its account wins, then its instrument, then its venue.
//! - What an order was charged stands in a row of its own beside the order table, and is read only where a schedule applies.
//! - No allocation after [`Fees::new`].

use crate::hierarchy::hash;
use bytemuck::{Pod, Zeroable, bytes_of};
use hashbrown::HashTable;
use tradewind_domain::event::FeeScheduleSet;
use tradewind_domain::fees::{FeeModel, FeeSchedule, FeeState, fee_flags};
use tradewind_domain::ids::{AccountId, InstrumentId, OrderId, OrderSlot, VenueId};

/// Schedules that can be held: a further one is refused with CAPACITY.
pub const SCHEDULES_MAX: usize = 1_024;

/// What a schedule is for; none means all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeScope {
    /// Account.
    pub account: AccountId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Venue.
    pub venue: VenueId,
}

impl FeeScope {
    fn hash(self) -> u64 {
        let places = (u64::from(self.account.0) << 32) | u64::from(self.instrument.0);
        hash(places) ^ u64::from(self.venue.0)
    }

    /// Which of its parts are named: account 4, instrument 2, venue 1.
    fn shape(self) -> u8 {
        u8::from(!self.account.is_none()) << 2
            | u8::from(!self.instrument.is_none()) << 1
            | u8::from(!self.venue.is_none())
    }

    /// With only the parts of a shape.
    fn reduced(self, shape: u8) -> Self {
        Self {
            account: if shape & 4 != 0 {
                self.account
            } else {
                AccountId::NONE
            },
            instrument: if shape & 2 != 0 {
                self.instrument
            } else {
                InstrumentId::NONE
            },
            venue: if shape & 1 != 0 { self.venue } else { VenueId::NONE },
        }
    }
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Row {
    params: [i64; 6],
    account: AccountId,
    instrument: InstrumentId,
    venue: VenueId,
    /// 0 where the schedule was removed.
    model: u8,
    flags: u8,
    reserved: u32,
}

impl Row {
    fn scope(&self) -> FeeScope {
        FeeScope {
            account: self.account,
            instrument: self.instrument,
            venue: self.venue,
        }
    }
}

/// What an order was charged. The order says whose it is: rows are not cleared when orders come and go.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Charged {
    state: FeeState,
    order: u64,
    reserved: u64,
}

/// All schedules, and what orders were charged.
pub struct Fees {
    rows: Vec<Row>,
    index: HashTable<u32>,
    /// Shapes of scopes that schedules have.
    shapes: [bool; 8],
    charged: Vec<Charged>,
}

impl Fees {
    /// Nothing is charged; room for the slots of an order table.
    pub fn new(order_slots: u32) -> Self {
        Self {
            rows: Vec::with_capacity(SCHEDULES_MAX),
            index: HashTable::with_capacity(SCHEDULES_MAX),
            shapes: [false; 8],
            charged: vec![Charged::zeroed(); order_slots as usize],
        }
    }

    /// True where no schedule was ever set.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// True where a schedule of this scope can be set.
    pub fn has_room(&self, scope: FeeScope) -> bool {
        self.rows.len() < SCHEDULES_MAX || self.find(scope).is_some()
    }

    fn find(&self, scope: FeeScope) -> Option<u32> {
        let is_it = |&at: &u32| self.rows[at as usize].scope() == scope;
        self.index.find(scope.hash(), is_it).copied()
    }

    /// Sets, changes or removes the schedule of a scope. False where there is no room.
    pub fn set(&mut self, event: &FeeScheduleSet) -> bool {
        let row = Row {
            params: event.params,
            account: event.account,
            instrument: event.instrument,
            venue: event.venue,
            model: event.model,
            flags: event.flags,
            reserved: 0,
        };
        let scope = row.scope();
        if let Some(at) = self.find(scope) {
            self.rows[at as usize] = row;
            return true;
        }
        if self.rows.len() == SCHEDULES_MAX {
            return false;
        }
        let at = self.rows.len() as u32;
        self.rows.push(row);
        self.shapes[usize::from(scope.shape())] = true;
        let rows = &self.rows;
        self.index
            .insert_unique(scope.hash(), at, |&at| rows[at as usize].scope().hash());
        true
    }

    /// The schedule that an account, an instrument and a venue fall under.
    #[inline]
    pub fn schedule(&self, place: FeeScope) -> Option<FeeSchedule> {
        if self.is_empty() {
            return None;
        }
        let shapes = (0..8u8).rev().filter(|&shape| self.shapes[usize::from(shape)]);
        shapes.map(|shape| place.reduced(shape)).find_map(|scope| {
            let row = &self.rows[self.find(scope)? as usize];
            schedule_of(row.model, row.params, row.flags)
        })
    }

    /// What an order was charged so far.
    pub fn state(&self, slot: OrderSlot, order: OrderId) -> FeeState {
        let row = self.charged.get(slot.index());
        row.filter(|row| row.order == order.0)
            .map_or(FeeState::default(), |row| row.state)
    }

    /// Notes what an order was charged.
    pub fn note(&mut self, slot: OrderSlot, order: OrderId, state: FeeState) {
        if let Some(row) = self.charged.get_mut(slot.index()) {
            *row = Charged {
                state,
                order: order.0,
                reserved: 0,
            };
        }
    }

    /// Feeds schedules and charges to a hash.
    pub fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for row in &self.rows {
            sink(bytes_of(row));
        }
        for (at, row) in (0u64..).zip(&self.charged).filter(|(_, row)| row.order != 0) {
            sink(&at.to_le_bytes());
            sink(bytes_of(row));
        }
    }
}

/// The schedule of an event's figures; `None` for one that is removed, or whose figures make no sense.
pub fn schedule_of(model: u8, params: [i64; 6], flags: u8) -> Option<FeeSchedule> {
    let schedule = FeeSchedule {
        model: FeeModel::from_code(model)?,
        params,
        has_maker_rate: flags & fee_flags::HAS_MAKER_RATE != 0,
    };
    (schedule.is_valid() && flags & !fee_flags::HAS_MAKER_RATE == 0).then_some(schedule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::fixed::ONE;

    const ANY: FeeScope = FeeScope {
        account: AccountId::NONE,
        instrument: InstrumentId::NONE,
        venue: VenueId::NONE,
    };
    const PLACE: FeeScope = FeeScope {
        account: AccountId(1),
        instrument: InstrumentId(2),
        venue: VenueId(3),
    };

    fn flat(scope: FeeScope, amount: i64) -> FeeScheduleSet {
        FeeScheduleSet {
            params: [amount * ONE, 0, 0, 0, 0, 0],
            model: FeeModel::Flat as u8,
            account: scope.account,
            instrument: scope.instrument,
            venue: scope.venue,
            ..FeeScheduleSet::zeroed()
        }
    }

    fn rate(fees: &Fees, place: FeeScope) -> Option<i64> {
        fees.schedule(place).map(|schedule| schedule.params[0] / ONE)
    }

    #[test]
    fn the_narrowest_schedule_counts_and_one_that_is_removed_gives_way() {
        let mut fees = Fees::new(4);
        assert_eq!(rate(&fees, PLACE), None);
        for shape in 0..8u8 {
            assert!(fees.set(&flat(PLACE.reduced(shape), shape.into())));
            assert_eq!(rate(&fees, PLACE), Some(shape.into()), "{shape}");
        }
        let elsewhere = FeeScope {
            account: AccountId(9),
            ..PLACE
        };
        assert_eq!(rate(&fees, elsewhere), Some(3), "instrument and venue");
        let removed = FeeScheduleSet {
            model: 0,
            ..flat(PLACE, 7)
        };
        assert!(fees.set(&removed));
        assert_eq!(rate(&fees, PLACE), Some(6));
        assert_eq!(rate(&fees, ANY), Some(0));
    }

    #[test]
    fn a_full_table_changes_what_it_has_and_takes_no_more() {
        let mut fees = Fees::new(1);
        let of = |id: u32| FeeScope {
            account: AccountId(id),
            ..ANY
        };
        for id in 0..SCHEDULES_MAX as u32 {
            assert!(fees.has_room(of(id)) && fees.set(&flat(of(id), 1)));
        }
        let next = of(SCHEDULES_MAX as u32);
        assert!(!fees.has_room(next) && !fees.set(&flat(next, 1)));
        assert!(fees.has_room(of(5)) && fees.set(&flat(of(5), 2)));
        assert_eq!(rate(&fees, of(5)), Some(2));
    }

    #[test]
    fn charges_are_the_orders_that_has_the_slot() {
        let mut fees = Fees::new(2);
        let (slot, order) = (OrderSlot(1), OrderId(7));
        let mut state = FeeState::default();
        bytemuck::bytes_of_mut(&mut state)[0] = 1;
        fees.note(slot, order, state);
        assert_eq!(fees.state(slot, order), state);
        assert_eq!(fees.state(slot, OrderId(8)), FeeState::default());
        fees.note(OrderSlot::NONE, order, state);
        assert_eq!(fees.state(OrderSlot::NONE, order), FeeState::default());
    }
}
