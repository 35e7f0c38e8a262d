//! Counting where the rows are, against pulling every row to the node.
//!
//! **Invariant:** both read the same tables of the same cluster, in one run.

use crate::measure::{Cores, Cost, measure, median};
use crate::stage::{Stage, Tables};
use anyhow::Result;
use fellestall_tests::postgres::Postgres;
use fellestall_tests::process::Binaries;
use fellestall_tests::synthetic::large::postgres::{Layout, READER, SCHEMA};
use fellestall_tests::synthetic::large::{Form, Large};
use std::path::Path;
use tokio::runtime::Runtime;

/// What one layout took: the node, where it can, and the program that pulls.
pub struct Compared {
    pub layout: &'static str,
    pub node: Option<Cost>,
    pub pull: Cost,
}

/// Loads the same rows in three layouts and compares both ways over each.
pub fn compare(binaries: &Binaries, folder: &Path, rows: u64, runs: u32) -> Result<Vec<Compared>> {
    let large = Large::new(crate::SEED, crate::PEOPLE, rows, crate::MONTHS, Form::Months)?;
    let cluster = Postgres::start()?;
    let runtime = Runtime::new()?;
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
        let knows = configure(&stage, &cluster, name)?;
        let (mut node, mut pull) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            pull.push(measure(&place, Cores::All, &own, ["pull", &address])?.0);
            if knows {
                node.push(stage.answer(Tables::Contacts, Cores::All)?);
            }
        }
        stage.strike()?;
        let node = if knows { Some(median(&node)?) } else { None };
        compared.push(Compared { layout: words, node, pull: median(&pull)? });
    }
    Ok(compared)
}

/// Lets the node read from the database; `false` if this version of the node cannot.
fn configure(stage: &Stage, cluster: &Postgres, database: &str) -> Result<bool> {
    let socket = cluster.socket().display();
    let section = format!(
        "[records.postgres]\nhost = \"{socket}\"\ndatabase = \"{database}\"\n\
         user = \"{READER}\"\nschema = \"{SCHEMA}\"\n\n[budget]"
    );
    stage.configure("\nfolder = ", "\n# folder = ")?;
    stage.configure("\n[budget]", &format!("\n{section}"))?;
    Ok(stage.is_configured())
}
