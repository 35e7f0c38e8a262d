//! Studies: the list, the terms of one, and publishing a further one.
//!
//! **Invariant:** what is published was checked in full; a document that does not hold is shown again
//! as it was typed, with what is wrong.

use crate::admin::asked::{Asked, OwnForm, Refusal, explain};
use crate::admin::frame::Frame;
use crate::admin::notice::Notice;
use crate::admin::show::{day_of, figure, fill};
use crate::admin::words::Words;
use crate::rounds::{self, PublishStudyFailure};
use crate::store::studies::{Kept, PublishStudyError};
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use fellestall_shared::digest::Digest;
use fellestall_shared::limits::DOCUMENT_BYTES;
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::{Answer, LateReleases, LegalBasis, Residence, StudyDocument};
use http::StatusCode;

/// One study of the list.
struct Line {
    digest: String,
    name: String,
    title: String,
    tables: usize,
    charge: String,
    published: String,
}

#[derive(Template)]
#[template(path = "admin/studies.html")]
struct ListPage {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
}

/// One table of a study.
struct TableLine {
    id: String,
    title: String,
    cells: usize,
    charge: String,
}

/// What a study says.
struct Terms {
    facts: Vec<(String, String)>,
    fields: Vec<String>,
    tables: Vec<TableLine>,
}

#[derive(Template)]
#[template(path = "admin/study.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    terms: Terms,
    digest: String,
    answers: String,
}

#[derive(Template)]
#[template(path = "admin/study_new.html")]
struct NewPage {
    f: Frame,
    w: &'static Words,
    text: String,
    problem: Option<(String, String)>,
    checked: Option<(String, Terms)>,
}

/// `GET /studies`.
pub(in crate::admin) async fn list(asked: Asked) -> Response {
    asked.answer(build_list(&asked).await)
}

async fn build_list(asked: &Asked) -> Result<ListPage, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let service = &asked.desk.service;
    let mut lines = Vec::new();
    for stored in asked.desk.store().studies().await? {
        let (_, study) =
            rounds::read_study(&service.coordinator_key, service.catalogue, &stored.envelope)?;
        lines.push(Line {
            digest: stored.digest.to_string(),
            name: format!("{}.{}", stored.study, stored.version),
            title: study.document().title.text(language).to_owned(),
            tables: study.tables().len(),
            charge: figure(study.charge(), language),
            published: day_of(stored.published, w, language),
        });
    }
    lines.reverse();
    Ok(ListPage { f: Frame::new(asked, &w.studies.title, "/studies"), w, lines })
}

/// `GET /studies/{digest}`.
pub(in crate::admin) async fn page(asked: Asked, Path(digest): Path<String>) -> Response {
    asked.answer(build(&asked, &digest).await)
}

async fn build(asked: &Asked, digest: &str) -> Result<Page, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let (store, service) = (asked.desk.store(), &asked.desk.service);
    let digest: Digest = digest.parse().map_err(|_| Refusal::Missing)?;
    let stored = store.study(digest).await?.ok_or(Refusal::Missing)?;
    let (_, study) =
        rounds::read_study(&service.coordinator_key, service.catalogue, &stored.envelope)?;
    let nodes = store.nodes().await?;
    let (mut approved, mut declined) = (0_usize, 0_usize);
    for stored in store.decisions(digest).await? {
        let Some(node) = nodes.iter().find(|node| node.node == stored.node) else { continue };
        let envelope = fellestall_shared::signed::Envelope::from_json(&stored.envelope)?;
        let decision =
            envelope.verify::<fellestall_shared::wire::v1::Decision>(&node.release_key)?;
        match decision.answer {
            Answer::Approved => approved += 1,
            Answer::Refused { .. } => declined += 1,
        }
    }
    let title = study.document().title.text(language);
    let name = format!("{} ({}.{})", title, stored.study, stored.version);
    Ok(Page {
        terms: terms(asked, &study),
        digest: digest.to_string(),
        answers: fill(&w.studies.answers, &[("approved", &approved), ("declined", &declined)]),
        f: Frame::new(asked, &name, "/studies"),
        w,
    })
}

