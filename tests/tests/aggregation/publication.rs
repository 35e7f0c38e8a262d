//! From real nodes to a publication that anybody can check, with the operator's own commands.

use crate::country::{Country, LOSS, ROUND, ledger};
use crate::scene::MINIMUM;
use fellestall_coordinator::helper::home::HelperHome;
use fellestall_coordinator::publish::{
    FORMAT, Fixed, Mode, Publication, PublicationFile, PublishedTable, Seal, verify,
};
use fellestall_coordinator::template::Sharing;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::StatisticId;
use fellestall_shared::privacy::Rho;
use fellestall_shared::secure::{Checksum, report_id};
use fellestall_shared::signed::SigningKey;
use fellestall_shared::wire::v1::{HelperIdentity, OpenedBatch};
use std::error::Error;

fn ids(ids: &[&str]) -> Vec<StatisticId> {
    ids.iter().map(|id| id.parse().expect("an id")).collect()
}

/// Of the six tables of the core study two are local, three are shared, and one is both.
fn all_kinds(helper: HelperIdentity) -> Sharing {
    Sharing {
        shared: Some(ids(&["S5", "S7", "S14"])),
        both: ids(&["S2"]),
        helper: Some(helper),
        tolerated: Some(1),
        largest_count: 10_000,
    }
}

fn everything_shared(helper: HelperIdentity) -> Sharing {
    Sharing { shared: Some(Vec::new()), both: Vec::new(), ..all_kinds(helper) }
}

/// Nodes count synthetic records, add their noise and report to two servers; a command closes the
/// round; and what is published is the exact count with noise of the declared law.
///
/// The noise is the kernels' own, which no test can seed. A cell further than 8 standard deviations from
/// the truth has a chance below 1e-13, and with more than 40 cells the mean square of their errors, each
/// over its declared variance, lies outside 0.1 to 4 with a chance below 1e-11.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_of_local_shared_and_combined_tables_is_published_and_verifies_offline() {
    let folder = tempfile::tempdir().expect("a folder");
    let country = Country::found(folder.path(), 4, all_kinds).await;
    country.answer(&country.world.nodes).await;
    for node in &country.world.nodes {
        assert_eq!(ledger(node), (Rho::from_micro(6 * LOSS.micro()), 1), "both noises cost as one");
    }
    let said = country.command(&["round", "close", ROUND]).await.expect("published");
    assert!(said.contains("version 1 is published"), "{said}");
    let (bytes, file) = country.published(1).await;
    let (mut cells, mut squares) = (0.0, 0.0);
    for table in &file.publication.tables {
        for cell in &table.cells {
            let truth = country.truth(4, table.statistic.as_str(), &cell.codes);
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let error = (cell.value - truth) as f64;
            let deviation = cell.standard_deviation.value();
            assert!(error.abs() <= 8.0 * deviation + 0.5, "{} {:?}", table.statistic, cell.codes);
            cells += 1.0;
            squares += error * error / cell.variance.value();
        }
    }
    println!("{cells} cells, mean square {:.3} of the declared variance", squares / cells);
    assert!(cells > 40.0, "{cells}");
    assert!((0.1..4.0).contains(&(squares / cells)), "{}", squares / cells);

    let certificate = &file.publication.certificate;
    let mode = |table: &PublishedTable| {
        let of = |one: &&_| certified(one) == &table.statistic;
        certificate.tables.iter().find(of).expect("a table").mode()
    };
    let modes: Vec<_> =
        file.publication.tables.iter().map(|t| (t.statistic.as_str(), mode(t))).collect();
    let expected = [
        ("S2", Mode::Both),
        ("S4", Mode::Local),
        ("S5", Mode::Shared),
        ("S7", Mode::Shared),
        ("S14", Mode::Shared),
        ("S17", Mode::Local),
    ];
    assert!(expected.iter().all(|one| modes.contains(one)), "{modes:?}");
    let batches: Vec<_> = certificate.batches.iter().map(|one| (one.batch, one.reports)).collect();
    assert_eq!((batches, certificate.rho_micro.micro()), (vec![(1, 4)], 6 * LOSS.micro()));
    assert!(certificate.task_document.is_some());

    // As whoever has downloaded it would: the file, and the key that the coordinator reads out.
    let path = country.folder.join("publication.json");
    std::fs::write(&path, &bytes).expect("written");
    let path = path.to_str().expect("UTF-8");
    let checked = country.command(&["verify", path]).await.expect("verified");
    for words in ["hold these nodes' reports", "that of its two halves", "at most 1 of 3 nodes"] {
        assert!(checked.contains(words), "{words}: {checked}");
    }
    alterations(&country, &bytes, &file);
}

