//! A node with a program of its own, which encodes entries that are out of their range and proves them
//! as well as that can be done.
//!
//! Entries are encoded in bits, and the proof is about these. Here every field element of the encoding
//! is the liar's to choose, and so is the proof: made for these elements as an honest program makes it,
//! or bent until the circuit that both servers evaluate gives zero. What is left to catch a bent proof
//! is the point at which the servers compare it with the elements, which follows from their key.
//!
//! **Invariant:** the same prover is believed where its entries are in range, and where it was told the
//! key: what it is refused for is the range alone.

use crate::SQLITE;
use crate::scene::Scene;
use fellestall_coordinator::store::reports::ReportState;
use fellestall_shared::digest::Digest;
use fellestall_shared::secure::vdaf::{BadAggregate, Shares, Vdaf};
use fellestall_shared::wire::v1::Rejection;
use prio::codec::Encode;
use prio::field::{Field128, FieldElement};
use prio::flp::gadgets::{Mul, ParallelSum};
use prio::flp::types::SumVec;
use prio::flp::{Flp, FlpError, Gadget, Type};
use prio::vdaf::Client;
use prio::vdaf::prio3::{Prio3, optimal_chunk_length};
use prio::vdaf::xof::{IntoFieldVec, Xof, XofTurboShake128};

/// The draft's version.
const VERSION: u8 = 18;
/// The algorithm's number: `Prio3SumVec`.
const ALGORITHM: u32 = 3;
/// What the servers' point follows from their key for.
const QUERY: u16 = 5;

/// How a proof is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// For the chosen elements, as an honest program makes it.
    Plain,
    /// Bent until the circuit gives zero.
    Bent,
    /// The same, and right at this point.
    BentAt(Field128),
}

/// The circuit of honest programs, with encodings and proofs of the liar's own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Circuit {
    honest: SumVec<Field128, ParallelSum<Field128, Mul>>,
    proof: Proof,
}

impl Circuit {
    fn new(length: usize, bits: u32, proof: Proof) -> Self {
        let highest = (1 << bits) - 1;
        let chunk = optimal_chunk_length(length * usize::try_from(bits).expect("small"));
        Self { honest: SumVec::new(highest, length, chunk).expect("a circuit"), proof }
    }

    /// What the servers see together at a point: the circuit's output, and the proof's value there.
    fn seen(
        &self,
        (input, joint): (&[Field128], &[Field128]),
        proof: &[Field128],
        at: Field128,
    ) -> Result<(Field128, Field128), FlpError> {
        let seen = self.honest.query(input, proof, &[at], joint, 1)?;
        Ok((seen[0], *seen.last().expect("a value")))
    }

    /// Changes two elements of a proof until the circuit gives zero and the value at the point stays.
    /// Both depend on the proof's elements in a straight line.
    fn bend(
        &self,
        of: (&[Field128], &[Field128]),
        mut proof: Vec<Field128>,
        at: Field128,
    ) -> Result<Vec<Field128>, FlpError> {
        let (output, value) = self.seen(of, &proof, at)?;
        let arity = self.honest.gadget()[0].arity();
        let slope = |place: usize| -> Result<(Field128, Field128), FlpError> {
            let mut moved = proof.clone();
            moved[place] += Field128::one();
            let (one, other) = self.seen(of, &moved, at)?;
            Ok((one - output, other - value))
        };
        let slopes = (arity..proof.len().min(arity + 8)).map(|place| Ok((place, slope(place)?)));
        let slopes: Vec<_> = slopes.collect::<Result<_, FlpError>>()?;
        for (n, (one, (a, c))) in slopes.iter().enumerate() {
            for (other, (b, d)) in &slopes[n + 1..] {
                let determinant = *a * *d - *b * *c;
                if determinant != Field128::zero() {
                    proof[*one] -= output * *d / determinant;
                    proof[*other] += output * *c / determinant;
                    assert_eq!(self.seen(of, &proof, at)?, (Field128::zero(), value));
                    return Ok(proof);
                }
            }
        }
        panic!("the proof cannot be bent");
    }
}

impl Flp for Circuit {
    type Field = Field128;

