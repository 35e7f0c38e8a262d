//! Whole publications over synthetic rounds, and the helpers that the other tests here share.

use super::*;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::labels::{Labels, Language};
use fellestall_shared::privacy::{Delta, Epsilon, Loss, Rho};
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::{
    LegalBasis, RefusalReason, ReleaseMode, ReleasedTable, StudyTable,
};
use proptest::prelude::*;

mod difference;
pub(super) mod intervals;
pub(crate) mod shared;

/// A signed study and round, and the key that signed them.
pub(crate) struct Federation {
    pub key: SigningKey,
    pub study_envelope: Envelope,
    pub round_envelope: Envelope,
    pub round: Round,
    nodes: Vec<(NodeId, MunicipalityNumber, SigningKey)>,
}

pub(super) fn catalogue() -> &'static Catalogue {
    Catalogue::builtin().expect("a sound catalogue")
}

pub(crate) fn gaussian(micro: u64) -> Loss {
    Loss::DiscreteGaussian { rho_micro: Rho::from_micro(micro) }
}

pub(crate) fn document(tables: &[(&str, Loss)]) -> StudyDocument {
    let find = |id: &str| catalogue().statistic(&id.parse().unwrap()).expect("in the catalogue");
    StudyDocument {
        study: "core".parse().unwrap(),
        version: 1,
        title: Labels { nb: "Kjerne".into(), nn: "Kjerne".into(), en: "Core".into() },
        purpose: "housing-first-statistics".parse().unwrap(),
        controller: "The network".into(),
        legal_basis: LegalBasis::Consent,
        assessment: None,
        fields: tables.iter().flat_map(|(id, _)| find(id).fields().clone()).collect(),
        starts: "2016-01-01".into(),
        ends: "2030-12-31".into(),
        tables: tables
            .iter()
            .map(|(id, loss)| StudyTable {
                statistic: id.parse().unwrap(),
                definition: find(id).definition(),
                loss: Some(*loss),
                shared: None,
            })
            .collect(),
        minimum_nodes: 2,
        minimum_difference: 2,
        mode: Some(ReleaseMode::Local),
        aggregation: None,
        municipal_figures: false,
        late_releases: LateReleases::NewVersion,
        municipalities_per_person: 2,
        residence: fellestall_shared::wire::v1::Residence::Anywhere,
        delta_exponent: Delta::MICRO,
    }
}

impl Federation {
    pub fn new(document: &StudyDocument, nodes: u32) -> Self {
        let number = |number: u32| format!("{:04}", 1100 + number).parse().unwrap();
        Self::of(document, &(0..nodes).map(number).collect::<Vec<_>>())
    }

    /// A federation of these municipalities.
    pub fn of(document: &StudyDocument, municipalities: &[MunicipalityNumber]) -> Self {
        let (key, _) = SigningKey::generate().unwrap();
        let study_envelope = key.sign(document).unwrap();
        let verified = study_envelope.clone().verify(&key.verifying_key()).unwrap();
        let study = Study::new(&verified, catalogue()).expect("a study");
        let period: Period = "2026H1".parse().unwrap();
        let asked = RoundDocument {
            round: study.round(period),
            study: study.digest(),
            period,
            opens: Timestamp::from_unix(1_782_000_000),
            closes: Timestamp::from_unix(1_784_000_000),
        };
        let round_envelope = key.sign(&asked).unwrap();
        let verified = round_envelope.clone().verify(&key.verifying_key()).unwrap();
        let round = Round::new(&verified, study).expect("a round");
        let node = |municipality: &MunicipalityNumber| {
            let (key, _) = SigningKey::generate().unwrap();
            (NodeId::new(municipality, 1), municipality.clone(), key)
        };
        let nodes = municipalities.iter().map(node).collect();
        Self { key, study_envelope, round_envelope, round, nodes }
    }

