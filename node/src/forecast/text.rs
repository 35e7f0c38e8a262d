//! A forecast in plain words.
//!
//! **Invariant:** shows every figure that the JSON has about cost and noise.

use super::{Forecast, TableForecast};
use crate::text::table;
use fellestall_shared::wire::v1::Residence;
use std::fmt;

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} over {}: what one round would give away", self.study, self.period)?;
        writeln!(f, "Digest {}", self.digest)?;
        let head = ["table", "noisy counts", "rho", "this municipality", "nationally"];
        let mut rows = table(head);
        for table in &self.tables {
            rows.add_row([
                format!("{} {}", table.statistic, table.title),
                table.cells.to_string(),
                table.charge.clone(),
                format!("plus or minus {}", table.local_half_width),
                format!("plus or minus {}", table.national_half_width),
            ]);
        }
        writeln!(f, "{rows}")?;
        writeln!(f, "What is counted:")?;
        for table in &self.tables {
            writeln!(f, "  {}: {}", table.statistic, counts(table))?;
        }
        writeln!(
            f,
            "The last two columns are half of a 95 % interval of each count; nationally with {} \
             reporting municipalities.",
            self.nodes
        )?;
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

fn counts(table: &TableForecast) -> String {
    let dimensions: Vec<_> = table.dimensions.iter().map(|labels| labels.join(" | ")).collect();
    dimensions.join("  by  ")
}
