//! A study to start from: the half-yearly core set, as a document that its author edits.
//!
//! **Invariant:** the fields are worked out from the catalogue, so that a template is a valid study
//! for the version of the program that wrote it.

use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::ids::{BadId, StatisticId};
use fellestall_shared::labels::Labels;
use fellestall_shared::privacy::{Delta, Loss, Rho};
use fellestall_shared::statistic::Statistic;
use fellestall_shared::wire::v1::{
    Aggregation, HelperIdentity, LateReleases, LegalBasis, ReleaseMode, Residence, StudyDocument,
    StudyTable,
};

/// What a template is made for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The tables; the core set if empty.
    pub statistics: Vec<StatisticId>,
    /// The privacy loss of each table.
    pub rho: Rho,
    /// First day that a period may contain, as `2026-01-01`.
    pub starts: String,
    /// Last day that a period may contain, as `2030-12-31`.
    pub ends: String,
    /// Nothing is published from fewer nodes.
    pub minimum_nodes: u32,
    /// Whether the noisy tables of single municipalities are published too.
    pub municipal_figures: bool,
    /// Where a person is counted whom several municipalities hold.
    pub residence: Residence,
    /// Which tables carry noise that nodes share, and who helps with it.
    pub sharing: Sharing,
}

/// Which tables of a template carry shared noise.
#[derive(Debug, Clone, Default)]
pub struct Sharing {
    /// Tables with shared noise alone; all of the study if empty, none if `None`.
    pub shared: Option<Vec<StatisticId>>,
    /// Tables with both noises, each of half of the loss.
    pub both: Vec<StatisticId>,
    /// The server that holds the other half of every report.
    pub helper: Option<HelperIdentity>,
    /// Reports that may collude or add no noise; a fifth of the minimum of nodes if `None`.
    pub tolerated: Option<u32>,
    /// The largest count that one node can report in one cell.
    pub largest_count: u32,
}

/// Why there is no template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A table that is not in the catalogue.
    #[error("{0} is not in the catalogue; `study tables` lists what is")]
    Unknown(StatisticId),
    /// A table that shall be shared and is not in the template.
    #[error("{0} is to be shared, and is not among the template's tables")]
    NotChosen(StatisticId),
    /// A table that shall have shared noise alone, and both noises.
    #[error("{0} is named in --shared and in --both; name it in one of them")]
    Twice(StatisticId),
    /// No helper for shared tables.
    #[error(
        "shared tables need a second server that holds the other half of every report: give its card with --helper-card"
    )]
    NoHelper,
    /// A loss that is nothing once it is halved.
    #[error(
        "the loss of a table with both noises is halved between them; give at least 2 millionths"
    )]
    Halved,
    /// An identifier in the template itself.
    #[error("the template is not valid")]
    Id(#[from] BadId),
}

