//! A journal under other limits: what changes, what does not, and that it is what a run under those limits would have been.

#[path = "whatif/command.rs"]
mod command;
mod support;
#[path = "whatif/unchanged.rs"]
mod unchanged;

use std::process::{Command, Output};
use support::firm::{Order, cancel, cancel_by_id, control, fill, replace, report};
use support::journal::events;
use support::place::{Place, clock};
use support::script::Script;
use tradewind_domain::codes::{ControlState, TimeInForce};
use tradewind_domain::event::{InboundLong, Kind};
use tradewind_domain::reject::RejectCode;
use tradewind_whatif::{
    LimitEffect, LimitRequest, Options, Report, Unfilled, Until, WhatIfError, journal_limits, whatif,
};

const ALL: Options = Options {
    until: Until {
        seq: None,
        time_ns: None,
    },
    unfilled: Unfilled::Open,
    list_max: usize::MAX,
};

fn run(script: &Script) -> Place {
    let place = Place::new();
    place.run(&[], &script.messages);
    place
}

fn play_with(place: &Place, request: &LimitRequest, options: &Options) -> Report {
    whatif(&place.data(), request, options, &clock()).expect("a report")
}

/// The journal's limits with these changes.
fn play(place: &Place, sets: &[&str]) -> Report {
    play_with(place, &sets_of(sets), &ALL)
}

fn sets_of(sets: &[&str]) -> LimitRequest {
    LimitRequest {
        sets: sets.iter().map(|set| (*set).to_owned()).collect(),
        ..LimitRequest::default()
    }
}

fn file(text: &str, keep: bool) -> LimitRequest {
    LimitRequest {
        file: Some((text.to_owned(), "new.toml".to_owned())),
        keep,
        ..LimitRequest::default()
    }
}

fn effect<'a>(report: &'a Report, label: &str) -> &'a LimitEffect {
    let found = report.by_limit.iter().find(|row| row.label == label);
    found.unwrap_or_else(|| panic!("nothing about {label}"))
}

fn assert_same(report: &Report) {
    assert!(report.is_unchanged(), "{:#?}", report.changed.first());
    assert_eq!(report.approximation.first_difference, None);
    let totals = &report.totals;
    for counts in [
        totals.orders,
        totals.replaces,
        totals.cancels,
        totals.executions,
        totals.others,
    ] {
        assert_eq!(
            (counts.accepted_before, counts.rejected_before),
            (counts.accepted, counts.rejected)
        );
    }
}

/// An order of 5,000 that is filled, one of 5,000 that is cancelled.
fn two_orders() -> Script {
    let mut script = Script::new();
    script.at(0, 9, 0);
    let first = script.order(Order::buy("A", "L17", "GIZMO", "100", "50"));
    script.accepted(report(Kind::VenueAck, first));
    script.accepted(fill("F1", first, "100", "50"));
    let second = script.order(Order::sell("B", "L17", "GIZMO", "100", "50"));
    script.accepted(report(Kind::VenueAck, second));
    script.accepted(cancel_by_id("C", second));
    script.accepted(report(Kind::VenueCancelled, second));
    script
}

