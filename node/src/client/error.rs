//! What can go wrong between a node and the coordinator, told to a tired operator: what, the likely
//! cause, and how to mend it.
//!
//! **Invariant:** no message quotes what was sent.

use fellestall_shared::clock::Timestamp;
use fellestall_shared::problem::{Problem, ProblemKind};
use fellestall_shared::tls::TlsError;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};
use std::error::Error;
use std::io;

/// A client that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The coordinator's address is none.
    #[error("the coordinator's address must be as https://tall.example.no:8443")]
    Url,
    /// The proxy's address is none.
    #[error("the proxy's address must be as http://proxy.example.no:3128")]
    Proxy,
    /// TLS cannot be set up with these certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The HTTP client cannot be made.
    #[error("the HTTPS client could not be made")]
    Client {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

/// A request that got no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The name has no address.
    #[error(
        "{host} has no address: is the coordinator's name right, and does this machine have a name server (or need coordinator.proxy)?"
    )]
    Unresolved {
        /// The coordinator's host.
        host: String,
    },
    /// Nobody answers there.
    #[error(
        "no connection to {host}: is it up, and may this machine dial out to it (firewall, coordinator.proxy)?"
    )]
    Unreachable {
        /// The coordinator's host.
        host: String,
    },
    /// The proxy refuses.
    #[error("the proxy does not let this machine through to {host}: check coordinator.proxy")]
    ProxyRefused {
        /// The coordinator's host.
        host: String,
    },
    /// No answer in time.
    #[error("{host} did not answer in time; it is tried again")]
    TimedOut {
        /// The coordinator's host.
        host: String,
    },
    /// The coordinator's certificate is valid in another time than this machine's.
    #[error(
        "the coordinator's certificate is {state} {limit}: is this machine's clock right? it says {now}. If it is, the coordinator's operator must renew the certificate"
    )]
    CertificateTime {
        /// `not valid before` or `not valid after`.
        state: &'static str,
        /// That moment.
        limit: String,
        /// The moment by this machine's clock.
        now: Timestamp,
    },
    /// Another authority than the invitation's.
    #[error(
        "{host} shows a certificate of an authority that is not the invitation's: does something between open TLS (then name its authority in coordinator.ca_file), or is it another server?"
    )]
    UnknownAuthority {
        /// The coordinator's host.
        host: String,
    },
    /// A certificate for another name.
    #[error(
        "{host} shows a certificate for another name: the coordinator's operator must give it one for {host}, or invite with the right address"
    )]
    OtherName {
        /// The coordinator's host.
        host: String,
    },
    /// The coordinator refused this node's certificate.
    #[error(
        "the coordinator does not take this node's certificate ({reason}): it may have expired while the node was off (then enrol again, with the invitation it was invited with or a new one), or this is another coordinator"
    )]
    CertificateRefused {
        /// What TLS said.
        reason: &'static str,
    },
    /// TLS failed in another way.
    #[error("no secure connection to {host}: something between may not speak TLS 1.3")]
    Tls {
        /// The coordinator's host.
        host: String,
    },
    /// The coordinator refused, and said why.
    #[error("{}: {detail}{}", kind.title(), help(*kind))]
    Refused {
        /// Which refusal.
        kind: ProblemKind,
        /// What the coordinator says.
        detail: String,
    },
    /// An answer that is not of this protocol.
    #[error(
        "the answer (HTTP {status}) is not a coordinator's: does something between answer in its place, or is the address wrong?"
    )]
    NotACoordinator {
        /// The HTTP status code.
        status: u16,
    },
    /// An answer of a shape that is not known.
    #[error(
        "the coordinator's answer is not understood: is one side of another version of Fellestall?"
    )]
    Answer,
    /// An answer over the limit.
    #[error("the coordinator's answer is larger than {limit} bytes; it was not read")]
    AnswerTooLarge {
        /// The limit.
        limit: usize,
    },
}

fn help(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::NodeDenied => ". Talk to the coordinator's operator; the node's ledger stands",
        ProblemKind::CertificateRequired => {
            ". Enrol first, or the certificate was lost on the way: does a proxy open TLS?"
        }
        ProblemKind::InvitationInvalid => {
            ". If it was used from another directory, go on in that one (--dir); otherwise ask the coordinator's operator for a new one"
        }
        ProblemKind::Conflict => ". Nothing was overwritten; talk to the coordinator's operator",
        ProblemKind::LedgerConflict => {
            ". If this folder was restored from a backup, run: fellestall-node recover. If it runs somewhere else too, stop one of the two"
        }
        ProblemKind::Busy | ProblemKind::Internal => ". It is tried again",
        _ => "",
    }
}

