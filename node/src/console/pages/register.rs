//! The register of processing, as the municipality wrote it.
//!
//! **Invariant:** shows every term of every purpose; it is changed in its file alone.

use super::Enrolled;
use crate::console::asked::{Asked, Refusal};
use crate::console::frame::Frame;
use crate::console::show::day;
use crate::console::words::Words;
use crate::register::{Register, RegisteredPurpose};
use crate::retention;
use askama::Template;
use axum::response::Response;
use time::Date;

/// One purpose.
struct Line {
    title: String,
    purpose: String,
    look: &'static str,
    status: String,
    facts: Vec<(String, String)>,
    fields: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/register.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
    kept: Vec<KeptLine>,
}

/// One thing that is kept.
struct KeptLine {
    item: &'static str,
    purpose: String,
    why: &'static str,
    until: String,
    may_be_purged: bool,
}

/// `GET /register`.
pub(in crate::console) async fn page(asked: Asked) -> Response {
    asked
        .show(|asked| {
            let w = asked.words();
            let register = Register::read(&asked.desk.directory)?;
            let today = asked.desk.clock.now().date().ok_or(Refusal::Missing)?;
            let lines = register.purposes().iter().map(|purpose| line(asked, purpose, today));
            let lines = lines.collect();
            let kept = kept(asked, &register, today)?;
            Ok(Page { f: Frame::new(asked, &w.register.title, "/register"), w, lines, kept })
        })
        .await
}

/// What the node keeps. Before it is enrolled there is nothing to say of it.
fn kept(asked: &Asked, register: &Register, today: Date) -> Result<Vec<KeptLine>, Refusal> {
    match Enrolled::open(asked) {
        Ok(_) => {}
        Err(Refusal::NotEnrolled) => return Ok(Vec::new()),
        Err(refusal) => return Err(refusal),
    }
    let language = asked.language;
    let kept = retention::kept(&asked.desk.directory, register, today)?;
    let lines = kept.into_iter().map(|kept| KeptLine {
        item: kept.item.text(language),
        purpose: kept.purpose.map_or_else(String::new, |purpose| purpose.to_string()),
        why: kept.why.text(language),
        until: kept.until.text(language),
        may_be_purged: kept.may_be_purged,
    });
    Ok(lines.collect())
}

fn line(asked: &Asked, purpose: &RegisteredPurpose, today: Date) -> Line {
    let (w, language) = (asked.words(), asked.language);
    let r = &w.register;
    let (look, status) = if today < purpose.starts {
        ("wait", &r.not_started)
    } else if today > purpose.ends {
        ("bad", &r.over)
    } else {
        ("good", &r.in_force)
    };
    let forms: Vec<_> = purpose.accepted_forms.iter().map(String::as_str).collect();
    let forms = if forms.is_empty() { w.common.none_given.clone() } else { forms.join(", ") };
    let assessment = purpose.assessment.clone();
    let facts: [(&String, String); 9] = [
        (&r.controller, purpose.controller.clone()),
        (&r.basis, w.basis(purpose.legal_basis).to_owned()),
        (&r.assessment, assessment.unwrap_or_else(|| w.common.none_given.clone())),
        (&r.letter, purpose.information_letter.clone()),
        (&r.forms, forms),
        (&r.withdrawal, w.withdrawal(purpose.withdrawal).to_owned()),
        (&r.starts, day(purpose.starts, w, language)),
        (&r.ends, day(purpose.ends, w, language)),
        (&r.at_end, w.at_end(purpose.at_end).to_owned()),
    ];
    Line {
        title: purpose.title.text(language).to_owned(),
        purpose: purpose.purpose.to_string(),
        look,
        status: status.clone(),
        facts: facts.into_iter().map(|(name, value)| (name.clone(), value)).collect(),
        fields: purpose.fields.iter().cloned().collect(),
    }
}
