//! The contents of a table: a figure, its uncertainty and its coverage.
//!
//! **Invariant:** codes are those that clients already ask for.

use crate::present::Figure;
use fellestall_shared::labels::Labels;

/// What stands in the contents dimension, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// The presentable value.
    Shown,
    /// Lower end of its 95 % interval.
    Lower,
    /// Upper end of its 95 % interval.
    Upper,
    /// The standard deviation of the noise.
    Deviation,
    /// The unbiased value.
    Raw,
    /// Municipalities in the figure.
    Municipalities,
    /// Municipalities that were asked.
    Asked,
}

impl Measure {
    /// All measures, in the order of the contents dimension.
    pub const ALL: [Self; 7] = [
        Self::Shown,
        Self::Lower,
        Self::Upper,
        Self::Deviation,
        Self::Raw,
        Self::Municipalities,
        Self::Asked,
    ];

    /// The code of this measure of a figure.
    #[must_use]
    pub fn code(self, figure: &Figure) -> String {
        let figure = &figure.code;
        match self {
            Self::Shown => figure.clone(),
            Self::Lower => format!("{figure}_nedre95"),
            Self::Upper => format!("{figure}_ovre95"),
            Self::Deviation => format!("{figure}_stoysd"),
            Self::Raw => format!("{figure}_ra"),
            Self::Municipalities => "Kommuner".to_owned(),
            Self::Asked => "Kommuner_spurt".to_owned(),
        }
    }

    /// The label of this measure of a figure.
    #[must_use]
    pub fn label(self, figure: &Figure) -> Labels {
        let Labels { nb, nn, en } = &figure.label;
        let with = |nb_after: &str, nn_after: &str, en_after: &str| Labels {
            nb: format!("{nb}, {nb_after}"),
            nn: format!("{nn}, {nn_after}"),
            en: format!("{en}, {en_after}"),
        };
        let alone = |nb: &str, nn: &str, en: &str| Labels {
            nb: nb.to_owned(),
            nn: nn.to_owned(),
            en: en.to_owned(),
        };
        match self {
            Self::Shown => figure.label.clone(),
            Self::Lower => with(
                "nedre grense (95\u{a0}%)",
                "nedre grense (95\u{a0}%)",
                "lower limit (95\u{a0}%)",
            ),
            Self::Upper => with(
                "øvre grense (95\u{a0}%)",
                "øvre grense (95\u{a0}%)",
                "upper limit (95\u{a0}%)",
            ),
            Self::Deviation => with(
                "støyens standardavvik",
                "standardavviket til støyen",
                "standard deviation of the noise",
            ),
            Self::Raw => with("forventningsrett verdi", "forventningsrett verdi", "unbiased value"),
            Self::Municipalities => {
                alone("Kommuner i tallet", "Kommunar i talet", "Municipalities in the figure")
            }
            Self::Asked => {
                alone("Kommuner som er spurt", "Kommunar som er spurde", "Municipalities asked")
            }
        }
    }

    /// What this measure of a figure is counted in.
    #[must_use]
    pub fn unit(self, figure: &Figure) -> Labels {
        match self {
            Self::Municipalities | Self::Asked => Labels {
                nb: "kommuner".to_owned(),
                nn: "kommunar".to_owned(),
                en: "municipalities".to_owned(),
            },
            _ => figure.unit.clone(),
        }
    }

    /// Decimals that this measure of a figure is shown with.
    #[must_use]
    pub fn decimals(self, figure: &Figure) -> u8 {
        match self {
            Self::Municipalities | Self::Asked => 0,
            Self::Deviation => figure.decimals.saturating_add(2),
            _ => figure.decimals,
        }
    }
}
