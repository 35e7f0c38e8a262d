//! Controlled rounding: whole numbers beside a table of real ones, with exact sums.
//!
//! If the sums of every row and column are whole, each cell can be rounded up or down such that
//! they all stay as they are: the fractions are a flow between rows and columns, and flows with
//! whole supplies can be whole (Bacharach 1966; Cox 1987). The roundings up are found with
//! augmenting paths, largest fractions first.
//!
//! **Invariant:** no number below 0, and the sums of rows and columns are exactly those asked for,
//! whatever the cells are.

use std::collections::VecDeque;

/// A fraction this close to a whole number is one.
const WHOLE: f64 = 1e-5;

/// A table with whole numbers and the sums that it should have.
struct Flow {
    rows: usize,
    columns: usize,
    cells: Vec<i64>,
    /// Cells that can be rounded up, and whether they are.
    open: Vec<bool>,
    raised: Vec<bool>,
    row_needs: Vec<i64>,
    column_needs: Vec<i64>,
}

/// Rounds a matrix (row-major) of numbers that are not negative to these sums, which are not
/// negative and have one total. Where cells allow it, each is rounded up or down.
pub(super) fn controlled(matrix: &[f64], row_sums: &[i64], column_sums: &[i64]) -> Vec<i64> {
    let (rows, columns) = (row_sums.len(), column_sums.len());
    let mut cells = Vec::with_capacity(rows * columns);
    let mut fractions = Vec::with_capacity(rows * columns);
    for value in matrix.iter().copied().chain(std::iter::repeat(0.0)).take(rows * columns) {
        let (floor, fraction) = split(value);
        cells.push(floor);
        fractions.push(fraction);
    }
    let mut flow = Flow {
        rows,
        columns,
        open: fractions.iter().map(|fraction| *fraction > 0.0).collect(),
        raised: vec![false; cells.len()],
        cells,
        row_needs: row_sums.to_vec(),
        column_needs: column_sums.to_vec(),
    };
    flow.subtract_cells();
    flow.take_down();
    let mut order: Vec<usize> = (0..flow.cells.len()).collect();
    order.retain(|at| is(&flow.open, *at));
    let fraction = |at: usize| fractions.get(at).copied().unwrap_or(0.0);
    order.sort_by(|a, b| fraction(*b).total_cmp(&fraction(*a)).then(a.cmp(b)));
    for at in order {
        if flow.needs(at) == (true, true) {
            flow.raise(at);
        }
    }
    while flow.augment() {}
    flow.fill();
    flow.cells
}

/// Rounds numbers to a whole total: those with the largest fractions go up.
pub(super) fn to_total(values: &[f64], total: i64) -> Vec<i64> {
    let mut cells: Vec<(i64, f64)> = values.iter().map(|value| split(*value)).collect();
    let mut need = total - cells.iter().map(|(floor, _)| floor).sum::<i64>();
    let mut order: Vec<usize> = (0..cells.len()).collect();
    let fraction = |at: &usize| cells.get(*at).map_or(0.0, |(_, fraction)| *fraction);
    order.sort_by(|a, b| fraction(b).total_cmp(&fraction(a)).then(a.cmp(b)));
    for at in &order {
        if let Some((value, _)) = cells.get_mut(*at).filter(|_| need > 0) {
            *value += 1;
            need -= 1;
        }
    }
    // Only numbers whose sum is not the total come here; the largest carry what is left.
    order.sort_by_key(|at| std::cmp::Reverse(cells.get(*at).map_or(0, |(value, _)| *value)));
    for at in &order {
        if let Some((value, _)) = cells.get_mut(*at) {
            let change = need.max(-*value);
            *value += change;
            need -= change;
        }
    }
    cells.into_iter().map(|(value, _)| value).collect()
}

/// The whole part and the fraction of a number, which is taken as 0 below 0.
fn split(value: f64) -> (i64, f64) {
    let value = if value.is_finite() { value.max(0.0) } else { 0.0 };
    let near = value.round();
    let (floor, fraction) = if (value - near).abs() <= WHOLE {
        (near, 0.0)
    } else {
        (value.floor(), value - value.floor())
    };
    #[expect(clippy::cast_possible_truncation, reason = "a count that was released")]
    let whole = floor as i64;
    (whole, fraction)
}

fn is(flags: &[bool], at: usize) -> bool {
    flags.get(at).copied().unwrap_or(false)
}

impl Flow {
    fn place(&self, at: usize) -> (usize, usize) {
        (at / self.columns.max(1), at % self.columns.max(1))
    }

