//! What the statements read, and what PostgreSQL does with them.

use super::store::{Store, TABLES, sharded};
use crate::kernel::people::question::asking;
use crate::kernel::people::terms;
use crate::kernel::postgres::{TablePlan, plan};
use crate::kernel::source::{ContactForm, Table};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::wire::v1::{LegalBasis, Residence};

fn plan_of(store: &Store, statistic: &str, residence: Residence) -> TablePlan {
    let round = asking(statistic, LegalBasis::Consent, residence);
    let mut plans = plan(&store.config, round.study(), round.period(), &terms()).expect("a plan");
    plans.pop().expect("a table")
}

#[test]
fn a_statement_reads_each_table_once_and_no_column_that_is_not_declared() {
    let store = Store::new(TABLES);
    for statistic in Catalogue::builtin().expect("a catalogue").statistics() {
        let id = statistic.id().as_str();
        let TablePlan { statement, plan, .. } = plan_of(&store, id, Residence::Anywhere);
        for table in Table::ALL {
            let reads = |line: &&String| line.contains(&format!(" on stat.{table} "));
            let scans = plan.iter().filter(reads).count();
            let column = format!("{table}.");
            let is_declared = statistic.fields().iter().any(|field| field.starts_with(&column));
            let expected = usize::from(is_declared || table == Table::Consent);
            assert_eq!(scans, expected, "{id}: {table}\n{}", plan.join("\n"));
            for column in table.columns(ContactForm::Months) {
                let named = |field: &String| field.ends_with(&format!(".{}", column.name));
                let of_consents = Table::Consent.columns(ContactForm::Months);
                let is_known = statistic.fields().iter().any(named)
                    || of_consents.iter().any(|consent| consent.name == column.name);
                let is_read = statement.contains(&format!("\"{}\"", column.name));
                assert!(is_known || !is_read, "{id} reads {table}.{}", column.name);
            }
        }
    }
}

#[test]
fn where_people_live_is_asked_only_if_the_study_asks() {
    let store = Store::new(TABLES);
    let anywhere = plan_of(&store, "S1", Residence::Anywhere).statement;
    let here = plan_of(&store, "S1", Residence::OnCensusDate).statement;
    assert!(!anywhere.contains("exit_reason\""), "{anywhere}");
    assert!(here.contains("'moved_municipality'"), "{here}");
}

#[test]
fn two_shards_sum_their_own_contacts() {
    let mut store = sharded();
    // With rows enough that sums are worth sending.
    for shard in ["shard0", "shard1"] {
        store.turn_to(shard);
        store.run(
            "insert into stat.contact select 'p' || person, date '2016-01-01' + 31 * month, 'home_visit', 1, 'yes'
               from generate_series(1, 1000) as person, generate_series(0, 11) as month, generate_series(1, 4);
             analyze",
        );
    }
    store.turn_to("postgres");
    for statistic in ["S17", "S18", "S19"] {
        let plan = plan_of(&store, statistic, Residence::Anywhere).plan;
        // What is sent has white space in it, line ends too.
        let plan_text = plan.join(" ");
        let pushed: Vec<&str> = plan_text
            .split("Remote SQL: ")
            .skip(1)
            .filter_map(|sent| sent.split("->").next())
            .filter(|sent| sent.contains("FROM stat.contact"))
            .collect();
        assert_eq!(pushed.len(), 2, "{statistic}\n{}", plan.join("\n"));
        for line in pushed {
            assert!(line.contains("GROUP BY") && line.contains("sum("), "{statistic}: {line}");
        }
    }
}
