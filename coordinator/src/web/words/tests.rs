use super::Words;
use fellestall_shared::labels::Language;

#[test]
fn every_language_has_every_text() {
    for language in [Language::Nb, Language::Nn, Language::En] {
        Words::of(language).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn no_text_is_empty_and_the_ambiguous_abbreviation_is_nowhere() {
    for text in [include_str!("nb.toml"), include_str!("nn.toml"), include_str!("en.toml")] {
        for line in text.lines() {
            assert!(!line.ends_with("= \"\""), "{line}");
            let words = line.split(|c: char| !c.is_alphanumeric());
            assert!(!words.into_iter().any(|word| word == "HF"), "{line}");
        }
    }
}
