//! Invitations: making one, and which are open.
//!
//! **Invariant:** an invitation's text is in one answer, to whoever made it, and nowhere else.

use crate::admin::asked::{Asked, OwnForm, Refusal};
use crate::admin::frame::Frame;
use crate::admin::show::{day_of, fill};
use crate::admin::words::Words;
use crate::invitation::{self, InviteError};
use askama::Template;
use axum::response::Response;
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::municipality;
use http::StatusCode;
use zeroize::Zeroizing;

/// Invitations that are listed, at the most.
const MOST: u32 = 1_000;

/// One invitation.
struct Line {
    municipality: String,
    created: String,
    expires: String,
    look: &'static str,
    state: String,
}

/// An invitation that was made just now.
struct Made {
    lead: String,
    text: Zeroizing<String>,
}

#[derive(Template)]
#[template(path = "admin/invitations.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
    made: Option<Made>,
    typed: String,
    problem: Option<String>,
}

/// `GET /invitations`.
pub(in crate::admin) async fn page(asked: Asked) -> Response {
    asked.answer(build(&asked, None, String::new(), None).await)
}

async fn build(
    asked: &Asked,
    made: Option<Made>,
    typed: String,
    problem: Option<String>,
) -> Result<Page, Refusal> {
    let (w, language, now) = (asked.words(), asked.language, asked.desk.now());
    let i = &w.invitations;
    let lines = asked.desk.store().invitations(MOST).await?.into_iter().map(|line| {
        let (look, state) = match line.used {
            Some(used) => ("good", fill(&i.used, &[("day", &day_of(used, w, language))])),
            None if line.expires <= now => ("bad", i.expired.clone()),
            None => ("wait", i.open.clone()),
        };
        Line {
            municipality: named(&line.municipality),
            created: day_of(line.created, w, language),
            expires: day_of(line.expires, w, language),
            look,
            state,
        }
    });
    let lines = lines.collect();
    Ok(Page { f: Frame::new(asked, &i.title, "/invitations"), w, lines, made, typed, problem })
}

fn named(number: &MunicipalityNumber) -> String {
    let name = municipality::find(number).map_or("", |known| known.name);
    format!("{number} {name}").trim_end().to_owned()
}

/// `POST /invitations`.
pub(in crate::admin) async fn make(sent: OwnForm) -> Response {
    let typed = sent.field("municipality").trim().to_owned();
    let asked = sent.asked;
    match try_make(&asked, &typed).await {
        Ok(Ok(made)) => asked.answer(build(&asked, Some(made), String::new(), None).await),
        Ok(Err(problem)) => {
            let page = build(&asked, None, typed, Some(problem)).await;
            asked.answer_with(StatusCode::UNPROCESSABLE_ENTITY, page)
        }
        Err(refusal) => asked.refuse(refusal),
    }
}

async fn try_make(asked: &Asked, typed: &str) -> Result<Result<Made, String>, Refusal> {
    let (w, desk) = (asked.words(), &asked.desk);
    let i = &w.invitations;
    let Ok(number) = typed.parse::<MunicipalityNumber>() else {
        return Ok(Err(i.no_such.clone()));
    };
    if municipality::find(&number).is_none() {
        return Ok(Err(i.no_such.clone()));
    }
    asked.act(&format!("invite {number}")).await?;
    let authority = &desk.service.authority;
    let invited =
        invitation::invite(desk.store(), authority, &desk.node_url, &number, desk.now()).await;
    match invited {
        Ok(invited) => {
            let until = day_of(invited.expires, w, asked.language);
            let places = [("municipality", &named(&number) as &dyn std::fmt::Display)];
            let lead = fill(&fill(&i.made_lead, &places), &[("day", &until)]);
            Ok(Ok(Made { lead, text: Zeroizing::new(invited.text) }))
        }
        Err(InviteError::Unknown { .. }) => Ok(Err(i.no_such.clone())),
        Err(error) => Err(error.into()),
    }
}
