//! Assessments: whether an attempt at a prop-firm evaluation is passed, failed or still open (ANALYTICS section 6).
//!
//! A pure evaluator: the attempt's rules at its start, then what happens to its account, one observation after another.
//!
//! # Invariants
//! - Of one observation hard violations come first (maximum loss, daily loss, product, risk per trade), then the pass, then the
//!   expiry. A violation together with a pass is a fail.
//! - A status that ended never changes, but for a [`Observation::Void`].
//! - Comparisons are exact: nothing is divided or rounded. Equity equal to a floor is no breach.
//!
//! Not here: the equity (it is observed), marks and their age (a stale figure is left out by saying so), closing positions after
//! a breach, and where verdicts are kept.

use tradewind_domain::fixed::Money;

/// Scale at which floors are compared: money at 1e-8 times a percentage at 1e-8, less the hundred of the percent.
const SCALE: i128 = 10_000_000_000;
/// The largest figure that is taken, at 1e-8: a hundred trillion.
pub const FIGURE_MAX: i128 = 10_000_000_000_000_000_000_000;
/// The largest percentage that is taken, at 1e-8: a thousand percent.
pub const PERCENT_MAX: i64 = 100_000_000_000;

/// A percentage at 1e-8: 5 % is 500,000,000.
pub type Percent = i64;

/// How the maximum loss follows profits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trailing {
    /// Not at all (L34).
    Static,
    /// Follows the balance at each roll (L35).
    EndOfDay {
        /// The floor rises no further than this.
        lock: Option<Money>,
    },
    /// Follows the equity at each observation (L35).
    Intraday {
        /// The floor rises no further than this.
        lock: Option<Money>,
    },
}

/// What an order that risks too much does (L32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RiskMode {
    /// It is refused by the limit check and nothing else happens.
    Prevent,
    /// It was accepted, and fails the attempt.
    Observe,
}

/// The rules of an attempt: those of the version in force at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssessmentRules {
    /// Balance at the start.
    pub initial: Money,
    /// Profit to reach, of `initial`.
    pub target_pct: Percent,
    /// Largest loss since the day's start, of `initial` (L33); `None` for no such rule.
    pub daily_loss_pct: Option<Percent>,
    /// Largest loss of all, of `initial`.
    pub max_loss_pct: Option<Percent>,
    /// How that follows profits.
    pub trailing: Trailing,
    /// Trading days that are needed.
    pub min_days: u32,
    /// Closed round trips that are needed.
    pub min_trades: u32,
    /// Trading dates after which it is over; `None` for no end.
    pub max_days: Option<u32>,
    /// The most that the best day may have of all profitable days' profit; `None` for no such rule.
    pub consistency_pct: Option<Percent>,
    /// The most that one trade may risk, of the equity.
    pub risk_per_trade: Option<(Percent, RiskMode)>,
}

/// What happens to an attempt's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// An opening trade was filled.
    Opened,
    /// Its figures.
    Figures(Figures),
    /// A trading day ends and the next begins.
    Roll,
    /// A product was traded that the rules do not allow.
    ForbiddenProduct,
    /// An accepted order risks this much.
    Risk(Money),
    /// The trader gives up.
    Withdraw,
    /// A technical fault: the verdict does not stand.
    Void,
}

/// Figures of an attempt's account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Balance and open profit, fees and swaps included; `None` where it is not known anew.
    pub equity: Option<Money>,
    /// Money without open profit; `None` where it is not known anew.
    pub balance: Option<Money>,
    /// True without positions and open orders.
    pub flat: bool,
    /// Closed round trips since the start; `None` where it is not known anew.
    pub trades: Option<u32>,
    /// The equity rests on a stale mark: it is not judged.
    pub stale: bool,
}

/// Where an attempt is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing happened yet.
    Created,
    /// Under way.
    Active,
    /// Reached.
    Passed,
    /// Broken, and by what.
    Failed(Reason),
    /// Out of time.
    Expired,
    /// Given up.
    Withdrawn,
    /// Taken back.
    Void,
}

