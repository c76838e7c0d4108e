//! Specific lots: a trade that was booked closes the lots that it names. The tax lots are made anew from the last flat position on; the
//! position itself, which is at average cost, does not change.

use super::Position;
use crate::lots::NamedLot;
use tradewind_domain::event::{Event, LotSelect, SelectedLot, execution_alerts};
use tradewind_domain::fixed::NetQty;

impl Position {
    /// Writes whether the lots can be made anew from the trade on.
    pub(super) fn process_select(&mut self, event: &mut Event) {
        let body: &mut LotSelect = event.body_mut();
        if self.way_to(body).is_none() {
            body.alerts |= execution_alerts::NOT_REPLAYED;
        }
    }

    fn way_to(&mut self, body: &LotSelect) -> Option<u64> {
        let held = self.positions.get(body.holding.index())?.qty.raw();
        self.movements.find_way(body.holding, held, body.trade_seq)
    }

    pub(super) fn on_select(&mut self, event: &Event) {
        let body: &LotSelect = event.body();
        if body.alerts & execution_alerts::NOT_REPLAYED != 0 {
            return;
        }
        let instrument = self.instruments.get(body.instrument.index()).copied();
        let rules = self.rules(body.instrument);
        let (Some(changed), Some(instrument), Some(rules)) = (self.way_to(body), instrument, rules) else {
            self.unplaced += 1;
            return;
        };
        let terms = self.tax.terms(body.account, rules);
        let mut lots = [NamedLot::default(); tradewind_domain::event::NAMED_LOTS_MAX];
        let mut count = 0;
        for (to, SelectedLot { open, qty }) in lots.iter_mut().zip(event.selected_lots()) {
            *to = NamedLot {
                open,
                qty: NetQty::from_raw(qty.into()),
            };
            count += 1;
        }
        let named = lots.into_iter().take(count);
        self.tax.select(
            body.holding,
            terms,
            (&mut self.movements, changed),
            named,
            &instrument,
        );
    }
}
