//! Standard competition ranking: 1, 2, 2, 4 (ANALYTICS section 10).

use tradewind_domain::rounding::{Rounding, div_round};

/// Scores are compared at 1e-8.
const UNIT: i128 = 10_000_000_000;

/// One of those who are ranked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contender {
    /// Who; the order among equals.
    pub id: String,
    /// Score and tie-breaks at 1e-18, the first that differs decides, larger is better.
    pub keys: Vec<i128>,
}

/// A rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Who.
    pub id: String,
    /// Place, from 1; equals share one.
    pub rank: usize,
}

/// Ranks by score and tie-breaks, each rounded half even to eight decimals before it is compared. A key that is missing is below
/// every other.
pub fn rank(contenders: &[Contender]) -> Vec<Ranked> {
    let keys = |contender: &Contender| -> Vec<i128> {
        let rounded = contender
            .keys
            .iter()
            .map(|key| div_round(*key, UNIT, Rounding::HalfEven));
        rounded.map(Option::unwrap_or_default).collect()
    };
    let mut rows: Vec<(Vec<i128>, &str)> = contenders.iter().map(|c| (keys(c), c.id.as_str())).collect();
    rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let mut ranked: Vec<Ranked> = Vec::with_capacity(rows.len());
    for (at, (keys, id)) in rows.iter().enumerate() {
        let rank = match at.checked_sub(1) {
            Some(before) if rows[before].0 == *keys => ranked[before].rank,
            _ => at + 1,
        };
        ranked.push(Ranked {
            id: (*id).to_owned(),
            rank,
        });
    }
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i128 = 1_000_000_000_000_000_000;

    fn ranks(rows: &[(&str, i128, i128)]) -> Vec<(String, usize)> {
        let contenders: Vec<Contender> = rows
            .iter()
            .map(|(id, score, tie)| Contender {
                id: (*id).to_owned(),
                keys: vec![*score, *tie],
            })
            .collect();
        rank(&contenders)
            .into_iter()
            .map(|row| (row.id, row.rank))
            .collect()
    }

    #[test]
    fn equals_share_a_rank_and_the_next_one_is_counted_on() {
        let found = ranks(&[
            ("a", 10 * ONE, ONE),
            ("b", 12 * ONE, ONE),
            ("c", 10 * ONE, ONE),
            ("d", 10 * ONE, 2 * ONE),
            ("e", 9 * ONE, 0),
        ]);
        let expected = [("b", 1), ("d", 2), ("a", 3), ("c", 3), ("e", 5)];
        assert_eq!(found, expected.map(|(id, rank)| (id.to_owned(), rank)));
        assert!(ranks(&[]).is_empty());
    }

    #[test]
    fn scores_that_agree_to_eight_decimals_are_equal() {
        let found = ranks(&[
            ("b", ONE, 0),
            ("a", ONE + UNIT / 2, 0),
            ("c", ONE + UNIT / 2 + 1, 0),
        ]);
        let expected = [("c", 1), ("a", 2), ("b", 2)];
        assert_eq!(found, expected.map(|(id, rank)| (id.to_owned(), rank)));
    }
}
