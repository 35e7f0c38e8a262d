//! Every bound in the system, in one place.
//!
//! **Invariant:** a body, a queue, a retry, a wait or a table without a bound here does not exist.

use std::time::Duration;

/// Cells in one table, at the most.
pub const TABLE_CELLS: usize = 10_000;
/// Dimensions of one table, at the most.
pub const TABLE_DIMENSIONS: usize = 4;
/// Tables in one study, at the most.
pub const STUDY_TABLES: usize = 64;
/// Bytes of one signed document (study, round, decision), at the most.
pub const DOCUMENT_BYTES: usize = 256 * 1024;
/// Bytes of one uploaded release, at the most: the body limit of every route.
pub const RELEASE_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of the list of studies and rounds that a node fetches, at the most.
pub const WORK_BYTES: usize = 16 * 1024 * 1024;
/// Cells of all shared tables of a study together, at the most.
pub const SHARED_CELLS: usize = 20_000;
/// Bytes of one report with the leader's share, at the most.
pub const REPORT_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of a task with all its participants, or of a job between the two servers, at the most.
pub const JOB_BYTES: usize = 64 * 1024 * 1024;
/// Reports of one job, at the most.
pub const JOB_REPORTS: usize = 100;
/// Bytes of the leader's shares of one job, at the most (unless one alone is larger): what the leader
/// holds of reports at once, however many there are.
pub const JOB_SHARE_BYTES: usize = 64 * 1024 * 1024;
/// The leader looks for reports to verify this often.
pub const AGGREGATE_EVERY: Duration = Duration::from_secs(15);
/// An instance that does background work has it to itself for so long without a word; whoever takes it over
/// from a dead one waits that long.
pub const LEASE: Duration = Duration::from_secs(15);
/// It says so often that it still works.
pub const LEASE_RENEW: Duration = Duration::from_secs(5);
/// Batches of one task, at the most.
pub const BATCHES: u32 = 1_000;
/// Jobs of one task, at the most.
pub const JOBS: u32 = 1_000_000;
/// From a job's first byte until the helper's answer.
pub const JOB_TIMEOUT: Duration = Duration::from_mins(5);
/// Largest absolute value of one noisy cell that is accepted: far below overflow of any sum.
pub const CELL_MAGNITUDE: i64 = 1 << 40;
/// Nodes in one federation, at the most. `NODES * CELL_MAGNITUDE` stays below `i64::MAX`.
pub const NODES: usize = 100_000;
/// Characters of one free text (title, controller, note), at the most.
pub const TEXT_CHARS: usize = 500;
/// Characters of an identifier (study, purpose), at the most.
pub const IDENTIFIER_CHARS: usize = 64;

/// Bytes of one cell of a municipality's export, at the most: more is a quote that never closes.
pub const SOURCE_FIELD_BYTES: usize = 64 * 1024;
/// Columns of one file of an export, at the most.
pub const SOURCE_COLUMNS: usize = 1_000;
/// Rows of one file of an export, at the most.
pub const SOURCE_ROWS: u64 = 10_000_000_000;
/// Files that one key join may go through, at the most.
pub const SOURCE_JOINS: usize = 4;
/// Rejected rows, and contradictions, that a data-quality report lists; more are only counted.
pub const REPORTED_ROWS: usize = 1_000;
/// Rejected rows that the message of a refused release names.
pub const REFUSED_ROWS: usize = 5;

/// From the first byte of a connection until its TLS handshake is done.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// From the first byte of a request until its headers are complete.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// From complete headers until the body has arrived and the answer is made.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Whoever asks whether a service is well waits so long for its database.
pub const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);
/// Header fields of one request, at the most.
pub const HEADER_COUNT: usize = 64;
/// Bytes of all headers of one request, at the most.
pub const HEADER_BYTES: usize = 32 * 1024;
/// Open connections at the coordinator, at the most.
pub const CONNECTIONS: usize = 4_096;
/// Of these, connections of one address (an IPv4 address, or a /64 of IPv6), at the most: whoever opens
/// many and is slow on all of them leaves places for others. Proxies that the configuration trusts are
/// exempt, since they bring everybody's requests.
pub const CONNECTIONS_OF_ADDRESS: usize = CONNECTIONS / 4;
/// An answer of which nothing could be sent for so long is given up.
pub const SENDING_TIMEOUT: Duration = Duration::from_secs(30);

/// One request of a node, from connecting to the last byte of the answer.
pub const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);
/// First wait after a failed poll; doubles at each failure up to [`BACKOFF_LONGEST`].
pub const BACKOFF_FIRST: Duration = Duration::from_secs(2);
/// Longest wait between two attempts.
pub const BACKOFF_LONGEST: Duration = Duration::from_mins(15);
/// A node that has nothing to send lets its ledger and log be countersigned this often.
pub const WITNESS_EVERY: Duration = Duration::from_hours(24);
/// Releases that a node puts back into a ledger that lost them, at the most.
pub const RECOVERED_RELEASES: usize = 10_000;

/// How long an invitation may be used.
pub const INVITATION_LIFETIME: Duration = Duration::from_hours(14 * 24);
/// How long a node's client certificate is valid.
pub const CERTIFICATE_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// A node renews its certificate when less than this is left.
pub const CERTIFICATE_RENEW_BEFORE: Duration = Duration::from_hours(15 * 24);
/// How far a certificate's start is back-dated, for clocks that are a little slow.
pub const CERTIFICATE_BACKDATE: Duration = Duration::from_hours(1);
/// How far the clocks of two instances of one coordinator may be apart.
pub const INSTANCE_SKEW: Duration = Duration::from_mins(1);
/// How far a node's clock may be from the coordinator's before the node refuses to go on.
pub const CLOCK_SKEW: Duration = Duration::from_hours(24);
