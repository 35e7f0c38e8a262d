//! Both kernels give the same integers and the same digest, over drawn records.

use super::drawn::{Draw, people};
use super::store::{Store, TABLES, partitioned, sharded};
use crate::kernel::consent::{SnapshotKey, Standing, Terms, Withdrawal, cohort, standing};
use crate::kernel::count::count;
use crate::kernel::people::{PURPOSE, key, period, records, statistic, terms};
use crate::kernel::person::{Person, PersonId, YesNo};
use crate::kernel::postgres::layout::Layout;
use crate::kernel::postgres::scope::Who;
use crate::kernel::postgres::session::Session;
use crate::kernel::postgres::{cells, check, coverage, digest, person};
use crate::kernel::records::{Member, Records};
use crate::kernel::residence::is_counted_here;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{Purpose, ReleaseId};
use fellestall_shared::statistic::{Category, Statistic};
use fellestall_shared::wire::v1::{LegalBasis, Residence};
use std::collections::{BTreeMap, BTreeSet};

/// The cells of each statistic that were not zero in some set.
type Seen = BTreeMap<&'static str, BTreeSet<usize>>;

fn statistics() -> &'static [Statistic] {
    Catalogue::builtin().expect("a catalogue").statistics()
}

/// Every combination of a ground, a rule of withdrawal, a place and a period: 24.
fn whos(purpose: &Purpose, terms: &[Terms; 2], mut see: impl FnMut(usize, &Who<'_>)) {
    let mut at = 0;
    for basis in [LegalBasis::Consent, LegalBasis::PublicTask] {
        for terms in terms {
            for residence in [Residence::Anywhere, Residence::OnCensusDate] {
                for text in ["2016", "2016H1", "2016H2"] {
                    let period = period(text);
                    let (census, period) = (period.last_day(), Some(period));
                    see(at, &Who { purpose, basis, terms, residence, census, period });
                    at += 1;
                }
            }
        }
    }
}

fn both_terms() -> [Terms; 2] {
    [terms(), Terms { withdrawal: Withdrawal::AtOnce, ..terms() }]
}

/// Compares every statistic, the digest and the consents over these records, for one in `parts` of the
/// combinations.
fn compare(store: &Store, records: &Records, (seed, parts): (u64, usize), union: &mut Seen) {
    let purpose: Purpose = PURPOSE.parse().expect("a purpose");
    let mut session = Session::open(&store.config).expect("a session");
    let layout = Layout::read(&mut session).expect("a layout");
    check::refuse_broken(&mut session, &layout).expect("sound records");
    let chosen = Draw::new(seed).below(parts);
    whos(&purpose, &both_terms(), |at, who| {
        if at % parts != chosen {
            return;
        }
        let Who { basis, terms, residence, census, .. } = *who;
        let period = who.period.expect("a period");
        let about = format!("seed {seed}: {basis:?} {:?} {residence:?} {period}", terms.withdrawal);
        let counted = cohort(records, &purpose, basis, terms, period)
            .of_those(|row| is_counted_here(row, residence, census));
        let question =
            ReleaseId::of(Digest::of("q", b"q"), period, &"4601".parse().expect("a number"));
        let snapshot = SnapshotKey::from_bytes([9; 32]);
        let own = digest(&mut session, &layout, who, question, &snapshot).expect("a digest");
        assert_eq!(own, counted.snapshot(question, &snapshot), "{about}: the cohort");
        let found = coverage::standings(&mut session, &layout, who).expect("the standings");
        for wanted in [
            Standing::Counted,
            Standing::NotGiven,
            Standing::Objected,
            Standing::Expired,
            Standing::OtherForm,
            Standing::Unknown,
        ] {
            let is = |person: &Person| {
                standing(&person.consents, &purpose, basis, terms, census) == wanted
            };
            let expected = records.people().filter(|one| is(one.person)).count();
            let found: usize =
                found.iter().filter(|(one, _)| *one == wanted).map(|(_, people)| people).sum();
            assert_eq!(found, expected, "{about}: the consents");
        }
        for statistic in statistics() {
            let asked = [(statistic, statistic.bound())];
            let mut expected = count(&asked, period, &counted, &key()).expect("a count");
            let expected = expected.pop().expect("a table").into_parts().0;
            let some = expected.iter().enumerate().filter(|(_, count)| **count != 0);
            union.entry(statistic.id().as_str()).or_default().extend(some.map(|(cell, _)| cell));
            let found = cells(&mut session, &layout, statistic, who, &key()).expect("a count");
            assert_eq!(found, expected, "{about}: {}", statistic.id());
        }
    });
    session.end();
}

/// Draws, loads and compares one set of records for each number.
fn check_drawn(store: &mut Store, seeds: std::ops::Range<u64>, parts: usize) -> Seen {
    let mut union = Seen::new();
    for seed in seeds {
        let mut draw = Draw::new(seed);
        let people = people(&mut draw);
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        let records = records(&people);
        store.load(&records, &mut draw);
        compare(store, &records, (seed, parts), &mut union);
    }
    union
}

#[test]
fn a_database_counts_what_the_file_kernel_counts() {
    let union = check_drawn(&mut Store::new(TABLES), 0..80, 12);
    // Nothing is compared in vain: the drawn people are in nearly every cell that 2016 can have.
    for statistic in statistics() {
        let seen = union.get(statistic.id().as_str()).map_or(0, BTreeSet::len);
        let least = match statistic.id().as_str() {
            "S1" => 7,
            "S3" => 40,
            "S10" => 18,
            "S28" => 30,
            // Only two ways of ending are a loss.
            "S8" => 2,
            _ => statistic.cells(),
        };
        let codes = |cell| {
            let categories = statistic.categories_of(cell).expect("a cell");
            categories.into_iter().map(Category::code).collect::<Vec<_>>().join(" ")
        };
        let missing: Vec<String> = (0..statistic.cells())
            .filter(|cell| {
                !union.get(statistic.id().as_str()).is_some_and(|seen| seen.contains(cell))
            })
            .map(codes)
            .collect();
        assert!(seen >= least, "{}: nobody in {}", statistic.id(), missing.join(", "));
    }
}

/// The people that the tests of each variable describe: every edge that its definition has.
fn described() -> Vec<&'static str> {
    let sources = [
        include_str!("../../variable/tests.rs"),
        include_str!("../../variable/tests/events.rs"),
        include_str!("../../variable/tests/forms.rs"),
        include_str!("../../variable/tests/housing.rs"),
        include_str!("../../variable/tests/loss.rs"),
    ];
    let texts = sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2));
    let clauses = [
        "in ",
        "home ",
        "exit ",
        "stay ",
        "complaint ",
        "contact ",
        "form ",
        "score ",
        "born ",
        "gender ",
        "came ",
        "specialist ",
        "substitution ",
    ];
    let is_person = |text: &&str| {
        clauses.iter().any(|clause| text.starts_with(clause)) && !text.contains(['{', '\\'])
    };
    // A score off the scale is rejected, and not counted as unknown.
    let is_sound = |text: &&str| {
        crate::kernel::people::person(text)
            .satisfactions
            .iter()
            .all(|row| row.score.is_none_or(|score| (1..=7).contains(&score)))
    };
    texts.filter(is_person).filter(is_sound).collect()
}

