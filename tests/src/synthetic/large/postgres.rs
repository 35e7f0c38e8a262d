//! The rows of a large export in a PostgreSQL database, in the eight tables of the standard form.
//!
//! **Invariant:** the rows are those of the export, streamed and never all in memory.

use super::{Form, Large, SMALL_FILES, Style};
use crate::postgres::Postgres;
use anyhow::{Context, Result, ensure};
use sqlx::postgres::{PgConnection, PgCopyIn};
use sqlx::{AssertSqlSafe, Connection};

/// How the `contact` table is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One table.
    Plain,
    /// Hash partitions by participant, so many.
    Partitioned(u32),
    /// Two databases that each hold half of the participants, behind foreign tables.
    Sharded,
}

/// The schema that the tables are in.
pub const SCHEMA: &str = "fellestall";
/// A role that may read that schema, and nothing else.
pub const READER: &str = "reader";

const GRANT: &str = "
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN CREATE ROLE reader LOGIN; END IF;
END $$;
GRANT USAGE ON SCHEMA fellestall TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA fellestall TO reader";

/// The tables, besides `contact`; codes are texts, days are dates.
const TABLES: &str = r#"
CREATE TABLE participant (participant_id text PRIMARY KEY, intake_date date, birth_year integer, gender text,
    housing_at_intake text, specialist_follow_up text, substitution_treatment text, exit_date date, exit_reason text);
CREATE TABLE consent (participant_id text, purpose text, status text, mode text, date date, form_version text,
    valid_until date, withdrawn_on date);
CREATE TABLE tenancy (participant_id text, dwelling_no integer, tenure text, setting text, moved_in date,
    moved_out date, end_mode text, end_reason text);
CREATE TABLE stay (participant_id text, kind text, "from" date, "to" date);
CREATE TABLE complaint (participant_id text, date date, source text, kind text, three_way_meeting text);
CREATE TABLE baseline (participant_id text, date date, alcohol text, drugs text, mental_health text);
CREATE TABLE satisfaction (participant_id text, date date, item text, score integer);
"#;

impl Large {
    /// Makes `database` in the cluster and fills it; gives its address.
    ///
    /// # Errors
    /// What PostgreSQL answers, or if the extension for foreign tables is missing.
    pub async fn load(&self, cluster: &Postgres, database: &str, layout: Layout) -> Result<String> {
        let mut template = PgConnection::connect(&cluster.address("template1")).await?;
        create(&mut template, database).await?;
        let address = cluster.address(database);
        let mut front = PgConnection::connect(&address).await?;
        let schema = format!("CREATE SCHEMA {SCHEMA}; SET search_path TO {SCHEMA}");
        execute(&mut front, &schema).await?;
        execute(&mut front, TABLES).await?;
        for (name, write) in SMALL_FILES {
            let mut text = Vec::new();
            write(self, &mut text)?;
            let table = name.trim_end_matches(".csv");
            let copy = format!("COPY {table} FROM STDIN (FORMAT csv, HEADER)");
            let mut copy = front.copy_in_raw(&copy).await?;
            copy.send(text).await?;
            copy.finish().await?;
        }
        let columns = self.columns();
        match layout {
            Layout::Plain => {
                execute(&mut front, &format!("CREATE TABLE contact {columns}")).await?;
                self.copy(&mut front, "contact").await?;
            }
            Layout::Partitioned(parts) => {
                self.parts(&mut front, "contact", parts).await?;
                self.copy(&mut front, "contact").await?;
            }
            Layout::Sharded => {
                self.shard(cluster, &mut template, &mut front, database).await?;
            }
        }
        execute(&mut front, &format!("{GRANT}; ANALYZE")).await?;
        front.close().await?;
        template.close().await?;
        Ok(address)
    }

    fn columns(&self) -> &'static str {
        match self.form {
            Form::Months => {
                "(participant_id text, month date, category text, count integer, recorded text)"
            }
            Form::Events => "(participant_id text, date date, category text)",
        }
    }

    /// A table in hash partitions `NAME_0`, `NAME_1` and so on.
    async fn parts(&self, to: &mut PgConnection, name: &str, parts: u32) -> Result<()> {
        let columns = self.columns();
        execute(to, &format!("CREATE TABLE {name} {columns} PARTITION BY HASH (participant_id)"))
            .await?;
        for part in 0..parts {
            let values = format!("FOR VALUES WITH (MODULUS {parts}, REMAINDER {part})");
            execute(to, &format!("CREATE TABLE {name}_{part} PARTITION OF {name} {values}"))
                .await?;
        }
        Ok(())
    }

    /// Two databases `NAME_0` and `NAME_1`, each with the rows whose participants hash to it, and a
    /// table in front of them.
    async fn shard(
        &self,
        cluster: &Postgres,
        template: &mut PgConnection,
        front: &mut PgConnection,
        name: &str,
    ) -> Result<()> {
        let socket = cluster.folder().display();
        let columns = self.columns();
        execute(front, "CREATE EXTENSION postgres_fdw").await.context("postgres_fdw")?;
        execute(
            front,
            &format!("CREATE TABLE contact {columns} PARTITION BY HASH (participant_id)"),
        )
        .await?;
        for shard in 0..2_u32 {
            let database = format!("{name}_{shard}");
            create(template, &database).await?;
            let mut own = PgConnection::connect(&cluster.address(&database)).await?;
            // PostgreSQL's own hash says which rows are here; the other half goes away again.
            self.parts(&mut own, "everything", 2).await?;
            self.copy(&mut own, "everything").await?;
            let kept = format!(
                "ALTER TABLE everything DETACH PARTITION everything_{shard}; DROP TABLE everything; \
                 ALTER TABLE everything_{shard} RENAME TO contact; ANALYZE"
            );
            execute(&mut own, &kept).await?;
            own.close().await?;
            execute(
                front,
                &format!(
                    "CREATE SERVER shard_{shard} FOREIGN DATA WRAPPER postgres_fdw \
                     OPTIONS (host '{socket}', dbname '{database}', fetch_size '10000', \
                     use_remote_estimate 'true', async_capable 'true'); \
                     CREATE USER MAPPING FOR PUBLIC SERVER shard_{shard} OPTIONS (user 'test', password_required 'false'); \
                     CREATE FOREIGN TABLE contact_{shard} PARTITION OF contact \
                     FOR VALUES WITH (MODULUS 2, REMAINDER {shard}) \
                     SERVER shard_{shard} OPTIONS (schema_name 'public', table_name 'contact')"
                ),
            )
            .await?;
        }
        Ok(())
    }

    /// Streams the contact rows into a table.
    async fn copy(&self, to: &mut PgConnection, table: &str) -> Result<()> {
        let copy = format!("COPY {table} FROM STDIN (FORMAT csv)");
        let mut copy: PgCopyIn<&mut PgConnection> = to.copy_in_raw(&copy).await?;
        for rows in self.chunks() {
            let mut chunk = Vec::new();
            self.contacts(rows, Style::Database, &mut chunk);
            copy.send(chunk).await?;
        }
        let stored = copy.finish().await?;
        ensure!(stored == self.rows, "{stored} of {} rows are in the database", self.rows);
        Ok(())
    }
}

async fn create(template: &mut PgConnection, database: &str) -> Result<()> {
    execute(template, &format!("CREATE DATABASE {database}")).await
}

async fn execute(to: &mut PgConnection, statements: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(to).await?;
    Ok(())
}
