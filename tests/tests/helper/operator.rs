//! The operator's commands, from `init` to a helper that takes part in a task.

use clap::Parser;
use fellestall_coordinator::cli::{Arguments, CliError, execute};
use fellestall_shared::clock::SystemClock;
use std::path::Path;
use std::sync::Arc;

/// Gives a command; what it says.
async fn say(directory: &Path, words: &[&str]) -> Result<String, CliError> {
    let directory = directory.to_string_lossy().into_owned();
    let program = ["fellestall-coordinator", "--dir", directory.as_str()];
    let arguments = Arguments::try_parse_from(program.iter().chain(words)).expect("a command");
    let mut said = Vec::new();
    execute(arguments, Arc::new(SystemClock), &mut said).await?;
    Ok(String::from_utf8(said).expect("UTF-8"))
}

/// The fingerprint that a command says.
fn fingerprint(said: &str) -> String {
    let line = said.lines().find(|line| line.contains("fingerprint")).expect("a fingerprint");
    line.split_whitespace().last().expect("a word").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_make_their_servers_known_to_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (folder.path().join("coordinator"), folder.path().join("helper"));
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (leader_card, helper_card, roster) =
        (file("leader-card.json"), file("helper-card.json"), file("roster.json"));
    say(&ours, &["init", "--url", "https://localhost:8443"]).await.expect("a coordinator");
    let refused = say(&ours, &["aggregation", "helper"]).await;
    assert!(matches!(refused, Err(CliError::NoHelper)));
    let init = ["helper", "init", "--name", "The other house", "--url", "https://localhost:8444"];
    let made = say(&theirs, &init).await.expect("a helper");
    assert!(say(&theirs, &init).await.is_err(), "keys are never overwritten");
    assert!(say(&ours, &init).await.is_err(), "the two roles never share a directory");

    // The cards cross; each is trusted by the fingerprint that was read out.
    let said = say(&theirs, &["helper", "card", "--out", &helper_card]).await.expect("a card");
    let read_out = fingerprint(&said);
    assert_eq!(fingerprint(&made), read_out);
    let trust = |digits| ["aggregation", "trust-helper", &helper_card, "--fingerprint", digits];
    assert!(matches!(
        say(&ours, &trust("0123456789abcdef")).await,
        Err(CliError::Fingerprint { .. })
    ));
    let said = say(&ours, &trust(&read_out)).await.expect("trusted");
    assert!(said.contains("[aggregation.helper]") && said.contains("The other house"), "{said}");
    say(&ours, &trust(&read_out[..16])).await.expect("the same again is nothing new");

    let said = say(&ours, &["aggregation", "card", "--out", &leader_card]).await.expect("a card");
    let read_out = fingerprint(&said);
    assert!(say(&theirs, &["helper", "run"]).await.is_err(), "nobody is trusted yet");
    let trust = |digits| ["helper", "trust-leader", &leader_card, "--fingerprint", digits];
    assert!(say(&theirs, &trust("0123456789abcdef")).await.is_err());
    say(&theirs, &trust(&read_out)).await.expect("trusted");

    say(&ours, &["aggregation", "roster", "--out", &roster]).await.expect("a roster");
    let said = say(&theirs, &["helper", "admit", &roster]).await.expect("shown");
    assert!(said.contains("Nothing was admitted"), "{said}");
    let said = say(&theirs, &["helper", "status"]).await.expect("a status");
    assert!(said.contains("https://localhost:8443") && said.contains("No task yet"), "{said}");
    let said = say(&theirs, &["helper", "audit"]).await.expect("a log");
    assert!(said.contains("leader-trusted"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_admitted_once_their_keys_were_compared() {
    let stage = crate::stage::Stage::before_admission(3).await;
    let directory = stage.directory();
    let roster = |nodes: &[&crate::stage::Node]| {
        let list: Vec<_> = nodes.iter().map(|node| &node.identity).collect();
        let path = stage.folder.path().join("roster.json");
        let json = serde_json::json!({ "participants": list }).to_string();
        std::fs::write(&path, json).expect("a file");
        path.to_string_lossy().into_owned()
    };
    let all: Vec<_> = stage.nodes.iter().collect();
    let file = roster(&all);
    let said = say(&directory, &["helper", "admit", &file]).await.expect("shown");
    let print = stage.nodes[0].identity.release_key.fingerprint().to_string();
    assert!(
        said.contains("1101-1") && said.contains("Stavanger") == said.contains("1103"),
        "{said}"
    );
    assert!(said.replace(char::is_whitespace, "").contains(&print[..12]), "{said}");
    assert!(stage.server.store().participants().await.unwrap().is_empty());
    say(&directory, &["helper", "admit", &file, "--compared"]).await.expect("admitted");
    assert_eq!(stage.server.store().participants().await.unwrap().len(), 3);
    say(&directory, &["helper", "admit", &file, "--compared"]).await.expect("nothing new");
    // The running helper knows them.
    stage.told().await;

    // Another key for the same node: nobody is admitted until the operator has expelled the old one.
    let other = crate::stage::Stage::before_admission(1).await;
    let file = roster(&[&other.nodes[0], &crate::stage::stranger()]);
    let refused = say(&directory, &["helper", "admit", &file, "--compared"]).await;
    assert!(matches!(refused, Err(CliError::OtherKey)));
    assert_eq!(stage.server.store().participants().await.unwrap().len(), 3);
    say(&directory, &["helper", "expel", "1101-1"]).await.expect("expelled");
    assert!(matches!(
        say(&directory, &["helper", "expel", "1101-1"]).await,
        Err(CliError::NotAdmitted { .. })
    ));
    say(&directory, &["helper", "admit", &file, "--compared"]).await.expect("admitted");
    assert_eq!(stage.server.store().participants().await.unwrap().len(), 4);
    let said = say(&directory, &["helper", "participants"]).await.expect("a list");
    assert!(said.contains("5501-1"), "{said}");
}
