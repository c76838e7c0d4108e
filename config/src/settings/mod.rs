//! Typed settings in layers: profile, then file, then environment, then flags. A later layer wins.
//!
//! # Invariants
//! - Every key has a value and an origin; the profiles set all of them.
//! - All problems of all layers are collected, also those of values that a later layer replaces.
//!
//! Not here: which profile, file and flags there are (the command line), and what a setting does (the wiring).

mod keys;
mod memory;
mod value;

pub use keys::{
    AlertsKeys, AuditKeys, CapacityKeys, ControlKeys, DemoKeys, EngineKeys, HttpKeys, IdentityKeys,
    JournalKeys, KEYS, Key, LogKeys, ReferenceKeys, ReportKeys, RulesKeys, SourcesKeys, StoreKeys,
    ValuationKeys,
};
pub use value::{Durability, Idle, Range, without_password};

use crate::nearest::nearest;
use crate::problem::{ConfigError, Lines, Problem};
use crate::text_file::read_text;
use keys::Typed;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};
use tradewind_domain::event::Capacities;
use value::{Raw, Value};

/// Names and texts of the built-in profiles.
pub static PROFILES: [(&str, &str); 4] = [
    ("demo", include_str!("../../profiles/demo.toml")),
    ("laptop", include_str!("../../profiles/laptop.toml")),
    ("low-latency", include_str!("../../profiles/low-latency.toml")),
    ("server", include_str!("../../profiles/server.toml")),
];

/// Variables of the environment that start so are settings: `TRADEWIND_SECTION__KEY`.
const ENV_PREFIX: &str = "TRADEWIND_";

/// The longest file of settings, bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A built-in profile.
    Profile {
        /// Its name.
        name: &'static str,
        /// Line in it, from 1.
        line: usize,
    },
    /// The file of `--config`.
    File {
        /// Its path.
        path: PathBuf,
        /// Line in it, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Env {
        /// Its name.
        name: String,
    },
    /// A flag `--set`.
    Flag {
        /// Its text.
        text: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile { name, line } => write!(f, "profile {name}:{line}"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Env { name } => f.write_str(name),
            Self::Flag { text } => write!(f, "--set {text}"),
        }
    }
}

/// One line of `config show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `section.key`.
    pub key: &'static str,
    /// The value as a file would have it, without quotes.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
    /// Unit and effect.
    pub doc: &'static str,
}

/// All settings, each with its origin.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How the pipeline runs.
    pub engine: EngineKeys,
    /// Where and how the journal is kept.
    pub journal: JournalKeys,
    /// Sizes of the tables.
    pub capacity: CapacityKeys,
    /// Rings between the sources and ingest.
    pub sources: SourcesKeys,
    /// The generated session.
    pub demo: DemoKeys,
    /// Reference data.
    pub reference: ReferenceKeys,
    /// Business rules.
    pub rules: RulesKeys,
    /// Alerts.
    pub alerts: AlertsKeys,
    /// What accounts are worth.
    pub valuation: ValuationKeys,
    /// The auditor beside a running engine.
    pub audit: AuditKeys,
    /// How operators reach a running engine.
    pub control: ControlKeys,
    /// The HTTP server.
    pub http: HttpKeys,
    /// Who may come in.
    pub identity: IdentityKeys,
    /// The journal in SQL.
    pub store: StoreKeys,
    /// Reports.
    pub reports: ReportKeys,
    /// What is reported.
    pub log: LogKeys,
    /// Values and origins in the order of [`KEYS`].
    cells: Vec<(Value, Origin)>,
}

impl Settings {
    /// The settings of a profile, changed by a file, by `TRADEWIND_SECTION__KEY` variables (others in `env` are ignored)
    /// and by `section.key=value` flags.
    pub fn load(
        profile: &str,
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
        sets: &[String],
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::empty();
        layers.profile(profile);
        if let Some(path) = file {
            layers.file(path);
        }
        let mut variables: Vec<_> = env
            .into_iter()
            .filter(|(name, _)| name.starts_with(ENV_PREFIX))
            .collect();
        variables.sort();
        for (name, value) in variables {
            layers.variable(&name, &value);
        }
        for set in sets {
            layers.flag(set);
        }
        layers.finish()
    }

    /// Says what is wrong with a flag `section.key=value` by itself, for whoever reads the command line.
    pub fn check_flag(text: &str) -> Result<(), Problem> {
        let mut layers = Layers::empty();
        layers.flag(text);
        layers.problems.pop().map_or(Ok(()), Err)
    }

    /// Every key with value, origin and meaning, for `config show`.
    pub fn show(&self) -> Vec<Row> {
        let row = |(key, (value, origin)): (&Key, &(Value, Origin))| Row {
            key: key.name,
            value: key.range.show(value),
            origin: origin.clone(),
            doc: key.doc,
        };
        KEYS.iter().zip(&self.cells).map(row).collect()
    }

