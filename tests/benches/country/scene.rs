//! One PostgreSQL, the programs, and what is measured of both instances together.

use crate::print;
use crate::usage::{self, Usage};
use anyhow::{Context, Result, ensure};
use fellestall_coordinator::template::{self, Sharing, Wish};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::privacy::Rho;
use fellestall_shared::wire::v1::{Residence, StudyDocument};
use fellestall_tests::instances::Instance;
use fellestall_tests::postgres::Postgres;
use fellestall_tests::process::Binaries;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What both parts stand on.
pub struct Stage {
    pub cluster: Postgres,
    pub binaries: Binaries,
    pub folder: TempDir,
}

/// What every part has used by now.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub instances: Vec<Usage>,
    pub postgres: Usage,
    pub own: Usage,
    pub at: Instant,
}

impl Stage {
    pub fn set() -> Result<Self> {
        let binaries = Binaries::build()?;
        let (cluster, folder) = (Postgres::start()?, tempfile::tempdir()?);
        sqlx::any::install_default_drivers();
        Ok(Self { cluster, binaries, folder })
    }

    /// A new database, and its address.
    pub async fn database(&self, name: &str) -> Result<String> {
        let mut connection = AnyConnection::connect(&self.cluster.address("postgres")).await?;
        let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&mut connection).await?;
        connection.close().await?;
        Ok(self.cluster.address(name))
    }

    /// Two instances of the coordinator in a directory, which run.
    pub fn instances(&self, original: &Path, name: &str) -> Result<Vec<Instance>> {
        let mut instances = Vec::new();
        for number in 1..=2 {
            let directory = self.folder.path().join(format!("{name}-{number}"));
            let mut instance = Instance::copy(original, directory, &self.binaries)?;
            instance.start()?;
            instances.push(instance);
        }
        Ok(instances)
    }

    pub fn snapshot(&self, instances: &[Instance]) -> Result<Snapshot> {
        let mut used = Vec::new();
        for instance in instances {
            let service = instance.service.as_ref().context("a running instance")?;
            used.push(usage::of(service.id())?);
        }
        let postgres = usage::of_all(self.cluster.id())?;
        let own = usage::of(std::process::id())?;
        Ok(Snapshot { instances: used, postgres, own, at: Instant::now() })
    }

    /// Closes a round by the operator's command, and tells what it took.
    pub fn close(&self, directory: &Path, round: &str) -> Result<()> {
        let before = usage::of_all(self.cluster.id())?;
        let started = Instant::now();
        let mut command = Command::new(&self.binaries.coordinator)
            .arg("--dir")
            .arg(directory)
            .args(["round", "close", round])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let mut used = Usage::default();
        let status = loop {
            // It never shrinks: the last look before the end is close to it.
            if let Ok(now) = usage::of(command.id()).and_then(|now| {
                ensure!(now.peak > 0, "it has ended");
                Ok(now)
            }) {
                used = now;
            }
            if let Some(status) = command.try_wait()? {
                break status;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        ensure!(status.success(), "the round was not closed");
        let after = usage::of_all(self.cluster.id())?;
        print(&format!(
            "  close and publish     {:.2} s; the command {:.2} CPU s and {}, PostgreSQL {:.2} CPU s",
            started.elapsed().as_secs_f64(),
            used.cpu.as_secs_f64(),
            mebibytes(used.peak),
            after.cpu.saturating_sub(before.cpu).as_secs_f64(),
        ));
        Ok(())
    }

    /// The size of a database, and of the publication in it.
    pub async fn sizes(&self, name: &str) -> Result<()> {
        let mut connection = AnyConnection::connect(&self.cluster.address(name)).await?;
        let row = sqlx::query(
            "SELECT pg_database_size(current_database()) AS whole,
                 (SELECT CAST(SUM(LENGTH(document)) AS BIGINT) FROM publication) AS document,
                 (SELECT CAST(SUM(LENGTH(bundle)) AS BIGINT) FROM publication) AS bundle,
                 (SELECT CAST(AVG(LENGTH(envelope)) AS BIGINT) FROM release) AS release",
        )
        .fetch_one(&mut connection)
        .await?;
        let size =
            |column: &str| -> Result<u64> { Ok(u64::try_from(row.try_get::<i64, _>(column)?)?) };
        print(&format!(
            "  stored                database {}, a release {} bytes, publication {}, with all releases {}",
            mebibytes(size("whole")?),
            size("release")?,
            mebibytes(size("document")?),
            mebibytes(size("bundle")?),
        ));
        connection.close().await?;
        Ok(())
    }
}

/// Tells what every part used between two moments, for so many nodes.
pub fn tell(before: &Snapshot, after: &Snapshot, nodes: usize, own: &str) {
    let per = |time: Duration| {
        let nodes = f64::from(u32::try_from(nodes.max(1)).unwrap_or(u32::MAX));
        format!(
            "{:.2} CPU s ({:.2} ms a node)",
            time.as_secs_f64(),
            time.as_secs_f64() * 1e3 / nodes
        )
    };
    for (number, (before, after)) in before.instances.iter().zip(&after.instances).enumerate() {
        let used = per(after.cpu.saturating_sub(before.cpu));
        let number = number.saturating_add(1);
        print(&format!(
            "  instance {number}            {used}, {} at the most",
            mebibytes(after.peak)
        ));
    }
    let used = per(after.postgres.cpu.saturating_sub(before.postgres.cpu));
    let peak = mebibytes(after.postgres.peak);
    print(&format!("  PostgreSQL            {used}, {peak} at the most"));
    let used = per(after.own.cpu.saturating_sub(before.own.cpu));
    print(&format!("  {own:<21} {used}, {} at the most", mebibytes(after.own.peak)));
}

pub fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1024 * 1024))
}

/// The core set, with the loss that a template has.
pub fn study() -> Result<StudyDocument> {
    let wish = Wish {
        statistics: Vec::new(),
        rho: Rho::from_micro(125_000),
        starts: "2014-01-01".to_owned(),
        ends: "2099-12-31".to_owned(),
        minimum_nodes: 2,
        municipal_figures: false,
        residence: Residence::Anywhere,
        sharing: Sharing::default(),
    };
    let catalogue = Catalogue::builtin().map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(template::study(&wish, catalogue)?)
}
