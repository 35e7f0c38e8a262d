//! How a study's shared tables make one vector, and which studies make none.

use super::{BadLayout, Layout, SharedTable};
use crate::catalogue::Catalogue;
use crate::limits::SHARED_CELLS;
use crate::privacy::{Epsilon, Loss, Rho};
use crate::secure::noise::{Share, ShareError};
use crate::secure::{Bytes, SealingKey};
use crate::signed::SigningKey;
use crate::statistic::Statistic;
use crate::wire::v1::{Aggregation, HelperIdentity};

fn gaussian(rho_micro: u64) -> Loss {
    Loss::DiscreteGaussian { rho_micro: Rho::from_micro(rho_micro) }
}

fn laplace(epsilon_micro: u64) -> Loss {
    Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(epsilon_micro) }
}

fn aggregation(tolerated: u32, largest_count: u32) -> Aggregation {
    let (key, _) = SigningKey::generate().expect("a key");
    let sealing_key = SealingKey::try_from(Bytes(vec![7; 32])).expect("32 bytes");
    let helper =
        HelperIdentity { name: "Helper".to_owned(), signing_key: key.verifying_key(), sealing_key };
    Aggregation { tolerated, largest_count, helper }
}

fn statistics() -> Vec<&'static Statistic> {
    Catalogue::builtin().expect("a catalogue").statistics().iter().collect()
}

fn of(
    aggregation: &Aggregation,
    minimum: u32,
    losses: &[Loss],
) -> Result<(Layout, Vec<SharedTable>), BadLayout> {
    let tables: Vec<_> = statistics().into_iter().zip(losses.iter().copied()).collect();
    Layout::of(aggregation, minimum, &tables)
}

#[test]
fn tables_follow_one_another_and_every_entry_has_room() {
    let losses = [gaussian(125_000), laplace(1_000_000), gaussian(5_000)];
    let (layout, tables) = of(&aggregation(2, 5_000), 10, &losses).expect("a layout");
    let mut start = 0;
    for table in &tables {
        assert_eq!(table.start, start);
        assert_eq!((table.noise.cells(), table.noise.sharing()), (table.cells, layout.sharing()));
        start += table.cells;
        // The largest count with forty times the share's scale fits, and so does that below zero.
        let scale = match table.noise.share() {
            Share::DiscreteGaussian { sigma } => sigma,
            Share::Polya { epsilon, l1, .. } => f64::from(l1) / epsilon.value(),
        };
        let far = (40.0 * scale).ceil() as i64;
        let factor = i64::from(table.noise.factor());
        for value in [0, -far, 5_000 * factor, 5_000 * factor + far] {
            let entry = layout.entry(value).expect("it fits");
            assert_eq!(layout.value(entry, 1), Some(value));
        }
    }
    assert_eq!((layout.length(), layout.sharing().honest()), (start, 8));
    // No bit more than is needed: half of the range would be too little.
    let most = tables.iter().map(|table| table.noise.factor()).max().expect("a table");
    let least = 5_000 * i64::from(most);
    assert!(layout.offset() > least && layout.offset() <= 1 << layout.bits());
    assert_eq!(layout.entry(layout.offset()), None);
    assert_eq!(layout.entry(-layout.offset() - 1), None);
    assert_eq!(layout.entry(i64::MAX), None);
}

#[test]
fn a_sum_of_entries_is_the_sum_of_values() {
    let (layout, _) = of(&aggregation(0, 100), 3, &[gaussian(125_000)]).expect("a layout");
    let values = [-17, 0, 250, -3];
    let sum = values.into_iter().map(|value| layout.entry(value).expect("it fits")).sum();
    assert_eq!(layout.value(sum, 4), Some(230));
    assert_eq!(layout.value(u128::MAX, 4), None);
}

#[test]
fn what_makes_no_vector_is_refused() {
    let refused = |tolerated, largest, minimum, losses: &[Loss]| {
        of(&aggregation(tolerated, largest), minimum, losses).expect_err("no layout")
    };
    let good = [gaussian(125_000)];
    assert_eq!(refused(5, 100, 5, &good), BadLayout::Sharing);
    assert_eq!(refused(0, 0, 5, &good), BadLayout::LargestCount);
    assert_eq!(refused(0, 1_000_001, 5, &good), BadLayout::LargestCount);
    let noise = |loss, expected| {
        let refused = refused(0, 100, 5, &[loss]);
        assert!(matches!(refused, BadLayout::Noise { source, .. } if source == expected));
    };
    noise(gaussian(0), ShareError::Loss);
    noise(laplace(1), ShareError::Scale);
    let all: Vec<_> = statistics().into_iter().map(|it| (it, gaussian(125_000))).collect();
    let many: Vec<_> = std::iter::repeat_n(all, 64).flatten().collect();
    assert!(many.iter().map(|(it, _)| it.cells()).sum::<usize>() > SHARED_CELLS);
    let refused = Layout::of(&aggregation(0, 100), 5, &many).expect_err("no layout");
    assert_eq!(refused, BadLayout::Cells);
}
