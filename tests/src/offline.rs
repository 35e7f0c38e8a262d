//! A federation without a network: real kernels over real exports, and the coordinator's pure merge.
//!
//! For tests that need hundreds of rounds: each kernel is opened on a ledger of its own, so that
//! every repetition draws fresh noise for the same question, as no single node ever could.
//!
//! **Invariant:** a round here is approved through the node's own decisions, from signed documents.

use crate::synthetic::Export;
use crate::world::registered;
use anyhow::{Context, Result};
use fellestall_coordinator::publish::{self, Participant, PublishInput, Published, Reported};
use fellestall_node::audit::Actor;
use fellestall_node::decisions::{self, Decider};
use fellestall_node::kernel::source::{Mapping, Origin, RejectedRows, SourceConfig};
use fellestall_node::kernel::{ApprovedRound, Budget, Kernel, KernelConfig, Secrets, SnapshotKey};
use fellestall_node::keys::KeyStore;
use fellestall_node::state::{Enrolment, Membership, State};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::{MunicipalityNumber, NodeId};
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Rho;
use fellestall_shared::round::{AcceptedRelease, Round};
use fellestall_shared::signed::{Envelope, SigningKey};
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::{Answer, ReleaseDocument, RoundDocument, StudyDocument};
use std::path::{Path, PathBuf};

/// A moment after every period that the tests use.
pub const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);

/// The coordinator's signed documents and every node.
pub struct Federation {
    key: SigningKey,
    study: Envelope,
    round_envelope: Envelope,
    /// The round that all nodes answer.
    pub round: Round,
    /// The nodes, in the order of their exports.
    pub nodes: Vec<OfflineNode>,
}

/// One node: its keys, its export and the round its operator approved.
pub struct OfflineNode {
    directory: PathBuf,
    /// The node's id.
    pub node: NodeId,
    /// Its municipality.
    pub municipality: MunicipalityNumber,
    approved: ApprovedRound,
    source: SourceConfig,
}

impl Federation {
    /// A federation over these exports, in `folder`, with a round of `document` over `period` that
    /// every node has approved.
    ///
    /// # Errors
    /// Whatever a step of it answers.
    pub fn found(
        folder: &Path,
        document: &StudyDocument,
        period: Period,
        exports: &[Export],
    ) -> Result<Self> {
        let (key, _) = SigningKey::generate()?;
        let study = key.sign(document)?;
        let catalogue = Catalogue::builtin().map_err(|error| anyhow::anyhow!("{error}"))?;
        let verified = study.clone().verify::<StudyDocument>(&key.verifying_key())?;
        let checked = Study::new(&verified, catalogue)?;
        let round_document = RoundDocument {
            round: checked.round(period),
            study: checked.digest(),
            period,
            opens: NOW,
            closes: NOW,
        };
        let round = Round::check(&round_document, checked)?;
        let round_envelope = key.sign(&round_document)?;
        let nodes = exports
            .iter()
            .map(|export| OfflineNode::found(folder, export, &key, &study, &round_envelope))
            .collect::<Result<_>>()?;
        Ok(Self { key, study, round_envelope, round, nodes })
    }

    /// One release of every node, each from a fresh ledger in `folder`.
    ///
    /// # Errors
    /// What a kernel refuses.
    pub fn releases(&self, folder: &Path) -> Result<Vec<AcceptedRelease>> {
        self.nodes.iter().map(|node| node.release(&self.round, folder)).collect()
    }

    /// Merges releases that arrived in this order; a node without one is missing.
    ///
    /// # Errors
    /// What the merge refuses.
    pub fn publish(&self, releases: &[AcceptedRelease]) -> Result<Published> {
        let participants = self
            .nodes
            .iter()
            .map(|node| {
                let release = releases.iter().find(|r| r.document().node == node.node);
                Ok(Participant {
                    node: node.node.clone(),
                    municipality: node.municipality.clone(),
                    release_key: KeyStore::new(&node.directory).release_public()?,
                    decision: Some(Answer::Approved),
                    reported: release.map(|r| Reported { release: r.clone(), late: false }),
                    rejected: None,
                })
            })
            .collect::<Result<_>>()?;
        Ok(publish::publish(PublishInput {
            round: &self.round,
            study_envelope: &self.study,
            round_envelope: &self.round_envelope,
            version: 1,
            published: NOW,
            participants,
            earlier: Vec::new(),
            task_envelope: None,
            shared: Vec::new(),
            key: &self.key,
        })?)
    }
}

impl OfflineNode {
    fn found(
        folder: &Path,
        export: &Export,
        coordinator: &SigningKey,
        study: &Envelope,
        round: &Envelope,
    ) -> Result<Self> {
        let municipality = export.municipality.clone();
        let node = NodeId::new(&municipality, 1);
        let directory = folder.join(node.as_str());
        fellestall_node::files::create_directory(&directory)?;
        let records = directory.join("records");
        export.write(&records)?;
        let keys = KeyStore::new(&directory);
        keys.generate()?;
        let mut state = State::open(&directory)?;
        let membership = Membership {
            node: node.clone(),
            municipality: municipality.clone(),
            url: "https://127.0.0.1".to_owned(),
            authority: String::new(),
            coordinator_key: coordinator.verifying_key(),
            certificate_expires: NOW,
        };
        state.set_enrolment(&Enrolment::Approved(membership.clone()))?;
        state.set_work(std::slice::from_ref(study), std::slice::from_ref(round))?;
        let (known, _) = decisions::studies(&state, &membership, NOW)?;
        let study = known.first().context("the study is known")?;
        let key = keys.release()?;
        let register = registered(&directory, study.study.document())?;
        let by = Actor::named("operator");
        let decider = Decider { by: &by, now: NOW };
        let answer = Answer::Approved;
        decisions::decide(&mut state, &membership, &key, &register, study, answer, decider)?;
        let (mut rounds, _) = decisions::open_rounds(&state, &membership, &register, NOW)?;
        let approved = rounds.pop().context("the round is open and approved")?;
        let source =
            SourceConfig::new(Origin::Folder(records), Mapping::standard()?, RejectedRows::Refuse);
        Ok(Self { directory, node, municipality, approved, source })
    }

    /// The node's answer from a fresh ledger in `folder`, as the coordinator would accept it.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn release(&self, round: &Round, folder: &Path) -> Result<AcceptedRelease> {
        let keys = KeyStore::new(&self.directory);
        let cap = Rho::from_micro(1_000_000_000);
        let config = KernelConfig {
            journal: folder.join(format!("{}.sqlite", self.node)),
            node: self.node.clone(),
            municipality: self.municipality.clone(),
            budget: Budget { lifetime: cap, year: cap, study: cap },
        };
        let secrets = Secrets::new(*keys.count()?, keys.release()?);
        let mut kernel = Kernel::open(config, secrets)?;
        let snapshot = keys.snapshot(&round.study().document().purpose)?;
        let snapshot = SnapshotKey::from_bytes(*snapshot);
        let release = kernel.release(&self.approved, &self.source, &snapshot)?;
        let envelope = Envelope::from_json(release.bytes())?;
        let verified = envelope.verify::<ReleaseDocument>(&keys.release_public()?)?;
        Ok(AcceptedRelease::new(verified, round, &self.node, &self.municipality)?)
    }
}
