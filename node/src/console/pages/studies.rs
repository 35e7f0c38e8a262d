//! The studies, and one study: what would leave, what it would cost, whether it is permitted.
//!
//! **Invariant:** nothing here reads a record or charges the ledger.

use super::Enrolled;
use super::decide::Mistake;
use crate::config::People;
use crate::console::asked::{Asked, Refusal};
use crate::console::frame::Frame;
use crate::console::show::{day, delta, figure, fill, moment, permille, who, written_day};
use crate::console::words::Words;
use crate::decisions::{self, KnownStudy};
use crate::forecast::{Forecast, Reporting, half_year};
use crate::kernel::Account;
use crate::register::{NotPermitted, Register};
use crate::state::FirstApproval;
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::ReleaseId;
use fellestall_shared::period::Period;
use fellestall_shared::wire::v1::{Answer, RefusalReason, RoundDocument};

mod about;
use about::{facts, history};

/// One study of the list.
struct Line {
    digest: String,
    title: String,
    name: String,
    purpose: String,
    ends: String,
    cost: String,
    look: &'static str,
    decision: String,
}

#[derive(Template)]
#[template(path = "console/studies.html")]
struct ListPage {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
    /// How many studies there are that this program does not understand.
    unusable: Option<String>,
}

/// `GET /studies`.
pub(in crate::console) async fn list(asked: Asked) -> Response {
    asked
        .show(|asked| {
            let w = asked.words();
            let node = Enrolled::open(asked)?;
            let now = asked.desk.clock.now();
            let (known, unusable) = decisions::studies(&node.state, &node.membership, now)?;
            let firsts = node.state.first_approvals()?;
            let mut lines: Vec<_> = known.iter().map(|known| line(asked, known, &firsts)).collect();
            // What waits comes first.
            lines.sort_by_key(|line| line.look != "wait");
            let unusable = (!unusable.is_empty())
                .then(|| fill(&w.studies.unusable, &[("number", &unusable.len())]));
            let f = Frame::new(asked, &w.studies.title, "/studies");
            Ok(ListPage { f, w, lines, unusable })
        })
        .await
}

fn line(asked: &Asked, known: &KnownStudy, firsts: &[FirstApproval]) -> Line {
    let (w, language) = (asked.words(), asked.language);
    let document = known.study.document();
    let first = firsts.iter().find(|first| first.study == known.study.digest());
    let (look, decision) = status(w, known, first);
    Line {
        digest: known.study.digest().to_string(),
        title: document.title.text(language).to_owned(),
        name: known.name(),
        purpose: document.purpose.to_string(),
        ends: written_day(&document.ends, w, language),
        cost: figure(known.study.charge(), language),
        look,
        decision,
    }
}

fn status(w: &Words, known: &KnownStudy, first: Option<&FirstApproval>) -> (&'static str, String) {
    let s = &w.studies;
    match (known.answer, first) {
        _ if !known.in_force => ("none", s.not_in_force.clone()),
        (Some(Answer::Approved), _) => ("good", s.approved.clone()),
        (_, Some(_)) => ("wait", s.awaits_second.clone()),
        (Some(Answer::Refused { .. }), _) => ("bad", s.refused.clone()),
        (None, None) => ("wait", s.waiting.clone()),
    }
}

/// One table of a study.
struct Table {
    id: String,
    title: String,
    description: String,
    cells: usize,
    dimensions: Vec<(String, Vec<String>)>,
    bound: String,
    cost: String,
    mode: String,
    local: String,
    county: String,
    national: String,
    national_fewer: String,
}

/// One budget, before and after a round.
struct Left {
    of: String,
    spent: String,
    after: String,
    picture: String,
    spent_permille: u64,
    round_permille: u64,
}

/// A reason to refuse for.
struct Choice {
    code: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "console/study.html")]
#[expect(clippy::struct_excessive_bools, reason = "a template asks yes or no of each")]
struct Page {
    f: Frame,
    w: &'static Words,
    name: String,
    digest: String,
    look: &'static str,
    status: String,
    history: Vec<String>,
    facts: Vec<(String, String)>,
    fields: Vec<String>,
    tables: Vec<Table>,
    interval_note: String,
    /// The heading of the column for fewer nodes, if some tables are shared.
    fewer: Option<String>,
    /// What shared tables rest on, in sentences.
    promise: Vec<String>,
    cost_line: String,
    person_line: Option<String>,
    period_line: String,
    is_answered: bool,
    is_affordable: bool,
    answered_before: Option<String>,
    budgets: Vec<Left>,
    not_permitted: Option<String>,
    is_open: bool,
    is_approved: bool,
    takes_two: bool,
    first: Option<String>,
    is_own_first: bool,
    choices: Vec<Choice>,
    mistake: Option<(String, String)>,
    lacks_reason: bool,
}

