//! Records drawn at random, with days at every edge that a period has.
//!
//! **Invariant:** for tests alone; nobody here exists. One number gives one set of records.

use crate::kernel::people::PURPOSE;
use crate::kernel::person::{
    ComplaintKind, ContactCategory, EndMode, EndReason, ExitReason, Gender, HousingAtIntake,
    SatisfactionItem, SpecialistFollowUp, Tenure, YesNo,
};
use std::fmt::Write;

/// Numbers that follow from a first one (`SplitMix64`).
pub struct Draw {
    state: u64,
    /// The days of one person, if they are few: then much falls on one day.
    days: Vec<&'static str>,
}

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self { state: seed, days: Vec::new() }
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).expect("below the end")
    }

    pub fn one_in(&mut self, parts: usize) -> bool {
        self.below(parts) == 0
    }

    pub fn of<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())]
    }
}

/// Days at the edges of years, halves, quarters, months and periods of notice.
const EDGES: [&str; 27] = [
    "2010-01-31",
    "2011-12-31",
    "2012-01-01",
    "2013-06-30",
    "2014-02-28",
    "2014-08-31",
    "2014-12-31",
    "2015-01-01",
    "2015-03-31",
    "2015-06-30",
    "2015-08-31",
    "2015-12-31",
    "2016-01-01",
    "2016-02-28",
    "2016-02-29",
    "2016-03-31",
    "2016-04-01",
    "2016-06-30",
    "2016-07-01",
    "2016-08-31",
    "2016-09-30",
    "2016-10-01",
    "2016-12-30",
    "2016-12-31",
    "2017-01-01",
    "2017-03-31",
    "2017-04-01",
];

/// A day, near an edge more often than not, or one that is not known.
fn a_day(draw: &mut Draw) -> String {
    match draw.below(10) {
        0 => "?".to_owned(),
        1 if !draw.days.is_empty() => "?".to_owned(),
        1..6 if draw.days.is_empty() => draw.of(&EDGES).to_owned(),
        _ if !draw.days.is_empty() => {
            let days = draw.days.clone();
            draw.of(&days).to_owned()
        }
        _ => {
            let (year, month) = (2012 + draw.below(6), 1 + draw.below(12));
            format!("{year}-{month:02}-{:02}", 1 + draw.below(28))
        }
    }
}

fn a_recent_day(draw: &mut Draw) -> String {
    match draw.below(3) {
        0 => a_day(draw),
        _ => format!("2016-{:02}-{:02}", 1 + draw.below(12), 1 + draw.below(29)),
    }
}

/// Nobody to thirty people.
pub fn people(draw: &mut Draw) -> Vec<String> {
    let number = draw.below(31);
    (0..number).map(|_| person(draw)).collect()
}

