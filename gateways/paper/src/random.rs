//! SplitMix64: a small generator whose whole state is one number, so that a seed names a stream.
//!
//! Not here: anything that must be hard to guess.

/// The generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitMix {
    state: u64,
}

impl SplitMix {
    /// The stream of a seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    #[inline]
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number below `bound`; 0 where `bound` is 0. Multiplied down, not divided: the bias is below `bound / 2^64`.
    #[inline]
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// A number from `low` to `high`, both included; `low` where they are out of order.
    #[inline]
    pub const fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        // The distance of two i64 fits u64; one more does too unless they are the extremes.
        let distance = high.abs_diff(low);
        low.wrapping_add(self.below(distance.saturating_add(1)) as i64)
    }

    /// True `share` times in `of`.
    #[inline]
    pub const fn chance(&mut self, share: u64, of: u64) -> bool {
        self.below(of) < share
    }
}

/// SplitMix's output function: spreads the bits of a number over all 64.
#[inline]
pub(crate) const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_seed_is_the_published_one() {
        let mut random = SplitMix::new(1_234_567);
        let stream = [random.next_u64(), random.next_u64(), random.next_u64()];
        assert_eq!(
            stream,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn bounds_hold_and_both_ends_are_reached() {
        let mut random = SplitMix::new(7);
        let mut seen = [0; 5];
        for _ in 0..1_000 {
            seen[(random.between(-2, 2) + 2) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
        assert_eq!(random.below(0), 0);
        assert_eq!(random.between(3, 3), 3);
        assert_eq!(random.between(4, 3), 4);
        random.between(i64::MIN, i64::MAX);
    }
}
