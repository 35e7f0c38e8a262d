//! The public pages, for reading.
//!
//! **Invariant:** read only, without identity, without scripts; nothing is fetched from elsewhere.

use crate::public::Site;
use crate::versions::{LINES, Line, PageError, line};
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::{HeaderValue, header};
use std::fmt::Write;
use std::sync::Arc;

/// The routes.
pub fn router() -> Router<Arc<Site>> {
    Router::new().route("/", get(index))
}

const HEAD: &str = "<!doctype html>
<html lang=\"nb\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<title>Fellestall: publiserte tall</title>
<style>
:root { color-scheme: light dark; }
body { font: 1.0625rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 2rem 1.25rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem; }
p { margin: 0 0 1.25rem; max-width: 38rem; }
ul { list-style: none; padding: 0; margin: 2rem 0; }
li { padding: .9rem 0; border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
li strong { display: block; }
.meta { font-size: .9375rem; opacity: .8; overflow-wrap: anywhere; }
a { color: LinkText; }
a:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
</style>
</head>
<body>
<main>
<h1>Publiserte tall</h1>
<p>Felles tall fra norske kommuner. Hver kommune teller selv og legger til støy før tallene sendes; \
ingen opplysninger om enkeltpersoner forlater kommunen. Hvert tall har et usikkerhetsintervall, og hver \
fil kan kontrolleres i ettertid.</p>
";

/// `GET /`.
async fn index(State(site): State<Arc<Site>>) -> Result<impl IntoResponse, PageError> {
    let lines = site.databank.store().publications(LINES).await?;
    let mut page = String::from(HEAD);
    if lines.is_empty() {
        page.push_str("<p>Ingenting er publisert ennå.</p>\n");
    } else {
        page.push_str("<ul>\n");
        for publication in lines.iter().map(line) {
            // Identifiers, digests and dates: none of them has a character that HTML escapes.
            let Line { id, round, version, digest, published } = publication;
            let _infallible = writeln!(
                page,
                "<li><strong>{round}, versjon {version}</strong>\
                 <span class=\"meta\">Publisert <time>{published}</time> · \
                 <a href=\"/publications/{id}.json\">JSON</a> · \
                 <a href=\"/publications/{id}.csv\">CSV</a><br>{digest}</span></li>"
            );
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</main>\n</body>\n</html>\n");
    let media_type = (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Ok(([media_type], page))
}
