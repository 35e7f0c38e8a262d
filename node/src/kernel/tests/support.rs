//! A small catalogue, studies over it, and kernels in a folder.
//!
//! **Invariant:** nothing here decides an outcome; it only sets the scene.

use crate::kernel::raw::Raw;
use crate::kernel::release::Counts;
use crate::kernel::source::{Mapping, Origin, RejectedRows, SourceConfig};
use crate::kernel::{
    Budget, Kernel, KernelConfig, KernelError, Recorded, Release, Secrets, SnapshotKey,
};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::StatisticId;
use fellestall_shared::labels::Labels;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::{Delta, Loss, Rho};
use fellestall_shared::round::Round;
use fellestall_shared::signed::SigningKey;
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::{
    Aggregation, LateReleases, LegalBasis, ReleaseMode, Residence, RoundDocument, StudyDocument,
    StudyTable,
};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const DOMAINS: &str = r#"
[[domain]]
variable = "gender"
label = { nb = "kjønn", nn = "kjønn", en = "gender" }
categories = [
    { code = "woman", label = { nb = "kvinne", nn = "kvinne", en = "woman" } },
    { code = "man", label = { nb = "mann", nn = "mann", en = "man" } },
    { code = "unknown", label = { nb = "ukjent", nn = "ukjend", en = "unknown" } },
]
"#;

const STATISTIC: &str = r#"
[[statistic]]
id = "ID"
definition = 1
core = true
unit = "participant"
window = "census_date"
bound = { cells = 1, per_cell = 1 }
dimensions = ["gender"]
fields = ["participant.gender"]
title = { nb = "t", nn = "t", en = "t" }
description = { nb = "d", nn = "d", en = "d" }
"#;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let statistics = ["S1", "S2", "S3"].map(|id| STATISTIC.replace("ID", id)).concat();
    Catalogue::parse(DOMAINS, &statistics).expect("a sound catalogue")
});

/// A round of `study` about a period, with one table for each of these losses.
pub fn round(study: &str, version: u32, about: &str, rho_micro: &[u64]) -> Round {
    let losses: Vec<_> = rho_micro.iter().map(|micro| (Some(*micro), None)).collect();
    asking(study, version, about, &losses, None)
}

/// The same with an own and a shared loss for each table.
pub fn asking(
    study: &str,
    version: u32,
    about: &str,
    losses: &[(Option<u64>, Option<u64>)],
    aggregation: Option<Aggregation>,
) -> Round {
    let catalogue: &'static Catalogue = &CATALOGUE;
    let loss = |micro: Option<u64>| {
        micro.map(|micro| Loss::DiscreteGaussian { rho_micro: Rho::from_micro(micro) })
    };
    let tables = (1..)
        .zip(losses)
        .map(|(number, (own, shared))| StudyTable {
            statistic: format!("S{number}").parse::<StatisticId>().expect("an id"),
            definition: 1,
            loss: loss(*own),
            shared: loss(*shared),
        })
        .collect();
    let text = || "t".to_owned();
    let document = StudyDocument {
        study: study.parse().expect("an id"),
        version,
        title: Labels { nb: text(), nn: text(), en: text() },
        purpose: "statistics".parse().expect("a purpose"),
        controller: text(),
        legal_basis: LegalBasis::PublicTask,
        assessment: None,
        fields: ["participant.gender".to_owned()].into(),
        starts: "2016-01-01".to_owned(),
        ends: "2040-12-31".to_owned(),
        tables,
        minimum_nodes: 2,
        minimum_difference: 2,
        mode: aggregation.is_none().then_some(ReleaseMode::Local),
        aggregation,
        municipal_figures: false,
        late_releases: LateReleases::NewVersion,
        municipalities_per_person: 1,
        residence: Residence::Anywhere,
        delta_exponent: Delta::MICRO,
    };
    let digest = Digest::of("test", &serde_json::to_vec(&document).expect("JSON"));
    let study = Study::check(&document, digest, catalogue).expect("a study");
    let period: Period = about.parse().expect("a period");
    let document = RoundDocument {
        round: study.round(period),
        study: study.digest(),
        period,
        opens: Timestamp::from_unix(0),
        closes: Timestamp::from_unix(1),
    };
    Round::check(&document, study).expect("a round")
}

