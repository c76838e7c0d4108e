//! The rules as tables, the examples of the specification, and the shared vectors where they are beside the checkout.

use super::*;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tradewind_domain::decimal;

fn money(text: &str) -> Money {
    Money::from_raw(i128::from(decimal::parse(text.as_bytes()).unwrap()))
}

fn percent(text: &str) -> Percent {
    decimal::parse(text.as_bytes()).unwrap()
}

/// 100,000, target 10 %, daily 5 %, maximum 10 %, four days.
fn rules() -> AssessmentRules {
    AssessmentRules {
        initial: money("100000"),
        target_pct: percent("10"),
        daily_loss_pct: Some(percent("5")),
        max_loss_pct: Some(percent("10")),
        trailing: Trailing::Static,
        min_days: 4,
        min_trades: 0,
        max_days: None,
        consistency_pct: None,
        risk_per_trade: None,
    }
}

/// Plays lines such as `open`, `roll`, `equity 95000`, `flat 104000` (balance and equity, flat), `floating 92000 -2001`,
/// and gives the status with the number of the line that ended it.
fn play(rules: AssessmentRules, lines: &[&str]) -> (String, Option<usize>) {
    let mut attempt = Attempt::new(rules).unwrap();
    let mut ended = None;
    for (at, line) in lines.iter().enumerate() {
        let words: Vec<&str> = line.split(' ').collect();
        let figures = Figures::default();
        let observation = match words.as_slice() {
            ["open"] => Observation::Opened,
            ["roll"] => Observation::Roll,
            ["withdraw"] => Observation::Withdraw,
            ["void"] => Observation::Void,
            ["product"] => Observation::ForbiddenProduct,
            ["risk", risk] => Observation::Risk(money(risk)),
            ["equity", equity] => Observation::Figures(Figures {
                equity: Some(money(equity)),
                ..figures
            }),
            ["stale", equity] => Observation::Figures(Figures {
                equity: Some(money(equity)),
                stale: true,
                ..figures
            }),
            ["flat", balance] => Observation::Figures(Figures {
                equity: Some(money(balance)),
                balance: Some(money(balance)),
                flat: true,
                ..figures
            }),
            ["floating", balance, open] => Observation::Figures(Figures {
                equity: Some(Money::from_raw(money(balance).raw() + money(open).raw())),
                balance: Some(money(balance)),
                ..figures
            }),
            _ => panic!("{line}"),
        };
        if attempt.observe(&observation).unwrap().is_over() && ended.is_none() {
            ended = Some(at);
        }
    }
    let text = match attempt.status() {
        Status::Failed(reason) => format!("FAILED {}", reason.text()),
        status => status.text().into(),
    };
    (text, ended)
}

#[track_caller]
fn check(rules: AssessmentRules, lines: &[&str], status: &str, ended: Option<usize>) {
    assert_eq!(play(rules, lines), (status.into(), ended));
}

#[test]
fn a_loss_down_to_the_floor_is_none_and_a_cent_more_is() {
    check(rules(), &["open", "equity 95000"], "ACTIVE", None);
    check(
        rules(),
        &["open", "equity 94999.99"],
        "FAILED DAILY_LOSS",
        Some(1),
    );
    check(
        rules(),
        &["open", "flat 102000", "roll", "equity 97000", "equity 96999.99"],
        "FAILED DAILY_LOSS",
        Some(4),
    );
}

#[test]
fn open_losses_count_for_the_maximum_loss() {
    let rules = AssessmentRules {
        daily_loss_pct: None,
        ..rules()
    };
    check(rules, &["floating 92000 -2000"], "ACTIVE", None);
    check(rules, &["floating 92000 -2001"], "FAILED MAX_LOSS", Some(0));
}

#[test]
fn the_new_days_floor_judges_what_is_open_at_the_roll() {
    check(
        rules(),
        &["open", "floating 102000 -6000", "roll"],
        "FAILED DAILY_LOSS",
        Some(2),
    );
}

#[test]
fn the_target_waits_for_the_days_and_for_flat() {
    let three = ["open", "roll", "open", "roll", "open", "flat 110000"];
    check(rules(), &three, "ACTIVE", None);
    let mut four = three.to_vec();
    four.extend(["roll", "open", "floating 110000 500", "flat 110000"]);
    check(rules(), &four, "PASSED", Some(9));
}