fn certified(table: &fellestall_coordinator::publish::TableCertificate) -> &StatisticId {
    &table.statistic
}

/// The file with this publication, sealed anew: as a coordinator would that wants to deceive.
fn sealed(publication: Publication, key: &SigningKey) -> Vec<u8> {
    let bytes = serde_json::to_vec(&publication).expect("JSON");
    let seal = Seal {
        round: publication.round.clone(),
        version: publication.version,
        publication: Digest::of("fellestall/publication/1", &bytes),
    };
    let seal = key.sign(&seal).expect("signed");
    let file =
        PublicationFile { format: FORMAT.to_owned(), publication, seal, releases: Vec::new() };
    let mut bytes = serde_json::to_vec_pretty(&file).expect("JSON");
    bytes.push(b'\n');
    bytes
}

/// Whatever is altered in what shared tables add is found, under the old seal and under a new one.
fn alterations(country: &Country, bytes: &[u8], file: &PublicationFile) {
    let home = country.world.home().expect("a coordinator");
    let helper = HelperHome::open(&country.folder.join("helper")).expect("a helper");
    let key = &home.signing_key;
    let catalogue = crate::scene::catalogue();
    let trusted = key.verifying_key();
    assert_eq!(sealed(file.publication.clone(), key), bytes, "what is not altered is the same");
    let check = |expected: &str, alter: &dyn Fn(&mut Publication)| {
        let mut altered = file.clone();
        alter(&mut altered.publication);
        let mut bytes = serde_json::to_vec_pretty(&altered).expect("JSON");
        bytes.push(b'\n');
        let refused = verify(&bytes, Some(&trusted), catalogue).expect_err("the old seal");
        assert!(refused.to_string().contains("seal is not for this"), "{refused}");
        let bytes = sealed(altered.publication, key);
        let refused = verify(&bytes, Some(&trusted), catalogue).expect_err("a new seal");
        let source = refused.source().map(ToString::to_string).unwrap_or_default();
        let why = format!("{refused}: {source}");
        assert!(why.contains(expected), "{expected}: {why}");
    };
    let at = |publication: &Publication, id: &str| {
        let named = |table: &PublishedTable| table.statistic.as_str() == id;
        publication.tables.iter().position(named).expect("a table")
    };
    let (alone, both) = (at(&file.publication, "S5"), at(&file.publication, "S2"));
    // Opened values, figures and the weight.
    for table in [alone, both] {
        check("a figure", &|it| it.tables[table].shared.as_mut().unwrap().opened[0] += 1);
        check("a figure", &|it| it.tables[table].cells[0].value += 1);
        check("a figure", &|it| it.tables[table].shared.as_mut().unwrap().reports += 1);
    }
    check("a figure", &|it| {
        let combined = it.tables[both].shared.as_mut().unwrap().combined.as_mut().unwrap();
        combined.weight = Fixed::nearest(combined.weight.value() - 1e-6).unwrap();
    });
    // The two halves: the leader's is bound by the figures, the helper's by its signature.
    check("", &|it| it.certificate.batches[0].leader_share.0[0] ^= 1);
    let opened = file.publication.certificate.batches[0].helper.clone();
    let opened = opened.verify::<OpenedBatch>(&helper.signing_key.verifying_key()).expect("signed");
    let resigned = |key: &SigningKey, change: &dyn Fn(&mut OpenedBatch)| {
        let mut document = OpenedBatch::clone(&opened);
        change(&mut document);
        key.sign(&document).expect("signed")
    };
    let foreign = resigned(key, &|_| ());
    check("not signed by the study's helper", &|it| {
        it.certificate.batches[0].helper = foreign.clone();
    });
    // Which reports, and how many: also with a helper that signs what it is given.
    let round = verified_round(file, &trusted);
    let questions = file.publication.certificate.releases.iter();
    let mut questions = questions.map(|one| report_id(round.question(&one.municipality)));
    let (first, rest) = (questions.next().expect("a report"), questions);
    let others = rest.fold(Checksum::NONE.with(&first).with(&first), |sum, id| sum.with(&id));
    let other = resigned(&helper.signing_key, &|it| it.checksum = others.into());
    check("the reports of other nodes", &|it| it.certificate.batches[0].helper = other.clone());
    let fewer = resigned(&helper.signing_key, &|it| it.count -= 1);
    check("is another", &|it| it.certificate.batches[0].helper = fewer.clone());
    check("3 reports, the publication 4 releases", &|it| {
        it.certificate.batches[0].helper = fewer.clone();
        it.certificate.batches[0].reports -= 1;
    });
    check("the task does not name its node", &|it| {
        let unasked = fellestall_shared::municipality::all().last().expect("one");
        it.certificate.releases[3].municipality = unasked.number.clone();
        it.coverage.nodes[3].municipality = unasked.number.clone();
    });
    check("no batch of their reports", &|it| it.certificate.batches.clear());
}