    /// A hash of every value that can change an outcome, the same on every machine and for ever: FNV-1a of the lines
    /// `section.key=value`, in the order of [`KEYS`].
    pub fn hash(&self) -> u64 {
        let deciding = self.show().into_iter().zip(KEYS).filter(|(_, key)| key.decides);
        let text: String = deciding
            .map(|(row, _)| format!("{}={}\n", row.key, row.value))
            .collect();
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// The sizes as the engine's first record carries them.
    pub fn capacities(&self) -> Capacities {
        let c = &self.capacity;
        Capacities {
            instruments: c.instruments,
            nodes: c.nodes,
            open_orders: c.open_orders,
            closed_orders: c.closed_orders,
            node_instruments: c.node_instruments,
            holdings: c.holdings,
            wallets: c.wallets,
            limits: c.limits,
            cl_ord_ids: c.cl_ord_ids,
            exec_ids: c.exec_ids,
            sessions: c.sessions,
            limit_stamps: c.limit_stamps,
            restricted: c.restricted,
            repeats: c.repeats,
            executions: c.executions,
            quarantine: c.quarantine,
            unsettled: c.unsettled,
            lots: c.lots,
        }
    }

    /// What fits alone and not together.
    fn check_together(&self) -> Vec<Problem> {
        let (engine, journal, capacity) = (&self.engine, &self.journal, &self.capacity);
        let rules = [
            (
                journal.segment_bytes % 4096 == 0,
                "journal.segment_bytes",
                "must be a multiple of 4096",
            ),
            (
                journal.window_bytes / 3 >= journal.segment_bytes,
                "journal.window_bytes",
                "must hold three segments (journal.segment_bytes): one written, one archived, one prepared",
            ),
            (
                journal.reserve_bytes / 2 >= journal.segment_bytes,
                "journal.reserve_bytes",
                "must be at least two segments (journal.segment_bytes), so that what is accepted can be archived",
            ),
            (
                journal.retention_bytes == 0 || journal.retention_bytes / 2 >= journal.segment_bytes,
                "journal.retention_bytes",
                "must be 0 or at least two segments (journal.segment_bytes)",
            ),
            (
                engine.batch_max <= engine.ring_slots,
                "engine.batch_max",
                "must not exceed engine.ring_slots",
            ),
            (
                u64::from(engine.slab_slots) >= 2 * u64::from(engine.batch_max),
                "engine.slab_slots",
                "must be at least twice engine.batch_max",
            ),
            (
                engine.effect_slots <= engine.slab_slots,
                "engine.effect_slots",
                "must not exceed engine.slab_slots",
            ),
            (
                capacity.holdings <= capacity.node_instruments,
                "capacity.node_instruments",
                "must be at least capacity.holdings: every holding is such a pair",
            ),
            (
                self.alerts.usage_warning_pct <= self.alerts.usage_error_pct,
                "alerts.usage_error_pct",
                "must be at least alerts.usage_warning_pct",
            ),
            (
                self.alerts.level_2_minutes <= self.alerts.level_3_minutes,
                "alerts.level_3_minutes",
                "must be at least alerts.level_2_minutes",
            ),
        ];
        let broken = rules.into_iter().filter(|(holds, _, _)| !holds);
        broken.map(|(_, key, rule)| self.problem(key, rule)).collect()
    }

    fn problem(&self, key: &str, rule: &str) -> Problem {
        let found = self.show().into_iter().find(|row| row.key == key);
        let (place, value) = found.map_or_else(Default::default, |row| (row.origin.to_string(), row.value));
        Problem::new(place, key, format!("{value} {rule}"))
    }
}

/// The layers while they are read.
struct Layers {
    cells: Vec<Option<(Value, Origin)>>,
    problems: Vec<Problem>,
}

impl Layers {
    fn empty() -> Self {
        Self {
            cells: vec![None; KEYS.len()],
            problems: Vec::new(),
        }
    }

    fn profile(&mut self, wanted: &str) {
        let Some(&(name, text)) = PROFILES.iter().find(|(name, _)| *name == wanted) else {
            let names = PROFILES.map(|(name, _)| name);
            let near = nearest(wanted, names)
                .map(|name| format!("did you mean `{name}`? "))
                .unwrap_or_default();
            let message = format!("no such profile; {near}there are {}", names.join(", "));
            return self.problems.push(Problem::new("--profile", wanted, message));
        };
        self.document(text, |line| Origin::Profile { name, line });
    }

    fn file(&mut self, path: &Path) {
        match read_text(path, FILE_BYTES_MAX) {
            Ok(text) => self.document(&text, |line| Origin::File {
                path: path.to_owned(),
                line,
            }),
            Err(error) => self.problems.push(Problem::new(
                path.display(),
                "",
                format!("failed to read: {error}"),
            )),
        }
    }

