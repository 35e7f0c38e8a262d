//! The register fails closed: at any single deviation a study is not permitted, and a file that is not
//! wholly understood is none.

use super::{AddError, AtEnd, Choices, EMPTY, FILE, NotPermitted, Register, RegisterError};
use super::{add, entry};
use crate::kernel::Withdrawal;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::digest::Digest;
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::StudyDocument;
use proptest::prelude::*;
use serde_json::json;
use std::path::Path;
use time::Date;
use time::macros::date;

/// A study of one table, from 2016 to 2026.
pub fn document() -> StudyDocument {
    let title = json!({ "nb": "Kjernetall", "nn": "Kjernetal", "en": "Core figures" });
    let document = json!({
        "study": "core", "version": 1, "title": title, "purpose": "housing-first-statistics",
        "controller": "The network", "legal_basis": "consent",
        "fields": ["participant.gender", "participant.birth_year", "participant.intake_date"],
        "starts": "2016-01-01", "ends": "2026-12-31",
        "tables": [{ "statistic": "S26", "definition": 1,
            "loss": { "mechanism": "discrete_gaussian", "rho_micro": 1000 } }],
        "minimum_nodes": 2, "minimum_difference": 2, "municipal_figures": false,
        "late_releases": "new_version", "municipalities_per_person": 2, "delta_exponent": 6,
    });
    serde_json::from_value(document).expect("a study document")
}

pub fn study(document: &StudyDocument) -> Study {
    let catalogue = Catalogue::builtin().expect("a catalogue");
    Study::check(document, Digest::ZERO, catalogue).expect("a study")
}

fn choices() -> Choices {
    Choices {
        information_letter: "2014-1".to_owned(),
        accepted_forms: ["2014-1".to_owned()].into(),
        withdrawal: Withdrawal::NextPeriod,
        at_end: AtEnd::Delete,
    }
}

fn text() -> String {
    entry(&document(), &choices()).expect("an entry")
}

fn parsed(text: &str) -> Result<Register, RegisterError> {
    Register::parse(Path::new(FILE), text)
}

fn edited(from: &str, to: &str) -> String {
    let text = text();
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1)
}

#[test]
fn the_proposed_entry_permits_its_study_and_says_what_was_chosen() {
    let register = parsed(&text()).expect("a register");
    let study = study(&document());
    let purpose = register.permit(&study, date!(2020 - 01 - 01)).expect("permitted");
    assert_eq!(purpose.fields, document().fields);
    assert_eq!((purpose.at_end, purpose.withdrawal), (AtEnd::Delete, Withdrawal::NextPeriod));
    let terms = register.terms(&study, "2020H1".parse().expect("a period"), date!(2020 - 08 - 01));
    assert_eq!(terms.expect("terms").accepted_forms, choices().accepted_forms);
}

