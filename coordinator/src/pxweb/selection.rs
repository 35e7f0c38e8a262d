//! Selections of values: codes and expressions, and what they stand for in a variable.
//!
//! **Invariant:** any text is a selection or refused; a selection is a set of values of the variable
//! in the variable's order, so that one question has one answer however it is asked.

use serde::{Deserialize, Serialize};

/// Items of one variable's selection, at the most.
const ITEMS: usize = 20_000;

/// What is selected of a table, as in the body of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariablesSelection {
    /// The variables.
    pub selection: Vec<VariableSelection>,
    /// Where they stand.
    #[serde(default)]
    pub placement: Placement,
}

/// What is selected of one variable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VariableSelection {
    /// The variable.
    pub variable_code: String,
    /// The codelist that its values are taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codelist: Option<String>,
    /// Codes and expressions.
    #[serde(default)]
    pub value_codes: Vec<String>,
}

/// Where variables stand in a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Those in the heading.
    #[serde(default)]
    pub heading: Vec<String>,
    /// Those in the stub.
    #[serde(default)]
    pub stub: Vec<String>,
}

/// Why an item selects nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadItem {
    /// It is no expression.
    Expression(String),
    /// A code, or a pattern, without a value.
    Value(String),
}

/// The items of a list with commas. An item with a comma is in brackets; parentheses keep theirs
/// together too.
pub fn items(list: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut start, mut ended) = (0_u32, 0_usize, false);
    let mut characters = list.char_indices();
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        for (at, character) in characters.by_ref() {
            match character {
                '[' | '(' => depth = depth.saturating_add(1),
                ']' | ')' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    let item = list.get(start..at);
                    start = at + 1;
                    return item;
                }
                _ => {}
            }
        }
        ended = true;
        list.get(start..)
    })
    .map(str::trim)
    .filter(|item| !item.is_empty())
}

/// The values of a variable that may be selected, in the variable's order.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    /// The position in the variable, and the code.
    pub codes: Vec<(usize, &'a str)>,
    /// Whether it is the time variable: its latest values are the top.
    pub is_time: bool,
}

impl Values<'_> {
    /// The positions in the variable that these items stand for, ascending and without repetition.
    ///
    /// # Errors
    /// [`BadItem`]: the first that stands for nothing.
    pub fn select(&self, wanted: &[String]) -> Result<Vec<usize>, BadItem> {
        if let Some(beyond) = wanted.get(ITEMS) {
            return Err(BadItem::Expression(beyond.clone()));
        }
        let mut taken = vec![false; self.codes.len()];
        for item in wanted {
            self.take(item, &mut taken)?;
        }
        let chosen = self.codes.iter().zip(taken).filter(|(_, taken)| *taken);
        Ok(chosen.map(|((place, _), _)| *place).collect())
    }

    fn take(&self, given: &str, taken: &mut [bool]) -> Result<(), BadItem> {
        let mut item = given.trim();
        if let Some(place) = self.position(item) {
            return mark(taken, place, place + 1).ok_or_else(|| BadItem::Value(given.to_owned()));
        }
        if let Some(inner) = item.strip_prefix('[').and_then(|item| item.strip_suffix(']')) {
            item = inner.trim();
        }
        let bad = || BadItem::Expression(given.to_owned());
        if let Some((name, arguments)) = item.split_once('(') {
            let arguments = arguments.strip_suffix(')').ok_or_else(bad)?;
            let (from, until) = self.span(name, arguments, given)?;
            return mark(taken, from, until).ok_or_else(|| BadItem::Value(given.to_owned()));
        }
        if item.contains(['*', '?']) {
            let pattern = Pattern::parse(item).ok_or_else(bad)?;
            let mut found = false;
            for ((_, code), taken) in self.codes.iter().zip(taken) {
                if pattern.matches(code) {
                    (*taken, found) = (true, true);
                }
            }
            return if found { Ok(()) } else { Err(BadItem::Value(given.to_owned())) };
        }
        match self.position(item) {
            Some(place) => {
                mark(taken, place, place + 1).ok_or_else(|| BadItem::Value(given.to_owned()))
            }
            None if item.is_empty() => Err(bad()),
            None => Err(BadItem::Value(given.to_owned())),
        }
    }

    fn position(&self, code: &str) -> Option<usize> {
        self.codes.iter().position(|(_, known)| known.eq_ignore_ascii_case(code))
    }

    /// The values from one place until before another, by a function and its arguments.
    fn span(&self, name: &str, arguments: &str, given: &str) -> Result<(usize, usize), BadItem> {
        let bad = || BadItem::Expression(given.to_owned());
        let arguments: Vec<&str> = arguments.split(',').map(str::trim).collect();
        let size = self.codes.len();
        let place = |code: &str| self.position(code).ok_or_else(|| BadItem::Value(code.to_owned()));
        match (name.trim().to_ascii_lowercase().as_str(), arguments.as_slice()) {
            (end @ ("top" | "bottom"), [count, offset @ ..]) if offset.len() <= 1 => {
                let count = whole(count).filter(|count| *count > 0).ok_or_else(bad)?;
                let offset = match offset.first() {
                    None => 0,
                    Some(offset) => whole(offset).ok_or_else(bad)?,
                };
                // The top of time is its end.
                Ok(if (end == "top") == self.is_time {
                    let until = size.saturating_sub(offset);
                    (until.saturating_sub(count), until)
                } else {
                    (offset.min(size), offset.saturating_add(count).min(size))
                })
            }
            ("from", [first]) => Ok((place(first)?, size)),
            ("to", [last]) => Ok((0, place(last)? + 1)),
            ("range", [first, last]) => {
                let (first, last) = (place(first)?, place(last)?);
                if first <= last { Ok((first, last + 1)) } else { Err(bad()) }
            }
            _ => Err(bad()),
        }
    }
}

/// Marks the values from one place until before another; `None` if there are none.
fn mark(taken: &mut [bool], from: usize, until: usize) -> Option<()> {
    let part = taken.get_mut(from..until).filter(|part| !part.is_empty())?;
    part.fill(true);
    Some(())
}

/// A whole number in digits alone; a larger one than any table has stands for the largest.
fn whole(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(usize::MAX))
}

/// A pattern: `?` for any one character, `*` at the ends for any text.
struct Pattern {
    starts_anywhere: bool,
    ends_anywhere: bool,
    core: Vec<char>,
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let core = text.strip_prefix('*').unwrap_or(text);
        let starts_anywhere = core.len() != text.len();
        let inner = core.strip_suffix('*').unwrap_or(core);
        let ends_anywhere = inner.len() != core.len() || text == "*";
        let core: Vec<char> = inner.chars().map(|one| one.to_ascii_lowercase()).collect();
        (!core.contains(&'*')).then_some(Self { starts_anywhere, ends_anywhere, core })
    }

    fn matches(&self, code: &str) -> bool {
        let code: Vec<char> = code.chars().map(|one| one.to_ascii_lowercase()).collect();
        let Some(slack) = code.len().checked_sub(self.core.len()) else { return false };
        let fits = |part: &[char]| {
            part.iter().zip(&self.core).all(|(one, wanted)| *wanted == '?' || one == wanted)
        };
        let at = |start: usize| code.get(start..start + self.core.len()).is_some_and(fits);
        match (self.starts_anywhere, self.ends_anywhere) {
            (true, true) => (0..=slack).any(at),
            (true, false) => at(slack),
            (false, true) => at(0),
            (false, false) => slack == 0 && at(0),
        }
    }
}

#[cfg(test)]
mod tests;
