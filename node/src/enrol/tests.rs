use super::{EnrolError, Enroller, parse_invitation};
use crate::config::{Choices, Config, template};
use crate::kernel::source::RejectedRows;
use data_encoding::BASE64URL_NOPAD;
use fellestall_shared::clock::SystemClock;
use fellestall_shared::privacy::Rho;
use fellestall_shared::wire::v1::Invitation;
use std::path::Path;
use std::sync::Arc;

fn text(municipality: &str) -> String {
    let invitation = Invitation {
        url: "https://localhost:1".to_owned(),
        authority: "AA==".to_owned(),
        municipality: municipality.parse().expect("a number"),
        secret: "secret".to_owned(),
    };
    let json = serde_json::to_vec(&invitation).expect("written");
    format!("fellestall1.{}\n", BASE64URL_NOPAD.encode(&json))
}

#[test]
fn an_invitation_is_read_whole_or_not_at_all() {
    let whole = text("4601");
    assert_eq!(parse_invitation(&whole).expect("whole").municipality.as_str(), "4601");
    for cut in ["", "fellestall1.", "fellestall2.e30", &whole[..40], &whole[1..]] {
        let refused = parse_invitation(cut).err().expect("refused").to_string();
        assert!(refused.contains("copied whole"), "{refused}");
    }
}

#[test]
fn another_municipalitys_invitation_is_refused_before_anything_is_sent() {
    let choices = Choices {
        municipality: "4601".parse().expect("a number"),
        records: "records".into(),
        mapping: None,
        rejected_rows: RejectedRows::Refuse,
        lifetime: Rho::from_micro(3),
        year: Rho::from_micro(2),
        study: Rho::from_micro(2),
        poll_seconds: 60,
    };
    let config = Config::parse(Path::new("/nowhere"), &template(&choices)).expect("read");
    let invitation = parse_invitation(&text("1108")).expect("an invitation");
    let refused = Enroller::new(invitation, &config, None, Arc::new(SystemClock)).err();
    assert!(matches!(refused, Some(EnrolError::OtherMunicipality { .. })));
}