    /// A node that approved; with a release if `value` gives its cells (table, cell).
    pub fn participant(
        &self,
        number: usize,
        value: Option<&dyn Fn(usize, usize) -> i64>,
    ) -> Participant {
        let (node, municipality, key) = &self.nodes[number];
        let reported = value.map(|value| {
            let document = self.release(number, value);
            let verified = key.sign(&document).unwrap().verify(&key.verifying_key()).unwrap();
            let release = AcceptedRelease::new(verified, &self.round, node, municipality).unwrap();
            Reported { release, late: false }
        });
        Participant {
            node: node.clone(),
            municipality: municipality.clone(),
            release_key: key.verifying_key(),
            decision: Some(Answer::Approved),
            reported,
            rejected: None,
        }
    }

    fn release(&self, number: usize, value: &dyn Fn(usize, usize) -> i64) -> ReleaseDocument {
        let (node, municipality, _) = &self.nodes[number];
        let table = |(index, table): (usize, &fellestall_shared::study::Table)| {
            let statistic = table.statistic;
            let loss = table.local?;
            Some(ReleasedTable {
                statistic: statistic.id().clone(),
                definition: statistic.definition(),
                definition_digest: statistic.digest(),
                loss,
                bound: statistic.bound(),
                scale: loss.nominal_scale(statistic.bound()),
                values: (0..statistic.cells()).map(|cell| value(index, cell)).collect(),
            })
        };
        let is_shared = self.round.study().layout().is_some();
        ReleaseDocument {
            release: self.round.question(municipality),
            node: node.clone(),
            municipality: municipality.clone(),
            round: self.round.id().clone(),
            study: self.round.study().digest(),
            period: self.round.period(),
            tables: self.round.study().tables().iter().enumerate().filter_map(table).collect(),
            report: is_shared.then(|| Digest::of("test report", &[1])),
            charge_micro: self.round.study().charge(),
            consent_snapshot: Digest::of("test", &[1]),
            ledger_sequence: 1,
            ledger_previous: Digest::ZERO,
        }
    }

    pub fn input(&self, participants: Vec<Participant>) -> PublishInput<'_> {
        PublishInput {
            round: &self.round,
            study_envelope: &self.study_envelope,
            round_envelope: &self.round_envelope,
            version: 1,
            published: Timestamp::from_unix(1_785_000_000),
            participants,
            earlier: Vec::new(),
            task_envelope: None,
            shared: Vec::new(),
            key: &self.key,
        }
    }

    /// Everyone reports `value(node, table, cell)`.
    pub fn everyone(&self, value: impl Fn(usize, usize, usize) -> i64) -> Vec<Participant> {
        (0..self.nodes.len())
            .map(|node| self.participant(node, Some(&|table, cell| value(node, table, cell))))
            .collect()
    }

    pub fn verify(&self, bytes: &[u8]) -> Result<verify::VerifyReport, verify::VerifyError> {
        verify(bytes, Some(&self.key.verifying_key()), catalogue())
    }
}

fn core() -> StudyDocument {
    document(&["S2", "S4", "S5", "S7", "S14", "S17"].map(|id| (id, gaussian(50_000))))
}

#[test]
fn sums_are_those_of_the_releases_and_keep_negative_values() {
    let federation = Federation::new(&core(), 3);
    let value = |node: usize, table: usize, cell: usize| match (node, table, cell) {
        (0, 0, 0) => -7,
        (1, 0, 0) => 2,
        _ => 1,
    };
    let published = publish(federation.input(federation.everyone(value))).unwrap();
    let table = &published.publication.tables[0];
    assert_eq!(table.cells[0].value, -4);
    assert!(table.cells.iter().skip(1).all(|cell| cell.value == 3));
    let width = table.cells[0].upper95 - table.cells[0].value;
    assert_eq!(table.cells[0].value - table.cells[0].lower95, width);
    // sigma^2 = 1 / (2 * 0.05) = 10 at each of three nodes.
    assert!((table.cells[0].variance.value() - 30.0).abs() < 1e-5);
    let report = federation.verify(&published.bundle).unwrap();
    assert!(report.is_complete() && report.releases == 3, "{report}");
    let report = federation.verify(&published.document).unwrap();
    assert!(!report.is_complete());
    assert!(report.not_checked.contains(&verify::NotChecked::Sums));
}

