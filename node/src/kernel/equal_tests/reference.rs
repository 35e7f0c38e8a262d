//! The reference: what DATA.md, the catalogue and SECURITY.md say, done in the slowest way.
//!
//! Days are texts as `2016-12-31`, which sort as the days do; a day that is not known is `?`.
//!
//! **Invariant:** no code of the kernel is called here.

use self::reading::{Row, tables};
use super::draw::Drawn;
pub use reading::codes;
use std::collections::{BTreeMap, BTreeSet};

mod reading;

/// What is asked, in the order of the answers.
pub const STATISTICS: [&str; 11] =
    ["S1", "S11", "S14", "S15", "S16", "S17", "S18", "S19", "S20", "S21", "S26"];

/// What is asked about whom.
#[derive(Debug, Clone)]
pub struct Question {
    /// `2016H2` or the like, with its first and last day, and the first day of its last quarter.
    pub period: &'static str,
    pub first: &'static str,
    pub quarter: &'static str,
    pub last: &'static str,
    pub purpose: &'static str,
    pub by_consent: bool,
    pub forms: Vec<String>,
    pub at_once: bool,
    /// Who has moved to another municipality is counted there.
    pub where_they_live: bool,
}

/// All rows of one person.
#[derive(Default)]
struct Person {
    own: Row,
    consents: Vec<Row>,
    complaints: Vec<Row>,
    contacts: Vec<Row>,
}

const CATEGORIES: [&str; 18] = [
    "team_in_person",
    "home_visit",
    "team_office",
    "participant_calls",
    "team_calls",
    "nav",
    "lar",
    "dps_or_act",
    "substance_department",
    "rehabilitation_unit",
    "housing_follow_up_service",
    "housing_training_centre",
    "general_practitioner",
    "work",
    "care_team_meeting",
    "next_of_kin",
    "other",
    "unknown",
];
const KINDS: [&str; 7] =
    ["noise", "visitors", "waste_or_needles", "domestic", "threatening", "other", "unknown"];

/// The categories of a statistic, and how much of one participant counts: cells, in a cell, in all.
fn definition(id: &str) -> (Vec<String>, [u64; 3]) {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let one = [1, 1, 1];
    match id {
        "S1" => {
            let years = (2012..=2030).map(|year| year.to_string());
            let all = ["earlier".to_owned()].into_iter().chain(years).chain(["unknown".to_owned()]);
            (all.collect(), one)
        }
        "S11" => (
            texts(&[
                "temporary_or_hostel",
                "with_family",
                "with_friends",
                "prison",
                "treatment_institution",
                "outdoors",
                "shared_housing",
                "own_dwelling",
                "unknown",
            ]),
            one,
        ),
        "S14" => (texts(&["0", "1_2", "3_9", "10_or_more"]), one),
        "S15" => (texts(&KINDS), [5, 5, 5]),
        "S16" => (texts(&["no_complaint", "without_meeting", "with_meeting", "unknown"]), one),
        "S17" => (
            texts(&["none", "under_1", "1_to_under_2", "2_to_under_4", "4_or_more", "unknown"]),
            one,
        ),
        "S18" => (texts(&CATEGORIES), [6, 1, 6]),
        "S19" => (texts(&CATEGORIES), [6, 13, 78]),
        "S20" => (texts(&["none", "psychiatric_centre", "fact_or_act", "unknown"]), one),
        "S21" => (texts(&["yes", "no", "unknown"]), one),
        "S26" => {
            let ages = ["under_30", "30_39", "40_49", "50_or_over", "unknown"];
            let both =
                |age: &&str| ["woman", "man", "unknown"].map(|gender| format!("{age} {gender}"));
            (ages.iter().flat_map(both).collect(), one)
        }
        other => panic!("not asked: {other}"),
    }
}

/// Exact cells of every statistic; `None` if the export must be refused.
pub fn cells(drawn: &Drawn, key: &[u8; 32]) -> Option<Vec<Vec<i64>>> {
    let people = people(drawn)?;
    let question = &drawn.question;
    let counted: Vec<_> = people
        .iter()
        .filter(|(_, person)| may_be_counted(person, question) && is_here(person, question))
        .filter(|(_, person)| !is_known_after(&person.own["intake_date"], question.last))
        .collect();
    let of = |id: &&str| {
        let (categories, bound) = definition(id);
        let mut cells = vec![0; categories.len()];
        for (name, person) in &counted {
            let mut wanted: BTreeMap<usize, u64> = BTreeMap::new();
            for (category, weight) in contributions(id, person, question) {
                let cell = categories.iter().position(|one| *one == category).expect("a category");
                *wanted.entry(cell).or_default() += weight;
            }
            for (cell, amount) in bounded(&wanted, bound, key, name, id) {
                cells[cell] += i64::try_from(amount).expect("a bounded amount");
            }
        }
        cells
    };
    Some(STATISTICS.iter().map(of).collect())
}

