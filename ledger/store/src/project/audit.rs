//! The audit trail, and reference data: what operators set, what the engine did by itself, and when runs began and ended.

use super::{Projection, owned, text_of, utc};
use crate::batch::Batch;
use crate::rows::{
    AccountRow, Audit, CurrencyRow, InstrumentRow, LimitRow, NodeRow, Origin, SessionRow, hex,
};
use serde_json::{Value, json};
use tradewind_domain::codes::{
    ControlState, Level, LimitType, LotMethod, QuarantineAction, ReconResolution, ReconStatus, ReconSubject,
    ReconVerb, Restriction,
};
use tradewind_domain::event::{
    AccessSet, AlertAction, AlertMaintenance, Allocation, Blob, CalendarSet, CashMove, Control,
    CorporateAction, CurrencySet, EngineStarted, EngineStopped, EntitlementSource, Event, FeeScheduleSet,
    FxConversion, FxRate, InstrumentSet, InstrumentStatus, Kind, LedgerTransfer, LimitSet, Locate,
    LotMethodSet, LotSelect, MassCancel, NodeSet as NodeBody, QuarantineResolve, QuotaGrant, ReconAction,
    ReconEnd, ReconFinding, ReconRun, RestrictedSet, SessionEvent, SettlementFail, SymbolChange, Timer,
    control_effects,
};
use tradewind_domain::fixed::{Money, Price, Qty};
use tradewind_domain::text::Text;
use tradewind_domain::time::Date;

/// A line of the trail, without what every line has.
#[derive(Default)]
struct Line {
    author: String,
    second: String,
    subject: String,
    detail: Value,
}

impl Projection {
    /// Takes reference data, for the tables and for the names of later rows.
    pub(super) fn reference(&mut self, event: &Event, kind: Kind, batch: &mut Batch) {
        let names = &mut batch.names;
        match kind {
            Kind::CurrencySet => {
                let body: &CurrencySet = event.body();
                let id = u32::from(body.currency.0);
                let row = CurrencyRow {
                    id,
                    code: body.code,
                    money_dp: body.money_dp,
                    rate: self.names.rate(body.currency),
                };
                self.names.put_currency(&row);
                names.currencies.insert(id, row);
            }
            Kind::FxRate => {
                let body: &FxRate = event.body();
                if let Some(held) = self.names.currency(body.currency) {
                    let row = CurrencyRow {
                        rate: body.rate,
                        ..*held
                    };
                    self.names.put_currency(&row);
                    names.currencies.insert(row.id, row);
                }
            }
            Kind::SymbolChange => {
                let body: &SymbolChange = event.body();
                if let Some(held) = self.names.instrument(body.instrument.0) {
                    let row = InstrumentRow {
                        symbol: body.symbol,
                        ..*held
                    };
                    self.names.put_instrument(&row);
                    names.instruments.insert(row.id, row);
                }
            }
            Kind::NodeSet | Kind::AccountSet => {
                let body: &NodeBody = event.body();
                let row = NodeRow {
                    id: body.node.0,
                    code: body.code,
                    level: body.level,
                    parent: body.parent.0,
                    account: body.account.0,
                };
                self.names.put_node(&row);
                names.nodes.insert(row.id, row);
                if body.level == Level::Account as u8 {
                    names.accounts.insert(
                        body.account.0,
                        AccountRow {
                            id: body.account.0,
                            code: body.code,
                            node: body.node.0,
                            kind: body.kind,
                            currency: body.currency.0.into(),
                        },
                    );
                }
            }
            Kind::InstrumentSet => {
                let row = instrument(event.body());
                self.names.put_instrument(&row);
                names.instruments.insert(row.id, row);
            }
            Kind::LimitSet => {
                let row = limit(event.body());
                self.names.put_limit(&row);
                names.limits.insert(row.id, row);
            }
            Kind::SessionConnected => {
                let body: &SessionEvent = event.body();
                let row = SessionRow {
                    id: body.session.0,
                    name: body.name,
                };
                self.names.put_session(&row);
                names.sessions.insert(row.id, row);
            }
            _ => {}
        }
    }

    /// Adds the event's line of the trail, where it has one.
    pub(super) fn audit(&self, event: &Event, kind: Kind, origin: Origin, batch: &mut Batch) {
        let Some(line) = self.line(event, kind) else {
            return;
        };
        batch.audit.push(Audit {
            origin: utc(origin),
            kind: event.head.kind,
            author: line.author,
            second: line.second,
            subject: line.subject,
            detail: match line.detail {
                Value::Null => "{}".to_owned(),
                detail => detail.to_string(),
            },
            reason: reason_of(event, kind),
            code: event.head.outcome,
        });
    }

