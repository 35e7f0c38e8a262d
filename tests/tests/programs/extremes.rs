//! D11 on the program itself: the largest counts that a form can have, many times over. With
//! `cargo test --release` it is the release binary.

use crate::stage::{REGISTER, Setting, Stage};
use fellestall_tests::synthetic::PUBLISHED_PERIOD;
use std::fmt::Write;
use std::path::Path;

const NUMBER: &str = "4601";
const CATEGORIES: [&str; 8] =
    ["team_in_person", "home_visit", "team_office", "team_calls", "nav", "lar", "work", "other"];

/// One participant, who consents, with these contact rows.
fn export(folder: &Path, contacts: &str) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    std::fs::create_dir_all(folder).expect("a folder");
    write(
        "participant.csv",
        "participant_id,intake_date,birth_year,gender,housing_at_intake,specialist_follow_up,\
         substitution_treatment,exit_date,exit_reason\np1,2014-03-01,1975,man,outdoors,none,yes,,\n",
    );
    write(
        "consent.csv",
        "participant_id,purpose,status,mode,date,form_version,valid_until,withdrawn_on\n\
         p1,housing-first-statistics,given,written,2014-03-02,2014-1,,\n",
    );
    write("contact.csv", &format!("participant_id,month,category,count,recorded\n{contacts}"));
}

/// Noise of a standard deviation of 8 in S19 and less in the others: ten of them are 80.
#[test]
fn d11_the_program_neither_wraps_at_the_largest_counts_nor_takes_larger_ones() {
    let stage = Stage::set(&Setting::default());
    let mut rows = String::new();
    for _ in 0..1_000 {
        for category in CATEGORIES {
            writeln!(rows, "p1,2016-11,{category},{},yes", u32::MAX).expect("written");
        }
    }
    let records = stage.path("exports").join(NUMBER);
    export(&records, &format!("{rows}p1,2016-11,nav,{},yes\n", u64::from(u32::MAX) + 1));
    let caps = ["--lifetime", "1000", "--year", "1000", "--study", "1000"];
    let node = stage.init(NUMBER, NUMBER, &records, &caps);
    stage.enrol(&node, NUMBER);
    let tables = ["--statistic", "S17", "--statistic", "S18", "--statistic", "S19"];
    let dates = ["--starts", "2013-01-01", "--ends", "2035-12-31", "--rho-micro", "8000000"];
    let text = stage.coordinate(&[&["study", "template"][..], &tables, &dates].concat());
    let file = stage.path("core.toml");
    std::fs::write(&file, text).expect("written");
    stage.coordinate(&["study", "publish", &file.to_string_lossy()]);
    let open = ["round", "open", "core", "--period", PUBLISHED_PERIOD, "--closes", "2035-12-31"];
    stage.coordinate(&open);
    stage.must(&node, &["run", "--once"]);
    stage.must(&node, &REGISTER);
    stage.must(&node, &["approve", "core"]);

    let refused = stage.operate(&node, &["run", "--once"]);
    let told = refused.out + &refused.err;
    assert_eq!(refused.code, Some(1), "{told}");
    assert!(told.contains("not a whole number from 0 to 4294967295"), "{told}");
    assert_eq!(stage.must(&node, &["--json", "releases"]).trim(), "[]");

    export(&records, &rows);
    stage.must(&node, &["run", "--once"]);
    let json = |text: String| serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
    let releases = json(stage.must(&node, &["--json", "releases"]));
    let id = releases[0]["release"].as_str().expect("a release");
    let release = json(stage.must(&node, &["--json", "releases", "--show", id]));
    let tables = release["tables"].as_array().expect("tables");
    assert_eq!(tables.len(), 3);
    let most = [("S17", 1), ("S18", 1), ("S19", 13)];
    for ((id, most), table) in most.into_iter().zip(tables) {
        assert_eq!(table["statistic"], id);
        let values = table["values"].as_array().expect("values");
        assert!(!values.is_empty(), "{id}");
        for value in values {
            let value = value.as_i64().expect("a number");
            assert!((-80..=most + 80).contains(&value), "{id}: {value}");
        }
    }
}
