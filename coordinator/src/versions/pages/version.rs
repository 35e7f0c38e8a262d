//! One version: what it is, what changed, its files, how to cite it, what was promised.

use crate::present::TableNoise;
use crate::public::Site;
use crate::publish::{CoverageState, Fixed, Publication};
use crate::store::StoreError;
use crate::versions::words::Words;
use crate::versions::{changes, cite, id, parse, read};
use crate::web::frame::{self, Frame};
use crate::web::{Trouble, answer, say};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use fellestall_shared::ids::RoundId;
use fellestall_shared::labels::Language;
use http::HeaderMap;
use std::sync::Arc;

/// Decimals of an epsilon and of a noise scale.
const DECIMALS: u8 = 2;
/// Versions of one round that are looked for.
const VERSIONS: u32 = 100;

#[derive(Template)]
#[template(path = "versions/version.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    id: String,
    round: String,
    version: u32,
    title: String,
    period: String,
    about: String,
    published: String,
    day: String,
    digest: String,
    reported: usize,
    asked: usize,
    is_provisional: bool,
    newest: Option<u32>,
    changes: Option<Vec<String>>,
    versions: Vec<Other>,
    tables: Vec<(String, String)>,
    files: Vec<(&'static str, &'static str)>,
    citation: String,
    promise: Promise,
    noise: Vec<Noise>,
    who: Vec<Who>,
}

/// Another version of the round.
struct Other {
    id: String,
    version: u32,
    day: String,
    is_here: bool,
}

/// The privacy loss.
struct Promise {
    epsilon: String,
    person_epsilon: String,
    municipalities: u32,
    delta: String,
    rho: String,
    /// What shared noise rests on: so many, of so many.
    condition: Option<(u32, u32)>,
    /// Epsilon and rho should both servers collude.
    together: Option<(String, String)>,
}

/// The noise of one table.
struct Noise {
    title: String,
    whose: &'static str,
    law: &'static str,
    scale: String,
    deviation: String,
    rho: String,
}

/// The municipalities that stand alike.
struct Who {
    state: &'static str,
    names: Vec<String>,
}

