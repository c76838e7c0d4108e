//! The limit check against a model that is slow and obvious: it keeps the list of everything that happened and works out every figure
//! of every limit anew, by plain loops, for each order (LIMITS sections 1 to 9 and 14).
//!
//! Each stream has a random firm with limits of all types at once. After each event are compared: the outcome, everything that refused,
//! warned and alerted, the states that limits set, what is reserved at every node and in every wallet, and what is used of some limits;
//! now and then also the whole state with a replica that only applies records.
//!
//! `NAIVE_STEPS` sets the steps of a stream, `NAIVE_SEEDS` how many streams, `NAIVE_FIRST` the first seed. A failure names seed and step.
//!
//! Deliberately absent: the states that venue reports lead to (taken from the record, tested beside `report.rs`), quarantine, splits and
//! settlements of contracts, unknown accounts and symbols, own valuations, full tables; marks are drained before the next step, as the vectors have it.

mod compare;
mod drive;
mod events;
mod executions;
mod firm;
mod history;
mod limits;
mod look;
mod money;
mod orders;
mod payments;
mod price;
mod verdict;

pub(super) use drive::Trial;
pub(super) use firm::capacities;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Streams that have found an error once: a binary sale at one half, a bust behind a dividend that had found its holder flat, two throttles
/// that disabled one strategy, a throttle that was set in the middle of its window.
const FOUND_ERRORS: [u64; 4] = [1_941, 5_142, 5_640, 10_414];

#[test]
fn every_verdict_is_that_of_a_model_that_recounts_the_whole_history() {
    let (seeds, steps) = (setting("NAIVE_SEEDS", 48), setting("NAIVE_STEPS", 1_000));
    let first = setting("NAIVE_FIRST", drive::ALL_ACTIONS_FROM);
    let mut seen = drive::Seen::default();
    for seed in FOUND_ERRORS.into_iter().chain(first..first + seeds) {
        let mut trial = Trial::new(seed);
        for step in 0..steps {
            trial.step(step);
        }
        trial.finish();
        seen.add(&trial.seen);
    }
    seen.check((seeds + FOUND_ERRORS.len() as u64) * steps);
}
