//! Statistics of closed round trips (ANALYTICS section 1).

use crate::figure::Figure;
use tradewind_domain::fixed::Money;

/// What closed trades say. Trades that ended with nothing count for neither side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TradeStatistics {
    /// Trades with a profit.
    pub wins: u64,
    /// Trades with a loss.
    pub losses: u64,
    /// All of them, those that ended with nothing included.
    pub count: u64,
    /// Sum of profits.
    pub gross_win: Money,
    /// Sum of losses, as a positive amount.
    pub gross_loss: Money,
    /// Wins by wins and losses.
    pub win_rate: Option<Figure>,
    /// Gross win by gross loss.
    pub profit_factor: Option<Figure>,
    /// Mean profit of a trade, in units of money.
    pub expectancy: Option<Figure>,
    /// Mean win by mean loss.
    pub payoff: Option<Figure>,
}

/// The statistics of these results. `None` where a sum does not fit.
pub fn trade_statistics(results: impl IntoIterator<Item = Money>) -> Option<TradeStatistics> {
    let mut found = TradeStatistics::default();
    for result in results {
        found.count += 1;
        if result.raw() > 0 {
            found.wins += 1;
            found.gross_win = found.gross_win.checked_add(result)?;
        } else if result.is_negative() {
            found.losses += 1;
            found.gross_loss = found.gross_loss.checked_sub(result)?;
        }
    }
    let (win, loss) = (found.gross_win.raw(), found.gross_loss.raw());
    let (wins, losses) = (i128::from(found.wins), i128::from(found.losses));
    found.win_rate = Figure::of(wins, wins + losses);
    found.profit_factor = Figure::of(win, loss);
    let unit = i128::from(tradewind_domain::fixed::ONE);
    found.expectancy = Figure::of(win - loss, i128::from(found.count).checked_mul(unit)?);
    found.payoff = match (win.checked_mul(losses), loss.checked_mul(wins)) {
        (Some(win), Some(loss)) => Figure::of(win, loss),
        _ => None,
    };
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(units: &[i128]) -> TradeStatistics {
        trade_statistics(units.iter().map(|u| Money::from_raw(u * 100_000_000))).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_comes_out() {
        let found = of(&[300, -100, 200, -100, 0]);
        let text = |figure: Option<Figure>| figure.unwrap().to_string();
        assert_eq!(text(found.win_rate), "0.5");
        assert_eq!(text(found.profit_factor), "2.5");
        assert_eq!(text(found.expectancy), "60");
        assert_eq!(text(found.payoff), "2.5");
        assert_eq!((found.wins, found.losses, found.count), (2, 2, 5));
    }

    #[test]
    fn without_losses_or_trades_there_is_nothing_to_divide_by() {
        let found = of(&[10, 0]);
        assert_eq!((found.profit_factor, found.payoff), (None, None));
        assert_eq!(found.win_rate, Some(Figure::ONE));
        assert_eq!((of(&[]).expectancy, of(&[0]).win_rate), (None, None));
        assert_eq!(trade_statistics([Money::MAX, Money::MAX]), None);
    }
}
