//! A databank whose every cell is known from its coordinates alone, and is like no other cell.

use crate::reader::{Answer, ask};
use fellestall_coordinator::config::{Config, Web};
use fellestall_coordinator::databank;
use fellestall_coordinator::home::Home;
use fellestall_coordinator::present::{
    FORMAT, Figure, Policy, Presentation, PresentedCategory, PresentedCells, PresentedDimension,
    PresentedTable, Privacy, Symbol, TableKind, TableNoise,
};
use fellestall_coordinator::publish::Fixed;
use fellestall_coordinator::server::Server;
use fellestall_coordinator::store::Store;
use fellestall_shared::clock::{FixedClock, Timestamp};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::labels::Labels;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::{Delta, Loss, Rho};
use sqlx::{AnyConnection, Connection};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// The moment at which the service is asked.
pub const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);
pub const DAY: i64 = 86_400;
pub const PERIODS: [&str; 4] = ["2024H1", "2024H2", "2025H1", "2025H2"];
pub const REGIONS: [&str; 4] = ["0", "0301", "1508", "4601"];
pub const HOUSING: [&str; 4] = ["total", "own", "rented", "none"];
/// A variable whose categories do not add up: it has no total.
pub const PROBLEMS: [&str; 3] = ["substance_use", "mental_health", "debt"];
pub const MEASURES: [&str; 7] = [
    "Deltakere",
    "Deltakere_nedre95",
    "Deltakere_ovre95",
    "Deltakere_stoysd",
    "Deltakere_ra",
    "Kommuner",
    "Kommuner_spurt",
];
/// The tables: id and dimension.
pub const TABLES: [(&str, &str, &[&str], bool); 2] =
    [("core-S2", "housing_situation", &HOUSING, true), ("core-S9", "problem", &PROBLEMS, false)];

fn same(text: &str) -> Labels {
    Labels { nb: text.into(), nn: format!("{text} (nn)"), en: format!("{text} (en)") }
}

/// What one cell holds, by where it stands: table, period, region, category, measure.
pub fn oracle(at: [usize; 5]) -> (Option<f64>, Option<&'static str>) {
    let [table, period, region, category, measure] = at;
    let place = ((table * 10 + period) * 10 + region) * 10 + category;
    let tag = i32::try_from(place * 10 + measure).expect("small");
    let is_shown = measure < 3;
    match (region, category) {
        // Hidden by the rule: the presented figure and its interval.
        (2, 1) if is_shown => (None, Some(":")),
        // Nobody reported.
        (3, 2) => (None, Some("..")),
        // A later version may change it.
        (1, 0) if is_shown => (Some(f64::from(tag)), Some("*")),
        _ if measure == 3 => (Some(f64::from(tag) + 0.25), None),
        _ if measure == 4 => (Some(-f64::from(tag)), None),
        _ => (Some(f64::from(tag)), None),
    }
}

fn symbol(at: [usize; 5]) -> Option<Symbol> {
    match oracle(at).1? {
        ":" => Some(Symbol::Suppressed),
        "*" => Some(Symbol::Provisional),
        _ => Some(Symbol::Missing),
    }
}

fn table(number: usize, period: usize) -> PresentedTable {
    let (id, code, categories, has_total) = TABLES[number];
    let mut cells = PresentedCells::default();
    for region in 0..REGIONS.len() {
        for category in 0..categories.len() {
            let at = |measure| [number, period, region, category, measure];
            let fixed = |measure| oracle(at(measure)).0.and_then(Fixed::nearest);
            let count = |measure| {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a tag"
                )]
                oracle(at(measure)).0.map(|value| value as u32)
            };
            cells.shown.push(fixed(0));
            cells.lower95.push(fixed(1));
            cells.upper95.push(fixed(2));
            cells.deviation.push(fixed(3));
            cells.raw.push(fixed(4));
            cells.municipalities.push(count(5));
            cells.asked.push(count(6));
            cells.symbols.push(symbol(at(0)));
        }
    }
    let category = |code: &&str| PresentedCategory {
        code: (*code).to_owned(),
        label: same(&format!("<{code}>")),
    };
    PresentedTable {
        id: id.to_owned(),
        kind: TableKind::Counts,
        statistic: id.trim_start_matches("core-").parse().expect("a statistic"),
        definition: 1,
        title: same(&format!("Deltakere etter {code}")),
        description: same("Hvem som telles"),
        figure: Figure {
            code: "Deltakere".into(),
            label: same("Deltakere"),
            unit: same("personer"),
            decimals: 0,
        },
        regions: REGIONS.iter().map(category).collect(),
        dimensions: vec![PresentedDimension {
            code: code.to_owned(),
            label: same(code),
            categories: categories.iter().map(category).collect(),
            has_total,
        }],
        noise: TableNoise {
            loss: Some(Loss::DiscreteGaussian { rho_micro: Rho::from_micro(125_000) }),
            charge_micro: Rho::from_micro(125_000),
            l0: 1,
            l1: 1,
            l2_squared: 1,
            scale: Fixed::whole(2),
            shared: None,
        },
        cells,
    }
}

