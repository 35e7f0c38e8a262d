//! What stands in the records and nowhere else: marks that no program may leave behind.
//!
//! **Invariant:** the search is shown to find: every mark in the exports, and other text in
//! everything that is searched.

mod shared;

use crate::stage::{ROUND, Setting, Stage, drawn};
use data_encoding::{BASE64, HEXLOWER};
use fellestall_tests::process::Service;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// In every participant's identifier.
pub const PARTICIPANT: &str = "kanari-deltaker-7f3e91";
/// The version of the form of further consents; those that count are on one that the register names.
const FORM: &str = "kanari-skjema-91c2d4";
/// The purpose of further consents.
const PURPOSE: &str = "kanari-formaal-5d20aa";
/// A cell that no rule accepts.
const CELL: &str = "kanari-celle-e8b47c";
/// A count that is a possible one.
const COUNT: &str = "3987654321";
const MARKS: [&str; 5] = [PARTICIPANT, FORM, PURPOSE, CELL, COUNT];

/// Public pages of the one publication.
const PAGES: [&str; 18] = [
    "/nb/",
    "/nb/tables",
    "/nb/tables/core-S2",
    "/nb/tables/core-S2/difference",
    "/nb/method",
    "/nb/api",
    "/nb/publications",
    "/nb/publications/core.1.2016H2.v1",
    "/publications",
    "/publications/core.1.2016H2.v1.json",
    "/publications/core.1.2016H2.v1.csv",
    "/nb/feed.atom",
    "/catalog.ttl",
    "/api/v2/tables",
    "/api/v2/tables/core-S2/metadata",
    "/api/v2/tables/core-S2/data",
    "/api/v2/tables/core-S2/data?outputFormat=csv",
    "/api/v2/tables/core-S2/data?outputFormat=px",
];

/// Everything that was said, written or served, by where it was found.
pub type Found = BTreeMap<String, Place>;

/// One table of an export, changed row by row.
fn change(folder: &Path, name: &str, change: impl Fn(&mut BTreeMap<String, String>)) {
    let path = folder.join(name);
    let mut reader = csv::Reader::from_path(&path).expect("a table");
    let heads = reader.headers().expect("headers").clone();
    let rows: Vec<BTreeMap<String, String>> =
        reader.deserialize().map(|row| row.expect("a row")).collect();
    let mut writer = csv::Writer::from_path(&path).expect("a table");
    writer.write_record(&heads).expect("written");
    for mut row in rows {
        change(&mut row);
        writer.write_record(heads.iter().map(|head| &row[head])).expect("written");
    }
    writer.flush().expect("written");
}

fn append(folder: &Path, name: &str, rows: &[String]) {
    let path = folder.join(name);
    let mut text = std::fs::read_to_string(&path).expect("a table");
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    std::fs::write(&path, text).expect("written");
}

/// Marks an export; `broken` also puts cells in it that no rule accepts.
pub fn mark(folder: &Path, broken: bool) {
    for file in [
        "baseline.csv",
        "complaint.csv",
        "consent.csv",
        "contact.csv",
        "participant.csv",
        "satisfaction.csv",
        "stay.csv",
        "tenancy.csv",
    ] {
        change(folder, file, |row| {
            let id = row["participant_id"].clone();
            row.insert("participant_id".to_owned(), format!("{PARTICIPANT}-{id}"));
        });
    }
    let people = csv::Reader::from_path(folder.join("participant.csv"))
        .expect("a table")
        .records()
        .map(|row| row.expect("a row")[0].to_owned())
        .collect::<Vec<_>>();
    let other = |id: &String| format!("{id},{PURPOSE},given,written,2016-01-04,{FORM},,");
    append(folder, "consent.csv", &people.iter().map(other).collect::<Vec<_>>());
    let person = people.last().expect("a participant");
    append(folder, "contact.csv", &[format!("{person},2016-11,team_in_person,{COUNT},yes")]);
    if broken {
        let rows = [
            ("tenancy.csv", format!("{person},9,{CELL},scattered,2016-01-01,,,")),
            ("tenancy.csv", format!("{PARTICIPANT}-nobody,1,private,scattered,2016-01-01,,,")),
            ("complaint.csv", format!("{person},{CELL},neighbour,noise,yes")),
            ("contact.csv", format!("{person},2016-11,team_in_person,{CELL},yes")),
            ("satisfaction.csv", format!("{person},2016-11-03,life,{CELL}")),
            ("stay.csv", format!("{person},prison,2016-01-01,2016-01-02,{CELL},{CELL}")),
            ("baseline.csv", format!("{person},2016-02-30,severe,\"{CELL}\",none")),
        ];
        for (file, row) in rows {
            append(folder, file, &[row]);
        }
    }
}

/// One thing that was searched, made ready once: bytes that are no text stand as one sign.
pub struct Place {
    text: String,
    lower: String,
    base64: String,
}

impl Place {
    pub fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let base64 = text.replace('-', "+").replace('_', "/");
        Self { lower: text.to_ascii_lowercase(), base64, text }
    }

    /// Whether a text is here: as it is, in hexadecimal, or in base64 of either alphabet.
    fn holds(&self, wanted: &str) -> bool {
        let lower = wanted.to_ascii_lowercase();
        let coded = |form: &String| self.text.contains(form) || self.base64.contains(form);
        self.lower.contains(&lower)
            || self.lower.contains(&HEXLOWER.encode(wanted.as_bytes()))
            || in_base64(wanted).iter().any(coded)
    }
}

/// How a text looks inside of base64, from each of the three places where it may begin.
fn in_base64(text: &str) -> [String; 3] {
    [0, 1, 2].map(|shift| {
        let bytes = [&[0_u8; 2][..shift], text.as_bytes()].concat();
        // The first character or two, and the last, also hold bits of what stands beside.
        let within = (shift * 8).div_ceil(6)..bytes.len() * 8 / 6;
        BASE64.encode(&bytes)[within].to_owned()
    })
}