#[test]
fn every_case_of_every_definition_counts_the_same() {
    let (mut store, mut draw) = (Store::new(TABLES), Draw::new(5));
    let people = described();
    assert!(people.len() > 120, "the cases are found: {}", people.len());
    let found = records(&people);
    store.load(&found, &mut draw);
    compare(&store, &found, (5_000, 1), &mut Seen::new());
    // Few at a time, so that no two faults make up for each other.
    for (at, few) in (5_001..).zip(people.chunks(4)) {
        let found = records(few);
        store.load(&found, &mut draw);
        compare(&store, &found, (at, 12), &mut Seen::new());
    }
}

#[test]
fn partitions_by_participant_count_the_same() {
    check_drawn(&mut Store::new(&partitioned()), 1_000..1_020, 12);
}

#[test]
fn a_cluster_of_two_shards_counts_the_same() {
    check_drawn(&mut sharded(), 2_000..2_020, 12);
}

#[test]
fn contacts_one_by_one_count_the_same() {
    let tables = TABLES.replace(
        "create table contact (participant_id text, month date, category text, count bigint, recorded text);",
        "create table contact (participant_id text, date date, category text);",
    );
    assert!(tables.contains("contact (participant_id text, date"));
    let mut store = Store::new(&tables);
    for seed in 3_000..3_015 {
        let mut draw = Draw::new(seed);
        let people = people(&mut draw);
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        // What an export of events says: each is a contact, and there are no others.
        let mut named = BTreeMap::new();
        for Member { id, person, .. } in records(&people).people() {
            let mut person = person.clone();
            for contact in &mut person.contacts {
                contact.count = 1;
                contact.recorded = YesNo::Yes;
            }
            named.insert(id.clone(), person);
        }
        let records = Records::new(named.into_iter().collect());
        store.load_events(&records, &mut draw);
        compare(&store, &records, (seed, 12), &mut Seen::new());
    }
}