    /// Reads sections of keys.
    fn document(&mut self, text: &str, origin: impl Fn(usize) -> Origin) {
        let lines = Lines::of(text);
        let (tree, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let line = lines.at(error.span().map_or(0, |span| span.start));
            self.problems
                .push(Problem::new(origin(line), "", error.message()));
        }
        if !errors.is_empty() {
            return;
        }
        let mut found = Vec::new();
        for (section, content) in tree.get_ref() {
            let at = lines.at(section.span().start);
            match content.get_ref() {
                DeValue::Table(table) => found.extend(table.iter().map(|(key, value)| {
                    (
                        lines.at(key.span().start),
                        format!("{}.{}", section.get_ref(), key.get_ref()),
                        raw(value.get_ref()),
                    )
                })),
                other => found.push((at, section.get_ref().to_string(), raw(other))),
            }
        }
        found.sort_by_key(|(line, _, _)| *line);
        for (line, name, value) in found {
            self.set(&name, value, origin(line));
        }
    }

    fn variable(&mut self, name: &str, value: &str) {
        let origin = Origin::Env {
            name: name.to_owned(),
        };
        match KEYS.iter().find(|key| env_name(key.name) == name) {
            Some(key) => self.set(key.name, Raw::Untyped(value), origin),
            None => {
                let names: Vec<String> = KEYS.iter().map(|key| env_name(key.name)).collect();
                let message = unknown("variable", name, names.iter().map(String::as_str));
                self.problems.push(Problem::new(origin, "", message));
            }
        }
    }

    fn flag(&mut self, text: &str) {
        let origin = Origin::Flag {
            text: text.to_owned(),
        };
        match text.split_once('=') {
            Some((name, value)) => self.set(name.trim(), Raw::Untyped(value.trim()), origin),
            None => self
                .problems
                .push(Problem::new(origin, "", "must be section.key=value")),
        }
    }

    /// Gives a key a value.
    fn set(&mut self, name: &str, raw: Raw<'_>, origin: Origin) {
        let Some(at) = KEYS.iter().position(|key| key.name == name) else {
            let message = unknown("key", name, KEYS.iter().map(|key| key.name));
            // What it was given may be a secret that a misspelt key was to have.
            let origin = match origin {
                Origin::Flag { .. } => Origin::Flag {
                    text: format!("{}=...", shortened(name)),
                },
                origin => origin,
            };
            return self.problems.push(Problem::new(origin, "", message));
        };
        let is_secret = KEYS[at].range.may_hold_secret();
        let origin = match origin {
            Origin::Flag { .. } if is_secret => Origin::Flag {
                text: format!("{name}=***"),
            },
            origin => origin,
        };
        match KEYS[at].range.read(raw) {
            Some(value) => self.cells[at] = Some((value, origin)),
            None => {
                let shown = if is_secret {
                    "this".to_owned()
                } else {
                    raw.to_string()
                };
                let message = format!("{shown} is not allowed; allowed: {}", KEYS[at].range);
                self.problems.push(Problem::new(origin, name, message));
            }
        }
    }

    fn finish(mut self) -> Result<Settings, ConfigError> {
        if self.problems.is_empty() {
            for (key, _) in KEYS.iter().zip(&self.cells).filter(|(_, cell)| cell.is_none()) {
                self.problems
                    .push(Problem::new("profile", key.name, "is not set"));
            }
        }
        let cells: Vec<_> = self.cells.into_iter().flatten().collect();
        let Some(typed) =
            Typed::from_values(cells.iter().map(|(value, _)| value)).filter(|_| self.problems.is_empty())
        else {
            return Err(ConfigError {
                problems: self.problems,
            });
        };
        let Typed {
            engine,
            journal,
            capacity,
            sources,
            demo,
            reference,
            rules,
            alerts,
            valuation,
            audit,
            control,
            http,
            identity,
            store,
            reports,
            log,
        } = typed;
        let settings = Settings {
            engine,
            journal,
            capacity,
            sources,
            demo,
            reference,
            rules,
            alerts,
            valuation,
            audit,
            control,
            http,
            identity,
            store,
            reports,
            log,
            cells,
        };
        let problems = settings.check_together();
        ConfigError::unless(settings, problems)
    }
}

/// A file's value without its type.
fn raw<'a>(value: &'a DeValue<'_>) -> Raw<'a> {
    match value {
        DeValue::String(text) => Raw::Text(text),
        DeValue::Boolean(flag) => Raw::Flag(*flag),
        // Longer than 128 bits is out of every range.
        DeValue::Integer(int) => {
            Raw::Integer(i128::from_str_radix(int.as_str(), int.radix()).unwrap_or(i128::MAX))
        }
        other => Raw::Other(other.type_str()),
    }
}

/// The variable of a key.
fn env_name(key: &str) -> String {
    format!("{ENV_PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// As much of a name as is shown.
fn shortened(name: &str) -> String {
    name.chars().take(80).collect()
}

/// The message for a name that is not known.
fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let shown = shortened(name);
    match nearest(name, known) {
        Some(near) => format!("unknown {what} `{shown}`; did you mean `{near}`?"),
        None => format!("unknown {what} `{shown}`"),
    }
}

#[cfg(test)]
mod tests;
