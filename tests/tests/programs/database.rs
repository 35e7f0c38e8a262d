//! A node whose records are in PostgreSQL, operated as one whose records are files.

use crate::rights::ask;
use crate::stage::{ROUND, Setting, Stage, binaries, drawn};
use fellestall_tests::postgres::Postgres;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::fmt::Write;
use std::path::Path;

/// What a column of the standard export is in a database.
fn type_of(column: &str) -> &'static str {
    match column {
        "intake_date" | "exit_date" | "date" | "valid_until" | "withdrawn_on" | "moved_in"
        | "moved_out" | "from" | "to" | "month" => "date",
        "birth_year" | "dwelling_no" | "count" | "score" => "bigint",
        _ => "text",
    }
}

/// The statements that make and fill the tables of an export.
fn tables_of(export: &Path) -> String {
    let mut text = "create schema stat;".to_owned();
    for entry in std::fs::read_dir(export).expect("an export") {
        let path = entry.expect("a file").path();
        let table = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if path.extension().is_none_or(|end| end != "csv") || table == "control" {
            continue;
        }
        let mut reader = csv::Reader::from_path(&path).expect("a table");
        let columns: Vec<String> =
            reader.headers().expect("headers").iter().map(str::to_owned).collect();
        let typed: Vec<String> =
            columns.iter().map(|name| format!("\"{name}\" {}", type_of(name))).collect();
        write!(text, "create table stat.{table} ({});", typed.join(", ")).expect("a text");
        for record in reader.records() {
            let record = record.expect("a row");
            let cells: Vec<String> = columns
                .iter()
                .zip(record.iter())
                .map(|(name, cell)| match (name.as_str(), type_of(name), cell) {
                    (_, _, "") => "null".to_owned(),
                    (_, "date", "unknown") => "'-infinity'".to_owned(),
                    ("month", _, month) => format!("'{month}-01'"),
                    _ => format!("'{cell}'"),
                })
                .collect();
            write!(text, "insert into stat.{table} values ({});", cells.join(", "))
                .expect("a text");
        }
    }
    text
}

/// A view that says of every row what it is, as a careless function of its author may.
const TALKATIVE: &str = "alter table stat.stay rename to told;
    create function stat.tell(id text) returns text language plpgsql as $$ begin
        raise warning 'the row of %', id; raise notice 'the row of %', id; raise info 'the row of %', id;
        raise log 'the row of %', id; raise debug 'the row of %', id; return id; end $$;
    create view stat.stay as select stat.tell(participant_id) as participant_id, kind, \"from\", \"to\" from stat.told;";

fn fill(cluster: &Postgres, export: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut owner =
            PgConnection::connect(&cluster.address("postgres")).await.expect("a connection");
        let text = format!(
            "{} {TALKATIVE} create role reader login; grant usage on schema stat to reader; grant select on all tables in schema stat to reader",
            tables_of(export)
        );
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut owner).await.expect("the tables");
    });
}

/// Puts a database in the place of the folder.
fn turn_to(node: &Path, cluster: &Postgres) {
    let path = node.join("fellestall-node.toml");
    let text = std::fs::read_to_string(&path).expect("a configuration");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.retain(|line| !line.starts_with("folder = "));
    let at = lines.iter().position(|line| line == "[budget]").expect("a section");
    let host = cluster.folder().display();
    lines.insert(
        at,
        format!("[records.postgres]\nhost = \"{host}\"\ndatabase = \"postgres\"\nuser = \"reader\"\nschema = \"stat\"\n"),
    );
    std::fs::write(path, lines.join("\n")).expect("written");
}

/// Rows read and accepted of each table that is there.
fn totals(report: &str) -> Vec<(String, u64, u64)> {
    let report: Value = serde_json::from_str(report).expect("JSON");
    let tables = report["tables"].as_array().expect("tables").iter();
    let here = tables.filter(|table| table["present"] == true);
    here.map(|table| {
        let number = |name: &str| table[name].as_u64().expect("a number");
        let name = table["table"].as_str().expect("a name").to_owned();
        (name, number("read"), number("accepted"))
    })
    .collect()
}

#[test]
fn a_node_over_a_database_is_operated_like_one_over_files() {
    let stage = Stage::set(&Setting { log: Some("trace"), ..Setting::default() });
    let export = stage.write("4601", &drawn("4601"));
    let node = stage.init("4601", "4601", &export, &[]);
    stage.enrol(&node, "4601");
    stage.publish_study("2");
    let of_files = totals(&stage.must(&node, &["--json", "check-data"]));
    assert!(stage.must(&node, &["plan", "core"]).contains("the records are in"));

    let cluster = Postgres::start().expect("PostgreSQL");
    fill(&cluster, &export);
    turn_to(&node, &cluster);
    let checked = stage.must(&node, &["config", "check"]);
    assert!(checked.contains("the schema stat of postgres"), "{checked}");
    assert_eq!(totals(&stage.must(&node, &["--json", "check-data"])), of_files);
    assert!(stage.must(&node, &["check-data"]).contains("stat.participant"));

    // The study waits for a decision, and its purpose is not registered: it can be looked at.
    let plan = stage.must(&node, &["plan", "core"]);
    for word in
        ["-- S2", "-- S17", "$1", "Nothing was counted", "not in the register", "Seq Scan on"]
    {
        assert!(plan.contains(word), "no {word} in {plan}");
    }
    stage.register(&node);
    stage.must(&node, &["approve", "core"]);
    stage.must(&node, &["run", "--once"]);
    let status = stage.coordinate(&["--json", "round", "status", ROUND]);
    let status: Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["reported"], 1);

    // One participant's report, and what was said on the way: no identifier and no key.
    let people = std::fs::read_to_string(export.join("participant.csv")).expect("a table");
    let ids: Vec<&str> = people.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let id = *ids.first().expect("a participant");
    let told = ask(&stage, &node, &["person"], id);
    assert_eq!(told.code, Some(0), "{}", told.err);
    let key = std::fs::read(node.join("count.key")).expect("a key");
    let key = data_encoding::HEXLOWER.encode(&key);
    let said = stage.said().into_iter().map(|(_, ended)| ended.out + &ended.err);
    for said in said.chain([told.out + &told.err]) {
        for id in &ids {
            let shown = said.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            assert!(shown.into_iter().all(|word| word != *id), "{id} was said");
        }
        assert!(!said.contains(&key), "the key was said");
    }

    // Nobody's environment decides whom the connection trusts, or what its session is like.
    for name in ["PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGOPTIONS"] {
        let mut command = stage.command(&binaries().node, &node);
        let ended = stage.attempt(command.env(name, "").arg("check-data"));
        assert_eq!(ended.code, Some(1), "{name}");
        assert!(ended.err.contains(&format!("the variable {name} is set")), "{}", ended.err);
    }
    for name in
        ["PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSSLMODE"]
    {
        let mut command = stage.command(&binaries().node, &node);
        let ended = stage.attempt(command.env(name, "nothing").arg("check-data"));
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.err);
    }

    // The database goes away: nothing more is said than where it was.
    drop(cluster);
    let gone = stage.operate(&node, &["check-data"]);
    assert_eq!(gone.code, Some(1));
    assert!(gone.err.contains("cannot be reached"), "{}", gone.err);
}
