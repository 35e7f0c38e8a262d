//! The tables, and how an older database is brought to them.
//!
//! **Invariant:** a migration that was released is never changed; each runs once, in one
//! transaction with its version number; a database from the future is refused.

use super::{Dialect, Store, StoreError};
use sqlx::{AssertSqlSafe, Row};

/// One step: the statements for both, then those for each alone.
pub(crate) struct Migration {
    pub common: &'static str,
    pub sqlite: &'static [&'static str],
    pub postgres: &'static [&'static str],
}

/// All steps; the version of a database is the number of steps it has taken.
pub(super) const MIGRATIONS: &[Migration] =
    &[FIRST, WITNESSES, PRESENTATIONS, STAFF, AGGREGATION, INSTANCES];

/// Everything up to the first publication.
const FIRST: Migration = Migration {
    common: include_str!("schema/1.sql"),
    sqlite: &[
        "CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END",
        "CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END",
        "CREATE TRIGGER publication_keeps BEFORE UPDATE ON publication BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER publication_stays BEFORE DELETE ON publication BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER release_keeps BEFORE UPDATE ON release BEGIN SELECT RAISE(ABORT, 'immutable'); END",
    ],
    postgres: &[
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'append only'; END $$",
        "CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER publication_keeps BEFORE UPDATE OR DELETE ON publication FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER release_keeps BEFORE UPDATE ON release FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ],
};

/// Where each node stood when it was countersigned, and the links of its ledger.
const WITNESSES: Migration = Migration {
    common: include_str!("schema/2.sql"),
    sqlite: &[
        "CREATE TRIGGER witness_keeps BEFORE UPDATE ON witness BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER witness_stays BEFORE DELETE ON witness BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER place_keeps BEFORE UPDATE ON ledger_place BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER place_stays BEFORE DELETE ON ledger_place BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER link_keeps BEFORE UPDATE ON ledger_link BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER link_stays BEFORE DELETE ON ledger_link BEGIN SELECT RAISE(ABORT, 'immutable'); END",
    ],
    postgres: &[
        "CREATE TRIGGER witness_keeps BEFORE UPDATE OR DELETE ON witness FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER place_keeps BEFORE UPDATE OR DELETE ON ledger_place FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER link_keeps BEFORE UPDATE OR DELETE ON ledger_link FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ],
};

/// How publications are shown, and what readers have saved.
const PRESENTATIONS: Migration = Migration {
    common: include_str!("schema/3.sql"),
    sqlite: &[
        "CREATE TRIGGER presentation_keeps BEFORE UPDATE ON presentation BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER presentation_stays BEFORE DELETE ON presentation BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER presented_keeps BEFORE UPDATE ON presented_table BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER presented_stays BEFORE DELETE ON presented_table BEGIN SELECT RAISE(ABORT, 'immutable'); END",
    ],
    postgres: &[
        "CREATE TRIGGER presentation_keeps BEFORE UPDATE OR DELETE ON presentation FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER presented_keeps BEFORE UPDATE OR DELETE ON presented_table FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ],
};

/// Who may use the administration pages, who is signed in, and who did what.
const STAFF: Migration =
    Migration { common: include_str!("schema/4.sql"), sqlite: &[], postgres: &[] };

/// The leader's side of secure aggregation: what was reported, verified and opened.
const AGGREGATION: Migration = Migration {
    common: include_str!("schema/5.sql"),
    sqlite: &[
        "CREATE TRIGGER task_keeps BEFORE UPDATE OF task, round, envelope, created ON task BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER acceptance_keeps BEFORE UPDATE ON task WHEN OLD.accepted IS NOT NULL BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER task_stays BEFORE DELETE ON task BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER batch_keeps BEFORE UPDATE OF task, batch, accumulator, count, checksum, claimed ON batch WHEN OLD.claimed IS NOT NULL BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER opened_keeps BEFORE UPDATE ON batch WHEN OLD.opened IS NOT NULL BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER batch_stays BEFORE DELETE ON batch BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER job_keeps BEFORE UPDATE OF task, job, batch, request, made ON job BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER done_keeps BEFORE UPDATE ON job WHEN OLD.done IS NOT NULL BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER job_stays BEFORE DELETE ON job BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER report_keeps BEFORE UPDATE OF release, task, node, municipality, digest, envelope, received ON report BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER report_decided BEFORE UPDATE ON report WHEN OLD.state <> 'waiting' BEGIN SELECT RAISE(ABORT, 'immutable'); END",
        "CREATE TRIGGER report_stays BEFORE DELETE ON report BEGIN SELECT RAISE(ABORT, 'immutable'); END",
    ],
    postgres: &[
        "CREATE TRIGGER task_keeps BEFORE UPDATE OF task, round, envelope, created ON task FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER acceptance_keeps BEFORE UPDATE ON task FOR EACH ROW WHEN (OLD.accepted IS NOT NULL) EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER task_stays BEFORE DELETE ON task FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER batch_keeps BEFORE UPDATE OF task, batch, accumulator, count, checksum, claimed ON batch FOR EACH ROW WHEN (OLD.claimed IS NOT NULL) EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER opened_keeps BEFORE UPDATE ON batch FOR EACH ROW WHEN (OLD.opened IS NOT NULL) EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER batch_stays BEFORE DELETE ON batch FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER job_keeps BEFORE UPDATE OF task, job, batch, request, made ON job FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER done_keeps BEFORE UPDATE ON job FOR EACH ROW WHEN (OLD.done IS NOT NULL) EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER job_stays BEFORE DELETE ON job FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER report_keeps BEFORE UPDATE OF release, task, node, municipality, digest, envelope, received ON report FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER report_decided BEFORE UPDATE ON report FOR EACH ROW WHEN (OLD.state <> 'waiting') EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER report_stays BEFORE DELETE ON report FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    ],
};

/// What several instances share beside the rounds: leases, what tells their directories apart, and who
/// fails to sign in; and what is looked up among many nodes.
const INSTANCES: Migration =
    Migration { common: include_str!("schema/6.sql"), sqlite: &[], postgres: &[] };

/// An arbitrary number that names our advisory lock in PostgreSQL.
const LOCK: i64 = 0x66_65_6c_6c;

/// Brings the schema to this program's version.
pub(super) async fn migrate(store: &Store, migrations: &[Migration]) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    if store.dialect == Dialect::Postgres {
        // Held until the transaction ends: one process migrates, the others wait and find it done.
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(LOCK)
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)")
        .execute(&mut *transaction)
        .await?;
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_version")
        .fetch_one(&mut *transaction)
        .await?;
    let found: i64 = row.try_get("version")?;
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Future { found, known });
    }
    for (version, migration) in (1_i64..).zip(migrations).filter(|(version, _)| *version > found) {
        let (blob, serial, own) = match store.dialect {
            Dialect::Sqlite => ("BLOB", "INTEGER PRIMARY KEY AUTOINCREMENT", migration.sqlite),
            Dialect::Postgres => {
                ("BYTEA", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", migration.postgres)
            }
        };
        let common = migration.common.replace("{blob}", blob).replace("{serial}", serial);
        let statements = common.split(';').map(str::trim).filter(|text| !text.is_empty());
        for statement in statements.chain(own.iter().copied()) {
            // Only the texts above; nothing from outside.
            sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut *transaction).await?;
        }
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}
