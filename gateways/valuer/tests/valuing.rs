//! What nodes are worth, through the real pipeline: each record is shown to a valuer, and what it sends goes back in.
//!
//! Figures are worked out by hand in the comments. The clock stands still unless a test moves it.

#[path = "valuing/firm.rs"]
mod firm;

use bytemuck::Zeroable;
use firm::{Firm, MS, dec, figure, money, stages, text};
use tradewind_domain::codes::Side;
use tradewind_domain::event::{
    CashMove, Event, Execution, InboundLong, Kind, LastTrade, TradeBust, Valuation,
};
use tradewind_domain::reject::RejectCode;
use tradewind_domain::text::{Code, Symbol};
use tradewind_machine::replay::Replay;
use tradewind_valuer::Valuer;

#[test]
fn equity_is_cash_and_positions_at_the_mark() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    assert_eq!(firm.told("A"), [figure("10000", "10000")]);
    assert_eq!(firm.told("FIRM"), [figure("10000", "10000")]);

    // 100 at 20 and a fee of 1: cash 7999, worth 2000 at the fill, which is the only mark.
    firm.trade("A", "ACME", Side::Buy, "100", "20");
    assert_eq!(firm.told("A"), [figure("9999", "9999")]);
    // At 21 there is 100 that is not realised.
    firm.pass(100 * MS);
    firm.last("ACME", "21");
    assert_eq!(firm.told("A"), [figure("10099", "9999")]);
    // 150 sold at 22, fee 1: 200 realised, short 50 at 22; the market says 21, so 50 is not realised.
    firm.trade("A", "ACME", Side::Sell, "150", "22");
    assert_eq!(firm.told("A"), [figure("10248", "10198")]);
    firm.pass(100 * MS);
    firm.last("ACME", "24");
    assert_eq!(firm.told("A"), [figure("10098", "10198")]);
}

#[test]
fn futures_count_their_profit_and_not_their_value() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "100000");
    firm.trade("A", "FUT", Side::Buy, "2", "4000");
    firm.pass(100 * MS);
    firm.last("FUT", "4002"); // 2 x 50 x 2
    firm.trade("A", "FUT", Side::Sell, "1", "4003"); // 150 realised; one is left, 100 up
    assert_eq!(
        firm.told("A"),
        [
            figure("100000", "100000"),
            figure("99999", "99999"),
            figure("100199", "99999"),
            figure("100248", "100148"),
        ]
    );
}

#[test]
fn other_currencies_count_at_their_rate() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "1000");
    firm.deposit("A", "EUR", "1000"); // at 1.10
    firm.trade("A", "EURO", Side::Buy, "10", "20"); // cash 799 EUR, worth 200 EUR
    firm.told("A");
    firm.pass(100 * MS);
    firm.rate("EUR", "1.20");
    // One walk for the wallets, one for the holders: 1000 + 999 x 1.2 in the end.
    assert_eq!(firm.told("A").last(), Some(&figure("2198.8", "2198.8")));
    firm.pass(100 * MS);
    firm.last("EURO", "21"); // 10 EUR more
    assert_eq!(firm.told("A"), [figure("2210.8", "2198.8")]);
}

#[test]
fn the_firm_is_the_sum_of_its_accounts_and_who_has_no_such_limit_is_not_told() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "1000");
    firm.deposit("B", "USD", "500");
    firm.deposit("FREE", "USD", "250");
    assert_eq!(firm.told("FIRM").last(), Some(&figure("1750", "1750")));
    assert_eq!(firm.told("B"), [figure("500", "500")]);
    assert!(firm.told("FREE").is_empty());
    assert_eq!(firm.valuer.figures().strategies, ["STRATEGY"]);
    assert!(firm.told("STRATEGY").is_empty());
    // B may hold twice its equity, which nobody but the books has told.
    assert_eq!(firm.buy("B", "EURO", "45", "20"), None, "990 of 1000");
    assert_eq!(firm.buy("B", "EURO", "1", "20"), Some(RejectCode::Leverage));
}

#[test]
fn a_days_loss_restricts_the_account_and_not_the_firm() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.trade("A", "ACME", Side::Buy, "100", "50");
    firm.pass(100 * MS);
    firm.last("ACME", "40.01"); // 999 and the fee of 1: the floor itself
    assert!(firm.states().is_empty());
    firm.pass(100 * MS);
    firm.last("ACME", "40");
    assert_eq!(firm.states(), [("A".to_owned(), 1)]);
    assert_eq!(firm.buy("A", "ACME", "1", "40"), Some(RejectCode::ReduceOnly));
}

#[test]
fn money_that_goes_out_is_no_loss() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.cash(Kind::Withdrawal, "A", "USD", "5000");
    assert_eq!(firm.told("A").last(), Some(&figure("5000", "5000")));
    assert!(firm.states().is_empty(), "the day began with 5000 now");
    firm.trade("A", "ACME", Side::Buy, "100", "20");
    firm.pass(100 * MS);
    firm.last("ACME", "9.98"); // 1002 and the fee
    assert_eq!(firm.states(), [("A".to_owned(), 1)]);
}