#[test]
fn a_tighter_limit_refuses_orders_and_drops_their_fills() {
    let place = run(&two_orders());
    let report = play(&place, &["l17.hard=4999.99"]);
    let orders = report.totals.orders;
    assert_eq!(
        (orders.accepted_before, orders.accepted, orders.newly_rejected),
        (2, 0, 2)
    );
    let l17 = effect(&report, "l17");
    assert_eq!(
        (l17.newly_rejected, l17.newly_rejected_value.as_str()),
        (2, "10000")
    );
    assert_eq!(
        (l17.knock_on, l17.scope.as_str(), l17.limit_type.as_str()),
        (0, "L17", "OPEN_NOTIONAL")
    );
    let dropped = &report.dropped;
    assert_eq!((dropped.fills, dropped.fills_value.as_str()), (1, "5000"));
    assert_eq!((dropped.requests, dropped.reports), (1, 3));
    let account = &report.by_account[0];
    assert_eq!(
        (account.account.as_str(), account.orders, account.newly_rejected),
        ("L17", 2, 2)
    );
    assert_eq!(
        (account.fills_dropped, account.fills_dropped_value.as_str()),
        (1, "5000")
    );
    assert_eq!(
        report.changed.len(),
        2,
        "a cancel of a refused order is no verdict of a limit"
    );
    let first = &report.changed[0];
    assert_eq!(
        (first.id.as_str(), first.qty.as_deref(), first.value.as_deref()),
        ("A", Some("100"), Some("5000"))
    );
    assert!(first.before.accepted && !first.after.accepted);
    assert_eq!(first.after.code.as_deref(), Some("OPEN_NOTIONAL"));
    assert_eq!(first.after.limit.as_deref(), Some("l17"));
    assert_eq!(
        (first.after.used.as_deref(), first.after.hard.as_deref()),
        (Some("5000"), Some("4999.99"))
    );
    assert_eq!(
        report.approximation.first_difference.map(|at| at.seq),
        Some(first.seq)
    );
    assert_eq!(report.limits.lines[0].text, "limit l17: hard 10000 -> 4999.99");
}

#[test]
fn a_looser_limit_accepts_orders_and_never_fills_them() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.order(Order::buy("A", "L17", "GIZMO", "160", "50"));
    script.refused(
        Order::buy("B", "L17", "GIZMO", "160", "50").message(),
        RejectCode::OpenNotional,
    );
    script.refused(
        Order::buy("C", "L17", "GIZMO", "160", "50").message(),
        RejectCode::OpenNotional,
    );
    script.refused(cancel("D", "B"), RejectCode::UnknownOrder);
    script.refused(
        Order::buy("E", "L17", "GIZMO", "160", "50").message(),
        RejectCode::OpenNotional,
    );
    let place = run(&script);
    let report = play(&place, &["l17.hard=20000"]);
    // B takes room until it is cancelled, so C finds none; then E does.
    let accepted: Vec<_> = report
        .changed
        .iter()
        .filter(|row| row.after.accepted)
        .map(|row| row.id.as_str())
        .collect();
    assert_eq!(accepted, ["B", "D", "E"]);
    assert_eq!(effect(&report, "l17").newly_accepted_value, "16000");
    assert_eq!(report.totals.executions.inputs, 0);
    let ended = Options {
        unfilled: Unfilled::Ended,
        ..ALL
    };
    let report = play_with(&place, &sets_of(&["l17.hard=20000"]), &ended);
    assert_eq!(
        report.totals.orders.newly_accepted, 3,
        "no room is taken by what is never filled"
    );
    let peak = report
        .peaks
        .iter()
        .find(|peak| peak.label == "l17")
        .expect("a peak");
    assert_eq!(
        (peak.used.as_deref(), peak.hard.as_deref()),
        (Some("16000"), Some("20000"))
    );
    assert_eq!(peak.percent, Some(80.0));
}

#[test]
fn a_removed_limit_refuses_nothing_and_a_new_one_binds_from_the_first_order() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.refused(
        Order::buy("A", "L02", "GIZMO", "210", "50").message(),
        RejectCode::MaxOrderNotional,
    );
    script.order(Order::buy("B", "FREE", "GIZMO", "10", "50"));
    let place = run(&script);
    let removed = LimitRequest {
        removes: vec!["l02".to_owned()],
        ..LimitRequest::default()
    };
    let report = play_with(&place, &removed, &ALL);
    assert_eq!((report.limits.before, report.limits.after), (12, 11));
    assert_eq!(
        (
            report.totals.orders.newly_accepted,
            report.totals.orders.newly_rejected
        ),
        (1, 0)
    );
    assert_eq!(report.limits.lines[0].change, "removed");
    let text = "[[limit]]\nlabel = \"desk\"\nscope = \"DESK\"\ntype = \"MAX_ORDER_QTY\"\nhard = \"5\"\ninstrument = \"GIZMO\"\n";
    let report = play_with(&place, &file(text, true), &ALL);
    assert_eq!((report.limits.before, report.limits.after), (12, 13));
    let desk = effect(&report, "desk");
    assert_eq!((desk.newly_rejected, desk.symbol.as_deref()), (1, Some("GIZMO")));
    let refused = report.changed.iter().find(|row| row.id == "A").expect("A");
    assert_eq!(refused.after.limit.as_deref(), Some("desk"));
    assert_eq!(refused.after.also, ["l02"], "every limit that refuses is named");
    let report = play_with(&place, &file(text, false), &ALL);
    assert_eq!((report.limits.before, report.limits.after), (12, 1));
    assert_eq!(
        report.totals.orders.rejected, 2,
        "the file's limit alone is in force"
    );
}