/// Each row deviates in one thing, and the reason is that thing.
#[test]
fn any_single_deviation_is_not_permitted() {
    type Reason = fn(&NotPermitted) -> bool;
    let study = study(&document());
    let (within, period) = (date!(2020 - 01 - 01), "2020H1");
    let sound = text();
    let rows: [(String, Date, &str, Reason); 13] = [
        (String::new(), within, period, |why| matches!(why, NotPermitted::Unregistered { .. })),
        (EMPTY.to_owned(), within, period, |why| matches!(why, NotPermitted::Unregistered { .. })),
        (edited("id = \"housing-first-statistics\"", "id = \"research\""), within, period, |why| {
            matches!(why, NotPermitted::Unregistered { .. })
        }),
        (edited("\"consent\"", "\"public_task\""), within, period, |why| {
            matches!(why, NotPermitted::LegalBasis { .. })
        }),
        (edited("The network", "Another network"), within, period, |why| {
            matches!(why, NotPermitted::Controller { .. })
        }),
        (edited("The network", "the network"), within, period, |why| {
            matches!(why, NotPermitted::Controller { .. })
        }),
        (edited("2016-01-01", "2020-01-02"), within, period, |why| {
            matches!(why, NotPermitted::NotStarted { .. })
        }),
        (edited("2026-12-31", "2019-12-31"), within, period, |why| {
            matches!(why, NotPermitted::Ended { .. })
        }),
        (sound.clone(), date!(2027 - 01 - 01), period, |why| {
            matches!(why, NotPermitted::Ended { .. })
        }),
        (sound.clone(), date!(2015 - 12 - 31), period, |why| {
            matches!(why, NotPermitted::NotStarted { .. })
        }),
        (sound, within, "2015H2", |why| matches!(why, NotPermitted::Period { .. })),
        (edited("2026-12-31", "2020-06-29"), within, period, |why| {
            matches!(why, NotPermitted::Period { .. })
        }),
        (
            edited("\"participant.gender\", ", ""),
            within,
            period,
            |why| matches!(why, NotPermitted::Field { field, .. } if field == "participant.gender"),
        ),
    ];
    for (text, today, period, is_reason) in rows {
        let register = parsed(&text).expect("a register");
        let period = period.parse().expect("a period");
        let why = register.terms(&study, period, today).expect_err(&text);
        assert!(is_reason(&why), "{why}: {text}");
        assert!(why.to_string().contains("housing-first-statistics"), "{why}");
    }
}

proptest! {
    /// A study is answered on the days of the project alone, about periods that are wholly within it,
    /// and with columns that are all allowed.
    #[test]
    fn what_is_permitted_is_within_the_register(
        (starts, length) in (0_i64..2_000, 0_i64..2_000),
        today in -100_i64..4_100,
        (year, half) in (2014_i32..2028, 1..=2),
        allowed in proptest::sample::subsequence(
            vec!["participant.gender", "participant.birth_year", "participant.intake_date"], 0..=3),
    ) {
        let zero = date!(2016 - 01 - 01);
        let day = |days: i64| zero + time::Duration::days(days);
        let (starts, ends, today) = (day(starts), day(starts + length), day(today));
        let mut register = parsed(&text()).expect("a register");
        register.purposes[0].starts = starts;
        register.purposes[0].ends = ends;
        register.purposes[0].fields = allowed.iter().map(|field| (*field).to_owned()).collect();
        let period: fellestall_shared::period::Period =
            format!("{year}H{half}").parse().expect("a period");
        let is_day = (starts..=ends).contains(&today);
        let is_period = starts <= period.first_day() && period.last_day() <= ends;
        let permitted = register.terms(&study(&document()), period, today).is_ok();
        prop_assert_eq!(permitted, is_day && is_period && allowed.len() == 3);
    }
}

/// Each names the file, the purpose and the key, and says how to mend it.
#[test]
fn a_value_that_cannot_be_is_named_with_its_purpose_and_key_and_the_remedy() {
    let long = format!("controller = \"{}\"", "x".repeat(501));
    let rows = [
        (("nb = \"Kjernetall\"", "nb = \"\""), "title", "in nb, nn and en"),
        (("en = \"Core figures\"", "en = \" \""), "title", "in nb, nn and en"),
        (("\"The network\"", "\" \""), "controller", "1 to 500 characters"),
        (("controller = \"The network\"", &long), "controller", "1 to 500 characters"),
        (
            ("information_letter = \"2014-1\"", "information_letter = \"\""),
            "information_letter",
            "1 to 500 characters",
        ),
        (("withdrawal =", "assessment = \"\"\nwithdrawal ="), "assessment", "1 to 500 characters"),
        (
            ("accepted_forms = [\"2014-1\"]", "accepted_forms = []"),
            "accepted_forms",
            "name those in use",
        ),
        (
            ("accepted_forms = [\"2014-1\"]", "accepted_forms = [\"2014-1\", \"\"]"),
            "accepted_forms",
            "1 to 500 characters",
        ),
        (("\"participant.gender\"", "\"participant.name\""), "fields", "as \"tenancy.moved_in\""),
        (("2016-01-01", "2016-13-01"), "starts", "as \"2026-12-31\""),
        (("2016-01-01", "1 January 2016"), "starts", "as \"2026-12-31\""),
        (("2026-12-31", "2026-02-30"), "ends", "as \"2026-12-31\""),
        (("2026-12-31", "2015-12-31"), "ends", "correct one of them"),
    ];
    for ((from, to), key, remedy) in rows {
        let error = parsed(&edited(from, to)).expect_err(to).to_string();
        for part in [FILE, "housing-first-statistics", key, remedy] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }
    let error = parsed(&edited("\"housing-first-statistics\"", "\"Is this one?\""));
    let error = error.expect_err("no purpose").to_string();
    assert!(error.contains("Is this one?") && error.contains("letters, digits"), "{error}");
    let twice = parsed(&[text(), text()].join("\n")).expect_err("twice").to_string();
    assert!(twice.contains("housing-first-statistics") && twice.contains("one entry"), "{twice}");
    // By public task no form has to be accepted.
    let task = edited("\"consent\"", "\"public_task\"").replace("[\"2014-1\"]", "[]");
    assert!(parsed(&task).is_ok());
}

