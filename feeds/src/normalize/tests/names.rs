//! Names and decimals of orders, reports, trades, cash and controls.

use super::*;

/// Sends `inbound` through a world with the names of [`WORLD`].
fn sent(inbound: Inbound, symbol: &str, account: &str) -> Event {
    let mut event = Event::empty();
    assert!(inbound.named(text(symbol), text(account)).fill(&mut event));
    world().process(&mut event);
    event
}

fn notes(event: &Event) -> String {
    let listed: Vec<&str> = tradewind_domain::reject::Note::ALL
        .iter()
        .filter(|note| event.head.notes & note.bit() != 0)
        .map(|note| note.code().text())
        .collect();
    listed.join(" ")
}

#[test]
fn orders_get_ids_or_findings_with_their_names_in_the_tail() {
    let zero: OrderNew = bytemuck::Zeroable::zeroed();
    for (symbol, account, ids, findings, tail) in [
        ("SPY", "A", [2, 0, 0, 0, 1], "", ""),
        ("SPY", "S", [3, 0, 0, 0, 1], "", ""),
        ("7203", "B", [4, 1, 1, 1, 0], "", ""),
        (
            "XXX",
            "A",
            [2, 0, -1, -1, -1],
            "UNKNOWN_SYMBOL",
            "symbol=XXX account=A",
        ),
        (
            "SPY",
            "D",
            [-1, -1, 0, 0, 1],
            "UNKNOWN_ACCOUNT",
            "symbol=SPY account=D",
        ),
        ("SPY", "-", [-1, -1, 0, 0, 1], "UNKNOWN_ACCOUNT", "symbol=SPY"),
        (
            "-",
            "Q",
            [-1, -1, -1, -1, -1],
            "UNKNOWN_ACCOUNT UNKNOWN_SYMBOL",
            "account=Q",
        ),
    ] {
        let event = sent(Inbound::new(Kind::OrderNew, &zero), symbol, account);
        let body = event.body::<OrderNew>();
        let signed = |index: usize, none: bool| if none { -1 } else { index as i64 };
        let got = [
            signed(body.leaf.index(), body.leaf.is_none()),
            signed(body.account.index(), body.account.is_none()),
            signed(body.instrument.index(), body.instrument.is_none()),
            signed(body.currency.index(), body.currency.is_none()),
            signed(body.calendar.index(), body.calendar.is_none()),
        ];
        assert_eq!(got, ids, "{symbol} {account}");
        assert_eq!(notes(&event), findings);
        assert_eq!(std::str::from_utf8(event.tail()).unwrap(), tail);
        assert_eq!(event.head.outcome, 0, "normalize does not decide orders");
    }
}

#[test]
fn decimals_that_are_shared_are_scaled_all_or_not_at_all() {
    let order = |(qty, qty_dp): (i64, u8), ([px, stop_px], px_dp): ([i64; 2], u8)| OrderNew {
        qty,
        qty_dp,
        px,
        stop_px,
        px_dp,
        ..bytemuck::Zeroable::zeroed()
    };
    let fits = (([1675, 0], 1), ([16_750_000_000, 0], 8));
    for (qty, prices, findings) in [
        (((3, 0), (300_000_000, 8)), fits, ""),
        (((3, 8), (3, 8)), (([5, -7], 8), ([5, -7], 8)), ""),
        (((10, 9), (1, 8)), (([200, 100], 10), ([2, 1], 8)), ""),
        (
            ((10, 9), (1, 8)),
            (([200, 20], 10), ([200, 20], 10)),
            "INVALID_PRECISION",
        ),
        (((i64::MAX, 0), (i64::MAX, 0)), fits, "INVALID_PRECISION"),
        (((1, 255), (1, 255)), fits, "INVALID_PRECISION"),
    ] {
        let event = sent(Inbound::new(Kind::OrderNew, &order(qty.0, prices.0)), "SPY", "A");
        let body = event.body::<OrderNew>();
        let got = order((body.qty, body.qty_dp), ([body.px, body.stop_px], body.px_dp));
        assert_eq!(got, order(qty.1, prices.1));
        assert_eq!(notes(&event), findings);
    }
}

