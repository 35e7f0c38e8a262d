//! A forecast in plain words.
//!
//! **Invariant:** shows every figure that the JSON has about cost and noise.

use super::{Forecast, Guarantee, Mode, Promise, TableForecast};
use crate::text::table;
use fellestall_shared::wire::v1::Residence;
use std::fmt;

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} over {}: what one round would give away", self.study, self.period)?;
        writeln!(f, "Digest {}", self.digest)?;
        writeln!(f, "{}", self.intervals())?;
        writeln!(f, "What is counted:")?;
        for table in &self.tables {
            writeln!(f, "  {}: {}", table.statistic, counts(table))?;
        }
        writeln!(
            f,
            "Plus or minus is half of a 95 % interval of each count, from the noise in it; nationally with \
             {} reporting municipalities, in the county with {}.",
            self.nodes, self.county_nodes
        )?;
        if let Some(promise) = &self.promise {
            Self::write_promise(promise, f)?;
        }
        writeln!(
            f,
            "One round costs {} rho (epsilon {:.3} at delta {}).",
            self.charge, self.epsilon, self.delta
        )?;
        if self.municipalities_per_person > 1 {
            writeln!(
                f,
                "That is for one participant's rows in this municipality. For a person held in {} \
                 municipalities, each with noise of its own: {} rho (epsilon {:.3}).",
                self.municipalities_per_person, self.person_charge, self.person_epsilon
            )?;
        }
        if self.residence == Residence::OnCensusDate {
            writeln!(
                f,
                "A person is counted where the person lives on the last day of the period: who has \
                 moved to another municipality by then is not counted here."
            )?;
        }
        if self.already_released {
            writeln!(f, "This node has answered it already: asking again costs nothing.")?;
        }
        if let Some(earlier) = &self.answered_before {
            writeln!(
                f,
                "The study has told of the same day in {earlier}: a figure that was released stands, \
                 and this node would refuse."
            )?;
        }
        if let Some(why) = &self.why_not_permitted {
            writeln!(f, "The register of processing does not permit it: {why}.")?;
        }
        let left = &self.left_after;
        if self.affordable {
            write!(
                f,
                "Left after it: {} rho of the lifetime's budget, {} of the year's, {} of the study's. \
                 Nothing was read or charged.",
                left.lifetime, left.year, left.study
            )
        } else {
            write!(f, "The budget does not cover it: this node would refuse.")
        }
    }
}

impl Forecast {
    /// How wide the intervals of each table are.
    fn intervals(&self) -> String {
        let mut head = vec!["table", "noisy counts", "rho", "the coordinator sees"];
        head.extend(["this municipality", "the county", "nationally"]);
        let fewer = format!("with only {}", self.nodes_fewer);
        if self.promise.is_some() {
            head.push(&fewer);
        }
        let mut rows = table(head);
        for table in &self.tables {
            let width = |half: Option<u64>| half.map(plus_minus);
            let mut row = vec![
                format!("{} {}", table.statistic, table.title),
                table.cells.to_string(),
                table.charge.clone(),
                seen(table.mode).to_owned(),
                width(table.local_half_width).unwrap_or_else(|| "nobody sees it".to_owned()),
                width(table.county_half_width).unwrap_or_else(|| "nobody sees it".to_owned()),
                plus_minus(table.national_half_width),
            ];
            if self.promise.is_some() {
                row.push(plus_minus(table.national_half_width_fewer));
            }
            rows.add_row(row);
        }
        rows.to_string()
    }

    /// What the promise of the shared tables rests on.
    fn write_promise(promise: &Promise, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "In the tables of which only a sum is seen, nobody sees this municipality's figures: each \
             report is split between the coordinator and {} (key {}), and neither can read its half.",
            promise.helper, promise.helper_key
        )?;
        writeln!(
            f,
            "Their noise is made by all together: of {} reporting municipalities, {} are enough to keep the \
             promise of {} rho (epsilon {:.3}); up to {} may collude or add no noise. {} If both servers \
             join what they hold, this node's own noise alone protects its tables: {}.",
            promise.minimum,
            promise.honest,
            promise.sum.rho,
            promise.sum.epsilon,
            promise.tolerated,
            one_more(promise),
            loss(promise.joined.as_ref())
        )
    }
}

/// What the coordinator sees of a table.
fn seen(mode: Mode) -> &'static str {
    match mode {
        Mode::Local => "each node's, noisy",
        Mode::Shared => "only the sum",
        Mode::Both => "both",
    }
}

fn one_more(promise: &Promise) -> String {
    format!("If one more does, these tables cost {}.", loss(promise.one_more.as_ref()))
}

fn loss(guarantee: Option<&Guarantee>) -> String {
    guarantee.map_or_else(
        || "more than can be accounted for".to_owned(),
        |guarantee| format!("{} rho (epsilon {:.3})", guarantee.rho, guarantee.epsilon),
    )
}

fn plus_minus(half: u64) -> String {
    format!("plus or minus {half}")
}

fn counts(table: &TableForecast) -> String {
    let dimensions: Vec<_> = table.dimensions.iter().map(|labels| labels.join(" | ")).collect();
    dimensions.join("  by  ")
}
