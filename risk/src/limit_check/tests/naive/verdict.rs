//! What the model says to an order, a payment, a valuation and an execution: refusals in the official order, warnings, alerts, states
//! (LIMITS sections 4, 5, 7, 9 and 14).

use super::history::{History, Price, Standing, state_of};
use super::limits::Found;
use super::look::binds;
use super::price::Ask;
use tradewind_domain::codes::{OrderState, OrderType};
use tradewind_domain::event::LimitSet;
use tradewind_domain::fixed::ONE;
use tradewind_domain::ids::LimitId;
use tradewind_domain::reject::RejectCode;

/// One thing that speaks: its place in the order of reasons, and who says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    priority: u8,
    level: u8,
    code: &'static str,
    label: String,
    pub(super) limit: Option<u32>,
}

impl Said {
    pub(super) fn plain(code: RejectCode) -> Self {
        Self {
            priority: code.priority(),
            level: 0,
            code: code.text(),
            label: String::new(),
            limit: None,
        }
    }

    /// What a record says of it.
    pub(super) fn shown(&self) -> (Option<u32>, &'static str) {
        (self.limit, self.code)
    }
}

/// The model's answer to an order.
#[derive(Default, Debug)]
pub(super) struct Answer {
    pub(super) refused: Vec<Said>,
    pub(super) warned: Vec<Said>,
    pub(super) alerted: Vec<Said>,
    pub(super) price: Option<Price>,
    pub(super) held: bool,
}

impl Answer {
    pub(super) fn code(&self) -> &'static str {
        self.refused.first().map_or("OK", |said| said.code)
    }
}

/// Types that are asked before an order is priced, and those that ask for its instrument.
const GATES: [u8; 8] = [6, 7, 8, 9, 10, 11, 12, 36];
/// Types that executions are compared with (section 9).
const POST_TRADE: [u8; 13] = [18, 19, 104, 21, 22, 23, 24, 25, 26, 27, 28, 30, 31];
/// Types that warn: on each order (L02), once a day, once a day and instrument.
const WARN_EACH: [u8; 1] = [2];
const WARN_DAILY: [u8; 13] = [16, 17, 18, 19, 20, 23, 24, 25, 26, 28, 29, 30, 31];
const WARN_PER_SYMBOL: [u8; 4] = [104, 21, 22, 27];

impl History {
    /// Everything that speaks about an order, in the official order.
    pub(super) fn answer(&self, ask: &Ask<'_>, plain: &[RejectCode]) -> Answer {
        let mut answer = Answer::default();
        plain
            .iter()
            .for_each(|&code| answer.refused.push(Said::plain(code)));
        self.ask_states(ask, &mut answer);
        self.ask_emergency(ask, &mut answer);
        self.ask_limits(ask, None, &mut answer);
        self.ask_defaults(ask, &mut answer);
        let is_usable = !plain
            .iter()
            .any(|code| matches!(code, RejectCode::InvalidQty | RejectCode::InvalidPrice));
        if is_usable {
            match self.price(ask) {
                None => answer.refused.push(Said::plain(RejectCode::NoReferencePrice)),
                Some(price) => {
                    self.ask_limits(ask, Some(&price), &mut answer);
                    self.ask_emergency_amounts(ask, &price, &mut answer);
                    answer.price = Some(price);
                }
            }
        }
        answer.refused.sort();
        answer.held = answer.refused.is_empty() && ask.is_new && self.has_to_wait(ask);
        if !answer.refused.is_empty() {
            (answer.warned, answer.alerted) = (Vec::new(), Vec::new());
        }
        answer
    }

    /// Section 7, and L13's strategies that are out of play.
    fn ask_states(&self, ask: &Ask<'_>, answer: &mut Answer) {
        let chain = self.chain(ask.leaf);
        let of_instrument = self
            .controls
            .iter()
            .rev()
            .find(|control| control.instrument == Some(ask.instrument));
        let states = chain.iter().map(|&node| self.node_state(node));
        let state = states
            .chain(of_instrument.map(|control| control.state))
            .max()
            .unwrap_or(0);
        if state >= 2 {
            answer.refused.push(Said::plain(RejectCode::TradingHalted));
        } else if state == 1 && !self.reduces(ask) {
            answer.refused.push(Said::plain(RejectCode::ReduceOnly));
        }
        for node in chain {
            if let Some(limit) = self.disabled_by(node) {
                let code = RejectCode::StrategyDisabled;
                answer.refused.push(self.said(limit, code, code.priority()));
            }
        }
    }

