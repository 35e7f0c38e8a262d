//! D20 for a round with shared tables: the marks are in nothing that the three programs leave, say or
//! send, in whatever layers of base64 it is packed.

use super::{Found, MARKS, PAGES, Place, files, look_around, mark, places, run_until_released};
use crate::memory::{frozen, of};
use crate::pair::{Helper, column, database};
use crate::stage::{ROUND, Setting, Stage, drawn};
use data_encoding::BASE64;
use fellestall_node::engine;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::path::{Path, PathBuf};

/// Of the core tables one has both noises, and the others shared noise alone.
const TABLES: [&str; 4] = ["--both", "S2", "--shared", "S4,S5,S7,S14,S17"];
/// Layers of base64 that are taken off: a share in a signed payload has two.
const LAYERS: usize = 4;
/// Characters of base64 in a row that are taken for base64.
const RUN: usize = 16;

/// What is packed in base64, taken out layer by layer.
fn unpacked(bytes: &[u8], layers: usize) -> Vec<Vec<u8>> {
    let is_sign = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let runs = bytes.split(|byte| !is_sign(byte)).filter(|run| run.len() >= RUN);
    let decoded = runs.filter_map(|run| BASE64.decode(run).ok());
    let inner = |part: Vec<u8>| {
        let mut all = if layers > 1 { unpacked(&part, layers - 1) } else { Vec::new() };
        all.push(part);
        all
    };
    decoded.flat_map(inner).collect()
}

fn names(database: &Connection, kind: &str) -> Vec<String> {
    column(database, &format!("SELECT name FROM sqlite_schema WHERE type = '{kind}'"))
}

/// Every value in every table of a database, whole, with what is packed in it: the messages that were
/// sent and taken, as their bodies were.
fn rows(path: &Path, found: &mut Found) {
    let database = database(path);
    for table in names(&database, "table") {
        let mut bytes = Vec::new();
        let mut statement = database.prepare(&format!("SELECT * FROM {table}")).expect("a table");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for column in 0..columns {
                if let ValueRef::Text(value) | ValueRef::Blob(value) =
                    row.get_ref(column).expect("a value")
                {
                    bytes.extend_from_slice(value);
                    bytes.push(b'\n');
                    for part in unpacked(value, LAYERS) {
                        bytes.extend(part);
                        bytes.push(b'\n');
                    }
                }
            }
        }
        found.insert(format!("{}: {table}", path.display()), Place::of(&bytes));
    }
}

/// Everything in the stage's folder, and every row of every database.
fn everything(stage: &Stage, nodes: &[PathBuf], helper: &Path) -> Found {
    let root = stage.coordinator().parent().expect("a folder").to_owned();
    let mut found = Found::new();
    files(&root, &root.join("exports"), &mut found);
    for (number, (command, ended)) in stage.said().into_iter().enumerate() {
        let said = [ended.out, ended.err].concat();
        found.insert(format!("{number} {command}"), Place::of(said.as_bytes()));
    }
    for node in nodes {
        rows(&node.join(engine::LEDGER), &mut found);
    }
    rows(&stage.coordinator().join("coordinator.db"), &mut found);
    rows(&helper.join("helper.db"), &mut found);
    found
}

/// Gives every command that shows something of the aggregation, on both sides, in both forms.
fn look_around_servers(stage: &Stage, helper: &Helper) {
    for command in [&["participants"][..], &["status"], &["audit"], &["card"]] {
        helper.must(stage, command);
    }
    let version = format!("{ROUND}.v1");
    let bundle = stage.path("bundle.json").display().to_string();
    for command in [
        &["aggregation", "helper"][..],
        &["aggregation", "roster"],
        &["round", "status", ROUND],
        &["nodes", "list"],
        &["audit"],
        &["publications", "list"],
        &["publications", "export", &version, "--as", "json"],
        &["publications", "export", &version, "--as", "text"],
        &["report", "--period", "2016H2"],
    ] {
        stage.coordinate(command);
        stage.coordinate(&[&["--json"], command].concat());
    }
    let export = ["publications", "export", &version, "--as", "bundle", "--out", &bundle];
    stage.coordinate(&export);
    stage.coordinate(&["verify", &bundle]);
}

