//! Arguments of `tradewind user` and `tradewind token`.

use super::{EngineArgs, ReasonArgs};
use clap::{Args, Subcommand};

/// `tradewind user`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// All users, and how they stand to nodes.
    List(EngineArgs),
    /// Make a user; his password is shown once.
    Add(UserAddArgs),
    /// Give a user a new password, shown once; his logins end.
    Password(UserArgs),
    /// Give a user a role at a node.
    Grant(UserAccessArgs),
    /// Take a role away; tokens and keys of the user end.
    Revoke(UserAccessArgs),
    /// Revoke all that a user has and erase his name, mail address, password and keys.
    Erase(UserArgs),
}

/// `tradewind user add`.
#[derive(Debug, Args)]
pub struct UserAddArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Name to log in with.
    pub name: String,
    /// Full name.
    #[arg(long)]
    pub full_name: Option<String>,
    /// Mail address.
    #[arg(long)]
    pub mail: Option<String>,
    /// `sub` of an outside issuer's tokens; he then gets no password.
    #[arg(long)]
    pub subject: Option<String>,
}

/// A user, and why.
#[derive(Debug, Args)]
pub struct UserArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// Name or number of the user.
    pub user: String,
}

/// `tradewind token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make an API key that acts with a user's rights; it is shown once.
    Create(TokenCreateArgs),
    /// API keys that there are, without their secret halves.
    List(TokenListArgs),
    /// Take an API key away; what came in by it ends within a second.
    Revoke(TokenRevokeArgs),
}

/// `tradewind token create`.
#[derive(Debug, Args)]
pub struct TokenCreateArgs {
    /// Whose.
    #[command(flatten)]
    pub user: UserArgs,
    /// What it is for.
    #[arg(long, default_value = "")]
    pub label: String,
}

/// `tradewind token list`.
#[derive(Debug, Args)]
pub struct TokenListArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Only those of this user, by name or number.
    #[arg(long)]
    pub user: Option<String>,
}

/// `tradewind token revoke`.
#[derive(Debug, Args)]
pub struct TokenRevokeArgs {
    /// The engine.
    #[command(flatten)]
    pub engine: EngineArgs,
    /// Why.
    #[command(flatten)]
    pub why: ReasonArgs,
    /// The key's public half, as `tradewind token list` shows it.
    pub id: String,
}

/// `tradewind user grant` and `revoke`.
#[derive(Debug, Args)]
pub struct UserAccessArgs {
    /// Who.
    #[command(flatten)]
    pub user: UserArgs,
    /// VIEWER, TRADER, RISK, SERVICE or ADMIN.
    #[arg(long)]
    pub role: String,
    /// Node or account; left out: the whole firm.
    #[arg(long)]
    pub node: Option<String>,
}