#[test]
fn a_refused_replace_leaves_the_order_as_it_was_and_cuts_its_fills() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    let order = script.order(Order::buy("A", "L01", "GIZMO", "100", "50"));
    script.accepted(report(Kind::VenueAck, order));
    script.accepted(replace("B", "A", "300", "50"));
    script.accepted(report(Kind::VenueReplaced, order));
    script.accepted(fill("F1", order, "40", "50"));
    script.accepted(fill("F2", order, "200", "50"));
    script.accepted(fill("F3", order, "60", "50"));
    let place = run(&script);
    let report = play(&place, &["l01.hard=150"]);
    assert_eq!(
        (
            report.totals.orders.newly_rejected,
            report.totals.replaces.newly_rejected
        ),
        (0, 1)
    );
    let dropped = &report.dropped;
    // 60 of the second fill's 200 are still open; the third finds nothing.
    assert_eq!(
        (dropped.fills, dropped.fills_cut, dropped.fills_value.as_str()),
        (1, 1, "10000")
    );
    assert_eq!(dropped.reports, 1, "what the venue said about the replace");
    assert!(report.changed[0].before.accepted);
    assert_eq!(report.changed[0].after.limit.as_deref(), Some("l01"));
}

#[test]
fn what_a_changed_limit_sets_off_elsewhere_is_told_apart() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.order(Order::buy("A", "L17", "GIZMO", "160", "50"));
    script.refused(
        Order::buy("B", "L17", "GIZMO", "160", "50").message(),
        RejectCode::OpenNotional,
    );
    let place = run(&script);
    // A new limit refuses the first order, so the unchanged one has room for the second.
    let text = "[[limit]]\nlabel = \"new\"\nscope = \"L17\"\ntype = \"MAX_OPEN_ORDERS\"\nhard = \"0\"\n";
    let report = play_with(&place, &file(text, true), &ALL);
    assert_eq!(
        (
            effect(&report, "new").newly_rejected,
            effect(&report, "new").knock_on
        ),
        (1, 0)
    );
    assert_eq!(report.totals.orders.reason_changed, 1);
    let text = "[[limit]]\nlabel = \"l17-one\"\nscope = \"L17\"\ntype = \"MAX_ORDER_NOTIONAL\"\nhard = \"1\"\ninstrument = \"ACME\"\n";
    assert_same_verdicts(&play_with(&place, &file(text, true), &ALL));
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.order(Order::buy("A", "L17", "EURO", "160", "20"));
    script.refused(
        Order::buy("B", "L17", "GIZMO", "200", "50").message(),
        RejectCode::OpenNotional,
    );
    let place = run(&script);
    let text = "[[limit]]\nlabel = \"euro\"\nscope = \"L17\"\ntype = \"MAX_ORDER_QTY\"\nhard = \"1\"\ninstrument = \"EURO\"\n";
    let report = play_with(&place, &file(text, true), &ALL);
    let l17 = effect(&report, "l17");
    assert_eq!((l17.newly_accepted, l17.knock_on), (1, 1));
    assert_eq!(
        report.changed.iter().map(|row| row.knock_on).collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(report.approximation.orders_that_could_depend, 1);
}

fn assert_same_verdicts(report: &Report) {
    assert_eq!(report.changed_count, 0, "{:#?}", report.changed.first());
}

