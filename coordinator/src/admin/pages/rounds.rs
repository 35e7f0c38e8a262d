//! Rounds: the list, opening one, and how one stands.
//!
//! A round's page can be made to read itself again every ten seconds: by whoever wants it, since a
//! page that moves by itself is hard to read for some.
//!
//! **Invariant:** shows who answered and when, never a figure.

use crate::admin::asked::{Asked, OwnForm, Refusal, explain};
use crate::admin::frame::Frame;
use crate::admin::notice::Notice;
use crate::admin::show::{day_of, fill, moment};
use crate::admin::words::Words;
use crate::rounds::status::{ReportStanding, Standing};
use crate::rounds::{self, LoadedRound, OpenError, Opening};
use crate::store::studies::Kept;
use askama::Template;
use axum::extract::{Path, RawQuery};
use axum::response::Response;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::RoundId;
use fellestall_shared::municipality;
use fellestall_shared::wire::v1::{Answer, LateReleases, RefusalReason, Rejection};
use http::{HeaderName, HeaderValue, StatusCode};
use time::macros::format_description;
use time::{Date, Time};

/// Seconds between two readings of a page that follows a round.
const AGAIN: HeaderValue = HeaderValue::from_static("10");

/// One round of the list.
struct Line {
    round: String,
    is_open: bool,
    period: String,
    closes: String,
    reported: usize,
}

/// What was typed, to be shown again.
#[derive(Default)]
struct Typed {
    study: String,
    period: String,
    closes: String,
}

#[derive(Template)]
#[template(path = "admin/rounds.html")]
struct ListPage {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
    studies: Vec<(String, String)>,
    typed: Typed,
    problem: Option<String>,
}

/// How one node stands.
struct NodeLine {
    node: String,
    name: &'static str,
    look: &'static str,
    answer: String,
    received: String,
}

#[derive(Template)]
#[template(path = "admin/round.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    round: String,
    facts: Vec<(String, String)>,
    reported_text: String,
    permille: usize,
    lines: Vec<NodeLine>,
    is_open: bool,
    is_live: bool,
    next: Next,
}

/// What can be published of a round.
enum Next {
    /// Nothing yet.
    TooFew,
    /// The first version.
    First,
    /// A further one, with late releases.
    Further,
    /// Nothing more.
    Nothing,
}

/// `GET /rounds`.
pub(in crate::admin) async fn list(asked: Asked) -> Response {
    asked.answer(build_list(&asked, Typed::default(), None).await)
}

/// A round with its study.
pub(super) async fn load(asked: &Asked, id: &str) -> Result<LoadedRound, Refusal> {
    let id: RoundId = id.parse().map_err(|_| Refusal::Missing)?;
    let (store, service) = (asked.desk.store(), &asked.desk.service);
    if store.round(&id).await?.is_none() {
        return Err(Refusal::Missing);
    }
    let key = &service.coordinator_key;
    Ok(rounds::load_round(store, key, service.catalogue, &id).await?)
}

async fn build_list(
    asked: &Asked,
    typed: Typed,
    problem: Option<String>,
) -> Result<ListPage, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let (store, service) = (asked.desk.store(), &asked.desk.service);
    let mut lines = Vec::new();
    for stored in store.rounds().await? {
        let loaded = load(asked, stored.round.as_str()).await?;
        lines.push(Line {
            is_open: stored.closed.is_none(),
            period: loaded.round.period().to_string(),
            closes: day_of(loaded.round.document().closes, w, language),
            reported: store.releases(&stored.round).await?.len(),
            round: stored.round.to_string(),
        });
    }
    // What is open comes first.
    lines.sort_by_key(|line| !line.is_open);
    let mut studies = Vec::new();
    for stored in store.studies().await?.into_iter().rev() {
        let (_, study) =
            rounds::read_study(&service.coordinator_key, service.catalogue, &stored.envelope)?;
        let name = format!("{}.{}", stored.study, stored.version);
        let title = study.document().title.text(language);
        studies.push((name.clone(), format!("{title} ({name})")));
    }
    let f = Frame::new(asked, &w.rounds.title, "/rounds");
    Ok(ListPage { f, w, lines, studies, typed, problem })
}

/// `POST /rounds`.
pub(in crate::admin) async fn open(sent: OwnForm) -> Response {
    let typed = Typed {
        study: sent.field("study").to_owned(),
        period: sent.field("period").trim().to_owned(),
        closes: sent.field("closes").trim().to_owned(),
    };
    let asked = sent.asked;
    match try_open(&asked, &typed).await {
        Ok(Ok((round, notice))) => asked.done(notice, &format!("/rounds/{round}")).await,
        Ok(Err(problem)) => {
            let page = build_list(&asked, typed, Some(problem)).await;
            asked.answer_with(StatusCode::UNPROCESSABLE_ENTITY, page)
        }
        Err(refusal) => asked.refuse(refusal),
    }
}

