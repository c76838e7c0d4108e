//! Fees of executions and orders by the schedules in force. A fee that the venue reports wins, and its fill does not count for the
//! schedule.

use super::book::Book;
use crate::fees::{FeeScope, schedule_of};
use crate::hierarchy::Chain;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Event, Execution, FeeScheduleSet, execution_flags};
use tradewind_domain::fees::{self, FeeFill, FeeSchedule, FeeState};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, InstrumentId, VenueId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::{Note, RejectCode};

/// Code of a fill that made liquidity, in [`Execution::liquidity`].
const MAKER: u8 = 1;

impl Book {
    /// Decides a schedule: its figures make sense and there is room for it. Model 0 removes it.
    pub(super) fn decide_fee_schedule(&self, event: &mut Event) {
        let set: &FeeScheduleSet = event.body();
        let scope = FeeScope {
            account: set.account,
            instrument: set.instrument,
            venue: set.venue,
        };
        let is_valid = set.model == 0 || schedule_of(set.model, set.params, set.flags).is_some();
        let code = Note::first(event.head.notes).or(match (is_valid, self.fees.has_room(scope)) {
            (false, _) => Some(RejectCode::InvalidValue),
            (_, false) => Some(RejectCode::Capacity),
            _ => None,
        });
        if let Some(code) = code {
            event.reject(code);
        }
    }

    /// Makes an accepted schedule true.
    pub(super) fn apply_fee_schedule(&mut self, event: &Event) {
        if !event.is_rejected() && !self.fees.set(event.body()) {
            self.faults += 1;
        }
    }

    /// Writes the fee of an execution: the reported one, else the schedule's, else none.
    pub(super) fn write_fee(
        &self,
        instrument: &Instrument,
        execution: &mut Execution,
    ) -> Result<(), RejectCode> {
        if execution.flags & execution_flags::HAS_FEE == 0 {
            execution.fee = match self.charge_of(execution) {
                None => Money::ZERO,
                Some((schedule, state, fill)) => {
                    let charge = fees::charge(&schedule, instrument, &state, &fill);
                    charge.ok_or(RejectCode::Overflow)?.0
                }
            };
        }
        if execution.fee.is_postable() {
            Ok(())
        } else {
            Err(RejectCode::Overflow)
        }
    }

    /// Counts a booked execution for its order's schedule, at the fee that was recorded.
    pub(super) fn count_fee(&mut self, instrument: &Instrument, execution: &Execution) {
        if self.fees.is_empty() || execution.slot.is_none() || execution.flags & execution_flags::HAS_FEE != 0
        {
            return;
        }
        let Some((schedule, state, fill)) = self.charge_of(execution) else {
            return;
        };
        match fees::charged(&schedule, instrument, &state, &fill, execution.fee) {
            Some(state) => self.fees.note(execution.slot, execution.order_id, state),
            None => self.faults += 1,
        }
    }

    fn charge_of(&self, execution: &Execution) -> Option<(FeeSchedule, FeeState, FeeFill)> {
        let schedule = self.fees.schedule(FeeScope {
            account: execution.account,
            instrument: execution.instrument,
            venue: execution.venue,
        })?;
        let fill = FeeFill {
            side: Side::from_code(execution.side)?,
            qty: execution.qty,
            px: execution.px,
            is_maker: execution.liquidity == MAKER,
        };
        let state = self.fees.state(execution.slot, execution.order_id);
        Some((schedule, state, fill))
    }

    /// The estimated fee of an order by its schedule; `None` where it has none.
    #[inline]
    pub(super) fn scheduled_estimate(
        &self,
        chain: &Chain,
        instrument: &Instrument,
        side: Side,
        (qty, px): (i64, i64),
    ) -> Option<Result<i128, RejectCode>> {
        if self.fees.is_empty() {
            return None;
        }
        let account = self
            .account_node(chain)
            .map_or(AccountId::NONE, |(_, row)| row.account);
        let schedule = self.fees.schedule(place(account, instrument.id))?;
        let fee = fees::estimate(&schedule, instrument, side, qty, px);
        // Nobody holds less for an order because its venue may pay for it.
        Some(fee.map(|fee| fee.raw().max(0)).ok_or(RejectCode::Overflow))
    }
}

/// Orders name no venue.
fn place(account: AccountId, instrument: InstrumentId) -> FeeScope {
    FeeScope {
        account,
        instrument,
        venue: VenueId::NONE,
    }
}
