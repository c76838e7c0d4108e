//! Runs the lot engine over the movements of the owner's accounts, and says what it closed and split in the units of the wash-sale rule.

use super::owner::{OwnerTrades, TradeKey};
use super::units::Units;
use crate::error::ReportError;
use crate::walk::Walked;
use std::collections::BTreeMap;
use tradewind_books::Moved;
use tradewind_books::lots::{ClosedBy, Closing, Lot, Lots, Rules, Terms};
use tradewind_domain::codes::LotMethod;
use tradewind_domain::ids::{AccountId, HoldingId, InstrumentId, Seq};
use tradewind_domain::time::DayNumber;

/// The row of each account and instrument.
pub(super) type Places = BTreeMap<(AccountId, InstrumentId), HoldingId>;

/// What the lot engine gave.
pub(super) struct Run {
    pub(super) lots: Lots,
    pub(super) places: Places,
    /// In the order of the records.
    pub(super) steps: Vec<Step>,
    /// Parts of shares that a purchase opened or added.
    pub(super) opened: BTreeMap<TradeKey, i128>,
}

/// What became of lots.
pub(super) enum Step {
    /// A piece of one was realised.
    Closed(Closed),
    /// Those of a holding were split.
    Split(Rescaled),
}

/// A piece of a lot that was realised.
pub(super) struct Closed {
    pub(super) account: AccountId,
    pub(super) instrument: InstrumentId,
    pub(super) closing: Closing,
    /// Its quantity in parts.
    pub(super) parts: i128,
}

/// The lots of a holding behind a split, oldest first.
pub(super) struct Rescaled {
    pub(super) account: AccountId,
    pub(super) instrument: InstrumentId,
    pub(super) lots: Vec<RescaledLot>,
}

/// What a split left of a lot. Lots are whole steps behind it, which moves fractions from one to the other.
pub(super) struct RescaledLot {
    pub(super) open: Seq,
    pub(super) day: DayNumber,
    /// Parts before it, without what it paid in cash.
    pub(super) before: i128,
    /// Parts behind it.
    pub(super) now: i128,
}

/// Takes the movements of all accounts, in the order of their records.
pub(super) fn run(
    gathered: &OwnerTrades,
    walked: &Walked,
    method: LotMethod,
    units: &Units,
    until: Option<DayNumber>,
) -> Result<Run, ReportError> {
    let movements = || {
        let all = gathered.movements.iter();
        all.filter(move |(_, (_, movement))| until.is_none_or(|until| movement.day() <= until))
    };
    let mut places = Places::new();
    let mut count = 0_u32;
    for ((_, _, account), (instrument, _)) in movements() {
        let next = HoldingId(places.len() as u32);
        places.entry((*account, *instrument)).or_insert(next);
        count = count.saturating_add(1);
    }
    // As many lots as movements: none is ever merged with another.
    let mut run = Run {
        lots: Lots::new(places.len() as u32, count),
        places,
        steps: Vec::new(),
        opened: BTreeMap::new(),
    };
    let at = walked.at();
    for ((seq, _, account), (instrument, movement)) in movements() {
        let Some(row) = at.replica.registry().instrument(*instrument) else {
            continue; // an accepted record names one that there is
        };
        let terms = Terms {
            rules: Rules {
                money_dp: row.money_dp,
                inverse: row.is_inverse(),
            },
            method,
            fee_in_basis: true,
        };
        let place = run.places[&(*account, *instrument)];
        let is_split = movement.moved() == Moved::Split;
        let before: Vec<Lot> = match is_split {
            true => run.lots.lots(place).collect(),
            false => Vec::new(),
        };
        let mut closings = Vec::new();
        let named = gathered
            .named
            .get(&(*seq, *account))
            .map_or(&[][..], Vec::as_slice);
        let outcome = run
            .lots
            .take(place, terms, (movement, named), row, &mut |closing: &Closing| {
                closings.push(*closing);
            });
        let of_share = units.at(*instrument, *seq);
        let whose = (*account, *instrument);
        if is_split {
            let of_old = units.at(*instrument, seq.saturating_sub(1));
            run.split(whose, (of_old, of_share), &before, &closings)?;
        } else {
            run.close(whose, of_share, &closings)?;
        }
        let bought = movement.change().raw();
        if movement.moved() == Moved::Trade && bought > 0 {
            let opened = times(bought - outcome.closed.raw(), of_share)?;
            run.opened.insert((*seq, *account), opened);
        }
    }
    Ok(run)
}

impl Run {
    /// Notes what a trade, margin or settlement closed.
    fn close(
        &mut self,
        (account, instrument): (AccountId, InstrumentId),
        of_share: i128,
        closings: &[Closing],
    ) -> Result<(), ReportError> {
        for closing in closings {
            self.steps.push(Step::Closed(Closed {
                account,
                instrument,
                closing: *closing,
                parts: times(closing.qty.raw(), of_share)?,
            }));
        }
        Ok(())
    }

    /// Notes what a split paid in cash, and what it left of the lots that were there before. `of_share` are the parts of an old share and
    /// of a new one.
    fn split(
        &mut self,
        (account, instrument): (AccountId, InstrumentId),
        of_share: (i128, i128),
        before: &[Lot],
        closings: &[Closing],
    ) -> Result<(), ReportError> {
        let place = self.places[&(account, instrument)];
        let now: BTreeMap<Seq, i128> = self
            .lots
            .lots(place)
            .map(|lot| (lot.open, lot.qty.raw()))
            .collect();
        let mut lots = Vec::new();
        for lot in before {
            let mut left = times(lot.qty.raw(), of_share.0)?;
            for closing in closings.iter().filter(|closing| closing.open == lot.open) {
                debug_assert_eq!(closing.by, ClosedBy::CashInLieu);
                // A fraction is told at 1e-8: where it is all that there was, nothing of the lot is left behind it.
                let is_all = closing.qty.raw() == left / of_share.1;
                let parts = match is_all {
                    true => left,
                    false => times(closing.qty.raw(), of_share.1)?,
                };
                left -= parts;
                self.steps.push(Step::Closed(Closed {
                    account,
                    instrument,
                    closing: *closing,
                    parts,
                }));
            }
            lots.push(RescaledLot {
                open: lot.open,
                day: lot.day,
                before: left,
                now: times(now.get(&lot.open).copied().unwrap_or(0), of_share.1)?,
            });
        }
        self.steps.push(Step::Split(Rescaled {
            account,
            instrument,
            lots,
        }));
        Ok(())
    }
}

/// A quantity in parts.
pub(super) fn times(qty: i128, of_share: i128) -> Result<i128, ReportError> {
    qty.checked_mul(of_share).ok_or(ReportError::Overflow)
}
