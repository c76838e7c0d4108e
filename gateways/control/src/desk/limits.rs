//! Limits: which are in force and what is used of them, one that is set, one that is taken away.

use super::{Answered, Desk, value};
use crate::command::{LimitFilter, LimitRow, LimitSet};
use crate::message::{self, Author};
use crate::names;
use crate::protocol::{ErrorCode, Failure};
use crate::usage::{limit_named, usage};
use serde_json::json;
use tradewind_config::Limit;
use tradewind_views::live::Held;
use tradewind_views::{LimitView, limits};

impl Desk {
    pub(super) fn limits_list(&self, filter: &LimitFilter) -> Answered {
        if let Some(wanted) = filter.limit_type.as_deref() {
            names::limit_type(wanted)?;
        }
        let rows = self.read(|held| {
            if let Some(node) = filter.node.as_deref() {
                names::node(held, node)?;
            }
            let mut views = limits(held.replica());
            views.retain(|view| {
                filter.node.as_ref().is_none_or(|node| view.scope == *node)
                    && filter
                        .limit_type
                        .as_ref()
                        .is_none_or(|wanted| view.limit_type.eq_ignore_ascii_case(wanted))
            });
            let rows = views.into_iter().map(|view| limit_row(held, view));
            Ok::<_, Failure>(rows.collect::<Vec<_>>())
        })??;
        value(json!({ "limits": rows }))
    }

    pub(super) fn limits_show(&self, label: &str) -> Answered {
        let row = self.read(|held| {
            let mut views = limits(held.replica()).into_iter();
            let view = views.find(|view| view.label == label)?;
            Some(limit_row(held, view))
        })?;
        value(json!({ "limit": row.ok_or_else(|| no_limit(label))? }))
    }

    pub(super) fn limits_set(&self, set: &LimitSet, author: &Author) -> Answered {
        let limit = self.read(|held| message::changed_limit(set, held.known()))??;
        self.change(message::limit(&limit, false, author))
    }

    pub(super) fn limits_remove(&self, label: &str, author: &Author) -> Answered {
        let limit: Option<Limit> = self.read(|held| {
            let mut limits = held.known().limits();
            limits.find(|limit| limit.label.as_str() == label).copied()
        })?;
        let limit = limit.ok_or_else(|| no_limit(label))?;
        self.change(message::limit(&limit, true, author))
    }
}

fn no_limit(label: &str) -> Failure {
    Failure::new(ErrorCode::NotFound, format!("no limit {label:?} is in force"))
}

/// A limit with what is used of it, asked of the replica's own stage, which a question does not change.
fn limit_row(held: &mut Held, view: LimitView) -> LimitRow {
    let row = limit_named(held.known(), &view.label).copied();
    let usage = usage(held, &view.label);
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    LimitRow {
        label: view.label,
        limit_type: view.limit_type,
        scope: view.scope,
        level: view.level,
        symbol: view.symbol,
        kind: row.and_then(|row| row.kind).map(|kind| kind.to_string()),
        sector: row.and_then(|row| text(row.sector.as_str())),
        hard: view.hard,
        unit: view.unit,
        used_unit: usage.as_ref().map(|usage| usage.unit.clone()),
        soft_pct: view.soft_pct,
        action: view.action,
        used_pct: usage.as_ref().and_then(|usage| usage.used_pct),
        used: usage.map(|usage| usage.used),
        toml: row.map_or_else(String::new, |row| row.to_toml()),
    }
}
