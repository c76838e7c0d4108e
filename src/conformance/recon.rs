//! The topic `recon` of the family `ledger`: two sides and a tolerance, and a line for each item.

use super::analytics::Agreement;
use super::decimals::Decimal;
use super::file::RawCase;
use super::report::{Played, Problem, StepReport};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tradewind_domain::fixed::{Money, NetQty};
use tradewind_reports::recon::{Broker, Internal, Line, Quantity, reconcile};

#[derive(Deserialize)]
struct Case {
    setup: Setup,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    tolerance: Decimal,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum Step {
    Recon {
        internal: Side<Held>,
        broker: Side<Decimal>,
        expect: Map<String, Value>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Side<T> {
    positions: BTreeMap<String, T>,
    cash: BTreeMap<String, Decimal>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    settled: Decimal,
    traded: Decimal,
}

/// Plays a case: each step is two sides of its own.
pub(crate) fn play(raw: &RawCase) -> Played {
    let case: Case = match serde_json::from_value(Value::Object(raw.rest.clone())) {
        Ok(case) => case,
        Err(error) => return Played::broken("case", error.to_string()),
    };
    let steps = case.steps.iter().enumerate().map(|(at, step)| {
        let Step::Recon {
            internal,
            broker,
            expect,
        } = step;
        let name = format!("step {} recon", at + 1);
        match lines(internal, broker, case.setup.tolerance) {
            Ok(got) => StepReport {
                problems: Agreement::Exact
                    .differences(expect, &got)
                    .into_iter()
                    .map(Problem::Difference)
                    .collect(),
                name,
                expected: expect.clone(),
                got,
            },
            Err(why) => StepReport::broken(name, why),
        }
    });
    Played {
        steps: steps.collect(),
    }
}

fn lines(
    internal: &Side<Held>,
    broker: &Side<Decimal>,
    tolerance: Decimal,
) -> Result<Map<String, Value>, String> {
    let held = |held: Held| {
        let (settled, traded) = (qty(held.settled)?, qty(held.traded)?);
        Ok(Quantity { settled, traded })
    };
    let internal = Internal {
        positions: by_name(&internal.positions, held)?,
        cash: by_name(&internal.cash, money)?,
    };
    let broker = Broker {
        positions: by_name(&broker.positions, qty)?,
        cash: by_name(&broker.cash, money)?,
    };
    let lines = reconcile(&internal, &broker, money(tolerance)?);
    let told = lines.iter().map(told).collect();
    Ok(Map::from_iter([("lines".to_owned(), Value::Array(told))]))
}

fn told(line: &Line) -> Value {
    let diff = Money::from_raw(line.diff).to_string();
    json!({"item": line.item, "status": line.status.text(), "diff": diff})
}

fn by_name<T: Copy, U>(
    side: &BTreeMap<String, T>,
    read: impl Fn(T) -> Result<U, String>,
) -> Result<BTreeMap<String, U>, String> {
    side.iter()
        .map(|(name, value)| Ok((name.clone(), read(*value)?)))
        .collect()
}

fn qty(decimal: Decimal) -> Result<NetQty, String> {
    scaled(decimal).map(NetQty::from_raw)
}

fn money(decimal: Decimal) -> Result<Money, String> {
    scaled(decimal).map(Money::from_raw)
}

fn scaled(decimal: Decimal) -> Result<i128, String> {
    decimal
        .raw(8)
        .ok_or_else(|| format!("{decimal} has more than 8 decimals"))
}
