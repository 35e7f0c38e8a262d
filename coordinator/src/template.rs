//! A study to start from: the half-yearly core set, as a document that its author edits.
//!
//! **Invariant:** the fields are worked out from the catalogue, so that a template is a valid study
//! for the version of the program that wrote it.

use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::ids::{BadId, StatisticId};
use fellestall_shared::labels::Labels;
use fellestall_shared::privacy::{Delta, Loss, Rho};
use fellestall_shared::statistic::Statistic;
use fellestall_shared::wire::v1::{LateReleases, LegalBasis, Residence, StudyDocument, StudyTable};

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
}

/// Why there is no template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A table that is not in the catalogue.
    #[error("{0} is not in the catalogue; `study tables` lists what is")]
    Unknown(StatisticId),
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
    let table = |statistic: &&Statistic| StudyTable {
        statistic: statistic.id().clone(),
        definition: statistic.definition(),
        loss: Some(Loss::DiscreteGaussian { rho_micro: wish.rho }),
        shared: None,
    };
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
        tables: chosen.iter().map(table).collect(),
        minimum_nodes: wish.minimum_nodes,
        minimum_difference: 2,
        aggregation: None,
        municipal_figures: wish.municipal_figures,
        late_releases: LateReleases::NewVersion,
        municipalities_per_person: 2,
        residence: wish.residence,
        delta_exponent: Delta::MICRO,
    })
}

#[cfg(test)]
mod tests {
    use super::{Wish, study};
    use fellestall_shared::catalogue::Catalogue;
    use fellestall_shared::digest::Digest;
    use fellestall_shared::privacy::Rho;
    use fellestall_shared::study::Study;
    use fellestall_shared::wire::v1::{Residence, StudyDocument};

    fn wish(statistics: &[&str]) -> Wish {
        Wish {
            statistics: statistics.iter().map(|id| id.parse().expect("an id")).collect(),
            rho: Rho::from_micro(125_000),
            starts: "2026-01-01".to_owned(),
            ends: "2030-12-31".to_owned(),
            minimum_nodes: 5,
            municipal_figures: false,
            residence: Residence::Anywhere,
        }
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
