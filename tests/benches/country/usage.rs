//! What processes use: CPU time and memory, as Linux tells it.

use anyhow::{Context, Result};
use std::fs;
use std::time::Duration;

/// Parts of a second in which Linux counts CPU time (`getconf CLK_TCK`).
const TICKS: u64 = 100;

/// CPU time and the highest memory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// CPU time, with that of children that have ended.
    pub cpu: Duration,
    /// The most memory that was held, in bytes.
    pub peak: u64,
}

/// What is known of a process: its parent, its CPU time, and that of its ended children.
struct Stat {
    parent: u32,
    own: u64,
    ended: u64,
}

fn stat(process: u32) -> Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in brackets may hold anything.
    let (_, after) = text.rsplit_once(") ").context("no name")?;
    let fields: Vec<&str> = after.split(' ').collect();
    let field = |place: usize| fields.get(place).copied().context("too few fields");
    let number = |place: usize| -> Result<u64> { Ok(field(place)?.parse()?) };
    Ok(Stat {
        parent: field(1)?.parse()?,
        own: number(11)?.saturating_add(number(12)?),
        ended: number(13)?.saturating_add(number(14)?),
    })
}

fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0).saturating_mul(1024)
}

fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks.saturating_mul(1_000 / TICKS))
}

/// What one process has used by now.
///
/// # Errors
/// If it is not there.
pub fn of(process: u32) -> Result<Usage> {
    let found = stat(process)?;
    Ok(Usage { cpu: time(found.own.saturating_add(found.ended)), peak: peak(process) })
}

/// What a process and its children have used by now; of their memories the largest.
///
/// # Errors
/// If it is not there.
pub fn of_all(process: u32) -> Result<Usage> {
    let mut all = of(process)?;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(child) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // It may have ended meanwhile.
        let Ok(found) = stat(child) else { continue };
        if found.parent == process {
            all.cpu = all.cpu.saturating_add(time(found.own));
            all.peak = all.peak.max(peak(child));
        }
    }
    Ok(all)
}
