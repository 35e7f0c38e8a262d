//! What a round of a whole country costs two instances of the coordinator over one PostgreSQL:
//! `cargo bench --workspace --bench country [-- REAL PLAYED ...]`.
//!
//! The first part lets real nodes (357 if not said otherwise; daemons in this process, each with its own
//! directory, export, ledger and TLS connection) answer a half-year's round over a balancer. The second
//! part plays nodes (1,000 and then 10,000) that have real keys, certificates and signatures and figures
//! of a formula: each connects, fetches its work, is countersigned and sends its release. Both instances
//! are processes of the shipped program; then the round is closed by the command of an operator.
//!
//! Beside the uploads stands a plain `INSERT` of the same bytes into the same PostgreSQL, by one connection
//! that waits for the disk each time, because a figure by itself says more of the machine than of the service. CPU time
//! is that of `/proc`, in hundredths of a second; PostgreSQL's is that of all its processes. Memory is the
//! highest (`VmHWM`); of PostgreSQL's processes the largest one's, whose shared buffers are in it.

mod played;
mod real;
mod scene;
mod usage;

use anyhow::{Result, ensure};

/// Real nodes, unless told otherwise: one for each municipality.
const REAL: usize = 357;
/// Played nodes, unless told otherwise: what grows faster than they do shows.
const PLAYED: [usize; 2] = [1_000, 10_000];

fn main() -> Result<()> {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|one| one.parse().ok()).collect();
    let (real, played) = match sizes.split_first() {
        None => (REAL, PLAYED.to_vec()),
        Some((real, played)) => (*real, played.to_vec()),
    };
    ensure!(real <= REAL, "there are {REAL} municipalities");
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let stage = scene::Stage::set()?;
        if real > 0 {
            real::round(&stage, real).await?;
        }
        for nodes in played {
            played::round(&stage, nodes).await?;
        }
        Ok(())
    })
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn print(line: &str) {
    println!("{line}");
}
