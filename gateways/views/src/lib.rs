//! Views: what the journal says, for readers. The replica (the stages in apply mode) and what is asked of it: state, replay,
//! the life of one order, the audit.
//!
//! # Invariants
//! - Everything is made from the journal alone; nothing here touches a live stage, takes the journal's lock or writes.
//! - Results are plain data with names in place of ids and decimals as text. Whoever asks shows them.
//! - A journal that is damaged, foreign or begins late is a typed error, never a panic and never a wrong figure.
//!
//! Not here: rendering, command line, transport.

mod error;
mod explain;
mod figures;
mod guard;
mod hits;
pub mod live;
mod names;
pub mod query;
mod reader;
pub mod recon;
mod replay;
mod replica;
mod rule_test;
mod state;
mod verify;

pub use error::ViewError;
pub use explain::{
    ExecutionView, ExplainError, HitView, OrderEvent, OrderKey, OrderLife, PositionAfter, Reservation,
    RuleView, Verdict, explain,
};
pub use figures::Unit;
pub use hits::{hit_count, text_of, words_of};
pub use names::{Names, px_or_none};
pub use reader::{Reader, larger_capacities};
pub use replay::{RecordCounts, Replay, ReplayOptions, ReplaySummary, replay};
pub use replica::{Replica, state_digest};
pub use rule_test::{RuleExample, RuleFigures, RuleTest, test_rules};
pub use state::{
    BalanceView, LimitView, OrderLine, PnlView, PositionView, RestrictionView, StateView, TableView,
    TargetRestriction, limits, orders, restrictions, state, target_restrictions,
};
pub use tradewind_risk::RULES_VERSION;
pub use verify::{Auditor, Check, Shadow, VerifyReport, verify, without_facts};
