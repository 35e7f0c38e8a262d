use super::{AllWords, parse};

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
            all.push((format!("{section}.{key}"), text.as_str().expect("a text").to_owned()));
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

#[test]
fn every_language_has_every_text() {
    let words = AllWords::builtin().expect("the texts are whole");
    assert!(!words.nb.nav.overview.is_empty());
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
fn nynorsk_is_not_bokmal() {
    let [nb, nn, _] = FILES.map(|(_, text)| texts(text));
    // Some sentences are the same in both; a file that was copied is the same in all.
    let long = nb.iter().zip(&nn).filter(|(one, _)| one.1.len() > 25);
    let (same, other): (Vec<_>, Vec<_>) = long.partition(|(one, two)| one.1 == two.1);
    assert!(same.len() * 10 < other.len(), "{same:?}");
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(|letter: char| !letter.is_alphabetic());
        parts.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    for (key, text) in &nn {
        for bokmal in
            ["ikke", "jeg", "hvor", "hva", "hvem", "hvordan", "noen", "fra", "kommunen din", "en"]
        {
            let allowed = bokmal == "fra" || bokmal == "en";
            assert!(allowed || !words(text).iter().any(|word| word == bokmal), "{key}: {bokmal}");
        }
    }
    for (key, text) in &nb {
        for nynorsk in ["ikkje", "eg", "kvar", "kva", "kven", "korleis", "nokon", "frå", "ein"] {
            assert!(!words(text).iter().any(|word| word == nynorsk), "{key}: {nynorsk}");
        }
    }
}

#[test]
fn every_event_has_words() {
    let source = include_str!("../../store/audit.rs");
    let names = source.split(" => \"").skip(1).filter_map(|rest| rest.split('"').next());
    let names: Vec<_> = names.collect();
    assert!(names.len() >= 21, "{names:?}");
    for (_, file) in FILES {
        let table: toml::Table = file.parse().expect("TOML");
        let events = table["events"].as_table().expect("events");
        assert_eq!(events.len(), names.len());
        for name in &names {
            assert!(events.contains_key(*name), "{name}");
        }
    }
}