#[test]
fn a_figure_that_a_payment_has_overtaken_is_refused_and_sent_again() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.told("A");
    // The valuer has seen no more than this when the withdrawal comes in, and its figure comes behind it.
    let mut late = Vec::new();
    firm.push({
        let body = Execution {
            exec_id: text("X"),
            qty: dec("1"),
            px: dec("20"),
            qty_dp: 8,
            px_dp: 8,
            side: Side::Buy as u8,
            ..Execution::zeroed()
        };
        InboundLong::new(Kind::TradeCapture, &body).named(text("ACME"), text("A"))
    });
    firm.show();
    firm.valuer.turn(true, firm.clock.now_ns(), &mut |message| {
        late.push(message);
        true
    });
    assert_eq!(late.len(), 0, "the mark is the fill: nothing has changed");
    firm.push({
        let body = Execution {
            exec_id: text("Y"),
            qty: dec("1"),
            px: dec("21"),
            qty_dp: 8,
            px_dp: 8,
            side: Side::Buy as u8,
            ..Execution::zeroed()
        };
        InboundLong::new(Kind::TradeCapture, &body).named(text("ACME"), text("A"))
    });
    firm.show();
    firm.valuer.turn(true, firm.clock.now_ns(), &mut |message| {
        late.push(message);
        true
    });
    assert_eq!(late.len(), 2, "of the account and of the firm");
    let body = CashMove {
        reference: text("out"),
        amount: money("5000"),
        ..CashMove::zeroed()
    };
    firm.push(InboundLong::new(Kind::Withdrawal, &body).named(text("USD"), text("A")));
    for message in late {
        firm.push(message.into());
    }
    firm.settle();
    assert_eq!(firm.valuer.figures().refused, 2);
    assert_eq!(firm.told("A"), [figure("5001", "5000")], "5000 and 1 at the mark");
    assert!(firm.states().is_empty(), "a loss was never seen");
}

#[test]
fn a_mark_gives_one_figure_in_a_tenth_of_a_second_and_a_fill_one_at_once() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.trade("A", "ACME", Side::Buy, "100", "20");
    firm.told("A");
    for px in ["20.01", "20.02", "20.03"] {
        firm.last("ACME", px);
    }
    assert!(firm.told("A").is_empty());
    firm.pass(100 * MS);
    assert_eq!(firm.told("A"), [figure("10002", "9999")], "the last of the three");
    firm.last("ACME", "20.03");
    firm.pass(200 * MS);
    assert!(firm.told("A").is_empty(), "nothing has changed");
    firm.last("ACME", "20.04");
    assert_eq!(firm.told("A"), [figure("10003", "9999")], "the pause is over");
    firm.last("ACME", "20.05");
    firm.trade("A", "EURO", Side::Buy, "1", "20"); // 1 EUR of fee, at once
    assert_eq!(firm.told("A"), [figure("10002.9", "9997.9")]);
    let age = firm.valuer.figures().age;
    assert!(age.max_ns >= 100 * MS && age.max_ns < 101 * MS, "{age:?}");
    assert!(age.late_max_ns < MS, "{age:?}");
}

#[test]
fn a_stale_mark_freezes_whoever_holds_it_while_its_session_is_open() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.trade("A", "ACME", Side::Buy, "100", "20");
    firm.last("ACME", "20");
    firm.told("A");
    firm.pass(61_000 * MS);
    let figures = firm.valuer.figures();
    assert_eq!(
        (figures.frozen, figures.frozen_node.as_str()),
        (2, "FIRM"),
        "A and the firm"
    );
    firm.trade("A", "EURO", Side::Buy, "1", "20");
    firm.deposit("B", "USD", "500");
    assert!(firm.told("A").is_empty(), "a fee is known, a price is not");
    assert_eq!(firm.told("B"), [figure("500", "500")], "B holds nothing of it");
    firm.last("ACME", "19");
    assert_eq!(firm.valuer.figures().frozen, 0);
    assert_eq!(firm.told("A"), [figure("9897.9", "9997.9")]);
    // The session ends at 20:00: the last price of the day is not stale.
    firm.pass(61_000 * MS);
    assert_eq!(firm.valuer.figures().frozen, 2);
    firm.pass(6 * 3_600_000 * MS);
    assert_eq!(firm.valuer.figures().frozen, 0);
}

#[test]
fn without_a_rate_nobody_is_valued() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "1000");
    firm.told("A");
    let gbp = tradewind_domain::event::CurrencySet {
        code: text("GBP"),
        money_dp: 2,
        ..Zeroable::zeroed()
    };
    firm.send(InboundLong::new(Kind::CurrencySet, &gbp));
    firm.deposit("A", "GBP", "100");
    assert!(firm.told("A").is_empty());
    assert_eq!(firm.valuer.figures().frozen, 2);
    firm.rate("GBP", "1.5");
    firm.pass(100 * MS);
    assert_eq!(firm.told("A"), [figure("1150", "1150")]);
}