#[test]
fn the_certificate_states_the_loss_per_municipality_and_per_person() {
    let federation = Federation::new(&core(), 3);
    let published = publish(federation.input(federation.everyone(|_, _, _| 4))).unwrap();
    let certificate = &published.publication.certificate;
    assert_eq!(certificate.rho_micro, Rho::from_micro(300_000));
    assert_eq!(certificate.person_rho_micro, Rho::from_micro(600_000));
    assert!(certificate.person_epsilon > certificate.epsilon);
    assert_eq!(certificate.tables[1].l0, 3);
    assert!((certificate.tables[1].scale.unwrap().value() - 30_f64.sqrt()).abs() < 1e-6);
    assert_eq!(certificate.releases.len(), 3);
}

/// The rule is in the certificate and in no other byte; the guarantee for a person is the same, since one
/// municipality cannot see what another has recorded.
#[test]
fn the_certificate_states_where_people_are_counted() {
    let federation = Federation::new(&core(), 3);
    let anywhere = publish(federation.input(federation.everyone(|_, _, _| 4))).unwrap();
    let text = String::from_utf8(anywhere.document).unwrap();
    assert!(!text.contains("residence"), "a study without the rule keeps its bytes");
    let residence = fellestall_shared::wire::v1::Residence::OnCensusDate;
    let mut document = StudyDocument { residence, ..core() };
    document.fields.extend(residence.fields().iter().map(|field| (*field).to_owned()));
    let federation = Federation::new(&document, 3);
    let published = publish(federation.input(federation.everyone(|_, _, _| 4))).unwrap();
    let certificate = &published.publication.certificate;
    assert_eq!(certificate.residence, residence);
    let loss = |certificate: &Certificate| (certificate.rho_micro, certificate.person_rho_micro);
    assert_eq!(loss(certificate), loss(&anywhere.publication.certificate));
    let report = federation.verify(&published.bundle).unwrap().to_string();
    for part in
        ["one participant's rows in one municipality", "held in 2 municipalities", "lives on"]
    {
        assert!(report.contains(part), "{report}");
    }
}

#[test]
fn coverage_says_who_is_missing_who_declined_and_who_came_late() {
    let federation = Federation::new(&core(), 6);
    let mut participants = federation.everyone(|_, _, _| 2);
    participants[1].reported = None;
    participants[2].reported = None;
    participants[2].decision = Some(Answer::Refused { reason: RefusalReason::Capacity });
    participants[3].reported = None;
    participants[3].decision = None;
    if let Some(reported) = &mut participants[4].reported {
        reported.late = true;
    }
    let published = publish(federation.input(participants.clone())).unwrap();
    let coverage = &published.publication.coverage;
    let counts = [coverage.asked, coverage.reported, coverage.late, coverage.missing];
    assert_eq!(counts, [6, 3, 1, 1]);
    assert_eq!((coverage.declined, coverage.undecided), (1, 1));
    assert_eq!(coverage.nodes[2].reason, Some(RefusalReason::Capacity));
    assert!(federation.verify(&published.bundle).is_ok());

    let refusing = StudyDocument { late_releases: LateReleases::Refused, ..core() };
    let other = Federation::new(&refusing, 2);
    let mut participants = other.everyone(|_, _, _| 0);
    if let Some(reported) = &mut participants[0].reported {
        reported.late = true;
    }
    let refused = publish(other.input(participants));
    assert!(matches!(refused, Err(PublishError::Late { .. })));
}

