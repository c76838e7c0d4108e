//! Cash of an account in base currency, for limits that look at all of it (L29, `cash = "BASE"`): what it has over its wallets, and what its
//! open orders need.
//!
//! # Invariants
//! - Once such a limit was set, `need_in_base` of the wallets is the sum over open orders of what each needs at the fee estimate that its
//!   account has now: orders that were open before count too, and a new estimate counts for all.
//! - Nothing is kept, and nothing costs time, before.

use super::book::Book;
use crate::hierarchy::NodeRow;
use crate::limits::cash::need_in_base;
use crate::orders::table::OrderRow;
use tradewind_domain::ids::{AccountId, CurrencyId, NodeId, OrderSlot, WalletId};

/// All cash of an account in base currency, 1e-16.
#[derive(Clone, Copy, Default)]
pub(super) struct BaseCash {
    /// What it has, without what binary shorts must hold.
    pub(super) held: i128,
    /// The part of it that is not settled yet.
    pub(super) unsettled: i128,
    /// What open orders need.
    pub(super) needed: i128,
}

impl Book {
    /// The account's cash over all its wallets; `None` where the currency of one of them has no rate.
    pub(super) fn base_cash(&self, account: AccountId) -> Option<BaseCash> {
        let mut sum = BaseCash::default();
        for currency in (0..self.wallets.currencies()).map(CurrencyId) {
            let Some(row) = self.wallets.row(self.wallets.find(account, currency)) else {
                continue;
            };
            let (held, unsettled) = (row.settled.raw() - row.collateral.raw(), self.unsettled_cash(row));
            if held != 0 || unsettled != 0 {
                let rate = i128::from(self.market.rate(currency)?);
                sum.held = sum.held.saturating_add(held.saturating_mul(rate));
                sum.unsettled = sum.unsettled.saturating_add(unsettled.saturating_mul(rate));
            }
            sum.needed = sum.needed.saturating_add(row.need_in_base);
        }
        Some(sum)
    }

    /// What the order in a slot needs now; nothing where no limit asks, or where it is closed.
    #[inline]
    pub(super) fn need_of(&self, slot: OrderSlot) -> i128 {
        if !self.limits.counts_base {
            return 0;
        }
        let row = self.orders.get(slot).filter(|row| row.order_state().is_open());
        row.map_or(0, |row| self.need_of_row(row))
    }

    /// Notes what an order's wallet has to hold in base currency for it, where it held `before` so far.
    #[inline]
    pub(super) fn note_need(&mut self, slot: OrderSlot, wallet: WalletId, before: i128) {
        if !self.limits.counts_base {
            return;
        }
        let after = self.need_of(slot);
        if let Some(wallet) = self.wallets.row_mut(wallet) {
            wallet.need_in_base = wallet.need_in_base.saturating_add(after - before);
        }
    }

    /// Takes what all open orders need out of their wallets, or puts it there: around a change of the estimates.
    #[cold]
    pub(super) fn note_all_needs(&mut self, is_put: bool) {
        if !self.limits.counts_base {
            return;
        }
        let mut at = self.orders.first_open();
        while let Some(slot) = at {
            at = self.orders.next_open(slot);
            let need = self.need_of(slot);
            let wallet = self.orders.get(slot).map_or(WalletId::NONE, |row| row.wallet);
            if let Some(wallet) = self.wallets.row_mut(wallet) {
                wallet.need_in_base += if is_put { need } else { -need };
            }
        }
    }

    fn need_of_row(&self, row: &OrderRow) -> i128 {
        let value = row.reserved_value().raw() - row.closing_value();
        need_in_base(row.reserved_cash().raw(), value, self.fee_bps_of(row.leaf))
    }

    /// The fee estimate of the narrowest node on a leaf's chain that has one.
    fn fee_bps_of(&self, leaf: NodeId) -> u16 {
        let mut node = leaf;
        while let Some(row) = self.hierarchy.node(node) {
            if row.fee_bps != NodeRow::NO_FEE {
                return row.fee_bps;
            }
            node = NodeId(row.parent);
        }
        0
    }
}