/// A person in the language of the invented people.
pub fn person(draw: &mut Draw) -> String {
    let few = if draw.one_in(3) { 3 } else { 0 };
    draw.days = (0..few).map(|_| draw.of(&EDGES)).collect();
    let mut text = format!("in {}", a_day(draw));
    let mut add = |clause: String| write!(text, "; {clause}").expect("a text");
    if !draw.one_in(6) {
        add(format!(
            "born {}",
            draw.of(&[1950, 1966, 1967, 1976, 1977, 1986, 1987, 2000, 2016, 2017, 2018])
        ));
    }
    add(format!("gender {}", draw.of(Gender::CODES)));
    add(format!("came {}", draw.of(HousingAtIntake::CODES)));
    add(format!("specialist {}", draw.of(SpecialistFollowUp::CODES)));
    add(format!("substitution {}", draw.of(YesNo::CODES)));
    match draw.below(8) {
        0 => add(format!("exit {} {}", a_day(draw), draw.of(ExitReason::CODES))),
        1 => add(format!("exit - {}", draw.of(ExitReason::CODES))),
        2 => add(format!("exit {}", a_day(draw))),
        3 => add(format!("exit {} moved_municipality", a_day(draw))),
        _ => {}
    }
    consents(draw, &mut add);
    for _ in 0..draw.below(5) {
        let out = if draw.one_in(3) { String::new() } else { a_day(draw) };
        let out = if draw.one_in(4) {
            draw.of(&["2017-03-31", "2016-09-30", ""]).to_owned()
        } else {
            out
        };
        let from = a_day(draw);
        // Over on its first day, now and then.
        let out = if draw.one_in(12) { from.clone() } else { out };
        let mode = if draw.one_in(4) { "" } else { draw.of(EndMode::CODES) };
        let mode = if draw.one_in(3) { "landlord_notice" } else { mode };
        let reason = if draw.one_in(4) {
            String::new()
        } else {
            format!(" reason={}", draw.of(EndReason::CODES))
        };
        add(format!("home {from}..{out} {mode}{reason} tenure={}", draw.of(Tenure::CODES)));
    }
    for _ in 0..draw.below(3) {
        let to = if draw.one_in(3) { String::new() } else { a_day(draw) };
        add(format!("stay {} {}..{to}", draw.of(&["prison", "treatment", "unknown"]), a_day(draw)));
    }
    let complaints = if draw.one_in(8) { 24 } else { draw.below(4) };
    for _ in 0..complaints {
        let day = if complaints == 24 {
            format!("2016-{:02}-{:02}", draw.of(&[5, 12]), 1 + draw.below(30))
        } else {
            a_recent_day(draw)
        };
        add(format!("complaint {day} {} {}", draw.of(ComplaintKind::CODES), draw.of(YesNo::CODES)));
    }
    contacts(draw, &mut add);
    let severity = &["none", "moderate", "severe", "unknown"];
    for _ in 0..draw.below(5) {
        let day = if draw.one_in(3) { "2016-06-30".to_owned() } else { a_day(draw) };
        add(format!(
            "form {day} {} {} {}",
            draw.of(severity),
            draw.of(severity),
            draw.of(severity)
        ));
    }
    for _ in 0..draw.below(5) {
        let score = if draw.one_in(5) { String::new() } else { (1 + draw.below(7)).to_string() };
        let item = if draw.one_in(4) {
            draw.of(SatisfactionItem::CODES)
        } else {
            draw.of(&["dwelling", "neighbourhood"])
        };
        let day = if draw.one_in(3) { "2016-06-30".to_owned() } else { a_day(draw) };
        add(format!("score {day} {item} {score}"));
    }
    text
}

fn contacts(draw: &mut Draw, add: &mut impl FnMut(String)) {
    let rows = draw.of(&[0, 0, 2, 5, 12, 40]);
    for _ in 0..rows {
        let month = match draw.below(8) {
            0 => "?".to_owned(),
            1 => draw.of(&["2015-12", "2017-01", "2016-09"]).to_owned(),
            _ => format!("2016-{:02}", 1 + draw.below(12)),
        };
        let count = draw.of(&[0, 0, 1, 1, 2, 3, 5, 14, 200, u32::MAX]);
        let category = if draw.one_in(3) { "home_visit" } else { draw.of(ContactCategory::CODES) };
        let recorded = if draw.one_in(4) { draw.of(YesNo::CODES) } else { "yes" };
        add(format!("contact {month} {category} {count} {recorded}"));
    }
}

fn consents(draw: &mut Draw, add: &mut impl FnMut(String)) {
    match draw.below(6) {
        0 => add("unasked".to_owned()),
        1..4 => add("consent given 2010-01-01".to_owned()),
        _ => {}
    }
    for _ in 0..draw.of(&[0, 0, 1, 2, 3]) {
        let status =
            draw.of(&["given", "given", "given", "refused", "withdrawn", "not_asked", "unknown"]);
        let mut clause = format!("consent {status} {}", a_day(draw));
        if draw.one_in(6) {
            clause.push_str(" for=another-purpose");
        } else if draw.one_in(5) {
            write!(clause, " for={}", PURPOSE.to_uppercase()).expect("a text");
        }
        if draw.one_in(6) {
            clause.push_str(draw.of(&[" mode=oral", " mode=unknown"]));
        }
        if draw.one_in(6) {
            clause.push_str(draw.of(&[" form=v1", " form=v9", " form=unknown"]));
        }
        if draw.one_in(4) {
            write!(clause, " until={}", a_day(draw)).expect("a text");
        }
        if draw.one_in(5) {
            write!(clause, " withdrawn={}", a_day(draw)).expect("a text");
        }
        add(clause);
    }
}
