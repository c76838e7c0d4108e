//! JSON: one object; figures are strings with all their decimals, so that no reader rounds them.

use crate::model::{Cell, Report};
use serde_json::{Map, Value, json};
use tradewind_domain::time::{Date, Rfc3339};

/// What stands above the sections: names and values, in this order.
pub(super) fn head(report: &Report) -> Vec<(&'static str, String)> {
    let day = |day: Option<u32>| day.map_or_else(String::new, |day| Date(day).to_string());
    vec![
        ("report", report.name.to_owned()),
        ("account", report.scope.account.clone()),
        ("currency", report.scope.currency.clone()),
        ("from", day(report.scope.from)),
        ("to", day(report.scope.to)),
        ("as_of_seq", report.as_of.seq.to_string()),
        ("as_of_time", Rfc3339(report.as_of.time_ns).to_string()),
    ]
}

/// The report as JSON.
pub fn json(report: &Report) -> String {
    let mut object: Map<String, Value> = Map::new();
    for (key, value) in head(report) {
        let value = if value.is_empty() {
            Value::Null
        } else {
            Value::String(value)
        };
        object.insert(key.to_owned(), value);
    }
    object.insert("as_of_seq".to_owned(), json!(report.as_of.seq));
    let sections = report.sections.iter().map(|section| {
        let rows = section.rows.iter().map(|row| {
            let cells = section.columns.iter().zip(row);
            Value::Object(
                cells
                    .map(|(column, cell)| (column.key.to_owned(), value(cell)))
                    .collect(),
            )
        });
        (section.key.to_owned(), rows.collect::<Value>())
    });
    object.insert("sections".to_owned(), Value::Object(sections.collect()));
    object.insert("notes".to_owned(), json!(report.notes));
    let mut text = serde_json::to_string_pretty(&Value::Object(object)).unwrap_or_default();
    text.push('\n');
    text
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::None => Value::Null,
        Cell::Count(count) => json!(count),
        _ => Value::String(cell.plain()),
    }
}
