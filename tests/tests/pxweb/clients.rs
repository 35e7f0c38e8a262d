//! The tools that researchers use, unchanged: they read every table, and all read the same numbers.
//!
//! They live in a Python environment of the build folder, which `tests/run` makes.

use crate::fixture::{Bank, generous};
use fellestall_coordinator::config::Web;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What every answer has to pass.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance";

/// The Python environment, beside the folder of the profile.
fn python() -> PathBuf {
    let program = std::env::current_exe().expect("the path of this program");
    let target = program.ancestors().nth(3).expect("the build folder");
    let python = target.join("clients/bin/python");
    assert!(
        python.is_file(),
        "{} is missing: make it by `python3 -m venv {1}` and \
         `{1}/bin/pip install -r tests/clients/requirements.txt`",
        python.display(),
        target.join("clients").display()
    );
    python
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

fn run(mut command: Command) -> String {
    let output = command.output().expect("the environment runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out
}

fn read(bank: &Bank) -> String {
    let mut command = Command::new(python());
    let base = format!("http://{}/api/v2", bank.address);
    command.arg(scripts().join("read.py")).arg(base);
    run(command)
}

#[test]
fn every_client_reads_every_table_with_equal_numbers() {
    println!("{}", read(&Bank::open(Web { url: None, ..generous() })));
}

/// Where a table has more cells than one answer, clients ask in parts.
#[test]
fn clients_that_ask_in_parts_read_the_same() {
    let bank = Bank::open(Web { url: None, max_data_cells: 120, ..generous() });
    let out = read(&bank);
    assert!(out.contains("in parts"), "{out}");
}

/// No server error and no answer outside the description, whatever follows from the description: of
/// any table, and of one that exists.
#[test]
fn answers_are_as_the_description_says() {
    let bank = Bank::open(Web { url: None, ..generous() });
    for configuration in [None, Some("schemathesis.toml")] {
        println!("{}", describe(&bank, configuration));
    }
}

fn describe(bank: &Bank, configuration: Option<&str>) -> String {
    let mut command = Command::new(python());
    command.args(["-m", "schemathesis.cli"]);
    if let Some(name) = configuration {
        command.arg("--config-file").arg(scripts().join(name));
    }
    command
        .arg("run")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../coordinator/src/pxweb/PxAPI-2.yml"))
        .args(["--url", &format!("http://{}/api/v2", bank.address)])
        .args(["--checks", CHECKS])
        .args(["--max-examples", "25", "--seed", "1", "--no-color"])
        .args(["--generation-database", "none"])
        .current_dir(std::env::temp_dir());
    run(command)
}
