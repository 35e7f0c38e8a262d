//! Printed numbers, exactly as printed.
//!
//! **Invariant:** no floating point: a printed 62 % is 62 with no decimals, and fits what rounds
//! to it.

/// Decimals of a printed number, at the most.
const DECIMALS: u32 = 4;
/// All numbers are held as multiples of `10^-DECIMALS`.
const ONE: u64 = 10_000;
/// The largest number that is read; far beyond any figure, and safe to multiply.
const LARGEST: u64 = 1_000_000_000;

/// What stands in a printed table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Printed {
    /// Nothing, or a dash.
    Nothing,
    /// A number.
    Number(Number),
}

/// A number and the accuracy with which it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    ten_thousandths: u64,
    decimals: u32,
}

impl Printed {
    /// `18`, `1 234`, `68,6`, `62 %`; nothing for an empty text or a dash; `None` for others.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let text = text.strip_suffix('%').unwrap_or(&text);
        if matches!(text, "" | "-" | "–" | "—") {
            return Some(Self::Nothing);
        }
        let (whole, fraction) = text.split_once([',', '.']).unwrap_or((text, ""));
        let decimals = u32::try_from(fraction.len()).ok()?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || decimals > DECIMALS || !digits(whole) || !digits(fraction) {
            return None;
        }
        if fraction.is_empty() && text.contains([',', '.']) {
            return None;
        }
        let whole: u64 = whole.parse().ok().filter(|whole| *whole <= LARGEST)?;
        let scale = 10_u64.checked_pow(DECIMALS.checked_sub(decimals)?)?;
        let fraction: u64 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        let ten_thousandths = whole.checked_mul(ONE)?.checked_add(fraction.checked_mul(scale)?)?;
        Some(Self::Number(Number { ten_thousandths, decimals }))
    }

    /// The number, if one is printed.
    pub(super) fn number(self) -> Option<Number> {
        match self {
            Self::Nothing => None,
            Self::Number(number) => Some(number),
        }
    }

    /// Whether a zero is printed.
    pub(super) fn is_zero(self) -> bool {
        self.number().is_some_and(|number| number.ten_thousandths == 0)
    }
}

impl Number {
    /// The number in ten-thousandths, for sums and comparisons.
    pub(super) fn ten_thousandths(self) -> u64 {
        self.ten_thousandths
    }

    /// Whether this percentage is `numerator` of `denominator` less `fewer`, rounded either way at
    /// a half; `None` if the denominator is used up.
    pub(super) fn is_share(self, numerator: Self, denominator: Self, fewer: u64) -> Option<bool> {
        let denominator = denominator.ten_thousandths.checked_sub(fewer.checked_mul(ONE)?)?;
        if denominator == 0 || denominator < numerator.ten_thousandths {
            return None;
        }
        // |100 n/d - p| <= half of the last printed decimal, times 2 d, in ten-thousandths.
        let share = u128::from(numerator.ten_thousandths).checked_mul(200)?;
        let share = share.checked_mul(u128::from(ONE))?;
        let printed = u128::from(self.ten_thousandths).checked_mul(2)?;
        let printed = printed.checked_mul(u128::from(denominator))?;
        let last = 10_u128.checked_pow(DECIMALS.checked_sub(self.decimals)?)?;
        Some(share.abs_diff(printed) <= last.checked_mul(u128::from(denominator))?)
    }
}
