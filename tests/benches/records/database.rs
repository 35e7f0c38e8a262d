//! Counting where the rows are, against pulling every row to the node.
//!
//! **Invariant:** both read the same tables of the same cluster, in one run.

use crate::measure::{Cores, Cost, measure, median};
use crate::stage::{Stage, Tables};
use anyhow::{Context, Result};
use fellestall_tests::postgres::Postgres;
use fellestall_tests::process::Binaries;
use fellestall_tests::synthetic::large::postgres::{Layout, READER, SCHEMA};
use fellestall_tests::synthetic::large::{Form, Large};
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;

/// What one layout took: the node, and the program that pulls.
pub struct Compared {
    pub layout: &'static str,
    pub node: Both,
    pub pull: Both,
}

/// What a process took, and the seconds of processor time that the database took meanwhile.
#[derive(Clone, Copy)]
pub struct Both {
    pub process: Cost,
    pub server: f64,
}

/// Long enough for the server to have waited for what it started for a client that is gone.
const REAPED: Duration = Duration::from_millis(500);

/// Loads the same rows in three layouts and compares both ways over each.
pub fn compare(binaries: &Binaries, folder: &Path, rows: u64, runs: u32) -> Result<Vec<Compared>> {
    let large = Large::new(crate::SEED, crate::PEOPLE, rows, crate::MONTHS, Form::Months)?;
    let cluster = Postgres::start()?;
    let (runtime, truth) = (Runtime::new()?, large.truth());
    // The export's folder has the small files; the rows are in the database.
    let records = folder.join("records");
    Large::new(crate::SEED, 10, 10, crate::MONTHS, Form::Months)?.write(&records)?;
    let own = std::env::current_exe()?;
    let mut compared = Vec::new();
    for (name, layout, words) in [
        ("plain", Layout::Plain, "one table"),
        ("parts", Layout::Partitioned(8), "8 hash partitions"),
        ("shards", Layout::Sharded, "two shards behind foreign tables"),
    ] {
        let address = runtime.block_on(large.load(&cluster, name, layout))?;
        let place = folder.join(name);
        let mut stage = Stage::set(binaries, &place, &records)?;
        stage.expect(truth.clone());
        configure(&stage, &cluster, name)?;
        let (mut node, mut pull) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            pull.push(both(&cluster, || {
                Ok(measure(&place, Cores::All, &own, ["pull", &address])?.0)
            })?);
            node.push(both(&cluster, || stage.answer(Tables::Contacts, Cores::All))?);
        }
        stage.strike()?;
        compared.push(Compared { layout: words, node: middle(&node)?, pull: middle(&pull)? });
    }
    Ok(compared)
}

fn both(cluster: &Postgres, run: impl FnOnce() -> Result<Cost>) -> Result<Both> {
    let now = || cluster.cpu_seconds().context("the server's processor time");
    let before = now()?;
    let process = run()?;
    std::thread::sleep(REAPED);
    Ok(Both { process, server: now()? - before })
}

fn middle(runs: &[Both]) -> Result<Both> {
    let processes: Vec<Cost> = runs.iter().map(|run| run.process).collect();
    let mut servers: Vec<f64> = runs.iter().map(|run| run.server).collect();
    servers.sort_by(f64::total_cmp);
    let server = servers.get(servers.len() / 2).copied().context("nothing was measured")?;
    Ok(Both { process: median(&processes)?, server })
}

/// Lets the node read from the database.
fn configure(stage: &Stage, cluster: &Postgres, database: &str) -> Result<()> {
    let socket = cluster.folder().display();
    let section = format!(
        "[records.postgres]\nhost = \"{socket}\"\ndatabase = \"{database}\"\n\
         user = \"{READER}\"\nschema = \"{SCHEMA}\"\n\n[budget]"
    );
    stage.configure("\nfolder = ", "\n# folder = ")?;
    stage.configure("\n[budget]", &format!("\n{section}"))
}