    /// Who did what to what. `None` for kinds that are no acts: flow, market data, questions.
    fn line(&self, event: &Event, kind: Kind) -> Option<Line> {
        let line = match kind {
            Kind::OrderNew
            | Kind::OrderCancel
            | Kind::OrderReplace
            | Kind::VenueAck
            | Kind::VenueReject
            | Kind::VenueFill
            | Kind::VenueCancelled
            | Kind::VenueReplaced
            | Kind::VenueCancelReject
            | Kind::VenueExpired
            | Kind::VenueStatus
            | Kind::OrderUnknown
            | Kind::TradeCapture
            | Kind::TradeBust
            | Kind::TradeCorrect
            | Kind::Quote
            | Kind::LastTrade
            | Kind::Mark
            | Kind::FxRate
            | Kind::Valuation
            | Kind::OrderExpired
            | Kind::CancelRequested
            | Kind::OrderReleased
            | Kind::HolderSplit
            | Kind::HolderDividend
            | Kind::HolderFunding
            | Kind::HolderMargin
            | Kind::HolderSettled
            | Kind::StockBorrowed
            | Kind::DatedCashSettled
            | Kind::DatedSplit
            | Kind::Probe
            | Kind::LimitProbe
            | Kind::EdgeStats => return None,
            Kind::MassCancel => self.mass_cancel(event.body()),
            Kind::InstrumentStatus => self.status(event.body()),
            Kind::Deposit | Kind::Withdrawal => cash(event.body()),
            Kind::FxConversion => conversion(event.body()),
            Kind::Locate => self.locate(event.body()),
            Kind::CorporateAction => self.corporate_action(event.body()),
            Kind::Allocation => self.allocation(event.body()),
            Kind::LedgerTransfer => transfer(event.body()),
            Kind::SessionConnected | Kind::SessionDisconnected => session(event.body()),
            Kind::InstrumentSet => instrument_set(event.body()),
            Kind::AccountSet | Kind::NodeSet => node_set(event.body()),
            Kind::LimitSet => self.limit_set(event.body()),
            Kind::FeeScheduleSet => fee_schedule(event.body()),
            Kind::CalendarSet => calendar(event.body()),
            Kind::StateSet | Kind::Kill | Kind::Rearm | Kind::Flatten | Kind::StateChanged => {
                self.control(event.body())
            }
            Kind::EntitlementSource => entitlements(event.body()),
            Kind::QuotaGrant => self.quota(event.body()),
            Kind::CurrencySet => currency(event.body()),
            Kind::RestrictedSet => self.restricted(event.body()),
            Kind::QuarantineResolve => quarantine(event.body()),
            Kind::AlertAction => alert_action(event.body()),
            Kind::AlertMaintenance => self.maintenance(event.body()),
            Kind::AccessSet => self.access(event.body()),
            Kind::LotMethodSet => lot_method(event),
            Kind::ReconRun => recon_run(event.body()),
            Kind::ReconFinding => recon_finding(event.body()),
            Kind::ReconEnd => recon_end(event.body()),
            Kind::ReconAction => recon_action(event.body()),
            Kind::SettlementFail => failed(event.body()),
            Kind::SymbolChange => renamed(event.body()),
            Kind::LotSelect => selected(event.body()),
            Kind::Timer => timer(event.body()),
            Kind::Blob => blob(event.body())?,
            Kind::EngineStarted => started(event.body()),
            Kind::EngineStopped => stopped(event.body()),
        };
        Some(line)
    }

    fn mass_cancel(&self, body: &MassCancel) -> Line {
        Line {
            author: self.names.session(body.session.0).to_owned(),
            subject: self.names.node(body.node.0).to_owned(),
            detail: json!({"cl_ord_id": body.cl_ord_id.as_str(), "symbol": self.names.symbol(body.instrument.0),
                "side": body.side, "session_only": body.session_only != 0}),
            ..Line::default()
        }
    }

    fn status(&self, body: &InstrumentStatus) -> Line {
        Line {
            subject: self.names.symbol(body.instrument.0).to_owned(),
            detail: json!({"halted": body.halted != 0}),
            ..Line::default()
        }
    }

