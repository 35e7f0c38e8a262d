//! The sum that two servers open over the reports of real kernels.

use super::{Node, answer, opened, participant, question, task_of};
use fellestall_shared::secure::noise::Share;
use fellestall_shared::secure::vdaf::Vdaf;

/// Of each municipality's six people one has opted out: two women, two men, one unknown.
const EXACT: [i64; 3] = [2, 2, 1];
const NODES: u32 = 5;
const PERIODS: [&str; 8] =
    ["2021H1", "2021H2", "2022H1", "2022H2", "2023H1", "2023H2", "2024H1", "2024H2"];

/// The opened sum is the exact one with the noise of all shares: over all cells the mean error is within
/// six standard errors (alpha 2e-9), and no single one is beyond eight standard deviations.
#[test]
fn an_opened_sum_is_the_exact_one_with_the_declared_noise() {
    let nodes: Vec<Node> = (0..NODES)
        .map(|number| {
            let mut node = Node::new(10_000_000);
            node.municipality = format!("460{}", number + 1);
            node
        })
        .collect();
    let (mut errors, mut cells) = (0.0_f64, 0.0_f64);
    for about in PERIODS {
        let asked = question(about);
        let task = task_of(&asked, nodes.iter().map(participant).collect());
        let layout = asked.study().layout().expect("shared");
        let vdaf = Vdaf::of(layout).expect("a vector");
        let (mut leader, mut helper) = (vdaf.nothing(), vdaf.nothing());
        for node in &nodes {
            let (report, sent, share) = opened(&answer(node, &asked, &task), &task, &asked);
            let (id, public) = (report.id(), &report.document().public_share.0);
            let (state, verifier) = vdaf
                .leader_start(&[9; 32], task.digest(), &id, public, &sent.leader_share.0)
                .expect("well formed");
            let (of_helper, message) = vdaf
                .helper_finish(&[9; 32], task.digest(), &id, public, &share, &verifier)
                .expect("it holds");
            leader.add(&state.finish(&message).expect("it holds")).expect("added");
            helper.add(&of_helper).expect("added");
        }
        let sums = vdaf.open(&leader, &helper, NODES).expect("opened");
        let values: Vec<i64> =
            sums.iter().map(|sum| layout.value(*sum, NODES).expect("a value")).collect();
        for table in asked.study().tables().iter().filter_map(|table| table.shared) {
            let Share::DiscreteGaussian { sigma } = table.noise.share() else { panic!("Gaussian") };
            let deviation = sigma * f64::from(NODES).sqrt();
            let factor = i64::from(table.noise.factor());
            let of_table = &values[table.start..table.start + table.cells];
            for (value, exact) in of_table.iter().zip(EXACT) {
                let error = value - factor * exact * i64::from(NODES);
                let error = f64::from(i32::try_from(error).expect("small")) / deviation;
                assert!(error.abs() < 8.0, "{about}: {error} standard deviations");
                errors += error;
                cells += 1.0;
            }
        }
    }
    assert!((errors / cells.sqrt()).abs() < 6.0, "{errors} over {cells} cells");
    assert!(cells > 40.0);
}
