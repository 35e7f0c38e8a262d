//! The tables as a catalogue of open data: DCAT-AP-NO 2.2, in Turtle.
//!
//! **Invariant:** one dataset for each table that can be selected from, and none else; what is not
//! known about the publisher is left out and not made up.

use super::PageError;
use super::files::not_modified;
use super::unchanged;
use crate::databank::{DatabankError, Entry, Listed};
use crate::formats::Format;
use crate::formats::words::code;
use crate::public::Site;
use crate::store::StoreError;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::RoundId;
use fellestall_shared::labels::{Labels, Language};
use fellestall_shared::period::Period;
use http::{HeaderMap, header};
use oxrdf::vocab::{rdf, xsd};
use oxrdf::{Literal, NamedNode, NamedOrBlankNode, Term, Triple};
use oxttl::TurtleSerializer;
use std::sync::Arc;

const DCAT: &str = "http://www.w3.org/ns/dcat#";
const DCT: &str = "http://purl.org/dc/terms/";
const FOAF: &str = "http://xmlns.com/foaf/0.1/";
const VCARD: &str = "http://www.w3.org/2006/vcard/ns#";
const OWL: &str = "http://www.w3.org/2002/07/owl#";
const AUTHORITY: &str = "http://publications.europa.eu/resource/authority/";
const MEDIA_TYPES: &str = "https://www.iana.org/assignments/media-types/";

/// `GET /catalog.ttl`.
pub(super) async fn page(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let catalogue = site.databank.catalogue().await.map_err(|error| match error {
        DatabankError::Store(error) => PageError::Store(error),
        DatabankError::Document(_) | DatabankError::Present(_) => {
            PageError::Store(StoreError::Damaged { column: "entry" })
        }
    })?;
    let turtle = turtle(&site, catalogue.tables.values().map(Dataset::of))
        .map_err(crate::formats::FormatError::Writer)?;
    let tag = format!("\"{}\"", Digest::of("fellestall/catalog", &turtle).short());
    if unchanged(&headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let media_type = "text/turtle; charset=utf-8".to_owned();
    Ok(([(header::CONTENT_TYPE, media_type), (header::ETAG, tag)], turtle).into_response())
}

/// Why the catalogue could not be written.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One table as a dataset.
#[derive(Clone, Copy)]
pub(super) struct Dataset<'t> {
    /// What is shown of it.
    pub entry: &'t Entry,
    /// The versions it lies in, by period.
    pub rounds: &'t [(Period, RoundId, u32)],
    /// When the newest of them was published.
    pub updated: Timestamp,
}

impl<'t> Dataset<'t> {
    fn of(listed: &'t Listed) -> Self {
        Self { entry: &listed.entry, rounds: &listed.rounds, updated: listed.updated }
    }
}

/// The catalogue of these tables.
pub(super) fn turtle<'t>(
    site: &Site,
    tables: impl Iterator<Item = Dataset<'t>>,
) -> Result<Vec<u8>, Failure> {
    let mut graph = Graph { url: &site.url, triples: Vec::new() };
    let mut serializer = TurtleSerializer::new();
    for (name, iri) in [("dcat", DCAT), ("dct", DCT), ("foaf", FOAF), ("vcard", VCARD)] {
        serializer = serializer.with_prefix(name, iri)?;
    }
    serializer = serializer
        .with_prefix("owl", OWL)?
        .with_prefix("xsd", "http://www.w3.org/2001/XMLSchema#")?;
    let catalog = graph.node("/catalog.ttl#catalog")?;
    let service = graph.node("/catalog.ttl#api")?;
    let publisher = graph.node("/catalog.ttl#publisher")?;
    let contact = graph.node("/catalog.ttl#contact")?;
    graph.agent(site, &publisher, &contact)?;
    graph.kind(&catalog, DCAT, "Catalog")?;
    graph.labels(&catalog, DCT, "title", &named(&site.web.publisher, &CATALOG_TITLE))?;
    graph.labels(&catalog, DCT, "description", &named("", &CATALOG_TEXT))?;
    graph.of_all(&catalog, &publisher, &contact)?;
    graph.languages(&catalog)?;
    graph.to(&catalog, DCT, "license", &site.web.licence_url)?;
    graph.to(&catalog, FOAF, "homepage", &format!("{}/", site.url))?;
    graph.link(&catalog, DCAT, "service", &service)?;
    graph.service(&service, &publisher, &contact)?;
    for listed in tables {
        let dataset = graph.node(&format!("/api/v2/tables/{}", listed.entry.id))?;
        graph.link(&catalog, DCAT, "dataset", &dataset)?;
        graph.link(&service, DCAT, "servesDataset", &dataset)?;
        graph.of_all(&dataset, &publisher, &contact)?;
        graph.dataset(site, &dataset, listed)?;
    }
    let mut writer = serializer.for_writer(Vec::new());
    for triple in &graph.triples {
        writer.serialize_triple(triple)?;
    }
    Ok(writer.finish()?)
}