#[test]
fn holding_a_position_is_no_trading_day() {
    let lines = [
        "open",
        "roll",
        "equity 100100",
        "roll",
        "roll",
        "roll",
        "flat 120000",
    ];
    check(rules(), &lines, "ACTIVE", None);
}

#[test]
fn a_violation_and_the_target_at_once_is_a_fail() {
    let rules = AssessmentRules {
        min_days: 0,
        ..rules()
    };
    let mut attempt = Attempt::new(rules).unwrap();
    let both = Observation::Figures(Figures {
        equity: Some(money("80000")),
        balance: Some(money("111000")),
        flat: true,
        ..Figures::default()
    });
    assert_eq!(attempt.observe(&both), Ok(Status::Failed(Reason::MaxLoss)));
}

#[test]
fn a_trailing_floor_follows_the_balance_at_the_roll_and_stops_at_its_lock() {
    let rules = AssessmentRules {
        initial: money("50000"),
        target_pct: percent("100"),
        daily_loss_pct: None,
        max_loss_pct: Some(percent("4")),
        trailing: Trailing::EndOfDay {
            lock: Some(money("50000")),
        },
        ..rules()
    };
    for (lines, floor) in [
        (&["flat 50500", "roll"][..], "48500"),
        (&["flat 50500", "roll", "flat 50000", "roll"], "48500"),
        (&["flat 52500", "roll"], "50000"),
        (&["flat 53500", "roll"], "50000"),
        (&["flat 53500"], "48000"), // the day has not rolled
    ] {
        let on_floor = format!("equity {floor}");
        let below = format!(
            "equity {}",
            Money::from_raw(money(floor).raw() - money("0.01").raw())
        );
        let with = |last: &str| [lines, &[last]].concat().join(";");
        let play_all = |all: String| play(rules, &all.split(';').collect::<Vec<_>>()).0;
        assert_eq!(play_all(with(&on_floor)), "ACTIVE", "{lines:?}");
        assert_eq!(play_all(with(&below)), "FAILED MAX_LOSS", "{lines:?}");
    }
}

#[test]
fn an_intraday_floor_follows_the_equity() {
    let rules = AssessmentRules {
        initial: money("50000"),
        daily_loss_pct: None,
        max_loss_pct: Some(percent("4")),
        trailing: Trailing::Intraday { lock: None },
        ..rules()
    };
    check(
        rules,
        &["equity 51400", "equity 49400", "equity 49399.99"],
        "FAILED MAX_LOSS",
        Some(2),
    );
}

#[test]
fn one_good_day_is_not_consistency() {
    let rules = AssessmentRules {
        min_days: 0,
        target_pct: percent("10"),
        consistency_pct: Some(percent("50")),
        ..rules()
    };
    // +6000, +2000, -500, +3000: the best is 6000 of 11000.
    let mut lines = vec![
        "flat 106000",
        "roll",
        "flat 108000",
        "roll",
        "flat 107500",
        "roll",
        "flat 110500",
    ];
    check(rules, &lines, "ACTIVE", None);
    lines.extend(["roll", "flat 111500"]); // 6000 of 12000
    check(rules, &lines, "PASSED", Some(8));
}

#[test]
fn an_attempt_runs_out_of_days_and_a_pass_at_the_same_roll_wins() {
    let rules = AssessmentRules {
        max_days: Some(2),
        min_days: 0,
        ..rules()
    };
    check(rules, &["open", "roll", "roll"], "EXPIRED", Some(2));
    check(rules, &["open", "roll", "flat 110000"], "PASSED", Some(2));
}

#[test]
fn an_ended_attempt_stays_ended_unless_it_is_void() {
    check(
        rules(),
        &["equity 80000", "flat 200000"],
        "FAILED MAX_LOSS",
        Some(0),
    );
    check(rules(), &["withdraw", "equity 80000"], "WITHDRAWN", Some(0));
    check(rules(), &["equity 80000", "void", "open"], "VOID", Some(0));
}

#[test]
fn a_stale_figure_fails_nobody() {
    check(rules(), &["stale 80000", "equity 99000", "roll"], "ACTIVE", None);
}

#[test]
fn products_and_risk_are_judged_after_the_losses() {
    let observe = |mode| AssessmentRules {
        risk_per_trade: Some((percent("1"), mode)),
        ..rules()
    };
    check(rules(), &["product"], "FAILED PRODUCT", Some(0));
    check(
        observe(RiskMode::Observe),
        &["risk 1000", "risk 1000.01"],
        "FAILED RISK_PER_TRADE",
        Some(1),
    );
    check(observe(RiskMode::Prevent), &["risk 5000"], "ACTIVE", None);
}

