//! What the wire types write, and what they do not take.

use super::{Answer, LedgerHead, RefusalReason, Residence, Standing, Witness};
use crate::clock::Timestamp;
use crate::digest::Digest;
use serde::{Deserialize, Serialize};

#[test]
fn an_answer_is_written_in_one_way_and_has_no_room_for_text() {
    let refused = Answer::Refused { reason: RefusalReason::Budget };
    for (answer, text) in [
        (Answer::Approved, r#"{"answer":"approved"}"#),
        (refused, r#"{"answer":"refused","reason":"budget"}"#),
    ] {
        assert_eq!(serde_json::to_string(&answer).expect("JSON"), text);
        assert_eq!(serde_json::from_str::<Answer>(text).expect("an answer"), answer);
    }
    for text in [
        r#"{"answer":"approved","note":"Kari"}"#,
        r#"{"answer":"approved","reason":"budget"}"#,
        r#"{"answer":"refused"}"#,
        r#"{"answer":"refused","reason":"budget","note":"Kari"}"#,
        r#"{"answer":"refused","answer":"approved"}"#,
    ] {
        assert!(serde_json::from_str::<Answer>(text).is_err(), "{text}");
    }
}

/// As a study has it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    #[serde(default = "Residence::unsaid", skip_serializing_if = "Residence::is_unsaid")]
    residence: Residence,
}

#[test]
fn a_study_that_does_not_say_where_people_are_counted_keeps_its_bytes() {
    for (residence, text) in [
        (Residence::Anywhere, "{}"),
        (Residence::OnCensusDate, r#"{"residence":"on_census_date"}"#),
    ] {
        assert_eq!(serde_json::to_string(&Part { residence }).expect("JSON"), text);
        assert_eq!(serde_json::from_str::<Part>(text).expect("a part"), Part { residence });
    }
    assert!(serde_json::from_str::<Part>(r#"{"residence":"somewhere"}"#).is_err());
}

#[test]
fn a_standing_and_its_witness_are_written_in_one_way() {
    let (node, zero) = ("4601-1".parse().expect("an id"), "0".repeat(64));
    let ledger = LedgerHead { sequence: 3, head: Digest::ZERO };
    let (previous, nonce, log) = (Digest::ZERO, Digest::ZERO, Digest::ZERO);
    let since = vec![Digest::ZERO];
    let standing = Standing { node, number: 2, previous, nonce, ledger, since, log };
    let text = format!(
        r#"{{"node":"4601-1","number":2,"previous":"{zero}","nonce":"{zero}","ledger":{{"sequence":3,"head":"{zero}"}},"since":["{zero}"],"log":"{zero}"}}"#
    );
    assert_eq!(serde_json::to_string(&standing).expect("JSON"), text);
    assert_eq!(serde_json::from_str::<Standing>(&text).expect("a standing"), standing);
    let (node, statement, at) = (standing.node, Digest::ZERO, Timestamp::from_unix(0));
    let witness = Witness { node, number: 3, previous, ledger, log, statement, at };
    let at = serde_json::to_string(&at).expect("JSON");
    let text = format!(
        r#"{{"node":"4601-1","number":3,"previous":"{zero}","ledger":{{"sequence":3,"head":"{zero}"}},"log":"{zero}","statement":"{zero}","at":{at}}}"#
    );
    assert_eq!(serde_json::to_string(&witness).expect("JSON"), text);
    assert_eq!(serde_json::from_str::<Witness>(&text).expect("a witness"), witness);
    let more = text.replace("\"number\"", "\"entries\":7,\"number\"");
    assert!(serde_json::from_str::<Witness>(&more).is_err(), "no room for more");
}
