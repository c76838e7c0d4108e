//! Records as lines: for `journal cat`, `journal follow` and `explain`.

mod admin;
mod books;
mod trading;

use serde_json::{Map, Value, json};
use tradewind_domain::codes::{OrderState, Side};
use tradewind_domain::event::Event;
use tradewind_domain::fixed::{Price, Qty};
use tradewind_domain::reject::Note;
use tradewind_domain::time::Rfc3339;
use tradewind_views::words_of;

fn px(raw: i64) -> Value {
    Value::String(Price::from_raw(raw).to_string())
}

fn qty(raw: i64) -> Value {
    Value::String(Qty::from_raw(raw).to_string())
}

fn name<T: Into<Option<&'static str>>>(text: T, code: u8) -> Value {
    text.into().map_or_else(|| json!(code), |text| json!(text))
}

fn side(code: u8) -> Value {
    name(Side::from_code(code).map(Side::text), code)
}

fn state(code: u8) -> Value {
    name(OrderState::from_code(code).map(OrderState::text), code)
}

/// One record as a JSON object: head fields, then the body's, ids as numbers and money as text, and the words that came with it (a reason, the
/// request that it comes from).
pub fn to_json(event: &Event) -> Value {
    let head = &event.head;
    let mut fields = Map::new();
    fields.insert("seq".into(), json!(head.seq));
    fields.insert("part".into(), json!(head.part));
    fields.insert(
        "kind".into(),
        event
            .kind()
            .map_or_else(|| json!(head.kind), |kind| json!(kind.text())),
    );
    fields.insert("time".into(), json!(Rfc3339(head.recv_ns).to_string()));
    if head.journaled_ns != 0 {
        fields.insert("journaled_ns".into(), json!(head.journaled_ns));
    }
    if event.is_rejected() {
        let code = event
            .reject_code()
            .map_or_else(|| head.outcome.to_string(), |code| code.text().to_owned());
        fields.insert("reject".into(), json!(code));
    }
    if head.notes != 0 {
        let notes = Note::ALL.iter().filter(|note| head.notes & note.bit() != 0);
        let codes: Vec<&str> = notes.map(|note| note.code().text()).collect();
        fields.insert("notes".into(), json!(codes));
    }
    for (name, rule) in [("rule", head.rule), ("rule_alert", head.rule_alert)] {
        if rule != 0 {
            fields.insert(name.into(), json!(rule));
        }
    }
    if let Some(kind) = event.kind() {
        trading::body(&mut fields, event, kind);
    }
    let words = words_of(event);
    if !words.is_empty() {
        fields.insert("text".into(), json!(String::from_utf8_lossy(words)));
    }
    Value::Object(fields)
}

/// One record as a line of text.
pub fn to_line(event: &Event) -> String {
    let Value::Object(fields) = to_json(event) else {
        return String::new();
    };
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let mut line = format!(
        "{:>10}/{} {} {:<18}",
        event.head.seq,
        event.head.part,
        text("time"),
        text("kind")
    );
    if let Some(reject) = fields.get("reject").and_then(Value::as_str) {
        line.push_str(&format!(" REJECTED {reject}"));
    }
    let shown = ["seq", "part", "kind", "time", "reject", "journaled_ns", "text"];
    for (key, value) in fields.iter().filter(|(key, _)| !shown.contains(&key.as_str())) {
        match value {
            Value::String(text) => line.push_str(&format!(" {key}={text}")),
            Value::Array(items) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                    .collect();
                line.push_str(&format!(" {key}={}", items.join(">")));
            }
            other => line.push_str(&format!(" {key}={other}")),
        }
    }
    if fields.contains_key("text") {
        line.push_str(&format!(" text={:?}", text("text")));
    }
    // Names in a damaged journal may hold anything: nothing of it reaches the terminal as a command.
    line.replace(char::is_control, "?")
}
