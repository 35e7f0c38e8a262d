//! To the provider of `OpenID` Connect, and back.
//!
//! **Invariant:** nobody gets a session here who was not added to the staff with that provider and
//! that subject; the way back is good once in the browser that went, and for ten minutes.

use super::sign_in::{begin, failed_at_provider, random_token, with_cookie};
use crate::admin::asked::{Asked, Refusal};
use crate::admin::frame::Frame;
use crate::admin::guard::cookie;
use crate::admin::oidc::{Failure, Flow};
use crate::admin::words::Words;
use crate::store::audit::Event;
use crate::store::staff::{Staff, UNKNOWN};
use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderMap;
use zeroize::Zeroizing;

/// How long a browser may be away.
const AWAY_SECONDS: u32 = 600;

/// A page that leads on. The session's cookie is for requests that come from these pages alone, so
/// that a redirect from the provider's could not carry it.
#[derive(Template)]
#[template(path = "admin/signed_in.html")]
struct Page {
    f: Frame,
    w: &'static Words,
}

/// `GET /sign-in/provider`.
pub(in crate::admin) async fn leave(asked: Asked) -> Response {
    let Some(provider) = &asked.desk.provider else { return asked.refuse(Refusal::Missing) };
    let token = match random_token() {
        Ok(token) => token,
        Err(refusal) => return asked.refuse(refusal),
    };
    match provider.begin(&Flow::of(&token), asked.desk.now()).await {
        Ok(url) => {
            let cookies = &asked.desk.cookies;
            let cookie = Zeroizing::new(format!(
                "{}={}; Max-Age={AWAY_SECONDS}; SameSite=Lax{}",
                cookies.flow, *token, cookies.attributes
            ));
            with_cookie(Redirect::to(&url).into_response(), &cookie)
        }
        Err(failure) => failed(&asked, failure).await,
    }
}

/// `GET /sign-in/return`.
pub(in crate::admin) async fn back(
    asked: Asked,
    headers: HeaderMap,
    Query(fields): Query<Vec<(String, String)>>,
) -> Response {
    let field = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    };
    let flow = cookie(&headers, &asked.desk.cookies.flow).map(Flow::of);
    let answer = match (flow, field("state"), field("code"), field("error")) {
        (Some(flow), Some(state), code, error) if flow.is_of(state) => match (code, error) {
            (Some(code), None) => admit(&asked, &flow, code).await,
            _ => Err(Ok(Failure::Declined)),
        },
        _ => Err(Ok(Failure::State)),
    };
    let cookies = &asked.desk.cookies;
    let over = format!("{}=; Max-Age=0; SameSite=Lax{}", cookies.flow, cookies.attributes);
    let answer = match answer {
        Ok(cookie) => {
            let w = asked.words();
            let page = Page { f: Frame::new(&asked, &w.sign_in.signed_in, "/sign-in"), w };
            with_cookie(asked.answer(Ok(page)), &cookie)
        }
        Err(Ok(failure)) => failed(&asked, failure).await,
        Err(Err(refusal)) => asked.refuse(refusal),
    };
    with_cookie(answer, &over)
}

async fn admit(
    asked: &Asked,
    flow: &Flow,
    code: &str,
) -> Result<Zeroizing<String>, Result<Failure, Refusal>> {
    let staff = recognised(asked, flow, code).await?;
    begin(asked, &staff).await.map_err(Err)
}

async fn recognised(
    asked: &Asked,
    flow: &Flow,
    code: &str,
) -> Result<Staff, Result<Failure, Refusal>> {
    let desk = &asked.desk;
    let provider = desk.provider.as_ref().ok_or(Err(Refusal::Missing))?;
    let identity = provider.finish(flow, code.to_owned(), desk.now()).await.map_err(Ok)?;
    let found = desk.store().staff_by_subject(&identity.issuer, &identity.subject).await;
    found.map_err(|error| Err(error.into()))?.ok_or(Ok(Failure::NotStaff))
}

/// Says why nobody is signed in, and writes it in the log: so often that a stranger cannot fill it.
async fn failed(asked: &Asked, failure: Failure) -> Response {
    let (desk, now) = (&asked.desk, asked.desk.now());
    if desk.noted.wait(failure.name(), now).is_none() {
        desk.noted.failed(failure.name(), now);
        let noted = desk.store().note(Event::SignInFailed, failure.name(), UNKNOWN, now).await;
        if let Err(error) = noted {
            return asked.refuse(error.into());
        }
    } else {
        tracing::warn!(reason = failure.name(), "somebody failed to sign in");
    }
    failed_at_provider(asked, failure)
}
