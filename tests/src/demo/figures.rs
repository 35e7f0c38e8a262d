//! What the demo shows: each published figure with its interval, beside the exact truth of the
//! synthetic records and, where there is one, the figure that Fafo printed.
//!
//! **Invariant:** a published figure is shown as it was published; nothing is adjusted to the truth.

use crate::country::{Country, Memory, PublishedRound};
use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use fellestall_coordinator::publish::{Estimate, PublishedCell, PublishedRate, PublishedTable};
use fellestall_shared::ids::StatisticId;
use serde_json::json;
use std::path::Path;

/// Housing situation in December 2016 as Fafo 2017 printed it: category, Bergen, Sandnes (summed
/// over intake years; the dead are taken out of those who left).
const PRINTED_SITUATION: [(&str, u32, u32); 6] = [
    ("same_dwelling", 15, 10),
    ("later_dwelling", 10, 0),
    ("temporary_or_institution", 4, 0),
    ("unresolved_notice", 2, 0),
    ("left", 4, 4),
    ("died", 1, 1),
];

/// Retention as Fafo's figures give it: rate, Bergen, Sandnes, both.
const PRINTED_RETENTION: [(&str, &str, &str, &str); 3] = [
    ("retained_all_taken_in", "25/36", "10/15", "68.6 %"),
    ("retained_without_the_dead", "25/35", "10/14", "71.4 %"),
    ("retained_in_same_dwelling", "15/36", "10/15", "49.0 %"),
];

/// Prints every core table and rate.
pub fn print(country: &Country, published: &PublishedRound) -> Result<()> {
    let publication = &published.file.publication;
    let coverage = &publication.coverage;
    println!(
        "National figures, period {}: {} of {} municipalities reported.",
        publication.period, coverage.reported, coverage.asked
    );
    println!(
        "Every figure is a count plus noise; the interval holds the count in 95 of 100 cases."
    );
    println!("The exact column is known only because these records are synthetic.");
    for table in &publication.tables {
        println!();
        println!("{} {}", table.statistic, table.title.en);
        println!("{}", render_table(country, table)?);
    }
    println!();
    print_both(country, published)?;
    println!();
    println!("Retention, with Fieller intervals, beside what Fafo's tables give");
    println!("{}", render_rates(country, &publication.rates)?);
    let certificate = &publication.certificate;
    println!();
    println!(
        "Privacy: one participant's rows in one municipality cost rho {} over all tables,",
        certificate.rho_micro
    );
    println!(
        "epsilon {} at delta {}. Signed, published as version {}, and verified offline:",
        certificate.epsilon, certificate.delta_exponent, publication.version
    );
    println!("{}", published.verified.trim());
    Ok(())
}

/// The same figures at the same loss, with noise of each node's own and with noise that nodes share.
fn print_both(country: &Country, published: &PublishedRound) -> Result<()> {
    let [local, shared] = [&published.file.publication, &published.shared.publication];
    println!(
        "The same tables at the same privacy loss, once with noise that each node adds for itself,"
    );
    println!(
        "once with noise that nodes share: two servers open the sum, and nobody sees a node's table."
    );
    let header = ["", "own noise", "95 % interval", "shared noise", "95 % interval", "exact"];
    let mut shown = empty_table(&header);
    let chosen = ["S2", "S14"];
    let tables = local.tables.iter().zip(&shared.tables);
    for (own, together) in tables.filter(|(own, _)| chosen.contains(&own.statistic.as_str())) {
        for (a, b) in own.cells.iter().zip(&together.cells) {
            shown.add_row([
                label(own, a),
                a.value.to_string(),
                format!("{} to {}", a.lower95, a.upper95),
                b.value.to_string(),
                format!("{} to {}", b.lower95, b.upper95),
                country.truth(&own.statistic, &a.codes)?.to_string(),
            ]);
        }
    }
    println!("{shown}");
    Ok(())
}

fn render_table(country: &Country, table: &PublishedTable) -> Result<Table> {
    let has_printed = table.statistic.as_str() == "S2";
    let mut header = vec!["", "figure", "95 % interval", "exact"];
    if has_printed {
        header.extend(["Fafo: Bergen", "Fafo: Sandnes"]);
    }
    let mut shown = empty_table(&header);
    for cell in &table.cells {
        let exact = country.truth(&table.statistic, &cell.codes)?;
        let mut row = vec![
            label(table, cell),
            cell.value.to_string(),
            format!("{} to {}", cell.lower95, cell.upper95),
            exact.to_string(),
        ];
        if has_printed {
            let printed =
                PRINTED_SITUATION.iter().find(|row| cell.codes.iter().any(|c| c == row.0));
            row.push(printed.map_or_else(String::new, |row| row.1.to_string()));
            row.push(printed.map_or_else(String::new, |row| row.2.to_string()));
        }
        shown.add_row(row);
    }
    Ok(shown)
}

