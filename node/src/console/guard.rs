//! What every request passes: the name it was asked under, where its form comes from, who asks, and
//! what that person may do.
//!
//! **Invariant:** closed by default: a route that is not named here needs somebody signed in, and a
//! change needs somebody who decides. Every answer carries the same protective headers.

use super::asked::{Asked, Refusal};
use super::desk::Desk;
use super::sessions::Visitor;
use crate::state::State as NodeState;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use fellestall_shared::labels::Language;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// No scripts, no frames, nothing from elsewhere.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A POST needs the `Origin` of the page it comes from, so the referrer is kept within this origin.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Years would be impolite: a month.
const LANGUAGE_SECONDS: u32 = 30 * 24 * 3600;

/// Lets a request through to its page, or answers it here.
pub(super) async fn guard(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let chosen = chosen_language(request.uri().query());
    let mut answer = admit(&desk, chosen, request, next).await;
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    if let Some(language) = chosen {
        let cookie = format!(
            "{}={}; Path=/; Max-Age={LANGUAGE_SECONDS}; HttpOnly; SameSite=Strict",
            desk.language_cookie,
            code(language)
        );
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    answer
}

async fn admit(
    desk: &Arc<Desk>,
    chosen: Option<Language>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    // A page elsewhere whose name was made to lead here (DNS rebinding) asks under its own name.
    let Some(host) = own_host(desk, &request) else {
        return (
            StatusCode::MISDIRECTED_REQUEST,
            "This is the console of a node; ask for it under 127.0.0.1 or localhost.\n",
        )
            .into_response();
    };
    let language = chosen
        .or_else(|| cookie(headers, &desk.language_cookie).and_then(language_of))
        .unwrap_or_else(|| preferred(headers));
    let path = request.uri().path().to_owned();
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let visitor = match cookie(headers, &desk.session_cookie) {
        Some(token) => visitor(desk, token.to_owned()).await,
        None => None,
    };
    let asked = Asked { desk: Arc::clone(desk), language, path: path.clone(), visitor };
    if !is_safe && !is_own_origin(headers, &host) {
        return asked.refuse(Refusal::Foreign).await;
    }
    let is_open = matches!(path.as_str(), "/sign-in" | "/style.css");
    match &asked.visitor {
        _ if is_open => {}
        None => return Redirect::to("/sign-in").into_response(),
        Some(visitor) if !is_safe && path != "/sign-out" && !visitor.role.decides() => {
            return asked.refuse(Refusal::Role).await;
        }
        Some(_) => {}
    }
    request.extensions_mut().insert(asked);
    next.run(request).await
}

/// The host that was asked for, if it is one of this console's.
fn own_host(desk: &Desk, request: &Request) -> Option<String> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else { return None };
    let host = host.to_str().ok()?;
    let is_own = |name: &str| desk.hosts.iter().any(|own| own == name);
    // A whole address in the first line goes before the header.
    let whole = request.uri().authority().map(http::uri::Authority::as_str);
    (is_own(host) && whole.is_none_or(|whole| whole == host)).then(|| host.to_owned())
}

/// Whether a form was sent from a page of this console, as far as the browser says.
fn is_own_origin(headers: &HeaderMap, host: &str) -> bool {
    let says = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let origin = says("origin").is_none_or(|origin| origin == format!("http://{host}"));
    let site = says("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    origin && site
}

/// Who has a session with this token. A user who was removed, or added anew, is signed out.
async fn visitor(desk: &Arc<Desk>, token: String) -> Option<Visitor> {
    let (visitor, user) = desk.sessions.visitor(&token, desk.clock.now())?;
    let directory = desk.directory.clone();
    let name = visitor.name.clone();
    let stored =
        spawn_blocking(move || NodeState::open(&directory).and_then(|state| state.user(&name)))
            .await;
    match stored {
        Ok(Ok(Some(stored))) if stored == user => Some(visitor),
        Ok(Ok(_)) => {
            desk.sessions.end(&visitor);
            None
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "it could not be looked up who is signed in");
            None
        }
        Err(_) => None,
    }
}

/// The value of a cookie.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok()).find_map(|line| {
        line.split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    })
}

fn chosen_language(query: Option<&str>) -> Option<Language> {
    let pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(name, _)| *name == "lang").find_map(|(_, value)| language_of(value))
}

fn language_of(code: &str) -> Option<Language> {
    match code {
        "nb" | "no" => Some(Language::Nb),
        "nn" => Some(Language::Nn),
        "en" => Some(Language::En),
        _ => None,
    }
}

/// The language's code, as in `lang`.
pub(super) fn code(language: Language) -> &'static str {
    match language {
        Language::Nb => "nb",
        Language::Nn => "nn",
        Language::En => "en",
    }
}

/// The first language of `Accept-Language` that there is, in the order that browsers write it:
/// the most wanted first.
fn preferred(headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut codes = accepted
        .unwrap_or_default()
        .split(',')
        .map(|part| part.split([';', '-']).next().unwrap_or_default().trim().to_ascii_lowercase());
    codes.find_map(|code| language_of(&code)).unwrap_or(Language::Nb)
}
