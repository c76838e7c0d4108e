//! Which instruments the wash-sale rule takes for one, and in which accounts it takes a loss away for good.

use crate::error::ReportError;
use crate::tax_rules::TaxRules;
use crate::walk::Walked;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::codes::InstrumentKind;
use tradewind_domain::ids::{AccountId, InstrumentId};
use tradewind_domain::text::Text;

/// The firm's rules, as the journal's rows.
pub(super) struct Identity {
    groups: Vec<BTreeSet<InstrumentId>>,
    /// Index of an instrument's group.
    group_of: BTreeMap<InstrumentId, usize>,
    retirement: BTreeSet<AccountId>,
    coins: bool,
}

impl Identity {
    pub(super) fn of(rules: &TaxRules, walked: &Walked) -> Result<Self, ReportError> {
        let registry = walked.replica.registry();
        let unknown = |what, name: &str| ReportError::TaxRules {
            what,
            name: name.to_owned(),
        };
        let mut identity = Self {
            groups: Vec::new(),
            group_of: BTreeMap::new(),
            retirement: BTreeSet::new(),
            coins: rules.coins,
        };
        for (index, group) in rules.identical.iter().enumerate() {
            let mut members = BTreeSet::new();
            let mut currency = None;
            for name in &group.symbols {
                let row = Text::new(name)
                    .ok()
                    .and_then(|name| registry.instrument_named(&name));
                let row = row.ok_or_else(|| unknown("instrument", name))?;
                if *currency.get_or_insert(row.currency) != row.currency {
                    return Err(ReportError::IdentityCurrencies {
                        group: group.name.clone(),
                    });
                }
                if !is_share(row.kind) && !is_coin(row.kind) {
                    return Err(ReportError::IdentityKind {
                        group: group.name.clone(),
                        symbol: name.clone(),
                    });
                }
                members.insert(row.id);
                identity.group_of.insert(row.id, index);
            }
            identity.groups.push(members);
        }
        for name in &rules.retirement {
            let row = Text::new(name).ok().and_then(|name| registry.node_named(&name));
            let account = row.map(|row| row.account).filter(|account| !account.is_none());
            identity
                .retirement
                .insert(account.ok_or_else(|| unknown("account", name))?);
        }
        Ok(identity)
    }

    /// Groups of more than one instrument.
    pub(super) fn groups(&self) -> impl Iterator<Item = &BTreeSet<InstrumentId>> {
        self.groups.iter()
    }

    /// Everything that is identical to an instrument, itself first among equals by number.
    pub(super) fn members(&self, instrument: InstrumentId) -> BTreeSet<InstrumentId> {
        match self.group_of.get(&instrument) {
            Some(group) => self.groups[*group].clone(), // indices are those of `groups`
            None => BTreeSet::from([instrument]),
        }
    }

    /// The instrument that stands for all that are identical.
    pub(super) fn one_of(&self, instrument: InstrumentId) -> InstrumentId {
        let group = self.group_of.get(&instrument);
        let first = group.and_then(|group| self.groups[*group].first());
        first.copied().unwrap_or(instrument)
    }

    /// True for an account whose purchases take a loss away, and whose own losses are none for tax.
    pub(super) fn is_retirement(&self, account: AccountId) -> bool {
        self.retirement.contains(&account)
    }

    /// True where the rule binds: securities, and coins where the firm says so. A contract is neither.
    pub(super) fn binds(&self, walked: &Walked, instrument: InstrumentId) -> bool {
        let row = walked.replica.registry().instrument(instrument);
        row.is_some_and(|row| is_share(row.kind) || self.coins && is_coin(row.kind))
    }
}

const fn is_share(kind: u8) -> bool {
    kind == InstrumentKind::Equity as u8
}

const fn is_coin(kind: u8) -> bool {
    kind == InstrumentKind::Crypto as u8
}
