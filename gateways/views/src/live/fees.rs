//! Fee schedules in force, with the names that people gave them.
//!
//! Invariant: as many as the limit check has; it refuses more than that.

use std::collections::BTreeMap;
use tradewind_domain::event::{Event, FeeScheduleSet, Kind};
use tradewind_domain::ids::{AccountId, InstrumentId, VenueId};

/// What a schedule is for; none means all.
type Scope = (AccountId, InstrumentId, VenueId);

/// All schedules.
#[derive(Default)]
pub(super) struct FeeSchedules(BTreeMap<Scope, FeeScheduleSet>);

impl FeeSchedules {
    /// Takes an event of the journal.
    pub(super) fn observe(&mut self, event: &Event) {
        if event.kind() != Some(Kind::FeeScheduleSet) || event.is_rejected() {
            return;
        }
        let set: &FeeScheduleSet = event.body();
        let scope = (set.account, set.instrument, set.venue);
        match set.model {
            0 => drop(self.0.remove(&scope)),
            _ => drop(self.0.insert(scope, *set)),
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &FeeScheduleSet> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::reject::RejectCode;

    fn set(model: u8, venue: u16) -> Event {
        let mut event = Event::empty();
        event.reset(Kind::FeeScheduleSet);
        let body: &mut FeeScheduleSet = event.body_mut();
        (body.model, body.venue) = (model, VenueId(venue));
        event
    }

    #[test]
    fn the_last_accepted_schedule_of_a_scope_counts_and_model_0_takes_it_away() {
        let mut fees = FeeSchedules::default();
        let mut refused = set(3, 1);
        refused.reject(RejectCode::InvalidValue);
        for event in [set(1, 1), set(2, 1), set(1, 2), refused] {
            fees.observe(&event);
        }
        let models = |fees: &FeeSchedules| fees.all().map(|set| (set.venue.0, set.model)).collect::<Vec<_>>();
        assert_eq!(models(&fees), [(1, 2), (2, 1)]);
        fees.observe(&set(0, 1));
        assert_eq!(models(&fees), [(2, 1)]);
    }
}
