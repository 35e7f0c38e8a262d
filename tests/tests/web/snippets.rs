//! The code that a table's page shows runs as it stands, and reads the figures of the page.

use crate::page::{figures, plain};
use crate::scene::Scene;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The code with this name on a page.
fn snippet(html: &str, id: &str) -> String {
    let from = format!("<pre id=\"snippet-{id}\"><code>");
    let code = html.split(&from).nth(1).and_then(|rest| rest.split("</code>").next());
    let code = code.unwrap_or_else(|| panic!("{id} is not on the page"));
    plain(code) + "\n"
}

/// The Python that has the packages of the snippets.
fn python() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    target.join("clients/bin/python")
}

/// Runs a program on a file and gives what it wrote.
fn run(program: &Path, file: &Path, install: &str) -> String {
    let mut command = Command::new(program);
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
        command.env_remove(name);
    }
    let ran = command.arg(file).output();
    let ran = ran.unwrap_or_else(|error| panic!("{}: {error}; {install}", program.display()));
    let errors = String::from_utf8_lossy(&ran.stderr);
    let code = std::fs::read_to_string(file).expect("the file");
    assert!(ran.status.success(), "{errors}\n{code}");
    String::from_utf8(ran.stdout).expect("text")
}

/// The numbers that follow a marked line, one a line; what is no number is none.
fn after_mark(output: &str) -> Vec<Option<f64>> {
    let lines = output.lines().skip_while(|line| *line != "FIGURES").skip(1);
    lines.map(|line| line.trim().parse().ok().filter(|value: &f64| value.is_finite())).collect()
}

#[test]
fn what_is_shown_to_be_copied_runs_and_reads_the_figures_of_the_page() {
    let scene = Scene::set();
    let folder = TempDir::new().expect("a folder");
    let selections = [
        "/en/tables/core-S2".to_owned(),
        "/en/tables/core-S2?Region=0&Region=4601&Tid=2016H1&Tid=2016H2&housing_situation=total&housing_situation=left".to_owned(),
    ];
    for path in selections {
        let page = scene.get(&path).body;
        let expected = figures(&page);
        assert!(expected.len() > 3, "{path}");
        let write = |name: &str, code: String| {
            let file = folder.path().join(name);
            std::fs::write(&file, code).expect("written");
            file
        };
        // The figure is the first column after the four dimensions' own.
        let r = snippet(&page, "r") + "cat(\"FIGURES\\n\")\ncat(figures[[4]], sep = \"\\n\")\n";
        let output = run(Path::new("Rscript"), &write("a.R", r), "install r-base-core");
        assert_eq!(after_mark(&output), expected, "{path}: {output}");

        let install = "make it: python3 -m venv target/clients && target/clients/bin/pip install pandas pyjstat";
        let pandas = snippet(&page, "pandas")
            + "print('FIGURES')\nfor figure in figures.iloc[:, 3]:\n    print(figure)\n";
        let output = run(&python(), &write("pandas_figures.py", pandas), install);
        assert_eq!(after_mark(&output), expected, "{path}: {output}");

        // pyjstat has one row for each measure; the figure itself is the first of seven.
        let pyjstat = snippet(&page, "pyjstat")
            + "print('FIGURES')\nfor figure in figures['value']:\n    print(figure)\n";
        let output = run(&python(), &write("pyjstat_figures.py", pyjstat), install);
        let all = after_mark(&output);
        assert_eq!(all.len() % expected.len(), 0, "{output}");
        let shown = of_first_measure(&output, &all);
        assert_eq!(shown, expected, "{path}: {output}");

        let javascript = snippet(&page, "javascript");
        let output = run(Path::new("node"), &write("figures.mjs", javascript), "install nodejs");
        let read: Vec<Option<f64>> = output.lines().map(|line| line.trim().parse().ok()).collect();
        assert_eq!(read, expected, "{path}: {output}");
    }
}

/// Of all values that pyjstat read, those whose row names the figure itself, in the order of the page.
fn of_first_measure(output: &str, all: &[Option<f64>]) -> Vec<Option<f64>> {
    let rows: Vec<&str> = output.lines().take_while(|line| *line != "FIGURES").skip(1).collect();
    assert_eq!(rows.len(), all.len(), "{output}");
    let is_figure = |row: &&&str| !row.contains("Participants,") && row.contains("Participants");
    let numbered = rows.iter().zip(all).filter(|(row, _)| is_figure(row));
    numbered.map(|(_, value)| *value).collect()
}
