use super::{Choices, Config, People, rho_of, template};
use crate::kernel::source::{Origin, RejectedRows};
use fellestall_shared::privacy::Rho;
use proptest::prelude::*;
use std::path::Path;

fn choices() -> Choices {
    Choices {
        municipality: "4601".parse().expect("a number"),
        records: "export \"2026\"".into(),
        mapping: None,
        rejected_rows: RejectedRows::Refuse,
        lifetime: Rho::from_micro(10_000_000),
        year: Rho::from_micro(2_000_000),
        study: Rho::from_micro(5_000_001),
        poll_seconds: 60,
    }
}

#[test]
fn what_init_writes_is_read_back() {
    let config = Config::parse(Path::new("/n"), &template(&choices())).expect("a configuration");
    assert_eq!(config.municipality.as_str(), "4601");
    assert_eq!(config.records, Origin::Folder("/n/export \"2026\"".into()));
    assert_eq!(config.mapping, None);
    assert_eq!(config.budget.study, Rho::from_micro(5_000_001));
    let skip =
        Choices { rejected_rows: RejectedRows::Skip, mapping: Some("m.toml".into()), ..choices() };
    let config = Config::parse(Path::new("/n"), &template(&skip)).expect("a configuration");
    assert_eq!(config.rejected_rows, RejectedRows::Skip);
    assert_eq!(config.mapping.as_deref(), Some(Path::new("/n/m.toml")));
}

#[test]
fn every_mistake_names_its_key() {
    let check = |from: &str, to: &str, names: &[&str]| {
        let text = template(&choices());
        assert!(text.contains(from), "{from}");
        let refused =
            Config::parse(Path::new("/n"), &text.replacen(from, to, 1)).expect_err(to).to_string();
        for name in names {
            assert!(refused.contains(name), "{refused} lacks {name}");
        }
    };
    check("rejected_rows = \"refuse\"", "", &["rejected_rows"]);
    check("\"refuse\"\n#", "\"maybe\"\n#", &["refuse", "skip", "line"]);
    check("municipality = \"4601\"", "municipality = \"46\"", &["municipality", "four digits"]);
    check("lifetime = \"10\"", "lifetime = \"ten\"", &["budget.lifetime", "0.25"]);
    check("year = \"2\"", "year = \"20\"", &["budget.year", "budget.lifetime"]);
    check("study = \"5.000001\"", "study = \"20\"", &["budget.study", "budget.lifetime"]);
    check("exponent = 6", "exponent = 99", &["budget.delta_exponent", "3 to 15"]);
    check("poll_seconds = 60", "poll_seconds = 0", &["network.poll_seconds"]);
    check("poll_seconds", "pol_seconds", &["pol_seconds", "poll_seconds"]);
    check("# proxy = \"http://", "proxy = \"ftp://", &["coordinator.proxy", "http://"]);
}

#[test]
fn a_missing_file_says_how_to_make_one() {
    let place = tempfile::tempdir().expect("a directory");
    let refused = Config::read(place.path()).expect_err("no file").to_string();
    assert!(refused.contains("fellestall-node init"), "{refused}");
}

#[test]
fn other_texts_are_not_rho() {
    for text in ["", "0", "0.0", ".5", "1.", "-1", "1e3", "1,5", "0.0000001", "18446744073710"] {
        assert_eq!(rho_of(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn rho_reads_back_what_it_shows(micro in 1_u64..u64::MAX) {
        prop_assert_eq!(rho_of(&Rho::from_micro(micro).to_string()), Some(Rho::from_micro(micro)));
    }
}

#[test]
fn the_console_listens_on_loopback_alone() {
    let with = |section: &str| {
        Config::parse(Path::new("/n"), &format!("{}\n{section}\n", template(&choices())))
    };
    assert_eq!(with("").expect("no console").console, None);
    for address in ["127.0.0.1:8475", "127.8.0.1:1", "[::1]:8475"] {
        let config = with(&format!("[console]\nlisten = \"{address}\"")).expect(address);
        assert_eq!(config.console, address.parse().ok());
    }
    let elsewhere = [
        "0.0.0.0:8475",
        "[::]:8475",
        "10.0.0.1:8475",
        "192.168.1.4:80",
        "[fe80::1]:80",
        "localhost",
        "",
    ];
    for address in elsewhere {
        let refused = with(&format!("[console]\nlisten = \"{address}\"")).expect_err(address);
        let refused = refused.to_string();
        assert!(
            refused.contains("console.listen") && refused.contains("127.0.0.1:8475"),
            "{refused}"
        );
    }
}

#[test]
fn an_approval_takes_one_or_two_people() {
    let with = |section: &str| {
        Config::parse(Path::new("/n"), &format!("{}\n{section}\n", template(&choices())))
    };
    assert_eq!(with("").expect("a configuration").people, People::One);
    assert_eq!(with("[approval]\npeople = 2").expect("a configuration").people, People::Two);
    for people in ["0", "3"] {
        let refused = with(&format!("[approval]\npeople = {people}")).expect_err(people);
        assert!(refused.to_string().contains("approval.people must be 1 or 2"), "{refused}");
    }
}
