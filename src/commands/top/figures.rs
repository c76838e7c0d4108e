//! The answer to `figures` as far as the terminal shows it (docs/control-socket.md). Unknown fields are passed over: an engine may be newer
//! than the program that looks at it.

use serde::Deserialize;

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Figures {
    pub(super) build: String,
    pub(super) environment: String,
    pub(super) epoch: u32,
    /// Of the engine's clock.
    pub(super) time: String,
    pub(super) as_of: u64,
    pub(super) as_of_time: String,
    pub(super) replica_fault: Option<String>,
    pub(super) base_currency: String,
    pub(super) open_orders: u64,
    pub(super) restrictions: Vec<Restriction>,
    pub(super) pnl: Vec<Profit>,
    pub(super) exposure: Exposure,
    pub(super) positions: Vec<Position>,
    pub(super) incidents: Vec<Incident>,
    pub(super) stages: Vec<Stage>,
    pub(super) rejects: Vec<Reject>,
    pub(super) checks: Vec<Check>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Restriction {
    pub(super) node: String,
    pub(super) state: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Profit {
    pub(super) total_base: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Exposure {
    pub(super) open: u64,
    pub(super) unvalued: u64,
    pub(super) long: String,
    pub(super) short: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Position {
    pub(super) account: String,
    pub(super) symbol: String,
    pub(super) qty: String,
    pub(super) avg_px: Option<String>,
    pub(super) mark: Option<String>,
    pub(super) value_base: Option<String>,
    pub(super) unrealised: Option<String>,
    pub(super) realised: String,
    pub(super) currency: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Incident {
    pub(super) id: u64,
    pub(super) rule: String,
    pub(super) scope: String,
    pub(super) instrument: String,
    pub(super) severity: String,
    pub(super) state: String,
    pub(super) level: u8,
    pub(super) next_level_at: Option<String>,
    pub(super) count: u64,
    pub(super) text: String,
    pub(super) opened_at: String,
    pub(super) acknowledged_by: Option<String>,
    pub(super) acknowledge_comment: Option<String>,
}

impl Incident {
    /// Nobody has taken it.
    pub(super) fn is_open(&self) -> bool {
        self.state == "OPEN"
    }

    /// What comes first in a list: open, then bad, then old.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        const STATES: [&str; 2] = ["OPEN", "ACKNOWLEDGED"];
        const SEVERITIES: [&str; 3] = ["CRITICAL", "ERROR", "WARNING"];
        let place = |of: &[&str], text: &str| of.iter().position(|one| *one == text).unwrap_or(of.len());
        (
            place(&STATES, &self.state),
            place(&SEVERITIES, &self.severity),
            self.id,
        )
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Stage {
    pub(super) stage: String,
    pub(super) events: u64,
    pub(super) events_per_s: u64,
    pub(super) p50_ns: Option<u64>,
    pub(super) p90_ns: Option<u64>,
    pub(super) p99_ns: Option<u64>,
    pub(super) p999_ns: Option<u64>,
    pub(super) max_ns: Option<u64>,
    pub(super) full_waits: u64,
    pub(super) idle_pct: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Reject {
    pub(super) code: String,
    pub(super) count: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Check {
    pub(super) name: String,
    pub(super) status: String,
    pub(super) value: Option<String>,
    pub(super) unit: String,
    pub(super) text: String,
}

impl Figures {
    /// The pipeline as a whole.
    pub(super) fn pipeline(&self) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.stage == "pipeline")
    }

    /// Refusals since the journal's start.
    pub(super) fn refused(&self) -> u64 {
        self.rejects.iter().map(|reject| reject.count).sum()
    }

    /// Incidents that nobody has taken.
    pub(super) fn open_incidents(&self) -> usize {
        self.incidents
            .iter()
            .filter(|incident| incident.is_open())
            .count()
    }

    pub(super) fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }
}
