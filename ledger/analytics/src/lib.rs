//! Analytics: figures about a series of returns, of equity or of profit, the wash-sale rule, and the netting of a year's gains and losses.
//!
//! Pure functions and small states that grow by one observation. Nothing here knows a journal, an account or a file.
//!
//! # Invariants
//! - What is undefined is `None`: no figure is ever NaN, infinite, or zero in place of nothing.
//! - Money is an integer and stays one. Returns, shares of money and linked returns are exact to [`Figure`]'s 18 decimals;
//!   floats are used for deviations, ratios, beta and the money-weighted return alone.
//! - The same input gives the same output, whatever the number of threads and their order.
//!
//! Not here: where returns come from (an equity curve is made by whoever reads a journal), correlated price paths, and tax rates.

mod bootstrap;
mod drawdown;
mod figure;
mod netting;
mod rank;
mod ratios;
mod returns;
mod rng;
mod scenario;
mod statistics;
mod wash;
mod xirr;

pub use bootstrap::{Bootstrap, Paths};
pub use drawdown::{Deepest, Drawdown, max_drawdown};
pub use figure::{FIGURE_ONE, Figure};
pub use netting::{ByTerm, Netted, netted};
pub use rank::{Contender, Ranked, rank};
pub use ratios::{BETA_POINTS_MIN, RatioInput, Ratios, alpha, beta, calmar, ratios};
pub use returns::{DatedFlow, cagr, modified_dietz, period_rate, time_weighted};
pub use rng::SplitMix64;
pub use scenario::{TailRisk, tail_risk};
pub use statistics::{TradeStatistics, trade_statistics};
pub use wash::{Acquisition, LossSale, Match, Replacements, WINDOW_DAYS, WashOutcome, wash_sales};
pub use xirr::xirr;
