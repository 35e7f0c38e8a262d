//! The summary in sentences, made from the figures.
//!
//! **Invariant:** no figure without its interval, no order and no change that the noise alone could
//! make without saying so.

use super::change::{Measured, change};
use super::number::{fixed, number, signed};
use super::words::{Words, fill};
use super::{Row, StudyReport, TableReport, Verdict};
use crate::present::TableKind;
use crate::publish::CoverageState;
use fellestall_shared::labels::Language;

/// Changes that are named one by one, at the most; the tables have all of them.
const NAMED: usize = 12;
/// Intervals that miss, in the long run: one in so many.
const MISSES: f64 = 0.05;

/// Makes sentences in one language.
#[derive(Clone, Copy)]
pub(super) struct Writer<'a> {
    pub words: &'a Words,
    pub language: Language,
}

impl Writer<'_> {
    /// Who is in the figures.
    pub(super) fn coverage(self, study: &StudyReport) -> Vec<String> {
        let count = |state| study.coverage.iter().filter(|one| one.state == state).count();
        let late = count(CoverageState::Late);
        let reported = count(CoverageState::Reported) + late;
        let asked = study.coverage.len();
        let words = &self.words.sentence;
        let numbers = [reported, asked, late].map(|number| number.to_string());
        let [reported, asked, late_text] = &numbers;
        let mut said = vec![fill(&words.coverage, &[("reported", reported), ("asked", asked)])];
        if late > 0 {
            said.push(fill(&words.late, &[("late", late_text)]));
        }
        if study.provisional {
            said.push(words.provisional.clone());
        }
        said
    }

    /// What a table shows.
    pub(super) fn table(self, table: &TableReport) -> Vec<String> {
        let has_total = table.dimensions.iter().any(|(_, has_total)| *has_total);
        if table.kind != TableKind::Counts || !has_total {
            let rows = table.rows.iter().filter(|row| !is_in_total(table, row));
            let rows: Vec<&Row> = rows.collect();
            // Of a curve only its end.
            let first =
                if table.kind == TableKind::Survival { rows.len().saturating_sub(1) } else { 0 };
            return rows.into_iter().skip(first).map(|row| self.figure(table, row)).collect();
        }
        // Where the categories of a dimension don't add up, each of them is a count by itself.
        let mut groups: Vec<(Vec<usize>, Vec<&Row>)> = Vec::new();
        for row in &table.rows {
            let places = table.dimensions.iter().zip(&row.at);
            let key = places.filter(|((_, has_total), _)| !has_total).map(|(_, at)| *at).collect();
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((key, vec![row])),
            }
        }
        groups.iter().filter_map(|(_, rows)| self.group(table, rows)).collect()
    }

    /// A total and the largest of its parts.
    fn group(self, table: &TableReport, rows: &[&Row]) -> Option<String> {
        let words = &self.words.sentence;
        let total = rows.iter().find(|row| is_total(table, row));
        let mut parts: Vec<(&Row, f64)> = rows
            .iter()
            .filter(|row| !is_in_total(table, row))
            .filter_map(|row| Some((*row, row.shown?.value())))
            .collect();
        parts.sort_by(|a, b| b.1.total_cmp(&a.1));
        let title = self.title(table, rows.first()?);
        let unit = table.figure.unit.text(self.language);
        let mut said = Vec::new();
        if let Some((value, range)) = total.and_then(|row| self.value(table, row)) {
            let things =
                [("title", title.as_str()), ("value", &value), ("unit", unit), ("range", &range)];
            said.push(fill(&words.total, &things));
        }
        if let [(first, _), rest @ ..] = parts.as_slice() {
            let (value, range) = self.value(table, first)?;
            let label = self.label(table, first, true);
            let things = [
                ("title", title.as_str()),
                ("value", value.as_str()),
                ("label", label.as_str()),
                ("range", range.as_str()),
            ];
            let text = if said.is_empty() { &words.largest } else { &words.largest_part };
            said.push(fill(text, &things));
            if let Some((second, _)) = rest.first()
                && !is_surely_more(first.measured, second.measured)
            {
                let label = self.label(table, second, true);
                said.push(fill(&words.order_unsure, &[("label", &label)]));
            }
        }
        (!said.is_empty()).then(|| said.join(" "))
    }

    fn figure(self, table: &TableReport, row: &Row) -> String {
        let words = &self.words.sentence;
        let (title, label) = (table.title.text(self.language), self.label(table, row, false));
        let unit = table.figure.unit.text(self.language);
        match self.value(table, row) {
            None => fill(&words.no_figure, &[("title", title), ("label", &label)]),
            Some((value, range)) => {
                let things = [
                    ("title", title),
                    ("label", label.as_str()),
                    ("value", value.as_str()),
                    ("unit", unit),
                    ("range", range.as_str()),
                ];
                fill(&words.figure, &things)
            }
        }
    }

    /// What changed since the period before, and how sure that is.
    pub(super) fn changes(self, study: &StudyReport) -> Vec<String> {
        let words = &self.words.sentence;
        let Some(before) = study.tables.iter().find_map(|table| table.before.as_ref()) else {
            return vec![words.first_period.clone()];
        };
        let all = || study.tables.iter().flat_map(|table| &table.rows).filter_map(|row| row.change);
        let compared = all().count();
        let changed = all().filter(|one| one.verdict != Verdict::NoRealChange).count();
        let (compared_text, changed_text) = (compared.to_string(), changed.to_string());
        let things = [("compared", compared_text.as_str()), ("changed", changed_text.as_str())];
        let mut said = Vec::new();
        if compared > 0 {
            let text = if changed == 0 { &words.no_changes } else { &words.changes };
            said.push(fill(text, &things));
        }
        if changed > 0 {
            let expected = MISSES * f64::from(u32::try_from(compared).unwrap_or(u32::MAX));
            let expected = number(expected.ceil(), 0, self.language);
            let things = [("compared", compared_text.as_str()), ("expected", expected.as_str())];
            said.push(fill(&words.chance, &things));
        }
        let period = self.words.period(before.period);
        if !before.same_municipalities() {
            said.push(words.coverage_differs.clone());
            for (text, names) in [(&words.joined, &before.joined), (&words.gone, &before.gone)] {
                let things = [("before", period.as_str()), ("names", &names.join(", "))];
                if !names.is_empty() {
                    said.push(fill(text, &things));
                }
            }
        }
        for table in &study.tables {
            if table.before.as_ref().is_some_and(|before| !before.same_definition) {
                let things = [("title", table.title.text(self.language)), ("before", &period)];
                said.push(fill(&words.new_definition, &things));
            }
        }
        said
    }

    /// The changes that the noise alone does not explain, the most certain of each table first.
    pub(super) fn named_changes(self, study: &StudyReport) -> Vec<String> {
        let rows =
            study.tables.iter().flat_map(|table| table.rows.iter().map(move |row| (table, row)));
        rows.filter_map(|(table, row)| self.named_change(table, row)).take(NAMED).collect()
    }

    fn named_change(self, table: &TableReport, row: &Row) -> Option<String> {
        let words = &self.words.sentence;
        let change = row.change?;
        let text = match change.verdict {
            Verdict::NoRealChange => return None,
            Verdict::Higher => &words.higher,
            Verdict::Lower => &words.lower,
        };
        let (decimals, label) = (table.figure.decimals, self.label(table, row, false));
        let [low, high] = self.change_range(table, row)?;
        let things = [
            ("title", table.title.text(self.language)),
            ("label", label.as_str()),
            ("difference", &number(change.difference.value().abs(), decimals, self.language)),
            ("range", &self.words.range(&low, &high)),
        ];
        Some(fill(text, &things))
    }

    /// The ends of the interval of a change, with their signs.
    pub(super) fn change_range(self, table: &TableReport, row: &Row) -> Option<[String; 2]> {
        let change = row.change?;
        let ends = [change.lower95, change.upper95];
        Some(ends.map(|end| signed(end, table.figure.decimals, self.language)))
    }

    /// A figure and its interval.
    pub(super) fn value(self, table: &TableReport, row: &Row) -> Option<(String, String)> {
        let text = |value| fixed(value, table.figure.decimals, self.language);
        let (shown, low, high) = (text(row.shown?), text(row.lower?), text(row.upper?));
        Some((shown, self.words.range(&low, &high)))
    }

    /// The categories of a row; without those that a whole group has in common.
    fn label(self, table: &TableReport, row: &Row, in_group: bool) -> String {
        let labels = table.dimensions.iter().zip(&row.labels);
        let labels: Vec<&str> = labels
            .filter(|((_, has_total), _)| *has_total || !in_group)
            .map(|(_, label)| label.text(self.language))
            .collect();
        labels.join(", ")
    }

    /// The table's title, with the categories that a whole group has in common.
    fn title(self, table: &TableReport, row: &Row) -> String {
        let common = table.dimensions.iter().zip(&row.labels).filter(|((_, total), _)| !total);
        let mut title = table.title.text(self.language).to_owned();
        for (_, label) in common {
            title.push_str(", ");
            title.push_str(label.text(self.language));
        }
        title
    }
}

fn is_total(table: &TableReport, row: &Row) -> bool {
    let mut totals =
        table.dimensions.iter().zip(&row.at).filter(|((_, has_total), _)| *has_total).peekable();
    totals.peek().is_some() && totals.all(|(_, at)| *at == 0)
}

/// Whether a row is the total over some dimension.
pub(super) fn is_in_total(table: &TableReport, row: &Row) -> bool {
    table.dimensions.iter().zip(&row.at).any(|((_, has_total), at)| *has_total && *at == 0)
}

/// Whether one figure is larger than another of the same table, beyond what their noises explain.
fn is_surely_more(first: Option<Measured>, second: Option<Measured>) -> bool {
    let difference = first.zip(second).and_then(|(first, second)| change(first, second));
    difference.is_some_and(|difference| difference.verdict == Verdict::Higher)
}
