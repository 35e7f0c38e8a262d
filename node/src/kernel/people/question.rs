//! The question that tests of who is counted ask: how many, by intake year, over 2016.
//!
//! **Invariant:** for tests alone.

use super::{PURPOSE, period};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::labels::Labels;
use fellestall_shared::privacy::{Delta, Loss, Rho};
use fellestall_shared::round::Round;
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::{
    LateReleases, LegalBasis, ReleaseMode, Residence, RoundDocument, StudyDocument, StudyTable,
};

/// A round of one table, participants by intake year, over 2016.
pub fn by_intake_year(legal_basis: LegalBasis, residence: Residence) -> Round {
    asking("S1", legal_basis, residence)
}

/// A round of one table, any of the catalogue, over 2016.
pub fn asking(statistic: &str, legal_basis: LegalBasis, residence: Residence) -> Round {
    let text = || "t".to_owned();
    let declared = super::statistic(statistic).fields().iter().map(String::as_str);
    let read = declared.chain(residence.fields().iter().copied());
    let document = StudyDocument {
        study: "core".parse().expect("an id"),
        version: 1,
        title: Labels { nb: text(), nn: text(), en: text() },
        purpose: PURPOSE.parse().expect("a purpose"),
        controller: text(),
        legal_basis,
        assessment: None,
        fields: read.map(str::to_owned).collect(),
        starts: "2013-01-01".to_owned(),
        ends: "2026-12-31".to_owned(),
        tables: vec![StudyTable {
            statistic: statistic.parse().expect("an id"),
            definition: 1,
            loss: Some(Loss::DiscreteGaussian { rho_micro: Rho::from_micro(1_000) }),
            shared: None,
        }],
        minimum_nodes: 2,
        minimum_difference: 2,
        mode: Some(ReleaseMode::Local),
        aggregation: None,
        municipal_figures: false,
        late_releases: LateReleases::NewVersion,
        municipalities_per_person: 2,
        residence,
        delta_exponent: Delta::MICRO,
    };
    let catalogue = Catalogue::builtin().expect("a catalogue");
    let study = Study::check(&document, Digest::ZERO, catalogue).expect("a study");
    let period = period("2016");
    let document = RoundDocument {
        round: study.round(period),
        study: study.digest(),
        period,
        opens: Timestamp::from_unix(0),
        closes: Timestamp::from_unix(1),
    };
    Round::check(&document, study).expect("a round")
}
