//! What the wire types write, and what they do not take.

use super::{Answer, RefusalReason};

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
