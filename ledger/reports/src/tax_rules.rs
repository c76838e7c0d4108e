//! What the journal cannot know of tax: which instruments are substantially identical, and which accounts are for retirement.
//!
//! A TOML file of the firm's, refused as a whole where something in it is not sound. What it names must be in the journal that a report is
//! made from: a misspelt symbol would let a loss pass.

use serde::Deserialize;
use std::collections::BTreeSet;

/// Bytes of a file at most.
pub const TAX_FILE_MAX: u64 = 1 << 20;

/// The file. Without one an instrument is identical to itself alone and no account is for retirement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxRules {
    /// Accounts in which a purchase takes the loss away for good, by code.
    #[serde(default)]
    pub(crate) retirement: Vec<String>,
    /// True where the wash-sale rule binds coins as well as shares.
    #[serde(default)]
    pub(crate) coins: bool,
    /// Groups of instruments that are substantially identical.
    #[serde(default)]
    pub(crate) identical: Vec<IdentityGroup>,
}

/// Instruments of which a purchase of one replaces a sale of another, share for share.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityGroup {
    /// What people call it.
    pub(crate) name: String,
    /// Its instruments.
    pub(crate) symbols: Vec<String>,
}

impl TaxRules {
    /// Reads a file's text. What is wrong with it names its line or its group.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rules: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let (mut names, mut symbols, mut accounts) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for group in &rules.identical {
            let name = &group.name;
            if name.is_empty() || !names.insert(name) {
                return Err(format!("group {name:?}: a group has a name of its own"));
            }
            if group.symbols.len() < 2 {
                return Err(format!(
                    "group {name:?}: it takes two instruments to be identical"
                ));
            }
            if let Some(twice) = group.symbols.iter().find(|symbol| !symbols.insert(*symbol)) {
                return Err(format!("group {name:?}: {twice} stands in a group already"));
            }
        }
        match rules.retirement.iter().find(|account| !accounts.insert(*account)) {
            Some(twice) => Err(format!("retirement: {twice} stands there twice")),
            None => Ok(rules),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "retirement = [\"IRA\"]\n[[identical]]\nname = \"ALPHA\"\nsymbols = [\"ALFA\", \"ALFB\"]\n";

    #[test]
    fn a_file_names_groups_and_accounts() {
        let rules = TaxRules::parse(FILE).expect("a sound file");
        assert_eq!((rules.retirement.len(), rules.coins), (1, false));
        assert_eq!(rules.identical[0].symbols, ["ALFA", "ALFB"]);
        assert_eq!(TaxRules::parse(""), Ok(TaxRules::default()));
    }

    #[test]
    fn what_is_not_sound_is_refused_by_name() {
        let problem = |text: &str| TaxRules::parse(text).expect_err("a problem");
        assert!(problem("retired = []").contains("unknown field `retired`"));
        let alone = FILE.replace(", \"ALFB\"", "");
        assert_eq!(
            problem(&alone),
            "group \"ALPHA\": it takes two instruments to be identical"
        );
        let twice = format!("{FILE}[[identical]]\nname = \"BETA\"\nsymbols = [\"BETA\", \"ALFB\"]\n");
        assert_eq!(problem(&twice), "group \"BETA\": ALFB stands in a group already");
        let same = format!("{FILE}[[identical]]\nname = \"ALPHA\"\nsymbols = [\"X\", \"Y\"]\n");
        assert_eq!(problem(&same), "group \"ALPHA\": a group has a name of its own");
        let accounts = FILE.replace("[\"IRA\"]", "[\"IRA\", \"IRA\"]");
        assert_eq!(problem(&accounts), "retirement: IRA stands there twice");
    }
}
