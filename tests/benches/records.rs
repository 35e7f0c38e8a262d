//! What it takes a node to answer a round from millions of contact rows, beside what it takes the
//! `csv` crate to look at the same file, in one run: `cargo bench --workspace --bench records`.
//!
//! ```text
//! ... --bench records                      1 and 10 million rows over 200,000 people
//! ... --bench records -- 1000000 50000000  as many rows as are given (2 GB of disk for 50 million)
//! ... --bench records -- people 10000000   the same rows over 50,000 and over 200,000 people
//! ... --bench records -- postgres 10000000 counting in a database, beside pulling every row out of it; with `once`, one run of each
//! ... --bench records -- events 10000000   one row for each contact, with its day
//! ... --bench records -- start             start-up, help and preview; sizes of the programs
//! ... --bench records -- generate FOLDER ROWS [PEOPLE] [events]   only writes an export
//! ```
//!
//! The node is the real program: it reads, joins consents, holds everybody to the bound, counts, adds
//! noise, records, signs and sends, over TLS, to a real coordinator. The crate reads byte records and
//! does nothing with them, on one core: into one record that is used again, which is the quickest, and as
//! its iterator gives them, each a new one. Runs alternate, each figure is a median, the files are in the
//! page cache. The records are synthetic, and removed afterwards.

#[path = "records/baseline.rs"]
mod baseline;
#[path = "records/database.rs"]
mod database;
#[path = "records/measure.rs"]
mod measure;
#[path = "records/stage.rs"]
mod stage;

use anyhow::{Context, Result, ensure};
use database::Both;
use fellestall_tests::process::Binaries;
use fellestall_tests::synthetic::large::{Form, Large};
use measure::{Cores, Cost, check_tools, measure, median};
use stage::{Stage, Tables};
use std::io::Write;
use std::path::{Path, PathBuf};

const SEED: u64 = 2026;
const PEOPLE: u64 = 200_000;
/// The months that the rows lie in; a half-year of them is counted.
const MONTHS: u32 = 24;
/// Runs of each kind, of which the median is taken.
const RUNS: u32 = 5;
/// Runs of what takes milliseconds.
const MANY: u32 = 20;

/// One line of the result.
macro_rules! say {
    ($($words:tt)*) => { writeln!(std::io::stdout(), $($words)*)? };
}

/// What one size took.
struct Case {
    rows: u64,
    people: u64,
    bytes: u64,
    node: Cost,
    one_core: Cost,
    core_set: Cost,
    csv: Cost,
    csv_each: Cost,
    lines: Cost,
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    if let Some(rows) = baseline::asked(&args)? {
        say!("{rows}");
        return Ok(());
    }
    let numbers: Vec<u64> = args.iter().filter_map(|one| one.parse().ok()).collect();
    let or =
        |otherwise: &[u64]| if numbers.is_empty() { otherwise.to_vec() } else { numbers.clone() };
    let events = args.iter().any(|one| one == "events");
    let form = if events { Form::Events } else { Form::Months };
    if args.first().is_some_and(|what| what == "generate") {
        return generate(&args, &numbers, form);
    }
    check_tools()?;
    let binaries = Binaries::build()?;
    let folder = tempfile::Builder::new().prefix("synthetic-records-").tempdir()?;
    machine()?;
    match args.first().map(String::as_str) {
        Some("start") => starts(&binaries, folder.path()),
        Some("postgres") => {
            let runs = if args.iter().any(|one| one == "once") { 1 } else { RUNS };
            for rows in or(&[10_000_000]) {
                databases(&binaries, folder.path(), rows, runs)?;
            }
            Ok(())
        }
        Some("people") => {
            let mut cases = Vec::new();
            for rows in or(&[10_000_000]) {
                for people in [PEOPLE / 4, PEOPLE] {
                    cases.push(case(&binaries, folder.path(), rows, people, form)?);
                }
            }
            print(&cases)
        }
        _ => {
            let mut cases = Vec::new();
            for rows in or(&[1_000_000, 10_000_000]) {
                cases.push(case(&binaries, folder.path(), rows, PEOPLE, form)?);
            }
            print(&cases)?;
            if numbers.is_empty() { starts(&binaries, folder.path()) } else { Ok(()) }
        }
    }
}

