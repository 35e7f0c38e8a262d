//! A coordinator that serves two half-years of four municipalities.

use fellestall_coordinator::databank::{self, Cube, Databank};
use fellestall_coordinator::home::Home;
use fellestall_coordinator::present::Policy;
use fellestall_coordinator::server::Server;
use fellestall_coordinator::template::{self, Wish};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::privacy::Rho;
use fellestall_tests::http::{self, Answer};
use fellestall_tests::synthetic;
use fellestall_tests::world::World;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The half-years.
pub const PERIODS: [&str; 2] = ["2016H1", "2016H2"];
const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);
const MUNICIPALITIES: [&str; 4] = ["1108", "3107", "4601", "5001"];

/// The coordinator, and a second look at its databank.
pub struct Scene {
    /// Where it listens, as `127.0.0.1:1234`.
    pub address: String,
    databank: Databank,
    server: Option<Server>,
    runtime: Runtime,
    _folder: TempDir,
}

impl Scene {
    /// Sets the scene.
    pub fn set() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = Runtime::new().expect("a runtime");
        let (server, home, clock) = runtime.block_on(publish(&folder));
        let address = server.public_address().expect("public pages").to_string();
        let open = Databank::open(server.store().clone(), &home, clock);
        let databank = runtime.block_on(open).expect("a databank");
        Self { address, databank, server: Some(server), runtime, _folder: folder }
    }

    /// The address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Asks for a page.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(path, &[])
    }

    /// Asks for a page with these headers.
    pub fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let headers = [&[("Host", self.address.as_str())], headers].concat();
        http::ask(&self.address, "GET", path, &headers, "").expect("an answer")
    }

    /// A table as it is stored.
    pub fn cube(&self, id: &str) -> Arc<Cube> {
        let cube = self.runtime.block_on(self.databank.cube(id));
        cube.expect("a databank").expect("a table")
    }

    /// All tables and their rounds.
    pub fn catalogue(&self) -> Arc<databank::Catalogue> {
        self.runtime.block_on(self.databank.catalogue()).expect("a catalogue")
    }

    /// The ids of all tables.
    pub fn tables(&self) -> Vec<String> {
        let catalogue = self.catalogue();
        catalogue.tables.values().map(|listed| listed.entry.id.clone()).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.shutdown());
        }
    }
}

async fn publish(folder: &TempDir) -> (Server, Policy, Arc<dyn Clock>) {
    let mut world =
        World::found(folder.path(), "sqlite:coordinator.db", NOW).await.expect("a coordinator");
    let last = PERIODS[1].parse().expect("a period");
    for number in MUNICIPALITIES {
        let number: MunicipalityNumber = number.parse().expect("a number");
        let export = match number.as_str() {
            "4601" => synthetic::bergen(),
            "1108" => synthetic::sandnes(),
            _ => synthetic::municipality(&number, last, 7),
        };
        world.enrol(&export).await.expect("an enrolled node");
    }
    let wish = Wish {
        statistics: ["S2", "S3", "S4", "S28"].map(|id| id.parse().expect("an id")).to_vec(),
        rho: Rho::from_micro(125_000),
        starts: "2013-01-01".to_owned(),
        ends: "2035-12-31".to_owned(),
        minimum_nodes: 2,
        residence: fellestall_shared::wire::v1::Residence::Anywhere,
        sharing: fellestall_coordinator::template::Sharing::default(),
        municipal_figures: true,
    };
    let catalogue = Catalogue::builtin().expect("the catalogue is sound");
    let study = template::study(&wish, catalogue).expect("a study");
    world.publish_study(&study).await.expect("a study");
    world.approve_everywhere().await.expect("approvals");
    for period in PERIODS {
        let round = world.open_round(&study, period.parse().expect("a period")).await;
        let round = round.expect("a round");
        for node in &world.nodes {
            node.cycle().await.expect("a cycle");
        }
        world.close(&round).await.expect("a publication");
    }
    world.take_down().await;
    let mut home: Home = world.home().expect("a coordinator");
    home.config.listen = "127.0.0.1:0".parse().expect("an address");
    home.config.public = Some("127.0.0.1:0".parse().expect("an address"));
    // Tests ask more often than readers do.
    home.config.web.calls_per_window = 10_000;
    let policy = home.policy.clone();
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let server = Server::start(home, Arc::clone(&clock)).await.expect("a service");
    (server, policy, clock)
}