/// Where a text is found, in any of its forms.
pub fn places<'f>(found: &'f Found, text: &str) -> Vec<&'f str> {
    let found = found.iter().filter(|(_, place)| place.holds(text));
    found.map(|(name, _)| name.as_str()).collect()
}

/// Every file below a folder, but for those in `except`; names count as content.
pub fn files(folder: &Path, except: &Path, found: &mut Found) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path == except {
            continue;
        }
        let mut bytes = path.as_os_str().as_encoded_bytes().to_vec();
        if path.is_dir() {
            files(&path, except, found);
        } else {
            bytes.extend(std::fs::read(&path).expect("a file"));
        }
        found.insert(path.display().to_string(), Place::of(&bytes));
    }
}

/// Gives every command that shows something, in both forms.
fn look_around(stage: &Stage, node: &Path) {
    let commands: [&[&str]; 12] = [
        &["config", "check"],
        &["register", "list"],
        &["register", "check"],
        &["check-data"],
        &["studies"],
        &["preview", "core"],
        &["status"],
        &["releases"],
        &["run", "--once"],
        &["releases", "--show", ""],
        &["log", "list"],
        &["log", "verify"],
    ];
    for command in commands {
        stage.operate(node, command);
        stage.operate(node, &[&["--json"], command].concat());
    }
}

fn run_until_released(stage: &Stage, node: &Path) -> PathBuf {
    let log = stage.path("logs/node.log");
    let mut command = stage.command(&crate::stage::binaries().node, node);
    let mut service =
        Service::spawn(command.args(["--json", "run"]), &log).expect("a running node");
    let deadline = Instant::now() + Duration::from_secs(30);
    let released =
        || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("has the release"));
    while !released() {
        service.assert_running().expect("the node runs");
        assert!(Instant::now() < deadline, "the node has released nothing");
        std::thread::sleep(Duration::from_millis(50));
    }
    service.stop().expect("an orderly end");
    log
}

#[test]
fn d20_no_canary_leaves_the_records() {
    let mut stage = Stage::set(&Setting { log: Some("trace"), ..Setting::default() });
    let mut nodes = Vec::new();
    for (number, broken, rejected) in
        [("4601", true, "skip"), ("1108", true, "refuse"), ("0301", false, "refuse")]
    {
        let export = stage.write(number, &drawn(number));
        mark(&export, broken);
        let node = stage.init(number, number, &export, &["--rejected-rows", rejected]);
        stage.operate(&node, &["check-data"]);
        stage.enrol(&node, number);
        nodes.push(node);
    }
    stage.publish_study("2");
    for node in &nodes {
        stage.register(node);
        stage.must(node, &["preview", "core"]);
        stage.must(node, &["--json", "approve", "core"]);
    }
    run_until_released(&stage, &nodes[2]);
    assert_eq!(stage.operate(&nodes[0], &["run", "--once"]).code, Some(0));
    let refused = stage.operate(&nodes[1], &["run", "--once"]);
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    assert!(refused.out.contains("check-data"), "{}", refused.out);
    for node in &nodes {
        look_around(&stage, node);
    }
    for command in [
        &["round", "status", ROUND][..],
        &["round", "close", ROUND],
        &["nodes", "list"],
        &["audit"],
        &["publications", "list"],
        &["publications", "export", "core.1.2016H2.v1", "--as", "bundle"],
        &["publications", "export", "core.1.2016H2.v1", "--as", "text"],
        &["report", "--period", "2016H2"],
    ] {
        stage.coordinate(command);
        stage.coordinate(&[&["--json"], command].concat());
    }
    let mut found = Found::new();
    for page in PAGES {
        let answer = stage.fetch(page);
        assert!(answer.starts_with("HTTP/1.1 200"), "{page}: {answer}");
        found.insert(format!("page {page}"), Place::of(answer.as_bytes()));
    }
    // While the service runs, so that the write-ahead log of its store is searched too; and after.
    let root = stage.coordinator().parent().expect("a folder").to_owned();
    let exports = root.join("exports");
    files(&root, &exports, &mut found);
    stage.service.take().expect("it runs").stop().expect("an orderly end");
    let mut later = Found::new();
    files(&root, &exports, &mut later);
    found.extend(later.into_iter().map(|(name, bytes)| (format!("{name} (after the end)"), bytes)));
    for (number, (command, ended)) in stage.said().into_iter().enumerate() {
        let said = [ended.out, ended.err].concat();
        found.insert(format!("{number} {command}"), Place::of(said.as_bytes()));
    }

    // What the search finds, where there is something to find.
    let mut records = Found::new();
    files(&exports, Path::new(""), &mut records);
    for mark in MARKS {
        assert!(!places(&records, mark).is_empty(), "{mark} is not in the exports");
    }
    assert!(places(&records, PARTICIPANT).len() > 20);
    for text in [ROUND, "housing-first-statistics"] {
        let known = places(&found, text);
        for wanted in ["ledger.sqlite", "coordinator.db", "page /publications/", "preview"] {
            let there = known.iter().any(|place| place.contains(wanted));
            assert!(there || text != ROUND, "{text} is not found in {wanted}");
        }
        assert!(known.iter().any(|place| place.contains("coordinator.db")), "inside of base64");
    }

    // The check itself.
    for mark in MARKS {
        let hits = places(&found, mark);
        assert!(hits.is_empty(), "{mark} is in {hits:#?}");
    }
    let bytes: usize = found.values().map(|place| place.text.len()).sum();
    println!("{} places, {bytes} bytes, none of {} marks", found.len(), MARKS.len());
}