/// Everybody whose rows may be used, by identifier.
fn people(drawn: &Drawn) -> Option<BTreeMap<String, Person>> {
    let tables = tables(drawn);
    if tables.rejected > 0 && !drawn.skip {
        return None;
    }
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    let mut twice = BTreeSet::new();
    let mut rejected = 0;
    for row in &tables.rows["participant"] {
        let Some(id) = &row.person else { continue };
        let own = row.cells.clone().unwrap_or_default();
        if row.cells.is_none() || people.contains_key(id) {
            twice.insert(id.clone());
            rejected += u64::from(row.cells.is_some());
        }
        people.insert(id.clone(), Person { own, ..Person::default() });
    }
    people.retain(|id, _| !twice.contains(id));
    for name in ["consent", "complaint", "contact"] {
        let mut doubted = BTreeSet::new();
        for row in &tables.rows[name] {
            match (&row.person, &row.cells) {
                // It may be anybody's withdrawal.
                (None, _) if name == "consent" => return None,
                (None, _) => {}
                (Some(id), None) => {
                    doubted.insert(id.clone());
                }
                (Some(id), Some(cells)) => match people.get_mut(id) {
                    None => rejected += u64::from(!twice.contains(id)),
                    Some(person) => match name {
                        "consent" => person.consents.push(cells.clone()),
                        "complaint" => person.complaints.push(cells.clone()),
                        _ => person.contacts.push(cells.clone()),
                    },
                },
            }
        }
        if name == "consent" {
            // Whoever has a rejected consent row has objected to everything for ever.
            people.retain(|id, _| !doubted.contains(id));
        }
        twice.extend(if name == "consent" { doubted } else { BTreeSet::new() });
    }
    let refused = (rejected > 0 && !drawn.skip) || tables.several;
    (!refused).then_some(people)
}

fn is_known_after(day: &str, last: &str) -> bool {
    day != "?" && day > last
}

/// Consent or legal basis in force on the last day of the period.
fn may_be_counted(person: &Person, question: &Question) -> bool {
    let purpose = |row: &Row| row["purpose"].trim().to_lowercase();
    let counts = |day: &str| question.at_once || day == "?" || day <= question.last;
    let mut objections: Vec<&str> = Vec::new();
    for row in person.consents.iter().filter(|row| purpose(row) == question.purpose) {
        if ["refused", "withdrawn", "unknown"].contains(&row["status"].as_str()) {
            objections.push(&row["date"]);
        }
        if !row["withdrawn_on"].is_empty() {
            objections.push(&row["withdrawn_on"]);
        }
    }
    objections.retain(|day| counts(day));
    let gives = |row: &&Row| {
        let until = row["valid_until"].as_str();
        purpose(row) == question.purpose
            && row["status"] == "given"
            && row["mode"] != "unknown"
            && row["date"] != "?"
            && row["date"].as_str() <= question.last
            && (until.is_empty() || (until != "?" && until >= question.last))
            && question.forms.iter().any(|form| form == row["form_version"].trim())
    };
    let outlasts =
        |row: &Row| objections.iter().all(|day| *day != "?" && *day < row["date"].as_str());
    let consents = person.consents.iter().filter(gives).any(outlasts);
    consents || (!question.by_consent && objections.is_empty())
}

/// Who has moved to another municipality by the last day, or on a day that is not known, is not here.
fn is_here(person: &Person, question: &Question) -> bool {
    let moved = person.own["exit_reason"] == "moved_municipality";
    let exit = person.own["exit_date"].as_str();
    let later = !exit.is_empty() && is_known_after(exit, question.last);
    !(question.where_they_live && moved) || later
}