/// `GET /studies/{digest}`.
pub(in crate::console) async fn page(asked: Asked, Path(digest): Path<String>) -> Response {
    asked.show(move |asked| build(asked, &digest, None)).await
}

/// The page of a study, with what was wrong with a form that was sent from it.
pub(super) fn build(
    asked: &Asked,
    digest: &str,
    mistake: Option<&Mistake>,
) -> Result<impl Template + use<>, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let now = asked.desk.clock.now();
    let node = Enrolled::open(asked)?;
    let digest: Digest = digest.parse().map_err(|_| Refusal::Missing)?;
    let (known, _) = decisions::studies(&node.state, &node.membership, now)?;
    let known = known.iter().find(|known| known.study.digest() == digest);
    let known = known.ok_or(Refusal::Missing)?;
    let firsts = node.state.first_approvals()?;
    let first = firsts.iter().find(|first| first.study == digest);
    let (look, status) = status(w, known, first);
    let period = period(&node, known, now)?;
    let (forecast, budgets) = forecast(asked, &node, known, period)?;
    let register = Register::read(&asked.desk.directory)?;
    let today = now.date().ok_or(Refusal::Missing)?;
    let permitted = register.permit(&known.study, today);
    let document = known.study.document();
    let own = asked.visitor.as_ref().map(|visitor| visitor.name.to_lowercase());
    let title = document.title.text(language);
    let figure = |value: String| figure(value, language);
    Ok(Page {
        f: Frame::new(asked, title, "/studies"),
        w,
        name: known.name(),
        digest: digest.to_string(),
        look,
        status,
        history: history(asked, digest)?,
        facts: facts(asked, known),
        fields: document.fields.iter().cloned().collect(),
        tables: tables(asked, known, &forecast),
        interval_note: fill(
            &w.study.interval_note,
            &[("nodes", &forecast.nodes), ("county", &forecast.county_nodes)],
        ),
        fewer: forecast
            .promise
            .as_ref()
            .map(|_| fill(&w.study.national_fewer, &[("nodes", &forecast.nodes_fewer)])),
        promise: about::promise(asked, &forecast),
        cost_line: fill(
            &w.study.cost_line,
            &[
                ("rho", &figure(forecast.charge.clone())),
                ("epsilon", &figure(format!("{:.3}", forecast.epsilon))),
                ("delta", &delta(&forecast.delta)),
            ],
        ),
        person_line: (forecast.municipalities_per_person > 1).then(|| {
            fill(
                &w.study.person_line,
                &[
                    ("municipalities", &forecast.municipalities_per_person),
                    ("rho", &figure(forecast.person_charge.clone())),
                    ("epsilon", &figure(format!("{:.3}", forecast.person_epsilon))),
                ],
            )
        }),
        period_line: fill(&w.study.period_line, &[("period", &forecast.period)]),
        is_answered: forecast.already_released,
        is_affordable: forecast.affordable,
        answered_before: forecast
            .answered_before
            .map(|round| fill(&w.study.answered_before, &[("round", &round)])),
        budgets,
        not_permitted: permitted.err().map(|why| why_not(asked, &why)),
        is_open: known.in_force,
        is_approved: known.answer == Some(Answer::Approved),
        takes_two: node.config.people == People::Two,
        first: first.map(|first| first_text(asked, first)),
        is_own_first: first.is_some_and(|first| own == Some(first.by.name().to_lowercase())),
        choices: choices(w),
        mistake: mistake.map(|mistake| mistake.text(w)),
        lacks_reason: matches!(mistake, Some(Mistake::NoReason)),
    })
}

fn first_text(asked: &Asked, first: &FirstApproval) -> String {
    let (w, language) = (asked.words(), asked.language);
    let at = moment(first.at, w, language);
    fill(&w.study.first_by, &[("name", &who(&first.by, w)), ("moment", &at)])
}

/// The reasons that a refusal may have, with the names that they travel under.
pub(super) const REASONS: [(&str, RefusalReason); 7] = [
    ("purpose", RefusalReason::Purpose),
    ("legal_basis", RefusalReason::LegalBasis),
    ("budget", RefusalReason::Budget),
    ("too_detailed", RefusalReason::TooDetailed),
    ("not_recorded", RefusalReason::NotRecorded),
    ("capacity", RefusalReason::Capacity),
    ("other", RefusalReason::Other),
];

fn choices(w: &Words) -> Vec<Choice> {
    REASONS
        .into_iter()
        .map(|(code, reason)| Choice { code, text: w.reason(reason).to_owned() })
        .collect()
}

