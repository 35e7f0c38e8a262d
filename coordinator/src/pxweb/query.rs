//! Query strings, read by hand: names without regard to case, brackets raw or percent-encoded.
//!
//! **Invariant:** any text is a query; what is not known in it is passed over.

use super::problem::{Refusal, shorten};
use super::selection::{VariableSelection, VariablesSelection, items};
use crate::formats::Format;
use fellestall_shared::labels::Language;

/// The languages, the default first.
pub const LANGUAGES: [Language; 3] = [Language::Nb, Language::Nn, Language::En];

/// The code of a language.
#[must_use]
pub fn code(language: Language) -> &'static str {
    match language {
        Language::Nb => "nb",
        Language::Nn => "nn",
        Language::En => "en",
    }
}

/// The language with this code; `no` is bokmål.
///
/// # Errors
/// [`Refusal::Language`]: there is none.
pub fn language(text: &str) -> Result<Language, Refusal> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("no") {
        return Ok(Language::Nb);
    }
    let mut known = LANGUAGES.into_iter();
    known.find(|known| text.eq_ignore_ascii_case(code(*known))).ok_or(Refusal::Language)
}

/// The parameters of a request.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a raw query string.
    #[must_use]
    pub fn parse(raw: Option<&str>) -> Self {
        let parts = raw.unwrap_or_default().split('&').filter(|part| !part.is_empty());
        let pairs = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        });
        Self { pairs: pairs.collect() }
    }

    /// The first value of a parameter that is not empty.
    #[must_use]
    pub fn one<'q>(&'q self, name: &'q str) -> Option<&'q str> {
        self.all(name).find(|value| !value.trim().is_empty())
    }

    /// Every value of a parameter.
    pub fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        let pairs = self.pairs.iter().filter(move |(given, _)| given.eq_ignore_ascii_case(name));
        pairs.map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that is a list with commas, or repeated, or both.
    pub fn list<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        let parts = self.all(name).flat_map(|value| value.split(','));
        parts.map(str::trim).filter(|part| !part.is_empty())
    }

    /// Every `name[key]=value`, as key and value.
    pub fn keyed<'q>(&'q self, name: &'q str) -> impl Iterator<Item = (&'q str, &'q str)> {
        self.pairs.iter().filter_map(move |(given, value)| {
            let (own, key) = given.split_once('[')?;
            let key = key.strip_suffix(']')?;
            own.trim().eq_ignore_ascii_case(name).then_some((key.trim(), value.as_str()))
        })
    }

    /// The language that is asked for, if one is.
    ///
    /// # Errors
    /// [`Refusal::Language`].
    pub fn language(&self) -> Result<Option<Language>, Refusal> {
        self.one("lang").map(language).transpose()
    }

    /// The format that is asked for, if one is.
    ///
    /// # Errors
    /// [`Refusal::Format`].
    pub fn format(&self) -> Result<Option<Format>, Refusal> {
        self.one("outputFormat").map(format).transpose()
    }

    /// A yes or no.
    ///
    /// # Errors
    /// [`Refusal::Malformed`]: neither.
    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.one(name).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::malformed(format!("{name} is true or false"))),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// [`Refusal::Malformed`]: none.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let number = |text: &str| {
            text.trim().parse().map_err(|_| Refusal::malformed(format!("{name} is a whole number")))
        };
        self.one(name).map(number).transpose()
    }

    /// The selection and the placement of variables.
    #[must_use]
    pub fn selection(&self) -> VariablesSelection {
        let mut wanted = VariablesSelection::default();
        for (variable, values) in self.keyed("valuecodes") {
            let own = wanted.variable(variable);
            own.value_codes.extend(items(values).map(str::to_owned));
        }
        for (variable, codelist) in self.keyed("codelist") {
            if !codelist.trim().is_empty() {
                wanted.variable(variable).codelist = Some(codelist.trim().to_owned());
            }
        }
        wanted.placement.heading = self.list("heading").map(str::to_owned).collect();
        wanted.placement.stub = self.list("stub").map(str::to_owned).collect();
        wanted
    }
}

impl VariablesSelection {
    fn variable(&mut self, code: &str) -> &mut VariableSelection {
        let known = |one: &VariableSelection| one.variable_code.eq_ignore_ascii_case(code);
        let place = self.selection.iter().position(known).unwrap_or_else(|| {
            let variable_code = code.to_owned();
            self.selection.push(VariableSelection { variable_code, ..Default::default() });
            self.selection.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "found or just pushed")]
        &mut self.selection[place]
    }
}

/// The format with this name.
///
/// # Errors
/// [`Refusal::Format`]: there is none.
pub fn format(name: &str) -> Result<Format, Refusal> {
    Format::parse(name.trim()).ok_or_else(|| {
        let names = Format::ALL.map(Format::name).join(", ");
        Refusal::Format {
            reason: format!("there is no output format {}; there are {names}", shorten(name)),
        }
    })
}

/// Percent-decodes; a plus is a space, and what is not UTF-8 becomes a replacement character.
#[must_use]
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digit = |byte: Option<u8>| char::from(byte.unwrap_or_default()).to_digit(16);
                let (high, low) = (digit(ahead.next()), digit(ahead.next()));
                let code = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                if let Some(code) = code {
                    bytes.push(code);
                    rest = ahead;
                } else {
                    bytes.push(b'%');
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes everything that could mean something in an address.
#[must_use]
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                encoded.push('%');
                for half in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(u32::from(half), 16).unwrap_or('0');
                    encoded.push(digit.to_ascii_uppercase());
                }
            }
        }
        encoded
    })
}

#[cfg(test)]
mod tests;
