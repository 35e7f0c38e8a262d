//! What every request passes: the name it was asked under, where its form comes from, who asks, and
//! what that person may do.
//!
//! **Invariant:** closed by default: what [`ROUTES`] does not name is nobody's. Every answer carries
//! the same protective headers.

use super::asked::{Asked, Refusal, Visitor};
use super::desk::Desk;
use crate::store::staff::Role;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use data_encoding::BASE64URL_NOPAD;
use fellestall_shared::digest::Digest;
use fellestall_shared::labels::Language;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use std::sync::Arc;

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: it is how one signs in.
    Nothing,
    /// Somebody who is signed in.
    SignedIn,
    /// An administrator or an auditor.
    Oversight,
    /// An administrator or a coordinator.
    Coordinator,
    /// An administrator.
    Administrator,
}

impl Need {
    fn is_met_by(self, role: Role) -> bool {
        match self {
            Self::Nothing | Self::SignedIn => true,
            Self::Oversight => matches!(role, Role::Administrator | Role::Auditor),
            Self::Coordinator => matches!(role, Role::Administrator | Role::Coordinator),
            Self::Administrator => role == Role::Administrator,
        }
    }
}

/// Every route, and what it needs.
pub(super) const ROUTES: &[(Method, &str, Need)] = &[
    (Method::GET, "/", Need::SignedIn),
    (Method::GET, "/sign-in", Need::Nothing),
    (Method::POST, "/sign-in", Need::Nothing),
    (Method::GET, "/sign-in/provider", Need::Nothing),
    (Method::GET, "/sign-in/return", Need::Nothing),
    (Method::POST, "/sign-out", Need::SignedIn),
    (Method::GET, "/session", Need::SignedIn),
    (Method::GET, "/nodes", Need::SignedIn),
    (Method::GET, "/nodes/{node}", Need::SignedIn),
    (Method::POST, "/nodes/{node}/approve", Need::Administrator),
    (Method::POST, "/nodes/{node}/refuse", Need::Administrator),
    (Method::POST, "/nodes/{node}/deny", Need::Administrator),
    (Method::GET, "/invitations", Need::SignedIn),
    (Method::POST, "/invitations", Need::Administrator),
    (Method::GET, "/studies", Need::SignedIn),
    (Method::GET, "/studies/new", Need::Coordinator),
    (Method::POST, "/studies/new", Need::Coordinator),
    (Method::GET, "/studies/{digest}", Need::SignedIn),
    (Method::GET, "/rounds", Need::SignedIn),
    (Method::POST, "/rounds", Need::Coordinator),
    (Method::GET, "/rounds/{round}", Need::SignedIn),
    (Method::GET, "/rounds/{round}/preview", Need::SignedIn),
    (Method::POST, "/rounds/{round}/publish", Need::Coordinator),
    (Method::GET, "/publications", Need::SignedIn),
    (Method::GET, "/report", Need::SignedIn),
    (Method::GET, "/log", Need::SignedIn),
    (Method::GET, "/staff", Need::Oversight),
    (Method::POST, "/staff", Need::Administrator),
    (Method::POST, "/staff/remove", Need::Administrator),
    (Method::GET, "/style.css", Need::Nothing),
];

/// No scripts, no frames, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

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

/// The one style sheet that a whole document brings along, by its digest: nothing else in it is taken
/// for style.
#[derive(Debug, Clone)]
pub(super) struct OwnStyle(String);

impl OwnStyle {
    /// The first style sheet in a document.
    pub(super) fn of(document: &str) -> Self {
        let after = document.split_once("<style>").map_or("", |(_, after)| after);
        let style = after.split_once("</style>").map_or("", |(style, _)| style);
        let digest = ring::digest::digest(&ring::digest::SHA256, style.as_bytes());
        Self(format!("'sha256-{}'", data_encoding::BASE64.encode(digest.as_ref())))
    }
}

/// Years would be impolite: a month.
const LANGUAGE_SECONDS: u32 = 30 * 24 * 3600;