    fn locate(&self, body: &Locate) -> Line {
        Line {
            subject: self.names.node(body.leaf.0).to_owned(),
            detail: json!({"symbol": self.names.symbol(body.instrument.0), "qty": Qty::from_raw(body.qty).to_string()}),
            ..Line::default()
        }
    }

    fn corporate_action(&self, body: &CorporateAction) -> Line {
        Line {
            subject: self.names.symbol(body.instrument.0).to_owned(),
            detail: json!({"action": body.action, "numerator": body.numerator, "denominator": body.denominator,
                "cash_per_unit": body.cash_per_unit.to_string(), "ex_date": Date(body.ex_date).to_string(),
                "pay_date": Date(body.pay_date).to_string()}),
            ..Line::default()
        }
    }

    fn allocation(&self, body: &Allocation) -> Line {
        Line {
            subject: owned(&body.alloc_id),
            detail: json!({"symbol": self.names.symbol(body.instrument.0), "qty": Qty::from_raw(body.qty).to_string(),
                "px": Price::from_raw(body.px).to_string(), "legs": body.legs, "executions": body.executions,
                "taken_back": body.taken_back}),
            ..Line::default()
        }
    }

    fn limit_set(&self, body: &LimitSet) -> Line {
        let limit_type = LimitType::from_code(body.limit_type);
        Line {
            author: owned(&body.author),
            subject: owned(&body.label),
            detail: json!({"type": limit_type.map_or("", LimitType::text), "node": self.names.node(body.node.0),
                "symbol": self.names.symbol(body.filter_instrument.0), "hard_raw": body.hard.to_string(),
                "params": body.params, "action": body.action, "soft_pct": body.soft_pct, "removed": body.removed != 0}),
            ..Line::default()
        }
    }

    fn control(&self, body: &Control) -> Line {
        let subject = match (body.node.is_none(), body.instrument.is_none()) {
            (false, _) => self.names.node(body.node.0).to_owned(),
            (_, false) => self.names.symbol(body.instrument.0).to_owned(),
            _ if !body.session.is_none() => format!("session {}", body.session),
            _ if !body.venue.is_none() => format!("venue {}", body.venue),
            _ => String::new(),
        };
        let limit = self.names.limit(body.limit.0).map(|limit| owned(&limit.label));
        // Controls of people leave the limit's place at zero, which is a limit of its own.
        let limit = limit.filter(|_| body.author.is_empty());
        Line {
            author: owned(&body.author),
            second: owned(&body.second),
            subject,
            detail: json!({"state": state(body.state), "before": state(body.state_before),
                "after": state(body.state_after), "limit": limit, "lapses": body.lapses != 0}),
        }
    }

    fn quota(&self, body: &QuotaGrant) -> Line {
        Line {
            author: owned(&body.author),
            subject: self
                .names
                .limit(body.limit.0)
                .map_or(String::new(), |limit| owned(&limit.label)),
            detail: json!({"granted_raw": body.granted.to_string()}),
            ..Line::default()
        }
    }

    fn restricted(&self, body: &RestrictedSet) -> Line {
        let restriction = Restriction::from_code(body.restriction).map_or("", Restriction::text);
        Line {
            author: owned(&body.author),
            subject: owned(&body.label),
            detail: json!({"symbol": self.names.symbol(body.instrument.0), "restriction": restriction}),
            ..Line::default()
        }
    }

    fn maintenance(&self, body: &AlertMaintenance) -> Line {
        Line {
            author: owned(&body.author),
            subject: self.names.node(body.node.0).to_owned(),
            detail: json!({"from_ns": body.from_ns, "until_ns": body.until_ns}),
            ..Line::default()
        }
    }

    fn access(&self, body: &AccessSet) -> Line {
        Line {
            author: owned(&body.author),
            subject: self.names.node(body.node.0).to_owned(),
            detail: json!({"user": body.user.to_string(), "group": body.group.to_string(), "role": body.role,
                "status": body.status}),
            ..Line::default()
        }
    }
}

fn failed(body: &SettlementFail) -> Line {
    Line {
        subject: owned(&body.exec_id),
        detail: json!({"settle_date": Date(body.settle_date).to_string(), "was_settled": body.was_settled != 0,
            "age_days": body.age_days}),
        ..Line::default()
    }
}