    fn needs(&self, at: usize) -> (bool, bool) {
        let (row, column) = self.place(at);
        let above = |needs: &[i64], at: usize| needs.get(at).is_some_and(|need| *need > 0);
        (above(&self.row_needs, row), above(&self.column_needs, column))
    }

    /// Adds to a cell, and takes from what its row and column need.
    fn add(&mut self, at: usize, amount: i64) {
        let (row, column) = self.place(at);
        if let Some(cell) = self.cells.get_mut(at) {
            *cell += amount;
        }
        if let Some(need) = self.row_needs.get_mut(row) {
            *need -= amount;
        }
        if let Some(need) = self.column_needs.get_mut(column) {
            *need -= amount;
        }
    }

    fn raise(&mut self, at: usize) {
        self.add(at, 1);
        if let Some(raised) = self.raised.get_mut(at) {
            *raised = true;
        }
    }

    fn lower(&mut self, at: usize) {
        self.add(at, -1);
        if let Some(raised) = self.raised.get_mut(at) {
            *raised = false;
        }
    }

    fn subtract_cells(&mut self) {
        for at in 0..self.cells.len() {
            let amount = self.cells.get(at).copied().unwrap_or(0);
            let (row, column) = self.place(at);
            if let Some(need) = self.row_needs.get_mut(row) {
                *need -= amount;
            }
            if let Some(need) = self.column_needs.get_mut(column) {
                *need -= amount;
            }
        }
    }

    /// Where rounding down gives more than a row or column may have, takes it off.
    fn take_down(&mut self) {
        for at in 0..self.cells.len() {
            let (row, column) = self.place(at);
            let need = |needs: &[i64], at: usize| needs.get(at).copied().unwrap_or(0);
            let over = need(&self.row_needs, row).min(need(&self.column_needs, column)).min(0);
            let cell = self.cells.get(at).copied().unwrap_or(0);
            self.add(at, over.max(-cell));
        }
    }

    /// One more rounding up along a shortest path of roundings up and down, from a row that needs
    /// one to a column that does.
    fn augment(&mut self) -> bool {
        // Nodes: rows first, then columns. `from` is the cell that a node was reached by.
        let mut from: Vec<Option<usize>> = vec![None; self.rows + self.columns];
        let mut seen = vec![false; self.rows + self.columns];
        let mut queue = VecDeque::new();
        for (row, need) in self.row_needs.iter().enumerate() {
            if *need > 0 {
                queue.push_back(row);
                if let Some(seen) = seen.get_mut(row) {
                    *seen = true;
                }
            }
        }
        while let Some(node) = queue.pop_front() {
            if node >= self.rows {
                let column = node - self.rows;
                if self.column_needs.get(column).is_some_and(|need| *need > 0) {
                    self.follow(&from, node);
                    return true;
                }
            }
            for (at, next) in self.edges(node) {
                if let (Some(seen @ false), Some(slot)) = (seen.get_mut(next), from.get_mut(next)) {
                    *seen = true;
                    *slot = Some(at);
                    queue.push_back(next);
                }
            }
        }
        false
    }

    /// Cells by which a path can go on: up from a row, down from a column.
    fn edges(&self, node: usize) -> Vec<(usize, usize)> {
        if node < self.rows {
            let cells = (0..self.columns).map(|column| (node * self.columns + column, column));
            let free = cells.filter(|(at, _)| is(&self.open, *at) && !is(&self.raised, *at));
            free.map(|(at, column)| (at, self.rows + column)).collect()
        } else {
            let cells = (0..self.rows).map(|row| (row * self.columns + node - self.rows, row));
            cells.filter(|(at, _)| is(&self.raised, *at)).collect()
        }
    }

    fn follow(&mut self, from: &[Option<usize>], end: usize) {
        let mut node = end;
        while let Some(at) = from.get(node).copied().flatten() {
            let (row, column) = self.place(at);
            if node >= self.rows {
                self.raise(at);
                node = row;
            } else {
                self.lower(at);
                node = self.rows + column;
            }
        }
    }

    /// Gives rows and columns that still need something to each other. Only cells whose sums were
    /// not whole come here.
    fn fill(&mut self) {
        for at in 0..self.cells.len() {
            let (row, column) = self.place(at);
            let need = |needs: &[i64], at: usize| needs.get(at).copied().unwrap_or(0);
            let amount = need(&self.row_needs, row).min(need(&self.column_needs, column)).max(0);
            self.add(at, amount);
        }
    }
}
