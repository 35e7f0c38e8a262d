//! Enrolment and renewal: from an invitation to a certificate.
//!
//! **Invariant:** a request gives a public key and who asks; everything else in a certificate is the
//! coordinator's.

use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::ids::{MunicipalityNumber, NodeId};
use crate::signed::VerifyingKey;
use serde::{Deserialize, Serialize};

/// The one-time secret with which a municipality enrols; it is printed once and handed over by
/// a trusted way (base64url of this in JSON, after `fellestall1.`).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Where the coordinator answers, as `https://tall.example.no:8443`.
    pub url: String,
    /// The coordinator's certificate authority (DER, base64): the node trusts nothing else.
    pub authority: String,
    /// The municipality that may enrol with it.
    pub municipality: MunicipalityNumber,
    /// 32 random bytes, base64url without padding.
    pub secret: String,
}

/// A node asks to be enrolled.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// The invitation's secret.
    pub secret: String,
    /// The municipality that enrols; must be the invitation's.
    pub municipality: MunicipalityNumber,
    /// A PKCS#10 certificate request (PEM). Only its public key is used.
    pub certificate_request: String,
    /// The key that will sign this node's releases.
    pub release_key: VerifyingKey,
}

/// A node asks how its enrolment stands; the pair of secret and request names it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentQuery {
    /// The invitation's secret.
    pub secret: String,
    /// The key given in the request.
    pub release_key: VerifyingKey,
}

/// How an enrolment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EnrolmentState {
    /// The coordinator's operator has not decided yet.
    Pending {
        /// The fingerprint of the release key: compared by telephone before approving.
        fingerprint: Digest,
    },
    /// Enrolled.
    Approved {
        /// The node's id.
        node: NodeId,
        /// The client certificate.
        certificate: IssuedCertificate,
        /// The key that signs studies and rounds.
        coordinator_key: VerifyingKey,
    },
    /// The operator said no.
    Refused,
}

/// A client certificate and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCertificate {
    /// The certificate (PEM).
    pub certificate: String,
    /// When it expires.
    pub expires: Timestamp,
}

/// A node asks for a new certificate before the old one expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewalRequest {
    /// A PKCS#10 certificate request (PEM). Only its public key is used.
    pub certificate_request: String,
}
