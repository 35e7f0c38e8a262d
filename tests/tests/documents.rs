//! What the documents say of codes and tests is what the code says.
#![cfg(test)]

use fellestall_node::kernel::person as p;
use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).expect("a document")
}

#[test]
fn every_code_of_the_records_is_documented() {
    let document = read("node/DATA.md");
    let lists = [
        p::Gender::CODES,
        p::HousingAtIntake::CODES,
        p::SpecialistFollowUp::CODES,
        p::YesNo::CODES,
        p::ExitReason::CODES,
        p::ConsentStatus::CODES,
        p::ConsentMode::CODES,
        p::Tenure::CODES,
        p::Setting::CODES,
        p::EndMode::CODES,
        p::EndReason::CODES,
        p::StayKind::CODES,
        p::ComplaintSource::CODES,
        p::ComplaintKind::CODES,
        p::ContactCategory::CODES,
        p::Severity::CODES,
        p::SatisfactionItem::CODES,
    ];
    for codes in lists {
        let row = codes[..codes.len() - 1]
            .iter()
            .map(|code| format!("`{code}`"))
            .collect::<Vec<_>>()
            .join(", ");
        assert!(document.contains(&format!("| {row} |")), "DATA.md lacks the list {row}");
    }
}

/// Every test that SECURITY.md names exists.
#[test]
fn every_test_that_security_names_exists() {
    let document = read("SECURITY.md");
    let mut sources = String::new();
    let mut open = ["shared", "node", "coordinator", "tests"]
        .map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder))
        .to_vec();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&std::fs::read_to_string(path).expect("source"));
            }
        }
    }
    let checks = document.split_once("## Checks").expect("a section of checks").1;
    let named: Vec<_> = checks.split('`').skip(1).step_by(2).filter(|n| n.contains('_')).collect();
    assert!(named.len() > 20, "the table of checks is found");
    for name in named {
        assert!(sources.contains(&format!("fn {name}(")), "there is no test {name}");
    }
}
