//! The nearest known name to a misspelt one.

/// The known name with the smallest edit distance to `name`, where it is near enough to be a misspelling: at most a
/// third of its length, or one edit for short names.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let (distance, best) = known
        .into_iter()
        .map(|other| (distance(name, other), other))
        .min_by_key(|(d, _)| *d)?;
    (distance <= (best.len() / 3).max(1)).then_some(best)
}

/// Longer names are nobody's misspelling; the cost of a comparison grows with their length.
const NAME_BYTES_MAX: usize = 128;

/// Edits (insert, delete, replace, swap of neighbours) that turn one into the other, by bytes, ignoring case.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (
        a.to_ascii_lowercase().into_bytes(),
        b.to_ascii_lowercase().into_bytes(),
    );
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour_and_nonsense_finds_none() {
        let known = ["batch_max", "slab_slots", "ring_slots"];
        assert_eq!(nearest("bacth_max", known), Some("batch_max"));
        assert_eq!(nearest("RING_SLOT", known), Some("ring_slots"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest(&"x".repeat(1 << 20), known), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