pub fn presentation(number: usize, round: &RoundId, tables: Vec<PresentedTable>) -> Presentation {
    let period: Period = PERIODS[number].parse().expect("a period");
    Presentation {
        format: FORMAT.to_owned(),
        round: round.clone(),
        version: 1,
        publication: Digest::of("test", round.as_str().as_bytes()),
        period,
        published: published(number),
        study: "core".parse().expect("a study"),
        study_version: 1,
        study_title: same("Kjernen"),
        about: same("Tallene har støy."),
        provisional: false,
        asked: 4,
        reported: 3,
        privacy: Privacy {
            unit: "all rows of one participant in one municipality".into(),
            rho_micro: Rho::from_micro(250_000),
            delta_exponent: Delta::MICRO,
            epsilon: Fixed::nearest(3.5).expect("a number"),
            municipalities_per_person: 2,
            person_epsilon: Fixed::nearest(7.0).expect("a number"),
        },
        policy: Policy::default(),
        tables,
        decisions: Vec::new(),
    }
}

/// Period 3 was published ten days ago, and each one before it a hundred days earlier.
pub fn published(period: usize) -> Timestamp {
    let days = 10 + 100 * i64::try_from(PERIODS.len() - 1 - period).expect("small");
    Timestamp::from_unix(NOW.unix() - days * DAY)
}

/// Publications without documents: what a presentation refers to.
pub async fn publications(address: &str, rounds: &[RoundId]) {
    let mut connection = AnyConnection::connect(address).await.expect("a connection");
    sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut connection).await.expect("a setting");
    for round in rounds {
        sqlx::query(
            "INSERT INTO publication (round, version, digest, document, bundle, summary, created)
             VALUES ($1, 1, $2, $3, $3, '{}', $4)",
        )
        .bind(round.as_str())
        .bind(Digest::of("test", round.as_str().as_bytes()).to_string())
        .bind(b"{}".as_slice())
        .bind(NOW.unix())
        .execute(&mut connection)
        .await
        .expect("a publication");
    }
    connection.close().await.expect("closed");
}

/// A running service.
pub struct Bank {
    runtime: Runtime,
    server: Option<Server>,
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// A service that never refuses by number of calls.
pub fn generous() -> Web {
    Web {
        url: Some("https://tall.example.no".to_owned()),
        contact: Some("tall@example.no".to_owned()),
        calls_per_window: 1_000_000,
        ..Web::default()
    }
}

impl Bank {
    /// The databank of this fixture.
    pub fn open(web: Web) -> Self {
        Self::over(web, async |store, address| {
            let round = |period: &&str| format!("core.1.{period}").parse().expect("a round");
            let rounds: Vec<RoundId> = PERIODS.iter().map(round).collect();
            publications(address, &rounds).await;
            for (period, round) in rounds.iter().enumerate() {
                let tables = (0..TABLES.len()).map(|number| table(number, period)).collect();
                let shown = presentation(period, round, tables);
                let new = databank::stored(&shown).expect("a document");
                store.add_presentation(round, 1, &new, published(period)).await.expect("stored");
            }
        })
    }

    /// A databank that `fill` fills before the service starts.
    pub fn over(web: Web, fill: impl AsyncFnOnce(&Store, &str)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = Runtime::new().expect("a runtime");
        let local: SocketAddr = ([127, 0, 0, 1], 0).into();
        let config = Config {
            url: "https://127.0.0.1:8443".to_owned(),
            hosts: vec!["127.0.0.1".to_owned()],
            listen: local,
            public: Some(local),
            store: "sqlite:coordinator.db".to_owned(),
            web,
            admin: None,
        };
        let directory = folder.path().join("coordinator");
        let home = Home::create(&directory, &config, NOW).expect("a coordinator");
        let server = runtime.block_on(async {
            let address = home.store_address().expect("an address");
            let store = Store::open(&address).await.expect("a store");
            fill(&store, &address).await;
            store.close().await;
            Server::start(home, Arc::new(FixedClock(NOW))).await.expect("a service")
        });
        let address = server.public_address().expect("public pages");
        Self { runtime, server: Some(server), address, _folder: folder }
    }

    pub fn get(&self, path: &str) -> Answer {
        ask(self.address, "GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        let json = [("Content-Type", "application/json")];
        ask(self.address, "POST", path, &json, body.as_bytes())
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}
