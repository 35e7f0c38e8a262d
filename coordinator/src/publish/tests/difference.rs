//! The guard against setting single municipalities apart.

use super::*;

fn earlier(
    federation: &Federation,
    version: u32,
    nodes: &[usize],
    minimum: u32,
) -> EarlierPublication {
    EarlierPublication {
        round: federation.round.id().clone(),
        version,
        period: federation.round.period(),
        statistics: ["S2".parse().unwrap()].into(),
        municipalities: nodes.iter().map(|node| federation.nodes[*node].1.clone()).collect(),
        minimum_difference: minimum,
    }
}

fn check(now: &[usize], before: &[&[usize]], minimum: u32) -> Result<(), PublishError> {
    let study =
        StudyDocument { minimum_difference: minimum, ..document(&[("S2", gaussian(50_000))]) };
    let federation = Federation::new(&study, 12);
    let participants =
        now.iter().map(|node| federation.participant(*node, Some(&|_, _| 1))).collect();
    let mut input = federation.input(participants);
    input.version = u32::try_from(before.len()).unwrap() + 1;
    input.earlier = before
        .iter()
        .zip(1..)
        .map(|(nodes, version)| earlier(&federation, version, nodes, minimum))
        .collect();
    publish(input).map(|_| ())
}

#[test]
fn a_new_version_differs_by_none_or_by_enough_municipalities() {
    let first = &[0, 1, 2, 3, 4, 5][..];
    assert_eq!(check(first, &[first], 3), Ok(()));
    assert_eq!(check(&[0, 1, 2, 3, 4, 5, 6, 7, 8], &[first], 3), Ok(()));
    for late in [&[6][..], &[6, 7]] {
        let now = [first, late].concat();
        let refused = check(&now, &[first], 3);
        let wrong = matches!(&refused, Err(PublishError::TooSimilar { alone, minimum: 3, .. }) if *alone == late.len());
        assert!(wrong, "{late:?}: {refused:?}");
    }
    // Dropping one municipality shows it as well as adding one.
    assert!(check(&[0, 1, 2, 3, 4], &[first], 3).is_err());
}

#[test]
fn two_differences_together_set_no_municipality_apart() {
    // Each pair of versions differs by enough, but the second and third show municipality 8 alone.
    let first = &[0, 1, 2, 3][..];
    let second = &[0, 1, 2, 3, 4, 5, 6][..];
    let third = &[0, 1, 2, 3, 4, 5, 6, 8, 9, 10][..];
    assert_eq!(check(third, &[first, second], 3), Ok(()));
    let crossing = &[0, 1, 2, 3, 6, 8, 9][..];
    assert!(check(crossing, &[first], 3).is_ok());
    assert!(check(crossing, &[first, second], 3).is_err());
}

#[test]
fn another_study_over_the_same_table_and_period_counts_too() {
    let federation = Federation::new(&document(&[("S2", gaussian(50_000))]), 6);
    let refused = |change: &dyn Fn(&mut EarlierPublication)| {
        let all = federation.everyone(|_, _, _| 1);
        let mut input = federation.input(all);
        let mut other = earlier(&federation, 3, &[0, 1, 2, 3, 4], 2);
        other.round = "other.1.2026H1".parse().unwrap();
        change(&mut other);
        input.earlier = vec![other];
        publish(input).is_err()
    };
    assert!(refused(&|_| ()));
    assert!(!refused(&|other| other.statistics = ["S5".parse().unwrap()].into()));
    assert!(!refused(&|other| other.period = "2025H2".parse().unwrap()));
    assert!(!refused(&|other| other.municipalities.pop_first().map_or((), |_| ())));
    // A quarter that ends on the same day has the same state of everybody on that day.
    assert!(refused(&|other| other.period = federation.round.period().last_quarter()));
    assert!(!refused(&|other| other.period = "2026K1".parse().unwrap()));
    // The stricter of the two studies decides.
    assert!(refused(&|other| {
        other.municipalities.pop_first();
        other.minimum_difference = 3;
    }));
}
