//! A quote that wanders on the tick grid around the configured mark.
//!
//! # Invariants
//! - Bid and ask are multiples of the tick, bid below ask, both above zero whatever the mark (a binary's ask below one).
//! - The further the bid is from the mark, the surer its next step leads back; at [`BAND`] it always does. So the bid leaves
//!   the band by no more than its spread.

use crate::random::SplitMix;
use tradewind_domain::codes::InstrumentKind;
use tradewind_domain::fixed::ONE;
use tradewind_domain::reference::Instrument;

/// Half the width in which prices stay: one part in this of the mark.
const BAND: i64 = 20;
/// The longest step: one part in this of the mark (2 basis points), at least a tick.
const STEP: i64 = 5_000;
/// The widest spread: one part in this of the mark (3 basis points), at least a tick.
const SPREAD: i64 = 3_333;
/// Mark of instruments that have none, in ticks.
const MARK_DEFAULT: i64 = 10_000;

/// The walk. All but `tick` in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    tick: i64,
    mark: i64,
    band: i64,
    step: i64,
    spread: i64,
    bid_max: i64,
    bid_at: i64,
    ask_at: i64,
}

impl Walk {
    /// Starts at the instrument's mark.
    pub(crate) fn new(instrument: &Instrument) -> Self {
        let tick = instrument.tick.max(1);
        let top = if instrument.kind == InstrumentKind::Binary as u8 {
            ONE - 1
        } else {
            i64::MAX / 4
        };
        let mark = match instrument.configured_mark / tick {
            at if at > 0 => at,
            _ => MARK_DEFAULT.min(top / tick / 2),
        };
        let spread = (mark / SPREAD).max(1);
        let bid_max = (top / tick - spread).max(1);
        let mark = mark.clamp(1, bid_max);
        Self {
            tick,
            mark,
            band: (mark / BAND).max(1),
            step: (mark / STEP).max(1),
            spread,
            bid_max,
            bid_at: mark,
            ask_at: mark + 1,
        }
    }

    /// One step of the bid, and a new spread.
    pub(crate) fn step(&mut self, random: &mut SplitMix) {
        let distance = self.bid_at - self.mark;
        let pull = distance.abs().min(self.band);
        let leads_back = random.between(0, 2 * self.band - 1) < self.band + pull;
        let size = random.between(0, self.step);
        let upward = if distance == 0 {
            random.chance(1, 2)
        } else {
            (distance < 0) == leads_back
        };
        let to = self.bid_at + if upward { size } else { -size };
        self.bid_at = to.clamp(1, self.bid_max);
        self.ask_at = self.bid_at + random.between(1, self.spread);
    }

    /// Best bid at 1e-8.
    pub(crate) fn bid(&self) -> i64 {
        self.bid_at * self.tick
    }

    /// Best ask at 1e-8.
    pub(crate) fn ask(&self) -> i64 {
        self.ask_at * self.tick
    }

    /// True where the next steps lead up more often than down.
    pub(crate) fn is_cheap(&self) -> bool {
        self.bid_at < self.mark
    }

    /// A price so many ticks from `px`, kept on the grid and where prices may be.
    pub(crate) fn shifted(&self, px: i64, ticks: i64) -> i64 {
        (px / self.tick + ticks).clamp(1, self.bid_max + self.spread) * self.tick
    }

    /// Ticks of about a basis point, at least one.
    pub(crate) fn bp(&self) -> i64 {
        (self.mark / 10_000).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instrument(tick: i64, mark: i64, kind: InstrumentKind) -> Instrument {
        Instrument {
            tick,
            configured_mark: mark,
            kind: kind as u8,
            ..Instrument::default_linear()
        }
    }

    /// Walks and gives the lowest and the highest bid.
    fn range(row: &Instrument, steps: u32) -> (i64, i64) {
        let (mut walk, mut random) = (Walk::new(row), SplitMix::new(3));
        let (mut low, mut high) = (walk.bid(), walk.bid());
        for _ in 0..steps {
            walk.step(&mut random);
            assert!(0 < walk.bid() && walk.bid() < walk.ask());
            assert!(walk.bid() % row.tick == 0 && walk.ask() % row.tick == 0);
            low = low.min(walk.bid());
            high = high.max(walk.bid());
        }
        (low, high)
    }

    #[test]
    fn prices_stay_positive_on_the_grid_and_in_the_band_for_ten_million_steps() {
        let (low, high) = range(
            &instrument(ONE / 100, 142 * ONE, InstrumentKind::Equity),
            10_000_000,
        );
        assert!(low > 142 * ONE / 20 * 19 - ONE, "{low}");
        assert!(high < 142 * ONE / 20 * 21 + ONE, "{high}");
        assert!(high - low > ONE / 2, "it moves: {low} to {high}");
    }

    #[test]
    fn odd_marks_have_prices_too() {
        for (tick, mark) in [
            (ONE, ONE),
            (ONE, 0),
            (1, 1),
            (1, i64::MAX),
            (i64::MAX, 5),
            (ONE, -ONE),
        ] {
            let row = instrument(tick, mark, InstrumentKind::Equity);
            if tick < i64::MAX / 8 {
                range(&row, 10_000);
            } else {
                Walk::new(&row);
            }
        }
        let (_, high) = range(
            &instrument(ONE / 100, ONE / 100 * 99, InstrumentKind::Binary),
            100_000,
        );
        assert!(high < ONE - ONE / 100);
    }
}
