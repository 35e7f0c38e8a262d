//! From what a reader selects to a part of a cube.
//!
//! **Invariant:** a variable that is left out is stood for by its released total, or the selection is
//! refused; nothing is ever summed.

use super::codelist::Codelist;
use super::problem::{Refusal, shorten};
use super::selection::{BadItem, Placement, Values, VariableSelection, VariablesSelection};
use crate::databank::{Choice, Cube, Dimension, Extract, Role};
use fellestall_shared::labels::Language;
use std::sync::Arc;

/// A part of a cube and how it came to be.
pub struct Resolved {
    /// The part.
    pub extract: Extract,
    /// The codelists that values were taken from: dimension and codelist.
    pub codelists: Vec<(usize, Codelist)>,
}

/// The part of a cube that a selection stands for; without any selected values the default part.
///
/// # Errors
/// [`Refusal`]: what in the selection does not fit.
pub fn resolve(
    cube: &Arc<Cube>,
    wanted: &VariablesSelection,
    language: Language,
    limit: usize,
) -> Result<Resolved, Refusal> {
    let asked = by_dimension(cube, wanted)?;
    let codelists = codelists(cube, &asked)?;
    let is_default = asked.iter().flatten().all(|one| one.value_codes.is_empty());
    let choices = if is_default {
        default_choices(cube, limit)
    } else {
        let choices =
            cube.dimensions.iter().zip(&asked).enumerate().map(|(place, (dimension, asked))| {
                let codes: Vec<String> =
                    asked.iter().flat_map(|one| one.value_codes.clone()).collect();
                let own = codelists.iter().find(|(dimension, _)| *dimension == place);
                choice(dimension, &codes, own.map(|(_, list)| *list))
            });
        choices.collect::<Result<Vec<Choice>, Refusal>>()?
    };
    let mut extract = extract(cube, language, choices)?;
    if extract.len() > limit {
        return Err(Refusal::Cells { cells: extract.len(), limit });
    }
    place(&mut extract, &wanted.placement)?;
    Ok(Resolved { extract, codelists })
}

/// All of a cube; where a codelist is asked for, its values alone.
///
/// # Errors
/// [`Refusal`]: what in the selection does not fit.
pub fn whole(
    cube: &Arc<Cube>,
    wanted: &VariablesSelection,
    language: Language,
) -> Result<Resolved, Refusal> {
    let asked = by_dimension(cube, wanted)?;
    let codelists = codelists(cube, &asked)?;
    let all = ["*".to_owned()];
    let choices = cube.dimensions.iter().enumerate().map(|(place, dimension)| {
        let own = codelists.iter().find(|(dimension, _)| *dimension == place);
        choice(dimension, &all, own.map(|(_, list)| *list))
    });
    let choices = choices.collect::<Result<Vec<Choice>, Refusal>>()?;
    Ok(Resolved { extract: extract(cube, language, choices)?, codelists })
}

/// The selection that gives exactly this part again, in codes.
#[must_use]
pub fn selection(resolved: &Resolved) -> VariablesSelection {
    let extract = &resolved.extract;
    let cube = &extract.cube;
    let selection = extract.shown.iter().filter_map(|(place, values)| {
        let dimension = cube.dimensions.get(*place)?;
        let codes = values.iter().filter_map(|value| dimension.values.get(*value));
        let own = resolved.codelists.iter().find(|(dimension, _)| dimension == place);
        Some(VariableSelection {
            variable_code: dimension.code.clone(),
            codelist: own.map(|(_, list)| list.id().to_owned()),
            value_codes: codes.map(|value| value.code.clone()).collect(),
        })
    });
    let selection = selection.collect();
    let code = |place: &usize| cube.dimensions.get(*place).map(|dimension| dimension.code.clone());
    let shown = extract.shown.iter().map(|(place, _)| place);
    let stub = shown.filter(|place| !extract.heading.contains(place)).filter_map(code).collect();
    let heading = extract.heading.iter().filter_map(code).collect();
    VariablesSelection { selection, placement: Placement { heading, stub } }
}

/// For each dimension, what is asked of it.
fn by_dimension<'w>(
    cube: &Cube,
    wanted: &'w VariablesSelection,
) -> Result<Vec<Vec<&'w VariableSelection>>, Refusal> {
    let mut asked: Vec<Vec<&VariableSelection>> = vec![Vec::new(); cube.dimensions.len()];
    for one in &wanted.selection {
        let place = dimension(cube, &one.variable_code)?;
        if let Some(slot) = asked.get_mut(place) {
            slot.push(one);
        }
    }
    Ok(asked)
}

fn dimension(cube: &Cube, code: &str) -> Result<usize, Refusal> {
    cube.dimension(code.trim()).ok_or_else(|| {
        let known: Vec<&str> = cube.dimensions.iter().map(|one| one.code.as_str()).collect();
        Refusal::Variable { code: shorten(code), known: known.join(", ") }
    })
}