#[test]
fn kills_rolls_and_lost_sessions_go_on_in_the_second_world() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    script.order(Order::buy("A", "L16", "GIZMO", "10", "50"));
    script.refused(
        Order::buy("B", "L16", "GIZMO", "10", "50").message(),
        RejectCode::MaxOpenOrders,
    );
    script.accepted(control(Kind::Kill, "OTHER-DESK", ControlState::Kill, "ann", ""));
    script.refused(
        Order::buy("K", "KILLED", "GIZMO", "10", "50").message(),
        RejectCode::TradingHalted,
    );
    script.at(1, 9, 0); // the roll expires what is open, in both worlds
    script.order(Order::buy("C", "L16", "GIZMO", "10", "50"));
    script.refused(
        Order::buy("D", "L16", "GIZMO", "10", "50").message(),
        RejectCode::MaxOpenOrders,
    );
    script.refused(
        Order::buy("E", "L16", "GIZMO", "10", "50").message(),
        RejectCode::MaxOpenOrders,
    );
    script.refused(
        Order::buy("L", "KILLED", "GIZMO", "10", "50").message(),
        RejectCode::TradingHalted,
    );
    let place = run(&script);
    let report = play(&place, &["l16.hard=2"]);
    let ids: Vec<&str> = report
        .changed
        .iter()
        .filter(|row| row.after.accepted)
        .map(|row| row.id.as_str())
        .collect();
    assert_eq!(
        ids,
        ["B", "D"],
        "B has expired when D comes, and D has not when E does"
    );
    let peak = report
        .peaks
        .iter()
        .find(|peak| peak.label == "l16")
        .expect("a peak");
    assert_eq!((peak.used.as_deref(), peak.percent), (Some("2"), Some(100.0)));
}

#[test]
fn an_order_that_ends_at_once_takes_no_room() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    let ioc =
        |id: &str| Order::buy(id, "L02", "GIZMO", "210", "50").with(|body| body.tif = TimeInForce::Ioc as u8);
    script.refused(ioc("A").message(), RejectCode::MaxOrderNotional);
    script.refused(ioc("B").message(), RejectCode::MaxOrderNotional);
    let place = run(&script);
    let text = "[[limit]]\nlabel = \"open\"\nscope = \"L02\"\ntype = \"MAX_OPEN_ORDERS\"\nhard = \"1\"\n";
    let report = play_with(&place, &file(text, false), &ALL);
    assert_eq!(report.totals.orders.newly_accepted, 2);
}

/// Orders of every account with a limit, of random size, most of them for instruments that trade around the clock.
fn orders_of_all_accounts(script: &mut Script, count: u64) {
    const ACCOUNTS: [&str; 12] = [
        "L01", "L02", "L03", "L11", "L12", "L16", "L17", "L18", "L19", "L21", "L22", "CASH",
    ];
    for at in 0..count {
        let account = ACCOUNTS[script.random(ACCOUNTS.len() as u64) as usize];
        let qty = (10 * (1 + script.random(30))).to_string();
        let id = format!("R{at}");
        let order = if script.random(2) == 0 {
            Order::buy(&id, account, "GIZMO", &qty, "50")
        } else {
            Order::sell(&id, account, "GIZMO", &qty, "50")
        };
        script.either(order.message());
        let pause = script.random(3) * 400;
        script.wait_ms(pause);
    }
}

/// The firm's reference data with other figures.
fn messages_under(script: &Script, changes: &[(&str, &str)]) -> Vec<InboundLong> {
    let mut text = include_str!("support/firm.toml").to_owned();
    for (before, after) in changes {
        assert!(text.contains(before), "{before}");
        text = text.replace(before, after);
    }
    let data = tradewind_config::ReferenceData::parse(&text, "firm.toml").expect("sound reference data");
    let day = support::firm::first_day();
    let reference = data.events(day - 2, day + 20);
    let mut messages = script.messages.clone();
    for (message, event) in messages.iter_mut().zip(reference) {
        *message = event.at(message.event().head.origin_ns);
    }
    messages
}

