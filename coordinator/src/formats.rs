//! An extract in the formats that people and tools read.