fn tables(asked: &Asked, known: &KnownStudy, forecast: &Forecast) -> Vec<Table> {
    let (w, language) = (asked.words(), asked.language);
    let plus_minus = |half: u64| format!("± {half}");
    let width = |half: Option<u64>| half.map_or_else(|| w.study.unseen.clone(), plus_minus);
    let document = known.study.document();
    known
        .study
        .tables()
        .iter()
        .zip(&forecast.tables)
        .map(|(table, forecast)| {
            let statistic = table.statistic;
            let dimension = |domain: &fellestall_shared::statistic::Domain| {
                let labels = domain.categories().iter();
                let labels = labels.map(|category| category.label().text(language).to_owned());
                (domain.label().text(language).to_owned(), labels.collect())
            };
            Table {
                id: forecast.statistic.to_string(),
                title: forecast.title.clone(),
                description: statistic.description().text(language).to_owned(),
                cells: forecast.cells,
                dimensions: statistic.dimensions().iter().map(dimension).collect(),
                bound: fill(&w.study.bound, &[("bound", &forecast.bound)]),
                cost: figure(&forecast.charge, language),
                mode: about::seen(w, forecast.mode, document.minimum_nodes),
                local: width(forecast.local_half_width),
                county: width(forecast.county_half_width),
                national: plus_minus(forecast.national_half_width),
                national_fewer: plus_minus(forecast.national_half_width_fewer),
            }
        })
        .collect()
}

/// The period to forecast: the newest open round's, or the half-year that it is now.
fn period(node: &Enrolled, known: &KnownStudy, now: Timestamp) -> Result<Period, Refusal> {
    let rounds = node.state.rounds()?.into_iter().filter(|stored| stored.current);
    let key = &node.membership.coordinator_key;
    let documents = rounds.filter_map(|stored| stored.envelope.verify::<RoundDocument>(key).ok());
    let mine = documents.filter(|document| document.study == known.study.digest());
    let open = mine.map(|document| document.period).max();
    open.or_else(|| half_year(now)).ok_or(Refusal::Missing)
}

fn forecast(
    asked: &Asked,
    node: &Enrolled,
    known: &KnownStudy,
    period: Period,
) -> Result<(Forecast, Vec<Left>), Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let document = known.study.document();
    let (kernel, history) = node.ledger()?;
    let balance = kernel.balance(&document.study, period)?;
    let budget = &node.config.budget;
    let asked = (&known.study, period);
    let reporting = Reporting::find(&node.state, &node.membership, asked, None)?;
    let mut forecast =
        Forecast::new(&known.study, period, &balance, reporting, budget.delta, language);
    let question = ReleaseId::of(known.study.digest(), period, &node.membership.municipality);
    if history.iter().any(|entry| entry.release == question) {
        forecast = forecast.already_released(&balance);
    } else if let Some(earlier) = kernel.answered(&document.study, period)? {
        forecast = forecast.answered_before(&earlier);
    }
    let charge = if forecast.already_released { 0 } else { known.study.charge().micro() };
    let charge = fellestall_shared::privacy::Rho::from_micro(charge);
    let left = |of: String, account: Account, cap, after: &str| Left {
        picture: super::overview::picture(w, &of, permille(account.spent, cap)),
        of,
        spent: figure(account.spent, language),
        after: figure(after, language),
        spent_permille: permille(account.spent, cap),
        round_permille: permille(charge, cap),
    };
    let year = fill(&w.budget.year, &[("year", &period.year())]);
    let study = fill(&w.budget.study, &[("study", &document.study)]);
    let after = &forecast.left_after;
    let lefts = vec![
        left(w.budget.lifetime.clone(), balance.lifetime, budget.lifetime, &after.lifetime),
        left(year, balance.year, budget.year, &after.year),
        left(study, balance.study, budget.study, &after.study),
    ];
    Ok((forecast, lefts))
}

/// Why the register does not permit a study, in words.
pub(super) fn why_not(asked: &Asked, why: &NotPermitted) -> String {
    let (w, language) = (asked.words(), asked.language);
    let n = &w.not_permitted;
    let day = |date| day(date, w, language);
    match why {
        NotPermitted::Unregistered { purpose } => fill(&n.unregistered, &[("purpose", purpose)]),
        NotPermitted::LegalBasis { purpose } => fill(&n.legal_basis, &[("purpose", purpose)]),
        NotPermitted::Controller { purpose } => fill(&n.controller, &[("purpose", purpose)]),
        NotPermitted::NotStarted { purpose, starts } => {
            fill(&n.not_started, &[("purpose", purpose), ("day", &day(*starts))])
        }
        NotPermitted::Ended { purpose, ends } => {
            fill(&n.ended, &[("purpose", purpose), ("day", &day(*ends))])
        }
        NotPermitted::Period { purpose, period } => {
            fill(&n.period, &[("purpose", purpose), ("period", period)])
        }
        NotPermitted::Field { purpose, field } => {
            fill(&n.field, &[("purpose", purpose), ("field", field)])
        }
    }
}
