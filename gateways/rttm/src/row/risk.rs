//! Limits with their use, and incidents.

use super::{Line, Whose};
use crate::encode::Cells;
use tradewind_alerts::IncidentRow;
use tradewind_domain::ids::NodeId;
use tradewind_domain::text::Code;
use tradewind_views::query::current::LimitUsage;

impl Line for LimitUsage {
    fn whose(&self) -> Whose {
        Whose::of(self.node, self.scope).about(self.symbol)
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.label.as_str());
    }
    fn other_cells(&self, cells: &mut impl Cells) {
        cells.text(&self.limit_type);
        cells.text(self.scope.as_str());
        cells.text(&self.level);
        cells.text_or_null((!self.symbol.is_empty()).then(|| self.symbol.as_str()));
        cells.text_or_null(self.used.as_deref());
        cells.text(&self.hard);
        cells.text(self.unit);
        cells.count_or_null(self.used_pct);
        cells.number(self.soft_pct.into());
        cells.text(&self.action);
        cells.text(self.status);
    }
}

/// An incident, with the node that it is about where it is about one.
pub(crate) struct AlertLine<'a> {
    pub(crate) incident: &'a IncidentRow,
    pub(crate) node: NodeId,
}

impl Line for AlertLine<'_> {
    fn whose(&self) -> Whose {
        Whose::of(self.node, Code::lossy(&self.incident.scope))
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.count(self.incident.id);
    }
    fn other_cells(&self, cells: &mut impl Cells) {
        let row = self.incident;
        cells.text(row.severity.text());
        cells.text(row.state.text());
        cells.text(&row.rule);
        cells.text(&row.scope);
        cells.text(&row.instrument);
        cells.number(row.level.into());
        cells.text_or_null(row.next_level_at.as_deref());
        cells.count(row.count);
        cells.text(&row.text);
        cells.text(&row.opened_at);
        cells.text(&row.last_at);
        cells.text_or_null(row.cleared_at.as_deref());
        cells.text_or_null(row.acknowledged_at.as_deref());
        cells.text_or_null(row.acknowledged_by.as_deref());
        cells.text_or_null(row.acknowledge_comment.as_deref());
        cells.text_or_null(row.resolved_at.as_deref());
        cells.text_or_null(row.resolved_by.as_deref());
        cells.text_or_null(row.resolve_comment.as_deref());
        cells.truth(row.live);
    }
}
