//! Signing in by a local account, and out.
//!
//! **Invariant:** a failure says the same, and takes as much work, whoever the name is; it is counted,
//! and is written in the log without what was typed.

use crate::admin::asked::{Asked, OwnForm, Refusal};
use crate::admin::frame::Frame;
use crate::admin::guard::session_digest;
use crate::admin::oidc::Failure;
use crate::admin::password;
use crate::admin::words::Words;
use crate::store::audit::Event;
use crate::store::sign_ins::Attempt;
use crate::store::staff::{Credential, Staff, UNKNOWN};
use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use data_encoding::BASE64URL_NOPAD;
use http::StatusCode;
use http::header::{self, HeaderValue};
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Template)]
#[template(path = "admin/sign_in.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    has_provider: bool,
    /// What went wrong, and whether it was the form.
    problem: Option<(String, bool)>,
}

fn form(asked: &Asked, problem: Option<(String, bool)>) -> Page {
    let w = asked.words();
    let title = match problem {
        Some(_) => format!("{}: {}", w.sign_in.failed_title, w.sign_in.title),
        None => w.sign_in.title.clone(),
    };
    let f = Frame::new(asked, &title, "/sign-in");
    Page { f, w, has_provider: asked.desk.provider.is_some(), problem }
}

/// `GET /sign-in`.
pub(in crate::admin) async fn page(asked: Asked) -> Response {
    if asked.visitor.is_some() {
        return Redirect::to("/").into_response();
    }
    asked.answer(Ok(form(&asked, None)))
}

/// The page again, with what the provider's way ended in.
pub(super) fn failed_at_provider(asked: &Asked, failure: Failure) -> Response {
    let s = &asked.words().sign_in;
    let (status, text) = match failure {
        Failure::State => (StatusCode::FORBIDDEN, &s.provider_state),
        Failure::Declined => (StatusCode::FORBIDDEN, &s.provider_declined),
        Failure::Unavailable => (StatusCode::BAD_GATEWAY, &s.provider_unavailable),
        Failure::Code | Failure::Token => (StatusCode::FORBIDDEN, &s.provider_token),
        Failure::NotStaff => (StatusCode::FORBIDDEN, &s.provider_not_staff),
    };
    asked.answer_with(status, Ok(form(asked, Some((text.clone(), false)))))
}

/// `POST /sign-in`.
pub(in crate::admin) async fn sign_in(sent: OwnForm) -> Response {
    let name = sent.field("name").trim().to_owned();
    let secret = Zeroizing::new(sent.field("password").to_owned());
    let asked = sent.asked;
    let now = asked.desk.now();
    let attempt = match asked.desk.store().count_sign_in(&name, now).await {
        Ok(Attempt::Counted { id }) => id,
        Ok(Attempt::Wait { seconds }) => return asked.refuse(Refusal::TooMany(seconds)),
        Err(error) => return asked.refuse(error.into()),
    };
    match recognised(&asked, &name, secret, attempt).await {
        Ok(Some(staff)) => match begin(&asked, &staff).await {
            Ok(cookie) => with_cookie(Redirect::to("/").into_response(), &cookie),
            Err(refusal) => asked.refuse(refusal),
        },
        Ok(None) => {
            let text = asked.words().sign_in.failed.clone();
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            asked.answer_with(status, Ok(form(&asked, Some((text, true)))))
        }
        Err(refusal) => asked.refuse(refusal),
    }
}

/// The member of staff, if the password is right; a failure stands in the log.
async fn recognised(
    asked: &Asked,
    name: &str,
    secret: Zeroizing<String>,
    attempt: i64,
) -> Result<Option<Staff>, Refusal> {
    let desk = Arc::clone(&asked.desk);
    let known = desk.store().staff_by_name(name).await?;
    let hash = known.as_ref().and_then(|staff| match &staff.credential {
        Credential::Password(hash) => Some(hash.clone()),
        Credential::Subject { .. } => None,
    });
    let work = Arc::clone(&desk);
    let _place = desk.hashing.acquire().await?;
    let holds = tokio::task::spawn_blocking(move || {
        password::holds(&secret, hash.as_deref(), &work.nobody)
    });
    if holds.await? {
        desk.store().take_back_sign_in(attempt).await?;
        return Ok(known);
    }
    // Somebody may have typed the password for the name: only a known name is written.
    let by = known.map_or_else(|| UNKNOWN.to_owned(), |staff| staff.name);
    desk.store().note(Event::SignInFailed, "password", &by, desk.now()).await?;
    Ok(None)
}

/// Begins a session; gives its cookie. A session that this browser had is over.
pub(super) async fn begin(asked: &Asked, staff: &Staff) -> Result<Zeroizing<String>, Refusal> {
    let desk = &asked.desk;
    if let Some(old) = &asked.visitor {
        desk.store().end_session(old.token, &old.staff.name, desk.now()).await?;
    }
    let token = random_token()?;
    desk.store().begin_session(session_digest(&token), staff, desk.now()).await?;
    let cookies = &desk.cookies;
    Ok(Zeroizing::new(format!(
        "{}={}; SameSite=Strict{}",
        cookies.session, *token, cookies.attributes
    )))
}

/// 256 random bits.
pub(super) fn random_token() -> Result<Zeroizing<String>, Refusal> {
    let mut token = Zeroizing::new([0_u8; 32]);
    let no_random = |_| Refusal::Broken("the system gives no random numbers".to_owned());
    SystemRandom::new().fill(token.as_mut_slice()).map_err(no_random)?;
    Ok(Zeroizing::new(BASE64URL_NOPAD.encode(token.as_slice())))
}

/// `POST /sign-out`.
pub(in crate::admin) async fn sign_out(sent: OwnForm) -> Response {
    let asked = sent.asked;
    let desk = &asked.desk;
    if let Some(visitor) = &asked.visitor {
        let ended = desk.store().end_session(visitor.token, &visitor.staff.name, desk.now());
        if let Err(error) = ended.await {
            return asked.refuse(error.into());
        }
    }
    let cookies = &desk.cookies;
    let cookie = format!("{}=; Max-Age=0; SameSite=Strict{}", cookies.session, cookies.attributes);
    with_cookie(Redirect::to("/sign-in").into_response(), &cookie)
}

/// An answer with a cookie.
pub(super) fn with_cookie(mut answer: Response, cookie: &str) -> Response {
    if let Ok(mut value) = HeaderValue::try_from(cookie) {
        value.set_sensitive(true);
        answer.headers_mut().append(header::SET_COOKIE, value);
    }
    answer
}
