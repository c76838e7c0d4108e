//! `tradewind config check|show`.

use crate::cli::ConfigArgs;
use crate::output::{self, Table};
use std::path::Path;
use std::process::ExitCode;
use tradewind_config::ReferenceData;

/// Says whether settings and reference data are sound.
pub fn check(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let settings = super::settings(&args.settings, &[])?;
    let path = settings.reference.path.as_str();
    let reference = ReferenceData::load((!path.is_empty()).then(|| Path::new(path)))?;
    let cores = tradewind_machine::cores::Cores::detect();
    let topology = crate::engine::topology_of(&settings, &cores)?;
    let memory: u64 = settings.memory_estimate().iter().map(|(_, bytes)| bytes).sum();
    let events = reference.events(0, 0).len();
    if args.json {
        output::json(&serde_json::json!({
            "ok": true, "topology": topology.to_string(), "reference_events": events, "memory_bytes_estimate": memory,
        }))?;
    } else {
        output::text(format_args!(
            "settings and reference data are sound\ntopology {topology}\nreference data: {events} admin events, calendars apart\n\
             tables: about {}\n",
            output::bytes(memory)
        ));
    }
    Ok(ExitCode::SUCCESS)
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
