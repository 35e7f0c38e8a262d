//! The known answers that are published with the draft.

use super::{Vdaf, hex};
use data_encoding::HEXLOWER;
use prio::codec::{Encode, ParameterizedDecode};
use prio::field::Field128;
use prio::vdaf::prio3::{Prio3InputShare, Prio3PublicShare, Prio3SumVec, Prio3VerifierMessage};
use prio::vdaf::{Aggregatable, AggregateShare, Aggregator, Collector, VerifyTransition};
use serde_json::Value;

const TWO_SERVERS: &str = include_str!("../../../../../tests/vendor/vdaf/Prio3SumVec_0.json");
const THREE_SERVERS: &str = include_str!("../../../../../tests/vendor/vdaf/Prio3SumVec_1.json");

fn sums(known: &Value) -> Vec<u128> {
    list(&known["agg_result"]).iter().map(|sum| sum.as_u64().unwrap().into()).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn size(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// Both servers as they ship, byte for byte: shares, messages, halves and sums.
#[test]
fn the_published_answers_for_two_servers_are_ours() {
    let known: Value = serde_json::from_str(TWO_SERVERS).unwrap();
    let highest = u128::from(known["max_measurement"].as_u64().unwrap());
    let vdaf = Vdaf::with(highest, size(&known["length"]), size(&known["chunk_length"])).ok();
    let vdaf = vdaf.unwrap();
    let (key, context) = (hex(&known["verify_key"]).try_into().unwrap(), hex(&known["ctx"]));
    let mut halves = [vdaf.nothing(), vdaf.nothing()];
    for report in list(&known["reports"]) {
        let id = hex(&report["nonce"]).try_into().unwrap();
        let (public, inputs) = (hex(&report["public_share"]), &report["input_shares"]);
        let started = vdaf.start_in(&context, &key, &id, &public, &hex(&inputs[0]));
        let (state, verifier) = started.ok().unwrap();
        assert_eq!(verifier, hex(&report["verifier_shares"][0][0]));
        let finished = vdaf.finish_in(&context, &key, &id, &public, &hex(&inputs[1]), &verifier);
        let (out, message) = finished.ok().unwrap();
        assert_eq!(message, hex(&report["verifier_messages"][0]));
        let outs = [state.finish(&message).ok().unwrap(), out];
        for (role, out) in outs.iter().enumerate() {
            assert_eq!(out.0.get_encoded().unwrap(), hex(&report["out_shares"][role]));
            halves[role].add(out).unwrap();
        }
    }
    for (role, half) in halves.iter().enumerate() {
        assert_eq!(HEXLOWER.encode(&half.to_bytes()), known["agg_shares"][role]);
    }
    let reports = u32::try_from(list(&known["reports"]).len()).unwrap();
    assert_eq!(vdaf.open(&halves[0], &halves[1], reports).unwrap(), sums(&known));
}

/// The draft's other answers are for three servers and a range that is no power of two: the arithmetic
/// below ours gives them.
#[test]
fn the_published_answers_for_three_servers_are_those_of_the_arithmetic_below() {
    let known: Value = serde_json::from_str(THREE_SERVERS).unwrap();
    let highest = u128::from(known["max_measurement"].as_u64().unwrap());
    let (length, chunk) = (size(&known["length"]), size(&known["chunk_length"]));
    let prio = Prio3SumVec::new_sum_vec(3, highest, length, chunk).unwrap();
    let (key, context) = (hex(&known["verify_key"]).try_into().unwrap(), hex(&known["ctx"]));
    let mut halves = [(); 3].map(|()| prio.aggregate_init(&()));
    for report in list(&known["reports"]) {
        let id = hex(&report["nonce"]).try_into().unwrap();
        let public: Prio3PublicShare<32> =
            Prio3PublicShare::get_decoded_with_param(&prio, &hex(&report["public_share"])).unwrap();
        let (mut states, mut verifiers) = (Vec::new(), Vec::new());
        for (role, input) in list(&report["input_shares"]).iter().enumerate() {
            let input: Prio3InputShare<Field128, 32> =
                Prio3InputShare::get_decoded_with_param(&(&prio, role), &hex(input)).unwrap();
            let (state, verifier) =
                prio.verify_init(&key, &context, role, &(), &id, &public, &input).unwrap();
            let expected = hex(&report["verifier_shares"][0][role]);
            assert_eq!(verifier.get_encoded().unwrap(), expected);
            states.push(state);
            verifiers.push(verifier);
        }
        let message: Prio3VerifierMessage<32> =
            prio.verifier_shares_to_message(&context, &(), verifiers).unwrap();
        assert_eq!(message.get_encoded().unwrap(), hex(&report["verifier_messages"][0]));
        for (role, state) in states.into_iter().enumerate() {
            let next = prio.verify_next(&context, state, message.clone()).unwrap();
            let VerifyTransition::Finish(out) = next else { panic!("one round is enough") };
            assert_eq!(out.get_encoded().unwrap(), hex(&report["out_shares"][role]));
            halves[role].accumulate(&out).unwrap();
        }
    }
    let halves: Vec<AggregateShare<Field128>> = halves.into();
    assert_eq!(prio.unshard(&(), halves, list(&known["reports"]).len()).unwrap(), sums(&known));
}