#[test]
fn rules_and_figures_out_of_range_are_refused() {
    let too_much = Money::from_raw(FIGURE_MAX + 1);
    let with = |initial, target_pct| {
        Attempt::new(AssessmentRules {
            initial,
            target_pct,
            ..rules()
        })
    };
    assert_eq!(with(Money::ZERO, 0).unwrap_err(), AssessmentError::Initial);
    assert_eq!(with(too_much, 0).unwrap_err(), AssessmentError::Initial);
    assert_eq!(with(money("1"), -1).unwrap_err(), AssessmentError::Percent);
    let mut largest = Attempt::new(AssessmentRules {
        initial: Money::from_raw(FIGURE_MAX),
        target_pct: PERCENT_MAX,
        daily_loss_pct: Some(PERCENT_MAX),
        max_loss_pct: Some(PERCENT_MAX),
        consistency_pct: Some(PERCENT_MAX),
        ..rules()
    })
    .unwrap();
    let figures = |equity| {
        Observation::Figures(Figures {
            equity: Some(Money::from_raw(equity)),
            balance: Some(Money::from_raw(equity)),
            flat: true,
            ..Figures::default()
        })
    };
    assert_eq!(
        largest.observe(&figures(FIGURE_MAX + 1)),
        Err(AssessmentError::Figure)
    );
    assert_eq!(largest.observe(&figures(i128::MIN)), Err(AssessmentError::Figure));
    for equity in [FIGURE_MAX, -FIGURE_MAX] {
        assert!(largest.observe(&figures(equity)).is_ok());
    }
}

#[test]
fn assessments_agree_with_the_shared_vectors() {
    let Some(path) = vectors() else {
        eprintln!(
            "skipped: no shared/vectors/analytics.json above {}",
            env!("CARGO_MANIFEST_DIR")
        );
        return;
    };
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    let cases: Vec<&Value> = cases.filter(|case| case["topic"] == "assessment").collect();
    assert!(!cases.is_empty());
    for case in cases {
        assert_eq!(answer(&case["input"]), case["expect"], "{}", case["id"]);
    }
}

fn vectors() -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above
        .map(|folder| folder.join("shared/vectors/analytics.json"))
        .find(|path| path.is_file())
}

/// What the topic expects of an input.
fn answer(input: &Value) -> Value {
    let mut attempt = Attempt::new(rules_of(&input["rules"])).unwrap();
    let mut ended = None;
    for (at, event) in input["events"].as_array().unwrap().iter().enumerate() {
        let text = |key: &str| event[key].as_str().map(money);
        let observation = match event["e"].as_str().unwrap() {
            "open" => Observation::Opened,
            "roll" => Observation::Roll,
            "equity" => Observation::Figures(Figures {
                equity: text("equity"),
                balance: text("balance"),
                flat: event["flat"] == true,
                trades: event["trades"].as_u64().map(|trades| trades as u32),
                stale: false,
            }),
            other => panic!("{other}"),
        };
        attempt.observe(&observation).unwrap();
        if attempt.status().is_over() {
            ended = Some(at);
            break;
        }
    }
    let mut expect = serde_json::json!({
        "status": attempt.status().text(),
        "trading_days": attempt.trading_days(),
    });
    if let Some(at) = ended {
        expect["event_index"] = at.into();
    }
    if let Status::Failed(reason) = attempt.status() {
        expect["reason"] = reason.text().into();
    }
    expect
}

fn rules_of(value: &Value) -> AssessmentRules {
    let percent_of = |key: &str| value[key].as_str().map(percent);
    let count = |key: &str| value[key].as_u64().unwrap_or(0) as u32;
    AssessmentRules {
        initial: money(value["initial"].as_str().unwrap()),
        target_pct: percent_of("target_pct").unwrap(),
        daily_loss_pct: percent_of("daily_loss_pct"),
        max_loss_pct: percent_of("max_loss_pct"),
        trailing: match value["trailing"] == true {
            true => Trailing::EndOfDay {
                lock: value["lock"].as_str().map(money),
            },
            false => Trailing::Static,
        },
        min_days: count("min_days"),
        min_trades: count("min_trades"),
        max_days: value["max_days"].as_u64().map(|days| days as u32),
        consistency_pct: percent_of("consistency_pct"),
        risk_per_trade: None,
    }
}