/// What a person adds to which category if there were no bound.
fn contributions(id: &str, person: &Person, question: &Question) -> Vec<(String, u64)> {
    let own = |column: &str| vec![(person.own[column].clone(), 1)];
    let Question { first, quarter, last, .. } = *question;
    let exit = person.own["exit_date"].as_str();
    let followed_from = |day: &str| exit.is_empty() || exit == "?" || exit >= day;
    let complaints: Vec<&Row> = person
        .complaints
        .iter()
        .filter(|row| row["date"] != "?" && *quarter <= *row["date"] && *row["date"] <= *last)
        .collect();
    match id {
        "S1" => {
            let year = person.own["intake_date"].split('-').next().unwrap_or_default().to_owned();
            let year = match year.as_str() {
                "?" => "unknown".to_owned(),
                early if early < "2012" => "earlier".to_owned(),
                late if late > "2030" => "unknown".to_owned(),
                _ => year,
            };
            vec![(year, 1)]
        }
        "S11" => own("housing_at_intake"),
        "S20" => own("specialist_follow_up"),
        "S21" => own("substitution_treatment"),
        "S26" => {
            let census: i64 = last[..4].parse().expect("a year");
            let age = person.own["birth_year"].parse::<i64>().ok().map(|year| census - year);
            let age = match age {
                Some(0..=29) => "under_30",
                Some(30..=39) => "30_39",
                Some(40..=49) => "40_49",
                Some(50..) => "50_or_over",
                _ => "unknown",
            };
            vec![(format!("{age} {}", person.own["gender"]), 1)]
        }
        "S14" if followed_from(quarter) => {
            let band = match complaints.len() {
                0 => "0",
                1 | 2 => "1_2",
                3..=9 => "3_9",
                _ => "10_or_more",
            };
            vec![(band.to_owned(), 1)]
        }
        "S15" => complaints.iter().map(|row| (row["kind"].clone(), 1)).collect(),
        "S16" if followed_from(quarter) => {
            let any = |answer| complaints.iter().any(|row| row["three_way_meeting"] == answer);
            let code = match (any("yes"), any("unknown"), any("no")) {
                (true, _, _) => "with_meeting",
                (_, true, _) => "unknown",
                (_, _, true) => "without_meeting",
                _ => "no_complaint",
            };
            vec![(code.to_owned(), 1)]
        }
        "S17" if followed_from(first) => vec![(home_visits(&forms(person, first, last)), 1)],
        "S18" | "S19" => {
            let rows = forms(person, quarter, last);
            rows.iter().map(|row| (row["category"].clone(), number(row))).collect()
        }
        _ => Vec::new(),
    }
}

/// Contact rows on filled-in forms of the months from the one of `first` to the one of `last`.
fn forms<'p>(person: &'p Person, first: &str, last: &str) -> Vec<&'p Row> {
    let within = |row: &&Row| {
        row["month"] != "?" && first[..7] <= *row["month"] && *row["month"] <= last[..7]
    };
    person.contacts.iter().filter(within).filter(|row| row["recorded"] == "yes").collect()
}

fn number(row: &Row) -> u64 {
    row["count"].parse().expect("a count")
}

fn home_visits(rows: &[&Row]) -> String {
    let months: BTreeSet<&str> = rows.iter().map(|row| row["month"].as_str()).collect();
    let visits: u128 = rows
        .iter()
        .filter(|row| row["category"] == "home_visit")
        .map(|row| u128::from(number(row)))
        .sum();
    let months = u128::try_from(months.len()).expect("few");
    let band = match visits {
        _ if months == 0 => "unknown",
        0 => "none",
        _ if visits < months => "under_1",
        _ if visits < 2 * months => "1_to_under_2",
        _ if visits < 4 * months => "2_to_under_4",
        _ => "4_or_more",
    };
    band.to_owned()
}

/// Clips, takes cells in the order of the keyed hash until there are enough, and fills up to the total.
fn bounded(
    wanted: &BTreeMap<usize, u64>,
    [most_cells, in_a_cell, in_all]: [u64; 3],
    key: &[u8; 32],
    person: &str,
    statistic: &str,
) -> Vec<(usize, u64)> {
    let hash = |cell: usize| {
        let text = format!("\u{1f}{person}\u{1f}{statistic}\u{1f}{cell}");
        let bytes = [key.as_slice(), text.as_bytes()].concat();
        ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref()[..8].to_vec()
    };
    let mut order: Vec<_> = wanted
        .iter()
        .filter(|(_, amount)| **amount > 0)
        .map(|(cell, amount)| (hash(*cell), *cell, *amount))
        .collect();
    order.sort();
    let mut kept = Vec::new();
    let mut left = in_all;
    for (_, cell, amount) in order.into_iter().take(usize::try_from(most_cells).expect("few")) {
        let amount = amount.min(in_a_cell).min(left);
        left -= amount;
        kept.push((cell, amount));
    }
    kept
}
