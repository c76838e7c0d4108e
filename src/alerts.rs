//! The alert manager beside a running engine: a thread that follows the journal, and channels on threads of their own.
//!
//! It starts with the engine and reads on until the journal's last record. An alert manager that fails leaves the engine alone:
//! the status line says so, and the journal holds everything that the next start needs.

mod channels;

use crate::engine::Engine;
use anyhow::Context;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tradewind_alerts::delivery::{Outbox, OutboxSettings};
use tradewind_alerts::{
    AlertFollower, AlertManager, AlertSettings, AlertStatus, AlertsError, Figure, Figures, IncidentRow,
    Metric, RECORDS_OF_STEP, Rule, RuleDocument, RuleFileError, rules_with,
};
use tradewind_config::{AlertsKeys, Settings};
use tradewind_control::{AlertRules, Incidents};
use tradewind_domain::codes::ClockMode;
use tradewind_domain::time::UnixNanos;
use tradewind_machine::clock::Clock;
use tradewind_machine::idle::{Idle, IdleStrategy};
use tradewind_machine::journal::{Follower, JournalStats, Position, StartAt, identity};
use tradewind_risk::limit_check::TABLES;

/// Folder in the data folder with what was sent and what could not be.
const FOLDER: &str = "alerts";
/// How long a question about incidents waits.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// File in it with the settings of the last run, so that listings show what that run shows.
const SETTINGS_FILE: &str = "settings";
/// How often tables are looked at, nanoseconds.
const TABLES_EVERY_NS: u64 = 1_000_000_000;

/// The thread.
pub struct AlertService {
    thread: JoinHandle<Result<(), AlertsError>>,
    stop: Arc<AtomicBool>,
    status: Arc<AlertStatus>,
    figures: Figures,
    lag: JournalLag,
    board: Arc<Board>,
    standard: Vec<Rule>,
    tables_ns: UnixNanos,
}

impl AlertService {
    /// Starts it, where the settings ask for it.
    pub fn start(settings: &Settings, engine: &Engine, clock: &Clock) -> anyhow::Result<Option<Self>> {
        let keys = &settings.alerts;
        if !keys.enabled {
            return Ok(None);
        }
        let outbox = Outbox::open(
            outbox_settings(keys, engine.data_dir())?,
            channels::all(keys)?,
            clock,
        )
        .context("alerts cannot keep what was sent")?;
        write_settings(settings, engine.data_dir()).context("alerts cannot write their settings")?;
        let is_wall_time = settings.engine.clock == ClockMode::Wall;
        let rules = AlertSettings::new(keys);
        let alerts = AlertFollower::new(&rules, outbox, is_wall_time);
        let journal = engine.follower(StartAt::Start)?;
        let (status, figures) = (alerts.status(), alerts.figures());
        let stop = Arc::new(AtomicBool::new(false));
        let board = Arc::new(Board::default());
        let thread = std::thread::Builder::new().name("tw-alerts".into()).spawn({
            let (stop, clock, board) = (Arc::clone(&stop), clock.clone(), Arc::clone(&board));
            move || run(alerts, journal, &clock, &stop, &board)
        })?;
        Ok(Some(Self {
            thread,
            stop,
            status,
            figures,
            lag: JournalLag::default(),
            board,
            standard: rules.rules,
            tables_ns: 0,
        }))
    }

    /// What the control socket asks for incidents.
    pub fn incidents(&self) -> Incidents {
        let board = Arc::clone(&self.board);
        Box::new(move || board.ask())
    }

    /// What the control socket asks about files of own rules.
    pub fn rules(&self) -> AlertRules {
        let standard = self.standard.clone();
        Box::new(move |text, author, reason| {
            rules_with(&standard, text).map_err(|errors| lines(&errors))?;
            let document = RuleDocument {
                author: author.to_owned(),
                reason: reason.to_owned(),
                source: text.to_owned(),
            };
            document.parts().map_err(|error| error.to_string())
        })
    }