#[test]
fn n06_every_subset_of_reported_late_and_missing_nodes_is_shown_as_it_is() {
    let federation = Federation::new(&document(&[("S5", gaussian(50_000))]), 4);
    let value = |node: usize, _: usize, _: usize| 10_i64.pow(u32::try_from(node).unwrap());
    for subset in 0..3_usize.pow(4) {
        let mut participants = federation.everyone(value);
        let (mut sum, mut states) = (0, [0_usize; 3]);
        for (node, participant) in participants.iter_mut().enumerate() {
            let state = subset / 3_usize.pow(u32::try_from(node).unwrap()) % 3;
            states[state] += 1;
            match (state, &mut participant.reported) {
                (0, _) => sum += value(node, 0, 0),
                (1, Some(reported)) => {
                    sum += value(node, 0, 0);
                    reported.late = true;
                }
                _ => participant.reported = None,
            }
        }
        let [punctual, late, missing] = states;
        let published = publish(federation.input(participants));
        if punctual + late < 2 {
            let found = punctual + late;
            assert_eq!(published.err(), Some(PublishError::TooFewNodes { found, minimum: 2 }));
            continue;
        }
        let publication = published.unwrap().publication;
        let coverage = &publication.coverage;
        let shown = [coverage.reported - coverage.late, coverage.late, coverage.missing];
        assert_eq!(shown, [punctual, late, missing]);
        assert_eq!(publication.tables[0].cells[0].value, sum);
    }
}

#[test]
fn what_does_not_hold_is_not_published() {
    let federation = Federation::new(&core(), 3);
    let all = federation.everyone(|_, _, _| 1);
    let refused = publish(federation.input(all[..1].to_vec()));
    assert_eq!(refused.err(), Some(PublishError::TooFewNodes { found: 1, minimum: 2 }));
    let twice = [&all[..], &all[..1]].concat();
    assert!(matches!(publish(federation.input(twice)), Err(PublishError::Twice { .. })));
    let mut swapped = all.clone();
    swapped[0].release_key = all[1].release_key.clone();
    assert!(matches!(publish(federation.input(swapped)), Err(PublishError::Signature { .. })));
    let mut moved = all.clone();
    moved[0].node = "1199-1".parse().unwrap();
    assert!(matches!(publish(federation.input(moved)), Err(PublishError::Foreign { .. })));
    let foreign = Federation::new(&core(), 3);
    let mut input = federation.input(all.clone());
    input.round_envelope = &foreign.round_envelope;
    assert_eq!(publish(input).err(), Some(PublishError::Envelope { what: "round" }));
    let other = Federation::new(&document(&[("S2", gaussian(50_000))]), 3);
    let refused = publish(federation.input(other.everyone(|_, _, _| 1)));
    assert!(refused.is_err(), "releases of another study were merged");
    let mut input = federation.input(all);
    input.version = 2;
    assert_eq!(publish(input).err(), Some(PublishError::Version { version: 2, expected: 1 }));
}

#[test]
fn n07_a_poisoning_node_shifts_a_cell_by_its_declared_bound_at_most() {
    use fellestall_shared::limits::CELL_MAGNITUDE;
    let federation = Federation::new(&core(), 3);
    for extreme in [CELL_MAGNITUDE, -CELL_MAGNITUDE] {
        let honest = publish(federation.input(federation.everyone(|_, _, _| 0))).unwrap();
        let value = |node: usize, _: usize, _: usize| if node == 0 { extreme } else { 0 };
        let poisoned = publish(federation.input(federation.everyone(value))).unwrap();
        let (honest, poisoned) = (&honest.publication, &poisoned.publication);
        for (a, b) in honest.tables.iter().zip(&poisoned.tables) {
            for (a, b) in a.cells.iter().zip(&b.cells) {
                assert_eq!(b.value - a.value, extreme);
            }
        }
        assert_eq!(poisoned.certificate.node_can_shift_a_cell_by, CELL_MAGNITUDE);
    }
    let document = federation.release(0, &|_, _| CELL_MAGNITUDE + 1);
    let (node, municipality, key) = &federation.nodes[0];
    let verified = key.sign(&document).unwrap().verify(&key.verifying_key()).unwrap();
    assert!(AcceptedRelease::new(verified, &federation.round, node, municipality).is_err());
}

