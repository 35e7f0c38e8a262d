//! A request that the guard let through, and how it is answered.
//!
//! **Invariant:** no query and no body is logged; what went wrong inside is told to whoever is signed
//! in, and to nobody else.

use super::desk::Desk;
use super::frame::Frame;
use super::notice::Notice;
use super::words::Words;
use crate::store::audit::Event;
use crate::store::staff::Staff;
use askama::Template;
use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Redirect, Response};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::labels::Language;
use http::StatusCode;
use http::header::{self, HeaderValue};
use http::request::Parts;
use std::error::Error;
use std::sync::Arc;

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// Who it is.
    pub staff: Staff,
    /// When the session began.
    pub started: Timestamp,
    /// The token that every form of this session carries.
    pub form_token: String,
    /// The digest of the session's token.
    pub token: Digest,
    /// What the next page says.
    pub notice: String,
}

/// Who asks for what, in which language.
#[derive(Clone)]
pub(super) struct Asked {
    /// What pages work with.
    pub desk: Arc<Desk>,
    /// The language of the answer.
    pub language: Language,
    /// The path that was asked for.
    pub path: String,
    /// Who asks, if somebody is signed in.
    pub visitor: Option<Visitor>,
}

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There is no such page.
    Missing,
    /// The form comes from somewhere else.
    Foreign,
    /// The form is not one of this session's, or not whole.
    Form,
    /// The role does not allow it.
    Role,
    /// The form is too large.
    TooLarge,
    /// Too many failed to sign in; seconds to wait.
    TooMany(u64),
    /// Something cannot be used: what, with its causes.
    Broken(String),
}

impl<E: Error + 'static> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Broken(explain(&error))
    }
}

/// An error with its causes, on one line.
pub(super) fn explain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = next.source();
    }
    text
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Foreign | Self::Form | Self::Role => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A page that says why there is no other.
#[derive(Template)]
#[template(path = "admin/refusal.html")]
struct RefusalPage {
    f: Frame,
    w: &'static Words,
    text: String,
    /// The error in the program's own words, which are English.
    detail: Option<String>,
}

impl Asked {
    /// The texts in the language of the answer.
    pub(super) fn words(&self) -> &'static Words {
        self.desk.words.of(self.language)
    }

    /// Who asks. The guard lets nobody else through to a page that needs somebody.
    pub(super) fn visitor(&self) -> Result<&Visitor, Refusal> {
        self.visitor.as_ref().ok_or(Refusal::Role)
    }

    /// Answers with a page, or says why not.
    pub(super) fn answer<T: Template>(&self, page: Result<T, Refusal>) -> Response {
        self.answer_with(StatusCode::OK, page)
    }

    /// As [`Self::answer`], with another status.
    pub(super) fn answer_with<T: Template>(
        &self,
        status: StatusCode,
        page: Result<T, Refusal>,
    ) -> Response {
        match page.and_then(|page| page.render().map_err(Refusal::from)) {
            Ok(text) => html(status, text),
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// Says why there is no such answer.
    pub(super) fn refuse(&self, refusal: Refusal) -> Response {
        let status = refusal.status();
        let wait = match &refusal {
            Refusal::TooMany(seconds) => Some(*seconds),
            Refusal::Broken(error) => {
                tracing::error!(%error, "a page of the administration failed");
                None
            }
            _ => None,
        };
        let mut answer = html(status, self.refusal_page(refusal).render().unwrap_or_default());
        if let Some(seconds) = wait {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }

    fn refusal_page(&self, refusal: Refusal) -> RefusalPage {
        let words = self.words();
        let e = &words.errors;
        let mut detail = None;
        let (title, text) = match refusal {
            Refusal::Missing => (&e.missing_title, e.missing.clone()),
            Refusal::Foreign => (&e.refused_title, e.foreign.clone()),
            Refusal::Form => (&e.refused_title, e.form.clone()),
            Refusal::Role => (&e.refused_title, e.role.clone()),
            Refusal::TooLarge => (&e.refused_title, e.too_large.clone()),
            Refusal::TooMany(seconds) => {
                let minutes = seconds.div_ceil(60);
                (&e.too_many_title, e.too_many.replace("{minutes}", &minutes.to_string()))
            }
            Refusal::Broken(error) => {
                detail = self.visitor.is_some().then_some(error);
                (&e.broken_title, e.broken.clone())
            }
        };
        RefusalPage { f: Frame::new(self, title, ""), w: words, text, detail }
    }

    /// Writes in the log what the visitor sets out to do, before it is done.
    pub(super) async fn act(&self, what: &str) -> Result<(), Refusal> {
        let (store, now) = (self.desk.store(), self.desk.now());
        Ok(store.note(Event::Acted, what, &self.visitor()?.staff.name, now).await?)
    }

    /// Leads to a page that says what was done.
    pub(super) async fn done(&self, notice: Notice, to: &str) -> Response {
        if let Some(visitor) = &self.visitor {
            let left = self.desk.store().leave_notice(visitor.token, notice.code()).await;
            if let Err(error) = left {
                tracing::warn!(%error, "a notice was not left");
            }
        }
        Redirect::to(to).into_response()
    }
}

fn html(status: StatusCode, text: String) -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    (status, [kind], text).into_response()
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        // Without the guard there is no page.
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The fields of a form that belongs to the visitor's session. To sign in there is none yet.
pub(super) struct OwnForm {
    /// Who sent it.
    pub asked: Asked,
    fields: Vec<(String, String)>,
}

impl OwnForm {
    /// A field; empty if it is not there.
    pub(super) fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    async fn check(asked: Asked, request: Request) -> Result<Self, (Asked, Refusal)> {
        let fields = match Form::<Vec<(String, String)>>::from_request(request, &()).await {
            Ok(Form(fields)) => fields,
            Err(refused) => {
                let is_large = refused.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE;
                return Err((asked, if is_large { Refusal::TooLarge } else { Refusal::Form }));
            }
        };
        let form = Self { asked, fields };
        // Digests are compared, so that the time says nothing about the token.
        let digest = |token: &str| Digest::of("fellestall/form/1", token.as_bytes());
        let is_own = match &form.asked.visitor {
            _ if form.asked.path == "/sign-in" => true,
            Some(visitor) => digest(form.field("form_token")) == digest(&visitor.form_token),
            None => false,
        };
        if is_own { Ok(form) } else { Err((form.asked, Refusal::Form)) }
    }
}

impl<S: Sync> FromRequest<S> for OwnForm {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let Some(asked) = request.extensions().get::<Asked>().cloned() else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        match Self::check(asked, request).await {
            Ok(form) => Ok(form),
            Err((asked, refusal)) => Err(asked.refuse(refusal)),
        }
    }
}