impl Status {
    /// True where nothing follows.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Created | Self::Active)
    }

    /// The name in files and messages.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Active => "ACTIVE",
            Self::Passed => "PASSED",
            Self::Failed(_) => "FAILED",
            Self::Expired => "EXPIRED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Void => "VOID",
        }
    }
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Equity below the floor of the maximum loss.
    MaxLoss,
    /// Equity below the day's floor.
    DailyLoss,
    /// A product that is not allowed.
    Product,
    /// One trade that risked too much.
    RiskPerTrade,
}

impl Reason {
    /// The name in files and messages.
    pub const fn text(self) -> &'static str {
        match self {
            Self::MaxLoss => "MAX_LOSS",
            Self::DailyLoss => "DAILY_LOSS",
            Self::Product => "PRODUCT",
            Self::RiskPerTrade => "RISK_PER_TRADE",
        }
    }
}

/// A rule or figure that no attempt can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssessmentError {
    /// The initial balance.
    #[error("the initial balance must be above zero and at most a hundred trillion")]
    Initial,
    /// A percentage.
    #[error("a percentage must be from 0 to 1000")]
    Percent,
    /// A figure.
    #[error("a figure is beyond a hundred trillion")]
    Figure,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    rules: AssessmentRules,
    status: Status,
    /// Money at 1e-8.
    equity: i128,
    balance: i128,
    /// Balance at the day's start.
    day_start: i128,
    /// What the trailing floor follows.
    high: i128,
    flat: bool,
    trades: u32,
    trading_days: u32,
    opened_today: bool,
    dates: u32,
    best_day: i128,
    profits: i128,
}

impl Attempt {
    /// An attempt under these rules.
    pub fn new(rules: AssessmentRules) -> Result<Self, AssessmentError> {
        let initial = rules.initial.raw();
        if initial <= 0 || initial > FIGURE_MAX {
            return Err(AssessmentError::Initial);
        }
        let percents = [
            Some(rules.target_pct),
            rules.daily_loss_pct,
            rules.max_loss_pct,
            rules.consistency_pct,
            rules.risk_per_trade.map(|(percent, _)| percent),
        ];
        if percents
            .into_iter()
            .flatten()
            .any(|percent| !(0..=PERCENT_MAX).contains(&percent))
        {
            return Err(AssessmentError::Percent);
        }
        if let Trailing::EndOfDay { lock: Some(lock) } | Trailing::Intraday { lock: Some(lock) } =
            rules.trailing
        {
            figure(lock)?;
        }
        Ok(Self {
            rules,
            status: Status::Created,
            equity: initial,
            balance: initial,
            day_start: initial,
            high: initial,
            flat: true,
            trades: 0,
            trading_days: 0,
            opened_today: false,
            dates: 1,
            best_day: 0,
            profits: 0,
        })
    }

    /// Where it is.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Trading dates on which a position was opened.
    pub fn trading_days(&self) -> u32 {
        self.trading_days
    }

    /// Takes the next observation and says where it is after that. A figure out of range changes nothing.
    pub fn observe(&mut self, observation: &Observation) -> Result<Status, AssessmentError> {
        if *observation == Observation::Void {
            self.status = Status::Void;
        }
        if self.status.is_over() {
            return Ok(self.status);
        }
        let violation = self.take(observation)?;
        self.status = match observation {
            Observation::Withdraw => Status::Withdrawn,
            Observation::Figures(Figures { stale: true, .. }) => Status::Active,
            _ => self.judge(violation),
        };
        Ok(self.status)
    }

    /// Learns what is observed. Returns what it breaks by itself.
    fn take(&mut self, observation: &Observation) -> Result<Option<Reason>, AssessmentError> {
        match observation {
            Observation::Opened => {
                self.flat = false;
                self.trading_days += u32::from(!self.opened_today);
                self.opened_today = true;
            }
            Observation::Figures(figures) => self.take_figures(figures)?,
            Observation::Roll => self.roll(),
            Observation::ForbiddenProduct => return Ok(Some(Reason::Product)),
            Observation::Risk(risk) => return Ok(self.risks_too_much(figure(*risk)?)),
            Observation::Withdraw | Observation::Void => {}
        }
        Ok(None)
    }

