//! Instructions and cycles of the pipeline's threads, from the processor's counters, where the system permits.
//!
//! # Invariants
//! - Only what threads do in user mode is counted: that needs no privilege at `perf_event_paranoid` 2.
//! - Where the counters cannot be had (virtual machines often have none) the answer is `None`, never a guess.
#![allow(unsafe_code)] // reason: `perf_event_open` has no wrapper in the standard library

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};

/// A thread of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadInfo {
    /// The kernel's number.
    pub tid: i32,
    /// Its name, cut to 15 bytes by the kernel.
    pub name: String,
}

/// First words of the names of pipeline threads: `tw-` and the first stage that they run.
const PIPELINE_NAMES: [&str; 7] = [
    "tw-ingest",
    "tw-normalize",
    "tw-validate",
    "tw-limit",
    "tw-settle",
    "tw-position",
    "tw-journal",
];

/// The threads of this process that run stages.
pub fn pipeline_threads() -> Vec<ThreadInfo> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let thread = |entry: std::fs::DirEntry| {
        let tid = entry.file_name().to_str()?.parse().ok()?;
        let name = std::fs::read_to_string(entry.path().join("comm")).ok()?;
        Some(ThreadInfo {
            tid,
            name: name.trim_end().to_owned(),
        })
    };
    let runs_stages = |thread: &ThreadInfo| PIPELINE_NAMES.iter().any(|name| thread.name.starts_with(name));
    let mut threads: Vec<_> = tasks.flatten().filter_map(thread).filter(runs_stages).collect();
    threads.sort_by_key(|thread| thread.tid);
    threads
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerfReading {
    /// Instructions.
    pub instructions: u64,
    /// Cycles.
    pub cycles: u64,
}

impl PerfReading {
    /// What was counted since an earlier reading.
    pub fn since(self, earlier: PerfReading) -> PerfReading {
        PerfReading {
            instructions: self.instructions.saturating_sub(earlier.instructions),
            cycles: self.cycles.saturating_sub(earlier.cycles),
        }
    }
}

/// Counters of some threads.
pub struct PerfCounters {
    instructions: Vec<File>,
    cycles: Vec<File>,
}

/// `PERF_TYPE_HARDWARE` and its two events.
const TYPE_HARDWARE: u32 = 0;
const CPU_CYCLES: u64 = 0;
const INSTRUCTIONS: u64 = 1;
/// `PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING`.
const FORMAT_TIMES: u64 = 1 | 2;
/// `exclude_kernel | exclude_hv`.
const USER_ONLY: u64 = 1 << 5 | 1 << 6;
/// `PERF_FLAG_FD_CLOEXEC`.
const FD_CLOEXEC: libc::c_ulong = 8;
/// `PERF_ATTR_SIZE_VER0`.
const ATTR_LEN: u32 = 64;

/// The first version of `perf_event_attr`.
#[repr(C)]
struct Attr {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_type: u32,
    config1: u64,
}

const _: () = assert!(size_of::<Attr>() == ATTR_LEN as usize);

impl PerfCounters {
    /// Starts to count. `None` where one of the threads cannot be counted.
    pub fn open(threads: &[ThreadInfo]) -> Option<Self> {
        let of = |event| {
            threads
                .iter()
                .map(|thread| open_event(thread.tid, event))
                .collect::<Option<Vec<_>>>()
        };
        let counters = Self {
            instructions: of(INSTRUCTIONS)?,
            cycles: of(CPU_CYCLES)?,
        };
        (!threads.is_empty()).then_some(counters)
    }

    /// The counts so far, over all threads. `None` where the processor did not count.
    pub fn read(&mut self) -> Option<PerfReading> {
        Some(PerfReading {
            instructions: sum(&mut self.instructions)?,
            cycles: sum(&mut self.cycles)?,
        })
    }
}

fn open_event(tid: i32, config: u64) -> Option<File> {
    let attr = Attr {
        kind: TYPE_HARDWARE,
        size: ATTR_LEN,
        config,
        sample_period: 0,
        sample_type: 0,
        read_format: FORMAT_TIMES,
        flags: USER_ONLY,
        wakeup_events: 0,
        breakpoint_type: 0,
        config1: 0,
    };
    let (any_cpu, no_group): (libc::c_int, libc::c_int) = (-1, -1);
    // SAFETY: `attr` has the layout and the size that it names and lives through the call, which only reads it.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attr,
            tid,
            any_cpu,
            no_group,
            FD_CLOEXEC,
        )
    };
    let fd = i32::try_from(fd).ok().filter(|&fd| fd >= 0)?;
    // SAFETY: the call has just given this descriptor to us alone.
    Some(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// The sum over all threads, scaled up where the counter had to be shared.
fn sum(counters: &mut [File]) -> Option<u64> {
    let mut total = 0u64;
    for file in counters {
        let mut words = [0u64; 3];
        file.read_exact(bytemuck::bytes_of_mut(&mut words)).ok()?;
        let [count, enabled, running] = words;
        if running == 0 {
            return None;
        }
        let scaled = u128::from(count) * u128::from(enabled) / u128::from(running);
        total = total.saturating_add(u64::try_from(scaled).unwrap_or(u64::MAX));
    }
    Some(total)
}

/// Nanoseconds for which threads were ready to run and did not: the operating system ran something else. `None` where the
/// kernel keeps no such figure.
pub fn waited_ns(threads: &[ThreadInfo]) -> Option<u64> {
    let of = |thread: &ThreadInfo| -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/self/task/{}/schedstat", thread.tid)).ok()?;
        text.split_whitespace().nth(1)?.parse().ok()
    };
    threads.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_runs_stages_is_found_by_its_name() {
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let (up, is_up) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("tw-limit+settle".to_owned())
            .spawn(move || {
                up.send(()).unwrap();
                let _ = wait.recv();
            })
            .unwrap();
        is_up.recv().unwrap();
        let found = pipeline_threads();
        assert!(
            found.iter().any(|thread| thread.name == "tw-limit+settle"),
            "{found:?}"
        );
        drop(done);
        thread.join().unwrap();
    }

    #[test]
    fn counters_count_or_are_not_there() {
        let this = ThreadInfo {
            tid: std::process::id() as i32,
            name: String::new(),
        };
        assert!(PerfCounters::open(&[]).is_none());
        let Some(mut counters) = PerfCounters::open(&[this]) else {
            return;
        };
        let Some(first) = counters.read() else { return };
        assert!(counters.read().unwrap().instructions >= first.instructions);
    }
}
