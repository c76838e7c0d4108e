//! Asks a running engine through its control socket, and says what came of it. Exit codes: 0 done, 1 refused or no engine,
//! 2 an argument that cannot be.

use crate::cli::EngineArgs;
use crate::output;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::process::ExitCode;
use tradewind_control::{Client, ClientError, Command, ErrorCode, Failure, Hit, Outcome};

/// Exit code of a usage error, as clap has it.
const USAGE: u8 = 2;

/// The engine's answer, or the exit code where it has said no and that was shown.
pub(crate) type Asked = Result<Value, ExitCode>;

/// Asks.
pub(crate) fn ask(engine: &EngineArgs, reason: Option<&str>, command: Command) -> anyhow::Result<Asked> {
    let mut client = Client::connect(&engine.data)?;
    match client.ask(command, operator(engine).as_deref(), reason) {
        Ok(value) => Ok(Ok(value)),
        Err(ClientError::Failed(failure)) => Ok(Err(no(engine, failure)?)),
        Err(error) => Err(error.into()),
    }
}

/// Asks, and shows the answer: as JSON, or by `show`.
pub(crate) fn ask_and_show(
    engine: &EngineArgs,
    reason: Option<&str>,
    command: Command,
    show: impl FnOnce(&Value) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    let value = match ask(engine, reason, command)? {
        Ok(value) => value,
        Err(code) => return Ok(code),
    };
    if engine.json {
        output::json(&value)?;
    } else {
        show(&value)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Who asks: as the flag says, else who called sudo. Else the engine takes the user that the kernel names.
pub(crate) fn operator(engine: &EngineArgs) -> Option<String> {
    let by_sudo = || std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
    engine.operator.clone().or_else(by_sudo)
}

/// A field of the answer as its type.
pub(crate) fn field<T: DeserializeOwned>(value: &Value, name: &str) -> anyhow::Result<T> {
    Ok(serde_json::from_value(
        value.get(name).cloned().unwrap_or_default(),
    )?)
}

/// Shows why not.
fn no(engine: &EngineArgs, failure: Failure) -> anyhow::Result<ExitCode> {
    let code = match failure.code {
        ErrorCode::BadArgument | ErrorCode::ReasonRequired | ErrorCode::LineTooLong => ExitCode::from(USAGE),
        _ => ExitCode::FAILURE,
    };
    if engine.json {
        output::json(&json!({ "error": failure }))?;
        return Ok(code);
    }
    if let Some(outcome) = &failure.outcome {
        note_outcome(outcome);
    }
    output::error(&failure.into());
    Ok(code)
}

/// What the journal says, in one line.
pub(crate) fn show_outcome(value: &Value) -> anyhow::Result<()> {
    let outcome: Outcome = field(value, "outcome")?;
    output::text(format_args!("{}\n", outcome_line(&outcome)));
    show_hits(&outcome.hits);
    Ok(())
}

fn note_outcome(outcome: &Outcome) {
    output::note(outcome_line(outcome));
    if outcome.code.as_deref() == Some("UNSUPPORTED_EVENT") {
        output::note("this version of the engine has no behaviour for it: nothing was done");
    }
}

fn outcome_line(outcome: &Outcome) -> String {
    let verdict = match &outcome.code {
        None => "accepted".to_owned(),
        Some(code) => format!("REFUSED {code}"),
    };
    let states = match (&outcome.state_before, &outcome.state_after) {
        (Some(before), Some(after)) if outcome.accepted => format!(" {before} -> {after}"),
        _ => String::new(),
    };
    format!(
        "{} {} {verdict}{states}: {}",
        outcome.seq, outcome.kind, outcome.text
    )
}

/// Limits that spoke.
pub(crate) fn show_hits(hits: &[Hit]) {
    for hit in hits {
        let mut line = format!("    {} {}", hit.kind, hit.code);
        if !hit.limit.is_empty() {
            line += &format!(": limit {} at {} {}", hit.limit, hit.level, hit.scope);
        }
        if !hit.unit.is_empty() {
            line += &format!(", used {} of {} {}", hit.used, hit.hard, hit.unit);
        }
        output::text(format_args!("{line}\n"));
    }
}