fn selected(body: &LotSelect) -> Line {
    Line {
        author: owned(&body.author),
        subject: owned(&body.exec_id),
        detail: json!({"lots": body.lots, "replayed": body.alerts == 0}),
        ..Line::default()
    }
}

fn renamed(body: &SymbolChange) -> Line {
    Line {
        author: owned(&body.author),
        subject: owned(&body.symbol),
        detail: json!({"symbol_before": body.symbol_before.as_str()}),
        ..Line::default()
    }
}

fn lot_method(event: &Event) -> Line {
    let body: &LotMethodSet = event.body();
    Line {
        author: owned(&body.author),
        subject: format!("account {}", body.account),
        detail: json!({"method": LotMethod::from_code(body.method).map_or("", LotMethod::text),
            "fee_in_basis": body.fee_in_basis != 0}),
        ..Line::default()
    }
}

fn recon_run(body: &ReconRun) -> Line {
    Line {
        author: owned(&body.author),
        subject: owned(&body.source),
        detail: json!({"statement": hex(&body.statement), "as_of_seq": body.as_of_seq, "accounts": body.accounts,
            "tolerance": Money::from_raw(body.tolerance.into()).to_string()}),
        ..Line::default()
    }
}

fn recon_finding(body: &ReconFinding) -> Line {
    let figure = |raw: i128| Money::from_raw(raw).to_string();
    Line {
        subject: owned(&body.account_code),
        detail: json!({"run": body.run, "about": ReconSubject::from_code(body.subject).map_or("", ReconSubject::text),
            "item": body.item.as_str(), "identifier": body.identifier.as_str(),
            "status": ReconStatus::from_code(body.status).map_or("", ReconStatus::text), "ours": figure(body.ours),
            "traded": figure(body.traded), "theirs": figure(body.theirs), "restricted_by": body.restricted_by}),
        ..Line::default()
    }
}

fn recon_end(body: &ReconEnd) -> Line {
    Line {
        subject: owned(&body.account_code),
        detail: json!({"run": body.run, "matched": body.matched, "explained": body.explained, "breaks": body.breaks,
            "covers": body.covers}),
        ..Line::default()
    }
}

fn recon_action(body: &ReconAction) -> Line {
    Line {
        author: owned(&body.author),
        subject: body.break_seq.to_string(),
        detail: json!({"action": ReconVerb::from_code(body.verb).map_or("", ReconVerb::text),
            "assignee": body.assignee.as_str(),
            "resolution": ReconResolution::from_code(body.resolution).map_or("", ReconResolution::text)}),
        ..Line::default()
    }
}

/// True for kinds whose tail is what a person wrote.
/// What its source said of it.
fn reason_of(event: &Event, kind: Kind) -> String {
    let behind = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}");
    match kind {
        Kind::LotSelect => behind(event.lots_reason()),
        Kind::Blob | Kind::MassCancel => String::new(),
        Kind::LedgerTransfer => behind(event.transfer_reason()),
        Kind::Allocation if event.is_rejected() => String::new(), // names, where they did not resolve
        Kind::Allocation => behind(event.allocation_reason()),
        _ => text_of(event),
    }
}

fn state(code: u8) -> &'static str {
    match code {
        control_effects::DISABLED => "DISABLED",
        control_effects::SLOW => "SLOW",
        code => ControlState::from_code(code).map_or("", ControlState::text),
    }
}

fn instrument(body: &InstrumentSet) -> InstrumentRow {
    let row = &body.row;
    InstrumentRow {
        id: row.id.0,
        symbol: row.symbol,
        sector: row.sector,
        kind: row.kind,
        currency: row.currency.0.into(),
        calendar: row.calendar.0.into(),
        mult: row.mult,
        tick: row.tick,
        lot: row.lot,
    }
}

fn limit(body: &LimitSet) -> LimitRow {
    LimitRow {
        id: body.limit.0,
        label: body.label,
        limit_type: body.limit_type,
        node: body.node.0,
        action: body.action,
        soft_pct: body.soft_pct,
        removed: body.removed,
        hard: body.hard,
        period_ms: body.params[0],
        algo: body.params[1],
    }
}

fn instrument_set(body: &InstrumentSet) -> Line {
    let row = &body.row;
    Line {
        author: owned(&body.author),
        subject: owned(&row.symbol),
        detail: json!({"kind": row.kind, "currency": body.currency_code.as_str(), "sector": row.sector.as_str(),
            "mult": Money::from_raw(row.mult.into()).to_string(), "tick": Price::from_raw(row.tick).to_string(),
            "lot": Qty::from_raw(row.lot).to_string(), "calendar": row.calendar.0}),
        ..Line::default()
    }
}

