use super::{
    AggregateShare, BadAggregate, BadVector, LeaderState, OutputShare, Rejection, Shares, Vdaf,
    joint_part,
};
use crate::digest::Digest;
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use serde_json::Value;
use static_assertions::assert_not_impl_any;
use std::fmt::{Debug, Display};

mod alone;
mod known;

assert_not_impl_any!(Shares: Debug, Display, Clone);
assert_not_impl_any!(LeaderState: Debug, Display, Clone);
assert_not_impl_any!(OutputShare: Debug, Display, Clone);
assert_not_impl_any!(AggregateShare: Debug, Display, Clone);

const KEY: [u8; 32] = [5; 32];
const ID: [u8; 16] = [7; 16];

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

fn task() -> Digest {
    Digest::of("task", b"one")
}

fn small() -> Vdaf {
    Vdaf::new(6, 5).unwrap()
}

/// Both servers' work on one report.
fn verify(vdaf: &Vdaf, shares: &Shares) -> Result<(OutputShare, OutputShare), Rejection> {
    verify_as(vdaf, &KEY, task(), &ID, shares)
}

fn verify_as(
    vdaf: &Vdaf,
    key: &[u8; 32],
    task: Digest,
    id: &[u8; 16],
    Shares { public, leader, helper }: &Shares,
) -> Result<(OutputShare, OutputShare), Rejection> {
    let (state, verifier) = vdaf.leader_start(key, task, id, public, leader)?;
    let (helpers, message) = vdaf.helper_finish(key, task, id, public, helper, &verifier)?;
    // What the helper takes, the leader takes: so this is no `?`.
    Ok((state.finish(&message).ok().unwrap(), helpers))
}

fn split(vdaf: &Vdaf, entries: &[u128]) -> Shares {
    vdaf.split(task(), &ID, entries).ok().unwrap()
}

#[test]
fn the_sum_of_the_halves_is_the_sum_of_the_vectors() {
    let vdaf = small();
    let (mut leader, mut helper) = (vdaf.nothing(), vdaf.nothing());
    for entries in [[0, 1, 2, 3, 30, 31], [31, 31, 31, 31, 31, 31], [0; 6]] {
        let (one, other) = verify(&vdaf, &split(&vdaf, &entries)).ok().unwrap();
        // Each half goes through the bytes of a store on its way.
        let mut job = vdaf.nothing();
        job.add(&one).unwrap();
        leader.merge(&vdaf.aggregate(&job.to_bytes()).ok().unwrap()).unwrap();
        assert_eq!(leader.to_bytes().len(), vdaf.aggregate_bytes());
        helper.add(&other).unwrap();
    }
    assert_eq!(vdaf.open(&leader, &helper, 3).unwrap(), [31, 32, 33, 34, 61, 62]);
    // The sum of three reports is none of one.
    assert_eq!(vdaf.open(&leader, &helper, 1), Err(BadAggregate::Range));
    assert_eq!(vdaf.open(&leader, &leader, 3), Err(BadAggregate::Range));
    assert_eq!(vdaf.open(&vdaf.nothing(), &vdaf.nothing(), 0).unwrap(), [0; 6]);
}

#[test]
fn entries_out_of_range_are_not_split() {
    let vdaf = small();
    for entries in [vec![0; 5], vec![0; 7], vec![], vec![32; 6], vec![u128::MAX; 6]] {
        let refused = vdaf.split(task(), &ID, &entries).err();
        assert_eq!(refused, Some(BadVector::Entries));
    }
    let sizes = [(0, 5), (6, 0), (6, 65), (20_001, 5), (usize::MAX, 64)];
    for (length, bits) in sizes {
        assert_eq!(Vdaf::new(length, bits).err(), Some(BadVector::Size));
    }
    assert!(Vdaf::new(1, 1).is_ok() && Vdaf::new(20_000, 64).is_ok());
}

/// Whoever writes a client of their own can put anything into a share: the proof catches it.
#[test]
fn a_share_of_an_entry_out_of_range_has_no_proof() {
    let vdaf = small();
    // The first field element of the leader's half is the lowest bit of the first entry: one more
    // there is a two or a one, which is in range half of the time but never fits the proof.
    for addend in [1_u8, 2, 200] {
        let mut shares = split(&vdaf, &[3, 0, 0, 0, 0, 0]);
        shares.leader[0] = shares.leader[0].wrapping_add(addend);
        assert_eq!(verify(&vdaf, &shares).err(), Some(Rejection::Proof));
    }
}

#[test]
fn a_report_counts_in_its_task_under_its_id_and_key_alone() {
    let vdaf = small();
    let shares = split(&vdaf, &[1, 2, 3, 4, 5, 6]);
    assert!(verify(&vdaf, &shares).is_ok());
    let other = Digest::of("task", b"two");
    assert_eq!(verify_as(&vdaf, &KEY, other, &ID, &shares).err(), Some(Rejection::Proof));
    assert_eq!(verify_as(&vdaf, &KEY, task(), &[8; 16], &shares).err(), Some(Rejection::Proof));
    // Servers with different keys agree about nothing.
    let (_, verifier) =
        vdaf.leader_start(&KEY, task(), &ID, &shares.public, &shares.leader).ok().unwrap();
    let (public, helper) = (&shares.public, &shares.helper);
    let split_brain = vdaf.helper_finish(&[6; 32], task(), &ID, public, helper, &verifier);
    assert_eq!(split_brain.err(), Some(Rejection::Proof));
    // Nor does a report of another vector.
    let longer = Vdaf::new(7, 5).unwrap();
    assert_eq!(verify(&longer, &shares).err(), Some(Rejection::Malformed));
}