/// Writes an export and leaves it there.
fn generate(args: &[String], numbers: &[u64], form: Form) -> Result<()> {
    let folder = args.get(1).context("generate FOLDER ROWS [PEOPLE] [events]")?;
    let rows = *numbers.first().context("generate FOLDER ROWS [PEOPLE] [events]")?;
    let people = numbers.get(1).copied().unwrap_or(PEOPLE);
    Ok(Large::new(SEED, people, rows, MONTHS, form)?.write(Path::new(folder))?)
}

/// One size: the node and what stands beside it, in turn.
fn case(binaries: &Binaries, folder: &Path, rows: u64, people: u64, form: Form) -> Result<Case> {
    let place = folder.join(format!("{rows}-{people}"));
    let records = place.join("synthetic");
    let large = Large::new(SEED, people, rows, MONTHS, form)?;
    large.write(&records)?;
    let file = records.join("contact.csv");
    let bytes = std::fs::metadata(&file)?.len();
    let mut stage = Stage::set(binaries, &place, &records)?;
    stage.expect(large.truth());
    let own = std::env::current_exe()?;
    let beside = |what: &str| -> Result<Cost> {
        let args = [what.into(), file.clone()];
        let (cost, said) = measure(&place, Cores::One, &own, args)?;
        ensure!(said.trim() == (rows + 1).to_string(), "{what} saw {said} of {rows} rows");
        Ok(cost)
    };
    // One that is not measured, so that everything is in memory for those that are.
    beside("lines")?;
    let (mut node, mut one_core, mut core_set) = (Vec::new(), Vec::new(), Vec::new());
    let (mut csv, mut csv_each, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        csv.push(beside("csv")?);
        node.push(stage.answer(Tables::Contacts, Cores::All)?);
        csv_each.push(beside("csv-each")?);
        lines.push(beside("lines")?);
        one_core.push(stage.answer(Tables::Contacts, Cores::One)?);
        core_set.push(stage.answer(Tables::Core, Cores::All)?);
    }
    stage.strike()?;
    std::fs::remove_dir_all(&place)?;
    Ok(Case {
        rows,
        people,
        bytes,
        node: median(&node)?,
        one_core: median(&one_core)?,
        core_set: median(&core_set)?,
        csv: median(&csv)?,
        csv_each: median(&csv_each)?,
        lines: median(&lines)?,
    })
}

fn print(cases: &[Case]) -> Result<()> {
    say!(
        "\n| rows | people | file | what | CPU | beside `csv`, one record used again | beside `csv`, a record each | wall | memory |"
    );
    say!("|---|---|---|---|---|---|---|---|---|");
    for case in cases {
        let size = format!("{} | {} | {}", million(case.rows), case.people, megabytes(case.bytes));
        for (what, cost) in [
            ("the node: S17, S18, S19, all cores", case.node),
            ("the node: S17, S18, S19, one core", case.one_core),
            ("the node: core set, S18, S19, all cores", case.core_set),
            ("`csv` crate: byte records alone, one used again", case.csv),
            ("`csv` crate: byte records alone, one each", case.csv_each),
            ("ends of lines alone", case.lines),
        ] {
            let Cost { cpu, wall, memory } = cost;
            let (again, each) = (cpu / case.csv.cpu, cpu / case.csv_each.cpu);
            let memory = memory / 1e6;
            say!(
                "| {size} | {what} | {cpu:.2} s | {again:.2} | {each:.2} | {wall:.2} s | {memory:.0} MB |"
            );
        }
    }
    say!("");
    for pair in cases.windows(2) {
        if let [small, large] = pair {
            compare(small, large)?;
        }
    }
    Ok(())
}

