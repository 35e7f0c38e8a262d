//! A request that the guard let through, and how it is answered.
//!
//! **Invariant:** what blocks (the state, the ledger, the records) runs where blocking is allowed;
//! no query and no body is logged.

use super::desk::Desk;
use super::frame::Frame;
use super::notice::Notice;
use super::sessions::Visitor;
use super::words::Words;
use crate::daemon::explain;
use askama::Template;
use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use fellestall_shared::labels::Language;
use http::StatusCode;
use http::header::{self, HeaderValue};
use http::request::Parts;
use std::error::Error;
use std::sync::Arc;
use tokio::task::spawn_blocking;

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
    /// The node is not enrolled yet.
    NotEnrolled,
    /// Something of the node cannot be used: what, with its causes, for the operator.
    Broken(String),
}

impl<E: Error + 'static> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Broken(explain(&error))
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Foreign | Self::Form | Self::Role => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotEnrolled => StatusCode::CONFLICT,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A page that says why there is no other.
#[derive(Template)]
#[template(path = "console/refusal.html")]
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

    /// Answers with a page; gathering its facts may block.
    pub(super) async fn show<T, B>(&self, build: B) -> Response
    where
        T: Template,
        B: FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    {
        self.show_with(StatusCode::OK, build).await
    }

    /// As [`Self::show`], with another status.
    pub(super) async fn show_with<T, B>(&self, status: StatusCode, build: B) -> Response
    where
        T: Template,
        B: FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    {
        let text = self.blocking(move |asked| build(asked)?.render().map_err(Refusal::from)).await;
        match text {
            Ok(text) => html(status, text),
            Err(refusal) => self.refuse(refusal).await,
        }
    }

    /// Runs what may block.
    pub(super) async fn blocking<T, B>(&self, work: B) -> Result<T, Refusal>
    where
        T: Send + 'static,
        B: FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    {
        let asked = self.clone();
        match spawn_blocking(move || work(&asked)).await {
            Ok(done) => done,
            Err(_) => Err(Refusal::Broken("the work was cut off".to_owned())),
        }
    }

    /// Says why there is no such answer.
    pub(super) async fn refuse(&self, refusal: Refusal) -> Response {
        let status = refusal.status();
        if let Refusal::Broken(error) = &refusal {
            tracing::error!(%error, "a page of the console failed");
        }
        let wait = match &refusal {
            Refusal::TooMany(seconds) => Some(*seconds),
            _ => None,
        };
        let page = self.blocking(move |asked| {
            let page = asked.refusal_page(refusal);
            page.render().map_err(Refusal::from)
        });
        let text = page.await.unwrap_or_default();
        let mut answer = html(status, text);
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
            Refusal::NotEnrolled => (&e.not_enrolled_title, e.not_enrolled.clone()),
            Refusal::Broken(error) => {
                // Only who is signed in reads what is wrong with the node.
                detail = self.visitor.is_some().then_some(error);
                (&e.broken_title, e.broken.clone())
            }
        };
        RefusalPage { f: Frame::new(self, title, ""), w: words, text, detail }
    }

    /// Leaves a notice for the next page.
    pub(super) fn leave(&self, notice: Notice) {
        if let Some(visitor) = &self.visitor {
            self.desk.sessions.leave(visitor, notice);
        }
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
        let is_own = match &form.asked.visitor {
            Some(visitor) => {
                form.asked.desk.sessions.is_own_form(visitor, form.field("form_token"))
            }
            None => form.asked.path == "/sign-in",
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
            Err((asked, refusal)) => Err(asked.refuse(refusal).await),
        }
    }
}