#[test]
fn a_figure_from_outside_overrides_ours() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.told("A");
    firm.outside("A", "20000");
    firm.trade("A", "ACME", Side::Buy, "100", "20");
    firm.pass(200 * MS);
    assert_eq!(firm.told("A"), [figure("20000", "20000")]);
    assert_eq!(
        firm.told("FIRM").last(),
        Some(&figure("9999", "9999")),
        "the firm is still ours"
    );
    // One that was on its way is refused.
    let own = Valuation {
        equity: money("1"),
        balance: money("1"),
        has_balance: Valuation::OWN_BOOKS,
        ..Valuation::zeroed()
    };
    let now_ns = firm.clock.now_ns();
    firm.send(
        InboundLong::new(Kind::Valuation, &own)
            .named(Symbol::EMPTY, text("A"))
            .at(now_ns),
    );
    let last = firm.pipeline.journal().events().last().unwrap();
    assert_eq!(last.reject_code(), Some(RejectCode::StateMismatch));
}

#[test]
fn an_opening_figure_counts_beside_the_books() {
    let mut firm = Firm::new();
    let body = Valuation {
        equity: money("5000"),
        balance: money("5000"),
        has_balance: Valuation::OPENING,
        ..Valuation::zeroed()
    };
    firm.send(InboundLong::new(Kind::Valuation, &body).named(Symbol::EMPTY, text("A")));
    firm.deposit("A", "USD", "1000");
    assert_eq!(firm.told("A").last(), Some(&figure("6000", "6000")));
    firm.trade("A", "ACME", Side::Buy, "100", "5");
    assert_eq!(firm.told("A"), [figure("5999", "5999")]);
    assert!(firm.states().is_empty());
}

#[test]
fn a_trade_that_is_taken_back_leaves_no_worth() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.trade("A", "EURO", Side::Buy, "10", "25"); // worth 200 at the mark of 20: 50 EUR down, and 1 EUR of fee
    assert_eq!(firm.told("A").last(), Some(&figure("9943.9", "9998.9")));
    let bust = TradeBust {
        exec_id: text("BUST"),
        exec_ref_id: text(&format!("N{}", firm.numbers)),
        ..TradeBust::zeroed()
    };
    firm.send(InboundLong::new(Kind::TradeBust, &bust).named(text("EURO"), text("A")));
    assert_eq!(firm.told("A"), [figure("10000", "10000")]);
}

#[test]
fn a_start_values_everything_once_at_the_present_marks() {
    let mut firm = Firm::without_figures();
    for _ in 0..2 {
        let body = CashMove {
            reference: text(&firm.number()),
            amount: money("400"),
            ..CashMove::zeroed()
        };
        firm.push(InboundLong::new(Kind::Deposit, &body).named(text("USD"), text("A")));
    }
    firm.settle();
    assert_eq!(firm.told("A"), [figure("800", "800")], "never the half of it");
    // A valuer that begins anew finds what the first one has told, and has nothing to add.
    firm.valuer = Valuer::new();
    firm.read = 0;
    firm.names.clear();
    firm.told.clear();
    let before = firm.pipeline.journal().events().len();
    firm.settle();
    assert_eq!(firm.pipeline.journal().events().len(), before);
}

#[test]
fn a_replay_of_the_journal_gives_the_same_states() {
    let mut firm = Firm::new();
    firm.deposit("A", "USD", "10000");
    firm.trade("A", "ACME", Side::Buy, "100", "50");
    firm.pass(100 * MS);
    firm.last("ACME", "30");
    firm.cash(Kind::Withdrawal, "A", "USD", "100");
    assert_eq!(firm.states(), [("A".to_owned(), 1)]);
    let events = firm.pipeline.journal().events().to_vec();
    let live = firm.pipeline.finish(None).unwrap().stages;
    let mut replayed = stages();
    let mut replay = Replay::new(&mut replayed);
    events.iter().for_each(|event| replay.apply(event).unwrap());
    for (live, replayed) in live.iter().zip(&replayed) {
        let rows = |stage: &dyn tradewind_machine::stage::Stage<Event>| {
            let mut rows = Vec::new();
            stage.digest(&mut |row| rows.extend_from_slice(row));
            rows
        };
        assert!(rows(live.as_ref()) == rows(replayed.as_ref()), "{}", live.name());
    }
}

#[test]
fn one_record_queues_one_walk_whoever_holds_the_instrument() {
    let mut firm = Firm::new();
    for account in ["A", "B", "FREE"] {
        firm.deposit(account, "USD", "10000");
        firm.trade(account, "ACME", Side::Buy, "10", "20");
    }
    firm.pass(100 * MS);
    firm.told.clear();
    // Shown, not worked off: figures of before stand.
    let body = LastTrade {
        px: dec("21"),
        qty: dec("1"),
        px_dp: 8,
        qty_dp: 8,
        ..LastTrade::zeroed()
    };
    firm.push(InboundLong::new(Kind::LastTrade, &body).named(text("ACME"), Code::EMPTY));
    firm.show();
    assert!(!firm.valuer.is_idle());
    firm.settle();
    assert_eq!(firm.told("FIRM"), [figure("30027", "29997")]);
    assert!(firm.valuer.is_idle());
}