/// How time grows with rows, and memory with people.
fn compare(small: &Case, large: &Case) -> Result<()> {
    if small.rows != large.rows {
        let rows = number(large.rows)? - number(small.rows)?;
        let per_row = (large.node.cpu - small.node.cpu) / rows;
        let of_csv = (large.csv.cpu - small.csv.cpu) / rows;
        let fixed = small.node.cpu - per_row * number(small.rows)?;
        say!(
            "{} to {} rows: the node {:.0} ns a row and {fixed:.2} s besides, the `csv` crate {:.0} ns a row; memory {:+.1} MB",
            million(small.rows),
            million(large.rows),
            per_row * 1e9,
            of_csv * 1e9,
            (large.node.memory - small.node.memory) / 1e6,
        );
    }
    if small.people != large.people {
        let people = number(large.people)? - number(small.people)?;
        let per_person = (large.node.memory - small.node.memory) / people;
        say!(
            "{} to {} people: {per_person:.0} bytes of memory a person",
            small.people,
            large.people
        );
    }
    Ok(())
}

fn databases(binaries: &Binaries, folder: &Path, rows: u64, runs: u32) -> Result<()> {
    say!("\n| {} rows in | what | its CPU | CPU of the database | wall | memory |", million(rows));
    say!("|---|---|---|---|---|---|");
    for one in database::compare(binaries, &folder.join("databases"), rows, runs)? {
        let line = |what: &str, Both { process, server }: Both| -> Result<()> {
            let (layout, Cost { cpu, wall, memory }) = (one.layout, process);
            let memory = memory / 1e6;
            say!(
                "| {layout} | {what} | {cpu:.2} s | {server:.2} s | {wall:.2} s | {memory:.0} MB |"
            );
            Ok(())
        };
        line("the node, which counts in the database", one.node)?;
        line("a program that pulls every row and sums up", one.pull)?;
    }
    Ok(())
}

/// What takes milliseconds, and sizes.
fn starts(binaries: &Binaries, folder: &Path) -> Result<()> {
    let records = folder.join("few");
    Large::new(SEED, 50, 1_000, MONTHS, Form::Months)?.write(&records)?;
    let stage = Stage::set(binaries, &folder.join("start"), &records)?;
    let study = stage.study();
    let place = folder.join("start");
    let times = |what: &dyn Fn() -> Result<Cost>| -> Result<f64> {
        let runs: Result<Vec<Cost>> = (0..MANY).map(|_| what()).collect();
        Ok(median(&runs?)?.wall * 1e3)
    };
    let help =
        |program: &PathBuf| measure(&place, Cores::All, program, ["--help"]).map(|one| one.0);
    say!("\n| what | median of {MANY} |");
    say!("|---|---|");
    say!("| `fellestall-node --help` | {:.0} ms |", times(&|| help(&binaries.node))?);
    say!("| `fellestall-coordinator --help` | {:.0} ms |", times(&|| help(&binaries.coordinator))?);
    say!("| `fellestall-coordinator nodes list` | {:.0} ms |", times(&|| stage.time_list())?);
    say!("| `fellestall-node status` | {:.0} ms |", times(&|| stage.time(&["status"]))?);
    say!("| `fellestall-node preview` | {:.0} ms |", times(&|| stage.time(&["preview", &study]))?);
    say!(
        "| `fellestall-node run --once`, nothing to do | {:.0} ms |",
        times(&|| stage.time(&["run", "--once"]))?
    );
    stage.strike()?;
    for program in [&binaries.node, &binaries.coordinator] {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        say!("| size of `{name}` | {} |", megabytes(std::fs::metadata(program)?.len()));
    }
    Ok(())
}

fn machine() -> Result<()> {
    let line = |file: &str, start: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(start)).map(str::to_owned);
        line.unwrap_or_default().trim_start_matches([':', ' ', '\t']).to_owned()
    };
    let cores = std::thread::available_parallelism()?;
    let model = line("/proc/cpuinfo", "model name");
    let memory = line("/proc/meminfo", "MemTotal");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    say!(
        "{cores} cores of {model}, {memory} of memory, load {load} at the start; medians of {RUNS} unless once"
    );
    Ok(())
}

fn million(rows: u64) -> String {
    if rows.is_multiple_of(1_000_000) {
        format!("{} million", rows / 1_000_000)
    } else {
        rows.to_string()
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

/// A count as a number to reckon with.
fn number(count: u64) -> Result<f64> {
    Ok(u32::try_from(count).map(f64::from)?)
}
