//! What secure aggregation costs beside plain additive sharing without proofs, in one run:
//! `cargo bench --workspace --bench aggregation [-- REPORTS CELLS BITS MANY MANY_CELLS]`.
//!
//! The first part splits, verifies and adds up reports of one size, and shares the same vectors
//! additively in 64-bit words beside it; the ratio is what the range proofs cost. The second part runs
//! many reports through both servers' code in this process and shows that memory does not grow with
//! them. Times are per report and on one core; nothing goes over a network or into a store.

use anyhow::{Context, Result, anyhow, ensure};
use fellestall_shared::digest::Digest;
use fellestall_shared::secure::seal::{self, SealingSecret};
use fellestall_shared::secure::vdaf::{AggregateShare, Vdaf};
use ring::rand::{SecureRandom, SystemRandom};
use std::io::Write;
use std::time::{Duration, Instant};

/// One line of the result.
macro_rules! say {
    ($($words:tt)*) => { writeln!(std::io::stdout(), $($words)*)? };
}

const KEY: [u8; 32] = [7; 32];

/// What was measured of one way of sharing.
#[derive(Default)]
struct Cost {
    node: Duration,
    leader: Duration,
    helper: Duration,
    to_leader: usize,
    to_helper: usize,
    between: usize,
}

fn main() -> Result<()> {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|one| one.parse().ok()).collect();
    let size = |place: usize, otherwise: usize| sizes.get(place).copied().unwrap_or(otherwise);
    let bits = u32::try_from(size(2, 24))?;
    beside_plain_sharing(size(0, 357), size(1, 1_000), bits)?;
    many(size(3, 10_000), size(4, 200), bits)
}

fn beside_plain_sharing(reports: usize, cells: usize, bits: u32) -> Result<()> {
    ensure!(reports > 0 && cells > 0, "at least one report of one cell");
    let entries = entries(cells, bits);
    let (proved, plain) = (with_proofs(reports, &entries, bits)?, without(reports, &entries)?);
    say!("{reports} reports of {cells} cells x {bits} bits; per report:");
    say!("  {:<34}{:>14}{:>14}{:>9}", "", "with proofs", "additive", "ratio");
    let per =
        |time: Duration| time.as_secs_f64() * 1e3 / f64::from(u32::try_from(reports).unwrap_or(1));
    for (what, one, other) in [
        ("node, ms", per(proved.node), per(plain.node)),
        ("leader, ms", per(proved.leader), per(plain.leader)),
        ("helper, ms", per(proved.helper), per(plain.helper)),
    ] {
        say!("  {what:<34}{one:>14.3}{other:>14.4}{:>8.0}x", one / other.max(1e-6));
    }
    for (what, one, other) in [
        ("node to leader, bytes", proved.to_leader, plain.to_leader),
        ("node to helper, bytes", proved.to_helper, plain.to_helper),
        ("leader to helper and back, bytes", proved.between, plain.between),
    ] {
        let ratio = if other == 0 { "-".to_owned() } else { format!("{:.1}x", ratio(one, other)) };
        say!("  {what:<34}{one:>14}{other:>14}{ratio:>9}");
    }
    Ok(())
}

