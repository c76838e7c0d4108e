//! Under which conditions figures were taken: without them a figure says nothing.

use crate::pace::Rate;
use crate::workload::Workload;
use serde::Serialize;
use std::fs;

/// What only the caller knows of a run.
#[derive(Clone, Debug, Default)]
pub struct RunFacts {
    /// The topology, as text.
    pub topology: String,
    /// The idle strategy.
    pub idle: String,
    /// `memory` or `disk`.
    pub durability: String,
    /// Bytes of the journal's window.
    pub window_bytes: u64,
    /// The commit that was built.
    pub commit: String,
    /// Followers that read the journal while the run went on; empty for none.
    pub followers: Vec<String>,
    /// Core of the sender.
    pub sender_core: Option<usize>,
    /// Pipeline threads that could not have their core.
    pub unpinned: Vec<String>,
}

/// Conditions of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Conditions {
    /// Model name of the processor.
    pub cpu: String,
    /// Processors that the system shows.
    pub cores: usize,
    /// Bytes of memory.
    pub memory_bytes: Option<u64>,
    /// True on a virtual machine, where the host takes time without telling.
    pub virtual_machine: bool,
    /// Kernel.
    pub kernel: String,
    /// Frequency governor, where there is one.
    pub governor: Option<String>,
    /// Transparent huge pages: the setting in force.
    pub huge_pages: Option<String>,
    /// `release` or `debug`.
    pub profile: &'static str,
    /// The commit that was built.
    pub commit: String,
    /// Topology.
    pub topology: String,
    /// Idle strategy.
    pub idle: String,
    /// Durability.
    pub durability: String,
    /// Bytes of the journal's window.
    pub window_bytes: u64,
    /// Followers that ran.
    pub followers: Vec<String>,
    /// Core of the sender.
    pub sender_core: Option<usize>,
    /// Pipeline threads without the core they should have.
    pub unpinned: Vec<String>,
    /// Mix.
    pub mix: &'static str,
    /// Rate asked for: `max` or order cycles a second.
    pub rate: String,
    /// Accounts.
    pub accounts: u32,
    /// Instruments.
    pub instruments: u32,
    /// Pairs of account and instrument that traded.
    pub pairs: u32,
    /// Limits that were set.
    pub limits: u32,
    /// Limits that each order met.
    pub limits_on_chain: u32,
    /// Messages before the measured ones.
    pub warmup_events: u64,
}

impl Conditions {
    /// Looks at the machine and puts what the caller knows beside it.
    pub fn detect(workload: &Workload, rate: Rate, facts: RunFacts) -> Self {
        let cpuinfo = read("/proc/cpuinfo").unwrap_or_default();
        let config = workload.config();
        Self {
            cpu: field(&cpuinfo, "model name").unwrap_or("unknown").to_owned(),
            cores: cpuinfo
                .lines()
                .filter(|line| line.starts_with("processor"))
                .count()
                .max(1),
            memory_bytes: read("/proc/meminfo").as_deref().and_then(memory_bytes),
            virtual_machine: field(&cpuinfo, "flags")
                .is_some_and(|flags| flags.split(' ').any(|f| f == "hypervisor")),
            kernel: read("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".to_owned()),
            governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            huge_pages: read("/sys/kernel/mm/transparent_hugepage/enabled")
                .as_deref()
                .and_then(chosen),
            profile: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            },
            commit: facts.commit,
            topology: facts.topology,
            idle: facts.idle,
            durability: facts.durability,
            window_bytes: facts.window_bytes,
            followers: facts.followers,
            sender_core: facts.sender_core,
            unpinned: facts.unpinned,
            mix: config.mix.text(),
            rate: match rate {
                Rate::Max => "max".to_owned(),
                Rate::OrdersPerSecond(rate) => rate.to_string(),
            },
            accounts: config.accounts,
            instruments: config.instruments,
            pairs: workload.pairs(),
            limits: workload.limit_count(),
            limits_on_chain: workload.limits_on_chain(),
            warmup_events: workload.warmup_messages(),
        }
    }
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The first value of a key in `key : value` lines.
fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim())
}

/// `MemTotal` of `/proc/meminfo`, which is in KiB.
fn memory_bytes(meminfo: &str) -> Option<u64> {
    let kib: u64 = field(meminfo, "MemTotal")?.split(' ').next()?.parse().ok()?;
    kib.checked_mul(1_024)
}

/// The word in brackets: `always [madvise] never`.
fn chosen(setting: &str) -> Option<String> {
    let (_, rest) = setting.split_once('[')?;
    rest.split_once(']').map(|(word, _)| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read_as_they_are_written() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Example 9000 @ 3 GHz\nflags\t\t: fpu hypervisor sse\n";
        assert_eq!(field(cpuinfo, "model name"), Some("Example 9000 @ 3 GHz"));
        assert_eq!(field(cpuinfo, "bogomips"), None);
        assert_eq!(
            memory_bytes("MemTotal:       24689092 kB\nMemFree: 1 kB"),
            Some(24_689_092 * 1_024)
        );
        assert_eq!(chosen("always [madvise] never").as_deref(), Some("madvise"));
        assert_eq!(chosen("none"), None);
    }
}