fn node_set(body: &NodeBody) -> Line {
    Line {
        author: owned(&body.author),
        subject: owned(&body.code),
        detail: json!({"level": Level::from_code(body.level).map_or("", Level::text), "parent": body.parent_code.as_str(),
            "kind": body.kind, "currency": body.currency_code.as_str()}),
        ..Line::default()
    }
}

fn currency(body: &CurrencySet) -> Line {
    Line {
        author: owned(&body.author),
        subject: owned(&body.code),
        detail: json!({"money_dp": body.money_dp}),
        ..Line::default()
    }
}

fn cash(body: &CashMove) -> Line {
    Line {
        subject: owned(&body.reference),
        detail: json!({"account": body.account.0, "currency": body.currency.0, "amount": body.amount.to_string()}),
        ..Line::default()
    }
}

fn transfer(body: &LedgerTransfer) -> Line {
    Line {
        subject: owned(&body.transfer_id),
        detail: json!({"debit": body.debit.as_str(), "credit": body.credit.as_str(), "amount": body.amount.to_string()}),
        ..Line::default()
    }
}

fn session(body: &SessionEvent) -> Line {
    Line {
        subject: owned(&body.name),
        detail: json!({"session": body.session.0, "next_in": body.next_in, "next_out": body.next_out}),
        ..Line::default()
    }
}

fn conversion(body: &FxConversion) -> Line {
    Line {
        subject: owned(&body.reference),
        detail: json!({
            "sold": body.amount.to_string(), "sold_currency": body.sold.0,
            "bought": body.bought.to_string(), "bought_currency": body.bought_code.as_str(),
            "rate": Price::from_raw(body.rate).to_string(),
        }),
        ..Line::default()
    }
}

fn fee_schedule(body: &FeeScheduleSet) -> Line {
    Line {
        author: owned(&body.author),
        subject: owned(&body.code),
        detail: json!({"model": body.model, "venue": body.venue.0, "params": body.params}),
        ..Line::default()
    }
}

fn calendar(body: &CalendarSet) -> Line {
    let days = body.days.get(..usize::from(body.count)).unwrap_or(&[]);
    let dates: Vec<String> = days.iter().map(|day| Date(day.date).to_string()).collect();
    Line {
        subject: owned(&body.code),
        detail: json!({"calendar": body.calendar.0, "days": dates}),
        ..Line::default()
    }
}

fn entitlements(body: &EntitlementSource) -> Line {
    Line {
        author: owned(&body.author),
        detail: json!({"up": body.up != 0}),
        ..Line::default()
    }
}

fn quarantine(body: &QuarantineResolve) -> Line {
    let action = QuarantineAction::from_code(body.action).map_or("", QuarantineAction::text);
    Line {
        author: owned(&body.author),
        subject: body.trade_seq.to_string(),
        detail: json!({"action": action, "qty": Qty::from_raw(body.qty).to_string(), "px": Price::from_raw(body.px).to_string(),
            "side": body.side}),
        ..Line::default()
    }
}

fn alert_action(body: &AlertAction) -> Line {
    Line {
        author: owned(&body.author),
        subject: body.incident.to_string(),
        detail: json!({"action": body.action}),
        ..Line::default()
    }
}

fn timer(body: &Timer) -> Line {
    Line {
        detail: json!({"timer": body.timer, "due_ns": body.due_ns, "calendar": body.calendar.0,
            "date": Date(body.date).to_string(), "session": body.session.0}),
        ..Line::default()
    }
}

/// The first part of a document stands for all of it.
fn blob(body: &Blob) -> Option<Line> {
    (body.offset == 0).then(|| Line {
        subject: hex(&body.hash),
        detail: json!({"document": body.document, "bytes": body.total_len}),
        ..Line::default()
    })
}

fn started(body: &EngineStarted) -> Line {
    let build: &Text<40> = &body.build;
    Line {
        detail: json!({"epoch": body.epoch, "build": build.as_str(), "rules_version": body.rules_version,
            "config_hash": format!("{:016x}", body.config_hash), "previous_seq": body.previous_seq}),
        ..Line::default()
    }
}

fn stopped(body: &EngineStopped) -> Line {
    Line {
        detail: json!({"epoch": body.epoch}),
        ..Line::default()
    }
}
