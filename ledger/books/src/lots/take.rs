//! What a movement of a position does to its lots: the one road for trades and corporate actions.

use super::{Action, Closing, Lots, NamedLot, Outcome, Terms, Trade};
use crate::replay::{Moved, Movement};
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::HoldingId;
use tradewind_domain::reference::Instrument;

impl Lots {
    /// Takes a movement; a trade closes the lots that it names first. Every piece that it realises goes to `sink`. A holding without a row changes nothing.
    pub fn take(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        (movement, named): (&Movement, &[NamedLot]),
        instrument: &Instrument,
        sink: &mut impl FnMut(&Closing),
    ) -> Outcome {
        let Some(&head) = self.head(holding) else {
            return Outcome::default();
        };
        let action = Action {
            id: movement.seq,
            day: movement.day,
        };
        let trade = |qty: i128, value: Money, fee: Money| Trade {
            id: action.id,
            qty: NetQty::from_raw(qty),
            value,
            fee,
            day: action.day,
            named,
        };
        match movement.moved() {
            Moved::Trade => {
                let trade = trade(movement.qty.into(), movement.principal, movement.fee);
                self.trade(holding, terms, &trade, sink)
            }
            Moved::Split => match movement.split_of(head.qty, instrument) {
                Some((ratio, _, cash)) => {
                    let by = (ratio, instrument.lot);
                    self.split(holding, terms, action, by, cash, sink)
                }
                None => Outcome::default(),
            },
            Moved::Margin => {
                let value = movement.value_of(head.qty, instrument);
                self.revalue(holding, terms, action, value, sink)
            }
            Moved::Settled => {
                let value = movement.value_of(head.qty, instrument);
                let trade = trade(head.qty.raw().wrapping_neg(), value, Money::ZERO);
                self.trade(holding, terms, &trade, sink)
            }
        }
    }
}