/// Clients only place orders and no venue answers, so nothing is assumed: the second world must be the run under the new limits.
#[test]
fn without_venues_it_is_exactly_what_a_run_under_the_new_limits_would_have_been() {
    let mut script = Script::new();
    script.at(0, 9, 0);
    orders_of_all_accounts(&mut script, 1_500);
    // Orders of the second world alone take no room from the table, so the table must not decide.
    const ROOM: [&str; 1] = ["capacity.open_orders=4096"];
    let recorded = Place::new();
    recorded.run(&ROOM, &script.messages);
    let changes = [
        (
            "type = \"MAX_ORDER_QTY\"\nhard = \"1000\"",
            "type = \"MAX_ORDER_QTY\"\nhard = \"150\"",
        ),
        (
            "type = \"MAX_ORDER_NOTIONAL\"\nhard = \"10000\"",
            "type = \"MAX_ORDER_NOTIONAL\"\nhard = \"12000\"",
        ),
        (
            "type = \"MAX_OPEN_ORDERS\"\nhard = \"1\"",
            "type = \"MAX_OPEN_ORDERS\"\nhard = \"5\"",
        ),
        (
            "type = \"OPEN_NOTIONAL\"\nhard = \"10000\"",
            "type = \"OPEN_NOTIONAL\"\nhard = \"40000\"",
        ),
        (
            "type = \"DAILY_QTY\"\nhard = \"100\"",
            "type = \"DAILY_QTY\"\nhard = \"900\"",
        ),
        (
            "type = \"POSITION_LONG\"\nhard = \"100\"",
            "type = \"POSITION_LONG\"\nhard = \"50\"",
        ),
        (
            "type = \"ORDER_RATE\"\nhard = \"1\"",
            "type = \"ORDER_RATE\"\nhard = \"2\"",
        ),
        ("fee_bps = 10", "fee_bps = 2000, credit_line = \"9000\""),
    ];
    let other = Place::new();
    other.run(&ROOM, &messages_under(&script, &changes));
    let text = journal_limits(&other.data(), Until::default()).expect("limits");
    let report = play_with(&recorded, &file(&text, false), &ALL);

    let (before, after) = (events(&recorded.data()), events(&other.data()));
    assert_eq!(before.len(), after.len());
    let mut changed = report.changed.iter();
    let mut differences = 0;
    for (was, is) in before.iter().zip(&after) {
        let limit = |event: &tradewind_domain::event::Event| match event.kind() {
            Some(Kind::OrderNew) if event.is_rejected() => {
                Some(event.body::<tradewind_domain::event::OrderNew>().verdict.limit)
            }
            _ => None,
        };
        if (was.head.outcome, limit(was)) == (is.head.outcome, limit(is)) {
            continue;
        }
        differences += 1;
        let row = changed.next().expect("a changed verdict");
        assert_eq!(row.seq, was.head.seq, "{row:?}");
        let code =
            |event: &tradewind_domain::event::Event| event.reject_code().map(|code| code.text().to_owned());
        assert_eq!(
            (&row.before.code, &row.after.code),
            (&code(was), &code(is)),
            "seq {}",
            row.seq
        );
    }
    assert!(changed.next().is_none() && differences > 100, "{differences}");
}

#[test]
fn a_mistake_in_the_new_limits_is_told_with_its_line_before_anything_is_played() {
    let place = run(&two_orders());
    let error = |request: &LimitRequest| {
        let error = whatif(&place.data(), request, &ALL, &clock()).expect_err("a mistake");
        let because = std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
        format!("{error}: {because}")
    };
    let text = "\n[[limit]]\nlabel = \"a\"\nscope = \"DESC\"\ntype = \"OPEN_NOTIONAL\"\nhard = \"1\"\n";
    let said = error(&file(text, false));
    assert!(
        said.contains("new.toml:4: DESC: unknown node or account; did you mean `DESK`?"),
        "{said}"
    );
    let said = error(&sets_of(&["l71.hard=1"]));
    assert!(said.contains("there is no limit l71"), "{said}");
    let said = error(&sets_of(&["l17.hart=1"]));
    assert!(said.contains("did you mean `hard`?"), "{said}");
    for wrong in ["l17", "l17=1", "l17.scope=DESK"] {
        assert!(error(&sets_of(&[wrong])).starts_with("--set"), "{wrong}");
    }
    let nowhere = whatif(&place.root().join("nowhere"), &sets_of(&[]), &ALL, &clock());
    assert!(matches!(nowhere, Err(WhatIfError::View(_))));
}

fn tradewind(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(args)
        .output()
        .expect("the binary runs")
}
