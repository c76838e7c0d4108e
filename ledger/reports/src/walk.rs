//! Walks a journal once for one account: the replica as it was before each record, and the account's trading date.

use crate::error::ReportError;
use crate::model::{AsOf, Scope};
use crate::period::Period;
use std::path::Path;
use tradewind_domain::codes::Level;
use tradewind_domain::event::{Event, Kind, NodeSet, Timer, TimerKind};
use tradewind_domain::ids::{AccountId, CalendarId, CurrencyId};
use tradewind_domain::time::DayNumber;
use tradewind_views::{Names, Reader, Replica};

/// Takes what goes by. All calls are of records that belong to the journal up to the period's end.
pub(crate) trait Gather {
    /// A record that is about to be applied. `day` is the account's trading date; 0 before its calendar has rolled.
    fn before(&mut self, _event: &Event, _at: &At<'_>) {}

    /// A record that was applied, within the period.
    fn see(&mut self, event: &Event, at: &At<'_>) -> Result<(), ReportError>;

    /// The first trading date of the period is about to begin: figures up to here are opening figures.
    fn begin(&mut self, _at: &At<'_>) -> Result<(), ReportError> {
        Ok(())
    }

    /// A trading date of the period is over.
    fn end_of_day(&mut self, _at: &At<'_>) -> Result<(), ReportError> {
        Ok(())
    }
}

/// How things stand.
pub(crate) struct At<'a> {
    pub(crate) replica: &'a Replica,
    /// The account; none before it was set.
    pub(crate) account: AccountId,
    /// Its trading date.
    pub(crate) day: DayNumber,
}

impl<'a> At<'a> {
    pub(crate) fn names(&self) -> Names<'a> {
        Names(self.replica.registry())
    }
}

/// Where a walk ended.
pub(crate) struct Walked {
    pub(crate) replica: Replica,
    pub(crate) account: AccountId,
    pub(crate) as_of: AsOf,
    pub(crate) scope: Scope,
}

impl Walked {
    pub(crate) fn names(&self) -> Names<'_> {
        Names(self.replica.registry())
    }

    /// How things stood at the end.
    pub(crate) fn at(&self) -> At<'_> {
        At {
            replica: &self.replica,
            account: self.account,
            day: self.scope.to.unwrap_or(0),
        }
    }
}

struct Walk<'a> {
    code: &'a str,
    period: Period,
    account: AccountId,
    calendar: CalendarId,
    dates: [DayNumber; CalendarId::COUNT_MAX as usize],
    /// True once the period has begun.
    has_begun: bool,
    /// First trading date of the period that there was; 0 before one.
    first_day: DayNumber,
}

/// Walks the journal of a data folder up to the end of the period.
pub(crate) fn walk(
    data: &Path,
    code: &str,
    period: Period,
    gather: &mut dyn Gather,
) -> Result<Walked, ReportError> {
    let mut reader = Reader::open(data)?;
    let mut replica = reader.replica();
    let mut walk = Walk {
        code,
        period,
        account: AccountId::NONE,
        calendar: CalendarId::UTC,
        dates: [0; CalendarId::COUNT_MAX as usize],
        has_begun: false,
        first_day: 0,
    };
    let mut event = Event::empty();
    while reader.next_into(&mut event)?.is_some() {
        if walk.ends_before(&event) {
            break;
        }
        walk.step(&event, &mut replica, gather)?;
    }
    walk.finish(replica, gather)
}

impl Walk<'_> {
    fn day(&self) -> DayNumber {
        self.dates[self.calendar.index()]
    }

    fn is_within(&self) -> bool {
        self.period.contains(self.day())
    }

    /// True for the roll that ends the period.
    fn ends_before(&self, event: &Event) -> bool {
        roll_of(event).is_some_and(|(calendar, date)| calendar == self.calendar && self.period.is_over(date))
    }

    fn step(
        &mut self,
        event: &Event,
        replica: &mut Replica,
        gather: &mut dyn Gather,
    ) -> Result<(), ReportError> {
        if let Some((calendar, date)) = roll_of(event).filter(|(calendar, _)| *calendar == self.calendar) {
            if self.is_within() && self.day() != 0 {
                gather.end_of_day(&self.at(replica))?;
            }
            self.begin_if(date, replica, gather)?;
            self.dates[calendar.index()] = date;
        } else if let Some((calendar, date)) = roll_of(event) {
            self.dates[calendar.index()] = date;
        }
        gather.before(event, &self.at(replica));
        replica.apply(event)?;
        self.learn(event);
        if self.is_within() {
            self.begin_if(self.day(), replica, gather)?;
            gather.see(event, &self.at(replica))?;
        }
        Ok(())
    }

    /// Opens the period with its first date.
    fn begin_if(
        &mut self,
        date: DayNumber,
        replica: &Replica,
        gather: &mut dyn Gather,
    ) -> Result<(), ReportError> {
        if !self.period.contains(date) {
            return Ok(());
        }
        if self.first_day == 0 {
            self.first_day = date;
        }
        if !self.has_begun {
            self.has_begun = true;
            gather.begin(&self.at(replica))?;
        }
        Ok(())
    }

    fn learn(&mut self, event: &Event) {
        if event.is_rejected() || event.kind() != Some(Kind::AccountSet) {
            return;
        }
        let node: &NodeSet = event.body();
        if node.code.as_str() == self.code && node.level == Level::Account as u8 {
            (self.account, self.calendar) = (node.account, node.calendar);
        }
    }

    fn at<'r>(&self, replica: &'r Replica) -> At<'r> {
        At {
            replica,
            account: self.account,
            day: self.day(),
        }
    }

    fn finish(self, replica: Replica, gather: &mut dyn Gather) -> Result<Walked, ReportError> {
        if self.account.is_none() {
            return Err(ReportError::Account {
                account: self.code.to_owned(),
            });
        }
        if !self.has_begun {
            // The period lies after the journal's last date: nothing happened in it, and it opens as the journal ends.
            gather.begin(&self.at(&replica))?;
        }
        gather.end_of_day(&self.at(&replica))?;
        let last = replica.last();
        let known = |day: DayNumber| (day != 0).then_some(day);
        let scope = Scope {
            account: self.code.to_owned(),
            currency: currency_of(&replica, self.account),
            from: self.period.from.or(known(self.first_day)),
            to: self.period.to.or(known(self.day())),
        };
        Ok(Walked {
            account: self.account,
            as_of: AsOf {
                seq: last.seq,
                time_ns: last.recv_ns,
            },
            scope,
            replica,
        })
    }
}

/// The base currency of an account.
fn currency_of(replica: &Replica, account: AccountId) -> String {
    let row = replica.registry().account(account);
    let currency = row.map_or(CurrencyId::NONE, |row| row.currency);
    Names(replica.registry()).currency(currency)
}

/// The calendar that an accepted roll moves, and the date that begins.
fn roll_of(event: &Event) -> Option<(CalendarId, DayNumber)> {
    if event.kind() != Some(Kind::Timer) || event.is_rejected() {
        return None;
    }
    let timer: &Timer = event.body();
    let is_roll = timer.timer == TimerKind::DayRoll as u8
        && timer.calendar.index() < usize::from(CalendarId::COUNT_MAX);
    is_roll.then_some((timer.calendar, timer.date))
}
