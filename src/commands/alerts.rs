//! `tradewind alerts`: what people say about incidents of a running engine.

use super::ask::{ask_and_show, show_outcome};
use crate::cli::{AlertArgs, AlertsCommand};
use std::process::ExitCode;
use tradewind_control::{AlertAct, Command};

/// Runs the command.
pub fn run(command: &AlertsCommand) -> anyhow::Result<ExitCode> {
    match command {
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
