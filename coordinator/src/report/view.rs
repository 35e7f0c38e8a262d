//! The report as the template shows it: text, in one language.
//!
//! **Invariant:** every number here is written by `number` from the report, and nothing is computed.

use super::number::{number, signed};
use super::picture::{self, Scale};
use super::sentences::{Writer, is_in_total};
use super::words::fill;
use super::{Report, Row, StudyReport, TableReport, Verdict};
use crate::present::Symbol;
use crate::publish::CoverageState;
use fellestall_shared::privacy::Delta;

/// Every state, in the order in which it is listed.
const STATES: [CoverageState; 5] = [
    CoverageState::Reported,
    CoverageState::Late,
    CoverageState::Missing,
    CoverageState::Declined,
    CoverageState::Undecided,
];

/// One study.
pub(super) struct StudyView {
    pub id: String,
    pub title: String,
    pub coverage: Vec<String>,
    pub figures: Vec<String>,
    pub changes_title: String,
    pub changes: Vec<String>,
    pub named_changes: Vec<String>,
    pub states: Vec<StateView>,
    pub about: String,
    pub tables: Vec<TableView>,
    pub rule: String,
    pub privacy: String,
    pub cite: String,
    pub links: Vec<(String, String)>,
}

/// The municipalities of one state.
pub(super) struct StateView {
    pub name: String,
    pub municipalities: Vec<String>,
}

/// One table.
pub(super) struct TableView {
    pub id: String,
    pub title: String,
    pub description: String,
    pub unit: String,
    pub heads: Vec<String>,
    pub since: Option<String>,
    pub rows: Vec<RowView>,
}

/// One row.
pub(super) struct RowView {
    pub labels: Vec<String>,
    pub is_total: bool,
    pub value: String,
    pub interval: String,
    pub picture: String,
    pub change: String,
    pub change_interval: String,
    pub verdict: String,
    pub is_change: bool,
}

/// What holds for the report as a whole.
pub(super) struct Front {
    pub title: String,
    pub lead: String,
    pub made: String,
    pub cumulative: String,
    pub symbols: String,
    pub more: Vec<(String, Option<String>)>,
}