    /// Session, halts and stale stamps hold without a limit too; where one has said so it is said once.
    fn ask_defaults(&self, ask: &Ask<'_>, answer: &mut Answer) {
        let said =
            |answer: &Answer, code: RejectCode| answer.refused.iter().any(|said| said.code == code.text());
        if self.is_halted(ask.instrument) && !said(answer, RejectCode::MarketClosed) {
            answer.refused.push(Said::plain(RejectCode::MarketClosed));
        }
        let (now, origin) = (self.now_ns, ask.origin_ns);
        let stale = now.saturating_sub(origin) > 2_000_000_000 || origin > now + 1_000_000_000;
        if ask.is_new && origin != 0 && stale && !said(answer, RejectCode::StaleOrder) {
            answer.refused.push(Said::plain(RejectCode::StaleOrder));
        }
    }

    fn said(&self, limit: u32, code: RejectCode, priority: u8) -> Said {
        let set = self
            .limits
            .iter()
            .rev()
            .find(|(_, set)| set.limit.0 == limit)
            .unwrap()
            .1;
        Said {
            priority,
            level: self.nodes[set.node.index()].level,
            code: code.text(),
            label: String::from_utf8_lossy(set.label.as_bytes()).into_owned(),
            limit: Some(limit),
        }
    }

    /// The gates of the chain, or with a price the other limits.
    fn ask_limits(&self, ask: &Ask<'_>, price: Option<&Price>, answer: &mut Answer) {
        let chain = self.chain(ask.leaf);
        for set in self.in_force() {
            let is_gate = GATES.contains(&set.limit_type);
            if is_gate == price.is_some() || !chain.contains(&set.node.0) {
                continue;
            }
            let Some(found) = self.measure(&set, ask, price).filter(|found| found.grows) else {
                continue;
            };
            let said = self.said(set.limit.0, found.code, found.priority);
            match (found.used > found.limit, set.action) {
                (true, 1) => answer.alerted.push(said),
                (true, _) => answer.refused.push(said),
                (false, _) if self.warns(&set, ask.instrument, &found) => answer.warned.push(said),
                _ => {}
            }
        }
    }

    /// Section 4: `used * 100 >= limit * soft_pct`, once a trading day and limit, per symbol where the limit is.
    fn warns(&self, set: &LimitSet, instrument: usize, found: &Found) -> bool {
        let near = set.soft_pct != 0
            && found.used.saturating_mul(100) >= found.limit.saturating_mul(i128::from(set.soft_pct));
        let each = WARN_EACH.contains(&set.limit_type);
        let edge = WARN_DAILY.contains(&set.limit_type) || WARN_PER_SYMBOL.contains(&set.limit_type);
        let key = self.warning(set, instrument);
        found.warns || near && (each || edge && !self.warnings.contains(&key))
    }

    /// What is remembered of a warning.
    pub(super) fn warning(&self, set: &LimitSet, instrument: usize) -> (u32, Option<usize>, u32) {
        let per_symbol = WARN_PER_SYMBOL.contains(&set.limit_type);
        (
            set.limit.0,
            per_symbol.then_some(instrument),
            self.date_of(set.node.0),
        )
    }

    /// The emergency limits of a chain while the entitlement source is down, and since when it is (section 7).
    fn emergencies(&self, ask: &Ask<'_>) -> (Vec<LimitSet>, u64) {
        let mut down = None;
        for &(ns, up) in &self.sources {
            down = if up { None } else { down.or(Some(ns)) };
        }
        let chain = self.chain(ask.leaf);
        let mut limits = self.in_force();
        limits.retain(|set| set.limit_type == 36 && chain.contains(&set.node.0) && down.is_some());
        (limits, down.unwrap_or(0))
    }

    fn ask_emergency(&self, ask: &Ask<'_>, answer: &mut Answer) {
        let (limits, since) = self.emergencies(ask);
        let action = if ask.old.is_some() { 4 } else { 1 };
        let is_over = |set: &LimitSet| self.now_ns - since >= set.params[1] as u64 * 1_000_000_000;
        if limits.iter().any(is_over) {
            answer.refused.push(Said::plain(RejectCode::EmergencyExpired));
        } else if limits.iter().any(|set| set.params[2] & action == 0) {
            answer.refused.push(Said::plain(RejectCode::EmergencyAction));
        }
    }