/// `GET /{language}/publications/{id}`.
pub(crate) async fn page(
    State(site): State<Arc<Site>>,
    Path((code, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(language) = frame::language(&code) else {
        return answer(&site, Language::Nb, &headers, Err(Trouble::Missing));
    };
    let page = match parse(&name) {
        Some((round, number, "")) => version(&site, language, &round, number).await,
        _ => Err(Trouble::Missing),
    };
    answer(&site, language, &headers, page)
}

async fn version(
    site: &Site,
    language: Language,
    round: &RoundId,
    number: u32,
) -> Result<String, Trouble> {
    let w = Words::of(language);
    let stored = site.databank.store().publication(round, number).await?.ok_or(Trouble::Missing)?;
    let publication = read(&stored)?.publication;
    let changes = crate::versions::changes(site, &publication).await?;
    let presentation = site.databank.presentation(round, number).await?;
    let versions = versions(site, language, &publication).await?;
    let newest = versions.iter().map(|other| other.version).max();
    let digest = stored.digest.to_string();
    let (title, period) =
        (publication.title.text(language).to_owned(), say::period(publication.period, language));
    let id = id(round, number);
    let heading = format!("{title}, {period}, {} {number}", w.version);
    let f = Frame::new(site, language, &heading, &format!("/publications/{id}"))?;
    let tables = presentation.as_deref().map_or_else(Vec::new, |shown| {
        let table = |table: &crate::present::PresentedTable| {
            (table.id.clone(), table.title.text(language).to_owned())
        };
        shown.tables.iter().map(table).collect()
    });
    let page = Page {
        f,
        w,
        id,
        round: round.to_string(),
        version: number,
        title,
        period,
        about: publication.about.text(language).to_owned(),
        published: stored.created.to_string(),
        day: say::day(stored.created, language),
        citation: cite::sentence(site, &publication, &digest, language),
        digest,
        reported: publication.coverage.reported,
        asked: publication.coverage.asked,
        is_provisional: presentation.as_deref().is_some_and(|shown| shown.provisional),
        newest: newest.filter(|newest| *newest > number),
        changes: changes.map(|changes| changes.sentences(w)),
        versions,
        tables,
        files: files(w),
        promise: promise(&publication, language),
        noise: noise(&publication, language, w),
        who: who(&publication, w),
    };
    Ok(page.render()?)
}

/// All versions of the round, newest first.
async fn versions(
    site: &Site,
    language: Language,
    publication: &Publication,
) -> Result<Vec<Other>, StoreError> {
    let mut versions = Vec::new();
    for number in 1..=VERSIONS {
        let round = &publication.round;
        let Some(line) = site.databank.store().publication(round, number).await? else { break };
        versions.push(Other {
            id: id(round, number),
            version: number,
            day: say::day(line.created, language),
            is_here: number == publication.version,
        });
    }
    versions.reverse();
    Ok(versions)
}

fn files(w: &'static Words) -> Vec<(&'static str, &'static str)> {
    vec![
        ("json", &w.json),
        ("csv", &w.csv),
        ("measurements.csv", &w.measurements_csv),
        ("measurements.parquet", &w.measurements_parquet),
        ("presentation.json", &w.presentation),
        ("certificate.json", &w.certificate),
        ("datacite.json", &w.datacite),
        ("citation", &w.citation_file),
    ]
}

fn promise(publication: &Publication, language: Language) -> Promise {
    let certificate = &publication.certificate;
    let together = certificate.together().and_then(|rho| {
        let epsilon = Fixed::nearest(rho.epsilon_ceil(certificate.delta_exponent))?;
        Some((say::number(epsilon, DECIMALS, language), decimal(&rho.to_string(), language)))
    });
    Promise {
        epsilon: say::number(certificate.epsilon, DECIMALS, language),
        person_epsilon: say::number(certificate.person_epsilon, DECIMALS, language),
        municipalities: certificate.municipalities_per_person,
        delta: certificate.delta_exponent.to_string(),
        rho: decimal(&certificate.rho_micro.to_string(), language),
        condition: certificate.condition(),
        together,
    }
}

fn noise(publication: &Publication, language: Language, w: &'static Words) -> Vec<Noise> {
    let tables = publication.tables.iter().zip(&publication.certificate.tables);
    tables
        .flat_map(|(table, noise)| {
            let noise = TableNoise::of(table, noise);
            let number =
                |value| Fixed::nearest(value).map(|it| say::number(it, DECIMALS, language));
            let parts = noise.parts().into_iter().map(move |part| Noise {
                title: format!("{} {}", table.statistic, table.title.text(language)),
                whose: w.whose_of(part.whose),
                law: w.law(part.loss),
                scale: number(part.scale).unwrap_or_default(),
                deviation: number(part.deviation).unwrap_or_default(),
                rho: decimal(
                    &part.loss.charge().unwrap_or(noise.charge_micro).to_string(),
                    language,
                ),
            });
            parts.collect::<Vec<_>>()
        })
        .collect()
}

fn who(publication: &Publication, w: &'static Words) -> Vec<Who> {
    use CoverageState::{Declined, Late, Missing, Reported, Undecided};
    let nodes = &publication.coverage.nodes;
    [Reported, Late, Missing, Declined, Undecided]
        .into_iter()
        .map(|state| Who {
            state: w.state_of(state),
            names: nodes.iter().filter(|it| it.state == state).map(changes::name).collect(),
        })
        .filter(|who| !who.names.is_empty())
        .collect()
}

/// A decimal number that is text already, with the language's decimal mark.
fn decimal(text: &str, language: Language) -> String {
    if language == Language::En { text.to_owned() } else { text.replace('.', ",") }
}
