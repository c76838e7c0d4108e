//! Reference data and business rules: what differs from the journal becomes admin events, and each is shown.

use super::{Engine, EngineError, RuleChanges};
use std::path::Path;
use std::time::Duration;
use tradewind_config::{Known, ReferenceData, Settings};
use tradewind_domain::event::{Event, InboundLong, Kind};
use tradewind_domain::time::DayNumber;
use tradewind_machine::journal::StartAt;

/// How long to wait before the journal is looked at again.
const PAUSE: Duration = Duration::from_micros(200);

/// What has to change.
pub struct ReferenceChanges {
    /// The data.
    pub data: ReferenceData,
    /// A line for each change.
    pub lines: Vec<String>,
    /// A line for each business rule that changes.
    pub rule_lines: Vec<String>,
    /// A line for each limit that stays as operators set it, whatever the data says.
    pub overruled: Vec<String>,
    pub(super) events: Vec<InboundLong>,
}

impl ReferenceChanges {
    /// Compares the configured reference data with what the journal knows, for trading days around `day`.
    pub fn find(data: ReferenceData, known: &Known, day: DayNumber) -> Result<Self, EngineError> {
        let changes = data.diff_around(known, day)?;
        let (lines, events) = changes
            .into_iter()
            .map(|change| (change.line, change.event))
            .unzip();
        let overruled = data.overruled(known);
        Ok(Self {
            data,
            lines,
            rule_lines: Vec::new(),
            overruled,
            events,
        })
    }

    /// With business rules after them: a rule may look at whatever the reference data names.
    pub fn with_rules(mut self, rules: RuleChanges) -> Self {
        self.rule_lines = rules.lines;
        self.events.extend(rules.events);
        self
    }
}

/// The configured reference data; `fallback` (name and text) where the settings name no file.
pub fn load_reference(
    settings: &Settings,
    fallback: Option<(&str, &str)>,
) -> Result<ReferenceData, EngineError> {
    let path = settings.reference.path.as_str();
    Ok(match fallback {
        Some((name, text)) if path.is_empty() => ReferenceData::parse(text, name)?,
        _ => ReferenceData::load((!path.is_empty()).then(|| Path::new(path)))?,
    })
}

/// A change that the engine refused.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Refused {
    /// The change, as it was shown.
    pub line: String,
    /// Why.
    pub code: String,
}

/// Hands the changes to the engine, each stamped with `origin_ns` (the input clock needs it), and waits until all of them are
/// in the journal: nothing that needs them can overtake them. Gives those that were refused.
pub fn apply_reference(
    changes: &ReferenceChanges,
    engine: &Engine,
    origin_ns: u64,
) -> Result<Vec<Refused>, EngineError> {
    let mut follower = engine.follower(StartAt::End)?;
    let mut found = Vec::new();
    let mut event = Event::empty();
    let (mut sent, mut seen) = (0, 0);
    while seen < changes.events.len() {
        if let Some(next) = changes.events.get(sent)
            && engine.admin().push(next.at(origin_ns)).is_ok()
        {
            sent += 1;
            continue;
        }
        if engine.running().is_ended() {
            return Err(EngineError::Ended("reference data was set"));
        }
        let Some(record) = follower.poll()? else {
            std::thread::park_timeout(PAUSE);
            continue;
        };
        let ours = event.read_record(record.bytes()).is_some() && is_reference(&event);
        if ours {
            found.extend(refused(&event, changes.lines.get(seen)));
            seen += 1;
        }
    }
    Ok(found)
}

/// What a record says of a change, where it was refused. Changes of reference data come first and have a line each; parts of a document
/// are never refused.
pub(super) fn refused(event: &Event, line: Option<&String>) -> Option<Refused> {
    event.reject_code().map(|code| Refused {
        line: line.cloned().unwrap_or_default(),
        code: code.to_string(),
    })
}

/// True for inputs that reference data sends; nothing else enters before it is done but the engine's own events.
pub(super) fn is_reference(event: &Event) -> bool {
    event.head.part == 0 && !matches!(event.kind(), None | Some(Kind::EngineStarted | Kind::Timer))
}
