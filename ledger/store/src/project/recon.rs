//! Breaks of reconciliation: the same fold as the replica's, and the rows of what a record changes of it.

use super::Projection;
use crate::batch::Batch;
use crate::rows::BreakRow;
use tradewind_domain::event::{Event, Kind, ReconEnd};
use tradewind_views::recon::{ReconBreak, Told};

impl Projection {
    /// A record of a run, or what a person did to a break.
    pub(super) fn reconciled(&mut self, event: &Event, kind: Kind, batch: &mut Batch) {
        let last_seq = event.head.seq;
        self.breaks.observe_each(event, &mut |told| {
            let (line, is_held) = match told {
                Told::Is(line) => (line, true),
                Told::Left(line) => (line, false),
            };
            let row = BreakRow {
                line: ReconBreak {
                    notes: Vec::new(),
                    ..line.clone()
                },
                is_held,
                last_seq,
            };
            batch.breaks.insert(line.id, row);
        });
        let run = match kind {
            Kind::ReconRun => last_seq,
            Kind::ReconEnd => event.body::<ReconEnd>().run,
            _ => return,
        };
        if let Some(run) = self.breaks.run(run) {
            batch.recon_runs.insert(run.id, run.clone());
        }
    }
}
