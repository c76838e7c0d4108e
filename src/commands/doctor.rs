//! `tradewind doctor`: what on this machine will hurt, and how to mend it.

use crate::cli::DoctorArgs;
use crate::output;
use serde::Serialize;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tradewind_config::Settings;
use tradewind_machine::clock::Clock;
use tradewind_machine::cores::Cores;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Good,
    /// Costs latency or safety.
    Warn,
    /// The engine will not start.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// What.
    pub subject: &'static str,
    /// How bad.
    pub grade: Grade,
    /// What was found.
    pub found: String,
    /// How to mend it; empty where nothing is to be mended.
    pub mend: String,
}

fn finding(
    subject: &'static str,
    grade: Grade,
    found: impl Into<String>,
    mend: impl Into<String>,
) -> Finding {
    Finding {
        subject,
        grade,
        found: found.into(),
        mend: mend.into(),
    }
}

/// Runs the command: exit code 1 where something is bad.
pub fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let settings = super::settings(&args.settings, &[])?;
    let findings = [
        cores(&settings),
        clock(),
        window(&settings),
        disk(&settings, &args.data),
        memory(&settings),
        huge_pages(),
        governor(),
        open_files(),
    ];
    let bad = findings.iter().any(|finding| finding.grade == Grade::Bad);
    if args.json {
        output::json(&findings)?;
    } else {
        for finding in &findings {
            let mark = match finding.grade {
                Grade::Good => "good",
                Grade::Warn => "WARN",
                Grade::Bad => "BAD ",
            };
            output::text(format_args!("{mark} {:<12} {}\n", finding.subject, finding.found));
            if !finding.mend.is_empty() {
                output::text(format_args!("                  {}\n", finding.mend));
            }
        }
    }
    Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn cores(settings: &Settings) -> Finding {
    let cores = Cores::detect();
    match crate::engine::topology_of(settings, &cores) {
        Err(error) => finding(
            "cores",
            Grade::Bad,
            format!("{error}: engine.topology"),
            "see `tradewind config show`",
        ),
        Ok(topology) => {
            let threads = topology.lanes().len();
            let found = format!("{} usable, topology {topology} takes {threads}", cores.count());
            if threads + 1 > cores.count() {
                let mend = "leave one core to the archiver and the readers: engine.topology=fused, or engine.idle=park";
                finding("cores", Grade::Warn, found, mend)
            } else {
                finding("cores", Grade::Good, found, "")
            }
        }
    }
}

fn clock() -> Finding {
    let source = read("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    match Clock::start() {
        Err(error) => finding(
            "clock",
            Grade::Bad,
            error.to_string(),
            "the engine cannot start without a clock",
        ),
        Ok(clock) => {
            const READS: u64 = 100_000;
            let began = clock.raw();
            let last = (0..READS).fold(0, |last, _| clock.now_ns().max(last));
            let each = clock.span_ns(began, clock.raw()) / READS;
            let found = format!(
                "source {}, {each} ns a read",
                if source.is_empty() { "unknown" } else { &source }
            );
            if each > 50 || last == 0 {
                finding(
                    "clock",
                    Grade::Warn,
                    found,
                    "an invariant TSC is much cheaper: boot with clocksource=tsc where it is reliable",
                )
            } else {
                finding("clock", Grade::Good, found, "")
            }
        }
    }
}