/// A key that is not known or not there, or a word that is none of the choices: with its line.
#[test]
fn a_file_of_another_form_is_refused_with_its_place() {
    let rows = [
        (("withdrawal =", "withdrawel ="), "withdrawel"),
        (("at_end = \"delete\"\n", ""), "at_end"),
        (("\"delete\"", "\"keep\""), "keep"),
        (("\"next_period\"", "\"never\""), "never"),
        (("\"consent\"", "\"interest\""), "interest"),
        (("controller = \"The network\"\n", ""), "controller"),
        (("[[purpose]]", "[[purpose]"), "line 1"),
        (("[purpose.title]", "[purpose.titel]"), "titel"),
    ];
    for ((from, to), named) in rows {
        let error = parsed(&edited(from, to)).expect_err(named).to_string();
        for part in [FILE, "line ", named] {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }
}

#[test]
fn an_entry_is_added_once_and_what_stands_is_kept_letter_by_letter() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    let mut other = document();
    other.purpose = "research".parse().expect("a purpose");
    let by_hand = format!("# Read by the data protection officer.\n{}", text());
    std::fs::write(&path, by_hand.trim_end()).expect("written");
    let entry = add(folder.path(), &other, &choices()).expect("added");
    let now = std::fs::read_to_string(&path).expect("a register");
    assert!(now.starts_with(by_hand.trim_end()) && now.ends_with(&entry), "{now}");
    assert_eq!(Register::read(folder.path()).expect("a register").purposes().len(), 2);

    let twice = add(folder.path(), &other, &choices());
    assert!(matches!(twice, Err(AddError::Stands { .. })));
    let third =
        |purpose: &str| StudyDocument { purpose: purpose.parse().expect("one"), ..document() };
    let formless = Choices { accepted_forms: [].into(), ..choices() };
    let refused = add(folder.path(), &third("third"), &formless);
    assert!(matches!(refused, Err(AddError::Register(RegisterError::Value { .. }))));
    assert_eq!(std::fs::read_to_string(&path).expect("a register"), now);

    // Where there is no register yet, the entry comes after the words about what one says.
    let empty = tempfile::tempdir().expect("a folder");
    add(empty.path(), &other, &choices()).expect("added");
    let made = std::fs::read_to_string(empty.path().join(FILE)).expect("a register");
    assert!(made.starts_with(EMPTY), "{made}");
    // A register that is not understood is not added to.
    std::fs::write(&path, "[[purpose]\n").expect("written");
    let refused = add(folder.path(), &third("third"), &choices());
    assert!(matches!(refused, Err(AddError::Register(RegisterError::Form { .. }))));
    assert_eq!(std::fs::read_to_string(&path).expect("a register"), "[[purpose]\n");
}
