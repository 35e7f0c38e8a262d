//! What a large export is: the same every time, as large as asked, in no order.

use super::postgres::Layout;
use super::{Form, Large};
use crate::postgres::Postgres;
use crate::process::{Binaries, attempt};
use fellestall_shared::digest::Digest;
use sqlx::{Connection, PgConnection, Row};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn large(seed: u64, people: u64, rows: u64, form: Form) -> Large {
    Large::new(seed, people, rows, 24, form).expect("an export")
}

fn written(large: &Large) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    large.write(folder.path()).expect("written");
    let mut files: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let text = std::fs::read_to_string(entry.path()).expect("text");
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .collect();
    files.sort();
    files
}

fn file<'f>(files: &'f [(String, String)], name: &str) -> &'f str {
    &files.iter().find(|(file, _)| file == name).expect("a file").1
}

#[test]
fn a_large_export_follows_from_its_seed() {
    for form in [Form::Months, Form::Events] {
        let one = written(&large(1, 300, 45_000, form));
        assert_eq!(one, written(&large(1, 300, 45_000, form)));
        assert_ne!(one, written(&large(2, 300, 45_000, form)));
    }
}

/// Also in another version of this program: a figure that was measured can be measured again.
#[test]
fn a_large_export_stays_what_it_was() {
    let files = written(&large(1, 300, 45_000, Form::Months));
    let digest = |name| Digest::of("test", file(&files, name).as_bytes()).short();
    assert_eq!(
        ["participant.csv", "consent.csv", "contact.csv"].map(digest),
        ["b302e25f8122", "519fa5658275", "bca59fabd4c0"],
    );
}

#[test]
fn a_large_export_has_as_many_rows_as_asked_in_no_order() {
    let files = written(&large(3, 200, 45_000, Form::Months));
    let rows: Vec<&str> = file(&files, "contact.csv").lines().skip(1).collect();
    assert_eq!(rows.len(), 45_000);
    let bytes = rows.iter().map(|row| row.len() + 1).sum::<usize>() / rows.len();
    assert!((36..=44).contains(&bytes), "{bytes} bytes a row");
    let form = |row: &&str| row.split(',').take(3).collect::<Vec<_>>().join(",");
    let forms: BTreeSet<String> = rows.iter().map(form).collect();
    assert_eq!(forms.len(), rows.len(), "a form is there once");
    let people: Vec<&str> = rows.iter().filter_map(|row| row.split(',').next()).collect();
    let same = people.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!(same < rows.len() / 50, "{same} rows come after one of the same person");
    assert_eq!(people.iter().collect::<BTreeSet<_>>().len(), 196, "who left has no contacts");
    let months: BTreeSet<_> = rows.iter().filter_map(|row| row.split(',').nth(1)).collect();
    assert_eq!(months.len(), 24);
    assert_eq!(months.first().zip(months.last()), Some((&"2024-07", &"2026-06")));
    let categories: BTreeSet<_> = rows.iter().filter_map(|row| row.split(',').nth(2)).collect();
    assert_eq!(categories.len(), 18);
}

#[test]
fn a_large_export_has_every_kind_of_consent_and_says_that_it_is_synthetic() {
    let files = written(&large(4, 1_000, 1_000, Form::Months));
    assert!(file(&files, "README.txt").contains("synthetic"));
    let consents: Vec<&str> = file(&files, "consent.csv").lines().skip(1).collect();
    assert_eq!(consents.len(), 1_000);
    for part in [",refused,", ",another-purpose,", ",2020-12-31,", ",2035-12-31,"] {
        let many = consents.iter().filter(|row| row.contains(part)).count();
        assert!(many >= 10, "{many} with {part}");
    }
    let holds = |row: &&&str| {
        row.contains("housing-first-statistics,given,")
            && !row.contains("2020-12-31")
            && row.ends_with(',')
    };
    let many = consents.iter().filter(holds).count();
    assert!((800..=900).contains(&many), "{many} consents hold");
}

#[test]
fn more_rows_than_there_are_cells_are_refused() {
    assert!(Large::new(1, 10, 1_000_000, 24, Form::Months).is_err());
    assert!(Large::new(1, 10, 1, 0, Form::Months).is_err());
    assert_eq!(written(&large(1, 1, 0, Form::Months)).len(), 6);
}

/// A node finds nothing wrong with a large export, in either form.
#[test]
fn a_large_export_is_clean() {
    let binaries = Binaries::build().expect("the programs");
    for form in [Form::Months, Form::Events] {
        let folder = tempfile::tempdir().expect("a folder");
        let (node, records) = (folder.path().join("node"), folder.path().join("export"));
        large(5, 500, 20_000, form).write(&records).expect("written");
        let node = node.to_string_lossy().into_owned();
        let mut init = Command::new(&binaries.node);
        init.args(["--dir", &node, "init", "--municipality", "4601", "--records"]).arg(&records);
        if form == Form::Events {
            init.arg("--mapping").arg(records.join("mapping.toml"));
        }
        assert_eq!(attempt(&mut init).expect("init").code, Some(0));
        let mut check = Command::new(&binaries.node);
        check.args(["--dir", &node, "--json", "check-data"]);
        let checked = attempt(&mut check).expect("a report");
        assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
        let report: serde_json::Value = serde_json::from_str(&checked.out).expect("JSON");
        assert_eq!(report["rejected"]["total"], 0, "{report}");
        assert_eq!(report["contradictions"]["total"], 0, "{report}");
        assert!(Path::new(&node).is_dir());
    }
}

/// The same rows, whichever way they lie; a shard has about half of them.
#[tokio::test]
async fn a_database_holds_the_rows_of_the_export() {
    let cluster = Postgres::start().expect("a cluster");
    let large = large(6, 500, 20_000, Form::Months);
    let files = written(&large);
    let sum = |row: &str| row.split(',').nth(3).and_then(|count| count.parse::<i64>().ok());
    let sum: i64 = file(&files, "contact.csv").lines().skip(1).filter_map(sum).sum();
    let ask = |address: String, table: &'static str| async move {
        let address = address.replace("test@", "reader@");
        let mut database = PgConnection::connect(&address).await.expect("a connection");
        let question = match table {
            "contact" => "SELECT count(*), sum(count)::bigint FROM fellestall.contact",
            _ => "SELECT count(*), 0::bigint FROM fellestall.participant",
        };
        let row = sqlx::query(question).fetch_one(&mut database).await.expect("an answer");
        (row.get::<i64, _>(0), row.get::<i64, _>(1))
    };
    for (name, layout) in
        [("plain", Layout::Plain), ("parts", Layout::Partitioned(4)), ("shards", Layout::Sharded)]
    {
        let address = large.load(&cluster, name, layout).await.expect("loaded");
        assert_eq!(ask(address.clone(), "contact").await, (20_000, sum), "{name}");
        assert_eq!(ask(address, "participant").await.0, 500);
    }
    let mut shard = PgConnection::connect(&cluster.address("shards_0")).await.expect("a shard");
    let half = sqlx::query("SELECT count(*) FROM contact").fetch_one(&mut shard).await;
    let half: i64 = half.expect("an answer").get(0);
    assert!((7_000..13_000).contains(&half), "{half} rows in one of two shards");
}