#[test]
fn municipal_figures_are_published_only_where_the_study_says_so() {
    let open = StudyDocument { municipal_figures: true, ..document(&[("S5", gaussian(50_000))]) };
    let federation = Federation::new(&open, 2);
    let value = |node: usize, _: usize, _: usize| i64::try_from(node).unwrap() + 5;
    let published = publish(federation.input(federation.everyone(value))).unwrap();
    assert_eq!(published.publication.municipal[1].tables[0].values[0], 6);
    assert_eq!(published.document, published.bundle);
    assert!(federation.verify(&published.document).unwrap().is_complete());
    let federation = Federation::new(&core(), 2);
    let published = publish(federation.input(federation.everyone(value))).unwrap();
    assert!(published.publication.municipal.is_empty());
    let text = String::from_utf8(published.document).unwrap();
    assert!(!text.contains("\"releases\": [\n    {\n      \"payload\""));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn n09_arrival_order_changes_no_byte(order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle()) {
        use std::sync::LazyLock;
        static FEDERATION: LazyLock<(Federation, Vec<Participant>, Published)> = LazyLock::new(|| {
            let federation = Federation::new(&document(&[("S2", gaussian(50_000)), ("S5", gaussian(9_000))]), 7);
            let all = federation.everyone(|node, _, cell| i64::try_from(node * 10 + cell).unwrap());
            let published = publish(federation.input(all.clone())).unwrap();
            (federation, all, published)
        });
        let (federation, all, first) = &*FEDERATION;
        let shuffled = order.iter().map(|node| all[*node].clone()).collect();
        let again = publish(federation.input(shuffled)).unwrap();
        prop_assert_eq!(&again.document, &first.document);
        prop_assert_eq!(&again.bundle, &first.bundle);
    }
}

#[test]
fn csv_has_one_line_for_each_figure_in_the_same_columns() {
    let federation = Federation::new(&core(), 3);
    let published = publish(federation.input(federation.everyone(|_, _, _| 40))).unwrap();
    let bytes = csv::figures(&published.publication, Language::Nn).unwrap();
    let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
    let at = |name: &str, header: &::csv::StringRecord| header.iter().position(|it| it == name);
    let header = reader.headers().unwrap().clone();
    let lines: Vec<_> = reader.records().map(Result::unwrap).collect();
    let cells: usize = published.publication.tables.iter().map(|table| table.cells.len()).sum();
    assert_eq!(lines.len(), cells);
    let first = &lines[0];
    assert_eq!(&first[at("code1", &header).unwrap()], "same_dwelling");
    assert_eq!(&first[at("value", &header).unwrap()], "120");
    assert_eq!(&first[at("nodes", &header).unwrap()], "3");
    let rates = csv::rates(&published.publication, Language::En).unwrap();
    let lines = ::csv::Reader::from_reader(rates.as_slice()).into_records().count();
    assert_eq!(lines, published.publication.rates.len());
    assert_eq!(lines, 3 + 6);
}

#[test]
fn the_terminal_table_keeps_to_its_width_and_says_that_figures_are_noisy() {
    let tables = [("S2", gaussian(50_000)), ("S4", gaussian(50_000)), ("S28", gaussian(2_000_000))];
    let federation = Federation::new(&document(&tables), 3);
    let value = |_: usize, _: usize, cell: usize| if cell == 0 { -60 } else { 200 };
    let published = publish(federation.input(federation.everyone(value))).unwrap();
    for (language, width) in [(Language::Nb, 80), (Language::Nn, 120), (Language::En, 200)] {
        let text = table::render(&published.publication, language, width);
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(longest <= usize::from(width), "{longest} columns of {width}:\n{text}");
        assert!(!text.contains('\u{1b}'));
        assert!(text.contains("\u{2212}180 ("), "{text}");
    }
    let text = table::render(&published.publication, Language::En, 100);
    assert!(text.contains("added noise") && text.contains("3 of 3 municipalities reported"));
}

#[test]
fn a_discrete_laplace_table_is_published_with_its_own_law() {
    let loss = Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(1_000_000) };
    let federation = Federation::new(&document(&[("S5", loss)]), 4);
    let published = publish(federation.input(federation.everyone(|_, _, _| 10))).unwrap();
    let q = (-1.0_f64).exp();
    let variance = 4.0 * 2.0 * q / (1.0 - q).powi(2);
    let cell = &published.publication.tables[0].cells[0];
    assert!((cell.variance.value() - variance).abs() < 1e-6);
    assert!(federation.verify(&published.bundle).is_ok());
}
