//! Publications with shared tables, over opened sums made by both servers' arithmetic.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "test arithmetic on small numbers"
)]

use super::super::table_law::TableLaw;
use super::intervals::Sampler;
use super::*;
use fellestall_shared::ids::NodeId;
use fellestall_shared::secure::noise::Share;
use fellestall_shared::secure::vdaf::{Shares, Vdaf};
use fellestall_shared::secure::{Bytes, Checksum, Layout, SharedTable, report_id};
use fellestall_shared::wire::v1::{
    Aggregation, HelperIdentity, OpenedBatch, Rejection, TaskDocument, TaskParticipant,
};

/// A federation with shared tables, its helper's key and its task.
pub(crate) struct Secure {
    pub federation: Federation,
    helper: SigningKey,
    task: Envelope,
}

/// The noise of a table: each node's own, and what nodes share.
pub(crate) type Noises<'a> = (&'a str, Option<Loss>, Option<Loss>);

impl Secure {
    pub fn new(tables: &[Noises<'_>], nodes: u32, change: impl Fn(&mut StudyDocument)) -> Self {
        let numbers = (0..nodes).map(|number| format!("{:04}", 1100 + number).parse().unwrap());
        Self::of(tables, &numbers.collect::<Vec<_>>(), change)
    }

    pub fn of(
        tables: &[Noises<'_>],
        municipalities: &[MunicipalityNumber],
        change: impl Fn(&mut StudyDocument),
    ) -> Self {
        let (helper, _) = SigningKey::generate().unwrap();
        let names: Vec<_> = tables.iter().map(|(id, _, _)| (*id, gaussian(1))).collect();
        let mut document = document(&names);
        for (table, (_, own, shared)) in document.tables.iter_mut().zip(tables) {
            (table.loss, table.shared) = (*own, *shared);
        }
        document.minimum_nodes = 3;
        document.mode = None;
        document.aggregation = Some(Aggregation {
            tolerated: 1,
            largest_count: 500,
            helper: HelperIdentity {
                name: "The other institution".into(),
                signing_key: helper.verifying_key(),
                sealing_key: Bytes(vec![9; 32]).try_into().unwrap(),
            },
        });
        change(&mut document);
        let federation = Federation::of(&document, municipalities);
        let listed = |(node, municipality, key): &(NodeId, MunicipalityNumber, SigningKey)| {
            let (municipality, node) = (municipality.clone(), node.clone());
            TaskParticipant { municipality, node, release_key: key.verifying_key() }
        };
        let layout = *federation.round.study().layout().unwrap();
        let task = TaskDocument {
            round: federation.round.id().clone(),
            study: federation.round.study().digest(),
            period: federation.round.period(),
            participants: federation.nodes.iter().map(listed).collect(),
            minimum: document.minimum_nodes,
            length: u32::try_from(layout.length()).unwrap(),
            bits: layout.bits(),
            helper: helper.verifying_key().fingerprint(),
        };
        let task = federation.key.sign(&task).unwrap();
        Self { federation, helper, task }
    }

    pub fn layout(&self) -> Layout {
        *self.federation.round.study().layout().unwrap()
    }

    /// A batch of these nodes with these halves.
    fn signed(&self, batch: u32, nodes: &[usize], leader: Vec<u8>, helper: Vec<u8>) -> OpenedSum {
        let reports = u32::try_from(nodes.len()).unwrap();
        let id = |node: &usize| {
            let (_, municipality, _) = &self.federation.nodes[*node];
            report_id(self.federation.round.question(municipality))
        };
        let checksum = nodes.iter().map(id).fold(Checksum::NONE, |sum, id| sum.with(&id));
        let opened = OpenedBatch {
            task: self.task.payload_digest(),
            batch,
            count: reports,
            checksum: checksum.into(),
            share: Bytes(helper.clone()),
        };
        let vdaf = Vdaf::of(&self.layout()).unwrap();
        let halves = [leader.clone(), helper].map(|half| vdaf.aggregate(&half).ok().unwrap());
        let sums = vdaf.open(&halves[0], &halves[1], reports).unwrap();
        let value = |sum| self.layout().value(sum, reports).unwrap();
        OpenedSum {
            batch,
            reports,
            values: sums.into_iter().map(value).collect(),
            leader_share: Bytes(leader),
            helper: self.helper.sign(&opened).unwrap(),
        }
    }

    /// A batch whose scaled sums are these, in halves that are as good as any: field elements are
    /// written as sixteen bytes, the least first.
    pub fn batch(&self, batch: u32, nodes: &[usize], values: &[i64]) -> OpenedSum {
        let reports = i64::try_from(nodes.len()).unwrap();
        let sum = |value: &i64| u128::try_from(value + reports * self.layout().offset()).unwrap();
        let (leader, helper): (Vec<[u8; 16]>, Vec<[u8; 16]>) = values
            .iter()
            .map(|value| (1_u128.to_le_bytes(), (sum(value) - 1).to_le_bytes()))
            .unzip();
        self.signed(batch, nodes, leader.concat(), helper.concat())
    }

    pub fn input(
        &self,
        participants: Vec<Participant>,
        shared: Vec<OpenedSum>,
    ) -> PublishInput<'_> {
        PublishInput {
            task_envelope: Some(&self.task),
            shared,
            ..self.federation.input(participants)
        }
    }
}

/// One table that nobody sees, and one with both noises.
fn two() -> Secure {
    let tables = [
        ("S5", None, Some(gaussian(50_000))),
        ("S2", Some(gaussian(50_000)), Some(gaussian(80_000))),
    ];
    Secure::new(&tables, 4, |_| ())
}

fn places(secure: &Secure) -> [SharedTable; 2] {
    let tables = secure.federation.round.study().tables();
    [tables[0].shared.unwrap(), tables[1].shared.unwrap()]
}

/// Every cell counts 10 by node, and S2's own tables say 2 more in all.
fn published(secure: &Secure) -> Published {
    let own = |node: usize, _: usize, _: usize| 10 + i64::from(node < 2);
    let [first, second] = places(secure);
    let mut values = vec![40 * i64::from(first.noise.factor()) + 1; first.cells];
    values.extend(vec![40 * i64::from(second.noise.factor()) - 1; second.cells]);
    let opened = secure.batch(1, &[0, 1, 2, 3], &values);
    publish(secure.input(secure.federation.everyone(own), vec![opened])).unwrap()
}

#[test]
fn figures_of_shared_tables_follow_from_the_opened_sums() {
    let secure = two();
    let published = published(&secure);
    let [first, second] = &published.publication.tables[..] else { panic!("two tables") };
    let [one, other] = places(&secure);
    assert!(first.cells.iter().all(|cell| cell.value == 40));
    let shared = first.shared.as_ref().unwrap();
    assert_eq!((shared.factor, shared.reports), (one.noise.factor(), 4));
    assert_eq!(shared.opened[0], 40 * i64::from(shared.factor) + 1);
    assert_eq!(shared.combined, None);
    let shared = second.shared.as_ref().unwrap();
    let combined = shared.combined.as_ref().unwrap();
    assert!(combined.local.iter().all(|sum| *sum == 42));
    assert!(combined.weight.value() > 0.5 && combined.weight.value() < 1.0);
    assert!(second.cells.iter().all(|cell| (40..42).contains(&cell.value)));
    // sigma^2 of the whole is 1 / (2 rho); three shares of it are two honest ones and a half.
    let Share::DiscreteGaussian { sigma } = other.noise.share() else { panic!("Gaussian") };
    let opened = 4.0 * sigma * sigma / f64::from(other.noise.factor()).powi(2);
    let both = 1.0 / (1.0 / opened + 1.0 / 40.0);
    let variance = second.cells[0].variance.value();
    assert!((variance - both - 1.0 / 12.0).abs() < 0.02 * both, "{variance}, {both}");
    let about = &published.publication.about;
    assert!(
        about.en.contains("in S5 were seen by nobody") && about.en.contains("In S2 such a sum")
    );
    assert!(about.nb.contains("i S5 er ikke sett") && about.nn.contains("i S5 er ikkje sett"));
    assert!(!published.publication.rates.is_empty());
    let certificate = &published.publication.certificate;
    assert_eq!(certificate.rho_micro, Rho::from_micro(180_000));
    assert_eq!(certificate.tables[0].loss, None);
    let promise = certificate.tables[0].shared.as_ref().unwrap();
    assert_eq!((promise.minimum, promise.tolerated, promise.honest), (3, 1, 2));
    assert_eq!(promise.rho_micro, Rho::from_micro(50_000));
    let weaker = [promise.one_more_rho_micro, promise.half_rho_micro, promise.own_rho_micro];
    assert!(weaker.iter().all(|loss| loss.unwrap() > promise.rho_micro), "{weaker:?}");
    assert_eq!(promise.own_epsilon, None);
    assert_eq!(certificate.condition(), Some((1, 3)));
    // The first table's own share, and both parts of the second.
    let second = certificate.tables[1].shared.as_ref().unwrap().own_rho_micro.unwrap();
    let own = certificate.tables[1].loss.unwrap().charge().unwrap();
    let together = promise.own_rho_micro.unwrap().plus(second).unwrap().plus(own);
    assert_eq!(certificate.together(), together);
    let range = 2.0_f64.powi(secure.layout().bits().cast_signed() - 1) / f64::from(promise.factor);
    assert_eq!(promise.node_can_shift_a_cell_by, range as i64 + 1);
    for file in [&published.document, &published.bundle] {
        let report = secure.federation.verify(file).unwrap();
        assert!(report.checked.contains(&verify::Checked::Batches));
        assert!(report.checked.contains(&verify::Checked::OpenedSums) && report.batches == 1);
        assert!(report.not_checked.contains(&verify::NotChecked::Collusion), "{report}");
    }
    assert!(secure.federation.verify(&published.bundle).unwrap().is_complete());
}

/// Reports that were really split, proven, checked by both servers and added up.
#[test]
fn sums_that_both_servers_opened_are_published_and_verified_offline() {
    let secure = Secure::new(&[("S5", None, Some(gaussian(50_000)))], 3, |_| ());
    let (vdaf, layout) = (Vdaf::of(&secure.layout()).unwrap(), secure.layout());
    let task = secure.task.payload_digest();
    let (mut leader, mut helper) = (vdaf.nothing(), vdaf.nothing());
    for (node, (_, municipality, _)) in (1_i64..).zip(&secure.federation.nodes) {
        let id = report_id(secure.federation.round.question(municipality));
        let entries: Vec<u128> =
            (0..layout.length()).map(|_| layout.entry(100 * node - 150).unwrap()).collect();
        let Shares { public, leader: own, helper: other } =
            vdaf.split(task, &id, &entries).ok().unwrap();
        let (state, verifier) = vdaf.leader_start(&[3; 32], task, &id, &public, &own).ok().unwrap();
        let (share, message) =
            vdaf.helper_finish(&[3; 32], task, &id, &public, &other, &verifier).ok().unwrap();
        leader.add(&state.finish(&message).ok().unwrap()).unwrap();
        helper.add(&share).unwrap();
    }
    let opened = secure.signed(1, &[0, 1, 2], leader.to_bytes(), helper.to_bytes());
    assert!(opened.values.iter().all(|value| *value == 150));
    let everyone = secure.federation.everyone(|_, _, _| 0);
    let published = publish(secure.input(everyone, vec![opened])).unwrap();
    let factor = published.publication.tables[0].shared.as_ref().unwrap().factor;
    let nearest = (150.0 / f64::from(factor)).round() as i64;
    assert_eq!(published.publication.tables[0].cells[0].value, nearest);
    assert!(secure.federation.verify(&published.document).is_ok());
}

#[test]
fn opened_sums_that_are_not_the_releases_are_not_published() {
    let secure = two();
    let length = secure.layout().length();
    let everyone = || secure.federation.everyone(|_, _, _| 10);
    let refused = |shared: Vec<OpenedSum>| match publish(secure.input(everyone(), shared)) {
        Err(PublishError::Opened(error)) => error,
        _ => panic!("published, or refused for another reason"),
    };
    let good = secure.batch(1, &[0, 1, 2, 3], &vec![5; length]);
    assert_eq!(refused(Vec::new()), OpenedError::Missing);
    let without =
        PublishInput { task_envelope: None, ..secure.input(everyone(), vec![good.clone()]) };
    assert_eq!(publish(without).err(), Some(OpenedError::Task.into()));
    let few = secure.batch(1, &[0, 1], &vec![5; length]);
    let expected = OpenedError::TooFewReports { batch: 1, reports: 2, minimum: 3 };
    assert_eq!(refused(vec![few]), expected);
    let three = secure.batch(1, &[0, 1, 2], &vec![5; length]);
    assert_eq!(refused(vec![three.clone()]), OpenedError::Reports { reports: 3, releases: 4 });
    assert_eq!(refused(vec![good.clone(), good.clone()]), OpenedError::Order);
    let twice = secure.batch(1, &[0, 1, 2, 2], &vec![5; length]);
    assert_eq!(refused(vec![twice]), OpenedError::Checksum);
    let other = OpenedSum {
        helper: secure.batch(2, &[0, 1, 2, 3], &vec![5; length]).helper,
        ..good.clone()
    };
    assert_eq!(refused(vec![other]), OpenedError::Helper { batch: 1 });
    let foreign = OpenedSum {
        helper: two().batch(1, &[0, 1, 2, 3], &vec![5; length]).helper,
        ..good.clone()
    };
    assert_eq!(refused(vec![foreign]), OpenedError::Helper { batch: 1 });
    let mut changed = good.clone();
    changed.values[0] += 1;
    assert_eq!(refused(vec![changed]), OpenedError::Halves { batch: 1 });
    let short = OpenedSum { leader_share: Bytes(vec![0; 16]), ..good.clone() };
    assert_eq!(refused(vec![short]), OpenedError::Halves { batch: 1 });
    let local = Federation::new(&document(&[("S5", gaussian(50_000))]), 3);
    let input = PublishInput { shared: vec![good], ..local.input(local.everyone(|_, _, _| 1)) };
    assert_eq!(publish(input).err(), Some(OpenedError::NotShared.into()));
}

#[test]
fn late_reports_are_in_a_batch_of_their_own() {
    let tables = [("S5", None, Some(gaussian(50_000)))];
    let secure = Secure::new(&tables, 6, |_| ());
    let length = secure.layout().length();
    let batches = vec![
        secure.batch(1, &[0, 2, 4], &vec![100; length]),
        secure.batch(2, &[1, 3, 5], &vec![-30; length]),
    ];
    let all = secure.federation.everyone(|_, _, _| 0);
    let published = publish(secure.input(all, batches)).unwrap();
    let shared = published.publication.tables[0].shared.as_ref().unwrap();
    assert_eq!((shared.reports, shared.opened[0]), (6, 70));
    assert_eq!(secure.federation.verify(&published.document).unwrap().batches, 2);
}

#[test]
fn any_byte_of_what_shared_tables_add_that_is_changed_is_found() {
    let secure = Secure::new(&[("S5", Some(gaussian(9_000)), Some(gaussian(50_000)))], 3, |_| ());
    let opened = secure.batch(1, &[0, 1, 2], &vec![77; secure.layout().length()]);
    let everyone = secure.federation.everyone(|_, _, _| 3);
    let published = publish(secure.input(everyone, vec![opened])).unwrap();
    for mut bytes in [published.document, published.bundle] {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let mut changed = 0;
        for (from, to) in [
            ("\"shared\": {", "\"cells\": ["),
            ("\"share_scale\"", "\"releases\""),
            ("\"task_document\"", "\"seal\""),
        ] {
            let start = text.find(from).unwrap();
            let end = start + text[start..].find(to).unwrap();
            for at in start..end {
                bytes[at] ^= 1;
                assert!(
                    secure.federation.verify(&bytes).is_err(),
                    "byte {at} was changed unnoticed"
                );
                bytes[at] ^= 1;
                changed += 1;
            }
        }
        assert!(changed > 1_000 && secure.federation.verify(&bytes).is_ok());
    }
}

/// What a coordinator that wants to deceive could do: change, then seal again.
#[test]
fn a_shared_figure_that_does_not_follow_is_found_even_under_a_valid_seal() {
    let secure = two();
    let published = published(&secure);
    let check = |change: &dyn Fn(&mut Publication), expected: &str| {
        let mut forged: PublicationFile = serde_json::from_slice(&published.document).unwrap();
        change(&mut forged.publication);
        let sealed = file::seal(forged.publication, Vec::new(), false, &secure.federation.key);
        let error = secure.federation.verify(&sealed.unwrap().document).err().unwrap();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let text = format!("{error}: {}", source.unwrap_or_default());
        assert!(text.contains(expected), "{text}");
    };
    let shared =
        |publication: &mut Publication, at: usize| publication.tables[at].shared.clone().unwrap();
    check(&|it| it.tables[0].cells[0].value += 1, "a figure");
    check(&|it| it.tables[0].shared.as_mut().unwrap().opened[0] += 1, "a figure");
    check(&|it| it.tables[0].shared = None, "the set of tables");
    check(&|it| it.tables[1].shared.as_mut().unwrap().combined = None, "the set of tables");
    check(
        &|it| {
            let mut own = shared(it, 1);
            own.combined.as_mut().unwrap().local[0] += 40;
            it.tables[1].shared = Some(own);
        },
        "a figure",
    );
    check(
        &|it| {
            let mut own = shared(it, 1);
            own.combined.as_mut().unwrap().weight = Fixed::nearest(0.5).unwrap();
            it.tables[1].shared = Some(own);
        },
        "a figure",
    );
    check(&|it| it.certificate.batches[0].leader_share.0[0] ^= 2, "a figure");
    check(&|it| it.certificate.batches[0].reports = 3, "4 releases");
    check(&|it| it.certificate.batches.clear(), "no batch");
    check(&|it| it.certificate.task_document = None, "the signed task");
    check(
        &|it| it.certificate.task_document = Some(it.certificate.round_document.clone()),
        "the signed task",
    );
    check(
        &|it| it.certificate.tables[0].shared.as_mut().unwrap().rho_micro = Rho::from_micro(1),
        "the certificate",
    );
    check(&|it| it.certificate.tables[0].shared.as_mut().unwrap().tolerated = 0, "the certificate");
    check(&|it| it.coverage.nodes[0].rejected = Some(Rejection::Proof), "the coverage");
}

#[test]
fn a_study_without_shared_tables_has_none_of_this_in_its_bytes() {
    let federation = Federation::new(&document(&[("S5", gaussian(50_000))]), 3);
    let published = publish(federation.input(federation.everyone(|_, _, _| 3))).unwrap();
    let text = String::from_utf8(published.bundle).unwrap();
    for name in ["shared", "opened", "batches", "task", "combined", "report\"", "null"] {
        assert!(!text.contains(name), "{name}");
    }
    for name in
        ["\"loss\": {", "\"scale\": 3.162278", "\"node_can_shift_a_cell_by\": 1099511627776"]
    {
        assert!(text.contains(name), "{name}");
    }
}

/// 4,000 rounds of nineteen nodes; see `intervals` for the bands. The variance of 32,000 errors has a
/// relative standard error of 0.8 %.
#[test]
fn intervals_of_shared_and_combined_figures_cover_the_truth_and_their_variance_is_as_declared() {
    const ROUNDS: usize = 4_000;
    const NODES: u32 = 19;
    let losses =
        [(None, 50_000), (Some(20_000), 50_000), (Some(50_000), 2_000_000), (Some(400_000), 9_000)];
    for (seed, (own, shared)) in (1_000_u64..).zip(losses) {
        let table = ("S2", own.map(gaussian), Some(gaussian(shared)));
        let secure = Secure::new(&[table], NODES, |document| {
            document.minimum_nodes = 15;
            document.aggregation.as_mut().unwrap().tolerated = 3;
        });
        let table = &secure.federation.round.study().tables()[0];
        let place = table.shared.unwrap();
        let factor = i64::from(place.noise.factor());
        let Share::DiscreteGaussian { sigma } = place.noise.share() else { panic!("Gaussian") };
        let mut shares = Sampler::new(noise_law::Noise::DiscreteGaussian { sigma }, seed);
        let law = TableLaw::of(table, NODES).unwrap();
        let mut nodes =
            table.local.map(|loss| Sampler::new(combine::noise(loss, table), seed + 500));
        let declared = law.of_sum(NODES as usize, 1);
        let weight = if let TableLaw::Both { weight, .. } = law { Some(weight) } else { None };
        let (mut covered, mut squares) = (0_usize, 0.0);
        for round in 0..ROUNDS * 8 {
            let truth = i64::try_from(round % 50).unwrap();
            let opened = truth * factor + shares.sum(NODES);
            let factor = place.noise.factor();
            let value = match (weight, &mut nodes) {
                (Some(weight), Some(nodes)) => {
                    super::super::shared::weighed(opened, factor, truth + nodes.sum(NODES), weight)
                }
                _ => super::super::shared::nearest(opened, factor),
            };
            let error = value.unwrap() - truth;
            covered += usize::from(error.abs() <= declared.half_width);
            squares += (error * error) as f64;
        }
        let all = (ROUNDS * 8) as f64;
        let (share, variance) = (covered as f64 / all, squares / all);
        println!(
            "own {own:?}, shared {shared}: covers {share:.4}, variance {variance:.4} of {:.4}",
            declared.variance
        );
        // 0.95 less 6 standard errors; a narrow discrete law overshoots its level.
        assert!(share > 0.9427, "{share}");
        let expected = declared.variance;
        assert!((variance - expected).abs() < 0.05 * expected, "{variance} of {expected}");
    }
}
