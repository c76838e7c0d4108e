//! What the machine does by itself: pauses of an idle core, the hop between two cores, copies, checksums, the disk.
//!
//! These figures stand beside the engine's, so that a reader can tell the engine's tail from the machine's. They are taken
//! before the run, never while it is measured, but for a [`HiccupWatch`] on a core that nobody else uses.

use crate::percentiles::{Latencies, Latency};
use crate::pinned::on_core;
use rtrb::{Consumer, Producer, RingBuffer};
use serde::Serialize;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;

/// A gap in an idle loop above this is a hiccup, nanoseconds.
pub const HICCUP_MIN_NS: u64 = 10_000;

/// Gaps that a loop saw which does nothing but read the clock.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Hiccups {
    /// The core that it was pinned to.
    pub core: Option<usize>,
    /// How long it looked, seconds.
    pub seconds: f64,
    /// Gaps of more than 10 us, a second.
    pub per_s: f64,
    /// The longest gap, nanoseconds.
    pub worst_ns: u64,
    /// The gap that one in ten thousand readings exceeds, nanoseconds.
    pub p9999_ns: u64,
    /// Share of the time that was lost in gaps of more than 10 us, in millionths.
    pub lost_ppm: f64,
}

/// Looks for `seconds` on a core.
pub fn hiccups(clock: &Clock, cores: &Cores, core: Option<usize>, seconds: f64) -> Hiccups {
    let until_ns = (seconds * 1e9) as u64;
    on_core(cores, core, || {
        watch(clock, core, |elapsed_ns| elapsed_ns < until_ns)
    })
}

fn watch(clock: &Clock, core: Option<usize>, go_on: impl Fn(u64) -> bool) -> Hiccups {
    let mut gaps = Latencies::default();
    let (mut count, mut worst_ns, mut lost_ns) = (0u64, 0, 0);
    let begun = clock.raw();
    let (mut last, mut elapsed_ns) = (begun, 0);
    while go_on(elapsed_ns) {
        let now = clock.raw();
        let gap_ns = clock.span_ns(last, now);
        last = now;
        gaps.record(gap_ns);
        if gap_ns > HICCUP_MIN_NS {
            count += 1;
            lost_ns += gap_ns;
        }
        worst_ns = worst_ns.max(gap_ns);
        elapsed_ns = clock.span_ns(begun, now);
    }
    let seconds = (elapsed_ns as f64 / 1e9).max(f64::MIN_POSITIVE);
    Hiccups {
        core,
        seconds,
        per_s: count as f64 / seconds,
        worst_ns,
        p9999_ns: gaps.summary().p9999,
        lost_ppm: lost_ns as f64 / seconds / 1e3,
    }
}

/// Looks while something else is measured, on a core that is left over. Only with a core to spare.
pub struct HiccupWatch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Hiccups>,
}

impl HiccupWatch {
    /// Starts to look.
    pub fn start(clock: Clock, cores: Cores, core: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                // Unpinned it sees the same gaps and more.
                let _ = cores.pin_current(core);
                watch(&clock, Some(core), |_| !stop.load(Ordering::Relaxed))
            }
        });
        Self { stop, thread }
    }

    /// Ends and says what it saw.
    ///
    /// # Panics
    /// Where its thread did.
    pub fn stop(self) -> Hiccups {
        self.stop.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// One way over a ring between two cores: half of a round trip.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Hop {
    /// The two cores.
    pub cores: [Option<usize>; 2],
    /// Half of the median round trip, nanoseconds.
    pub p50_ns: f64,
    /// Half of the 99th percentile.
    pub p99_ns: f64,
}

/// Measures `trips` round trips of one word over two rings. Both threads spin: without two cores it measures the scheduler.
pub fn hop(clock: &Clock, cores: &Cores, pair: [Option<usize>; 2], trips: u32) -> Hop {
    let (mut there, far_in) = RingBuffer::new(64);
    let (far_out, mut back) = RingBuffer::new(64);
    let mut times = Latencies::default();
    std::thread::scope(|scope| {
        scope.spawn(|| on_core(cores, pair[1], || echo(far_in, far_out)));
        on_core(cores, pair[0], || {
            for trip in 0..trips {
                let begun = clock.raw();
                exchange(&mut there, &mut back, u64::from(trip));
                times.record(clock.span_ns(begun, clock.raw()));
            }
            drop(there);
        });
    });
    let Latency { p50, p99, .. } = times.summary();
    Hop {
        cores: pair,
        p50_ns: p50 as f64 / 2.0,
        p99_ns: p99 as f64 / 2.0,
    }
}