/// Free bytes of the file system that holds a path, or of its nearest existing parent.
#[allow(unsafe_code)] // one system call without a wrapper in std
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let existing = path.ancestors().map(|path| {
        if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        }
    });
    let existing = existing.into_iter().find(|path| path.exists())?;
    let name = CString::new(existing.as_os_str().as_bytes()).ok()?;
    let mut stat: libc::statvfs = zeroed_statvfs();
    // SAFETY: `name` is a C string and `stat` is a place for the answer; both live through the call.
    let result = unsafe { libc::statvfs(name.as_ptr(), &mut stat) };
    (result == 0).then(|| stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[allow(unsafe_code)]
fn zeroed_statvfs() -> libc::statvfs {
    // SAFETY: the struct is plain integers; zeros are valid.
    unsafe { std::mem::zeroed() }
}

fn window(settings: &Settings) -> Finding {
    let dir = PathBuf::from(&settings.journal.window_dir);
    let need = settings.journal.window_bytes;
    match free_bytes(&dir) {
        None => finding(
            "window",
            Grade::Bad,
            format!("{} cannot be looked at", dir.display()),
            "set journal.window_dir",
        ),
        Some(free) if free < need => finding(
            "window",
            Grade::Bad,
            format!(
                "{} has {} free, journal.window_bytes asks for {}",
                dir.display(),
                output::bytes(free),
                output::bytes(need)
            ),
            "make it larger (mount -o remount,size=..., or --shm-size for a container) or lower journal.window_bytes",
        ),
        Some(free) => finding(
            "window",
            Grade::Good,
            format!(
                "{}: {} free, {} needed",
                dir.display(),
                output::bytes(free),
                output::bytes(need)
            ),
            "",
        ),
    }
}

fn disk(settings: &Settings, data: &Path) -> Finding {
    let need = settings
        .journal
        .reserve_bytes
        .saturating_add(settings.journal.segment_bytes.saturating_mul(2));
    match free_bytes(data) {
        None => finding(
            "disk",
            Grade::Bad,
            format!("{} cannot be looked at", data.display()),
            "choose another --data",
        ),
        Some(free) if free < need => finding(
            "disk",
            Grade::Bad,
            format!(
                "{} free in {}, {} needed before new orders are refused",
                output::bytes(free),
                data.display(),
                output::bytes(need)
            ),
            "free space, or lower journal.reserve_bytes",
        ),
        Some(free) => finding(
            "disk",
            Grade::Good,
            format!("{} free in {}", output::bytes(free), data.display()),
            "",
        ),
    }
}

fn memory(settings: &Settings) -> Finding {
    let tables: u64 = settings.memory_estimate().iter().map(|(_, bytes)| bytes).sum();
    let need = tables + settings.journal.window_bytes;
    let available = read("/proc/meminfo")
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemAvailable:")?
                .trim()
                .strip_suffix("kB")?
                .trim()
                .parse::<u64>()
                .ok()
        })
        .map_or(0, |kib| kib * 1024);
    let found = format!(
        "{} available, tables and window take {}",
        output::bytes(available),
        output::bytes(need)
    );
    if available < need {
        finding(
            "memory",
            Grade::Bad,
            found,
            "lower capacity.* or journal.window_bytes",
        )
    } else {
        finding("memory", Grade::Good, found, "")
    }
}

fn huge_pages() -> Finding {
    let mode = read("/sys/kernel/mm/transparent_hugepage/enabled");
    if mode.contains("[always]") {
        finding("huge pages", Grade::Good, mode, "")
    } else {
        let mend =
            "large tables miss the TLB less with: echo always > /sys/kernel/mm/transparent_hugepage/enabled";
        finding(
            "huge pages",
            Grade::Warn,
            if mode.is_empty() {
                "unknown".to_owned()
            } else {
                mode
            },
            mend,
        )
    }
}

fn governor() -> Finding {
    let governor = read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    match governor.as_str() {
        "" => finding(
            "governor",
            Grade::Good,
            "not visible here (virtual machine or fixed clock)",
            "",
        ),
        "performance" => finding("governor", Grade::Good, governor, ""),
        _ => finding(
            "governor",
            Grade::Warn,
            governor,
            "cpupower frequency-set -g performance",
        ),
    }
}

fn open_files() -> Finding {
    let limit = read("/proc/self/limits")
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok())
        .unwrap_or(0);
    if limit < 4_096 {
        finding(
            "open files",
            Grade::Warn,
            limit.to_string(),
            "raise it: ulimit -n 65536, or LimitNOFILE in the unit",
        )
    } else {
        finding("open files", Grade::Good, limit.to_string(), "")
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path)
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}
