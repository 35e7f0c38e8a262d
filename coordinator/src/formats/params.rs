//! How a reader wants a file: codes or texts, with a title, with which separator.
//!
//! **Invariant:** parameters that exist fit together and fit their format.

use super::Format;

/// What stands for a variable or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Its code.
    Codes,
    /// Its text.
    Texts,
    /// Both, code first.
    Both,
}

/// What stands between two columns of a csv file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// A comma.
    Comma,
    /// A tabulator.
    Tab,
    /// A space.
    Space,
    /// A semicolon.
    Semicolon,
}

impl Separator {
    /// The character.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Tab => b'\t',
            Self::Space => b' ',
            Self::Semicolon => b';',
        }
    }
}

/// How a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Params {
    /// What stands for variables and values.
    pub shown: Shown,
    /// Whether the title stands on top.
    pub title: bool,
    /// What separates columns.
    pub separator: Separator,
}

/// Parameters that do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadParams {
    /// There is no such parameter.
    #[error(
        "there is no output format parameter {name}; there are UseCodes, UseTexts, UseCodesAndTexts, IncludeTitle, SeparatorTab, SeparatorSpace and SeparatorSemicolon"
    )]
    Unknown {
        /// As it was given.
        name: String,
    },
    /// Two that exclude each other.
    #[error("{first} and {second} cannot be combined")]
    Combined {
        /// One of them.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A parameter that says nothing in this format.
    #[error("{name} does not apply to {}", format.name())]
    NotApplicable {
        /// The parameter.
        name: &'static str,
        /// The format.
        format: Format,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shown(Shown),
    Title,
    Separator(Separator),
}

const NAMES: [(&str, Kind); 7] = [
    ("UseCodes", Kind::Shown(Shown::Codes)),
    ("UseTexts", Kind::Shown(Shown::Texts)),
    ("UseCodesAndTexts", Kind::Shown(Shown::Both)),
    ("IncludeTitle", Kind::Title),
    ("SeparatorTab", Kind::Separator(Separator::Tab)),
    ("SeparatorSpace", Kind::Separator(Separator::Space)),
    ("SeparatorSemicolon", Kind::Separator(Separator::Semicolon)),
];

impl Params {
    /// What a format has when nothing is said: codes in csv, texts in files for people, as in the
    /// reference server.
    #[must_use]
    pub fn of(format: Format) -> Self {
        let shown = if format == Format::Csv { Shown::Codes } else { Shown::Texts };
        Self { shown, title: false, separator: Separator::Comma }
    }

    /// Parameters by their names, without regard to case; a name that is said twice counts once.
    ///
    /// # Errors
    /// [`BadParams`]: a name that does not exist, does not apply, or excludes another.
    pub fn parse<'n>(
        format: Format,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, BadParams> {
        let mut params = Self::of(format);
        let (mut shown, mut separator) = (None, None);
        for given in names {
            let found = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(given.trim()));
            let Some((name, kind)) = found else {
                return Err(BadParams::Unknown { name: given.to_owned() });
            };
            if !applies(format, *kind) {
                return Err(BadParams::NotApplicable { name, format });
            }
            match kind {
                Kind::Title => params.title = true,
                Kind::Shown(wanted) => {
                    once(&mut shown, name)?;
                    params.shown = *wanted;
                }
                Kind::Separator(wanted) => {
                    once(&mut separator, name)?;
                    params.separator = *wanted;
                }
            }
        }
        Ok(params)
    }
}

fn applies(format: Format, kind: Kind) -> bool {
    match kind {
        Kind::Separator(_) => format == Format::Csv,
        Kind::Shown(_) | Kind::Title => {
            matches!(format, Format::Csv | Format::Xlsx | Format::Html)
        }
    }
}

fn once(slot: &mut Option<&'static str>, name: &'static str) -> Result<(), BadParams> {
    match slot.replace(name) {
        Some(first) if first != name => Err(BadParams::Combined { first, second: name }),
        _ => Ok(()),
    }
}
