//! The engine itself: its stages, and checks of its parts.

use super::{Line, Whose};
use crate::encode::Cells;
use crate::figures::{Check, StageRow};

impl Line for StageRow {
    fn whose(&self) -> Whose {
        Whose::EVERYBODY
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.stage);
    }
    fn other_cells(&self, cells: &mut impl Cells) {
        cells.count(self.events);
        cells.count(self.events_per_s);
        for ns in [self.p50_ns, self.p90_ns, self.p99_ns, self.p999_ns, self.max_ns] {
            cells.count_or_null(ns);
        }
        cells.count(self.full_waits);
        cells.count_or_null(self.idle_pct);
    }
}

impl Line for Check {
    fn whose(&self) -> Whose {
        Whose::EVERYBODY
    }
    fn key_cells(&self, cells: &mut impl Cells) {
        cells.text(self.name.as_str());
    }
    fn other_cells(&self, cells: &mut impl Cells) {
        cells.text(self.status.text());
        cells.decimal_or_null(self.value);
        cells.text(self.unit);
        cells.text(&self.text);
        cells.time_or_null(self.updated);
    }
}
