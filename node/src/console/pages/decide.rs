//! Approving and refusing a study.
//!
//! **Invariant:** a form names the exact version that it is about, and the decision is the signed-in
//! person's; what the register does not permit is not approved, whoever asks.

use super::{Enrolled, studies};
use crate::audit::Actor;
use crate::console::asked::{OwnForm, Refusal};
use crate::console::notice::Notice;
use crate::console::show::fill;
use crate::console::words::Words;
use crate::decisions::{self, Approval, Decider, DecisionError, Office};
use crate::keys::KeyStore;
use crate::register::Register;
use crate::state::Membership;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use fellestall_shared::digest::Digest;
use fellestall_shared::wire::v1::RefusalReason;
use http::StatusCode;

/// What is wrong with a form that was sent.
#[derive(Debug)]
pub(super) enum Mistake {
    /// No reason was chosen.
    NoReason,
    /// The study is not in force any more, or the register does not permit it.
    NotNow,
    /// The first of two people again.
    SamePerson {
        /// Who.
        name: String,
    },
}

impl Mistake {
    /// A title and what to do.
    pub(super) fn text(&self, w: &Words) -> (String, String) {
        let s = &w.study;
        match self {
            Self::NoReason => (s.reason_missing_title.clone(), s.reason_missing.clone()),
            Self::NotNow => (s.stale_title.clone(), s.stale.clone()),
            Self::SamePerson { name } => {
                (s.stale_title.clone(), fill(&s.same_person, &[("name", name)]))
            }
        }
    }
}

/// What is to be decided.
#[derive(Clone, Copy)]
enum Wish {
    Approve,
    Refuse(RefusalReason),
}

/// `POST /studies/{digest}/approve`.
pub(in crate::console) async fn approve(Path(digest): Path<String>, sent: OwnForm) -> Response {
    decide(digest, sent, Some(Wish::Approve)).await
}

/// `POST /studies/{digest}/refuse`.
pub(in crate::console) async fn refuse(Path(digest): Path<String>, sent: OwnForm) -> Response {
    let asked = sent.field("reason");
    let reason = studies::REASONS.into_iter().find(|(code, _)| *code == asked);
    decide(digest, sent, reason.map(|(_, reason)| Wish::Refuse(reason))).await
}

async fn decide(digest: String, sent: OwnForm, wish: Option<Wish>) -> Response {
    // The form names the version, so that what was read is what is decided.
    if sent.field("version") != digest {
        return sent.asked.refuse(Refusal::Form).await;
    }
    let asked = sent.asked;
    let Some(wish) = wish else {
        return again(&asked, digest, Mistake::NoReason).await;
    };
    let version = digest.clone();
    match asked.blocking(move |asked| take(asked, &version, wish)).await {
        Ok(Ok(notice)) => {
            asked.leave(notice);
            Redirect::to(&format!("/studies/{digest}")).into_response()
        }
        Ok(Err(mistake)) => again(&asked, digest, mistake).await,
        Err(refusal) => asked.refuse(refusal).await,
    }
}

/// The study's page again, with what is wrong.
async fn again(asked: &crate::console::asked::Asked, digest: String, mistake: Mistake) -> Response {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    asked.show_with(status, move |asked| studies::build(asked, &digest, Some(&mistake))).await
}

fn take(
    asked: &crate::console::asked::Asked,
    digest: &str,
    wish: Wish,
) -> Result<Result<Notice, Mistake>, Refusal> {
    let Some(visitor) = &asked.visitor else { return Err(Refusal::Role) };
    let by = Actor::named(&visitor.name);
    let decider = Decider { by: &by, now: asked.desk.clock.now() };
    let digest: Digest = digest.parse().map_err(|_| Refusal::Missing)?;
    let Enrolled { config, membership, mut state } = Enrolled::open(asked)?;
    let known = known(&state, &membership, decider, digest)?;
    let key = KeyStore::new(&asked.desk.directory).release()?;
    let register = Register::read(&asked.desk.directory)?;
    let mut office = Office {
        state: &mut state,
        membership: &membership,
        key: &key,
        register: &register,
        people: config.people,
    };
    let done = match wish {
        Wish::Approve => office.approve_as(&known, decider).map(|approval| match approval {
            Approval::Approved(_) => Notice::Approved,
            Approval::AwaitsSecond(_) => Notice::FirstApproval,
        }),
        Wish::Refuse(reason) => office.refuse_as(&known, reason, decider).map(|_| Notice::Refused),
    };
    match done {
        Ok(notice) => Ok(Ok(notice)),
        Err(DecisionError::NotInForce { .. } | DecisionError::NotPermitted(_)) => {
            Ok(Err(Mistake::NotNow))
        }
        Err(DecisionError::SamePerson { name }) => Ok(Err(Mistake::SamePerson { name })),
        Err(error) => Err(error.into()),
    }
}

fn known(
    state: &crate::state::State,
    membership: &Membership,
    decider: Decider<'_>,
    digest: Digest,
) -> Result<decisions::KnownStudy, Refusal> {
    let (known, _) = decisions::studies(state, membership, decider.now)?;
    known.into_iter().find(|known| known.study.digest() == digest).ok_or(Refusal::Missing)
}