    fn gadget(&self) -> Vec<Box<dyn Gadget<Field128>>> {
        self.honest.gadget()
    }
    fn num_gadgets(&self) -> usize {
        self.honest.num_gadgets()
    }
    fn valid(
        &self,
        gadgets: &mut Vec<Box<dyn Gadget<Field128>>>,
        input: &[Field128],
        joint: &[Field128],
        shares: usize,
    ) -> Result<Vec<Field128>, FlpError> {
        self.honest.valid(gadgets, input, joint, shares)
    }
    fn input_len(&self) -> usize {
        self.honest.input_len()
    }
    fn proof_len(&self) -> usize {
        self.honest.proof_len()
    }
    fn verifier_len(&self) -> usize {
        self.honest.verifier_len()
    }
    fn joint_rand_len(&self) -> usize {
        self.honest.joint_rand_len()
    }
    fn eval_output_len(&self) -> usize {
        self.honest.eval_output_len()
    }
    fn prove_rand_len(&self) -> usize {
        self.honest.prove_rand_len()
    }
    fn prove(
        &self,
        input: &[Field128],
        random: &[Field128],
        joint: &[Field128],
    ) -> Result<Vec<Field128>, FlpError> {
        let proof = self.honest.prove(input, random, joint)?;
        match self.proof {
            Proof::Plain => Ok(proof),
            // A point is guessed: the servers' is another one.
            Proof::Bent => self.bend((input, joint), proof, Field128::from(987_654_321)),
            Proof::BentAt(point) => self.bend((input, joint), proof, point),
        }
    }
}

impl Type for Circuit {
    type Measurement = Vec<Field128>;
    type AggregateResult = Vec<u128>;

    fn encode_measurement(&self, elements: &Vec<Field128>) -> Result<Vec<Field128>, FlpError> {
        Ok(elements.clone())
    }
    fn truncate(&self, input: Vec<Field128>) -> Result<Vec<Field128>, FlpError> {
        self.honest.truncate(input)
    }
    fn decode_result(&self, data: &[Field128], count: usize) -> Result<Vec<u128>, FlpError> {
        self.honest.decode_result(data, count)
    }
    fn output_len(&self) -> usize {
        self.honest.output_len()
    }
}

/// What a vector is bound to, and how large it is.
struct Target {
    task: Digest,
    id: [u8; 16],
    length: usize,
    bits: u32,
}

impl Target {
    fn context(&self) -> Vec<u8> {
        [b"fellestall".as_slice(), self.task.as_bytes()].concat()
    }

    /// The shares of these elements.
    fn shares(&self, elements: &Vec<Field128>, proof: Proof) -> Shares {
        let circuit = Circuit::new(self.length, self.bits, proof);
        let prover = Prio3::<Circuit, XofTurboShake128, 32>::new(2, 1, ALGORITHM, circuit);
        let prover = prover.expect("a prover");
        let (public, inputs) =
            prover.shard(&self.context(), elements, &self.id).expect("shares of anything");
        let bytes = |part: Result<Vec<u8>, _>| part.expect("bytes");
        Shares {
            public: bytes(public.get_encoded()),
            leader: bytes(inputs[0].get_encoded()),
            helper: bytes(inputs[1].get_encoded()),
        }
    }

    /// The point at which servers with this key compare.
    fn point(&self, key: &[u8; 32]) -> Field128 {
        let tag = [&[VERSION, 0][..], &ALGORITHM.to_be_bytes(), &QUERY.to_be_bytes()].concat();
        let mut stream = XofTurboShake128::init(key, &[&tag, &self.context()]);
        stream.update(&[1]);
        stream.update(&self.id);
        stream.into_seed_stream().into_field_vec(1)[0]
    }

    /// An encoding in range: every second bit.
    fn honest(&self) -> Vec<Field128> {
        let bits = self.length * usize::try_from(self.bits).expect("small");
        (0..bits).map(|bit| Field128::from(u128::from(bit % 2 == 0))).collect()
    }

    /// Encodings of which at least one element is no bit.
    fn lies(&self) -> Vec<(&'static str, Vec<Field128>)> {
        let (two, top) = (Field128::from(2), usize::try_from(self.bits).expect("small") - 1);
        let with = |changes: &[(usize, Field128)]| {
            let mut elements = self.honest();
            for (place, element) in changes {
                elements[*place] = *element;
            }
            elements
        };
        let last = self.honest().len() - 1;
        vec![
            ("an entry of twice the highest power", with(&[(top, two)])),
            ("an entry of less than nothing", with(&[(0, -two)])),
            ("the largest element of the field at the end", with(&[(last, -Field128::one())])),
            (
                "a value that is in range, in no bits",
                with(&[(0, two + two), (1, -Field128::one())]),
            ),
            ("a half", with(&[(top, Field128::half())])),
            ("everything", vec![Field128::from(1_000_003); last + 1]),
        ]
    }
}