const CATALOG_TITLE: [&str; 3] =
    ["tabeller om Housing First", "tabellar om Housing First", "tables on Housing First"];
const CATALOG_TEXT: [&str; 3] = [
    "Felles tall fra norske kommuner om Housing First, med tilført støy og oppgitt usikkerhet.",
    "Felles tal frå norske kommunar om Housing First, med tilført støy og oppgjeve uvisse.",
    "Joint figures from Norwegian municipalities on Housing First, with added noise and stated uncertainty.",
];

fn named(before: &str, texts: &[&str; 3]) -> Labels {
    let join =
        |text: &str| if before.is_empty() { text.to_owned() } else { format!("{before}: {text}") };
    let [nb, nn, en] = texts.map(join);
    Labels { nb, nn, en }
}

struct Graph<'a> {
    url: &'a str,
    triples: Vec<Triple>,
}

impl Graph<'_> {
    fn node(&self, path: &str) -> Result<NamedNode, Failure> {
        Ok(NamedNode::new(format!("{}{path}", self.url))?)
    }

    fn add(
        &mut self,
        subject: &NamedNode,
        space: &str,
        name: &str,
        object: impl Into<Term>,
    ) -> Result<(), Failure> {
        let predicate = NamedNode::new(format!("{space}{name}"))?;
        let subject = NamedOrBlankNode::NamedNode(subject.clone());
        self.triples.push(Triple::new(subject, predicate, object));
        Ok(())
    }

    fn kind(&mut self, subject: &NamedNode, space: &str, name: &str) -> Result<(), Failure> {
        let class = NamedNode::new(format!("{space}{name}"))?;
        let subject = NamedOrBlankNode::NamedNode(subject.clone());
        self.triples.push(Triple::new(subject, rdf::TYPE, class));
        Ok(())
    }

    fn link(
        &mut self,
        subject: &NamedNode,
        space: &str,
        name: &str,
        to: &NamedNode,
    ) -> Result<(), Failure> {
        self.add(subject, space, name, to.clone())
    }

    fn to(
        &mut self,
        subject: &NamedNode,
        space: &str,
        name: &str,
        iri: &str,
    ) -> Result<(), Failure> {
        let object = NamedNode::new(iri)?;
        self.add(subject, space, name, object)
    }

    fn text(
        &mut self,
        subject: &NamedNode,
        space: &str,
        name: &str,
        text: &str,
    ) -> Result<(), Failure> {
        self.add(subject, space, name, Literal::new_simple_literal(text))
    }

    fn labels(
        &mut self,
        subject: &NamedNode,
        space: &str,
        name: &str,
        labels: &Labels,
    ) -> Result<(), Failure> {
        for language in [Language::Nb, Language::Nn, Language::En] {
            let literal =
                Literal::new_language_tagged_literal(labels.text(language), code(language))?;
            self.add(subject, space, name, literal)?;
        }
        Ok(())
    }

    /// What a catalogue, a dataset and a service all must have.
    fn of_all(
        &mut self,
        subject: &NamedNode,
        publisher: &NamedNode,
        contact: &NamedNode,
    ) -> Result<(), Failure> {
        self.link(subject, DCT, "publisher", publisher)?;
        self.link(subject, DCAT, "contactPoint", contact)?;
        self.text(subject, DCT, "identifier", subject.as_str())
    }

    fn languages(&mut self, subject: &NamedNode) -> Result<(), Failure> {
        for language in ["NOB", "NNO", "ENG"] {
            self.to(subject, DCT, "language", &format!("{AUTHORITY}language/{language}"))?;
        }
        Ok(())
    }

    fn agent(
        &mut self,
        site: &Site,
        publisher: &NamedNode,
        contact: &NamedNode,
    ) -> Result<(), Failure> {
        self.kind(publisher, FOAF, "Agent")?;
        self.text(publisher, FOAF, "name", &site.web.publisher)?;
        self.text(publisher, DCT, "identifier", &site.url)?;
        self.kind(contact, VCARD, "Organization")?;
        self.text(contact, VCARD, "fn", &site.web.publisher)?;
        let mail = site.web.contact.as_ref().map(|contact| format!("mailto:{contact}"));
        match mail.and_then(|mail| NamedNode::new(mail).ok()) {
            Some(mail) => self.link(contact, VCARD, "hasEmail", &mail),
            None => self.to(contact, VCARD, "hasURL", &format!("{}/", site.url)),
        }
    }

    fn service(
        &mut self,
        service: &NamedNode,
        publisher: &NamedNode,
        contact: &NamedNode,
    ) -> Result<(), Failure> {
        self.kind(service, DCAT, "DataService")?;
        self.of_all(service, publisher, contact)?;
        self.labels(service, DCT, "title", &named("", &["PxWebApi v2"; 3]))?;
        let endpoint = self.node("/api/v2")?;
        self.link(service, DCAT, "endpointURL", &endpoint)?;
        let page = self.node("/en/api")?;
        self.link(service, DCAT, "endpointDescription", &page)
    }

    fn dataset(
        &mut self,
        site: &Site,
        dataset: &NamedNode,
        listed: Dataset<'_>,
    ) -> Result<(), Failure> {
        let entry = listed.entry;
        self.kind(dataset, DCAT, "Dataset")?;
        self.labels(dataset, DCT, "title", &entry.title)?;
        self.labels(dataset, DCT, "description", &entry.description)?;
        for theme in ["SOCI", "HEAL"] {
            self.to(dataset, DCAT, "theme", &format!("{AUTHORITY}data-theme/{theme}"))?;
        }
        self.languages(dataset)?;
        self.to(dataset, DCT, "accessRights", &format!("{AUTHORITY}access-right/PUBLIC"))?;
        self.to(dataset, DCT, "license", &site.web.licence_url)?;
        self.to(dataset, DCT, "spatial", &format!("{AUTHORITY}country/NOR"))?;
        let page = self.node(&format!("/nb/tables/{}", entry.id))?;
        self.link(dataset, DCAT, "landingPage", &page)?;
        let changed = listed.updated.to_string();
        let changed = Literal::new_typed_literal(changed, xsd::DATE_TIME);
        self.add(dataset, DCT, "modified", changed)?;
        for (_, round, version) in listed.rounds {
            self.text(dataset, OWL, "versionInfo", &super::id(round, *version))?;
        }
        self.temporal(dataset, listed)?;
        for format in Format::ALL {
            self.distribution(site, dataset, listed, format)?;
        }
        Ok(())
    }

    /// From the first day of the first period to the last of the last.
    fn temporal(&mut self, dataset: &NamedNode, listed: Dataset<'_>) -> Result<(), Failure> {
        let periods = || listed.rounds.iter().map(|(period, _, _)| period);
        let first = periods().map(|period| period.first_day()).min();
        let last = periods().map(|period| period.last_day()).max();
        let Some((first, last)) = first.zip(last) else { return Ok(()) };
        let period = NamedNode::new(format!("{}#period", dataset.as_str()))?;
        self.link(dataset, DCT, "temporal", &period)?;
        self.kind(&period, DCT, "PeriodOfTime")?;
        let day = |date: time::Date| Literal::new_typed_literal(date.to_string(), xsd::DATE);
        self.add(&period, DCAT, "startDate", day(first))?;
        self.add(&period, DCAT, "endDate", day(last))
    }

    fn distribution(
        &mut self,
        site: &Site,
        dataset: &NamedNode,
        listed: Dataset<'_>,
        format: Format,
    ) -> Result<(), Failure> {
        let name = format.name();
        let node = NamedNode::new(format!("{}#{name}", dataset.as_str()))?;
        self.link(dataset, DCAT, "distribution", &node)?;
        self.kind(&node, DCAT, "Distribution")?;
        let title = named(&listed.entry.title.nb, &[name; 3]);
        self.text(&node, DCT, "title", &title.nb)?;
        let data = format!("{}/data?outputFormat={name}", dataset.as_str());
        self.to(&node, DCAT, "accessURL", &data)?;
        self.to(&node, DCAT, "downloadURL", &data)?;
        self.to(&node, DCT, "license", &site.web.licence_url)?;
        let media_type = format.media_type().split(';').next().unwrap_or_default();
        self.to(&node, DCAT, "mediaType", &format!("{MEDIA_TYPES}{media_type}"))?;
        let file_type = match format {
            Format::JsonStat2 | Format::JsonPx => Some("JSON"),
            Format::Csv => Some("CSV"),
            Format::Xlsx => Some("XLSX"),
            Format::Html => Some("HTML"),
            Format::Parquet => Some("PARQUET"),
            // The list has no PC-Axis.
            Format::Px => None,
        };
        match file_type {
            Some(kind) => self.to(&node, DCT, "format", &format!("{AUTHORITY}file-type/{kind}")),
            None => Ok(()),
        }
    }
}