fn exchange(there: &mut Producer<u64>, back: &mut Consumer<u64>, word: u64) {
    // The ring has room: only one word is ever under way.
    let _ = there.push(word);
    while back.pop().is_err() && !back.is_abandoned() {
        std::hint::spin_loop();
    }
}

fn echo(mut from: Consumer<u64>, mut to: Producer<u64>) {
    loop {
        match from.pop() {
            Ok(word) => drop(to.push(word)),
            Err(_) if from.is_abandoned() => return,
            Err(_) => std::hint::spin_loop(),
        }
    }
}

/// What single operations cost, nanoseconds each: the least of five rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Costs {
    /// Reading the engine's clock.
    pub clock_read_ns: f64,
    /// Copying 128 bytes.
    pub copy_128_ns: f64,
    /// Copying 320 bytes.
    pub copy_320_ns: f64,
    /// CRC32C of 128 bytes.
    pub crc_128_ns: f64,
    /// CRC32C of 320 bytes.
    pub crc_320_ns: f64,
}

/// Measures them over a buffer of 1 MiB, on the thread of the caller.
pub fn costs(clock: &Clock) -> Costs {
    const BUFFER: usize = 1 << 20;
    let from: Vec<u8> = (0..BUFFER).map(|at| at as u8).collect();
    let mut to = vec![0u8; BUFFER];
    let mut copy = |len: usize| {
        least(clock, BUFFER / len, |nth| {
            let at = nth * len;
            to[at..at + len].copy_from_slice(black_box(&from[at..at + len]));
            black_box(&mut to[at]);
        })
    };
    let (copy_128_ns, copy_320_ns) = (copy(128), copy(320));
    let crc = |len: usize| {
        least(clock, BUFFER / len, |nth| {
            black_box(crc32c::crc32c(black_box(&from[nth * len..][..len])));
        })
    };
    Costs {
        clock_read_ns: least(clock, 10_000, |_| _ = black_box(clock.now_ns())),
        copy_128_ns,
        copy_320_ns,
        crc_128_ns: crc(128),
        crc_320_ns: crc(320),
    }
}

fn least(clock: &Clock, count: usize, mut work: impl FnMut(usize)) -> f64 {
    let mut round = || {
        let begun = clock.raw();
        (0..count).for_each(&mut work);
        clock.span_ns(begun, clock.raw()) as f64 / count as f64
    };
    (0..5).map(|_| round()).fold(f64::MAX, f64::min)
}

/// The disk of the data folder.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Disk {
    /// Written one after another and synced once, MB (10^6 bytes) a second.
    pub write_mb_per_s: f64,
    /// Bytes written for that.
    pub written_bytes: u64,
    /// Writing 64 KiB and syncing it, median, nanoseconds.
    pub sync_p50_ns: u64,
    /// The same, 99th percentile.
    pub sync_p99_ns: u64,
}

/// Removes the file where measuring ends, in whatever way.
struct Scratch<'a>(&'a Path);

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        // What cannot be removed is a file of zeros with a telling name.
        let _ = std::fs::remove_file(self.0);
    }
}

/// Writes `bytes` in pieces of 1 MiB to a file in `dir` and syncs it; then 100 times 64 KiB, each synced. The file is
/// removed.
pub fn disk(clock: &Clock, dir: &Path, bytes: u64) -> io::Result<Disk> {
    const PIECE: usize = 1 << 20;
    const SYNCS: usize = 100;
    std::fs::create_dir_all(dir)?;
    let path = dir.join("bench-disk.tmp");
    let mut file = File::create(&path)?;
    let _scratch = Scratch(&path);
    let piece: Vec<u8> = (0..PIECE).map(|at| (at * 31) as u8).collect();
    let pieces = bytes.div_ceil(PIECE as u64).max(1);
    let begun = clock.raw();
    for _ in 0..pieces {
        file.write_all(&piece)?;
    }
    file.sync_data()?;
    let seconds = clock.span_ns(begun, clock.raw()) as f64 / 1e9;
    let written_bytes = pieces * PIECE as u64;
    let mut syncs = Latencies::default();
    for _ in 0..SYNCS {
        let begun = clock.raw();
        file.write_all(&piece[..64 << 10])?;
        file.sync_data()?;
        syncs.record(clock.span_ns(begun, clock.raw()));
    }
    let Latency { p50, p99, .. } = syncs.summary();
    Ok(Disk {
        write_mb_per_s: written_bytes as f64 / 1e6 / seconds.max(1e-9),
        written_bytes,
        sync_p50_ns: p50,
        sync_p99_ns: p99,
    })
}

