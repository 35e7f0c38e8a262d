//! Goodness of fit: exact probability masses, the G-test, and the tail of chi-square.
//!
//! **Invariant:** independent of the sampler and of the library it comes from.

/// A distribution on the integers that is symmetric about 0, as masses of 0, 1, 2, ...
pub struct Masses(Vec<f64>);

impl Masses {
    /// The discrete Gaussian: mass proportional to `exp(-x^2 / (2 sigma^2))`.
    pub fn gaussian(sigma: f64) -> Self {
        Self::of(|x| -x * x / (2.0 * sigma * sigma), 40.0 * sigma + 40.0)
    }

    /// The discrete Laplace: mass proportional to `exp(-|x| / b)`.
    pub fn laplace(b: f64) -> Self {
        Self::of(|x| -x / b, 40.0 * b + 40.0)
    }

    /// The difference of two independent negative binomials of `successes` at `exp(-1 / b)`.
    pub fn polya(b: f64, successes: f64) -> Self {
        let q = (-1.0 / b).exp();
        let mut one = vec![(1.0 - q).powf(successes)];
        for j in (0..).map(f64::from).take_while(|j| *j < 40.0 * b + 40.0) {
            one.push(one[one.len() - 1] * q * (j + successes) / (j + 1.0));
        }
        let at = |x: usize| one.iter().zip(&one[x..]).map(|(a, b)| a * b).sum::<f64>();
        Self((0..one.len()).map(at).collect())
    }

    /// The sum of so many independent draws from this, by convolution.
    pub fn sum(&self, draws: usize) -> Self {
        let mirrored =
            |half: &[f64]| -> Vec<f64> { half.iter().skip(1).rev().chain(half).copied().collect() };
        let convolved = |a: &Self, b: &Self| {
            let (a, b) = (mirrored(a.kept()), mirrored(b.kept()));
            let mut sum = vec![0.0; a.len() + b.len() - 1];
            for (i, a) in a.iter().enumerate() {
                sum[i..].iter_mut().zip(&b).for_each(|(to, b)| *to += a * b);
            }
            Self(sum.split_off(sum.len() / 2))
        };
        let (mut sum, mut power, mut left) = (Self(vec![1.0]), Self(self.0.clone()), draws);
        while left > 0 {
            if left % 2 == 1 {
                sum = convolved(&sum, &power);
            }
            left /= 2;
            if left > 0 {
                power = convolved(&power, &power);
            }
        }
        sum
    }

    /// The masses that are not lost in a double's precision.
    fn kept(&self) -> &[f64] {
        let last = self.0.iter().rposition(|mass| *mass > 1e-25).unwrap_or(0);
        &self.0[..=last]
    }

    /// A draw divided by an odd number and rounded to the nearest integer.
    pub fn rounded(&self, of: i64) -> Self {
        let reach = i64::try_from(self.0.len()).expect("few masses") / of + 1;
        let half = (of - 1) / 2;
        Self(
            (0..=reach)
                .map(|n| (n * of - half..=n * of + half).map(|z| self.at(z)).sum())
                .collect(),
        )
    }

    fn of(log_mass: impl Fn(f64) -> f64, reach: f64) -> Self {
        let masses: Vec<f64> = (0..1_000_000)
            .map(f64::from)
            .take_while(|x| *x < reach)
            .map(|x| log_mass(x).exp())
            .collect();
        let total = masses[0] + 2.0 * masses[1..].iter().sum::<f64>();
        Self(masses.into_iter().map(|mass| mass / total).collect())
    }

    /// The mass of an integer.
    pub fn at(&self, x: i64) -> f64 {
        usize::try_from(x.unsigned_abs()).ok().and_then(|x| self.0.get(x)).copied().unwrap_or(0.0)
    }

    /// The moment of this even order about 0.
    pub fn moment(&self, order: i32) -> f64 {
        2.0 * (0..).map(f64::from).zip(&self.0).map(|(x, mass)| x.powi(order) * mass).sum::<f64>()
    }

    /// The probability, if the draws are from this distribution, of a G statistic at least as large:
    /// bins of neighbouring integers with at least 50 expected draws each, both tails included.
    pub fn p_value(&self, draws: &[i64]) -> f64 {
        let n = draws.len() as f64;
        let reach = i64::try_from(self.0.len()).expect("few masses");
        let mut sorted = draws.to_vec();
        sorted.sort_unstable();
        let below = |x: i64| sorted.partition_point(|draw| *draw < x) as f64;
        let mut bins: Vec<(f64, f64)> = Vec::new();
        let (mut expected, mut start) = (0.0, i64::MIN);
        for x in -reach..reach {
            expected += n * self.at(x);
            // The last bin takes what is left: it must not be a small one.
            let rest = n - bins.iter().map(|bin| bin.1).sum::<f64>() - expected;
            if expected >= 50.0 && rest >= 50.0 {
                bins.push((below(x + 1) - below(start), expected));
                (expected, start) = (0.0, x + 1);
            }
        }
        let rest = n - bins.iter().map(|bin| bin.1).sum::<f64>();
        bins.push((n - below(start), rest));
        assert!(bins.len() >= 3, "a test needs at least three bins");
        let g: f64 = bins
            .iter()
            .filter(|(observed, _)| *observed > 0.0)
            .map(|(observed, expected)| 2.0 * observed * (observed / expected).ln())
            .sum();
        chi_square_tail(g, (bins.len() - 1) as f64)
    }
}

/// The probability that chi-square with `degrees` of freedom exceeds `x`: the regularised upper
/// incomplete gamma function at `(degrees / 2, x / 2)` (Press et al., Numerical Recipes, 6.2).
#[expect(clippy::many_single_char_names, reason = "the names of the source")]
pub fn chi_square_tail(x: f64, degrees: f64) -> f64 {
    let (a, x) = (degrees / 2.0, x / 2.0);
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - log_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut k) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-16 {
            k += 1.0;
            term *= x / k;
            sum += term;
        }
        return 1.0 - front * sum;
    }
    // Lentz's method.
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..100_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    front * h
}

/// The logarithm of the gamma function by Stirling's series, after shifting the argument up.
fn log_gamma(mut z: f64) -> f64 {
    let mut shift = 0.0;
    while z < 20.0 {
        shift += z.ln();
        z += 1.0;
    }
    let series = 1.0 / (12.0 * z) - 1.0 / (360.0 * z.powi(3)) + 1.0 / (1260.0 * z.powi(5));
    (z - 0.5) * z.ln() - z + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - shift
}

/// The probability that a beta variable with these two shapes is at most `x`: the regularised incomplete
/// beta function, by its continued fraction (Press et al., Numerical Recipes, 6.4).
#[expect(clippy::many_single_char_names, reason = "the names of the source")]
pub fn beta_tail(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return f64::from(u8::from(x >= 1.0));
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_tail(b, a, 1.0 - x);
    }
    let front = log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    let (mut c, mut d) = (1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0)));
    let mut h = d;
    for m in 1..100_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for term in [even, odd] {
            d = 1.0 / (1.0 + term * d);
            c = 1.0 + term / c;
            h *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-14 {
            break;
        }
    }
    front.exp() * h / a
}