    fn take_figures(&mut self, figures: &Figures) -> Result<(), AssessmentError> {
        let equity = figures.equity.map(figure).transpose()?;
        let balance = figures.balance.map(figure).transpose()?;
        self.balance = balance.unwrap_or(self.balance);
        self.flat = figures.flat;
        self.trades = figures.trades.unwrap_or(self.trades);
        if figures.stale {
            return Ok(());
        }
        self.equity = equity.unwrap_or(self.equity);
        if matches!(self.rules.trailing, Trailing::Intraday { .. }) {
            self.high = self.high.max(self.equity);
        }
        Ok(())
    }

    fn roll(&mut self) {
        (self.best_day, self.profits) = self.days_with_today();
        self.day_start = self.balance;
        self.opened_today = false;
        self.dates = self.dates.saturating_add(1);
        if matches!(self.rules.trailing, Trailing::EndOfDay { .. }) {
            self.high = self.high.max(self.balance);
        }
    }

    /// Profit of the best day, and of all profitable days together.
    fn days_with_today(&self) -> (i128, i128) {
        let today = (self.balance - self.day_start).max(0);
        (self.best_day.max(today), self.profits.saturating_add(today))
    }

    fn risks_too_much(&self, risk: i128) -> Option<Reason> {
        let (percent, mode) = self.rules.risk_per_trade?;
        let exceeds = risk * SCALE > self.equity * i128::from(percent);
        (exceeds && mode == RiskMode::Observe).then_some(Reason::RiskPerTrade)
    }

    fn judge(&self, violation: Option<Reason>) -> Status {
        let of_losses = self.breaks_max_loss().or(self.breaks_daily_loss());
        if let Some(reason) = of_losses.or(violation) {
            return Status::Failed(reason);
        }
        if self.is_reached() {
            return Status::Passed;
        }
        match self.rules.max_days {
            Some(max_days) if self.dates > max_days => Status::Expired,
            _ => Status::Active,
        }
    }

    /// A share of the initial balance, at the scale of comparisons.
    fn share(&self, percent: Percent) -> i128 {
        self.rules.initial.raw() * i128::from(percent)
    }

    fn breaks_max_loss(&self) -> Option<Reason> {
        let distance = self.share(self.rules.max_loss_pct?);
        let floor = self.high * SCALE - distance;
        let floor = match self.rules.trailing {
            Trailing::EndOfDay { lock: Some(lock) } | Trailing::Intraday { lock: Some(lock) } => {
                floor.min(lock.raw() * SCALE)
            }
            _ => floor,
        };
        (self.equity * SCALE < floor).then_some(Reason::MaxLoss)
    }

    fn breaks_daily_loss(&self) -> Option<Reason> {
        let floor = self.day_start * SCALE - self.share(self.rules.daily_loss_pct?);
        (self.equity * SCALE < floor).then_some(Reason::DailyLoss)
    }

    fn is_reached(&self) -> bool {
        let profit = self.balance - self.rules.initial.raw();
        self.flat
            && profit * SCALE >= self.share(self.rules.target_pct)
            && self.trading_days >= self.rules.min_days
            && self.trades >= self.rules.min_trades
            && self.is_consistent()
    }

    fn is_consistent(&self) -> bool {
        let Some(percent) = self.rules.consistency_pct else {
            return true;
        };
        let (best, profits) = self.days_with_today();
        best.saturating_mul(SCALE) <= profits.saturating_mul(i128::from(percent))
    }
}

fn figure(money: Money) -> Result<i128, AssessmentError> {
    if money.raw().unsigned_abs() > FIGURE_MAX.unsigned_abs() {
        return Err(AssessmentError::Figure);
    }
    Ok(money.raw())
}

#[cfg(test)]
mod tests;
