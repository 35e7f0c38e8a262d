//! The evidence pack of a node that has released: in three languages, with the ledger's numbers.
#![cfg(test)]

use fellestall_coordinator::template::{self, Wish};
use fellestall_node::config::Config;
use fellestall_node::decisions;
use fellestall_node::engine;
use fellestall_node::evidence::{Facts, render};
use fellestall_node::forecast::{Forecast, Reporting};
use fellestall_node::kernel::{Kernel, LedgerEntry};
use fellestall_node::register;
use fellestall_node::state::State;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::labels::Language;
use fellestall_shared::privacy::{Delta, Rho};
use fellestall_shared::wire::v1::Residence;
use fellestall_tests::synthetic;
use fellestall_tests::world::{World, WorldNode};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);
const LANGUAGES: [Language; 3] = [Language::Nb, Language::Nn, Language::En];
const PERIODS: [&str; 2] = ["2016H1", "2016H2"];

/// A node that has answered the core study about two periods.
async fn world(folder: &Path) -> World {
    let mut world =
        World::found(folder, "sqlite:coordinator.db", NOW).await.expect("a coordinator");
    let number = "4601".parse().expect("a number");
    let period = synthetic::PUBLISHED_PERIOD.parse().expect("a period");
    world.enrol(&synthetic::municipality(&number, period, 7)).await.expect("a node");
    let wish = Wish {
        statistics: Vec::new(),
        rho: Rho::from_micro(125_000),
        starts: "2013-01-01".to_owned(),
        ends: "2035-12-31".to_owned(),
        minimum_nodes: 2,
        residence: Residence::OnCensusDate,
        sharing: fellestall_coordinator::template::Sharing::default(),
        municipal_figures: false,
    };
    let study = template::study(&wish, Catalogue::builtin().expect("sound")).expect("a study");
    world.publish_study(&study).await.expect("a study");
    world.approve_everywhere().await.expect("approvals");
    for period in PERIODS {
        world.open_round(&study, period.parse().expect("a period")).await.expect("a round");
        world.nodes[0].cycle().await.expect("a cycle");
    }
    world
}

fn kernel(node: &WorldNode) -> Kernel {
    let config = Config::read(&node.directory).expect("a configuration");
    let state = State::open(&node.directory).expect("a state");
    let membership = state.membership().expect("a state").expect("enrolled");
    engine::open(&config, &membership).expect("a kernel")
}

fn facts(node: &WorldNode) -> Facts {
    Facts::gather(&node.directory, node.clock.now()).expect("facts")
}

/// What stands for machines in the cells of one table of a page, row by row.
fn figures(page: &str, table: &str) -> Vec<Vec<String>> {
    let from = page.split_once(&format!("<table id=\"{table}\">")).expect("the table").1;
    let body =
        from.split_once("<tbody>").expect("a body").1.split_once("</tbody>").expect("an end").0;
    let value = |part: &str| part.split_once('"').expect("a value").0.to_owned();
    body.split("<tr>")
        .skip(1)
        .map(|row| row.split("<data value=\"").skip(1).map(value).collect())
        .collect()
}