/// Both servers' work; what it comes to is opened.
fn verify(target: &Target, shares: &Shares, key: &[u8; 32]) -> Result<Vec<u128>, VerifyError> {
    let vdaf = Vdaf::new(target.length, target.bits).expect("a vector");
    let Shares { public, leader, helper } = shares;
    let (task, id) = (target.task, &target.id);
    let (state, message) =
        vdaf.leader_start(key, task, id, public, leader).map_err(VerifyError::Rejected)?;
    let (theirs, message) = vdaf
        .helper_finish(key, task, id, public, helper, &message)
        .map_err(VerifyError::Rejected)?;
    let ours = state.finish(&message).map_err(VerifyError::Rejected)?;
    let mut halves = [vdaf.nothing(), vdaf.nothing()];
    halves[0].add(&ours).expect("added");
    halves[1].add(&theirs).expect("added");
    vdaf.open(&halves[0], &halves[1], 1).map_err(VerifyError::Opened)
}

#[derive(Debug, PartialEq, Eq)]
enum VerifyError {
    Rejected(Rejection),
    Opened(BadAggregate),
}

/// 100 keys for every lie and both kinds of proof: none passes. In range, every proof passes; and out
/// of range the one that was made for the servers' key.
#[test]
fn a_prover_that_cheats_as_well_as_it_can_is_rejected() {
    let target = Target { task: Digest::of("task", b"one"), id: [7; 16], length: 6, bits: 9 };
    let mut caught = 0;
    for (what, elements) in target.lies() {
        for proof in [Proof::Plain, Proof::Bent] {
            let shares = target.shares(&elements, proof);
            for key in 0..100 {
                let told = verify(&target, &shares, &[key; 32]);
                let rejected = Err(VerifyError::Rejected(Rejection::Proof));
                assert_eq!(told, rejected, "{what}, {proof:?}");
                caught += 1;
            }
        }
        let key = [5; 32];
        let shares = target.shares(&elements, Proof::BentAt(target.point(&key)));
        let passed = verify(&target, &shares, &key);
        assert!(!matches!(passed, Err(VerifyError::Rejected(_))), "{what}: the lie is no good one");
        let other = verify(&target, &shares, &[6; 32]);
        assert_eq!(other, Err(VerifyError::Rejected(Rejection::Proof)), "{what}");
    }
    assert_eq!(caught, 1_200);
    for proof in [Proof::Plain, Proof::Bent, Proof::BentAt(target.point(&[5; 32]))] {
        let opened = verify(&target, &target.shares(&target.honest(), proof), &[5; 32]);
        assert_eq!(opened.expect("in range"), [0b1_0101_0101, 0b0_1010_1010].repeat(3));
    }
}

/// Every lie, proved in both ways, by a node of its own, at a leader and a helper that run: in neither
/// sum, and the batch is that of the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_of_cheating_provers_are_in_neither_sum() {
    let scene = Scene::set(SQLITE, 17).await;
    let leader = scene.leader().await;
    let layout = *scene.loaded.round.study().layout().expect("shared");
    let target = |place: usize| Target {
        task: scene.task.digest(),
        id: scene.id(place),
        length: layout.length(),
        bits: layout.bits(),
    };
    let mut places = 0..;
    let mut next = || places.next().expect("a place");
    let honest: Vec<usize> = (0..4).map(|_| next()).collect();
    for place in &honest {
        scene.send(&scene.make(*place)).await;
    }
    let mut liars = Vec::new();
    for lie in 0..target(0).lies().len() {
        for proof in [Proof::Plain, Proof::Bent] {
            let place = next();
            let of = target(place);
            let shares = of.shares(&of.lies()[lie].1, proof);
            scene.send(&scene.signed(place, shares, |_| {})).await;
            liars.push(place);
        }
    }
    leader.open(&scene.loaded).await.expect("opened");
    assert_eq!(scene.opened(1).await.expect("opened"), scene.sums(honest));
    let reports = scene.store.reports(scene.loaded.round.id()).await.expect("reports");
    for place in liars {
        let node = &scene.municipalities[place].node;
        let line = reports.iter().find(|line| line.node == *node).expect("a report");
        let rejected = ReportState::Rejected { reason: Rejection::Proof };
        assert_eq!(line.state, rejected, "{line:?}");
    }
}
