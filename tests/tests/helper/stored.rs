//! What the helper keeps says nothing: its files are read, whatever the counts were.

use crate::stage::{Made, Stage, claim, job, reasons};
use std::path::Path;

/// Every byte of the helper's database, with what is still in its log.
fn bytes(directory: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for file in std::fs::read_dir(directory).expect("a directory") {
        let path = file.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("helper.db") {
            all.extend(std::fs::read(&path).expect("a file"));
        }
    }
    all
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

/// A canary in every cell, as a number and as a field element, and every share of every report: none
/// of them is in the store, before or after the batch was opened.
#[tokio::test(flavor = "multi_thread")]
async fn no_count_and_no_share_is_in_the_store() {
    let stage = Stage::new(4).await;
    let task = stage.told().await;
    let (client, digest) = (&stage.client, task.digest());
    let canary = (1_u128 << stage.bits()) - 3;
    let entries = vec![canary; stage.length()];
    let made: Vec<Made> =
        stage.nodes.iter().map(|node| stage.report(&task, node, &entries)).collect();
    let result = client.job(digest, 1, &job(1, &made)).await.expect("a result");
    assert!(reasons(&result).iter().all(Option::is_none));
    let before = bytes(&stage.directory());
    client.batch(digest, 1, &claim(&made)).await.expect("opened");
    let after = bytes(&stage.directory());
    for all in [&before, &after] {
        assert!(contains(all, digest.to_string().as_bytes()), "the store was read");
        let (one, sum) = (canary.to_le_bytes(), (canary * 4).to_le_bytes());
        for number in [one, sum] {
            // Every cell has it: as a vector it would stand there again and again.
            assert!(!contains(all, &number.repeat(2)) && !contains(all, &number[..8].repeat(2)));
            let text = data_encoding::BASE64.encode(&number.repeat(3));
            assert!(!contains(all, text.as_bytes()));
        }
        for secret in made.iter().flat_map(|report| &report.secrets) {
            // A share in whole, and any 16 bytes at the beginning of one.
            assert!(!contains(all, &secret[..16]));
            let text = data_encoding::BASE64.encode(&secret[..48]);
            assert!(!contains(all, text.as_bytes()));
        }
    }
}

/// The half of a sum that is stored is as random for the largest counts as for none at all: chi-square
/// over bytes, alpha = 1e-6 for each.
#[tokio::test(flavor = "multi_thread")]
async fn the_stored_half_is_as_random_for_any_counts() {
    for largest in [false, true] {
        let stage = Stage::new(3).await;
        let task = stage.told().await;
        let digest = task.digest();
        let entry = if largest { (1_u128 << stage.bits()) - 1 } else { 0 };
        let entries = vec![entry; stage.length()];
        let mut halves = Vec::new();
        // Each batch has one report, so that its half is that report's.
        for (batch, node) in (1..).zip(&stage.nodes) {
            let made = [stage.report(&task, node, &entries)];
            let result = stage.client.job(digest, batch, &job(batch, &made)).await;
            assert_eq!(reasons(&result.expect("a result")), [None]);
            halves.push(half(&stage, batch));
        }
        let halves = halves.concat();
        assert_eq!(halves.len(), stage.length() * 16 * 3);
        let mut seen = [0.0_f64; 16];
        for byte in &halves {
            seen[usize::from(byte & 0x0f)] += 1.0;
            seen[usize::from(byte >> 4)] += 1.0;
        }
        let expected = seen.iter().sum::<f64>() / 16.0;
        let value: f64 = seen.iter().map(|n| (n - expected).powi(2) / expected).sum();
        // chi2.isf(1e-6, 15) = 56.5.
        assert!(expected > 5.0 && value < 56.5, "chi-square {value} for largest = {largest}");
    }
}

fn half(stage: &Stage, batch: u32) -> Vec<u8> {
    let database = stage.directory().join("helper.db");
    let connection = rusqlite::Connection::open(database).expect("a database");
    let found = connection.query_row("SELECT half FROM batch WHERE batch = ?1", [batch], |row| {
        row.get::<_, Vec<u8>>(0)
    });
    found.expect("a half")
}
