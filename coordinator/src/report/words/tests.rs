use super::{AllWords, fill, parse};
use crate::report::Verdict;
use fellestall_shared::labels::Language;

const FILES: [(&str, &str); 3] = [
    ("nb.toml", include_str!("nb.toml")),
    ("nn.toml", include_str!("nn.toml")),
    ("en.toml", include_str!("en.toml")),
];

/// Every key of a file with its text.
fn texts(file: &str) -> Vec<(String, String)> {
    let table: toml::Table = file.parse().expect("TOML");
    let mut all = Vec::new();
    for (section, keys) in table {
        for (key, text) in keys.as_table().into_iter().flatten() {
            if let Some(text) = text.as_str() {
                all.push((format!("{section}.{key}"), text.to_owned()));
            }
        }
    }
    all
}

/// The names in braces of a text.
fn places(text: &str) -> Vec<&str> {
    let mut found: Vec<_> = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect();
    found.sort_unstable();
    found
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|letter: char| !letter.is_alphabetic());
    parts.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

#[test]
fn every_language_has_every_text() {
    AllWords::builtin().expect("the texts are whole");
    for (file, text) in FILES {
        for (key, text) in texts(text) {
            assert!(!text.trim().is_empty() && text.trim() == text, "{file}: {key}");
        }
        let first = text.lines().find(|line| line.contains(" = \"")).expect("a text");
        let without = text.replacen(&format!("{first}\n"), "", 1);
        assert!(parse("x.toml", &without).is_err(), "{file}: a missing key is found");
        let more = text.replacen(first, &format!("{first}\nanother = \"x\""), 1);
        assert!(parse("x.toml", &more).is_err(), "{file}: a key that nothing shows is found");
    }
}

#[test]
fn translations_fill_in_the_same_things() {
    let [nb, nn, en] = FILES.map(|(_, text)| texts(text));
    for ((one, two), three) in nb.iter().zip(&nn).zip(&en) {
        assert_eq!((&one.0, &one.0), (&two.0, &three.0));
        assert_eq!(places(&one.1), places(&two.1), "nn: {}", one.0);
        assert_eq!(places(&one.1), places(&three.1), "en: {}", one.0);
    }
}

#[test]
fn each_norwegian_is_its_own() {
    let [nb, nn, _] = FILES.map(|(_, text)| texts(text));
    let bokmal =
        ["ikke", "hvor", "hva", "hvem", "noen", "noe", "kommunene", "tallene", "fra", "bare"];
    for (key, text) in &nn {
        let found = words(text).into_iter().find(|word| bokmal.contains(&word.as_str()));
        assert_eq!(found, None, "nn {key}");
    }
    let nynorsk = ["ikkje", "kvar", "kva", "kven", "nokon", "noko", "frå", "berre", "tala", "ein"];
    for (key, text) in &nb {
        let found = words(text).into_iter().find(|word| nynorsk.contains(&word.as_str()));
        assert_eq!(found, None, "nb {key}");
    }
}

/// A figure is told from the noise or it is not; how much that matters is for people to judge.
#[test]
fn nothing_is_called_significant_and_no_record_anonymous() {
    for (file, text) in FILES {
        for (key, text) in texts(text) {
            let text = text.to_lowercase();
            for word in ["signifi", "anonym", "statistisk sikker", "bevis", "proof"] {
                assert!(!text.contains(word), "{file} {key}: {word}");
            }
            assert!(!words(&text).iter().any(|word| word == "hf"), "{file} {key}");
        }
    }
}

#[test]
fn the_phrases_for_no_change_are_those_agreed() {
    let all = AllWords::builtin().expect("the texts are whole");
    for (language, phrase) in [
        (Language::Nb, "Ingen sikker endring"),
        (Language::Nn, "Inga sikker endring"),
        (Language::En, "No real change"),
    ] {
        for same in [true, false] {
            assert_eq!(all.of(language).verdict(Verdict::NoRealChange, same), phrase);
        }
        let higher = all.of(language).verdict(Verdict::Higher, false);
        assert_ne!(higher, all.of(language).verdict(Verdict::Higher, true), "coverage is said");
    }
}

#[test]
fn periods_and_days_are_written_out() {
    let all = AllWords::builtin().expect("the texts are whole");
    let (nb, en) = (all.of(Language::Nb), all.of(Language::En));
    for (period, norwegian, english) in [
        ("2026H1", "første halvår 2026", "first half of 2026"),
        ("2026H2", "andre halvår 2026", "second half of 2026"),
        ("2026K3", "3. kvartal 2026", "quarter 3 of 2026"),
        ("2026M02", "februar 2026", "February 2026"),
        ("2026", "året 2026", "the year 2026"),
    ] {
        let period = period.parse().expect("a period");
        assert_eq!((nb.period(period), en.period(period)), (norwegian.into(), english.into()));
    }
    let last = "2026H1".parse::<fellestall_shared::period::Period>().expect("a period").last_day();
    assert_eq!((nb.day(last), en.day(last)), ("30. juni 2026".into(), "30 June 2026".into()));
}

#[test]
fn what_is_filled_in_is_never_read_as_a_place() {
    assert_eq!(fill("a {b} c {b}", &[("b", "{b}")]), "a {b} c {b}");
    assert_eq!(fill("{unknown}.", &[]), ".");
}
