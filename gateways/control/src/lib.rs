//! The control socket: how an operator speaks to a running engine, and how any other local tool does.
//!
//! A Unix socket in the data folder takes one JSON request a line and answers each with one line (docs/control-socket.md).
//! A change or a question to a stage becomes an admin or probe event in the engine's long queue, and the answer is what the
//! journal says became of it: sequence number, verdict, limits that spoke. Listings come from the process's live replica.
//!
//! # Invariants
//! - Nothing here touches a live stage, and nothing waits on a pipeline thread: the only way in is the long queue, the only
//!   way out the journal.
//! - What changes something carries the operator's name and a reason, and both are journaled.
//! - A client that hangs, floods or lies costs one of a bounded number of threads for a bounded time, and nothing else.
//! - A change does not wait for the replica: the kill switch works while the replica reads a long journal or has failed.
//!
//! Not here: rendering (the commands of the binary), who a person really is. A file permission proves that a process runs under
//! the engine's user or as root; operators' names are what that process says (docs/control-socket.md, "Who").

mod answer;
mod client;
mod command;
mod desk;
mod dual;
mod figures;
mod holdings;
mod message;
mod money;
mod names;
mod peer;
mod people;
mod place;
mod protocol;
mod recon;
mod reference;
mod rules;
mod server;
mod statement;
mod usage;

pub use answer::{Hit, Outcome, Usage};
pub use client::{Client, ClientError};
pub use command::{
    AlertAct, Allocate, Announce, CalendarDays, CashMove, Command, Confirm, Convert, DayRow, Fail, FeesSet,
    FiguresAsk, Flatten, Halt, KeyFilter, KeyName, LimitFilter, LimitName, LimitRow, LimitSet, LimitUsage,
    LocateSet, LotMethod, LotName, MarkSet, MassCancel, Nothing, OrderFilter, OrderQuestion,
    QuarantineResolve, RateSet, Rearm, ReconAct, ReconBegin, ReconEnd, ReconFilter, ReconLine, ReconName,
    ReconReport, ReferenceText, Rename, Restrict, RulesText, SelectLots, SessionSet, StateSet, Transfer,
    UserAccess, UserKey, UserName, UserNew, ValuationSet,
};
pub use desk::{AlertRules, Answered, Desk, EngineFacts, Incidents};
pub use dual::PendingRearm;
pub use figures::Gauges;
pub use people::People;
pub use place::{PlaceError, socket_path};
pub use protocol::{
    Answer, ErrorCode, Failure, ID_MAX, LINE_MAX, REASON_MAX, Request, VERSION, decode, encode,
};
pub use server::{Server, ServerError};
pub use statement::{Journaled, Source, journal};
pub use tradewind_views::live::QuarantinedTrade;