fn terms(asked: &Asked, study: &Study) -> Terms {
    let (w, language) = (asked.words(), asked.language);
    let s = &w.studies;
    let document = study.document();
    let basis = match document.legal_basis {
        LegalBasis::Consent => &s.basis_consent,
        LegalBasis::PublicTask => &s.basis_public_task,
    };
    let yes_no = |is_so: bool| if is_so { s.yes.clone() } else { s.no.clone() };
    let residence = match document.residence {
        Residence::Anywhere => &s.residence_anywhere,
        Residence::OnCensusDate => &s.residence_census,
    };
    let facts = [
        (&s.study, format!("{}.{}", document.study, document.version)),
        (&s.purpose, document.purpose.to_string()),
        (&s.controller, document.controller.clone()),
        (&s.basis, basis.clone()),
        (&s.assessment, document.assessment.clone().unwrap_or_default()),
        (&s.starts, document.starts.clone()),
        (&s.ends, document.ends.clone()),
        (&s.minimum_nodes, document.minimum_nodes.to_string()),
        (&s.minimum_difference, document.minimum_difference.to_string()),
        (&s.municipal, yes_no(document.municipal_figures)),
        (&s.late, yes_no(document.late_releases == LateReleases::NewVersion)),
        (&s.residence, residence.clone()),
        (&s.charge, figure(study.charge(), language)),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let tables = study.tables().iter().map(|table| TableLine {
        id: table.statistic.id().to_string(),
        title: table.statistic.title().text(language).to_owned(),
        cells: table.statistic.cells(),
        charge: figure(table.charge, language),
    });
    Terms {
        facts: facts.map(|(name, value)| (name.clone(), value)).collect(),
        fields: document.fields.iter().cloned().collect(),
        tables: tables.collect(),
    }
}

/// `GET /studies/new`.
pub(in crate::admin) async fn draft(asked: Asked) -> Response {
    asked.answer(Ok(new_page(&asked, String::new(), None, None)))
}

fn new_page(
    asked: &Asked,
    text: String,
    problem: Option<(String, String)>,
    checked: Option<(String, Terms)>,
) -> NewPage {
    let w = asked.words();
    NewPage { f: Frame::new(asked, &w.studies.new, "/studies"), w, text, problem, checked }
}

/// `POST /studies/new`: checks a study, or publishes it.
pub(in crate::admin) async fn publish(sent: OwnForm) -> Response {
    let text = sent.field("document").to_owned();
    let publishes = sent.field("do") == "publish";
    let asked = sent.asked;
    let wrong = |title: &str, error: String| {
        let page = new_page(&asked, text.clone(), Some((title.to_owned(), error)), None);
        asked.answer_with(StatusCode::UNPROCESSABLE_ENTITY, Ok(page))
    };
    let s = &asked.words().studies;
    let document = match read(&text) {
        Ok(document) => document,
        Err(error) => return wrong(&s.not_read, error),
    };
    if !publishes {
        return match check(&asked, &document) {
            Ok(study) => {
                let title = study.document().title.text(asked.language).to_owned();
                let checked = Some((title, terms(&asked, &study)));
                asked.answer(Ok(new_page(&asked, text.clone(), None, checked)))
            }
            Err(error) => wrong(&s.not_sound, explain(&error)),
        };
    }
    match try_publish(&asked, &document).await {
        Ok(Ok((digest, notice))) => asked.done(notice, &format!("/studies/{digest}")).await,
        Ok(Err(error)) => wrong(&s.not_sound, error),
        Err(refusal) => asked.refuse(refusal),
    }
}

fn check(asked: &Asked, document: &StudyDocument) -> Result<Study, PublishStudyFailure> {
    let service = &asked.desk.service;
    let digest = service.signing_key.sign(document)?.payload_digest();
    Ok(Study::check(document, digest, service.catalogue)?)
}

/// Publishes a study, or says what is wrong with it.
async fn try_publish(
    asked: &Asked,
    document: &StudyDocument,
) -> Result<Result<(Digest, Notice), String>, Refusal> {
    if let Err(error) = check(asked, document) {
        return Ok(Err(explain(&error)));
    }
    asked.act(&format!("publish study {}.{}", document.study, document.version)).await?;
    let service = &asked.desk.service;
    let (key, now) = (&service.signing_key, asked.desk.now());
    let store = asked.desk.store();
    match rounds::publish_study(store, key, service.catalogue, document, now).await {
        Ok(published) => {
            let notice = match published.kept {
                Kept::New => Notice::StudyPublished,
                Kept::Stood => Notice::StudyStood,
            };
            Ok(Ok((published.study.digest(), notice)))
        }
        Err(PublishStudyFailure::Store(PublishStudyError::Store(error))) => Err(error.into()),
        Err(error) => Ok(Err(explain(&error))),
    }
}

/// A study as TOML or JSON.
fn read(text: &str) -> Result<StudyDocument, String> {
    if text.len() > DOCUMENT_BYTES {
        return Err(format!("a study has at most {DOCUMENT_BYTES} bytes"));
    }
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())
    } else {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}
