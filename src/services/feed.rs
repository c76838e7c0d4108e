//! The live feed in this engine: who may see what by the identities, and figures that only the running engine knows.

use super::Beside;
use super::telemetry::{EngineTelemetry, StoreTelemetry};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tradewind_alerts::{IncidentRow, Severity, State};
use tradewind_domain::ids::NodeId;
use tradewind_identity::{AccessBook, AuthError, Caller, Identity, Permission, Rights};
use tradewind_machine::clock::Clock;
use tradewind_rttm::{Check, Entitlements, Figures, Refused, StageRow, Standing, Status, Viewer};

/// Lets in who has a token or key of the identities.
pub(super) struct Doorkeeper {
    identity: Arc<Identity>,
    classes: Arc<Classes>,
    clock: Clock,
    runtime: Handle,
}

impl Doorkeeper {
    pub(super) fn new(identity: Arc<Identity>, clock: Clock, runtime: Handle) -> Self {
        Self {
            identity,
            classes: Arc::default(),
            clock,
            runtime,
        }
    }
}

impl Entitlements for Doorkeeper {
    fn authenticate(&self, token: &str) -> Result<Arc<dyn Viewer>, Refused> {
        let known = self
            .runtime
            .block_on(self.identity.authenticate(token, self.clock.now_ns()));
        let caller = known.map_err(|error| Refused(error.to_string()))?;
        Ok(Arc::new(Looker {
            caller,
            identity: Arc::clone(&self.identity),
            classes: Arc::clone(&self.classes),
            clock: self.clock.clone(),
            rights: Mutex::default(),
        }))
    }
}

/// Numbers of rights: equal rights see equal rows.
#[derive(Default)]
struct Classes(Mutex<HashMap<Rights, u64>>);

impl Classes {
    fn of(&self, rights: &Rights) -> u64 {
        let mut classes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = classes.get(rights) {
            return *known;
        }
        let class = classes.len() as u64 + 1;
        classes.insert(rights.clone(), class);
        class
    }
}

/// Rights as of a version of the access book.
#[derive(Clone, Default)]
struct Known {
    version: Option<u64>,
    rights: Rights,
    class: u64,
}

/// Somebody who looks, with one token.
struct Looker {
    caller: Caller,
    identity: Arc<Identity>,
    classes: Arc<Classes>,
    clock: Clock,
    rights: Mutex<Known>,
}

impl Looker {
    /// Looks at what somebody may see now. Asked often, so nothing is copied.
    fn known<T>(&self, look: impl FnOnce(&AccessBook, &Known) -> T) -> T {
        let book = self.identity.access().book();
        let mut known = self.rights.lock().unwrap_or_else(PoisonError::into_inner);
        if known.version != Some(book.version()) {
            let rights = book.rights(self.caller.user);
            *known = Known {
                version: Some(book.version()),
                class: self.classes.of(&rights),
                rights,
            };
        }
        look(&book, &known)
    }

    /// Whether something is opened for the whole firm.
    fn everywhere(&self, permission: Permission) -> bool {
        self.known(|book, known| {
            let at_root = |root| book.allows(&known.rights, permission, root);
            known.rights.everywhere(permission) || book.root().is_some_and(at_root)
        })
    }
}

impl Viewer for Looker {
    fn user(&self) -> String {
        self.caller.name.clone()
    }

    fn class(&self) -> u64 {
        self.known(|_, known| known.class)
    }

    fn sees(&self, node: NodeId) -> bool {
        self.known(|book, known| book.allows(&known.rights, Permission::Read, node))
    }

    fn sees_firm(&self) -> bool {
        self.everywhere(Permission::Read)
    }

    fn is_operator(&self) -> bool {
        self.everywhere(Permission::Control)
    }

    fn standing(&self) -> Standing {
        match self.identity.still_counts(&self.caller, self.clock.now_ns()) {
            Ok(()) => Standing::Good,
            Err(AuthError::Expired) => Standing::Expired,
            Err(_) => Standing::Revoked,
        }
    }
}

/// Asks for the newest incidents.
type Incidents = Box<dyn Fn() -> Option<Arc<Vec<IncidentRow>>> + Send + Sync>;

/// What only the running engine knows, for the feed and for the desk.
pub(super) struct EngineFigures {
    telemetry: Arc<EngineTelemetry>,
    incidents: Option<Incidents>,
    store: Option<StoreTelemetry>,
    environment: String,
}

impl EngineFigures {
    pub(super) fn new(telemetry: &Arc<EngineTelemetry>, beside: Beside<'_>, clock: &Clock) -> Self {
        let store = beside.store.map(|store| StoreTelemetry {
            status: store.status(),
            clock: clock.clone(),
        });
        Self {
            telemetry: Arc::clone(telemetry),
            incidents: beside
                .alerts
                .map(|alerts| Box::new(alerts.latest_incidents()) as Incidents),
            store,
            environment: beside.environment.to_owned(),
        }
    }

    /// For the control socket.
    pub(super) fn gauges(&self) -> Value {
        let check = |check: Check| {
            json!({
                "name": check.name.as_str(), "status": check.status.text(), "value": check.value, "unit": check.unit, "text": check.text,
            })
        };
        let counted = self.telemetry.counted();
        let rejects = counted
            .rejects()
            .map(|(code, count)| json!({ "code": code.text(), "count": count }));
        json!({
            "environment": self.environment,
            "stages": self.stages(),
            "rejects": rejects.collect::<Vec<_>>(),
            "checks": self.checks().into_iter().map(check).collect::<Vec<_>>(),
        })
    }
}

impl Figures for EngineFigures {
    fn stages(&self) -> Vec<StageRow> {
        self.telemetry.stage_rows()
    }

    fn checks(&self) -> Vec<Check> {
        let mut checks = self.telemetry.feed_checks();
        checks.extend(self.store.as_ref().map(StoreTelemetry::feed_check));
        let incidents = self.incidents().unwrap_or_default();
        let open = incidents.iter().filter(|row| row.state != State::Resolved);
        let worst = open.clone().map(|row| row.severity).max();
        let status = match worst {
            None => Status::Pass,
            Some(severity) if severity < Severity::Error => Status::Warn,
            Some(_) => Status::Fail,
        };
        let text = worst.map_or_else(
            || "no incident is open".to_owned(),
            |worst| format!("the worst is {}", worst.text()),
        );
        checks.push(Check::new(
            "alerts:open",
            status,
            open.count() as u64,
            "count",
            text,
        ));
        checks
    }

    fn incidents(&self) -> Option<Arc<Vec<IncidentRow>>> {
        self.incidents.as_ref().and_then(|ask| ask())
    }
}