#[test]
fn what_was_altered_anywhere_is_refused_by_one_server_before_either_adds_it() {
    let vdaf = small();
    let good = split(&vdaf, &[1, 2, 3, 4, 5, 6]);
    let (_, verifier) =
        vdaf.leader_start(&KEY, task(), &ID, &good.public, &good.leader).ok().unwrap();
    let copy = || Shares {
        public: good.public.clone(),
        leader: good.leader.clone(),
        helper: good.helper.clone(),
    };
    for place in 0..good.public.len() {
        let mut shares = copy();
        shares.public[place] ^= 1;
        assert_eq!(verify(&vdaf, &shares).err(), Some(Rejection::Proof), "public {place}");
    }
    for place in 0..good.helper.len() {
        let mut shares = copy();
        shares.helper[place] ^= 1;
        assert_eq!(verify(&vdaf, &shares).err(), Some(Rejection::Proof), "helper {place}");
    }
    for place in (0..good.leader.len()).step_by(5) {
        let mut shares = copy();
        shares.leader[place] ^= 1;
        assert!(verify(&vdaf, &shares).is_err(), "leader {place}");
    }
    for place in 0..verifier.len() {
        let mut altered = verifier.clone();
        altered[place] ^= 1;
        let (public, helper) = (&good.public, &good.helper);
        assert!(vdaf.helper_finish(&KEY, task(), &ID, public, helper, &altered).is_err());
    }
}

#[test]
fn the_leader_takes_no_message_but_the_helpers() {
    let vdaf = small();
    let Shares { public, leader, helper } = split(&vdaf, &[1, 2, 3, 4, 5, 6]);
    let start = || vdaf.leader_start(&KEY, task(), &ID, &public, &leader).ok().unwrap();
    let (_, verifier) = start();
    let (_, message) =
        vdaf.helper_finish(&KEY, task(), &ID, &public, &helper, &verifier).ok().unwrap();
    for place in 0..message.len() {
        let mut altered = message.clone();
        altered[place] ^= 1;
        assert_eq!(start().0.finish(&altered).err(), Some(Rejection::Proof));
        assert_eq!(start().0.finish(&message[..place]).err(), Some(Rejection::Malformed));
    }
    assert!(start().0.finish(&message).is_ok());
}

/// The last 32 bytes of a share of the verification are the server's part of the joint randomness,
/// which an honest client publishes: what [`Vdaf::helper_finish`] compares.
#[test]
fn a_client_publishes_the_parts_that_the_servers_compute() {
    let vdaf = small();
    let shares = split(&vdaf, &[1, 2, 3, 4, 5, 6]);
    let (_, verifier) =
        vdaf.leader_start(&KEY, task(), &ID, &shares.public, &shares.leader).ok().unwrap();
    assert_eq!(joint_part(&verifier), &shares.public[..32]);
    assert_eq!(joint_part(&[1; 31]), [0_u8; 0]);
}

#[test]
fn halves_of_other_vectors_do_not_mix() {
    let (vdaf, longer) = (small(), Vdaf::new(7, 5).unwrap());
    let mut half = vdaf.nothing();
    assert_eq!(half.merge(&longer.nothing()), Err(BadAggregate::Form));
    assert_eq!(vdaf.open(&half, &longer.nothing(), 1), Err(BadAggregate::Form));
    assert!(vdaf.aggregate(&[0; 95]).is_err() && vdaf.aggregate(&[0; 97]).is_err());
    // Every field element is less than the modulus.
    assert!(vdaf.aggregate(&[0; 96]).is_ok() && vdaf.aggregate(&[255; 96]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_of_any_kind_and_length_are_refused_and_nothing_panics(
        public in prop::collection::vec(any::<u8>(), 0..130),
        share in prop::collection::vec(any::<u8>(), 0..2_000),
        message in prop::collection::vec(any::<u8>(), 0..400),
        length in 1_usize..9,
        bits in 1_u32..65,
    ) {
        let vdaf = Vdaf::new(length, bits).unwrap();
        if let Ok((state, _)) = vdaf.leader_start(&KEY, task(), &ID, &public, &share) {
            prop_assert!(state.finish(&message).is_err());
        }
        prop_assert!(vdaf.helper_finish(&KEY, task(), &ID, &public, &share, &message).is_err());
        let _any = vdaf.aggregate(&share);
    }

    #[test]
    fn every_vector_in_range_adds_up(
        rows in prop::collection::vec(prop::collection::vec(0_u128..1 << 24, 10), 1..4),
    ) {
        let vdaf = Vdaf::new(10, 24).unwrap();
        let (mut leader, mut helper) = (vdaf.nothing(), vdaf.nothing());
        for row in &rows {
            let (one, other) = verify(&vdaf, &split(&vdaf, row)).ok().unwrap();
            leader.add(&one).unwrap();
            helper.add(&other).unwrap();
        }
        let sums: Vec<u128> =
            (0..10).map(|place| rows.iter().map(|row| row[place]).sum()).collect();
        let count = u32::try_from(rows.len()).unwrap();
        prop_assert_eq!(vdaf.open(&leader, &helper, count).unwrap(), sums);
    }
}