/// The machine, without the engine.
#[derive(Clone, Debug, Serialize)]
pub struct MachineNoise {
    /// Idle loops before the run, one for each core that was looked at.
    pub before: Vec<Hiccups>,
    /// An idle loop beside the run, where there was a core to spare.
    pub beside: Option<Hiccups>,
    /// One way between two cores; `None` on one core.
    pub hop: Option<Hop>,
    /// Single operations.
    pub costs: Costs,
    /// The disk; `None` where it was not measured.
    pub disk: Option<Disk>,
}

/// What [`MachineNoise::measure`] looks at.
#[derive(Clone, Debug)]
pub struct NoisePlan<'a> {
    /// Cores whose hiccups are counted, one after another.
    pub cores: Vec<usize>,
    /// Seconds for each of them.
    pub seconds: f64,
    /// Folder whose disk is measured.
    pub data_dir: Option<&'a Path>,
    /// Bytes written for that.
    pub disk_bytes: u64,
}

impl<'a> NoisePlan<'a> {
    /// Two cores for a second each, and 256 MB on the disk of `data_dir`.
    pub fn new(cores: &Cores, data_dir: Option<&'a Path>) -> Self {
        let cores = cores.ids().iter().copied().take(2).collect();
        Self {
            cores,
            seconds: 1.0,
            data_dir,
            disk_bytes: 256 << 20,
        }
    }
}

impl MachineNoise {
    /// Measures all of it, in a few seconds.
    pub fn measure(clock: &Clock, cores: &Cores, plan: &NoisePlan<'_>) -> io::Result<Self> {
        const TRIPS: u32 = 200_000;
        let before = plan
            .cores
            .iter()
            .map(|&core| hiccups(clock, cores, Some(core), plan.seconds))
            .collect();
        let pair = match cores.ids() {
            [first, second, ..] => Some([Some(*first), Some(*second)]),
            _ => None,
        };
        Ok(Self {
            before,
            beside: None,
            hop: pair.map(|pair| hop(clock, cores, pair, TRIPS)),
            costs: on_core(cores, plan.cores.first().copied(), || costs(clock)),
            disk: plan
                .data_dir
                .map(|dir| disk(clock, dir, plan.disk_bytes))
                .transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_loop_counts_its_own_gaps() {
        let clock = Clock::start().unwrap();
        let seen = hiccups(&clock, &Cores::detect(), None, 0.02);
        assert!(seen.seconds >= 0.02 && seen.worst_ns > 0 && seen.p9999_ns <= seen.worst_ns.max(1) * 2);
        assert!(seen.per_s >= 0.0 && (seen.per_s == 0.0) == (seen.worst_ns <= HICCUP_MIN_NS));
    }

    #[test]
    fn a_watch_beside_ends_when_told() {
        let (clock, cores) = (Clock::start().unwrap(), Cores::detect());
        let core = cores.ids().first().copied().unwrap_or(0);
        assert!(HiccupWatch::start(clock, cores, core).stop().seconds > 0.0);
    }

    #[test]
    fn every_word_comes_back_over_the_hop() {
        let (clock, cores) = (Clock::start().unwrap(), Cores::detect());
        if cores.count() < 2 {
            return;
        }
        let pair = [cores.ids()[0], cores.ids()[1]].map(Some);
        let hop = hop(&clock, &cores, pair, 1_000);
        assert!(hop.p50_ns > 0.0 && hop.p50_ns <= hop.p99_ns);
    }

    #[test]
    fn single_operations_cost_something() {
        let costs = costs(&Clock::start().unwrap());
        for ns in [
            costs.clock_read_ns,
            costs.copy_128_ns,
            costs.copy_320_ns,
            costs.crc_128_ns,
            costs.crc_320_ns,
        ] {
            assert!(ns > 0.0 && ns < 100_000.0, "{costs:?}");
        }
    }

    #[test]
    fn the_disk_is_measured_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let disk = disk(&Clock::start().unwrap(), dir.path(), 3 << 20).unwrap();
        assert_eq!(disk.written_bytes, 3 << 20);
        assert!(disk.write_mb_per_s > 0.0 && disk.sync_p50_ns > 0);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
