//! Profit in base currency: each piece at the rate of its record, and nothing said where no rate is known.

mod support;

use bytemuck::Zeroable;
use support::play::Play;
use support::{Cluster, assert_same, follow, made_anew};
use tradewind_domain::event::{CurrencySet, Execution, FxRate, InstrumentSet, Kind};
use tradewind_domain::fixed::Money;
use tradewind_domain::ids::{AccountId, CurrencyId, HoldingId, InstrumentId, NodeId, OrderId, WalletId};
use tradewind_domain::reference::Instrument;
use tradewind_domain::text::Text;
use tradewind_machine::clock::Clock;
use tradewind_store::{Contents, Store, Target, contents};

const CENT: i128 = 1_000_000;

fn currency(id: u16, code: &str) -> CurrencySet {
    CurrencySet {
        code: Text::lossy(code),
        money_dp: 2,
        currency: CurrencyId(id),
        ..CurrencySet::zeroed()
    }
}

/// An instrument with the number and in the currency of this id.
fn instrument(id: u16) -> InstrumentSet {
    let mut body = InstrumentSet::zeroed();
    body.row = Instrument {
        symbol: Text::lossy(format!("S{id}")),
        id: InstrumentId(id.into()),
        currency: CurrencyId(id),
        ..Instrument::default_linear()
    };
    body
}

fn rate(id: u16, rate: i64) -> FxRate {
    FxRate {
        rate,
        rate_dp: 8,
        currency: CurrencyId(id),
        ..FxRate::zeroed()
    }
}

/// A fill in a currency with this profit and fee, in cents.
fn fill(id: u16, exec: &str, realised: i128, fee: i128) -> Execution {
    Execution {
        exec_id: Text::lossy(exec),
        order_id: OrderId::NONE,
        side: 1,
        qty: 100_000_000,
        px: 100_000_000,
        realised: Money::from_raw(realised * CENT),
        fee: Money::from_raw(fee * CENT),
        leaf: NodeId(2),
        account: AccountId(0),
        instrument: InstrumentId(id.into()),
        currency: CurrencyId(id),
        holding: HoldingId(100 + u32::from(id)),
        wallet: WalletId(id.into()),
        trade_day: 20_514,
        ..Execution::zeroed()
    }
}

/// Profit of an instrument: realised, then realised, fees and income in base currency.
fn profit(all: &[Contents], id: u16) -> Vec<String> {
    let table = all
        .iter()
        .find(|table| table.table == "pnl_days")
        .expect("a table");
    let at = |name: &str| {
        table
            .columns
            .iter()
            .position(|column| column == name)
            .expect("a column")
    };
    let instrument = Some(id.to_string());
    let mut rows = table
        .rows
        .iter()
        .filter(|row| row[at("instrument_id")] == instrument);
    let (row, None) = (rows.next().expect("a row"), rows.next()) else {
        panic!("one row for a day")
    };
    let names = ["realised", "realised_base", "fees_base", "income_base"];
    let value = |name: &&str| row[at(name)].clone().unwrap_or_else(|| "nothing".to_owned());
    names.iter().map(value).collect()
}

#[test]
fn each_piece_of_profit_counts_at_the_rate_of_its_record_and_without_a_rate_nothing_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::start();
    let urls = ["sqlite:base.db".to_owned(), cluster.database("base")];
    let write = |url: &String| {
        let clock = Clock::start().expect("a clock");
        let store = Store::start(follow(url, folder.path()), clock).expect("threads");
        store.stop().expect("everything written");
    };
    let mut play = Play::new(folder.path(), 1, 0);
    for (id, code) in [(1, "EUR"), (2, "GBP")] {
        play.put(Kind::CurrencySet, currency(id, code));
    }
    for id in 0..=2 {
        play.put(Kind::InstrumentSet, instrument(id));
    }
    play.put(Kind::VenueFill, fill(0, "D-1", 250, 100));
    play.put(Kind::FxRate, rate(1, 120_000_000));
    play.put(Kind::VenueFill, fill(1, "E-1", 10_000, 0));
    urls.iter().for_each(write); // the rate is known behind a restart too
    play.put(Kind::VenueFill, fill(1, "E-2", 0, 200));
    play.put(Kind::FxRate, rate(1, 105_000_000));
    play.put(Kind::VenueFill, fill(1, "E-3", -5_000, 0));
    play.put(Kind::VenueFill, fill(2, "G-1", 0, 0));
    urls.iter().for_each(write);
    play.put(Kind::VenueFill, fill(2, "G-2", 100, 0));
    play.put(Kind::FxRate, rate(2, 130_000_000));
    play.put(Kind::VenueFill, fill(2, "G-3", 100, 0));
    play.stop();
    urls.iter().for_each(write);
    let anew = made_anew(folder.path());
    for url in &urls {
        let target = Target::parse(url, folder.path()).expect("an address");
        assert_same(&anew, &contents(&target).expect("its contents"));
    }
    assert_eq!(profit(&anew, 0), ["2.5", "2.5", "1", "0"]);
    assert_eq!(profit(&anew, 1), ["50", "67.5", "2.4", "0"]);
    assert_eq!(
        profit(&anew, 2),
        ["2", "nothing", "0", "0"],
        "a part of it had no rate"
    );
}
