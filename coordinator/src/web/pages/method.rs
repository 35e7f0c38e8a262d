//! About the figures: noise, intervals, what is shown, who takes part, definitions, how to cite.
//!
//! **Invariant:** what is said of noise and of the presentation rule is read from each study's newest
//! publication; a guarantee is stated with its numbers, and nothing is called anonymous.

use crate::present::{NoisePart, Presentation, TableKind, Whose};
use crate::public::Site;
use crate::publish::{CoverageState, Fixed, PublicationFile};
use crate::web::answer::{Trouble, answer};
use crate::web::frame::{self, Frame};
use crate::web::say;
use crate::web::words::{Method, Words};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::labels::Language;
use fellestall_shared::privacy::Loss;
use http::HeaderMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Studies that are told of, at the most.
const STUDIES: usize = 6;

#[derive(Template)]
#[template(path = "web/method.html")]
struct Page {
    f: Frame,
    w: &'static Method,
    /// The newest publication of each study, the newest of all first.
    studies: Vec<Newest>,
    /// Whether nobody saw some of the tables municipality by municipality.
    is_shared: bool,
    definitions: Vec<Definition>,
    citation: String,
}

/// What the newest publication of a study says of itself.
struct Newest {
    id: String,
    title: String,
    period: String,
    unit: String,
    epsilon: String,
    delta: String,
    /// What shared noise rests on: so many, of so many.
    condition: Option<(u32, u32)>,
    municipalities: u32,
    person_epsilon: String,
    tables: Vec<NoiseRow>,
    threshold: i64,
    variation: u32,
    minimum: u32,
    is_pooled: bool,
    coverage: Vec<CoverageRow>,
    reported: usize,
    asked: usize,
}

/// The noise of one table.
struct NoiseRow {
    title: String,
    whose: &'static str,
    mechanism: &'static str,
    scale: String,
    deviation: String,
    cells: u32,
}

/// The municipalities of one standing.
struct CoverageRow {
    state: &'static str,
    names: Vec<String>,
}

/// One statistic of the catalogue.
struct Definition {
    id: String,
    version: u32,
    title: String,
    text: String,
}

/// `GET /{language}/method`.
pub(crate) async fn page(
    State(site): State<Arc<Site>>,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(language) = frame::language(&code) else {
        return answer(&site, Language::Nb, &headers, Err(Trouble::Missing));
    };
    answer(&site, language, &headers, method(&site, language).await)
}

async fn method(site: &Site, language: Language) -> Result<String, Trouble> {
    let w = &Words::of(language)?.method;
    let studies = studies(site, language, w).await?;
    let is_shared = studies.iter().any(|study| study.condition.is_some());
    let definition = |statistic: &fellestall_shared::statistic::Statistic| Definition {
        id: statistic.id().to_string(),
        version: statistic.definition(),
        title: statistic.title().text(language).to_owned(),
        text: statistic.description().text(language).to_owned(),
    };
    let definitions = Catalogue::builtin()?.statistics().iter().map(definition).collect();
    let citation = studies.first().map(|newest| {
        let Newest { title, period, id, .. } = newest;
        let publisher = &site.web.publisher;
        format!(
            "{publisher}. {title}, {period}. {}/{}/publications/{id}",
            site.url,
            frame::code(language)
        )
    });
    let f = Frame::new(site, language, &w.title, "/method")?;
    let citation = citation.unwrap_or_default();
    Ok(Page { f, w, studies, is_shared, definitions, citation }.render()?)
}

async fn studies(
    site: &Site,
    language: Language,
    w: &'static Method,
) -> Result<Vec<Newest>, Trouble> {
    let catalogue = site.databank.catalogue().await?;
    let mut newest_of = BTreeMap::new();
    for table in catalogue.tables.values() {
        let Some((_, round, version)) = table.rounds.last() else { continue };
        let found = (table.updated, round, *version);
        let known = newest_of.entry(&table.entry.study).or_insert(found);
        *known = found.max(*known);
    }
    // Of those that were published together, the latest round is the newest.
    let mut rounds: Vec<_> = newest_of.into_values().collect();
    rounds.sort_by(|one, other| other.cmp(one));
    let mut studies = Vec::new();
    for (_, round, version) in rounds.into_iter().take(STUDIES) {
        if let Some(shown) = site.databank.presentation(round, version).await? {
            studies.extend(newest(site, &shown, language, w).await?);
        }
    }
    Ok(studies)
}

async fn newest(
    site: &Site,
    shown: &Presentation,
    language: Language,
    w: &'static Method,
) -> Result<Option<Newest>, Trouble> {
    let stored = site.databank.store().publication(&shown.round, shown.version).await?;
    let Some(stored) = stored else { return Ok(None) };
    let file: PublicationFile = serde_json::from_slice(&stored.document)?;
    let coverage = &file.publication.coverage;
    let states = [
        (CoverageState::Reported, &w.reported),
        (CoverageState::Late, &w.late),
        (CoverageState::Missing, &w.missing),
        (CoverageState::Declined, &w.declined),
        (CoverageState::Undecided, &w.undecided),
    ];
    let rows = states.into_iter().filter_map(|(state, words)| {
        let of_state = coverage.nodes.iter().filter(|node| node.state == state);
        let name = |node: &crate::publish::NodeCoverage| {
            let name = &node.name;
            let name = if name.is_empty() { node.municipality.as_str() } else { name };
            node.rejected.map_or_else(|| name.to_owned(), |_| format!("{name} ({})", w.rejected))
        };
        let names: Vec<String> = of_state.map(name).collect();
        (!names.is_empty()).then_some(CoverageRow { state: words, names })
    });
    let (privacy, policy) = (&shown.privacy, &shown.policy);
    Ok(Some(Newest {
        id: format!("{}.v{}", shown.round, shown.version),
        title: shown.study_title.text(language).to_owned(),
        period: say::period(shown.period, language),
        unit: privacy.unit.clone(),
        epsilon: say::number(privacy.epsilon, 2, language),
        delta: privacy.delta_exponent.to_string(),
        condition: file.publication.certificate.condition(),
        municipalities: privacy.municipalities_per_person,
        person_epsilon: say::number(privacy.person_epsilon, 2, language),
        tables: noises(shown, language, w),
        threshold: policy.threshold,
        variation: policy.variation_percent,
        minimum: policy.minimum_municipalities,
        is_pooled: policy.pool,
        coverage: rows.collect(),
        reported: coverage.reported,
        asked: coverage.asked,
    }))
}

fn noises(shown: &Presentation, language: Language, w: &'static Method) -> Vec<NoiseRow> {
    let counts = shown.tables.iter().filter(|table| table.kind == TableKind::Counts);
    let number = |value| Fixed::nearest(value).map(|number| say::number(number, 2, language));
    let rows = |table: &crate::present::PresentedTable| {
        let row = |part: NoisePart| NoiseRow {
            title: table.title.text(language).to_owned(),
            whose: match part.whose {
                Whose::Each => &w.whose_each,
                Whose::Shared => &w.whose_shared,
            },
            mechanism: match part.loss {
                Loss::DiscreteGaussian { .. } => &w.gaussian,
                Loss::DiscreteLaplace { .. } => &w.laplace,
            },
            scale: number(part.scale).unwrap_or_default(),
            deviation: number(part.deviation).unwrap_or_default(),
            cells: table.noise.l0,
        };
        table.noise.parts().into_iter().map(row).collect::<Vec<_>>()
    };
    counts.flat_map(rows).collect()
}
