//! `tradewind alerts`: incidents of a running engine, and what people say about them.

use super::alert_rules;
use super::ask::{ask_and_show, field, show_outcome};
use crate::cli::{AlertArgs, AlertsCommand, EngineArgs};
use crate::output::{self, Table};
use serde_json::{Value, json};
use std::process::ExitCode;
use tradewind_control::{AlertAct, ClientError, Command, Nothing};
use tradewind_machine::clock::Clock;
use tradewind_machine::journal::{self, JournalError};

/// Runs the command.
pub fn run(command: &AlertsCommand) -> anyhow::Result<ExitCode> {
    match command {
        AlertsCommand::List(engine) => list(engine),
        AlertsCommand::Ack(args) => act(args, "ACKNOWLEDGE"),
        AlertsCommand::Resolve(args) => act(args, "RESOLVE"),
        AlertsCommand::Rules(command) => alert_rules::run(command),
    }
}

/// Asks the engine; where none runs, the journal and the settings of its last run say the same, live figures apart.
fn list(engine: &EngineArgs) -> anyhow::Result<ExitCode> {
    let error = match ask_and_show(engine, None, Command::AlertsList(Nothing {}), show_list) {
        Err(error) if is_no_engine(&error) => error,
        answered => return answered,
    };
    match journal::identity(&engine.data) {
        Err(JournalError::NoJournal { .. }) => return Err(error), // no journal either
        Err(damage) => return Err(damage.into()),
        Ok(_) => {}
    }
    let incidents = crate::alerts::rebuild(&engine.data, Clock::start()?.now_ns())?.incidents();
    let value = json!({ "incidents": incidents });
    if engine.json {
        output::json(&value)?;
    } else {
        show_list(&value)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn is_no_engine(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ClientError::NoEngine { .. }))
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
