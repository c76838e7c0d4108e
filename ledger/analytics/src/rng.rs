//! SplitMix64: random numbers that are the same on every machine (ANALYTICS section 7).

/// A generator. Its whole state is one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// From a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The generator of path number `path` of a simulation: it depends on the seed and the number alone, not on other paths.
    pub fn of_path(seed: u64, path: u64) -> Self {
        Self(Self(seed ^ path.wrapping_mul(0xD134_2543_DE82_EF95)).next_u64())
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next index below `count`; 0 where there is none.
    pub fn index(&mut self, count: usize) -> usize {
        ((u128::from(self.next_u64()) * count as u128) >> 64) as usize
    }

    /// The next number of 53 bits from 0 up to, but not, 1.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_specification() {
        let mut rng = SplitMix64::new(42);
        let found: Vec<u64> = (0..3).map(|_| rng.next_u64()).collect();
        assert_eq!(
            found,
            [
                13_679_457_532_755_275_413,
                2_949_826_092_126_892_291,
                5_139_283_748_462_763_858
            ]
        );
    }

    #[test]
    fn indices_and_uniforms_stay_in_their_range() {
        let mut rng = SplitMix64::new(7);
        for _ in 0..10_000 {
            assert!(rng.index(3) < 3);
            assert!((0.0..1.0).contains(&rng.uniform()));
        }
        assert_eq!(rng.index(0), 0);
    }
}
