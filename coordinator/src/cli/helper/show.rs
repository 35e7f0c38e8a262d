//! What the helper's operator is shown.
//!
//! **Invariant:** tasks, nodes and how many reports a batch has; nothing of what a report says.

use super::super::output::table;
use super::super::{CliError, Output};
use crate::helper::home::HelperHome;
use crate::helper::store::HelperStore;
use fellestall_shared::municipality;
use serde::Serialize;

/// Lines of the audit log that are looked through for alarms.
const LOOKED_AT: u32 = 1_000;

#[derive(Serialize)]
struct Admitted {
    municipality: String,
    name: &'static str,
    node: String,
    fingerprint: String,
    since: String,
}

pub(super) async fn participants(
    store: &HelperStore,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let known = store.participants().await?;
    let lines = known.iter().map(|one| Admitted {
        municipality: one.identity.municipality.to_string(),
        name: municipality::find(&one.identity.municipality).map_or("", |known| known.name),
        node: one.identity.node.to_string(),
        fingerprint: one.identity.release_key.fingerprint().to_string(),
        since: one.admitted.to_string(),
    });
    let lines: Vec<Admitted> = lines.collect();
    output.facts(&lines, |lines| {
        let heads = ["municipality", "name", "node", "key's fingerprint", "admitted since"];
        let row = |line: &Admitted| {
            let Admitted { municipality, name, node, fingerprint, since } = line;
            [municipality, *name, node, fingerprint, since].map(str::to_owned)
        };
        table(heads, lines.iter().map(row), "Nobody is admitted yet; see `helper admit`.")
    })
}

#[derive(Serialize)]
struct Status {
    name: String,
    url: String,
    card: String,
    coordinator: Option<String>,
    participants: usize,
    alarms: usize,
    tasks: Vec<TaskLine>,
}

#[derive(Serialize)]
struct TaskLine {
    round: String,
    accepted: String,
    batch: Option<u32>,
    reports: u32,
    opened: bool,
}

pub(super) async fn status(
    home: &HelperHome,
    store: &HelperStore,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let batches = store.batches().await?;
    let mut tasks = Vec::new();
    for task in store.tasks().await? {
        let (name, round) = (task.task.to_string(), task.round.to_string());
        let line = |batch, reports, opened| TaskLine {
            round: round.clone(),
            accepted: task.accepted.to_string(),
            batch,
            reports,
            opened,
        };
        let own = batches.iter().filter(|batch| batch.task == name);
        let mut lines: Vec<_> =
            own.map(|batch| line(Some(batch.batch), batch.count, batch.opened)).collect();
        if lines.is_empty() {
            lines.push(line(None, 0, false));
        }
        tasks.extend(lines);
    }
    let alarms = store.audit(LOOKED_AT).await?.iter().filter(|line| line.alarm).count();
    let status = Status {
        name: home.config.name.clone(),
        url: home.config.url.clone(),
        card: home.card().fingerprint().to_string(),
        coordinator: home.leader.as_ref().map(|leader| leader.url.clone()),
        participants: store.participants().await?.len(),
        alarms,
        tasks,
    };
    output.facts(&status, text)
}

fn text(status: &Status) -> String {
    let coordinator = match &status.coordinator {
        Some(url) => format!("coordinator         {url}"),
        None => "coordinator         none is trusted yet: `helper trust-leader`".to_owned(),
    };
    let alarms = match status.alarms {
        0 => "none".to_owned(),
        count => format!("{count}: look at `helper audit`, and call the coordinator's operator"),
    };
    let heads = ["round", "accepted", "batch", "reports", "opened"];
    let rows = status.tasks.iter().map(|line| {
        [
            line.round.clone(),
            line.accepted.clone(),
            line.batch.map_or_else(|| "-".to_owned(), |batch| batch.to_string()),
            line.reports.to_string(),
            if line.opened { "yes" } else { "no" }.to_owned(),
        ]
    });
    format!(
        "{} at {}\ncard's fingerprint  {}\n{coordinator}\nadmitted nodes      {}\nalarms              {alarms}\n{}",
        status.name,
        status.url,
        status.card,
        status.participants,
        table(heads, rows, "No task yet.")
    )
}

#[derive(Serialize)]
struct AuditLine {
    moment: String,
    event: String,
    subject: String,
    alarm: bool,
}

pub(super) async fn audit(
    store: &HelperStore,
    last: u32,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let lines = store.audit(last).await?;
    let lines = lines.into_iter().map(|line| AuditLine {
        moment: line.moment.to_string(),
        event: line.event,
        subject: line.subject,
        alarm: line.alarm,
    });
    let lines: Vec<AuditLine> = lines.collect();
    output.facts(&lines, |lines| {
        let row = |line: &AuditLine| {
            let alarm = if line.alarm { "ALARM" } else { "" };
            [line.moment.clone(), alarm.to_owned(), line.event.clone(), line.subject.clone()]
        };
        table(["when", "", "what", "about"], lines.iter().map(row), "Nothing happened yet.")
    })
}
