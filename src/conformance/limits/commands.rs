//! Steps about everything but orders: market data, equities, operators' commands, sessions, questions.

use super::answers::{self, Figures};
use super::days::NODES;
use super::opening::{SESSION_DEFAULT, session_event};
use super::play::{Player, Turn, e8, need};
use super::units::{AUTHOR, code};
use crate::conformance::decimals::Decimal;
use bytemuck::Zeroable;
use serde_json::json;
use tradewind_domain::codes::{ControlState, LimitType};
use tradewind_domain::event::{Control, EntitlementSource, InstrumentStatus, Kind, LastTrade, Valuation};
use tradewind_domain::fixed::{Money, ONE};
use tradewind_domain::ids::{NodeId, SessionId, VenueId};
use tradewind_domain::text::Code;
use tradewind_domain::time::Date;

impl Player<'_> {
    pub(super) fn market_data(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let symbol = need(&step.sym, "sym")?;
        if let Some(px) = e8(step.last, "last")? {
            let body = LastTrade {
                px,
                qty: ONE,
                px_dp: 8,
                qty_dp: 8,
                ..LastTrade::zeroed()
            };
            self.side_effect(turn, Kind::LastTrade, &body, (symbol, ""))?;
        }
        // The engine always keeps to a halt; in the files only a MARKET_HOURS limit does.
        let limits = &self.case.setup.limits;
        let has_hours = limits
            .iter()
            .any(|limit| limit.limit_type == LimitType::MarketHours);
        if !has_hours && step.last.is_none() {
            return self.tick(turn, step.t);
        }
        if let Some(halted) = step.halted.filter(|_| has_hours) {
            let body = InstrumentStatus {
                halted: u8::from(halted),
                ..InstrumentStatus::zeroed()
            };
            self.side_effect(turn, Kind::InstrumentStatus, &body, (symbol, ""))?;
        }
        Ok(())
    }

    pub(super) fn equity(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let money = |value: Option<Decimal>, what: &str| match value {
            Some(value) => value
                .raw(8)
                .map(Money::from_raw)
                .ok_or_else(|| format!("{what} {value} does not fit")),
            None => Ok(Money::ZERO),
        };
        step.equity.ok_or("equity has no figure")?;
        let body = Valuation {
            equity: money(step.equity, "equity")?,
            balance: money(step.balance, "balance")?,
            has_balance: u8::from(step.balance.is_some()),
            ..Valuation::zeroed()
        };
        let record = self.side_effect(turn, Kind::Valuation, &body, ("", need(&step.node, "node")?))?;
        if !record.is_rejected() {
            answers::equity(&mut turn.got, &record, &self.known);
        }
        Ok(())
    }

    pub(super) fn kill(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let level = need(&step.level, "level")?;
        let state = ControlState::from_text(level).ok_or_else(|| format!("`{level}` is no state"))?;
        let kind = if state == ControlState::Kill {
            Kind::Kill
        } else {
            Kind::StateSet
        };
        let body = control(AUTHOR, "", state)?;
        self.side_effect(turn, kind, &body, ("", need(&step.node, "node")?))
            .map(drop)
    }

    pub(super) fn rearm(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let person = |at: usize| {
            step.by
                .as_ref()
                .and_then(|by| by.get(at))
                .map_or("", String::as_str)
        };
        let body = control(person(0), person(1), ControlState::Active)?;
        let record = self.act(turn, Kind::Rearm, &body, ("", need(&step.node, "node")?))?;
        turn.got.insert(
            "decision".to_owned(),
            json!(if record.is_rejected() { "REJECT" } else { "ACCEPT" }),
        );
        if let Some(code) = record.reject_code() {
            turn.got.insert("reason".to_owned(), json!(code.text()));
        }
        Ok(())
    }

    pub(super) fn state(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        self.tick(turn, step.t)?;
        if let Some(state) = self.known.state(need(&step.node, "node")?) {
            turn.got.insert("state".to_owned(), json!(state.text()));
        }
        Ok(())
    }

    pub(super) fn user_service(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let up = match turn.step.status.as_deref() {
            Some("UP") => 1,
            Some("DOWN") => 0,
            other => return Err(format!("status {other:?} is neither UP nor DOWN")),
        };
        let body = EntitlementSource {
            up,
            author: Code::lossy(AUTHOR),
            ..EntitlementSource::zeroed()
        };
        self.side_effect(turn, Kind::EntitlementSource, &body, ("", ""))
            .map(drop)
    }

    pub(super) fn disconnect(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let name = step.session.as_deref().unwrap_or(SESSION_DEFAULT);
        let session = self.session(Some(name))?;
        let body = session_event(self.case, session, name)?;
        let record = self.side_effect(turn, Kind::SessionDisconnected, &body, ("", ""))?;
        if body.grace_ms != u32::MAX {
            let due_ns = record.head.recv_ns + u64::from(body.grace_ms) * 1_000_000;
            self.graces.push((due_ns, session));
        }
        // A grace of 0 ends here.
        self.tick(turn, step.t)?;
        self.end_graces(turn)
    }

    pub(super) fn reconnect(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let name = turn.step.session.as_deref().unwrap_or(SESSION_DEFAULT);
        let session = self.session(Some(name))?;
        self.graces.retain(|grace| grace.1 != session);
        let body = session_event(self.case, session, name)?;
        self.side_effect(turn, Kind::SessionConnected, &body, ("", ""))
            .map(drop)
    }

    pub(super) fn query(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let step = turn.step;
        let (label, symbol) = (
            need(&step.limit_id, "limit_id")?,
            step.sym.as_deref().unwrap_or_default(),
        );
        match self.ask(turn, label, (symbol, ""), None)? {
            Figures::Known(used, limit) => {
                turn.got.insert("used".to_owned(), json!(used));
                turn.got.insert("limit".to_owned(), json!(limit));
                turn.got.insert("remaining".to_owned(), json!(limit.minus(used)));
            }
            Figures::Refused(why) => answers::refused(&mut turn.got, Kind::LimitProbe, &why),
        }
        Ok(())
    }

    pub(super) fn trading_date(&mut self, turn: &mut Turn<'_>) -> Result<(), String> {
        let at_ns = turn.step.t;
        self.tick(turn, at_ns)?;
        if let Some(date) = self.known.date(NODES) {
            turn.got
                .insert("trading_date".to_owned(), json!(Date(date).to_string()));
        }
        Ok(())
    }
}

fn control(author: &str, second: &str, state: ControlState) -> Result<Control, String> {
    Ok(Control {
        author: code(author)?,
        second: code(second)?,
        state: state as u8,
        venue: VenueId::NONE,
        session: SessionId::NONE,
        node: NodeId::NONE,
        ..Control::zeroed()
    })
}
