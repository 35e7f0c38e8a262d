//! The change between two figures that carry independent noise.
//!
//! For counts the law of the noise in each is known, so that the law of the difference is too: an
//! exact interval. For ratios, curves and means only an interval of each figure is known; their
//! difference gets the interval that recovers the variance of each from its own limits (MOVER: Zou and
//! Donner 2008), which keeps a lopsided interval lopsided.
//!
//! **Invariant:** an interval here is about the noise alone, and "no real change" is said exactly when
//! it covers 0.

use crate::present::{TableKind, TableNoise};
use crate::publish::Fixed;
use crate::publish::table_law::{Figure, TableLaw};

/// The normal quantile of that level.
const NORMAL: f64 = 1.959_963_984_540_054;

/// The largest share, as a part of 1 and in per cent.
const WHOLES: [i64; 2] = [1_000_000, 100_000_000];

/// What is known of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The unbiased value.
    pub raw: f64,
    /// How far the noise reaches.
    pub spread: Spread,
}

/// How far the noise of a figure reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spread {
    /// A count whose noise has a known law.
    Count(Figure),
    /// The 95 % interval reaches so far below and above the value.
    Interval {
        /// Below it.
        below: f64,
        /// Above it.
        above: f64,
    },
}

/// The numbers of a figure as they were presented.
#[derive(Debug, Clone, Copy)]
pub(super) struct Presented {
    pub raw: Option<Fixed>,
    pub lower: Option<Fixed>,
    pub upper: Option<Fixed>,
    pub deviation: Option<Fixed>,
}

impl Measured {
    /// What a presentation says of a figure; `None` if it does not give what an interval needs.
    pub(super) fn of(kind: TableKind, noise: &TableNoise, of: Presented) -> Option<Self> {
        let raw = of.raw?.value();
        let deviation = of.deviation.map(Fixed::value);
        let normal = deviation.map(|deviation| NORMAL * deviation);
        if kind == TableKind::Counts {
            let law = deviation.zip(noise.law());
            let spread = law.and_then(|(deviation, law)| law.figure(deviation * deviation));
            let spread = spread.map(Spread::Count);
            let normal = normal.map(|reach| Spread::Interval { below: reach, above: reach });
            return Some(Self { raw, spread: spread.or(normal)? });
        }
        let (Some(lower), Some(upper)) = (of.lower, of.upper) else {
            let reach = normal?;
            return Some(Self { raw, spread: Spread::Interval { below: reach, above: reach } });
        };
        // A limit that was moved to the edge of what is possible no longer says how far the noise
        // reaches on that side: there it is taken to reach as far as on the other.
        let (below, above) = (raw - lower.value(), upper.value() - raw);
        let moved_below = lower.micro() == 0;
        let moved_above = kind != TableKind::Means && WHOLES.contains(&upper.micro());
        let reach = below.max(above).max(normal.unwrap_or(0.0));
        let below = if moved_below { reach } else { below.max(0.0) };
        let above = if moved_above { reach } else { above.max(0.0) };
        Some(Self { raw, spread: Spread::Interval { below, above } })
    }

    fn reach(self) -> (f64, f64) {
        match self.spread {
            Spread::Interval { below, above } => (below, above),
            Spread::Count(figure) => {
                let half = whole(figure.half_width());
                (half, half)
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a half width is far below 2^53")]
fn whole(value: i64) -> f64 {
    value as f64
}

/// Whether a difference can be told from the noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The interval covers 0: no real change.
    NoRealChange,
    /// The interval lies above 0.
    Higher,
    /// The interval lies below 0.
    Lower,
}

/// The difference of two figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The difference of the unbiased values.
    pub difference: Fixed,
    /// Lower end of its 95 % interval.
    pub lower95: Fixed,
    /// Upper end of its 95 % interval.
    pub upper95: Fixed,
    /// Whether it can be told from the noise.
    pub verdict: Verdict,
}

/// The change from `before` to `now`, whose noises are independent; `None` for numbers beyond every
/// figure.
#[must_use]
pub fn change(now: Measured, before: Measured) -> Option<Change> {
    let difference = now.raw - before.raw;
    let (below, above) =
        if let (Spread::Count(new), Spread::Count(old)) = (now.spread, before.spread) {
            let half = whole(TableLaw::of_difference([new, old]));
            (half, half)
        } else {
            let ((new_below, new_above), (old_below, old_above)) = (now.reach(), before.reach());
            (new_below.hypot(old_above), new_above.hypot(old_below))
        };
    let lower95 = Fixed::nearest(difference - below)?;
    let upper95 = Fixed::nearest(difference + above)?;
    let verdict = if lower95.micro() > 0 {
        Verdict::Higher
    } else if upper95.micro() < 0 {
        Verdict::Lower
    } else {
        Verdict::NoRealChange
    };
    Some(Change { difference: Fixed::nearest(difference)?, lower95, upper95, verdict })
}
