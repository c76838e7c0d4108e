//! Tax lots: the lots of every holding under its account's method, from the same movements as the position itself.
//!
//! # Invariants
//! - The quantities of a holding's lots add up to its position.
//! - Lots follow from recorded integers (quantity, principal, fee, cash) and numbered methods alone. No verdict, posting or average cost
//!   reads them: they are worked out wherever records are applied, as the legs of postings are.
//!
//! Not here: which lot a trade closes ([`crate::lots`]); reports of what was closed, which read the visitor.

use crate::average::{Restated, add, in_base, side_sign};
use crate::lots::{Action, LotHead, Lots, NamedLot, Outcome, Rules, Terms, Trade};
use crate::replay::{Movement, Movements, Version};
use tradewind_domain::codes::LotMethod;
use tradewind_domain::event::{LotMethodSet, TakenBack};
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_domain::ids::{AccountId, HoldingId};
use tradewind_domain::reference::Instrument;

/// [`TaxLots::methods`]: fees are in the basis.
const FEE_IN_BASIS: u8 = 0x80;

/// The tax lots of all holdings.
pub(crate) struct TaxLots {
    lots: Lots,
    /// By account: [`LotMethod`], and [`FEE_IN_BASIS`].
    methods: Vec<u8>,
}

impl TaxLots {
    pub(crate) fn new() -> Self {
        Self {
            lots: Lots::new(0, 0),
            methods: Vec::new(),
        }
    }

    /// Room for a run's tables. Allocates, at start-up only.
    pub(crate) fn grow(&mut self, accounts: u32, holdings: u32, lots: u32) {
        self.methods.resize(self.methods.len().max(accounts as usize), 0);
        self.lots.grow(holdings, lots);
    }

    pub(crate) fn set_method(&mut self, set: &LotMethodSet) {
        if let Some(held) = self.methods.get_mut(set.account.index()) {
            *held = set.method | if set.fee_in_basis == 0 { 0 } else { FEE_IN_BASIS };
        }
    }

    /// How an account's lots are kept.
    pub(crate) fn terms(&self, account: AccountId, rules: Rules) -> Terms {
        let (method, fee_in_basis) = self.method(account);
        Terms {
            rules,
            method,
            fee_in_basis,
        }
    }

    /// The method of an account, and whether fees are part of the cost.
    pub(crate) fn method(&self, account: AccountId) -> (LotMethod, bool) {
        let held = self.methods.get(account.index()).copied().unwrap_or(0);
        let method = LotMethod::from_code(held & !FEE_IN_BASIS).unwrap_or(LotMethod::Fifo);
        (method, held & FEE_IN_BASIS != 0)
    }

    pub(crate) fn lots(&self) -> &Lots {
        &self.lots
    }

    /// Takes a movement, with the lots that it names.
    #[inline]
    pub(crate) fn take(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        (movement, named): (&Movement, &[NamedLot]),
        instrument: &Instrument,
    ) {
        let outcome = self
            .lots
            .take(holding, terms, (movement, named), instrument, &mut |_| {});
        if !outcome.realised.is_zero() {
            self.lots
                .add_base(holding, in_base(outcome.realised, movement.rate));
        }
    }

    fn trade(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        action: Action,
        qty: i128,
        version: &Version,
    ) -> Outcome {
        let trade = Trade {
            id: action.id,
            qty: NetQty::from_raw(qty),
            value: version.principal,
            fee: version.fee,
            day: action.day,
            named: &[],
        };
        self.lots.trade(holding, terms, &trade, &mut |_| {})
    }

    /// Replays a way with another version of a trade. Profit is what the lots realised, corrected by what they had drifted from the way
    /// (lots that were merged meanwhile), so that profit and cost together stay the money that moved.
    pub(crate) fn replay(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        (movements, changed): (&Movements, u64),
        version: Version,
        instrument: &Instrument,
    ) {
        let Some(&before) = self.lots.head(holding) else {
            return;
        };
        let old = self.run_way(holding, terms, (movements, changed), None, instrument);
        let new = self.run_way(holding, terms, (movements, changed), Some(version), instrument);
        self.keep_money(holding, terms, before, (old, new));
    }

    /// Replays a way on which a trade names other lots than before.
    pub(crate) fn select(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        (movements, changed): (&mut Movements, u64),
        lots: impl ExactSizeIterator<Item = NamedLot>,
        instrument: &Instrument,
    ) {
        let Some(&before) = self.lots.head(holding) else {
            return;
        };
        let old = self.run_way(holding, terms, (&*movements, changed), None, instrument);
        movements.name(changed, lots);
        let new = self.run_way(holding, terms, (&*movements, changed), None, instrument);
        self.keep_money(holding, terms, before, (old, new));
    }

    /// Makes the lots of a way anew.
    fn run_way(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        (movements, changed): (&Movements, u64),
        version: Option<Version>,
        instrument: &Instrument,
    ) -> LotHead {
        self.lots.clear(holding);
        for movement in movements.on_way(changed, version) {
            let named = movements.named(&movement);
            self.take(holding, terms, (&movement, named), instrument);
        }
        self.lots.head(holding).copied().unwrap_or(LotHead::EMPTY)
    }

    /// Profit and cost stay the money that moved: what the lots had drifted from the old way stays with the new one.
    fn keep_money(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        before: LotHead,
        (old, new): (LotHead, LotHead),
    ) {
        let flow = |head: &LotHead| money_moved(head, terms.rules);
        let moved = flow(&before).wrapping_add(flow(&new)).wrapping_sub(flow(&old));
        let held = new.qty.raw().signum().wrapping_mul(new.cost.raw());
        let gain = moved.wrapping_add(held);
        let realised = Money::from_raw(if terms.rules.inverse {
            gain.wrapping_neg()
        } else {
            gain
        });
        let base = add(
            before.realised_base,
            add(new.realised_base, old.realised_base.neg()),
        );
        self.lots.set_realised(holding, realised, base);
    }

    /// Restates a trade whose way is forgotten, at a base rate: an opposite trade, the new version, and what splits since have made of
    /// the difference.
    pub(crate) fn adjust(
        &mut self,
        holding: HoldingId,
        terms: Terms,
        (action, rate): (Action, i64),
        taken: &TakenBack,
        new: &Restated,
    ) {
        let sign = side_sign(taken.side);
        let back = Version {
            qty: 0,
            principal: taken.principal,
            fee: taken.fee.neg(),
        };
        let version = new.version(taken);
        let trades = [
            (-sign * i128::from(taken.qty), back),
            (version.qty.into(), version),
            (new.adjustment.qty.into(), Version::default()),
        ];
        for (qty, version) in trades {
            let outcome = self.trade(holding, terms, action, qty, &version);
            self.lots.add_base(holding, in_base(outcome.realised, rate));
        }
    }

    pub(crate) fn digest(&self, sink: &mut dyn FnMut(&[u8])) {
        for (account, method) in (0u32..).zip(&self.methods).filter(|(_, method)| **method != 0) {
            sink(&account.to_le_bytes());
            sink(&[*method]);
        }
        self.lots.digest(sink);
    }
}

/// Net money of the trades behind a holding's lots: profit less what the position holds.
fn money_moved(head: &LotHead, rules: Rules) -> i128 {
    let realised = if rules.inverse {
        head.realised.raw().wrapping_neg()
    } else {
        head.realised.raw()
    };
    realised.wrapping_sub(head.qty.raw().signum().wrapping_mul(head.cost.raw()))
}

#[cfg(test)]
#[path = "tax_tests.rs"]
mod tests;