/// What a failure means for what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The same request may succeed later.
    Passing,
    /// This node may not take part.
    Denied,
    /// This request will never succeed.
    Final,
}

impl ClientError {
    /// What this means for what comes next.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::Refused { kind: ProblemKind::NodeDenied, .. } => Meaning::Denied,
            Self::Refused { kind, .. } if !may_pass(*kind) => Meaning::Final,
            _ => Meaning::Passing,
        }
    }

    /// Whether the coordinator was not reached at all, or not securely.
    #[must_use]
    pub fn is_unreached(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Answer | Self::AnswerTooLarge { .. })
    }

    pub(super) fn of_refusal(status: u16, body: &[u8]) -> Self {
        let problem: Option<Problem> = serde_json::from_slice(body).ok();
        let known = problem.and_then(|problem| {
            problem.known_kind().map(|kind| Self::Refused { kind, detail: plain(&problem.detail) })
        });
        known.unwrap_or_else(|| match status {
            429 | 503 => {
                Self::Refused { kind: ProblemKind::Busy, detail: "it asks to wait".to_owned() }
            }
            _ => Self::NotACoordinator { status },
        })
    }

    pub(super) fn of_transport(error: &reqwest::Error, host: String, now: Timestamp) -> Self {
        if let Some(tls) = cause::<rustls::Error>(error) {
            return Self::of_tls(tls, host, now);
        }
        if error.is_timeout() {
            return Self::TimedOut { host };
        }
        let text = chain_text(error);
        if text.contains("dns error") || text.contains("failed to lookup") {
            return Self::Unresolved { host };
        }
        if text.contains("tunnel") || text.contains("proxy") {
            return Self::ProxyRefused { host };
        }
        Self::Unreachable { host }
    }

    pub(super) fn of_tls(error: &rustls::Error, host: String, now: Timestamp) -> Self {
        let time = |state, limit: Option<UnixTime>| Self::CertificateTime {
            state,
            limit: limit.map_or_else(|| "now".to_owned(), |limit| moment(limit).to_string()),
            now,
        };
        match error {
            rustls::Error::InvalidCertificate(bad) => match bad {
                CertificateError::Expired | CertificateError::NotValidYet => {
                    time("not valid", None)
                }
                CertificateError::ExpiredContext { not_after, .. } => {
                    time("not valid after", Some(*not_after))
                }
                CertificateError::NotValidYetContext { not_before, .. } => {
                    time("not valid before", Some(*not_before))
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => Self::OtherName { host },
                _ => Self::UnknownAuthority { host },
            },
            rustls::Error::AlertReceived(alert) => match alert {
                AlertDescription::CertificateExpired => refused("expired"),
                AlertDescription::CertificateRevoked => refused("revoked"),
                AlertDescription::UnknownCA => refused("of another authority"),
                AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::DecryptError
                | AlertDescription::AccessDenied => refused("not valid"),
                _ => Self::Tls { host },
            },
            _ => Self::Tls { host },
        }
    }
}

fn refused(reason: &'static str) -> ClientError {
    ClientError::CertificateRefused { reason }
}

/// Whether the same request may succeed later, without anyone changing it.
fn may_pass(kind: ProblemKind) -> bool {
    // A certificate that did not arrive may arrive the next time; a study may come into force.
    kind.is_transient() || kind == ProblemKind::CertificateRequired
}

fn moment(time: UnixTime) -> Timestamp {
    Timestamp::from_unix(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

/// The coordinator's words without control characters, at most 500 of them.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}

/// The error and its causes. An `io::Error` skips what it carries itself: that is asked for by name.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> Vec<&'e (dyn Error + 'static)> {
    let mut causes = vec![error];
    let mut last = error;
    while causes.len() < 16 {
        let carried = last.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let next = match carried {
            Some(carried) => carried,
            None => match last.source() {
                Some(source) => source,
                None => break,
            },
        };
        causes.push(next);
        last = next;
    }
    causes
}

fn cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    chain(error).into_iter().find_map(|error| error.downcast_ref::<T>())
}

fn chain_text(error: &(dyn Error + 'static)) -> String {
    chain(error).iter().map(|error| error.to_string().to_lowercase()).collect::<Vec<_>>().join(": ")
}
