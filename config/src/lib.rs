//! What an operator sets: typed settings in layers, and reference data as files.
//!
//! Settings come from a profile, a file, the environment and flags, in this order; each value knows where it came from.
//! Reference data (currencies, calendars, hierarchy, instruments, limits, deposits) becomes admin events, so that the
//! journal and never a file is what the engine runs on.
//!
//! # Invariants
//! - No input panics: whatever is wrong in a file, a variable or a flag is a [`Problem`] that names its place.
//! - All problems of one load are reported together.
//! - Nothing is rounded or guessed: a decimal that does not fit its unit is a problem.
//!
//! Not here: applying a setting (the binary wires it) and deciding about an admin event (the stages do).

mod calendar;
mod limit_table;
mod limit_units;
mod nearest;
mod problem;
mod reference;
mod settings;
mod text_file;

pub use calendar::{Calendar, EarlyClose};
pub use limit_table::LIMIT_SPECS;
pub use limit_units::{Actions, Filters, LimitSpec, LimitUnit, ParamKind, ParamSpec, Words, limit_spec};
pub use nearest::nearest;
pub use problem::{ConfigError, Problem};
pub use reference::{
    Account, Change, Currency, Deposit, FxOpening, InstrumentRow, Known, Limit, LotTerms, Node,
    OpeningValuation, REFERENCE_AUTHOR, ReferenceData, RestrictedLine,
};
pub use settings::{
    AlertsKeys, AuditKeys, CapacityKeys, ControlKeys, DemoKeys, Durability, EngineKeys, HttpKeys,
    IdentityKeys, Idle, JournalKeys, KEYS, Key, LogKeys, Origin, PROFILES, Range, ReferenceKeys, ReportKeys,
    Row, RulesKeys, Settings, SourcesKeys, StoreKeys, ValuationKeys, without_password,
};
pub use text_file::read_text;
