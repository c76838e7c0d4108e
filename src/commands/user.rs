//! `tradewind user`: users of a running engine's HTTP server, asked for through its control socket.

use super::ask::{ask_and_show, field, show_outcome};
use crate::cli::{UserAccessArgs, UserCommand};
use crate::output::{self, Table};
use serde_json::Value;
use std::process::ExitCode;
use tradewind_control::{Command, Nothing, UserAccess, UserName, UserNew};

/// Runs the command.
pub fn run(command: &UserCommand) -> anyhow::Result<ExitCode> {
    match command {
        UserCommand::List(engine) => ask_and_show(engine, None, Command::UsersList(Nothing {}), show_list),
        UserCommand::Add(args) => {
            let new = UserNew {
                name: args.name.clone(),
                full_name: args.full_name.clone(),
                mail: args.mail.clone(),
                subject: args.subject.clone(),
            };
            ask_and_show(
                &args.engine,
                Some(&args.why.reason),
                Command::UsersAdd(new),
                show_secret,
            )
        }
        UserCommand::Password(args) => {
            let user = UserName {
                user: args.user.clone(),
            };
            ask_and_show(
                &args.engine,
                Some(&args.why.reason),
                Command::UsersPassword(user),
                show_secret,
            )
        }
        UserCommand::Grant(args) => change(args, Command::UsersGrant),
        UserCommand::Revoke(args) => change(args, Command::UsersRevoke),
        UserCommand::Erase(args) => {
            let user = UserName {
                user: args.user.clone(),
            };
            ask_and_show(
                &args.engine,
                Some(&args.why.reason),
                Command::UsersErase(user),
                |value| {
                    let (erased, revoked): (u32, u64) = (field(value, "erased")?, field(value, "revoked")?);
                    output::text(format_args!(
                        "user {erased} is erased, {revoked} lines of access were revoked\n"
                    ));
                    Ok(())
                },
            )
        }
    }
}

fn change(args: &UserAccessArgs, command: fn(UserAccess) -> Command) -> anyhow::Result<ExitCode> {
    let access = UserAccess {
        user: args.user.user.clone(),
        role: args.role.clone(),
        node: args.node.clone(),
    };
    ask_and_show(
        &args.user.engine,
        Some(&args.user.why.reason),
        command(access),
        show_outcome,
    )
}

/// What is shown this once.
pub(super) fn show_secret(value: &Value) -> anyhow::Result<()> {
    if let Some(user) = value.get("user") {
        output::text(format_args!(
            "user {} is number {}\n",
            field::<String>(user, "name")?,
            field::<u32>(user, "id")?
        ));
    }
    for (member, words) in [("password", "password"), ("key", "API key")] {
        if let Some(secret) = value.get(member).and_then(Value::as_str) {
            output::text(format_args!("{words} (shown this once): {secret}\n"));
        }
    }
    Ok(())
}

fn show_list(value: &Value) -> anyhow::Result<()> {
    let users: Vec<Value> = field(value, "users")?;
    let mut table = Table::new(&[
        "number",
        "<name",
        "<full name",
        "<node",
        "<role",
        "<status",
        "<by",
    ]);
    for user in &users {
        let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        let (id, name, full_name) = (
            field::<u32>(user, "id")?.to_string(),
            text(user, "name"),
            text(user, "full_name"),
        );
        let access: Vec<Value> = field(user, "access")?;
        if access.is_empty() {
            let none = String::new;
            table.row(vec![
                id.clone(),
                name.clone(),
                full_name.clone(),
                none(),
                none(),
                "no access".into(),
                none(),
            ]);
        }
        for line in &access {
            let node = match (
                line.get("node").and_then(Value::as_str),
                line.get("group").and_then(Value::as_u64),
            ) {
                (Some(node), _) => node.to_owned(),
                (None, Some(group)) => format!("group {group}"),
                (None, None) => "whole firm".to_owned(),
            };
            let cells = [text(line, "role"), text(line, "status"), text(line, "author")];
            let row = [id.clone(), name.clone(), full_name.clone(), node]
                .into_iter()
                .chain(cells);
            table.row(row.collect());
        }
    }
    output::text(table);
    Ok(())
}