fn render_rates(country: &Country, rates: &[PublishedRate]) -> Result<Table> {
    let mut shown = empty_table(&[
        "",
        "figure",
        "95 % interval",
        "exact",
        "Fafo: Bergen",
        "Fafo: Sandnes",
        "both",
    ]);
    for rate in rates {
        let (figure, interval) = rate.figure.as_ref().map_or_else(
            || ("-".to_owned(), "too few to say".to_owned()),
            |estimate| (percent(estimate, |e| e.value.value()), interval(estimate)),
        );
        let printed = PRINTED_RETENTION.iter().find(|row| row.0 == rate.rate);
        let printed = printed.map_or(["", "", ""], |row| [row.1, row.2, row.3]);
        let exact = exact_rate(country, &rate.rate)?;
        let mut row = vec![format!("  {}", rate.label.en), figure, interval, exact];
        row.extend(printed.map(str::to_owned));
        shown.add_row(row);
    }
    Ok(shown)
}

/// The exact rate of the three rules that follow from the housing situation; empty for others.
fn exact_rate(country: &Country, rate: &str) -> Result<String> {
    let settled = [
        "temporary_or_institution",
        "unresolved_notice",
        "left",
        "same_dwelling",
        "later_dwelling",
    ];
    let (retained, with_the_dead): (&[&str], bool) = match rate {
        "retained_all_taken_in" => (&["same_dwelling", "later_dwelling"], true),
        "retained_without_the_dead" => (&["same_dwelling", "later_dwelling"], false),
        "retained_in_same_dwelling" => (&["same_dwelling"], true),
        _ => return Ok(String::new()),
    };
    let situation: StatisticId = "S2".parse()?;
    let count = |codes: &[&str]| -> Result<i64> {
        codes.iter().map(|code| country.truth(&situation, &[(*code).to_owned()])).sum()
    };
    let dead = if with_the_dead { count(&["died"])? } else { 0 };
    Ok(format!("{}/{}", count(retained)?, count(&settled)? + dead))
}

fn percent(estimate: &Estimate, part: impl Fn(&Estimate) -> f64) -> String {
    format!("{:.1} %", 100.0 * part(estimate))
}

fn interval(estimate: &Estimate) -> String {
    let lower = percent(estimate, |e| e.shown_lower95.value());
    let upper = percent(estimate, |e| e.shown_upper95.value());
    format!("{lower} to {upper}")
}

fn empty_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn label(table: &PublishedTable, cell: &PublishedCell) -> String {
    let parts = table.dimensions.iter().zip(&cell.codes).map(|(dimension, code)| {
        let category = dimension.categories.iter().find(|category| category.code == *code);
        category.map_or_else(|| code.clone(), |category| category.label.en.clone())
    });
    format!("  {}", parts.collect::<Vec<_>>().join(", "))
}

/// Writes what was published, the truth, the timings and the memory as JSON.
pub fn write_json(
    country: &Country,
    published: &PublishedRound,
    timings: &[(&'static str, f64)],
    memory: &Memory,
    file: &Path,
) -> Result<()> {
    let mut truth = serde_json::Map::new();
    for table in &published.file.publication.tables {
        let mut cells = Vec::new();
        for cell in &table.cells {
            let exact = country.truth(&table.statistic, &cell.codes)?;
            cells.push(json!({ "codes": cell.codes, "count": exact }));
        }
        truth.insert(table.statistic.to_string(), cells.into());
    }
    let timings: serde_json::Map<_, _> =
        timings.iter().map(|(name, seconds)| ((*name).to_owned(), json!(seconds))).collect();
    let document = json!({
        "about": "A demonstration over synthetic records; the truth is known because they are synthetic.",
        "published": published.file,
        "published_with_shared_noise": published.shared,
        "truth": truth,
        "timings_seconds": timings,
        "memory_bytes": { "largest_node": memory.largest_node, "coordinator": memory.coordinator, "helper": memory.helper },
    });
    Ok(std::fs::write(file, serde_json::to_vec_pretty(&document)?)?)
}
