//! Trades of an account and of its owner's other accounts.

use crate::error::ReportError;
use crate::trades::{Trade, Trades};
use crate::walk::{At, Gather};
use std::collections::BTreeMap;
use tradewind_domain::codes::Level;
use tradewind_domain::event::{Event, Execution, Kind};
use tradewind_domain::ids::{AccountId, NodeId, Seq};

/// The most nodes from an account up to the firm.
const CHAIN_MAX: usize = 16;

/// A trade, and whose it is.
pub(super) struct OwnTrade {
    pub(super) account: AccountId,
    pub(super) trade: Trade,
}

/// By the number of the trade's record; busted ones are gone.
#[derive(Default)]
pub(super) struct OwnerTrades {
    pub(super) by_seq: BTreeMap<Seq, OwnTrade>,
}

impl Gather for OwnerTrades {
    fn see(&mut self, event: &Event, at: &At<'_>) -> Result<(), ReportError> {
        if let Some(taken) = event.taken_back() {
            self.take_back(event, taken.trade_seq);
            return Ok(());
        }
        let is_trade = matches!(event.kind(), Some(Kind::VenueFill | Kind::TradeCapture));
        if !is_trade || event.is_rejected() {
            return Ok(());
        }
        let execution: &Execution = event.body();
        if execution.account == at.account || has_same_owner(at, execution.account) {
            let trade = Trades::trade(event, execution, at.day);
            let account = execution.account;
            self.by_seq.insert(event.head.seq, OwnTrade { account, trade });
        }
        Ok(())
    }
}

impl OwnerTrades {
    fn take_back(&mut self, event: &Event, trade_seq: Seq) {
        if event.kind() != Some(Kind::TradeCorrect) {
            self.by_seq.remove(&trade_seq);
        } else if let Some(own) = self.by_seq.get_mut(&trade_seq) {
            let new: &Execution = event.body();
            (own.trade.qty, own.trade.px) = (new.qty, new.px);
            (own.trade.principal, own.trade.fee) = (new.principal, new.fee);
        }
    }
}

/// True for an account below the same user. An account without a user above it has an owner of its own.
fn has_same_owner(at: &At<'_>, other: AccountId) -> bool {
    let user = user_above(at, at.account);
    !user.is_none() && user == user_above(at, other)
}

fn user_above(at: &At<'_>, account: AccountId) -> NodeId {
    let registry = at.replica.registry();
    let own = registry.account(account).map(|row| row.node);
    let above = |node: &NodeId| {
        registry
            .node(*node)
            .map(|row| row.parent)
            .filter(|parent| !parent.is_none())
    };
    let mut chain = std::iter::successors(own, above).take(CHAIN_MAX);
    let is_user = |node: &NodeId| {
        registry
            .node(*node)
            .is_some_and(|row| row.level == Level::User as u8)
    };
    chain.find(is_user).unwrap_or(NodeId::NONE)
}