/// Opens a round, or says what is wrong with what was typed.
async fn try_open(
    asked: &Asked,
    typed: &Typed,
) -> Result<Result<(RoundId, Notice), String>, Refusal> {
    let (w, desk) = (asked.words(), &asked.desk);
    let r = &w.rounds;
    let study = typed
        .study
        .rsplit_once('.')
        .and_then(|(study, version)| Some((study.parse().ok()?, version.parse::<u32>().ok()?)));
    let Some((study, version)) = study else { return Ok(Err(r.no_study.clone())) };
    let Ok(period) = typed.period.parse() else { return Ok(Err(r.bad_period.clone())) };
    let format = format_description!("[year]-[month]-[day]");
    let Ok(closes) = Date::parse(&typed.closes, format) else {
        return Ok(Err(r.bad_date.clone()));
    };
    // To the end of the day named.
    let end = closes.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp().saturating_add(86_399);
    let closes = Timestamp::from_unix(end);
    if closes <= desk.now() {
        return Ok(Err(r.past_date.clone()));
    }
    asked.act(&format!("open round {}.{}", typed.study, typed.period)).await?;
    let opening = Opening { study, version: Some(version), period, closes };
    let (key, catalogue) = (&desk.service.signing_key, desk.service.catalogue);
    match rounds::open_round(desk.store(), key, catalogue, &opening, desk.now()).await {
        Ok((round, Kept::New)) => Ok(Ok((round, Notice::RoundOpened))),
        Ok((round, Kept::Stood)) => Ok(Ok((round, Notice::RoundStood))),
        Err(OpenError::Unknown { .. }) => Ok(Err(r.no_study.clone())),
        Err(OpenError::Period { .. }) => Ok(Err(r.not_over.clone())),
        Err(OpenError::Store(error)) => Err(error.into()),
        Err(error) => Ok(Err(format!("{} {}", w.common.program_says, explain(&error)))),
    }
}

/// `GET /rounds/{round}`.
pub(in crate::admin) async fn page(
    asked: Asked,
    Path(round): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let is_live = query.is_some_and(|query| query.split('&').any(|part| part == "live"));
    let page = build(&asked, &round, is_live).await;
    let follows = is_live && page.as_ref().is_ok_and(|page| page.is_open);
    let mut answer = asked.answer(page);
    if follows {
        answer.headers_mut().insert(HeaderName::from_static("refresh"), AGAIN);
    }
    answer
}

async fn build(asked: &Asked, round: &str, is_live: bool) -> Result<Page, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let r = &w.rounds;
    let loaded = load(asked, round).await?;
    let status = rounds::status::status(asked.desk.store(), &loaded).await?;
    let document = loaded.round.document();
    let asked_number = status.nodes.len();
    let places = [
        ("reported", &status.reported as &dyn std::fmt::Display),
        ("asked", &asked_number),
        ("minimum", &status.minimum_nodes),
    ];
    let title = loaded.round.study().document().title.text(language).to_owned();
    let state = match loaded.closed {
        None => r.is_open.clone(),
        Some(at) => fill(&r.closed_on, &[("moment", &moment(at, w, language))]),
    };
    let facts = [
        (&r.study, title),
        (&r.period, document.period.to_string()),
        (&r.state, state),
        (&r.opened, moment(document.opens, w, language)),
        (&r.closes, moment(document.closes, w, language)),
    ];
    let late = loaded.round.study().document().late_releases;
    let enough = usize::try_from(status.minimum_nodes).unwrap_or(usize::MAX);
    let next = match late {
        _ if status.open && status.reported < enough => Next::TooFew,
        _ if status.open => Next::First,
        LateReleases::NewVersion => Next::Further,
        LateReleases::Refused => Next::Nothing,
    };
    Ok(Page {
        f: Frame::new(asked, &format!("{} {}", r.round, loaded.round.id()), "/rounds"),
        w,
        facts: facts.into_iter().map(|(name, value)| (name.clone(), value)).collect(),
        reported_text: fill(&r.reported_of, &places),
        permille: (status.reported * 1000).checked_div(asked_number).unwrap_or(0).min(1000),
        lines: status.nodes.iter().map(|node| line(asked, node)).collect(),
        is_open: status.open,
        is_live,
        next,
        round: status.round,
    })
}

fn line(asked: &Asked, standing: &Standing) -> NodeLine {
    let w = asked.words();
    let r = &w.rounds;
    let rejected = match standing.report {
        Some(ReportStanding::Rejected { reason }) => Some(reason),
        _ => None,
    };
    let (look, answer) = match (rejected, &standing.received, standing.decision) {
        (Some(reason), _, _) => ("bad", format!("{}: {}", r.rejected, rejection_text(w, reason))),
        (None, Some(_), _) if standing.late => ("wait", r.late.clone()),
        (None, Some(_), _) => ("good", r.has_reported.clone()),
        (None, None, Some(Answer::Approved)) => ("wait", r.has_approved.clone()),
        (None, None, Some(Answer::Refused { reason })) => {
            ("bad", format!("{}: {}", r.has_refused, reason_text(w, reason)))
        }
        (None, None, None) => ("", r.is_awaited.clone()),
    };
    NodeLine {
        node: standing.node.to_string(),
        name: municipality::find(&standing.municipality).map_or("", |known| known.name),
        look,
        answer,
        received: standing.received.clone().unwrap_or_default().replace('T', " "),
    }
}

fn reason_text(w: &Words, reason: RefusalReason) -> &str {
    let r = &w.reasons;
    match reason {
        RefusalReason::Purpose => &r.purpose,
        RefusalReason::LegalBasis => &r.legal_basis,
        RefusalReason::Budget => &r.budget,
        RefusalReason::TooDetailed => &r.too_detailed,
        RefusalReason::NotRecorded => &r.not_recorded,
        RefusalReason::Capacity => &r.capacity,
        RefusalReason::Other => &r.other,
    }
}

fn rejection_text(w: &Words, reason: Rejection) -> &str {
    let r = &w.rejections;
    match reason {
        Rejection::Signature => &r.signature,
        Rejection::Binding => &r.binding,
        Rejection::Sealed => &r.sealed,
        Rejection::Malformed => &r.malformed,
        Rejection::Proof => &r.proof,
        Rejection::Replayed => &r.replayed,
        Rejection::Opened => &r.opened,
    }
}
