//! Code to copy that reads the shown figures into R, Python and JavaScript.
//!
//! **Invariant:** what is shown runs as it stands: a test takes it from the page and does so. Addresses
//! are percent-encoded but for the brackets, so that none of them can end a string.

use super::selection::Selection;
use crate::databank::Measure;

/// One piece of code.
pub(super) struct Snippet {
    /// A name for links and tests.
    pub id: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// The code.
    pub code: String,
}

/// The snippets for a selection.
pub(super) fn of(selection: &Selection, url: &str, lang: &str) -> Vec<Snippet> {
    let csv = selection.address(url, lang, "csv");
    let json = selection.address(url, lang, "json-stat2");
    let figure = Measure::Shown.code(&selection.cube.figure);
    vec![
        Snippet { id: "r", name: "R", code: r(&csv) },
        Snippet { id: "pandas", name: "Python, pandas", code: pandas(&csv) },
        Snippet { id: "pyjstat", name: "Python, pyjstat", code: pyjstat(&json) },
        Snippet { id: "javascript", name: "JavaScript", code: javascript(&json, &figure) },
    ]
}

fn r(address: &str) -> String {
    format!(
        "address <- \"{address}\"\n\
         figures <- read.csv(address, fileEncoding = \"UTF-8\", check.names = FALSE, \
         na.strings = c(\"\", \":\", \"..\", \".\"))\n\
         print(figures)\n"
    )
}

fn pandas(address: &str) -> String {
    format!(
        "import pandas\n\n\
         address = \"{address}\"\n\
         figures = pandas.read_csv(address, na_values=[\":\", \"..\", \".\"])\n\
         print(figures.to_string())\n"
    )
}

fn pyjstat(address: &str) -> String {
    format!(
        "from urllib.request import urlopen\n\
         from pyjstat import pyjstat\n\n\
         address = \"{address}\"\n\
         with urlopen(address) as answer:\n\
         \x20   figures = pyjstat.Dataset.read(answer.read().decode()).write(\"dataframe\")\n\
         print(figures.to_string())\n"
    )
}

fn javascript(address: &str, figure: &str) -> String {
    format!(
        "const address = \"{address}\";\n\
         fetch(address).then(answer => answer.json()).then(table => {{\n\
         \x20 // Values lie in the order of table.id: the measures, and within each the periods, come last.\n\
         \x20 const periods = table.size[table.id.indexOf(\"Tid\")];\n\
         \x20 const measures = table.size[table.id.indexOf(\"ContentsCode\")];\n\
         \x20 const figure = table.dimension.ContentsCode.category.index[\"{figure}\"];\n\
         \x20 table.value.forEach((value, at) => {{\n\
         \x20   if (Math.floor(at / periods) % measures === figure) console.log(value);\n\
         \x20 }});\n\
         }});\n"
    )
}