/// A participant table: two women, three men and one of unknown gender.
pub const EXPORT: &str = "\
participant_id,intake_date,birth_year,gender,housing_at_intake,specialist_follow_up,substitution_treatment,exit_date,exit_reason
p1,2020-01-01,1990,woman,outdoors,none,no,,
p2,2020-01-01,1990,woman,outdoors,none,no,,
p3,2020-01-01,1990,man,outdoors,none,no,,
p4,2020-01-01,1990,man,outdoors,none,no,,
p5,2020-01-01,1990,man,outdoors,none,no,,
p6,2020-01-01,1990,,outdoors,none,no,,
";

/// Who has opted out: one of the men.
const OPT_OUTS: &str = "\
participant_id,purpose,status,mode,date,form_version,valid_until,withdrawn_on
p3,statistics,refused,written,2020-01-01,1,,
";

/// Writes the records into a folder of their own, and says how to read them.
pub fn export(folder: &Path) -> SourceConfig {
    let folder = folder.join("export");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("participant.csv"), EXPORT).expect("written");
    std::fs::write(folder.join("consent.csv"), OPT_OUTS).expect("written");
    let mapping = Mapping::standard().expect("a mapping");
    SourceConfig::new(Origin::Folder(folder), mapping, RejectedRows::Refuse)
}

/// The key of the purpose's consent snapshots.
pub fn snapshot_key() -> SnapshotKey {
    SnapshotKey::from_bytes([9; 32])
}

/// A budget of one figure for all three caps.
pub fn budget(micro: u64) -> Budget {
    let rho = Rho::from_micro(micro);
    Budget { lifetime: rho, year: rho, study: rho }
}

/// A folder with a node's journal, and the node's key.
pub struct Node {
    pub folder: PathBuf,
    pub pkcs8: Vec<u8>,
    pub budget: Budget,
    pub municipality: String,
    /// Removes the folder at the end.
    _temporary: Option<tempfile::TempDir>,
}

impl Node {
    pub fn new(micro: u64) -> Self {
        let temporary = tempfile::tempdir().expect("a folder");
        let (_, pkcs8) = SigningKey::generate().expect("a key");
        let folder = temporary.path().to_owned();
        let municipality = "4601".to_owned();
        Self { folder, pkcs8, budget: budget(micro), municipality, _temporary: Some(temporary) }
    }

    /// A node in a new folder, with a key that was made earlier.
    pub fn with_key(pkcs8: Vec<u8>, micro: u64) -> Self {
        let mut node = Self::new(micro);
        node.pkcs8 = pkcs8;
        node
    }

    /// A node in a folder that another process made.
    pub fn at(folder: &Path, pkcs8: Vec<u8>, micro: u64) -> Self {
        let municipality = "4601".to_owned();
        let folder = folder.to_owned();
        Self { folder, pkcs8, budget: budget(micro), municipality, _temporary: None }
    }

    pub fn journal(&self) -> PathBuf {
        self.folder.join("ledger.sqlite")
    }

    pub fn beside(&self, end: &str) -> PathBuf {
        self.folder.join(format!("ledger.sqlite{end}"))
    }

    pub fn try_open(&self) -> Result<Kernel, KernelError> {
        let config = KernelConfig {
            journal: self.journal(),
            node: format!("{}-1", self.municipality).parse().expect("an id"),
            municipality: self.municipality.parse().expect("a number"),
            budget: self.budget,
        };
        let key = SigningKey::from_pkcs8(&self.pkcs8).expect("a key");
        Kernel::open(config, Secrets::new([7; 32], key))
    }

    pub fn open(&self) -> Kernel {
        self.try_open().expect("an open kernel")
    }
}

/// Counts of a round, as if they had been read: 10 in every cell.
pub fn counts(round: &Round) -> Counts {
    counts_of(round, 10)
}

/// Counts of a round, as if they had been read: so many in every cell.
pub fn counts_of(round: &Round, count: i64) -> Counts {
    let raw = |table: &fellestall_shared::study::Table| {
        Raw::new(vec![count; table.statistic.cells()], table.statistic.bound())
    };
    Counts {
        tables: round.study().tables().iter().map(raw).collect(),
        consent_snapshot: Digest::of("test", b"snapshot"),
    }
}

/// Asks the kernel, which may count.
pub fn ask(kernel: &mut Kernel, round: &Round) -> Result<Release<Recorded>, KernelError> {
    kernel.answer((round, None), |_| Ok(counts(round)))
}

/// Asks the kernel, which must not count.
pub fn ask_without_records(
    kernel: &mut Kernel,
    round: &Round,
) -> Result<Release<Recorded>, KernelError> {
    kernel.answer((round, None), |_| panic!("records were read"))
}
