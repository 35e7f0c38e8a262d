//! Dependencies point one way: `shared <- node`, `shared <- coordinator`, `tests -> all three`.
//!
//! **Invariant:** what `cargo metadata` says of the workspace, and not what a document promises.
#![cfg(test)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Normal dependencies of every package in the resolved graph, by package name.
struct Graph {
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn of_workspace() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--offline"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo metadata runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
        let name_of: BTreeMap<&str, &str> = metadata["packages"]
            .as_array()
            .expect("packages")
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in metadata["resolve"]["nodes"].as_array().expect("nodes") {
            let to = edges.entry(name_of[text(&node["id"])].to_owned()).or_default();
            for dependency in node["deps"].as_array().expect("deps") {
                let kinds = dependency["dep_kinds"].as_array().expect("kinds");
                if kinds.iter().any(|kind| kind["kind"].is_null()) {
                    to.insert(name_of[text(&dependency["pkg"])].to_owned());
                }
            }
        }
        Self { edges }
    }

    /// Everything that a package reaches through normal dependencies.
    fn reach(&self, from: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(package) = open.pop() {
            for next in self.edges.get(&package).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    }

    fn assert_out_of_reach(&self, from: &str, forbidden: &[&str]) {
        assert!(self.edges.contains_key(from), "{from} is not in the graph");
        let reach = self.reach(from);
        let found: Vec<_> = forbidden.iter().filter(|name| reach.contains(**name)).collect();
        assert!(found.is_empty(), "{from} can reach {found:?}");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

#[test]
fn the_coordinator_cannot_reach_records_or_noise() {
    Graph::of_workspace().assert_out_of_reach(
        "fellestall-coordinator",
        &["fellestall-node", "fellestall-tests", "opendp", "rusqlite"],
    );
}

#[test]
fn a_node_cannot_reach_the_coordinator() {
    Graph::of_workspace()
        .assert_out_of_reach("fellestall-node", &["fellestall-coordinator", "fellestall-tests"]);
}

#[test]
fn shared_has_no_runtime_no_network_and_no_storage() {
    Graph::of_workspace().assert_out_of_reach(
        "fellestall-shared",
        &[
            "tokio",
            "hyper",
            "axum",
            "reqwest",
            "mio",
            "sqlx",
            "rusqlite",
            "csv",
            "opendp",
            "fellestall-node",
            "fellestall-coordinator",
            "fellestall-tests",
        ],
    );
}

#[test]
fn only_ring_does_cryptography_for_tls() {
    let graph = Graph::of_workspace();
    for package in ["fellestall-node", "fellestall-coordinator", "fellestall-tests"] {
        graph.assert_out_of_reach(package, &["aws-lc-rs", "aws-lc-sys", "native-tls"]);
        assert!(graph.reach(package).contains("ring"));
    }
}

#[test]
fn the_rule_can_fail() {
    // The same walk finds what is there: the node does reach opendp.
    assert!(Graph::of_workspace().reach("fellestall-node").contains("opendp"));
}

#[test]
fn opendp_is_used_in_one_module() {
    let mut users = Vec::new();
    let mut open = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs")
                && !path.ends_with("tests/tests/architecture.rs")
            {
                let source = std::fs::read_to_string(&path).expect("source is text");
                if source.contains("opendp::") {
                    users.push(path);
                }
            }
        }
    }
    assert!(!users.is_empty(), "the search finds nothing, so it proves nothing");
    for path in users {
        let path = path.to_string_lossy().into_owned();
        assert!(path.contains("node/src/kernel/mechanism"), "opendp is used in {path}");
    }
}
