//! The staff: who may use these pages, as what.
//!
//! **Invariant:** nobody removes their own account here, so that an administrator is always left; a
//! password is never set here, but on the command line.

use crate::admin::asked::{Asked, OwnForm, Refusal};
use crate::admin::frame::Frame;
use crate::admin::notice::Notice;
use crate::admin::show::day_of;
use crate::admin::words::Words;
use crate::store::staff::{AddStaffError, Credential, Role};
use askama::Template;
use axum::response::Response;
use http::StatusCode;

/// One member of staff.
struct Line {
    name: String,
    role: String,
    how: String,
    added: String,
    is_own: bool,
}

/// What was typed, to be shown again.
#[derive(Default)]
struct Typed {
    name: String,
    subject: String,
    role: String,
}

#[derive(Template)]
#[template(path = "admin/staff.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
    roles: Vec<(&'static str, String)>,
    issuer: Option<String>,
    typed: Typed,
    problem: Option<String>,
}

/// `GET /staff`.
pub(in crate::admin) async fn page(asked: Asked) -> Response {
    asked.answer(build(&asked, Typed::default(), None).await)
}

async fn build(asked: &Asked, typed: Typed, problem: Option<String>) -> Result<Page, Refusal> {
    let w = asked.words();
    let own = asked.visitor()?.staff.id;
    let lines = asked.desk.store().staff().await?.into_iter().map(|staff| Line {
        role: w.role(staff.role).to_owned(),
        how: match staff.credential {
            Credential::Password(_) => w.staff.by_password.clone(),
            Credential::Subject { subject, .. } => subject,
        },
        added: day_of(staff.added, w, asked.language),
        is_own: staff.id == own,
        name: staff.name,
    });
    Ok(Page {
        f: Frame::new(asked, &w.staff.title, "/staff"),
        w,
        lines: lines.collect(),
        roles: Role::ALL.map(|role| (role.name(), w.role(role).to_owned())).to_vec(),
        issuer: asked.desk.provider.as_ref().map(|provider| provider.issuer().to_owned()),
        typed,
        problem,
    })
}

/// `POST /staff`: adds somebody whom the provider knows.
pub(in crate::admin) async fn add(sent: OwnForm) -> Response {
    let typed = Typed {
        name: sent.field("name").trim().to_owned(),
        subject: sent.field("subject").trim().to_owned(),
        role: sent.field("role").to_owned(),
    };
    let asked = sent.asked;
    match try_add(&asked, &typed).await {
        Ok(None) => asked.done(Notice::StaffAdded, "/staff").await,
        Ok(Some(problem)) => {
            let page = build(&asked, typed, Some(problem)).await;
            asked.answer_with(StatusCode::UNPROCESSABLE_ENTITY, page)
        }
        Err(refusal) => asked.refuse(refusal),
    }
}

/// Adds somebody, or says what is wrong with what was typed.
async fn try_add(asked: &Asked, typed: &Typed) -> Result<Option<String>, Refusal> {
    let s = &asked.words().staff;
    let Some(provider) = &asked.desk.provider else { return Err(Refusal::Form) };
    let Ok(role) = typed.role.parse::<Role>() else { return Ok(Some(s.no_role.clone())) };
    if typed.subject.is_empty() || typed.subject.chars().count() > 255 {
        return Ok(Some(s.bad_subject.clone()));
    }
    let issuer = provider.issuer().to_owned();
    let credential = Credential::Subject { issuer, subject: typed.subject.clone() };
    let (store, now) = (asked.desk.store(), asked.desk.now());
    let by = &asked.visitor()?.staff.name;
    match store.add_staff(&typed.name, role, &credential, by, now).await {
        Ok(()) => Ok(None),
        Err(AddStaffError::Name) => Ok(Some(s.bad_name.clone())),
        Err(AddStaffError::Taken) => Ok(Some(s.taken.clone())),
        Err(AddStaffError::Store(error)) => Err(error.into()),
    }
}

/// `POST /staff/remove`.
pub(in crate::admin) async fn remove(sent: OwnForm) -> Response {
    let name = sent.field("name").to_owned();
    let asked = sent.asked;
    match try_remove(&asked, &name).await {
        Ok(()) => asked.done(Notice::StaffRemoved, "/staff").await,
        Err(refusal) => asked.refuse(refusal),
    }
}

async fn try_remove(asked: &Asked, name: &str) -> Result<(), Refusal> {
    let own = &asked.visitor()?.staff;
    let store = asked.desk.store();
    let found = store.staff_by_name(name).await?.ok_or(Refusal::Missing)?;
    if found.id == own.id {
        return Err(Refusal::Form);
    }
    store.remove_staff(&found.name, &own.name, asked.desk.now()).await?;
    Ok(())
}