    /// The single trade, and the user's existing daily counter.
    fn ask_emergency_amounts(&self, ask: &Ask<'_>, price: &Price, answer: &mut Answer) {
        let (limits, _) = self.emergencies(ask);
        let single = |set: &LimitSet| i128::from(set.params[0]) * i128::from(ONE);
        if limits.iter().any(|set| price.order_value > single(set)) {
            answer.refused.push(Said::plain(RejectCode::EmergencySingleLimit));
        }
        let added = price.value - ask.old_value();
        let exceeds = |set: &LimitSet| added > 0 && self.used_today(set, ask.leaf) + added > set.hard;
        if limits.iter().any(exceeds) {
            answer.refused.push(Said::plain(RejectCode::EmergencyDailyLimit));
        }
    }

    /// What the user of a leaf has executed today and has open.
    fn used_today(&self, set: &LimitSet, leaf: u32) -> i128 {
        let is_user = |node: &u32| i64::from(self.nodes[*node as usize].level) >= set.params[3];
        let user = self.chain(leaf).into_iter().find(is_user).unwrap();
        let open = self
            .open()
            .filter(|(_, order, _)| self.is_below(order.asked.leaf.0, user));
        let reserved: i128 = open.map(|(_, _, now)| now.reserved_value()).sum();
        let of_today = |exec: &&super::history::Exec| {
            !exec.busted && self.is_below(exec.leaf, user) && self.is_today(user, exec.at)
        };
        reserved
            + self
                .execs
                .iter()
                .filter(of_today)
                .map(|exec| exec.value)
                .sum::<i128>()
    }

    /// Section 7, the reduce test, at the account, with the old order left out.
    pub(super) fn reduces(&self, ask: &Ask<'_>) -> bool {
        let account = self.account_of(ask.leaf);
        let (position, is_buy) = (self.position(account, ask.instrument), ask.side.is_buy());
        let open = self.open_qty(account, ask.instrument, is_buy) - ask.old_qty() + ask.leaves;
        if is_buy {
            position < 0 && open <= -position
        } else {
            position > 0 && open <= position
        }
    }

    /// L15 by scanning the open orders: true where one below the node would trade with the order.
    pub(super) fn crosses(&self, node: u32, ask: &Ask<'_>) -> bool {
        let is_buy = ask.side.is_buy();
        let Some(px) = reach(ask.ord_type, is_buy, ask.px).filter(|_| ask.leaves > 0) else {
            return false;
        };
        let further = |now: &Standing| {
            if is_buy {
                px > i128::from(now.px)
            } else {
                px < i128::from(now.px)
            }
        };
        if ask.old.as_ref().is_some_and(|(_, now)| !further(now)) {
            return false;
        }
        self.open().any(|(_, order, now)| {
            let against = order.is_buy() != is_buy
                && order.asked.instrument.index() == ask.instrument
                && self.is_below(order.asked.leaf.0, node);
            let waits = order.ord_type() == OrderType::Market && now.state != OrderState::Held;
            let px_of = |px: i64| reach(order.ord_type(), order.is_buy(), px).filter(|_| !waits);
            let stands = [Some(now.px), now.pending.map(|new| new.px)]
                .into_iter()
                .flatten()
                .filter_map(px_of);
            let meets = |other: i128| if is_buy { other <= px } else { other >= px };
            against && stands.into_iter().any(meets)
        })
    }

    fn has_to_wait(&self, ask: &Ask<'_>) -> bool {
        let chain = self.chain(ask.leaf);
        self.in_force().iter().any(|set| {
            (set.limit_type, set.params[0]) == (15, 1)
                && set.action != 1
                && chain.contains(&set.node.0)
                && binds(self, set, ask.instrument)
                && self.crosses(set.node.0, ask)
        })
    }

