//! How a version is cited, and its metadata as a DOI agency takes them (DataCite schema 4).
//!
//! **Invariant:** a version is cited by the address where it stands for ever, or by the DOI that its
//! publisher has registered and configured; none is ever made up.

use super::words::Words;
use super::{id, read};
use crate::formats::words::code;
use crate::public::Site;
use crate::publish::Publication;
use crate::store::StoreError;
use crate::store::publications::StoredPublication;
use crate::web::say;
use fellestall_shared::labels::Language;
use serde_json::{Value, json};

/// The citation in one language.
///
/// # Errors
/// [`StoreError::Damaged`] if the stored document cannot be read.
pub(super) fn citation(
    site: &Site,
    stored: &StoredPublication,
    language: Language,
) -> Result<String, StoreError> {
    let file = read(stored)?;
    Ok(format!("{}\n", sentence(site, &file.publication, &stored.digest.to_string(), language)))
}

/// The citation as one sentence.
pub(super) fn sentence(
    site: &Site,
    publication: &Publication,
    digest: &str,
    language: Language,
) -> String {
    let words = Words::of(language);
    let title = publication.title.text(language);
    let period = say::period(publication.period, language);
    format!(
        "{} ({}): {title}, {period}. {} {}. {}. {} ({} {digest}).",
        site.web.publisher,
        year(publication),
        words.version_name,
        publication.version,
        words.dataset,
        address(site, publication),
        words.digest,
    )
}

/// Where the version stands: its DOI if it has one, or its page.
fn address(site: &Site, publication: &Publication) -> String {
    let id = id(&publication.round, publication.version);
    match site.web.doi.get(&id) {
        Some(doi) => format!("https://doi.org/{doi}"),
        None => format!("{}/publications/{id}", site.url),
    }
}

fn year(publication: &Publication) -> i32 {
    publication.published.date().map_or(i32::from(publication.period.year()), time::Date::year)
}

/// The metadata.
///
/// # Errors
/// [`StoreError::Damaged`] if the stored document cannot be read or the metadata not be written.
pub(super) fn datacite(site: &Site, stored: &StoredPublication) -> Result<Vec<u8>, StoreError> {
    let publication = read(stored)?.publication;
    let mut bytes = serde_json::to_vec_pretty(&metadata(site, &publication))
        .map_err(|_| StoreError::Damaged { column: "document" })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn metadata(site: &Site, publication: &Publication) -> Value {
    let id = id(&publication.round, publication.version);
    let page = |id: &str| format!("{}/publications/{id}", site.url);
    let title = |language: Language| {
        let period = say::period(publication.period, language);
        format!("{}, {period}", publication.title.text(language))
    };
    let (first, last) = (publication.period.first_day(), publication.period.last_day());
    let published = publication.published.to_string();
    let organisation = json!({ "name": site.web.publisher, "nameType": "Organizational" });
    let mut related = vec![json!({
        "relatedIdentifier": page(&format!("{id}.certificate.json")),
        "relatedIdentifierType": "URL",
        "relationType": "IsDocumentedBy",
    })];
    if let Some(before) = publication.version.checked_sub(1).filter(|before| *before > 0) {
        related.push(json!({
            "relatedIdentifier": page(&super::id(&publication.round, before)),
            "relatedIdentifierType": "URL",
            "relationType": "IsNewVersionOf",
        }));
    }
    let mut metadata = json!({
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "url": page(&id),
        "creators": [organisation],
        "titles": LANGUAGES.map(|(language, is_main)| {
            let (title, lang) = (title(language), code(language));
            if is_main {
                json!({ "title": title, "lang": lang })
            } else {
                json!({ "title": title, "lang": lang, "titleType": "TranslatedTitle" })
            }
        }),
        "publisher": { "name": site.web.publisher },
        "publicationYear": year(publication),
        "types": { "resourceTypeGeneral": "Dataset", "resourceType": "Statistical data" },
        "subjects": [{ "subject": "Housing First" }, { "subject": "homelessness" }],
        "dates": [
            { "date": published, "dateType": "Issued" },
            { "date": format!("{first}/{last}"), "dateType": "Coverage" },
        ],
        "language": "nb",
        "version": publication.version.to_string(),
        "alternateIdentifiers": [
            { "alternateIdentifier": id, "alternateIdentifierType": "Publication" },
        ],
        "relatedIdentifiers": related,
        "formats": [
            "application/json", "text/csv", "application/vnd.apache.parquet",
        ],
        "rightsList": [rights(site)],
        "descriptions": LANGUAGES.map(|(language, _)| json!({
            "description": publication.about.text(language),
            "descriptionType": "Abstract",
            "lang": code(language),
        })),
        "geoLocations": [{ "geoLocationPlace": "Norway" }],
    });
    let doi = site.web.doi.get(&id);
    if let (Some(doi), Some(fields)) = (doi, metadata.as_object_mut()) {
        fields.insert("doi".to_owned(), json!(doi));
        let own = json!([{ "identifier": doi, "identifierType": "DOI" }]);
        fields.insert("identifiers".to_owned(), own);
    }
    metadata
}

/// The languages of titles; the first is the language of the resource.
const LANGUAGES: [(Language, bool); 3] =
    [(Language::Nb, true), (Language::Nn, false), (Language::En, false)];

fn rights(site: &Site) -> Value {
    let mut rights = json!({ "rights": site.web.licence, "rightsUri": site.web.licence_url });
    let is_by = site.web.licence_url.contains("creativecommons.org/licenses/by/4.0");
    if let (true, Some(fields)) = (is_by, rights.as_object_mut()) {
        fields.insert("rightsIdentifier".to_owned(), json!("CC-BY-4.0"));
        fields.insert("rightsIdentifierScheme".to_owned(), json!("SPDX"));
        fields.insert("schemeUri".to_owned(), json!("https://spdx.org/licenses/"));
    }
    rights
}
