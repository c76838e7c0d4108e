//! The shared position vectors (`shared/vectors/positions.json`, beside the checkout) against the position stage: average cost,
//! fills, busts, corrections and marks. Cases with fees in the basis are left out; a case ends at its first operation without
//! behaviour yet (settle, split, dividend). Not compared: base currency, `max_loss`.

use bytemuck::Zeroable;
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tradewind_books::position::{Position, PositionRow};
use tradewind_domain::codes::{InstrumentKind, Side};
use tradewind_domain::decimal;
use tradewind_domain::event::{
    Body, Capacities, Event, Execution, InstrumentSet, Kind, LastTrade, TakenBack, TradeBust,
    execution_alerts,
};
use tradewind_domain::fixed::{Money, Price, Qty};
use tradewind_domain::ids::HoldingId;
use tradewind_domain::reference::Instrument;
use tradewind_domain::reject::RejectCode;
use tradewind_domain::rounding::{Rounding, principal};
use tradewind_machine::stage::Stage;

/// Cases with average cost that the file of 148 cases holds, fees in the basis apart. Less would mean a broken reader.
const CASES_MIN: usize = 30;
/// Busts and corrections in them.
const TAKEN_BACK_MIN: usize = 5;
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
    let (mut cases, mut steps, mut taken_back) = (0, 0, 0);
    for case in file["cases"].as_array().unwrap() {
        let setup = &case["setup"];
        if setup["method"] == "AVCO" && setup["fee_in_basis"] == false {
            cases += 1;
            steps += run_case(case, &mut taken_back);
        }
    }
    assert!(cases >= CASES_MIN, "{cases} cases");
    assert!(taken_back >= TAKEN_BACK_MIN, "{taken_back} busts and corrections");
    eprintln!("{cases} cases, {steps} steps compared, {taken_back} of them busts and corrections");
}

fn vectors() -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above
        .map(|folder| folder.join("shared/vectors/positions.json"))
        .find(|path| path.is_file())
}

/// Runs a case up to its first operation without behaviour; gives the number of steps compared.
fn run_case(case: &Value, taken_back: &mut usize) -> usize {
    let mut desk = Desk::new(instrument(&case["setup"]["instrument"]));
    let steps = case["steps"].as_array().unwrap();
    for (index, step) in steps.iter().enumerate() {
        match step["op"].as_str().unwrap() {
            "fill" => desk.fill(step),
            "bust" => {
                desk.bust(step);
                *taken_back += 1;
            }
            "correct" => {
                desk.correct(step);
                *taken_back += 1;
            }
            "mark" => desk.run(
                Kind::LastTrade,
                LastTrade {
                    px: raw(&step["mark"]),
                    ..Zeroable::zeroed()
                },
            ),
            _ => return index,
        }
        let at = format!("{} step {index}", case["id"]);
        compare(&desk.position, &desk.instrument, &step["expect"], &at);
    }
    steps.len()
}

/// A position, and what the limit check would know of its executions.
struct Desk {
    position: Position,
    instrument: Instrument,
    booked: HashMap<String, Booked>,
    seq: u64,
}

/// The live version of a trade; none once it was busted.
type Booked = Option<TakenBack>;

impl Desk {
    fn new(instrument: Instrument) -> Self {
        let position = Position::new(&Capacities {
            instruments: 1,
            holdings: 1,
            ..Capacities::default()
        });
        let mut desk = Self {
            position,
            instrument,
            booked: HashMap::new(),
            seq: 0,
        };
        let set = InstrumentSet {
            row: instrument,
            ..Zeroable::zeroed()
        };
        desk.run(Kind::InstrumentSet, set);
        desk
    }

    fn run<T: Body>(&mut self, kind: Kind, body: T) {
        self.send(&mut event(kind, body));
    }

    fn send(&mut self, event: &mut Event) {
        self.seq += 1;
        event.head.seq = self.seq;
        self.position.process(event);
    }

    fn value(&self, qty: i64, px: i64) -> Money {
        let (qty, px) = (Qty::from_raw(qty), Price::from_raw(px));
        principal(&self.instrument, qty, px, Rounding::HalfUp).unwrap()
    }

    /// A fill with the facts that the limit check writes; one seen before is refused there.
    fn fill(&mut self, step: &Value) {
        let (qty, px) = (raw(&step["qty"]), raw(&step["px"]));
        let exec_id = step["exec_id"].as_str().unwrap();
        let execution = Execution {
            qty,
            px,
            fee: step.get("fee").map_or(Money::ZERO, money),
            side: Side::from_text(step["side"].as_str().unwrap()).unwrap() as u8,
            principal: self.value(qty, px),
            ..Zeroable::zeroed()
        };
        let mut event = event(Kind::VenueFill, execution);
        if self.booked.contains_key(exec_id) {
            event.reject(RejectCode::DuplicateExecId);
            return self.send(&mut event);
        }
        self.send(&mut event);
        let trade = TakenBack {
            trade_seq: self.seq,
            qty,
            px,
            fee: execution.fee,
            principal: execution.principal,
            side: execution.side,
            ..Zeroable::zeroed()
        };
        self.booked.insert(exec_id.to_owned(), Some(trade));
    }

    fn bust(&mut self, step: &Value) {
        let mut event = event(Kind::TradeBust, TradeBust::zeroed());
        let booked = self.booked.get_mut(step["exec_id"].as_str().unwrap());
        match booked.map(Option::take) {
            Some(Some(trade)) => event.set_tail(bytemuck::bytes_of(&trade)),
            Some(None) => event.reject(RejectCode::AlreadyBusted),
            None => event.reject(RejectCode::UnknownTrade),
        }
        self.send(&mut event);
        assert_eq!(
            event.body::<TradeBust>().alerts & execution_alerts::NOT_REPLAYED,
            0
        );
    }

    fn correct(&mut self, step: &Value) {
        let booked = self.booked.get(step["exec_id"].as_str().unwrap()).copied();
        let Some(Some(trade)) = booked else {
            let mut event = event(Kind::TradeCorrect, Execution::zeroed());
            event.reject(RejectCode::UnknownTrade);
            return self.send(&mut event);
        };
        let qty = step.get("qty").map_or(trade.qty, raw);
        let px = step.get("px").map_or(trade.px, raw);
        let new = Execution {
            qty,
            px,
            fee: step.get("fee").map_or(trade.fee, money),
            side: trade.side,
            principal: self.value(qty, px),
            ..Zeroable::zeroed()
        };
        let mut event = event(Kind::TradeCorrect, new);
        event.set_tail(bytemuck::bytes_of(&trade));
        self.send(&mut event);
        let version = TakenBack {
            qty,
            px,
            fee: new.fee,
            principal: new.principal,
            ..trade
        };
        let exec_id = step["exec_id"].as_str().unwrap().to_owned();
        self.booked.insert(exec_id, Some(version));
    }
}

fn compare(position: &Position, instrument: &Instrument, expect: &Value, at: &str) {
    let row = position
        .position(HOLDING)
        .copied()
        .unwrap_or(PositionRow::zeroed());
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
        let found = position.unrealised(HOLDING).unwrap_or(Money::ZERO);
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

fn raw(value: &Value) -> i64 {
    decimal::parse(value.as_str().unwrap().as_bytes()).unwrap()
}

fn money(value: &Value) -> Money {
    Money::from_raw(raw(value).into())
}
