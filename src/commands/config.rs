//! `tradewind config check|show`.

use super::changes;
use crate::cli::{ConfigCheckArgs, ConfigShowArgs};
use crate::engine::{self, EngineError, ReferenceChanges, RuleChanges, Trial};
use crate::output::{self, Table};
use crate::{alerts, memory, services, store};
use std::path::Path;
use std::process::ExitCode;
use tradewind_config::{ReferenceData, Settings};
use tradewind_domain::time::{UnixNanos, utc_day};
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;
use tradewind_machine::journal::{JournalError, bytes_left_behind, has_writer, overview};

/// Refusals of a start that are named one by one.
const REFUSED_NAMED: usize = 12;
/// Changes of a journal's reference data that are named one by one.
const CHANGES_NAMED: usize = 50;

/// What a check found.
#[derive(Default)]
struct Found {
    problems: Vec<String>,
    warnings: Vec<String>,
    topology: Option<String>,
    reference_events: usize,
    journal: Option<FoundJournal>,
}

/// A journal that the next start goes on from.
#[derive(serde::Serialize)]
struct FoundJournal {
    records: u64,
    /// What differs from the configured reference data and rules: the start would set it.
    changes: Vec<String>,
}

impl Found {
    /// Keeps an error with its causes; gives what there is otherwise.
    fn keep<T>(&mut self, result: anyhow::Result<T>) -> Option<T> {
        result
            .map_err(|error| self.problems.push(output::one_text(&error)))
            .ok()
    }
}

