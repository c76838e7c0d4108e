//! `tradewind config check|show`.

use crate::cli::ConfigArgs;
use crate::engine::{self, ReferenceChanges, RuleChanges};
use crate::output::{self, Table};
use crate::{alerts, memory, services, store};
use std::path::Path;
use std::process::ExitCode;
use tradewind_config::{Known, Settings};
use tradewind_domain::time::utc_day;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;

/// Where relative addresses of the store begin; no data folder is looked into.
const DATA: &str = "data";
/// Refusals of a first start that are named one by one.
const REFUSED_NAMED: usize = 12;

/// What a check found.
#[derive(Default)]
struct Found {
    problems: Vec<String>,
    warnings: Vec<String>,
    topology: Option<String>,
    reference_events: usize,
}

impl Found {
    /// Keeps an error with its causes; gives what there is otherwise.
    fn keep<T>(&mut self, result: anyhow::Result<T>) -> Option<T> {
        result
            .map_err(|error| self.problems.push(output::one_text(&error)))
            .ok()
    }
}

/// Says whether a first start would go well as far as the configuration decides: settings, reference data, rules, certificates, keys,
/// templates and the files that hold them. Nothing is started and no data folder is looked into. What this machine lacks is a warning:
/// the configuration may be meant for another.
pub fn check(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let settings = super::settings(&args.settings, &[])?;
    let found = look(&settings)?;
    let memory = settings.memory_bytes();
    let is_sound = found.problems.is_empty();
    if args.json {
        output::json(&serde_json::json!({
            "ok": is_sound, "problems": found.problems, "warnings": found.warnings, "topology": found.topology,
            "reference_events": found.reference_events, "memory_bytes_estimate": memory,
        }))?;
    } else if is_sound {
        output::text(format_args!(
            "settings and reference data are sound\ntopology {}\nreference data: {} admin events, calendars apart\n\
             memory: about {}\n",
            found.topology.as_deref().unwrap_or_default(),
            found.reference_events,
            output::bytes(memory)
        ));
    } else {
        for problem in &found.problems {
            output::note(format_args!("error: {problem}"));
        }
    }
    if !args.json {
        for warning in &found.warnings {
            output::note(format_args!("warning: {warning}"));
        }
    }
    Ok(if is_sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Everything that a start looks at, each by itself, so that all problems are found at once.
fn look(settings: &Settings) -> anyhow::Result<Found> {
    let now_ns = Clock::start()?.now_ns();
    let mut found = Found::default();
    let topology = engine::topology_of(settings, &Cores::detect()).map_err(anyhow::Error::from);
    found.topology = found.keep(topology).map(|topology| topology.to_string());
    let rules = found.keep(RuleChanges::find(settings, None).map_err(anyhow::Error::from));
    let reference = found.keep(engine::load_reference(settings, None).map_err(anyhow::Error::from));
    if let Some(reference) = reference {
        found.reference_events = reference.events(0, 0).len();
        let changes = ReferenceChanges::find(reference, &Known::default(), utc_day(now_ns));
        if let Some(changes) = found.keep(changes.map_err(anyhow::Error::from)) {
            let changes = changes.with_rules(rules.unwrap_or_default());
            first_start(settings, &changes, now_ns, &mut found);
        }
    }
    let parts = [alerts::problems(settings), services::problems(settings)];
    let parts = parts.into_iter().flatten();
    let parts = parts.chain(store::problem(settings, Path::new(DATA)));
    found.problems.extend(parts.map(|error| output::one_text(&error)));
    let here = memory::check(settings, 0).err();
    let here = here.map(|error| format!("on this machine a start would be refused: {error}"));
    found.warnings.extend(here);
    found
        .warnings
        .extend(super::without_effect(settings).map(str::to_owned));
    Ok(found)
}

/// Adds what a first start would refuse, capacities that are too small above all.
fn first_start(settings: &Settings, changes: &ReferenceChanges, now_ns: u64, found: &mut Found) {
    let refused = engine::refused_at_first_start(settings, changes, now_ns).map_err(anyhow::Error::from);
    let refused = found.keep(refused).unwrap_or_default();
    for change in refused.iter().take(REFUSED_NAMED) {
        let text = format!("a first start would refuse {}: {}", change.code, change.line);
        found.problems.push(text);
    }
    if refused.len() > REFUSED_NAMED {
        let more = refused.len() - REFUSED_NAMED;
        found
            .problems
            .push(format!("and {more} more changes of reference data"));
    }
    if refused.iter().any(|change| change.code == "CAPACITY") {
        let counts = &changes.data;
        found.problems.push(format!(
            "the reference data has {} instruments, {} accounts, {} other nodes, {} limits: see capacity.instruments ({}), capacity.nodes ({}), \
             capacity.limits ({}) and the table that a line names",
            counts.instruments.len(), counts.accounts.len(), counts.nodes.len(), counts.limits.len(),
            settings.capacity.instruments, settings.capacity.nodes, settings.capacity.limits
        ));
    }
}

/// Every value and where it comes from.
pub fn show(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
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