/// Reports of many nodes through both servers, one after the other.
fn many(reports: usize, cells: usize, bits: u32) -> Result<()> {
    let (vdaf, task) = (Vdaf::new(cells, bits)?, Digest::of("task", b"bench"));
    let entries = entries(cells, bits);
    let (mut leader, mut helper) = (vdaf.nothing(), vdaf.nothing());
    let started = Instant::now();
    let mut servers = Duration::ZERO;
    let tenth = (reports / 10).max(1);
    say!("{reports} reports of {cells} cells x {bits} bits through both servers:");
    for report in 0..reports {
        let id = id(report);
        let shares = vdaf.split(task, &id, &entries)?;
        let began = Instant::now();
        let (state, verifier) = vdaf
            .leader_start(&KEY, task, &id, &shares.public, &shares.leader)
            .map_err(|why| anyhow!("{why:?}"))?;
        let (half, message) = vdaf
            .helper_finish(&KEY, task, &id, &shares.public, &shares.helper, &verifier)
            .map_err(|why| anyhow!("{why:?}"))?;
        helper.add(&half)?;
        leader.add(&state.finish(&message).map_err(|why| anyhow!("{why:?}"))?)?;
        servers += began.elapsed();
        if (report + 1) % tenth == 0 {
            say!("  after {:>6} reports: highest memory {:>7} kB", report + 1, highest_memory()?);
        }
    }
    check(&vdaf, &leader, &helper, &entries, reports)?;
    let seconds = servers.as_secs_f64();
    let rate = f64::from(u32::try_from(reports)?) / seconds;
    say!(
        "  both servers {seconds:.1} s ({rate:.0} reports a second on one core), with the nodes {:.1} s",
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

fn with_proofs(reports: usize, entries: &[u128], bits: u32) -> Result<Cost> {
    let (vdaf, task) = (Vdaf::new(entries.len(), bits)?, Digest::of("task", b"bench"));
    let secret = SealingSecret::generate().0;
    let public_key = secret.public();
    let (mut leader, mut helper) = (vdaf.nothing(), vdaf.nothing());
    let mut cost = Cost::default();
    for report in 0..reports {
        let id = id(report);
        let began = Instant::now();
        let shares = vdaf.split(task, &id, entries)?;
        let sealed = seal::seal(&public_key, task, &id, &shares.public, &shares.helper)?;
        cost.node += began.elapsed();
        let began = Instant::now();
        let (state, verifier) = vdaf
            .leader_start(&KEY, task, &id, &shares.public, &shares.leader)
            .map_err(|why| anyhow!("{why:?}"))?;
        cost.leader += began.elapsed();
        let began = Instant::now();
        let share = seal::open(&secret, task, &id, &shares.public, &sealed.0)?;
        let (half, message) = vdaf
            .helper_finish(&KEY, task, &id, &shares.public, &share, &verifier)
            .map_err(|why| anyhow!("{why:?}"))?;
        helper.add(&half)?;
        cost.helper += began.elapsed();
        let began = Instant::now();
        leader.add(&state.finish(&message).map_err(|why| anyhow!("{why:?}"))?)?;
        cost.leader += began.elapsed();
        cost.to_leader = shares.public.len() + shares.leader.len();
        cost.to_helper = sealed.0.len();
        cost.between = shares.public.len() + sealed.0.len() + verifier.len() + message.len();
    }
    check(&vdaf, &leader, &helper, entries, reports)?;
    Ok(cost)
}

/// Sharing modulo 2^64, with nothing that holds a bad node back.
fn without(reports: usize, entries: &[u128]) -> Result<Cost> {
    let random = SystemRandom::new();
    let cells = entries.len();
    let (mut leader, mut helper) = (vec![0_u64; cells], vec![0_u64; cells]);
    let mut cost = Cost { to_leader: cells * 8, to_helper: cells * 8, ..Cost::default() };
    let mut bytes = vec![0_u8; cells * 8];
    for _ in 0..reports {
        let began = Instant::now();
        random.fill(&mut bytes).map_err(|_| anyhow!("no random numbers"))?;
        let mask: Vec<u64> = bytes
            .chunks_exact(8)
            .map(|chunk| chunk.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)))
            .collect();
        let share: Vec<u64> = entries
            .iter()
            .zip(&mask)
            .map(|(entry, mask)| u64::try_from(*entry).unwrap_or(0).wrapping_sub(*mask))
            .collect();
        cost.node += began.elapsed();
        let began = Instant::now();
        add(&mut leader, &share);
        cost.leader += began.elapsed();
        let began = Instant::now();
        add(&mut helper, &mask);
        cost.helper += began.elapsed();
    }
    let count = u64::try_from(reports)?;
    let right = entries.iter().zip(leader.iter().zip(&helper)).all(|(entry, (one, other))| {
        u64::try_from(*entry).is_ok_and(|entry| one.wrapping_add(*other) == entry * count)
    });
    ensure!(right, "additive sharing gave another sum");
    Ok(cost)
}

fn add(sum: &mut [u64], share: &[u64]) {
    for (to, from) in sum.iter_mut().zip(share) {
        *to = to.wrapping_add(*from);
    }
}

fn check(
    vdaf: &Vdaf,
    leader: &AggregateShare,
    helper: &AggregateShare,
    entries: &[u128],
    reports: usize,
) -> Result<()> {
    let sums = vdaf.open(leader, helper, u32::try_from(reports)?)?;
    let count = u128::try_from(reports)?;
    let right = sums.iter().zip(entries).all(|(sum, entry)| *sum == entry * count);
    ensure!(right, "the opened sum is another one");
    Ok(())
}

fn entries(cells: usize, bits: u32) -> Vec<u128> {
    (0..cells).map(|cell| (cell as u128 * 7919) % (1_u128 << bits)).collect()
}

fn id(report: usize) -> [u8; 16] {
    (report as u128).to_be_bytes()
}

#[expect(clippy::cast_precision_loss, reason = "sizes of messages are far below 2^52")]
fn ratio(one: usize, other: usize) -> f64 {
    one as f64 / other as f64
}

/// The most memory that this process ever had, as the system counts it.
fn highest_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let line = line.context("the system does not count memory")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
