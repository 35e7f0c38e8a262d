//! The pages, one module for each.

use super::answer::{Trouble, answer};
use super::frame;
use crate::public::Site;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use fellestall_shared::labels::Language;
use http::{HeaderMap, Uri, header};
use std::sync::Arc;

pub(super) mod difference;
pub(super) mod front;
pub(super) mod interface;
pub(super) mod method;
pub(super) mod table;
pub(super) mod tables;

/// `GET /`: to the front page in the reader's language.
pub(super) async fn choose_language(headers: HeaderMap) -> Response {
    let to = format!("/{}/", frame::code(preferred(&headers)));
    ([(header::VARY, "accept-language")], Redirect::to(&to)).into_response()
}

/// Everything that has no address of its own.
pub(super) async fn missing(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let first = uri.path().split('/').nth(1).and_then(frame::language);
    let language = first.unwrap_or_else(|| preferred(&headers));
    answer(&site, language, &headers, Err(Trouble::Missing))
}

/// The language of these that the reader prefers; bokmål if none is named.
pub(crate) fn preferred(headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut best = (Language::Nb, 0.0_f32);
    for one in accepted.unwrap_or_default().split(',').take(32) {
        let (tag, weight) = one.split_once(";q=").unwrap_or((one, "1"));
        let weight = weight.trim().parse().unwrap_or(0.0_f32);
        let language = match tag.trim().split('-').next().unwrap_or_default() {
            "nb" | "no" => Language::Nb,
            "nn" => Language::Nn,
            "en" => Language::En,
            _ => continue,
        };
        if weight > best.1 {
            best = (language, weight);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::preferred;
    use fellestall_shared::labels::Language;
    use http::{HeaderMap, HeaderValue, header};

    #[test]
    fn the_language_is_the_one_that_is_preferred_of_those_we_have() {
        for (accepted, expected) in [
            ("", Language::Nb),
            ("nn", Language::Nn),
            ("nn-NO,nb;q=0.8,en;q=0.5", Language::Nn),
            ("de-DE,de;q=0.9,en-GB;q=0.7,en;q=0.6", Language::En),
            ("en;q=0.4, no;q=0.9", Language::Nb),
            ("en;q=zero", Language::Nb),
            ("fr", Language::Nb),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
            assert_eq!(preferred(&headers), expected, "{accepted}");
        }
    }
}
