//! The evidence pack: where it is explained, and the pack itself.
//!
//! **Invariant:** the pack is a page of its own, with a policy that allows exactly its own style.

use crate::console::asked::{Asked, Refusal};
use crate::console::frame::Frame;
use crate::console::guard::POLICY;
use crate::console::words::Words;
use crate::evidence::{Facts, render};
use askama::Template;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use http::header::{self, HeaderValue};

#[derive(Template)]
#[template(path = "console/evidence.html")]
struct Page {
    f: Frame,
    w: &'static Words,
}

/// `GET /evidence`.
pub(in crate::console) async fn page(asked: Asked) -> Response {
    asked
        .show(|asked| {
            let w = asked.words();
            // It says so here and not in the pack if there is nothing to make one of.
            super::Enrolled::open(asked)?;
            Ok(Page { f: Frame::new(asked, &w.evidence.title, "/evidence"), w })
        })
        .await
}

/// `GET /evidence/pack`.
pub(in crate::console) async fn pack(asked: Asked) -> Response {
    let made = asked.blocking(|asked| {
        let facts = Facts::gather(&asked.desk.directory, asked.desk.clock.now())?;
        Ok(render(&facts, asked.language)?)
    });
    let text = match made.await {
        Ok(text) => text,
        Err(refusal) => return asked.refuse(refusal).await,
    };
    let Ok(policy) = HeaderValue::try_from(policy(&text)) else {
        return asked.refuse(Refusal::Broken("the pack's style".to_owned())).await;
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, text).into_response()
}

/// The console's policy, with the digest of the style that stands in the page.
fn policy(page: &str) -> String {
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    match style {
        Some((style, _)) => {
            let digest = ring::digest::digest(&ring::digest::SHA256, style.as_bytes());
            let digest = BASE64.encode(digest.as_ref());
            POLICY.replace("style-src 'self'", &format!("style-src 'sha256-{digest}'"))
        }
        None => POLICY.to_owned(),
    }
}
