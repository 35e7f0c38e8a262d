//! The visitor's own session.
//!
//! **Invariant:** shows when it ends, and nothing of its token.

use crate::admin::asked::{Asked, Refusal};
use crate::admin::frame::Frame;
use crate::admin::show::moment;
use crate::admin::words::Words;
use crate::store::sessions::{IDLE, LONGEST};
use crate::store::staff::Credential;
use askama::Template;
use axum::response::Response;

#[derive(Template)]
#[template(path = "admin/session.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    facts: Vec<(String, String)>,
}

/// `GET /session`.
pub(in crate::admin) async fn page(asked: Asked) -> Response {
    asked.answer(build(&asked))
}

fn build(asked: &Asked) -> Result<Page, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let visitor = asked.visitor()?;
    let s = &w.session;
    let how = match &visitor.staff.credential {
        Credential::Password(_) => s.by_password.clone(),
        Credential::Subject { issuer, .. } => issuer.clone(),
    };
    let facts = vec![
        (s.name.clone(), visitor.staff.name.clone()),
        (s.role.clone(), w.role(visitor.staff.role).to_owned()),
        (s.may.clone(), w.may(visitor.staff.role).to_owned()),
        (s.how.clone(), how),
        (s.began.clone(), moment(visitor.started, w, language)),
        (s.idle.clone(), moment(asked.desk.now().plus(IDLE), w, language)),
        (s.longest.clone(), moment(visitor.started.plus(LONGEST), w, language)),
    ];
    Ok(Page { f: Frame::new(asked, &s.title, "/session"), w, facts })
}