    /// Limits that an execution leaves in breach: those that one unit more on its side would press further (section 9).
    pub(super) fn audit(
        &self,
        leaf: u32,
        instrument: usize,
        side: tradewind_domain::codes::Side,
    ) -> Vec<u32> {
        let ask = |qty: i128| Ask {
            leaf,
            instrument,
            side,
            ord_type: OrderType::Limit,
            qty,
            leaves: qty,
            px: 0,
            stop_px: 0,
            stop_loss_px: 0,
            origin_ns: 0,
            old: None,
            is_new: false,
        };
        let smallest = Price {
            value: 1,
            order_value: 1,
            ..Price::default()
        };
        let chain = self.chain(leaf);
        let in_breach = |set: &LimitSet| {
            let pressed = self
                .measure(set, &ask(1), Some(&smallest))
                .is_some_and(|found| found.grows);
            let stands = self.measure(set, &ask(0), Some(&Price::default()));
            pressed && stands.is_some_and(|found| found.used > found.limit)
        };
        let watches = |set: &&LimitSet| POST_TRADE.contains(&set.limit_type) && chain.contains(&set.node.0);
        let limits = self.in_force();
        let mut found: Vec<u32> = limits
            .iter()
            .filter(watches)
            .filter(|set| in_breach(set))
            .map(|set| set.limit.0)
            .collect();
        found.sort_unstable();
        found
    }

    /// L13: limits whose count of executions an execution now has reached.
    pub(super) fn repeated(&self, leaf: u32) -> Vec<u32> {
        let chain = self.chain(leaf);
        let reached = |set: &LimitSet| {
            let rearmed = self
                .controls
                .iter()
                .rev()
                .find(|control| control.node == Some(set.node.0) && control.rearms);
            // A limit that is set in the middle of its window begins to count then.
            let since = rearmed
                .map_or(0, |control| control.at)
                .max(self.set_at(set.limit));
            let counts = |exec: &&super::history::Exec| {
                exec.at > since
                    && self.is_below(exec.leaf, set.node.0)
                    && self.now_ns - exec.ns < set.params[0] as u64 * 1_000_000
            };
            self.execs.iter().filter(counts).count() as i128 >= set.hard
        };
        let limits = self.in_force();
        let mine = limits
            .iter()
            .filter(|set| set.limit_type == 13 && chain.contains(&set.node.0));
        mine.filter(|set| reached(set)).map(|set| set.limit.0).collect()
    }

    /// True for a limit whose action changes a state.
    pub(super) fn acts_on_a_state(&self, limit: u32) -> bool {
        self.limit(limit).is_some_and(|set| state_of(&set).is_some())
    }

    /// Limits among those that refused whose action changes a state that does not stand yet.
    pub(super) fn tripped_by(&self, refused: &[Said]) -> Vec<u32> {
        let acts = |&limit: &u32| !self.has_tripped(limit) && self.acts_on_a_state(limit);
        let mut trips: Vec<u32> = refused
            .iter()
            .filter_map(|said| said.limit)
            .filter(acts)
            .collect();
        trips.sort_unstable();
        trips.dedup();
        trips
    }
}

/// The price up to which an order trades; none for one that waits for its trigger.
fn reach(ord_type: OrderType, is_buy: bool, px: i64) -> Option<i128> {
    match ord_type {
        OrderType::Limit => Some(i128::from(px)),
        OrderType::Market => Some(if is_buy { i128::MAX } else { i128::MIN }),
        OrderType::Stop | OrderType::StopLimit => None,
    }
}

impl History {
    /// Rates in force on a chain that a message uses a token of: all but those that refused it themselves (section 5).
    pub(super) fn tokens(&self, leaf: u32, is_order: bool, refused: &[Said]) -> Vec<(u32, bool)> {
        let chain = self.chain(leaf);
        let counts = |set: &&LimitSet| {
            let is_rate = set.limit_type == 12 || is_order && set.limit_type == 11;
            let spoke = refused.iter().any(|said| said.limit == Some(set.limit.0));
            is_rate && chain.contains(&set.node.0) && !spoke
        };
        let limits = self.in_force();
        let token = |set: &LimitSet| (set.limit.0, self.is_slow(set.node.0));
        limits.iter().filter(counts).map(token).collect()
    }

    /// The order with an id.
    pub(super) fn order(&self, id: u64) -> Option<usize> {
        self.orders.iter().position(|order| order.id == id)
    }

    pub(super) fn standing(&self, order: usize) -> Standing {
        let order = &self.orders[order];
        order.standing(&self.instruments[order.asked.instrument.index()])
    }
}

/// A hit's limit, for comparing.
pub(super) fn named(limit: LimitId) -> Option<u32> {
    (!limit.is_none()).then_some(limit.0)
}
