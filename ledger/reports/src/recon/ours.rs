//! Our side of a reconciliation, from the journal: what the accounts of a statement hold, and their trades.

use super::holdings::{Internal, Quantity};
use super::trades::Trade;
use crate::error::ReportError;
use crate::model::AsOf;
use crate::period::Period;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tradewind_domain::codes::Side;
use tradewind_domain::event::{Event, Execution, Kind};
use tradewind_domain::fixed::{Money, NetQty, Price, Qty};
use tradewind_domain::ids::{AccountId, InstrumentId, Seq};
use tradewind_domain::time::{DayNumber, UnixNanos};
use tradewind_views::{Names, Reader, ReplayOptions, Replica};

/// What our books say of some accounts.
#[derive(Clone, Debug, Default)]
pub struct Ours {
    /// Positions and cash by account.
    pub holdings: BTreeMap<String, Internal>,
    /// Trades that count, by account, in the order of their records.
    pub trades: BTreeMap<String, Vec<Trade>>,
    /// One minor unit of the currency of each instrument.
    pub minor_units: BTreeMap<String, Money>,
    /// The last input that is in it.
    pub as_of: AsOf,
}

/// Trades of our accounts: number of the record, and account, since an allocation books one for each.
type OwnTrades = BTreeMap<(Seq, AccountId), Own>;

struct Own {
    account: AccountId,
    instrument: InstrumentId,
    day: DayNumber,
    time_ns: UnixNanos,
    body: Execution,
}

impl Ours {
    /// Reads the journal of a data folder up to a moment. `trades` bounds the trade dates of the trades.
    pub fn read(
        data: &Path,
        accounts: &BTreeSet<String>,
        until: ReplayOptions,
        trades: Period,
    ) -> Result<Self, ReportError> {
        let mut reader = Reader::open(data)?;
        let mut replica = reader.replica();
        let mut event = Event::empty();
        let mut own: OwnTrades = BTreeMap::new();
        while reader.next_into(&mut event)?.is_some() {
            let head = &event.head;
            let is_over = until.to_seq.is_some_and(|to| head.seq > to)
                || until
                    .to_time_ns
                    .is_some_and(|to| head.part == 0 && head.recv_ns > to);
            if is_over {
                break;
            }
            replica.apply(&event)?;
            note(&event, accounts, &replica, &mut own);
        }
        own.retain(|_, own| trades.contains(own.day));
        Ok(Self::of(&replica, accounts, &own))
    }

    fn of(replica: &Replica, accounts: &BTreeSet<String>, own: &OwnTrades) -> Self {
        let names = Names(replica.registry());
        let last = replica.last();
        let mut ours = Self {
            as_of: AsOf {
                seq: last.seq,
                time_ns: last.recv_ns,
            },
            ..Self::default()
        };
        for (holding, row) in replica.positions().positions() {
            let account = names.account(row.account);
            if accounts.contains(&account) {
                let quantity = Quantity {
                    settled: replica.settle().custody(holding).settled,
                    traded: NetQty::from_raw(row.qty.raw()),
                };
                let held = &mut ours.holdings.entry(account).or_default().positions;
                held.insert(names.symbol(row.instrument), quantity);
            }
        }
        for (_, wallet) in replica.settle().wallets() {
            let account = names.account(wallet.account);
            if accounts.contains(&account) {
                let held = &mut ours.holdings.entry(account).or_default().cash;
                held.insert(names.currency(wallet.currency), wallet.settled);
            }
        }
        for own in own.values() {
            let account = names.account(own.account);
            ours.trades.entry(account).or_default().push(trade(own, names));
        }
        for instrument in replica.registry().instruments() {
            let minor = 10_i128.pow(8 - u32::from(instrument.money_dp.min(8)));
            ours.minor_units
                .insert(instrument.symbol.to_string(), Money::from_raw(minor));
        }
        ours
    }
}

/// Keeps trades of the accounts: corrected ones with their last version, busted ones not at all.
fn note(event: &Event, accounts: &BTreeSet<String>, replica: &Replica, own: &mut OwnTrades) {
    if let Some(taken) = event.taken_back() {
        let trade = (taken.trade_seq, taken.account);
        if event.kind() != Some(Kind::TradeCorrect) {
            own.remove(&trade);
        } else if let Some(own) = own.get_mut(&trade) {
            let new: &Execution = event.body();
            (own.body.qty, own.body.px, own.body.fee) = (new.qty, new.px, new.fee);
        }
        return;
    }
    let is_trade = matches!(event.kind(), Some(Kind::VenueFill | Kind::TradeCapture));
    if !is_trade || event.is_rejected() {
        return;
    }
    let body: &Execution = event.body();
    if !accounts.contains(&Names(replica.registry()).account(body.account)) {
        return;
    }
    let day = match body.trade_date {
        0 => body.trade_day,
        reported => reported,
    };
    let time_ns = match event.head.origin_ns {
        0 => event.head.recv_ns,
        origin_ns => origin_ns,
    };
    let (account, instrument, body) = (body.account, body.instrument, *body);
    own.insert(
        (event.head.seq, account),
        Own {
            account,
            instrument,
            day,
            time_ns,
            body,
        },
    );
}

fn trade(own: &Own, names: Names<'_>) -> Trade {
    let body = &own.body;
    let is_buy = Side::from_code(body.side).is_some_and(Side::is_buy);
    Trade {
        venue: body.venue.0.to_string(),
        exec_id: Some(body.exec_id.to_string()),
        order_id: (!body.order_id.is_none()).then(|| body.order_id.to_string()),
        symbol: names.symbol(own.instrument),
        side: Some(if is_buy { "BUY" } else { "SELL" }.to_owned()),
        qty: Qty::from_raw(body.qty),
        px: Price::from_raw(body.px),
        fee: Some(body.fee),
        time_ns: Some(own.time_ns),
        trade_date: Some(own.day),
    }
}
