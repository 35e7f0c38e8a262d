//! Signing in and out.
//!
//! **Invariant:** a failure says the same whoever the name is, is counted, and is written in the log
//! without what was typed.

use crate::audit::{Actor, AuditLog, Event};
use crate::console::asked::{Asked, OwnForm, Refusal};
use crate::console::frame::Frame;
use crate::console::users::recognise;
use crate::console::words::Words;
use crate::decisions::UNKNOWN;
use crate::state::{State, StoredUser};
use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::{self, HeaderValue};
use zeroize::Zeroizing;

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    has_failed: bool,
}

fn form(asked: &Asked, has_failed: bool) -> Page {
    let w = asked.words();
    let title = if has_failed { &w.sign_in.failed_title } else { &w.sign_in.title };
    let mut f = Frame::new(asked, title, "/sign-in");
    f.title.clone_from(&w.sign_in.title);
    if has_failed {
        f.title = format!("{}: {}", w.sign_in.failed_title, w.sign_in.title);
    }
    Page { f, w, has_failed }
}

/// `GET /sign-in`.
pub(in crate::console) async fn page(asked: Asked) -> Response {
    if asked.visitor.is_some() {
        return Redirect::to("/").into_response();
    }
    asked.show(|asked| Ok(form(asked, false))).await
}

/// `POST /sign-in`.
pub(in crate::console) async fn sign_in(sent: OwnForm) -> Response {
    let name = sent.field("name").to_owned();
    let secret = Zeroizing::new(sent.field("secret").to_owned());
    let asked = sent.asked;
    let now = asked.desk.clock.now();
    if let Some(seconds) = asked.desk.throttle.wait(&name, now) {
        return asked.refuse(Refusal::TooMany(seconds)).await;
    }
    let tried = asked.blocking(move |asked| recognised(asked, &name, &secret)).await;
    let user = match tried {
        Ok(Some(user)) => user,
        Ok(None) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return asked.show_with(status, |asked| Ok(form(asked, true))).await;
        }
        Err(refusal) => return asked.refuse(refusal).await,
    };
    if let Some(old) = &asked.visitor {
        asked.desk.sessions.end(old);
    }
    let Some(token) = asked.desk.sessions.begin(user, now) else {
        return asked.refuse(Refusal::Broken("no random numbers".to_owned())).await;
    };
    let cookie = Zeroizing::new(format!(
        "{}={}; Path=/; HttpOnly; SameSite=Strict",
        asked.desk.session_cookie, *token
    ));
    with_cookie(Redirect::to("/").into_response(), &cookie)
}

/// The user, if the secret is right; either way it stands in the log.
fn recognised(asked: &Asked, name: &str, secret: &str) -> Result<Option<StoredUser>, Refusal> {
    let now = asked.desk.clock.now();
    let directory = &asked.desk.directory;
    let state = State::open(directory)?;
    let user = recognise(&state, name, secret)?;
    let (by, event) = if let Some(user) = &user {
        (Actor::named(&user.name), Event::SignedIn)
    } else {
        asked.desk.throttle.failed(name, now);
        // Somebody may have typed the secret for the name: only a known name is written.
        let known = state.user(name.trim())?;
        let by = known.map_or_else(|| Actor::named(UNKNOWN), |user| Actor::named(&user.name));
        (by, Event::SignInFailed)
    };
    AuditLog::open(directory)?.append(now, &by, event)?;
    Ok(user)
}

/// `POST /sign-out`.
pub(in crate::console) async fn sign_out(sent: OwnForm) -> Response {
    let asked = sent.asked;
    if let Some(visitor) = &asked.visitor {
        asked.desk.sessions.end(visitor);
    }
    let cookie =
        format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict", asked.desk.session_cookie);
    with_cookie(Redirect::to("/sign-in").into_response(), &cookie)
}

fn with_cookie(mut answer: Response, cookie: &str) -> Response {
    if let Ok(mut value) = HeaderValue::try_from(cookie) {
        value.set_sensitive(true);
        answer.headers_mut().append(header::SET_COOKIE, value);
    }
    answer
}