/// The round of a publication, read from its certificate.
fn verified_round(
    file: &PublicationFile,
    key: &fellestall_shared::signed::VerifyingKey,
) -> fellestall_shared::round::Round {
    let certificate = &file.publication.certificate;
    let study = certificate.study_document.clone().verify(key).expect("signed");
    let study = fellestall_shared::study::Study::new(&study, crate::scene::catalogue());
    let round = certificate.round_document.clone().verify(key).expect("signed");
    fellestall_shared::round::Round::new(&round, study.expect("a study")).expect("a round")
}

/// Too few reports: nothing is opened or published, and the reason is said. What nodes were charged for
/// stands, since their reports are out of their hands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_few_reports_are_neither_opened_nor_published_and_their_charge_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let country = Country::found(folder.path(), 4, everything_shared).await;
    let (early, late) = country.world.nodes.split_at(2);
    country.answer(early).await;
    for _ in 0..2 {
        let why = country.command(&["round", "close", ROUND]).await.expect_err("too few");
        assert!(why.contains("stays sealed"), "{why}");
        assert!(why.contains("2 nodes have reported, the study publishes from 3"), "{why}");
    }
    let world = &country.world;
    let round = Country::round();
    let claimed = async || {
        let batches = world.store.batches(&round).await.expect("batches");
        let helpers = country.helper.store().batches().await.expect("batches");
        (batches.iter().any(|one| one.claimed.is_some()), helpers.iter().any(|one| one.opened))
    };
    assert_eq!(claimed().await, (false, false), "the helper was not even asked");
    assert!(world.store.publications(9).await.expect("read").is_empty());
    assert!(world.load(&round).await.expect("a round").closed.is_none(), "it stays open");
    let charge = (Rho::from_micro(6 * LOSS.micro()), 1);
    for node in early {
        assert_eq!(ledger(node), charge);
    }
    // Another cycle costs nothing and sends nothing else; one more node is enough.
    country.answer(early).await;
    assert_eq!(MINIMUM, 3);
    country.answer(&late[..1]).await;
    country.command(&["round", "close", ROUND]).await.expect("published");
    assert_eq!(claimed().await, (true, true));
    for node in &world.nodes[..3] {
        assert_eq!(ledger(node), charge);
    }
    assert_eq!(country.published(1).await.1.publication.coverage.reported, 3);
}
