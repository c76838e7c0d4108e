//! The shared position vectors (`shared/vectors/positions.json`, beside the checkout) against the position stage: average cost,
//! fills and marks. Cases with fees in the basis are left out; a case ends at its first operation without behaviour yet
//! (settle, split, dividend, bust, correct). Not compared: base currency, `max_loss`.

use bytemuck::Zeroable;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tradewind_books::position::Position;
use tradewind_domain::codes::{InstrumentKind, Side};
use tradewind_domain::decimal;
use tradewind_domain::event::{Body, Capacities, Event, Execution, InstrumentSet, Kind, LastTrade};
use tradewind_domain::fixed::{Money, Price, Qty};
use tradewind_domain::ids::HoldingId;
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::rounding::{Rounding, principal};
use tradewind_machine::stage::Stage;

/// Cases with average cost that the file of 148 cases holds, fees in the basis apart. Less would mean a broken reader.
const CASES_MIN: usize = 30;
const HOLDING: HoldingId = HoldingId(0);

#[test]
fn average_cost_positions_agree_with_the_shared_vectors() {
    let Some(path) = vectors() else {
        eprintln!(
            "skipped: no shared/vectors/positions.json above {}",
            env!("CARGO_MANIFEST_DIR")
        );
        return;
    };
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut cases, mut steps) = (0, 0);
    for case in file["cases"].as_array().unwrap() {
        let setup = &case["setup"];
        if setup["method"] == "AVCO" && setup["fee_in_basis"] == false {
            cases += 1;
            steps += run_case(case);
        }
    }
    assert!(cases >= CASES_MIN, "{cases} cases");
    eprintln!("{cases} cases, {steps} steps compared");
}

fn vectors() -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above
        .map(|folder| folder.join("shared/vectors/positions.json"))
        .find(|path| path.is_file())
}

/// Runs a case up to its first operation without behaviour; gives the number of steps compared.
fn run_case(case: &Value) -> usize {
    let instrument = instrument(&case["setup"]["instrument"]);
    let mut position = Position::new(&Capacities {
        instruments: 1,
        holdings: 1,
        ..Capacities::default()
    });
    run(
        &mut position,
        Kind::InstrumentSet,
        InstrumentSet {
            row: instrument,
            ..Zeroable::zeroed()
        },
    );
    let mut seen: Vec<&str> = Vec::new();
    let steps = case["steps"].as_array().unwrap();
    for (index, step) in steps.iter().enumerate() {
        match step["op"].as_str().unwrap() {
            "fill" => {
                let exec_id = step["exec_id"].as_str().unwrap();
                fill(&mut position, &instrument, step, seen.contains(&exec_id));
                seen.push(exec_id);
            }
            "mark" => {
                run(
                    &mut position,
                    Kind::LastTrade,
                    LastTrade {
                        px: raw(&step["mark"]),
                        ..Zeroable::zeroed()
                    },
                );
            }
            _ => return index,
        }
        compare(
            &position,
            &instrument,
            &step["expect"],
            &format!("{} step {index}", case["id"]),
        );
    }
    steps.len()
}

/// A fill with the facts that the limit check writes; one seen before is refused there.
fn fill(position: &mut Position, instrument: &Instrument, step: &Value, duplicate: bool) {
    let (qty, px) = (raw(&step["qty"]), raw(&step["px"]));
    let value = principal(
        instrument,
        Qty::from_raw(qty),
        Price::from_raw(px),
        Rounding::HalfUp,
    );
    let execution = Execution {
        qty,
        px,
        fee: step.get("fee").map_or(Money::ZERO, money),
        side: Side::from_text(step["side"].as_str().unwrap()).unwrap() as u8,
        principal: value.unwrap(),
        ..Zeroable::zeroed()
    };
    let mut event = event(Kind::VenueFill, execution);
    if duplicate {
        event.reject(RejectCode::DuplicateExecId);
    }
    position.process(&mut event);
}

fn compare(position: &Position, instrument: &Instrument, expect: &Value, at: &str) {
    let row = *position.position(HOLDING).unwrap();
    assert_eq!(row.qty.raw(), i128::from(raw(&expect["qty"])), "{at}: qty");
    assert_eq!(row.cost, money(&expect["cost"]), "{at}: cost");
    assert_eq!(row.realised, money(&expect["realised"]), "{at}: realised");
    assert_eq!(row.fees, money(&expect["fees"]), "{at}: fees");
    assert_eq!(
        row.avg_px(instrument),
        expect.get("avg_px").map(|px| raw(px).into()),
        "{at}: avg_px"
    );
    if let Some(unrealised) = expect.get("unrealised") {
        let found = position.unrealised(HOLDING).unwrap();
        assert_eq!(found, money(unrealised), "{at}: unrealised");
        let total = row.realised.raw() + found.raw() - row.fees.raw();
        assert_eq!(total, money(&expect["total_pnl"]).raw(), "{at}: total_pnl");
        let account = position.account_totals(row.account, instrument.currency);
        assert_eq!(account.total().raw(), total, "{at}: account total");
    }
}

fn instrument(setup: &Value) -> Instrument {
    let kind = match setup["kind"].as_str().unwrap() {
        "LINEAR" => InstrumentKind::Equity,
        "INVERSE" => InstrumentKind::Inverse,
        "BINARY" => InstrumentKind::Binary,
        other => panic!("unknown kind {other}"),
    };
    Instrument {
        kind: kind as u8,
        mult: raw(&setup["mult"]),
        money_dp: setup["money_dp"].as_u64().unwrap() as u8,
        ..Instrument::default_linear()
    }
}

fn event<T: Body>(kind: Kind, body: T) -> Event {
    let mut event = Event::empty();
    event.reset(kind);
    *event.body_mut() = body;
    event
}

fn run<T: Body>(position: &mut Position, kind: Kind, body: T) {
    position.process(&mut event(kind, body));
}

fn raw(value: &Value) -> i64 {
    decimal::parse(value.as_str().unwrap().as_bytes()).unwrap()
}

fn money(value: &Value) -> Money {
    Money::from_raw(raw(value).into())
}