impl Writer<'_> {
    /// The title page and the end.
    pub(super) fn front(self, report: &Report) -> Front {
        let words = self.words;
        let period = words.period(report.period);
        let [first, last] =
            [report.period.first_day(), report.period.last_day()].map(|day| words.day(day));
        let spent = &report.spent;
        let things = [
            ("rounds", spent.rounds.to_string()),
            ("rho", number(spent.rho.value(), 3, self.language)),
            ("epsilon", number(ceil(spent.epsilon), 2, self.language)),
            ("delta", self.delta(spent.delta)),
        ];
        let symbol = Symbol::text;
        let marks = [
            ("hidden", symbol(Symbol::Suppressed)),
            ("missing", symbol(Symbol::Missing)),
            ("provisional", symbol(Symbol::Provisional)),
        ];
        let mut more = Vec::new();
        if let Some(url) = &report.imprint.url {
            let address = format!("{url}/");
            more.push((fill(&words.method.front, &[("url", &address)]), Some(address)));
        }
        if let Some(contact) = &report.imprint.contact {
            more.push((fill(&words.method.contact, &[("contact", contact)]), None));
        }
        Front {
            title: fill(&words.page.title, &[("period", &period)]),
            lead: fill(&words.page.lead, &[("first", &first), ("last", &last)]),
            made: fill(
                &words.page.made,
                &[("date", &self.date(report.published)), ("publisher", &report.imprint.publisher)],
            ),
            cumulative: fill(&words.method.cumulative_text, &borrowed(&things)),
            symbols: fill(&words.page.symbols, &marks),
            more,
        }
    }

    /// One study.
    pub(super) fn study(self, report: &Report, study: &StudyReport) -> StudyView {
        let words = self.words;
        let before = study.tables.iter().find_map(|table| table.before.as_ref());
        let before = before.map(|before| words.period(before.period));
        let changes_title = match &before {
            Some(before) => fill(&words.page.changes, &[("before", before)]),
            None => words.page.changes_none.clone(),
        };
        StudyView {
            id: study.study.to_string(),
            title: study.title.text(self.language).to_owned(),
            coverage: self.coverage(study),
            figures: study.tables.iter().flat_map(|table| self.table(table)).collect(),
            changes_title,
            changes: self.changes(study),
            named_changes: self.named_changes(study),
            states: STATES.iter().filter_map(|state| self.state(study, *state)).collect(),
            about: study.about.text(self.language).to_owned(),
            tables: study.tables.iter().map(|table| self.table_view(table)).collect(),
            rule: self.rule(study),
            privacy: self.privacy(study),
            cite: self.cite(report, study),
            links: self.links(report, study),
        }
    }

    fn state(self, study: &StudyReport, state: CoverageState) -> Option<StateView> {
        let of_state = study.coverage.iter().filter(|one| one.state == state);
        let municipalities: Vec<String> =
            of_state.map(|one| format!("{} {}", one.number, one.name)).collect();
        (!municipalities.is_empty()).then(|| StateView {
            name: format!("{} ({})", self.words.state(state), municipalities.len()),
            municipalities,
        })
    }

    fn table_view(self, table: &TableReport) -> TableView {
        let words = &self.words.page;
        let since = table
            .before
            .as_ref()
            .map(|before| fill(&words.verdict, &[("before", &self.words.period(before.period))]));
        let scale = Scale::of(&table.rows);
        TableView {
            id: table.id.clone(),
            title: table.title.text(self.language).to_owned(),
            description: table.description.text(self.language).to_owned(),
            unit: fill(&words.unit, &[("unit", table.figure.unit.text(self.language))]),
            heads: table
                .dimensions
                .iter()
                .map(|(label, _)| label.text(self.language).to_owned())
                .collect(),
            since,
            rows: table.rows.iter().map(|row| self.row_view(table, row, scale)).collect(),
        }
    }

    fn row_view(self, table: &TableReport, row: &Row, scale: Option<Scale>) -> RowView {
        let symbol = row.symbol.map(Symbol::text);
        let (value, interval) = match self.value(table, row) {
            Some((value, interval)) => (format!("{value}{}", symbol.unwrap_or_default()), interval),
            None => (symbol.unwrap_or(Symbol::Missing.text()).to_owned(), String::new()),
        };
        let difference = row.change.map(|change| change.difference);
        let range = self.change_range(table, row);
        RowView {
            labels: row.labels.iter().map(|label| label.text(self.language).to_owned()).collect(),
            is_total: is_in_total(table, row),
            value,
            interval,
            picture: scale.map(|scale| picture::interval(scale, row)).unwrap_or_default(),
            change: difference
                .map(|difference| signed(difference, table.figure.decimals, self.language))
                .unwrap_or_default(),
            change_interval: range
                .map(|[low, high]| self.words.range(&low, &high))
                .unwrap_or_default(),
            verdict: self.verdict(table, row),
            is_change: row.change.is_some_and(|one| one.verdict != Verdict::NoRealChange),
        }
    }

    /// What the change of a row is called; empty if there is no period before.
    pub(super) fn verdict(self, table: &TableReport, row: &Row) -> String {
        let words = &self.words.verdict;
        match (&table.before, row.change) {
            (None, _) => String::new(),
            (Some(before), Some(change)) => {
                self.words.verdict(change.verdict, before.same_municipalities())
            }
            (Some(before), None) if !before.same_definition => words.new_definition.clone(),
            (Some(_), None) => words.not_comparable.clone(),
        }
    }

    /// The presentation rule.
    pub(super) fn rule(self, study: &StudyReport) -> String {
        let policy = &study.policy;
        let things = [
            ("version", policy.version.to_string()),
            ("threshold", policy.threshold.to_string()),
            ("variation", policy.variation_percent.to_string()),
            ("minimum", policy.minimum_municipalities.to_string()),
        ];
        fill(&self.words.method.rule_text, &borrowed(&things))
    }

    /// What the round cost a participant.
    pub(super) fn privacy(self, study: &StudyReport) -> String {
        let privacy = &study.privacy;
        let things = [
            ("round", study.round.to_string()),
            ("rho", number(privacy.rho_micro.value(), 3, self.language)),
            ("epsilon", number(ceil(privacy.epsilon.value()), 2, self.language)),
            ("delta", self.delta(privacy.delta_exponent)),
            ("municipalities", privacy.municipalities_per_person.to_string()),
            ("person_epsilon", number(ceil(privacy.person_epsilon.value()), 2, self.language)),
        ];
        fill(&self.words.method.privacy_text, &borrowed(&things))
    }

    /// How the figures of a study are cited.
    pub(super) fn cite(self, report: &Report, study: &StudyReport) -> String {
        let year = study.published.date().map(|date| date.year().to_string()).unwrap_or_default();
        let things = [
            ("publisher", report.imprint.publisher.clone()),
            ("year", year),
            ("title", study.title.text(self.language).to_owned()),
            ("period", self.words.period(report.period)),
            ("version", study.version.to_string()),
            ("date", self.date(study.published)),
            ("licence", report.imprint.licence.clone()),
        ];
        fill(&self.words.method.cite_text, &borrowed(&things))
    }

    fn links(self, report: &Report, study: &StudyReport) -> Vec<(String, String)> {
        let words = &self.words.method;
        let Some(url) = &report.imprint.url else { return Vec::new() };
        let id = format!("{}.v{}", study.round, study.version);
        let link = |text: &str, kind: &str| {
            (fill(text, &[("id", &id)]), format!("{url}/publications/{id}.{kind}"))
        };
        vec![link(&words.document, "json"), link(&words.csv, "csv")]
    }

    fn date(self, moment: fellestall_shared::clock::Timestamp) -> String {
        moment.date().map(|date| self.words.day(date)).unwrap_or_default()
    }

    fn delta(self, delta: Delta) -> String {
        let exponent = u8::from(delta);
        number(delta.value(), exponent, self.language)
    }
}

/// Rounded up to two decimals: a loss is never said to be smaller than it is.
fn ceil(epsilon: f64) -> f64 {
    (epsilon * 100.0 - 1e-9).ceil() / 100.0
}

fn borrowed<'t, const N: usize>(things: &'t [(&'t str, String); N]) -> [(&'t str, &'t str); N] {
    std::array::from_fn(|place| {
        things.get(place).map_or(("", ""), |(name, thing)| (*name, thing.as_str()))
    })
}
