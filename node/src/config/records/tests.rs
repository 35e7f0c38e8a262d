use crate::config::Config;
use crate::kernel::postgres::Tls;
use crate::kernel::source::Origin;
use std::path::Path;

const REST: &str = "municipality = \"4601\"\n[budget]\nlifetime = \"10\"\nyear = \"2\"\nstudy = \"5\"\ndelta_exponent = 6\n[network]\npoll_seconds = 60\n";
const POSTGRES: &str = "[records]\nrejected_rows = \"refuse\"\n[records.postgres]\nhost = \"db.example.no\"\ndatabase = \"housing\"\nuser = \"fellestall\"\nschema = \"stat\"\n";

fn parse(records: &str) -> Result<Config, String> {
    Config::parse(Path::new("/n"), &format!("{REST}{records}")).map_err(|error| error.to_string())
}

#[test]
fn a_database_is_read_with_its_defaults() {
    let config = parse(POSTGRES).expect("a configuration");
    let Origin::Postgres(database) = config.records else { panic!("a database") };
    assert_eq!((database.port, database.tls), (5432, Tls::Full));
    assert_eq!(database.statement_timeout.as_secs(), 300);
    assert_eq!(database.to_string(), "the schema stat of housing on db.example.no:5432");
    let more = format!("{POSTGRES}password_file = \"secret\"\nca_file = \"/ca.pem\"\n");
    let Origin::Postgres(database) = parse(&more).expect("a configuration").records else {
        panic!("a database")
    };
    assert_eq!(database.password_file.as_deref(), Some(Path::new("/n/secret")));
    assert_eq!(database.ca_file.as_deref(), Some(Path::new("/ca.pem")));
}

#[test]
fn the_section_that_init_writes_as_a_comment_can_be_used() {
    use crate::config::{Choices, template};
    use crate::kernel::source::RejectedRows;
    use fellestall_shared::privacy::Rho;
    let text = template(&Choices {
        municipality: "4601".parse().expect("a number"),
        records: "export".into(),
        mapping: None,
        rejected_rows: RejectedRows::Refuse,
        lifetime: Rho::from_micro(3),
        year: Rho::from_micro(2),
        study: Rho::from_micro(1),
        poll_seconds: 60,
    });
    let (before, rest) = text.split_once("# [records.postgres]").expect("a section");
    let (section, after) = rest.split_once("\n\n").expect("its end");
    let before = before.replace("folder = ", "# folder = ");
    let text = format!("{before}[records.postgres]{}\n\n{after}", section.replace("\n# ", "\n"));
    let config = Config::parse(Path::new("/n"), &text).expect("a configuration");
    let Origin::Postgres(database) = config.records else { panic!("a database") };
    assert_eq!(database.schema, "fellestall");
    assert!(database.password_file.is_some() && database.ca_file.is_some());
}

#[test]
fn a_socket_and_this_machine_may_go_without_tls() {
    for (host, line) in [("/run/postgresql", ""), ("127.0.0.1", "without_tls = true\n")] {
        let text = format!("{}{line}", POSTGRES.replace("db.example.no", host));
        let Origin::Postgres(database) = parse(&text).expect("a configuration").records else {
            panic!("a database")
        };
        assert_eq!(database.tls, Tls::Off, "{host}");
    }
}

#[test]
fn every_mistake_about_the_database_names_its_key() {
    let check = |text: &str, names: &[&str]| {
        let refused = parse(text).expect_err(text);
        for name in names {
            assert!(refused.contains(name), "{refused} lacks {name}");
        }
    };
    check("[records]\nrejected_rows = \"refuse\"\n", &["records.folder", "[records.postgres]"]);
    check(&POSTGRES.replace("[records]\n", "[records]\nfolder = \"e\"\n"), &["keep one"]);
    check(
        &POSTGRES.replace("[records]\n", "[records]\nmapping = \"m.toml\"\n"),
        &["records.mapping", "views"],
    );
    check(&POSTGRES.replace("\"refuse\"", "\"skip\""), &["records.rejected_rows", "view"]);
    check(&POSTGRES.replace("\"stat\"", "\" \""), &["records.postgres.schema", "blank"]);
    check(
        &format!("{POSTGRES}statement_timeout_seconds = 0\n"),
        &["statement_timeout_seconds", "86400"],
    );
    check(&format!("{POSTGRES}without_tls = true\n"), &["without_tls", "this machine"]);
    let secret = format!("{POSTGRES}password = \"geheim\"\n");
    check(&secret, &["records.postgres.password", "password_file"]);
    assert!(!parse(&secret).expect_err("a secret").contains("geheim"));
}