fn check_releases(page: &str, history: &[LedgerEntry]) {
    let rows = figures(page, "releases");
    assert_eq!(rows.len(), history.len());
    let mut spent = Rho::ZERO;
    for (row, entry) in rows.iter().zip(history) {
        spent = spent.plus(entry.charge).expect("a sum");
        let ledger = [entry.sequence.to_string(), entry.charge.to_string(), spent.to_string()];
        assert_eq!([&row[0], &row[3], &row[4]], [&ledger[0], &ledger[1], &ledger[2]]);
        assert!(page.contains(entry.round.as_str()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_evidence_has_the_ledgers_numbers_in_three_languages() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path()).await;
    let node = &world.nodes[0];
    let (kernel, facts) = (kernel(node), facts(node));
    let history = kernel.history().expect("a history");
    assert_eq!(history.len(), 2);
    let json: Value = serde_json::to_value(&facts).expect("JSON");
    let balance = kernel.balance(&history[0].study, history[0].period).expect("a balance");
    let accounts = [
        (&json["budget"]["lifetime"], balance.lifetime, 10_000_000),
        (&json["budget"]["years"][0], balance.year, 2_000_000),
        (&json["budget"]["studies"][0], balance.study, 2_000_000),
    ];
    for (account, balance, cap) in accounts {
        assert_eq!(account["spent"]["rho_micro"], balance.spent.micro());
        assert_eq!(account["left"], balance.left.to_string());
        assert_eq!(account["cap"]["rho_micro"], cap);
        assert_eq!(account["spent"]["epsilon"], balance.spent.epsilon_ceil(Delta::MICRO));
    }
    let releases = json["releases"].as_array().expect("releases");
    assert_eq!(releases.len(), history.len());
    for (release, entry) in releases.iter().zip(&history) {
        let recorded = kernel.recorded(entry.release).expect("readable").expect("recorded");
        assert_eq!(release["payload"], recorded.payload_digest().to_string());
        assert_eq!(release["ledger_head"], entry.head.to_string());
        assert_eq!(release["cost"]["rho_micro"], entry.charge.micro());
        assert_eq!(release["sent"], entry.sent);
        assert_eq!(release["made_on"], "2026-09-21");
        // What is said to be in the file is what is in it, and nothing else.
        let envelope: Value = serde_json::from_slice(recorded.bytes()).expect("JSON");
        let payload = envelope["payload"].as_str().expect("a payload").as_bytes();
        let payload = data_encoding::BASE64.decode(payload).expect("base64");
        let payload: Value = serde_json::from_slice(&payload).expect("JSON");
        let fields: BTreeSet<_> = payload.as_object().expect("fields").keys().cloned().collect();
        assert_eq!(fields, facts.release_fields.iter().map(|field| (*field).to_owned()).collect());
    }
    for language in LANGUAGES {
        let page = render(&facts, language).expect("a page");
        check_releases(&page, &history);
        let rows = figures(&page, "budget");
        for (row, balance) in rows.iter().zip([balance.lifetime, balance.year, balance.study]) {
            assert_eq!(row[..2], [balance.spent.to_string(), balance.left.to_string()]);
        }
        for entry in &history {
            let recorded = kernel.recorded(entry.release).expect("readable").expect("recorded");
            assert!(page.contains(&recorded.payload_digest().to_string()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_round_costs_in_the_evidence_is_what_its_forecast_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path()).await;
    let node = &world.nodes[0];
    let (kernel, facts) = (kernel(node), facts(node));
    let state = State::open(&node.directory).expect("a state");
    let membership = state.membership().expect("a state").expect("enrolled");
    let (known, _) = decisions::studies(&state, &membership, NOW).expect("studies");
    let (known, said) = (&known[0], &facts.studies[0]);
    let period = PERIODS[0].parse().expect("a period");
    let balance = kernel.balance(&known.study.document().study, period).expect("a balance");
    let reporting = Reporting { nodes: 2, county: 1 };
    let forecast =
        Forecast::new(&known.study, period, &balance, reporting, Delta::MICRO, Language::Nb);
    assert_eq!((&said.study, &said.cost.rho), (&forecast.study, &forecast.charge));
    assert!((said.cost.epsilon - forecast.epsilon).abs() < 1e-9);
    assert_eq!(said.rounds, 2);
    assert_eq!(said.cost_several.rho_micro, 2 * said.cost.rho_micro);
    assert_eq!(said.tables.len(), forecast.tables.len());
    for (table, forecast) in said.tables.iter().zip(&forecast.tables) {
        assert_eq!((&table.statistic, table.cells), (&forecast.statistic, forecast.cells));
        assert_eq!((&table.cost.rho, table.bound.l1()), (&forecast.charge, forecast.bound));
        let below = forecast.noise.expect("local") - table.noise.as_ref().expect("local").deviation;
        assert!((0.0..0.0011).contains(&below), "{}: {below}", table.statistic);
    }
}

/// The structure that a screen reader goes by, in every language; axe-core looks at more of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_whole_and_structured() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path()).await;
    let facts = facts(&world.nodes[0]);
    for (language, code) in LANGUAGES.into_iter().zip(["nb", "nn", "en"]) {
        let page = render(&facts, language).expect("a page");
        assert!(page.contains(&format!("<html lang=\"{code}\">")));
        for element in ["<title>", "<main>", "<h1>"] {
            assert_eq!(page.matches(element).count(), 1, "{code}: {element}");
        }
        assert_eq!(page.matches("<table").count(), page.matches("<caption>").count());
        assert_eq!(
            page.matches("<th").count() - page.matches("<thead>").count(),
            page.matches("scope=").count()
        );
        assert!(
            page.matches("<table").count() >= 4 && page.matches("class=\"blank\"").count() >= 9
        );
        let ids: Vec<_> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        // It needs nothing from anywhere.
        for outside in ["http", "src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(outside), "{code}: {outside}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_stands_only_if_one_is_registered_and_texts_are_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = world(folder.path()).await;
    let node = &world.nodes[0];
    let missing = [
        "ingen referanse er registrert",
        "ingen referanse er registrert",
        "no reference is registered",
    ];
    for (language, word) in LANGUAGES.into_iter().zip(missing) {
        assert!(render(&facts(node), language).expect("a page").contains(word));
    }
    let path = node.directory.join(register::FILE);
    let text = std::fs::read_to_string(&path).expect("a register");
    let (before, after) = text.split_once("controller = ").expect("a controller");
    let rest = after.split_once('\n').expect("a line").1;
    let evil = "controller = \"<script>alert('x')</script> & co\"\nassessment = \"REF 12/345\"\n";
    std::fs::write(&path, format!("{before}{evil}{rest}")).expect("written");
    for (language, word) in LANGUAGES.into_iter().zip(missing) {
        let page = render(&facts(node), language).expect("a page");
        assert!(page.contains("REF 12/345") && !page.contains(word));
        assert!(!page.contains("<script") && page.contains("&#60;script&#62;"), "escaped");
    }
}
