//! Refusals of the databank's interface, with the titles that clients of PxWebApi know.
//!
//! **Invariant:** every refusal is `application/problem+json` with a detail; a fault of ours tells
//! nothing but that it was ours, and is logged here, once.

use crate::api::error::chain;
use crate::databank::DatabankError;
use crate::formats::FormatError;
use crate::store::StoreError;
use axum::response::{IntoResponse, Response};
use fellestall_shared::problem::MEDIA_TYPE;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// Characters of what a caller sent that a refusal repeats, at the most.
const REPEATED: usize = 60;

/// Why a request was refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No table by that id.
    #[error("there is no table {id}; see /api/v2/tables")]
    Table {
        /// As it was given.
        id: String,
    },
    /// A page after the last.
    #[error("there is no page {page}; the last is {last}")]
    Page {
        /// As it was given.
        page: i64,
        /// The last one.
        last: usize,
    },
    /// No saved query by that id.
    #[error("there is no saved query by that id")]
    SavedQuery,
    /// No such address.
    #[error("there is nothing at this address; see /api/v2/config and /api/v2/tables")]
    Address,
    /// An address that does not take this method.
    #[error("this address does not take this method")]
    Method,
    /// No variable by that code in the table.
    #[error("the table has no variable {code}; its variables are {known}")]
    Variable {
        /// As it was given.
        code: String,
        /// Those that it has.
        known: String,
    },
    /// No value by that code in the variable.
    #[error("{code} is not a value of {variable}; see the table's metadata")]
    Value {
        /// As it was given.
        code: String,
        /// The variable.
        variable: String,
    },
    /// No codelist by that id, or not for that variable.
    #[error("there is no codelist {id}{}", variable.as_ref().map(|code| format!(" for {code}")).unwrap_or_default())]
    Codelist {
        /// As it was given.
        id: String,
        /// The variable that it was to be applied to.
        variable: Option<String>,
    },
    /// A variable without a total was left out.
    #[error("select values of {variable}: it has no total that could stand for it")]
    Missing {
        /// The variable.
        variable: String,
    },
    /// An expression that is none.
    #[error(
        "{expression} is not a selection of {variable}; write codes, *, ?, top(n), bottom(n), from(code), to(code), or [range(code,code)]"
    )]
    Expression {
        /// As it was given.
        expression: String,
        /// The variable.
        variable: String,
    },
    /// A variable in two places.
    #[error("{variable} cannot be both in the heading and in the stub")]
    Placement {
        /// The variable.
        variable: String,
    },
    /// More cells than one answer has.
    #[error(
        "the selection has {cells} cells, and one answer has {limit} at the most; ask in parts"
    )]
    Cells {
        /// How many were asked for.
        cells: usize,
        /// How many may be.
        limit: usize,
    },
    /// A format that cannot hold the selection, or that does not exist.
    #[error("{reason}")]
    Format {
        /// What is wrong.
        reason: String,
    },
    /// No such language.
    #[error("the languages are nb (also no), nn and en")]
    Language,
    /// A parameter or body in another form than it should be.
    #[error("{reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// A body over the limit.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Too many calls by one address.
    #[error("{calls} calls in {window} seconds are allowed; wait {wait} seconds")]
    Calls {
        /// Calls within the window.
        calls: u32,
        /// The window, in seconds.
        window: u32,
        /// Seconds until the next call may come.
        wait: u64,
    },
    /// No room for more saved queries.
    #[error("no more queries can be saved now; put the selection in the address instead")]
    Full,
    /// A fault of ours.
    #[error("the databank failed; try again later")]
    Internal,
}

impl Refusal {
    /// A parameter in another form than it should be.
    pub fn malformed(reason: impl Into<String>) -> Self {
        Self::Malformed { reason: reason.into() }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Table { .. } | Self::Page { .. } | Self::SavedQuery | Self::Address => {
                StatusCode::NOT_FOUND
            }
            Self::Codelist { variable: None, .. } => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Calls { .. } | Self::Full => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The title that clients know.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::Table { .. } => "Non-existent table",
            Self::Page { .. } => "Non-existent page",
            Self::SavedQuery => "Non-existent saved query",
            Self::Address => "Not Found",
            Self::Method => "Method Not Allowed",
            Self::Variable { .. } => "Non-existent variable",
            Self::Value { .. } => "Non-existent value",
            Self::Codelist { .. } => "Non-existent codelist",
            // The reference server writes it so.
            Self::Missing { .. } => "Missing selection for mandantory variable",
            Self::Expression { .. } => "Illegal selection expression",
            Self::Placement { .. } => "Illegal placement of variable",
            Self::Cells { .. } => "Too many cells selected",
            Self::Format { .. } => "Unsupported output format",
            Self::Language => "Unsupported language",
            Self::Malformed { .. } => "Bad Request",
            Self::TooLarge { .. } => "Payload Too Large",
            Self::Calls { .. } | Self::Full => "Too many requests",
            Self::Internal => "Internal Server Error",
        }
    }

    fn wait(&self) -> Option<u64> {
        match self {
            Self::Calls { wait, .. } => Some(*wait),
            Self::Full => Some(86_400),
            _ => None,
        }
    }
}

/// The beginning of what a caller sent, for repeating it.
pub fn shorten(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(REPEATED).collect()
}

impl From<DatabankError> for Refusal {
    fn from(error: DatabankError) -> Self {
        tracing::error!(error = %chain(&error), "the databank failed");
        Self::Internal
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %chain(&error), "the databank failed");
        Self::Internal
    }
}

impl From<FormatError> for Refusal {
    fn from(error: FormatError) -> Self {
        match error {
            FormatError::TooLarge { .. } | FormatError::NotHere => {
                Self::Format { reason: error.to_string() }
            }
            FormatError::Writer(_) => {
                tracing::error!(error = %chain(&error), "a format failed");
                Self::Internal
            }
        }
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let problem = Problem {
            r#type: "about:blank",
            title: self.title(),
            status: status.as_u16(),
            detail: self.to_string(),
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut answer = (status, headers, body).into_response();
        if let Some(wait) = self.wait() {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        answer
    }
}