#[test]
fn identifiers_and_codes_may_have_other_types_and_tables_may_be_views() {
    let tables = TABLES
        .replace("participant_id text", "participant_id integer")
        .replace("gender text", "gender gender")
        .replace("create table contact", "create table all_contacts");
    let tables = format!(
        "create type gender as enum ('woman', 'man'); {tables}
         create view contact as select participant_id, month, category, count, recorded from all_contacts where count > 0"
    );
    let mut store = Store::new(&tables);
    store.run(
        "set search_path = stat;
         insert into participant (participant_id, intake_date, gender) select i, '2016-01-01', case when i > 3 then 'woman'::gender end from generate_series(1, 9) as i;
         insert into consent (participant_id, purpose, status, mode, date, form_version) select i, 'housing-first-statistics', 'given', 'oral', '2016-01-02', '2010-1' from generate_series(1, 8) as i;
         insert into all_contacts select i, '2016-12-24', 'nav', i - 1, 'yes' from generate_series(1, 8) as i",
    );
    let mut session = Session::open(&store.config).expect("a session");
    let layout = Layout::read(&mut session).expect("a layout");
    check::refuse_broken(&mut session, &layout).expect("sound records");
    let purpose: Purpose = PURPOSE.parse().expect("a purpose");
    let mut found = Vec::new();
    whos(&purpose, &both_terms(), |at, who| {
        for id in ["S18", "S19", "S26"].into_iter().filter(|_| at == 0) {
            let own = cells(&mut session, &layout, statistic(id), who, &key()).expect("a count");
            found.push(own.into_iter().filter(|count| *count > 0).collect::<Vec<_>>());
        }
    });
    // Seven with a contact; 1 + .. + 7 contacts; five women and three of whom it is not known.
    assert_eq!(found, [vec![7], vec![28], vec![5, 3]]);
}

#[test]
fn one_participants_rows_are_those_that_an_export_has() {
    let mut store = Store::new(TABLES);
    for seed in 4_000..4_004 {
        let mut draw = Draw::new(seed);
        let people = people(&mut draw);
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        let records = records(&people);
        store.load(&records, &mut draw);
        let read: BTreeMap<PersonId, Person> = records
            .people()
            .map(|Member { id, .. }| {
                let person = person(&store.config, id).expect("rows").expect("somebody");
                (id.clone(), person)
            })
            .collect();
        // The same people give the same counts, whatever is asked.
        compare(&store, &Records::new(read.into_iter().collect()), (seed, 12), &mut Seen::new());
    }
    let nobody = PersonId::new("nobody").expect("an identifier");
    assert!(person(&store.config, &nobody).expect("no rows").is_none());
}
