//! What dividends, fundings and variation margins have paid: each is worked out anew on the executions as they stand now (SETTLEMENT
//! sections 6 and 12).

use super::history::{At, Exec, History, principal};
use tradewind_domain::fixed::ONE;
use tradewind_domain::reference::Instrument;

/// An action on the positions of its moment.
pub(super) struct Action {
    pub(super) at: At,
    pub(super) instrument: usize,
    pub(super) terms: Terms,
}

/// What it pays.
pub(super) enum Terms {
    /// An amount a unit, of which a share is withheld.
    Dividend { per_unit: i128, withhold_bps: i128 },
    /// A share of the value at a price; who is long pays a rate above zero.
    Funding { px: i128, rate: i128 },
    /// What the position has gained since the last one.
    Margin { px: i128 },
}

impl History {
    /// What an account got and paid in a currency.
    pub(super) fn paid_by_actions(&self, account: u32, currency: u16) -> i128 {
        let in_currency = |&instrument: &usize| self.instruments[instrument].currency.0 == currency;
        (0..self.instruments.len())
            .filter(in_currency)
            .map(|instrument| self.payments(account, instrument) + self.margins(account, instrument))
            .sum()
    }

    fn payments(&self, account: u32, instrument: usize) -> i128 {
        let row = &self.instruments[instrument];
        let minor = minor(row);
        let of = |action: &Action| {
            let position = self.position_at(account, instrument, action.at);
            match action.terms {
                Terms::Dividend {
                    per_unit,
                    withhold_bps,
                } => {
                    let gross = half_up(position * per_unit, i128::from(ONE) * minor);
                    let withheld = half_up(gross.max(0) * withhold_bps, 10_000);
                    (gross - withheld) * minor
                }
                Terms::Funding { px, rate } => {
                    let (value, per) = exact_value(row, position, px);
                    -half_up(value * rate, per * i128::from(ONE) * minor) * minor
                }
                Terms::Margin { .. } => 0,
            }
        };
        self.actions_on(instrument).map(of).sum()
    }

    /// Each margin pays what the position is worth now, less what it was worth at the one before and what the trades since have cost.
    fn margins(&self, account: u32, instrument: usize) -> i128 {
        let sign = if self.instruments[instrument].is_inverse() {
            -1
        } else {
            1
        };
        let (mut paid, mut before, mut since) = (0, 0, 0);
        for (at, px) in self.margins_of(instrument) {
            let worth = self.worth_at(account, instrument, (at, px));
            paid += sign * (worth - before - self.cost(account, instrument, (since, at)));
            (before, since) = (worth, at);
        }
        paid
    }

    /// True where a margin that came now would concern an account: it has a position, or trades since the last one that have cost
    /// something.
    pub(super) fn has_part(&self, account: u32, instrument: usize) -> bool {
        let last = self.margins_of(instrument).last();
        let before = last.map_or(0, |last| self.worth_at(account, instrument, last));
        let since = last.map_or(0, |last| last.0);
        let unsettled = before + self.cost(account, instrument, (since, At::MAX));
        self.position_at(account, instrument, At::MAX) != 0 || unsettled != 0
    }

    /// When there was a margin, and at which price.
    fn margins_of(&self, instrument: usize) -> impl Iterator<Item = (At, i128)> {
        let of = |action: &Action| match action.terms {
            Terms::Margin { px } => Some((action.at, px)),
            _ => None,
        };
        self.actions_on(instrument).filter_map(of)
    }

    /// Signed money of the trades between two facts.
    fn cost(&self, account: u32, instrument: usize, (since, until): (At, At)) -> i128 {
        let row = &self.instruments[instrument];
        let of = |exec: &Exec| {
            let cost = principal(row, exec.qty, exec.px, false);
            if exec.side.is_buy() { cost } else { -cost }
        };
        let between = self
            .held(account, instrument, until)
            .filter(|exec| exec.at > since);
        between.map(of).sum()
    }

    fn position_at(&self, account: u32, instrument: usize, until: At) -> i128 {
        self.held(account, instrument, until).map(Exec::signed).sum()
    }

    /// Money of the position of a moment at a price.
    fn worth_at(&self, account: u32, instrument: usize, (at, px): (At, i128)) -> i128 {
        let row = &self.instruments[instrument];
        let (value, per) = exact_value(row, self.position_at(account, instrument, at), px);
        half_up(value, per * minor(row)) * minor(row)
    }

    fn actions_on(&self, instrument: usize) -> impl Iterator<Item = &Action> {
        let of = move |action: &&Action| action.instrument == instrument;
        self.actions.iter().filter(of)
    }

    /// Executions of an account before a fact, as they stand now.
    fn held(&self, account: u32, instrument: usize, until: At) -> impl Iterator<Item = &Exec> {
        self.execs.iter().filter(move |exec| {
            !exec.busted
                && exec.instrument == instrument
                && exec.at < until
                && self.is_below(exec.leaf, account)
        })
    }
}

/// The smallest amount of the instrument's currency, at 1e-8.
fn minor(row: &Instrument) -> i128 {
    10i128.pow(8 - u32::from(row.money_dp))
}

/// Money of a position at a price, as a fraction of 1e-8.
fn exact_value(row: &Instrument, position: i128, px: i128) -> (i128, i128) {
    let one = i128::from(ONE);
    let mult = i128::from(row.mult);
    if row.is_inverse() {
        return (position * mult, px);
    }
    assert_eq!(mult % one, 0, "multipliers here are whole");
    (position * px * (mult / one), one)
}

/// `amount / per`, halves away from zero.
fn half_up(amount: i128, per: i128) -> i128 {
    (2 * amount.abs() + per) / (2 * per) * amount.signum()
}