/// A leak of each kind that is searched for, where it would be: each must be found.
fn plant(stage: &Stage, node: &Path, helper: &Path) -> Vec<(&'static str, String)> {
    let pack = |mark: &str, layers: usize| {
        (0..layers).fold(format!("{{\"share\":\"{mark}\"}}"), |inner, _| {
            format!("{{\"payload\":\"{}\"}}", BASE64.encode(inner.as_bytes()))
        })
    };
    let change = |path: PathBuf, change: &str, value: &[u8]| {
        let database = Connection::open(path).expect("a database");
        // What a program wrote cannot be changed: that is not what is tried here.
        for trigger in names(&database, "trigger") {
            database.execute_batch(&format!("DROP TRIGGER {trigger}")).expect("dropped");
        }
        assert!(database.execute(change, [value]).expect("changed") > 0, "{change}");
    };
    let [id, form, purpose, cell, count] = MARKS;
    let store = stage.coordinator().join("coordinator.db");
    let leaders = "UPDATE report SET envelope = ?1";
    change(store, leaders, pack(id, 3).as_bytes());
    change(helper.join("helper.db"), "UPDATE batch SET half = ?1", cell.as_bytes());
    change(node.join(engine::LEDGER), "UPDATE report SET body = ?1", pack(form, 2).as_bytes());
    std::fs::write(stage.path("tmp/left"), purpose).expect("written");
    let log = stage.path("logs/helper.log");
    let text = std::fs::read_to_string(&log).expect("a log");
    std::fs::write(&log, format!("{text}TRACE count={count}\n")).expect("written");
    vec![
        (id, "coordinator.db: report".to_owned()),
        (cell, "helper.db: batch".to_owned()),
        (form, "ledger.sqlite: report".to_owned()),
        (purpose, "tmp/left".to_owned()),
        (count, "logs/helper.log".to_owned()),
    ]
}

#[test]
fn d20_no_canary_leaves_the_records_of_a_round_with_shared_tables() {
    let mut stage = Stage::set(&Setting { log: Some("trace"), ..Setting::default() });
    let mut helper = Helper::found(&stage);
    let mut nodes = Vec::new();
    for (number, broken, rejected) in
        [("4601", true, "skip"), ("1108", true, "refuse"), ("0301", false, "refuse")]
    {
        let export = stage.write(number, &drawn(number));
        mark(&export, broken);
        let node = stage.init(number, number, &export, &["--rejected-rows", rejected]);
        stage.enrol(&node, number);
        nodes.push(node);
    }
    helper.open_round(&stage, &TABLES);
    for node in &nodes {
        stage.register(node);
        stage.must(node, &["preview", "core"]);
        stage.must(node, &["--json", "approve", "core"]);
    }
    run_until_released(&stage, &nodes[2]);
    assert_eq!(stage.operate(&nodes[0], &["run", "--once"]).code, Some(0));
    let refused = stage.operate(&nodes[1], &["run", "--once"]);
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    for node in &nodes {
        look_around(&stage, node);
    }
    stage.coordinate(&["round", "close", ROUND]);
    look_around_servers(&stage, &helper);

    let mut found = Found::new();
    for page in PAGES {
        let answer = stage.fetch(page);
        assert!(answer.starts_with("HTTP/1.1 200"), "{page}: {answer}");
        found.insert(format!("page {page}"), Place::of(answer.as_bytes()));
    }
    // While both servers run, so that the write-ahead logs of their stores are searched too; and after.
    let second = helper.directory().to_owned();
    found.extend(everything(&stage, &nodes, &second));
    let servers = [("coordinator", &stage.service), ("helper", &helper.service)];
    for (who, service) in servers {
        let process = service.as_ref().expect("it runs").id();
        let memory = frozen(process, || of(process)).concat();
        found.insert(format!("memory of the {who}"), Place::of(&memory));
    }
    stage.service.take().expect("it runs").stop().expect("an orderly end");
    helper.service.take().expect("it runs").stop().expect("an orderly end");
    let later = everything(&stage, &nodes, &second);
    found.extend(later.into_iter().map(|(name, place)| (format!("{name} (after the end)"), place)));

    let mut records = Found::new();
    files(&stage.path("exports"), Path::new(""), &mut records);
    for mark in MARKS {
        assert!(!places(&records, mark).is_empty(), "{mark} is not in the exports");
    }
    // What stands in the messages is found in all three stores, through every layer.
    let task = "public_share";
    let known = places(&found, task);
    for wanted in ["ledger.sqlite: report", "coordinator.db: report"] {
        assert!(known.iter().any(|place| place.contains(wanted)), "{task} is not in {wanted}");
    }
    let known = places(&found, ROUND);
    for wanted in [
        "memory of the coordinator",
        "memory of the helper",
        "helper.db: task",
        "helper.log",
        "coordinator.log",
        "page /publications/",
    ] {
        assert!(known.iter().any(|place| place.contains(wanted)), "{ROUND} is not in {wanted}");
    }

    for mark in MARKS {
        let hits = places(&found, mark);
        assert!(hits.is_empty(), "{mark} is in {hits:#?}");
    }
    let bytes: usize = found.values().map(|place| place.text.len()).sum();
    println!("{} places, {bytes} bytes, none of {} marks", found.len(), MARKS.len());

    let planted = plant(&stage, &nodes[0], &second);
    let leaking = everything(&stage, &nodes, &second);
    for (mark, wanted) in planted {
        let hits = places(&leaking, mark);
        assert!(hits.iter().any(|place| place.contains(&wanted)), "{mark} is not seen in {wanted}");
    }
}