fn codelists(
    cube: &Cube,
    asked: &[Vec<&VariableSelection>],
) -> Result<Vec<(usize, Codelist)>, Refusal> {
    let mut found = Vec::new();
    for (place, (dimension, asked)) in cube.dimensions.iter().zip(asked).enumerate() {
        let ids = asked.iter().filter_map(|one| one.codelist.as_deref());
        for id in ids.filter(|id| !id.trim().is_empty()) {
            let own = Codelist::find(id).filter(|list| Codelist::of(dimension).contains(list));
            let list = own.ok_or_else(|| Refusal::Codelist {
                id: shorten(id),
                variable: Some(dimension.code.clone()),
            })?;
            if !found.contains(&(place, list)) {
                found.push((place, list));
            }
        }
    }
    Ok(found)
}

fn choice(
    dimension: &Dimension,
    codes: &[String],
    codelist: Option<Codelist>,
) -> Result<Choice, Refusal> {
    if codes.is_empty() {
        return match dimension.elimination {
            Some(_) => Ok(Choice::Eliminated),
            None => Err(Refusal::Missing { variable: dimension.code.clone() }),
        };
    }
    let own = dimension.values.iter().map(|value| value.code.as_str()).enumerate();
    let in_list = |(_, code): &(usize, &str)| codelist.is_none_or(|list| list.holds(code));
    let is_time = dimension.role == Role::Time;
    let values = Values { codes: own.filter(in_list).collect(), is_time };
    // A codelist has values that a table need not have; a client that expands it asks for them all.
    let known = |code: &&String| {
        codelist.is_none_or(|list| !list.holds(code.trim()))
            || values.codes.iter().any(|(_, own)| *own == code.trim())
    };
    let wanted: Vec<String> = codes.iter().filter(known).cloned().collect();
    let refused = |item: BadItem| match item {
        BadItem::Expression(text) => {
            Refusal::Expression { expression: shorten(&text), variable: dimension.code.clone() }
        }
        BadItem::Value(text) => {
            Refusal::Value { code: shorten(&text), variable: dimension.code.clone() }
        }
    };
    let chosen = values.select(&wanted).map_err(refused)?;
    if chosen.is_empty() {
        return Err(refused(BadItem::Value(codes.first().cloned().unwrap_or_default())));
    }
    Ok(Choice::Values(chosen))
}

fn extract(cube: &Arc<Cube>, language: Language, choices: Vec<Choice>) -> Result<Extract, Refusal> {
    let mandatory = cube.dimensions.iter().find(|dimension| dimension.elimination.is_none());
    let variable = mandatory.map(|dimension| dimension.code.clone()).unwrap_or_default();
    Extract::new(Arc::clone(cube), language, choices).ok_or(Refusal::Missing { variable })
}

/// What is shown when nothing is selected: the whole country in the latest period, by every
/// category, with every measure; less of it where that is more than one answer has.
fn default_choices(cube: &Cube, limit: usize) -> Vec<Choice> {
    let first = |dimension: &Dimension| dimension.elimination.unwrap_or(0);
    let choices = |narrowness: u8| -> Vec<Choice> {
        let choice = |dimension: &Dimension| match dimension.role {
            Role::Time => vec![dimension.values.len().saturating_sub(1)],
            Role::Region => vec![first(dimension)],
            Role::Category if narrowness > 0 => vec![first(dimension)],
            Role::Contents if narrowness > 1 => vec![0],
            _ => (0..dimension.values.len()).collect(),
        };
        cube.dimensions.iter().map(choice).map(Choice::Values).collect()
    };
    let size = |choices: &[Choice]| {
        choices.iter().fold(1_usize, |cells, choice| match choice {
            Choice::Values(values) => cells.saturating_mul(values.len()),
            Choice::Eliminated => cells,
        })
    };
    let fitting = (0..2).map(choices).find(|choices| size(choices) <= limit);
    fitting.unwrap_or_else(|| choices(2))
}

fn place(extract: &mut Extract, placement: &Placement) -> Result<(), Refusal> {
    let places = |codes: &[String]| -> Result<Vec<usize>, Refusal> {
        let mut places = Vec::new();
        for code in codes {
            let place = dimension(&extract.cube, code)?;
            let is_shown = extract.shown.iter().any(|(shown, _)| *shown == place);
            if is_shown && !places.contains(&place) {
                places.push(place);
            }
        }
        Ok(places)
    };
    let (heading, stub) = (places(&placement.heading)?, places(&placement.stub)?);
    if let Some(both) = heading.iter().find(|place| stub.contains(place)) {
        let dimension = extract.cube.dimensions.get(*both);
        let variable = dimension.map(|dimension| dimension.code.clone()).unwrap_or_default();
        return Err(Refusal::Placement { variable });
    }
    if !heading.is_empty() {
        extract.heading = heading;
    } else if !stub.is_empty() {
        let shown = extract.shown.iter().map(|(place, _)| *place);
        extract.heading = shown.filter(|place| !stub.contains(place)).collect();
    }
    Ok(())
}