/// Lets a request through to its page, or answers it here.
pub(super) async fn guard(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let chosen = chosen_language(request.uri().query());
    let mut answer = admit(&desk, chosen, request, next).await;
    let own = answer.extensions_mut().remove::<OwnStyle>();
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, value);
    }
    if let Some(OwnStyle(digest)) = own {
        let policy = POLICY.replace("style-src 'self'", &format!("style-src {digest}"));
        if let Ok(policy) = HeaderValue::try_from(policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
    if let Some(language) = chosen {
        let cookies = &desk.cookies;
        let cookie = format!(
            "{}={}; Max-Age={LANGUAGE_SECONDS}; SameSite=Strict{}",
            cookies.language,
            code(language),
            cookies.attributes
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
    let Some(origin) = own_origin(desk, &request) else {
        let text = "This is the coordinator's administration; ask for it under its own name.\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    };
    let language = chosen
        .or_else(|| cookie(headers, &desk.cookies.language).and_then(language_of))
        .unwrap_or_else(|| preferred(headers));
    let path = request.uri().path().to_owned();
    // A page that reads itself again shows that it is open, not that somebody is there.
    let is_live = request.uri().query().is_some_and(|query| query.split('&').any(|q| q == "live"));
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let visitor = match cookie(headers, &desk.cookies.session) {
        Some(token) => visitor(desk, token, is_live).await,
        None => None,
    };
    let mut asked = Asked { desk: Arc::clone(desk), language, path, visitor };
    if !is_safe && !is_from(headers, &origin) {
        return asked.refuse(Refusal::Foreign);
    }
    let method = if is_safe { Method::GET } else { request.method().clone() };
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = ROUTES.iter().find(|(m, path, _)| *m == method && Some(*path) == matched);
    match (route.map(|(_, _, need)| *need), &asked.visitor) {
        (Some(Need::Nothing), _) => {}
        (_, None) => return Redirect::to("/sign-in").into_response(),
        (None, Some(_)) => return asked.refuse(Refusal::Missing),
        (Some(need), Some(visitor)) if !need.is_met_by(visitor.staff.role) => {
            return asked.refuse(Refusal::Role);
        }
        (Some(_), Some(_)) => {}
    }
    take_notice(&mut asked, is_safe).await;
    request.extensions_mut().insert(asked);
    next.run(request).await
}

/// A notice is shown by the next page that is read, and by no other.
async fn take_notice(asked: &mut Asked, is_safe: bool) {
    let Some(visitor) = &mut asked.visitor else { return };
    if visitor.notice.is_empty() || asked.path == "/style.css" || !is_safe {
        return;
    }
    if let Err(error) = asked.desk.store().leave_notice(visitor.token, "").await {
        tracing::warn!(%error, "a notice was not taken away");
    }
}

/// The origin of the pages under the host that was asked for, if it is one of ours.
fn own_origin(desk: &Desk, request: &Request) -> Option<String> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else { return None };
    let host = host.to_str().ok()?;
    // A whole address in the first line goes before the header.
    let whole = request.uri().authority().map(http::uri::Authority::as_str);
    let own = desk.hosts.iter().find(|(own, _)| own == host);
    own.filter(|_| whole.is_none_or(|whole| whole == host)).map(|(_, origin)| origin.clone())
}

/// Whether a form was sent from one of these pages, as far as the browser says.
fn is_from(headers: &HeaderMap, own: &str) -> bool {
    let says = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let origin = says("origin").is_none_or(|origin| origin == own);
    let site = says("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    origin && site
}

/// The digest under which a session's token is stored.
pub(super) fn session_digest(token: &str) -> Digest {
    Digest::of("fellestall/admin-session/1", token.as_bytes())
}

/// The token of a session's forms: it follows from the session's own, and gives nothing away of it.
fn form_token(token: &str) -> String {
    BASE64URL_NOPAD.encode(Digest::of("fellestall/admin-form/1", token.as_bytes()).as_bytes())
}

/// Who has a session with this token.
async fn visitor(desk: &Arc<Desk>, token: &str, is_live: bool) -> Option<Visitor> {
    let (digest, now) = (session_digest(token), desk.now());
    let found = match desk.store().session(digest, now).await {
        Ok(found) => found?,
        Err(error) => {
            tracing::error!(%error, "it could not be looked up who is signed in");
            return None;
        }
    };
    if !is_live && let Err(error) = desk.store().use_session(digest, &found, now).await {
        tracing::warn!(%error, "it could not be noted that a session is in use");
    }
    Some(Visitor {
        staff: found.staff,
        started: found.started,
        form_token: form_token(token),
        token: digest,
        notice: found.notice,
    })
}

/// The value of a cookie.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
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
