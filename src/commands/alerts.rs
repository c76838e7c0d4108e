//! `tradewind alerts`: incidents of a running engine, and what people say about them.

use super::ask::{ask_and_show, field, show_outcome};
use crate::cli::{AlertArgs, AlertsCommand};
use crate::output::{self, Table};
use serde_json::Value;
use std::process::ExitCode;
use tradewind_control::{AlertAct, Command, Nothing};

/// Runs the command.
pub fn run(command: &AlertsCommand) -> anyhow::Result<ExitCode> {
    match command {
        AlertsCommand::List(engine) => ask_and_show(engine, None, Command::AlertsList(Nothing {}), show_list),
        AlertsCommand::Ack(args) => act(args, "ACKNOWLEDGE"),
        AlertsCommand::Resolve(args) => act(args, "RESOLVE"),
    }
}

fn act(args: &AlertArgs, action: &str) -> anyhow::Result<ExitCode> {
    let act = AlertAct {
        incident: args.incident,
        action: action.to_owned(),
    };
    ask_and_show(
        &args.engine,
        Some(&args.comment),
        Command::AlertsAct(act),
        show_outcome,
    )
}

/// Incidents by state: what nobody has taken comes first.
fn show_list(value: &Value) -> anyhow::Result<()> {
    let mut incidents: Vec<Value> = field(value, "incidents")?;
    let text = |incident: &Value, name: &str| match &incident[name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    const STATES: [&str; 3] = ["OPEN", "ACKNOWLEDGED", "RESOLVED"];
    incidents.sort_by_key(|incident| {
        let state = text(incident, "state");
        STATES.iter().position(|known| *known == state)
    });
    let mut table = Table::new(&[
        "id",
        "<state",
        "<severity",
        "level",
        "<rule",
        "<scope",
        "count",
        "<opened",
        "<taken by",
        "<text",
    ]);
    let columns = [
        "id",
        "state",
        "severity",
        "level",
        "rule",
        "scope",
        "count",
        "opened_at",
        "acknowledged_by",
        "text",
    ];
    for incident in &incidents {
        table.row(columns.iter().map(|name| text(incident, name)).collect());
    }
    output::text(table);
    Ok(())
}
