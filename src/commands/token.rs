//! `tradewind token`: API keys of a running engine's HTTP server, asked for through its control socket.

use super::ask::{ask_and_show, field};
use super::user::show_secret;
use crate::cli::TokenCommand;
use crate::output::{self, Table};
use serde_json::Value;
use std::process::ExitCode;
use tradewind_control::{Command, KeyFilter, KeyName, UserKey};

/// Runs the command.
pub fn run(command: &TokenCommand) -> anyhow::Result<ExitCode> {
    match command {
        TokenCommand::Create(args) => {
            let key = UserKey {
                user: args.user.user.clone(),
                label: args.label.clone(),
            };
            let why = Some(args.user.why.reason.as_str());
            ask_and_show(&args.user.engine, why, Command::UsersKey(key), show_secret)
        }
        TokenCommand::List(args) => {
            let filter = KeyFilter {
                user: args.user.clone(),
            };
            ask_and_show(&args.engine, None, Command::UsersKeys(filter), show_list)
        }
        TokenCommand::Revoke(args) => {
            let key = KeyName { id: args.id.clone() };
            let why = Some(args.why.reason.as_str());
            ask_and_show(&args.engine, why, Command::UsersKeyRemove(key), |value| {
                let id: String = field(value, "removed")?;
                output::text(format_args!("API key {id} is taken away\n"));
                Ok(())
            })
        }
    }
}

fn show_list(value: &Value) -> anyhow::Result<()> {
    let keys: Vec<Value> = field(value, "keys")?;
    let mut table = Table::new(&["<id", "user", "<name", "<label", "<created"]);
    for key in &keys {
        let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        table.row(vec![
            text("id"),
            field::<u32>(key, "user")?.to_string(),
            text("name"),
            text("label"),
            text("created"),
        ]);
    }
    output::text(table);
    Ok(())
}
