//! A name for a set of reports that does not depend on their order.
//!
//! **Invariant:** two servers that hold the same set hold the same checksum, in whatever order and
//! portions the reports came.

use super::Bytes;
use ring::digest::{SHA256, digest};

/// The exclusive or of the SHA-256 digests of report ids, as in the IETF draft Distributed Aggregation
/// Protocol (DAP, section 4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum([u8; 32]);

/// Bytes that are no checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a checksum has 32 bytes")]
pub struct BadChecksum;

impl Checksum {
    /// That of no reports.
    pub const NONE: Self = Self([0; 32]);

    /// The checksum with one more report.
    #[must_use]
    pub fn with(self, report: &[u8; 16]) -> Self {
        let hash = digest(&SHA256, report);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.as_ref());
        self.and(Self(bytes))
    }

    /// The checksum of two sets that have no report in common.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (to, from) in self.0.iter_mut().zip(other.0) {
            *to ^= from;
        }
        self
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&Bytes> for Checksum {
    type Error = BadChecksum;
    fn try_from(bytes: &Bytes) -> Result<Self, BadChecksum> {
        bytes.0.as_slice().try_into().map(Self).map_err(|_| BadChecksum)
    }
}

impl From<Checksum> for Bytes {
    fn from(checksum: Checksum) -> Self {
        Self(checksum.0.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_and_the_portions_do_not_matter() {
        let ids = [[1; 16], [2; 16], [3; 16]];
        let all = ids.iter().fold(Checksum::NONE, Checksum::with);
        let portions = Checksum::NONE.with(&ids[2]).and(Checksum::NONE.with(&ids[0]).with(&ids[1]));
        assert_eq!(all, portions);
        assert_eq!(all.with(&ids[0]).with(&ids[0]), all);
        assert_ne!(all, all.with(&[4; 16]));
    }

    /// SHA-256 of sixteen zero bytes, as `sha256sum` prints it.
    #[test]
    fn one_report_is_its_digest() {
        let text = data_encoding::HEXLOWER.encode(Checksum::NONE.with(&[0; 16]).as_bytes());
        assert_eq!(text, "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb");
    }

    #[test]
    fn bytes_of_another_length_are_none() {
        assert_eq!(Checksum::try_from(&Bytes(vec![0; 31])), Err(BadChecksum));
        assert_eq!(Checksum::try_from(&Bytes(vec![0; 32])), Ok(Checksum::NONE));
    }
}