/// Says whether the next start on the data folder would go well as far as configuration and journal decide: settings, reference data, rules,
/// certificates, keys, templates and the files that hold them, and what the journal there has already. Nothing is started or written. What
/// this machine lacks is a warning: the configuration may be meant for another.
pub fn check(args: &ConfigCheckArgs) -> anyhow::Result<ExitCode> {
    let settings = super::settings(&args.settings, &[])?;
    let found = look(&settings, &args.data)?;
    let memory = settings.memory_bytes();
    let is_sound = found.problems.is_empty();
    if args.json {
        output::json(&serde_json::json!({
            "ok": is_sound, "problems": found.problems, "warnings": found.warnings, "topology": found.topology,
            "reference_events": found.reference_events, "memory_bytes_estimate": memory, "journal": found.journal,
        }))?;
    } else {
        show_found(&found, &args.data, memory);
    }
    Ok(if is_sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show_found(found: &Found, data: &Path, memory: u64) {
    if found.problems.is_empty() {
        output::text(format_args!(
            "settings and reference data are sound\ntopology {}\nreference data: {} admin events, calendars apart\n\
             memory: about {}\n",
            found.topology.as_deref().unwrap_or_default(),
            found.reference_events,
            output::bytes(memory)
        ));
        match &found.journal {
            None => output::text(format_args!("{}: a start makes a new journal\n", data.display())),
            Some(journal) => show_journal(journal, data),
        }
    }
    for problem in &found.problems {
        output::note(format_args!("error: {problem}"));
    }
    for warning in &found.warnings {
        output::note(format_args!("warning: {warning}"));
    }
}

fn show_journal(journal: &FoundJournal, data: &Path) {
    output::text(format_args!(
        "{}: a start goes on after {} and sets {}\n",
        data.display(),
        output::counted(journal.records, "record"),
        output::counted(journal.changes.len() as u64, "change")
    ));
    for line in journal.changes.iter().take(CHANGES_NAMED) {
        output::text(format_args!("  {line}\n"));
    }
    if let more @ 1.. = journal.changes.len().saturating_sub(CHANGES_NAMED) {
        output::text(format_args!(
            "  and {}\n",
            output::counted(more as u64, "more change")
        ));
    }
}

/// Everything that a start looks at, each by itself, so that all problems are found at once.
fn look(settings: &Settings, data: &Path) -> anyhow::Result<Found> {
    let now_ns = Clock::start()?.now_ns();
    let mut found = Found::default();
    let topology = engine::topology_of(settings, &Cores::detect()).map_err(anyhow::Error::from);
    found.topology = found.keep(topology).map(|topology| topology.to_string());
    let rules = found.keep(RuleChanges::find(settings, None).map_err(anyhow::Error::from));
    let reference = found.keep(engine::load_reference(settings, None).map_err(anyhow::Error::from));
    if let Some(reference) = reference {
        found.reference_events = reference.events(0, 0).len();
        let start = Start {
            data,
            now_ns,
            has_rules: rules.is_some(),
        };
        let tried = try_start(settings, reference, &start, &mut found);
        found.keep(tried.map_err(anyhow::Error::from));
    }
    let parts = [alerts::problems(settings), services::problems(settings)];
    let parts = parts.into_iter().flatten();
    let parts = parts.chain(store::problem(settings, data));
    found.problems.extend(parts.map(|error| output::one_text(&error)));
    let given_back = bytes_left_behind(Path::new(&settings.journal.window_dir), data);
    let here = memory::check(settings, given_back).err();
    let here = here.filter(|_| !has_writer(data));
    let here = here.map(|error| format!("on this machine a start would be refused: {error}"));
    found.warnings.extend(here);
    found
        .warnings
        .extend(super::without_effect(settings).map(str::to_owned));
    Ok(found)
}

/// A start that is tried.
struct Start<'a> {
    data: &'a Path,
    now_ns: UnixNanos,
    /// The rules that are configured can be read; otherwise it is tried without.
    has_rules: bool,
}

/// Goes as far as a start goes before anything is let in, on the journal of the data folder where there is one. An error is the start's own.
fn try_start(
    settings: &Settings,
    reference: ReferenceData,
    &Start {
        data,
        now_ns,
        has_rules,
    }: &Start<'_>,
    found: &mut Found,
) -> Result<(), EngineError> {
    let (day, messages) = (utc_day(now_ns), found.reference_events);
    let has_journal = !matches!(overview(data), Err(JournalError::NoJournal { .. }));
    let trial = match has_journal {
        true => Trial::of_journal(settings, data, messages, now_ns)?,
        false => Trial::of_nothing(settings, messages),
    };
    let rules = match has_rules {
        true => RuleChanges::find(settings, trial.rules.as_ref())?,
        false => RuleChanges::default(),
    };
    let changes = ReferenceChanges::find(reference, &trial.known, day)?.with_rules(rules);
    found.journal = has_journal.then(|| FoundJournal {
        records: trial.records,
        changes: changes.lines.iter().chain(&changes.rule_lines).cloned().collect(),
    });
    let start = if has_journal { "the next" } else { "a first" };
    let refused = trial.refused(settings, &changes, now_ns)?;
    for change in refused.iter().take(REFUSED_NAMED) {
        let text = format!("{start} start: {}", changes::line(change));
        found.problems.push(text);
    }
    if let more @ 1.. = refused.len().saturating_sub(REFUSED_NAMED) {
        let more = output::counted(more as u64, "more change");
        found.problems.push(format!("and {more} of reference data"));
    }
    if refused.iter().any(|change| change.code == "CAPACITY") {
        found.problems.push(room(settings, &changes.data));
    }
    Ok(())
}

/// What the reference data needs, beside what there is room for.
fn room(settings: &Settings, data: &ReferenceData) -> String {
    format!(
        "the reference data has {} instruments, {} accounts, {} other nodes, {} limits: see capacity.instruments ({}), capacity.nodes ({}), \
         capacity.limits ({}) and the table that a line names",
        data.instruments.len(),
        data.accounts.len(),
        data.nodes.len(),
        data.limits.len(),
        settings.capacity.instruments,
        settings.capacity.nodes,
        settings.capacity.limits
    )
}

/// Every value and where it comes from.
pub fn show(args: &ConfigShowArgs) -> anyhow::Result<ExitCode> {
    let rows = super::settings(&args.settings, &[])?.show();
    if args.json {
        let values: Vec<_> = rows
            .iter()
            .map(|row| serde_json::json!({"key": row.key, "value": row.value, "origin": row.origin.to_string(), "doc": row.doc}))
            .collect();
        output::json(&values)?;
    } else {
        let mut table = Table::new(&["<key", "<value", "<origin"]);
        for row in rows {
            table.row(vec![row.key.to_owned(), row.value, row.origin.to_string()]);
        }
        output::text(table);
    }
    Ok(ExitCode::SUCCESS)
}