    /// What watches incidents: the newest list, the same one until there is a newer one. It does not wait.
    pub fn latest_incidents(&self) -> impl Fn() -> Option<Arc<Vec<IncidentRow>>> + Send + Sync + 'static {
        let board = Arc::clone(&self.board);
        move || board.latest()
    }

    /// Where others put live figures.
    pub fn figures(&self) -> Figures {
        self.figures.clone()
    }

    /// Looks at what only the running engine knows. To be called some times a second.
    pub fn look(&mut self, engine: &Engine, now_ns: UnixNanos) {
        let lag_ns = self.lag.look(&engine.journal().stats(), now_ns);
        self.figures.put(Figure {
            metric: Metric::JournalLag,
            scope: "archive",
            value: i64::try_from(lag_ns).unwrap_or(i64::MAX),
            text: format!("a record has waited {} ms for the disk", lag_ns / 1_000_000),
        });
        if now_ns.saturating_sub(self.tables_ns) < TABLES_EVERY_NS {
            return;
        }
        self.tables_ns = now_ns;
        let full: Vec<(&str, u32)> = engine.tables().alerts().collect();
        for table in TABLES {
            let told = full.iter().find(|(name, _)| *name == table);
            let percent = told.map_or(0, |(_, percent)| *percent); // below the alert nobody asks
            self.figures.put(Figure {
                metric: Metric::TableFill,
                scope: table,
                value: i64::from(percent) * 100,
                text: format!("{percent} % of the table's capacity is used"),
            });
        }
    }

    /// What the status line says of it; nothing where all is well.
    pub fn line(&self) -> String {
        if self.thread.is_finished() {
            return ", ALERTS HAVE STOPPED".into();
        }
        let open = match (self.status.open(), self.status.worst()) {
            (0, _) | (_, None) => String::new(),
            (1, Some(worst)) => format!(", 1 open incident ({worst})"),
            (open, Some(worst)) => format!(", {open} open incidents (worst {worst})"),
        };
        match self.status.undelivered() {
            0 => open,
            undelivered => format!("{open}, {undelivered} alerts not delivered"),
        }
    }

    /// Lets it read the journal to its end, and ends it.
    pub fn stop(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Release);
        let ended = self
            .thread
            .join()
            .ok()
            .context("the alert manager stopped at a broken invariant")?;
        Ok(ended?)
    }
}

