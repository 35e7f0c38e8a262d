//! What the wire types write, and what they do not take.

use super::{Answer, RefusalReason, Residence};
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