/// A study document over the wished tables, with every field that they read.
///
/// # Errors
/// [`TemplateError::Unknown`] if a table is not in the catalogue.
pub fn study(wish: &Wish, catalogue: &'static Catalogue) -> Result<StudyDocument, TemplateError> {
    let chosen: Vec<&Statistic> = if wish.statistics.is_empty() {
        catalogue.statistics().iter().filter(|statistic| statistic.is_core()).collect()
    } else {
        let find = |id: &StatisticId| {
            catalogue.statistic(id).ok_or_else(|| TemplateError::Unknown(id.clone()))
        };
        wish.statistics.iter().map(find).collect::<Result<_, _>>()?
    };
    let sharing = &wish.sharing;
    check_sharing(sharing, &chosen)?;
    let tables = chosen.iter().map(|statistic| table(wish, statistic)).collect::<Result<_, _>>()?;
    let is_shared = sharing.shared.is_some() || !sharing.both.is_empty();
    let aggregation = |helper: &HelperIdentity| Aggregation {
        tolerated: sharing.tolerated.unwrap_or(wish.minimum_nodes / 5),
        largest_count: sharing.largest_count,
        helper: helper.clone(),
    };
    let helper = sharing.helper.as_ref().filter(|_| is_shared);
    if is_shared && helper.is_none() {
        return Err(TemplateError::NoHelper);
    }
    Ok(StudyDocument {
        study: "core".parse()?,
        version: 1,
        title: Labels {
            nb: "Kjernetall for Housing First, halvårlig".to_owned(),
            nn: "Kjernetal for Housing First, halvårleg".to_owned(),
            en: "Housing First core figures, half-yearly".to_owned(),
        },
        purpose: "housing-first-statistics".parse()?,
        controller: "The network that collects the figures (edit this)".to_owned(),
        legal_basis: LegalBasis::Consent,
        assessment: None,
        fields: chosen
            .iter()
            .flat_map(|statistic| statistic.fields().iter().map(String::as_str))
            .chain(wish.residence.fields().iter().copied())
            .map(str::to_owned)
            .collect(),
        starts: wish.starts.clone(),
        ends: wish.ends.clone(),
        tables,
        minimum_nodes: wish.minimum_nodes,
        minimum_difference: 2,
        mode: (!is_shared).then_some(ReleaseMode::Local),
        aggregation: helper.map(aggregation),
        municipal_figures: wish.municipal_figures,
        late_releases: LateReleases::NewVersion,
        municipalities_per_person: 2,
        residence: wish.residence,
        delta_exponent: Delta::MICRO,
    })
}

/// Whether every table that is to be shared is one of the template's, and is named once.
fn check_sharing(sharing: &Sharing, chosen: &[&Statistic]) -> Result<(), TemplateError> {
    let shared = sharing.shared.as_deref().unwrap_or_default();
    let is_chosen = |id: &&StatisticId| chosen.iter().any(|statistic| statistic.id() == *id);
    if let Some(id) = shared.iter().chain(&sharing.both).find(|id| !is_chosen(id)) {
        return Err(TemplateError::NotChosen(id.clone()));
    }
    match sharing.both.iter().find(|id| shared.contains(id)) {
        Some(id) => Err(TemplateError::Twice(id.clone())),
        None => Ok(()),
    }
}

/// One table with the noise that is wished for.
fn table(wish: &Wish, statistic: &Statistic) -> Result<StudyTable, TemplateError> {
    let loss = |rho_micro| Some(Loss::DiscreteGaussian { rho_micro });
    let sharing = &wish.sharing;
    let id = statistic.id();
    let is_shared = |all: &Vec<StatisticId>| all.is_empty() || all.contains(id);
    let (own, shared) = if sharing.both.contains(id) {
        let half = wish.rho.micro() / 2;
        if half == 0 {
            return Err(TemplateError::Halved);
        }
        // Together they are the wished loss, also where that is odd.
        let rest = wish.rho.micro().saturating_sub(half);
        (loss(Rho::from_micro(half)), loss(Rho::from_micro(rest)))
    } else if sharing.shared.as_ref().is_some_and(is_shared) {
        (None, loss(wish.rho))
    } else {
        (loss(wish.rho), None)
    };
    Ok(StudyTable { statistic: id.clone(), definition: statistic.definition(), loss: own, shared })
}

#[cfg(test)]
mod tests {
    use super::{HelperIdentity, Sharing, StatisticId, Wish, study};
    use fellestall_shared::catalogue::Catalogue;
    use fellestall_shared::digest::Digest;
    use fellestall_shared::privacy::Rho;
    use fellestall_shared::secure::Bytes;
    use fellestall_shared::signed::SigningKey;
    use fellestall_shared::study::{Study, StudyError, Table};
    use fellestall_shared::wire::v1::{ReleaseMode, Residence, StudyDocument};

    fn wish(statistics: &[&str]) -> Wish {
        Wish {
            statistics: statistics.iter().map(|id| id.parse().expect("an id")).collect(),
            rho: Rho::from_micro(125_000),
            starts: "2026-01-01".to_owned(),
            ends: "2030-12-31".to_owned(),
            minimum_nodes: 5,
            municipal_figures: false,
            residence: Residence::Anywhere,
            sharing: Sharing::default(),
        }
    }