/// Errors of a file in one line.
pub fn lines(errors: &[RuleFileError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

/// The incidents of a data folder under the settings of its last run: as of now, or as of its last record where its time is not
/// the clock's or no run has followed it.
pub fn rebuild(data_dir: &Path, now_ns: UnixNanos) -> anyhow::Result<AlertManager> {
    let (settings, has_run) = settings_of(data_dir)?;
    let mut manager = tradewind_alerts::rebuild(data_dir, &AlertSettings::new(&settings.alerts))?;
    if settings.engine.clock == ClockMode::Wall && has_run {
        manager.tick(now_ns);
    }
    Ok(manager)
}

/// What of the settings the alert manager would refuse at a start.
pub fn problems(settings: &Settings) -> Vec<anyhow::Error> {
    match settings.alerts.enabled {
        true => channels::problems(&settings.alerts),
        false => Vec::new(),
    }
}

/// The settings of a data folder's last run, and whether there was one with alerts; else those of a server.
pub fn settings_of(data_dir: &Path) -> anyhow::Result<(Settings, bool)> {
    let path = data_dir.join(FOLDER).join(SETTINGS_FILE);
    let sets: Vec<String> = match std::fs::read_to_string(&path) {
        Ok(text) => text.lines().map(str::to_owned).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    let settings = Settings::load("server", None, [], &sets).with_context(|| {
        format!(
            "{} is not of this version; the next run writes it anew",
            path.display()
        )
    })?;
    Ok((settings, !sets.is_empty()))
}

/// Keeps what decides about incidents, beside what was sent of them. No secret is among it, only the names of files.
fn write_settings(settings: &Settings, data_dir: &Path) -> io::Result<()> {
    let rows = settings.show();
    let of_alerts = rows
        .iter()
        .filter(|row| row.key.starts_with("alerts.") || row.key == "engine.clock");
    let text: String = of_alerts
        .map(|row| format!("{}={}\n", row.key, row.value))
        .collect();
    std::fs::write(data_dir.join(FOLDER).join(SETTINGS_FILE), text)
}

fn run(
    mut alerts: AlertFollower,
    mut journal: Follower,
    clock: &Clock,
    stop: &AtomicBool,
    board: &Board,
) -> Result<(), AlertsError> {
    let mut idle = Idle::new(IdleStrategy::Park);
    idle.enter();
    loop {
        let is_last = stop.load(Ordering::Acquire); // before reading: what is in the journal by then is read
        let asked = board.asked.load(Ordering::Acquire); // before reading, for the same reason
        let work = alerts.step(&mut journal, clock.now_ns())?;
        if work < RECORDS_OF_STEP {
            board.answer(asked, &alerts); // it has read everything that is released
        }
        if is_last && work == 0 {
            return alerts.close();
        }
        idle.idle(work);
    }
}

/// Where somebody asks for incidents, and the thread that has them answers once it has read everything that is released.
#[derive(Default)]
struct Board {
    asked: AtomicU64,
    told: Mutex<(u64, Arc<Vec<IncidentRow>>)>,
    changed: Condvar,
}

impl Board {
    /// Asks, and waits for what was read after that.
    fn ask(&self) -> Result<Vec<serde_json::Value>, String> {
        let question = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (told, timeout) = self
            .changed
            .wait_timeout_while(told, ANSWER_WAIT, |told| told.0 < question)
            .unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return Err(
                "the alert manager has stopped, or has not caught up with the journal yet".to_owned(),
            );
        }
        let rows = told.1.iter();
        Ok(rows.filter_map(|row| serde_json::to_value(row).ok()).collect())
    }

    /// Asks and does not wait: what was told last, `None` before the first answer.
    fn latest(&self) -> Option<Arc<Vec<IncidentRow>>> {
        self.asked.fetch_add(1, Ordering::AcqRel);
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        (told.0 > 0).then(|| Arc::clone(&told.1))
    }

    /// Answers all questions up to number `asked`.
    fn answer(&self, asked: u64, alerts: &AlertFollower) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.0 == asked {
            return;
        }
        let rows = alerts.manager().incidents();
        // The same list again is the same list: who watches need not look through it.
        if *told.1 != rows {
            told.1 = Arc::new(rows);
        }
        told.0 = asked;
        drop(told);
        self.changed.notify_all();
    }
}

fn outbox_settings(keys: &AlertsKeys, data_dir: &Path) -> anyhow::Result<OutboxSettings> {
    let routes = [
        ("info", &keys.route_info),
        ("warning", &keys.route_warning),
        ("error", &keys.route_error),
        ("critical", &keys.route_critical),
        ("level2", &keys.route_level2),
        ("level3", &keys.route_level3),
    ];
    let channels = |list: &str| -> Vec<String> {
        list.split(',')
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect()
    };
    let routes: BTreeMap<_, _> = routes
        .into_iter()
        .map(|(route, list)| (route.to_owned(), channels(list)))
        .collect();
    Ok(OutboxSettings {
        folder: data_dir.join(FOLDER),
        journal: identity(data_dir)?
            .id
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        routes,
        per_minute: keys.notifications_per_minute,
    })
}

/// How long the oldest record that is not on disk has waited, measured from outside: at each look a mark is set at what is
/// committed, and moved on once the disk has passed it. The figure is low by up to the pause between two looks.
#[derive(Debug, Default)]
struct JournalLag {
    mark: Option<(Position, UnixNanos)>,
}

impl JournalLag {
    fn look(&mut self, stats: &JournalStats, now_ns: UnixNanos) -> u64 {
        match self.mark {
            Some((position, _)) if stats.durable >= position => self.mark = None,
            _ => {}
        }
        if self.mark.is_none() && stats.committed > stats.durable {
            self.mark = Some((stats.committed, now_ns));
        }
        self.mark
            .map_or(0, |(_, since_ns)| now_ns.saturating_sub(since_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(committed: u64, durable: u64) -> JournalStats {
        let at = |bytes: u64| Position::new(1, 4_096 + bytes);
        JournalStats {
            committed: at(committed),
            released: at(durable),
            durable: at(durable),
            archived_bytes: 0,
            sync_count: 0,
            window_segments: 1,
            lag_segments: 0,
            data_segments: 0,
            space_low: false,
        }
    }

    #[test]
    fn the_lag_is_that_of_the_oldest_record_that_waits() {
        let mut lag = JournalLag::default();
        for (committed, durable, now_ns, expected) in [
            (64, 64, 0, 0),
            (128, 64, 10, 0),
            (256, 64, 30, 20),
            (512, 100, 50, 40),
            (512, 128, 60, 0), // the mark of 10 is passed, the next one is set
            (512, 128, 90, 30),
            (512, 512, 95, 0),
        ] {
            assert_eq!(lag.look(&stats(committed, durable), now_ns), expected, "{now_ns}");
        }
    }
}
