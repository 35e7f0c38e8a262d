//! Both kernels give the same integers and the same digest, over drawn records.

use super::drawn::{Draw, people};
use super::store::{Store, TABLES};
use crate::kernel::consent::{SnapshotKey, Terms, Withdrawal, cohort};
use crate::kernel::count::count;
use crate::kernel::people::{PURPOSE, key, period, records, terms};
use crate::kernel::postgres::layout::Layout;
use crate::kernel::postgres::scope::Who;
use crate::kernel::postgres::session::Session;
use crate::kernel::postgres::{cells, check, digest};
use crate::kernel::records::Records;
use crate::kernel::residence::is_counted_here;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{Purpose, ReleaseId};
use fellestall_shared::wire::v1::{LegalBasis, Residence};

/// Every combination of a ground, a rule of withdrawal, a place and a period.
fn whos(purpose: &Purpose, terms: &[Terms; 2], mut see: impl FnMut(usize, &Who<'_>)) {
    let mut at = 0;
    for basis in [LegalBasis::Consent, LegalBasis::PublicTask] {
        for terms in terms {
            for residence in [Residence::Anywhere, Residence::OnCensusDate] {
                for text in ["2016", "2016H1", "2016H2"] {
                    see(at, &Who { purpose, basis, terms, residence, period: period(text) });
                    at += 1;
                }
            }
        }
    }
}

pub fn both_terms() -> [Terms; 2] {
    [terms(), Terms { withdrawal: Withdrawal::AtOnce, ..terms() }]
}

/// Compares every statistic over these records, for one in `parts` of the combinations.
fn compare(store: &Store, records: &Records, seed: u64, parts: usize) {
    let purpose: Purpose = PURPOSE.parse().expect("a purpose");
    let mut session = Session::open(&store.config).expect("a session");
    let layout = Layout::read(&mut session).expect("a layout");
    check::refuse_broken(&mut session, &layout).expect("sound records");
    let mut choose = Draw::new(seed);
    let chosen = choose.below(parts);
    whos(&purpose, &both_terms(), |at, who| {
        if at % parts != chosen {
            return;
        }
        let counted = cohort(records, who.purpose, who.basis, who.terms, who.period)
            .of_those(|row| is_counted_here(row, who.residence, who.census()));
        let (question, snapshot) = (
            ReleaseId::of(Digest::of("q", b"q"), who.period, &"4601".parse().expect("a number")),
            SnapshotKey::from_bytes([9; 32]),
        );
        let own = digest(&mut session, &layout, who, question, &snapshot).expect("a digest");
        assert_eq!(
            own,
            counted.snapshot(question, &snapshot),
            "seed {seed}: the digest of the cohort"
        );
        for statistic in Catalogue::builtin().expect("a catalogue").statistics() {
            let expected = count(&[(statistic, statistic.bound())], who.period, &counted, &key())
                .expect("a count");
            let expected = expected.into_iter().next().expect("a table").into_parts().0;
            let found = cells(&mut session, &layout, statistic, who, &key()).expect("a count");
            assert_eq!(
                found,
                expected,
                "seed {seed}: {} by {:?} {:?} {:?} over {}",
                statistic.id(),
                who.basis,
                who.terms.withdrawal,
                who.residence,
                who.period
            );
        }
    });
    session.end();
}

fn drawn_and_compared(store: &mut Store, seeds: std::ops::Range<u64>, parts: usize) {
    for seed in seeds {
        let mut draw = Draw::new(seed);
        let people = people(&mut draw);
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        let records = records(&people);
        store.load(&records, &mut draw);
        compare(store, &records, seed, parts);
    }
}

#[test]
fn a_database_counts_what_the_file_kernel_counts() {
    drawn_and_compared(&mut Store::new(TABLES), 0..40, 12);
}
