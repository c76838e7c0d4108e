//! What moved the positions of an account and of its owner's other accounts: trades, and corporate actions.

use super::units::SplitOf;
use crate::error::ReportError;
use crate::trades::{Trade, Trades};
use crate::walk::{At, Gather};
use std::collections::BTreeMap;
use tradewind_books::lots::NamedLot;
use tradewind_books::{Moved, Movement};
use tradewind_domain::codes::Level;
use tradewind_domain::corporate::Ratio;
use tradewind_domain::event::{CorporateAction, Event, Execution, Kind, LotSelect, execution_alerts};
use tradewind_domain::fixed::NetQty;
use tradewind_domain::ids::{AccountId, InstrumentId, NodeId, Seq};

/// The most nodes from an account up to the firm.
const CHAIN_MAX: usize = 16;

/// A trade, and whose it is.
pub(super) struct OwnTrade {
    pub(super) account: AccountId,
    pub(super) trade: Trade,
}

/// A trade among those of the owner: the number of its record, and the account, since an allocation books one for each.
pub(super) type TradeKey = (Seq, AccountId);

/// Busted trades are gone, corrected ones have their last version.
#[derive(Default)]
pub(super) struct OwnerTrades {
    pub(super) by_key: BTreeMap<TradeKey, OwnTrade>,
    /// All movements, in the order of their records: number, part, account.
    pub(super) movements: BTreeMap<(Seq, u32, AccountId), (InstrumentId, Movement)>,
    /// Lots that trades name.
    pub(super) named: BTreeMap<TradeKey, Vec<NamedLot>>,
    /// Splits of all instruments, whoever held them.
    pub(super) splits: BTreeMap<InstrumentId, Vec<SplitOf>>,
}

impl Gather for OwnerTrades {
    fn see(&mut self, event: &Event, at: &At<'_>) -> Result<(), ReportError> {
        if let Some(taken) = event.taken_back() {
            self.take_back(event, (taken.trade_seq, taken.account));
            return Ok(());
        }
        if event.kind() == Some(Kind::LotSelect) && !event.is_rejected() {
            let select: &LotSelect = event.body();
            if select.alerts & execution_alerts::NOT_REPLAYED == 0 {
                let lots = event.selected_lots().map(|lot| NamedLot {
                    open: lot.open,
                    qty: NetQty::from_raw(lot.qty.into()),
                });
                self.named
                    .insert((select.trade_seq, select.account), lots.collect());
            }
            return Ok(());
        }
        if event.kind() == Some(Kind::HolderSplit) {
            self.take_split(event);
        }
        let Some((whose, mut movement)) = Movement::of(event) else {
            return Ok(());
        };
        let account = whose.account;
        if account != at.account && !has_same_owner(at, account) {
            return Ok(());
        }
        if movement.moved() == Moved::Trade {
            let trade = Trades::trade(event, event.body(), at.day);
            movement = movement.on(trade.trade_day);
            self.by_key
                .insert((event.head.seq, account), OwnTrade { account, trade });
        }
        let key = (event.head.seq, event.head.part, account);
        self.movements.insert(key, (whose.instrument, movement));
        Ok(())
    }
}

impl OwnerTrades {
    /// Notes a split as it takes effect on prices, which is said once for all holders and before them.
    fn take_split(&mut self, event: &Event) {
        let body: &CorporateAction = event.body();
        let is_of_prices = body.holding.is_none() && body.node.is_none() && !event.is_rejected();
        let Some(ratio) = Ratio::new(body.numerator, body.denominator).filter(|_| is_of_prices) else {
            return;
        };
        self.splits.entry(body.instrument).or_default().push(SplitOf {
            seq: event.head.seq,
            day: body.ex_date,
            ratio,
        });
    }

    fn take_back(&mut self, event: &Event, trade: TradeKey) {
        let mut of_record = self
            .movements
            .range((trade.0, 0, AccountId(0))..=(trade.0, u32::MAX, AccountId::NONE));
        let found = of_record
            .find(|((_, _, account), (_, movement))| *account == trade.1 && movement.moved() == Moved::Trade);
        let Some((&key, &(instrument, movement))) = found else {
            return;
        };
        if event.kind() != Some(Kind::TradeCorrect) {
            self.by_key.remove(&trade);
            self.movements.remove(&key);
            return;
        }
        let new: &Execution = event.body();
        self.movements.insert(key, (instrument, movement.restated(new)));
        if let Some(own) = self.by_key.get_mut(&trade) {
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

/// The owner's node; none for an account without a user above it.
pub(super) fn user_above(at: &At<'_>, account: AccountId) -> NodeId {
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