#[test]
fn cancels_and_controls_may_leave_names_out() {
    let cancel: OrderCancel = bytemuck::Zeroable::zeroed();
    let event = sent(Inbound::new(Kind::OrderCancel, &cancel), "-", "-");
    assert_eq!(
        (notes(&event).as_str(), event.body::<OrderCancel>().leaf),
        ("", NodeId::NONE)
    );
    assert_eq!(event.body::<OrderCancel>().instrument, InstrumentId::NONE);
    let event = sent(Inbound::new(Kind::OrderCancel, &cancel), "XXX", "-");
    assert_eq!(notes(&event), "UNKNOWN_SYMBOL");

    let scope: MassCancel = bytemuck::Zeroable::zeroed();
    let event = sent(Inbound::new(Kind::MassCancel, &scope), "-", "D");
    assert_eq!(
        (
            event.body::<MassCancel>().node,
            event.body::<MassCancel>().instrument
        ),
        (NodeId(1), InstrumentId::NONE)
    );

    let control: Control = bytemuck::Zeroable::zeroed();
    let event = sent(Inbound::new(Kind::Kill, &control), "SPY", "NOBODY");
    assert_eq!(
        (event.body::<Control>().node, event.body::<Control>().instrument),
        (NodeId::NONE, InstrumentId(0))
    );
    assert_eq!(
        (notes(&event).as_str(), event.tail()),
        ("UNKNOWN_NODE", &b"symbol=SPY account=NOBODY"[..])
    );
}

#[test]
fn reports_and_fills_carry_order_ids_and_name_no_row() {
    let fill = Execution {
        qty: 5,
        qty_dp: 0,
        px: 2,
        px_dp: 0,
        ..bytemuck::Zeroable::zeroed()
    };
    let event = sent(Inbound::new(Kind::VenueFill, &fill), "-", "-");
    let body = event.body::<Execution>();
    assert_eq!(
        (body.qty, body.px, body.account, body.instrument),
        (500_000_000, 200_000_000, AccountId::NONE, InstrumentId::NONE)
    );
    assert_eq!(notes(&event), "");
    let event = sent(Inbound::new(Kind::TradeCapture, &fill), "SPY", "S");
    let body = event.body::<Execution>();
    assert_eq!(
        (body.leaf, body.account, body.instrument, body.calendar),
        (NodeId(3), AccountId(0), InstrumentId(0), CalendarId(1))
    );
    assert!(body.slot.is_none() && body.holding.is_none() && body.wallet.is_none());
    let ack: VenueReport = bytemuck::Zeroable::zeroed();
    let event = sent(Inbound::new(Kind::VenueAck, &ack), "-", "-");
    assert_eq!(
        (event.body::<VenueReport>().leaf, notes(&event).as_str()),
        (NodeId::NONE, "")
    );
}

#[test]
fn cash_and_rates_name_a_currency() {
    let cash: CashMove = bytemuck::Zeroable::zeroed();
    let event = sent(Inbound::new(Kind::Deposit, &cash), "JPY", "S");
    let body = event.body::<CashMove>();
    assert_eq!(
        (body.account, body.leaf, body.currency),
        (AccountId(0), NodeId(3), CurrencyId(1))
    );
    let event = sent(Inbound::new(Kind::Deposit, &cash), "SPY", "A");
    assert_eq!(
        (notes(&event).as_str(), event.tail()),
        ("UNKNOWN_CURRENCY", &b"symbol=SPY account=A"[..])
    );
    let rate = FxRate {
        rate: 67,
        rate_dp: 4,
        ..bytemuck::Zeroable::zeroed()
    };
    let event = sent(Inbound::new(Kind::FxRate, &rate), "JPY", "-");
    assert_eq!(
        (event.body::<FxRate>().rate, event.body::<FxRate>().currency),
        (670_000, CurrencyId(1))
    );
}

#[test]
fn the_reason_of_an_admin_event_stays_before_the_names() {
    let long = limit_set("L", 0)
        .named(Symbol::EMPTY, text("NOBODY"))
        .with_tail(b"end of day");
    let mut event = Event::empty();
    long.fill(&mut event);
    world().process(&mut event);
    assert_eq!(event.tail(), b"end of day account=NOBODY");
}
