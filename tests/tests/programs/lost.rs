//! N02, N08, L02 for a node of a round with shared tables: its answers are lost on the way, and it is
//! killed at any moment. What it answers is one report, one release and one charge.

use crate::pair::{Answered, Held, Helper, enrol};
use crate::stage::{ROUND, Setting, Stage, binaries};
use crate::way::Way;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// A table with noise of its own, and two that are shared.
const TABLES: [&str; 8] =
    ["--statistic", "S2", "--statistic", "S4", "--statistic", "S5", "--shared", "S4,S5"];
/// What a round costs: three tables.
const CHARGE: i64 = 3 * 125_000;

/// Two nodes at the near end of a way to the coordinator.
struct Scene {
    way: Way,
    stage: Stage,
    helper: Helper,
    nodes: Vec<PathBuf>,
}

impl Scene {
    fn set() -> Self {
        let way = Way::start();
        let setting = Setting { log: Some("debug"), way: Some(way.port), ..Setting::default() };
        let stage = Stage::set(&setting);
        way.lead_to(stage.port);
        let helper = Helper::found(&stage);
        let nodes = enrol(&stage, &["4601", "1108"]);
        helper.open_round(&stage, &TABLES);
        for node in &nodes {
            stage.register(node);
        }
        Self { way, stage, helper, nodes }
    }

    fn approve(&self, node: &Path) -> String {
        self.stage.must(node, &["approve", "core"])
    }

    fn held(&self) -> Held {
        Held::by(&self.stage, &self.helper)
    }

    /// Both reports are in both halves of the sum once, and what is stored is what the nodes recorded.
    fn check_counted_once(&self) {
        self.stage.coordinate(&["round", "close", ROUND]);
        let held = self.held();
        assert_eq!((&held.leaders, &held.helpers, held.alarms), (&vec![2], &vec![2], 0));
        assert_eq!((held.reports.len(), held.releases.len()), (2, 2));
        for node in &self.nodes {
            let answered = Answered::of(node);
            assert_eq!((&answered.charged, answered.sent), (&vec![CHARGE], 1));
            assert!(held.releases.contains(&answered.releases[0]), "the very bytes");
            assert!(held.reports.contains(&envelope(&answered)), "the very bytes");
        }
    }
}

/// The signed part of a recorded report, as the coordinator stores it.
fn envelope(answered: &Answered) -> Vec<u8> {
    let report: fellestall_shared::wire::v1::Report =
        serde_json::from_slice(&answered.reports[0]).expect("a report");
    report.report.to_json().expect("JSON")
}

/// What was recorded stays as it was first recorded, but for the receipt, which is never lost again.
fn check_stands(first: &mut Option<Answered>, now: &Answered) {
    assert_eq!(now.reports.len(), now.releases.len(), "a release without its report");
    assert!(now.reports.len() <= 1 && now.charged.iter().sum::<i64>() <= CHARGE);
    if let Some(first) = first {
        assert!(now.sent >= first.sent);
        first.sent = now.sent;
        assert!(first == now, "other bytes, or another charge");
    } else if !now.releases.is_empty() {
        *first = Some(now.clone());
    }
}

/// N02: every answer that a node of such a round waits for is lost twice, and its request sent again.
#[test]
fn n02_every_answer_to_a_node_is_lost_twice_and_nothing_happens_twice() {
    let scene = Scene::set();
    let (node, log) = (&scene.nodes[0], scene.stage.path("logs/coordinator.log"));
    let (mut first, mut lost) = (None, 1);
    scene.way.lose(&log, "method=PUT route=\"/v1/decisions/");
    assert!(scene.approve(node).contains("Not sent yet"));
    scene.approve(&scene.nodes[1]);
    // What the node has recorded, and the coordinator stored, once the answer is lost.
    for (method, route, recorded, reports, releases) in [
        ("GET", "/v1/work", 0, 0, 0),
        ("GET", "/v1/tasks/", 0, 0, 0),
        ("PUT", "/v1/decisions/", 0, 0, 0),
        ("POST", "/v1/witness", 0, 0, 0),
        ("PUT", "/v1/reports/", 1, 1, 0),
        ("PUT", "/v1/releases/", 1, 1, 1),
    ] {
        for _ in 0..2 {
            scene.way.lose(&log, &format!("method={method} route=\"{route}"));
            let ended = scene.stage.operate(node, &["run", "--once"]);
            assert_eq!(ended.code, Some(4), "{route}: {}{}", ended.out, ended.err);
            lost += 1;
            assert_eq!(scene.way.lost(), lost, "{route}");
            let (answered, held) = (Answered::of(node), scene.held());
            check_stands(&mut first, &answered);
            let found = (answered.reports.len(), held.reports.len(), held.releases.len());
            assert_eq!(found, (recorded, reports, releases), "{route}");
            assert_eq!(answered.sent, 0, "{route}");
        }
    }
    for node in &scene.nodes {
        scene.stage.must(node, &["run", "--once"]);
        scene.stage.must(node, &["run", "--once"]);
    }
    check_stands(&mut first, &Answered::of(node));
    scene.check_counted_once();
}

/// Starts one cycle of a node, and kills it after so long; whether it ended before.
fn killed_after(stage: &Stage, node: &Path, time: Duration) -> bool {
    let mut command = stage.command(&binaries().node, node);
    command.args(["run", "--once"]);
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    std::thread::sleep(time);
    let ended = child.try_wait().expect("a state").is_some();
    child.kill().ok();
    child.wait().expect("it has ended");
    ended
}

/// N08, L02: the node's process is killed again and again, each time a little later, until it is done;
/// deaths fall between its steps. Which ones is a matter of chance: a life may pass by any of them, and
/// most runs see all five. What is lost at each step for certain is the test above.
#[test]
fn n08_a_node_killed_at_any_moment_reports_once() {
    let scene = Scene::set();
    // Every message takes this long at the least, so that deaths fall between any two.
    scene.way.hold(Duration::from_millis(40));
    let (mut deaths, mut seen) = (0, BTreeSet::new());
    for node in &scene.nodes {
        scene.approve(node);
    }
    for (place, (node, step)) in scene.nodes.iter().zip([11, 17]).enumerate() {
        let mut first = None;
        for life in 1.. {
            let ended = killed_after(&scene.stage, node, Duration::from_millis(life * step));
            let (answered, held) = (Answered::of(node), scene.held());
            check_stands(&mut first, &answered);
            let others = place;
            let (reports, releases) = (held.reports.len() - others, held.releases.len() - others);
            assert!(
                releases <= reports && reports <= answered.reports.len(),
                "sent before recorded"
            );
            assert!(answered.sent <= 1 && answered.sent <= releases.try_into().expect("small"));
            seen.insert((answered.reports.len(), reports, releases, answered.sent));
            deaths += usize::from(!ended);
            if ended && answered.sent == 1 {
                break;
            }
        }
    }
    println!("{deaths} deaths, at {seen:?}");
    assert!(deaths > 20, "{deaths}");
    let steps = [(0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 1, 1)];
    assert!(steps.iter().filter(|step| seen.contains(step)).count() >= 4, "only at {seen:?}");
    scene.way.hold(Duration::from_millis(1));
    for node in &scene.nodes {
        scene.stage.must(node, &["run", "--once"]);
    }
    scene.check_counted_once();
}