    fn helper() -> HelperIdentity {
        let (key, _) = SigningKey::generate().expect("a key");
        HelperIdentity {
            name: "The other institution".to_owned(),
            signing_key: key.verifying_key(),
            sealing_key: Bytes(vec![7; 32]).try_into().expect("32 bytes"),
        }
    }

    fn ids(ids: &[&str]) -> Vec<StatisticId> {
        ids.iter().map(|id| id.parse().expect("an id")).collect()
    }

    #[test]
    fn tables_are_shared_as_wished_and_both_noises_cost_what_one_would() {
        let catalogue = Catalogue::builtin().expect("the catalogue is sound");
        let sharing = |shared: Option<&[&str]>, both: &[&str]| Sharing {
            shared: shared.map(ids),
            both: ids(both),
            helper: Some(helper()),
            tolerated: None,
            largest_count: 10_000,
        };
        for (shared, both, expected) in [
            (Some(&[][..]), &[][..], [(false, true), (false, true), (false, true)]),
            (Some(&["S4"]), &["S2"], [(true, true), (false, true), (true, false)]),
            (Some(&[]), &["S5"], [(false, true), (false, true), (true, true)]),
            (None, &["S4"], [(true, false), (true, true), (true, false)]),
        ] {
            let sharing = sharing(shared, both);
            let wish = Wish { sharing, minimum_nodes: 19, ..wish(&["S2", "S4", "S5"]) };
            let document = study(&wish, catalogue).expect("a template");
            let text = toml::to_string(&document).expect("TOML");
            let again: StudyDocument = toml::from_str(&text).expect("a document");
            assert_eq!(again, document);
            let study = Study::check(&again, Digest::ZERO, catalogue).expect("a valid study");
            let noises = |table: &Table| (table.local.is_some(), table.shared.is_some());
            assert_eq!(study.tables().iter().map(noises).collect::<Vec<_>>(), expected);
            assert_eq!(study.charge(), Rho::from_micro(3 * 125_000));
            let mode = Some(ReleaseMode::Local);
            let contradictory = StudyDocument { mode, ..document.clone() };
            let refused = Study::check(&contradictory, Digest::ZERO, catalogue).err();
            assert_eq!((document.mode, refused), (None, Some(StudyError::Mode)));
            let aggregation = document.aggregation.expect("shared tables");
            assert_eq!(aggregation.tolerated, 3, "a fifth of 19, rounded down");
        }
        let refused = |sharing| {
            let wish = Wish { sharing, ..wish(&["S2", "S4"]) };
            study(&wish, catalogue).expect_err("no template").to_string()
        };
        assert!(refused(sharing(Some(&["S5"]), &[])).starts_with("S5 is to be shared"));
        assert!(refused(sharing(Some(&["S2"]), &["S2"])).starts_with("S2 is named in --shared"));
        let alone = Sharing { helper: None, ..sharing(Some(&[]), &[]) };
        assert!(refused(alone).contains("--helper-card"));
    }

    #[test]
    fn a_template_is_a_valid_study_also_after_a_trip_through_toml() {
        let catalogue = Catalogue::builtin().expect("the catalogue is sound");
        // S5 alone does not read when and why somebody left.
        for (statistics, residence) in [
            (&[][..], Residence::Anywhere),
            (&["S3", "S28"], Residence::Anywhere),
            (&["S5"], Residence::OnCensusDate),
        ] {
            let wish = Wish { residence, ..wish(statistics) };
            let document = study(&wish, catalogue).expect("a template");
            assert_eq!(document.municipalities_per_person, 2);
            let text = toml::to_string(&document).expect("TOML");
            let again: StudyDocument = toml::from_str(&text).expect("a document");
            assert_eq!(again, document);
            Study::check(&again, Digest::ZERO, catalogue).expect("a valid study");
        }
    }

    #[test]
    fn an_unknown_table_is_named() {
        let catalogue = Catalogue::builtin().expect("the catalogue is sound");
        let error = study(&wish(&["S12"]), catalogue).expect_err("S12 is left out");
        assert!(error.to_string().starts_with("S12 is not in the catalogue"));
    }
}
