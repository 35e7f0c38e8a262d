//! The rules that printed figures are held to.
//!
//! **Invariant:** each contradiction gives one finding, of one rule.

use super::number::{Number, Printed};
use super::{ControlFinding, ControlRule, Entry, Figures, Listed, Role};
use std::collections::{BTreeMap, BTreeSet};

/// How many people a denominator may lack for us to say so.
const FEW: u64 = 5;

/// Checks every figure, and figures against each other.
pub(super) fn check(figures: &Figures, findings: &mut Listed<ControlFinding>) {
    for (figure, entries) in figures {
        let mut report = |state: Option<&str>, lines: Vec<u64>, rule| {
            let (figure, state) = (Some(figure.clone()), state.map(str::to_owned));
            findings.push(ControlFinding { figure, state, lines, rule });
        };
        same_state(entries, &mut report);
        parts(entries, &mut report);
        rates(entries, &mut report);
        bands(entries, &mut report);
        zero_and_blank(entries, &mut report);
    }
    questions(figures, findings);
}

type Report<'r> = dyn FnMut(Option<&str>, Vec<u64>, ControlRule) + 'r;

fn of(entries: &[Entry], role: Role) -> impl Iterator<Item = &Entry> {
    entries.iter().filter(move |entry| entry.role == role)
}

fn same_state(entries: &[Entry], report: &mut Report<'_>) {
    let mut lines = BTreeMap::new();
    for entry in entries {
        let before = *lines.entry((entry.role, &entry.state)).or_insert(entry.line);
        if before != entry.line {
            let state = (!entry.state.is_empty()).then_some(entry.state.as_str());
            report(state, vec![before, entry.line], ControlRule::SameState);
        }
    }
}

/// Parts, or bands or categories if there are no parts, against the total.
fn parts(entries: &[Entry], report: &mut Report<'_>) {
    let Some((line, total)) = of(entries, Role::Total)
        .find_map(|entry| entry.value.number().map(|number| (entry.line, number)))
    else {
        return;
    };
    let has_numbers = |role: &Role| of(entries, *role).any(|entry| entry.value.number().is_some());
    let Some(role) = [Role::Part, Role::Band, Role::Category].into_iter().find(has_numbers) else {
        return;
    };
    let parts: Vec<_> = of(entries, role).collect();
    let sum = parts
        .iter()
        .filter_map(|part| part.value.number())
        .fold(0_u64, |sum, number| sum.saturating_add(number.ten_thousandths()));
    let blank = parts.iter().any(|part| part.value == Printed::Nothing);
    let total = total.ten_thousandths();
    // A part that is not printed may be what is missing, but cannot be what is too much.
    if sum > total || (sum < total && !blank) {
        let lines = std::iter::once(line).chain(parts.iter().map(|part| part.line)).collect();
        report(None, lines, ControlRule::PartsDoNotAdd);
    }
}

fn rates(entries: &[Entry], report: &mut Report<'_>) {
    for percent in of(entries, Role::Percent) {
        let same = |role| {
            of(entries, role)
                .find(|entry| entry.state == percent.state)
                .and_then(|entry| entry.value.number().map(|number| (entry.line, number)))
        };
        let (Some((top, numerator)), Some((bottom, denominator)), Some(printed)) =
            (same(Role::Numerator), same(Role::Denominator), percent.value.number())
        else {
            continue;
        };
        if printed.is_share(numerator, denominator, 0) != Some(true) {
            let fits_with_fewer = fewer(printed, numerator, denominator);
            let state = (!percent.state.is_empty()).then_some(percent.state.as_str());
            let lines = vec![top, bottom, percent.line];
            report(state, lines, ControlRule::PercentDoesNotFit { fits_with_fewer });
        }
    }
}

fn fewer(printed: Number, numerator: Number, denominator: Number) -> Option<u64> {
    (1..=FEW).find(|fewer| printed.is_share(numerator, denominator, *fewer) == Some(true))
}

fn bands(entries: &[Entry], report: &mut Report<'_>) {
    let mut known = Vec::new();
    for entry in of(entries, Role::Band) {
        match band(&entry.state) {
            Some((from, to)) => known.push((from, to, entry)),
            None if entry.state == "unknown" => {}
            None => report(Some(&entry.state), vec![entry.line], ControlRule::BandUnclear),
        }
    }
    known.sort_by_key(|(from, to, entry)| (*from, *to, entry.line));
    for ((_, to, first), (from, _, second)) in known.iter().zip(known.iter().skip(1)) {
        // One band twice is the same state, which is another rule.
        if from <= to && first.state != second.state {
            let lines = vec![first.line.min(second.line), first.line.max(second.line)];
            let state = format!("{} and {}", first.state, second.state);
            report(Some(&state), lines, ControlRule::BandsOverlap);
        }
    }
}

/// The first and last whole number of a band: `30-39`, `<30`, `<=6`, `>26`, `>=50`, `50+`, `7`.
fn band(text: &str) -> Option<(u64, u64)> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let number = |digits: &str| digits.parse::<u64>().ok();
    if let Some(rest) = text.strip_prefix("<=") {
        return Some((0, number(rest)?));
    }
    if let Some(rest) = text.strip_prefix('<') {
        return Some((0, number(rest)?.checked_sub(1)?));
    }
    if let Some(rest) = text.strip_prefix(">=").or_else(|| text.strip_suffix('+')) {
        return Some((number(rest)?, u64::MAX));
    }
    if let Some(rest) = text.strip_prefix('>') {
        return Some((number(rest)?.checked_add(1)?, u64::MAX));
    }
    match text.split_once(['-', '–']) {
        Some((from, to)) => Some((number(from)?, number(to)?)).filter(|(from, to)| from <= to),
        None => number(&text).map(|only| (only, only)),
    }
}

fn zero_and_blank(entries: &[Entry], report: &mut Report<'_>) {
    for role in [Role::Part, Role::Band, Role::Category] {
        let lines = |test: fn(&Entry) -> bool| of(entries, role).find(move |entry| test(entry));
        let zero = lines(|entry| entry.value.is_zero());
        let blank = lines(|entry| entry.value == Printed::Nothing);
        if let (Some(zero), Some(blank)) = (zero, blank) {
            let lines = vec![zero.line.min(blank.line), zero.line.max(blank.line)];
            report(None, lines, ControlRule::ZeroAndBlank);
        }
    }
}

/// Figures that answer one question have the categories of the first of them.
fn questions(figures: &Figures, findings: &mut Listed<ControlFinding>) {
    let mut first: BTreeMap<&str, (BTreeSet<&str>, u64)> = BTreeMap::new();
    for (figure, entries) in figures {
        let categories: BTreeSet<_> =
            of(entries, Role::Category).map(|entry| entry.state.as_str()).collect();
        for question in of(entries, Role::Question) {
            let (expected, line) =
                first.entry(&question.state).or_insert_with(|| (categories.clone(), question.line));
            if *expected != categories {
                findings.push(ControlFinding {
                    figure: Some(figure.clone()),
                    state: Some(question.state.clone()),
                    lines: vec![*line, question.line],
                    rule: ControlRule::CategoriesDiffer,
                });
            }
        }
    }
}
