//! Every text of the console in bokmål, nynorsk and English: three files of one shape.
//!
//! **Invariant:** a key that is missing in one language, or that nothing shows, is an error when the
//! texts are read.

use crate::audit::Unanswered;
use crate::kernel::Withdrawal;
use crate::register::AtEnd;
use crate::state::Role;
use fellestall_shared::labels::Language;
use fellestall_shared::wire::v1::{LegalBasis, RefusalReason};
use serde::Deserialize;
use std::sync::LazyLock;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident { $($key:ident),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub(super) struct $name {
                $(pub $key: String,)+
            }
        )+
    };
}

/// The texts of one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub common: Common,
    pub nav: Nav,
    pub sign_in: SignIn,
    pub overview: Overview,
    pub studies: Studies,
    pub study: Study,
    pub not_permitted: NotPermittedWords,
    pub budget: BudgetWords,
    pub data: Data,
    pub releases: Releases,
    pub log: Log,
    pub event: EventWords,
    pub register: RegisterWords,
    pub evidence: EvidenceWords,
    pub notice: NoticeWords,
    pub errors: Errors,
    pub roles: Roles,
    pub reasons: Reasons,
    pub unanswered: UnansweredWords,
    pub months: Vec<String>,
}

texts! {
    /// What several pages say.
    Common {
        skip, languages, main_navigation, signed_in_as, sign_out, local_only, yes, no,
        basis_consent, basis_public_task, withdrawal_next_period, withdrawal_at_once, end_delete,
        end_anonymise, end_archive, none_given, clock, newer, older,
    }
    /// The navigation.
    Nav { overview, studies, budget, data, releases, register, evidence, log }
    /// Signing in.
    SignIn { title, lead, name, secret, secret_hint, submit, failed_title, failed }
    /// The overview.
    Overview {
        title, lead, connection, connected, not_connected, never_connected, last_answer, coordinator,
        failure, node, not_enrolled, certificate, certificate_valid, certificate_soon,
        certificate_expired, certificate_until, days_left, studies, studies_none, studies_one,
        studies_many, to_studies, budget, budget_left, to_budget, releases, releases_none,
        releases_sent, releases_unsent, round_waits, to_releases, countersigned, countersigned_yes, countersigned_no,
        countersigned_last, countersigned_never, countersign_refused, countersign_refused_text,
    }
    /// The list of studies.
    Studies {
        title, lead, none, caption, study, purpose, ends, cost, decision, waiting, approved, refused,
        awaits_second, not_in_force, unusable,
    }
    /// One study.
    Study {
        lead, decided_by, first_by, to_decision, about, purpose, controller, basis,
        assessment, no_assessment, starts, ends, minimum_nodes, mode, mode_local,
        mode_shared, mode_both, mode_mixed, unseen, county, national_fewer, split, promise, promise_more,
        promise_joined, loss, loss_unbounded, municipal_figures,
        persons, residence, residence_anywhere, residence_census, digest, fields, fields_lead, leaves,
        leaves_lead, table_caption, table, counts, bound, rho, local, national, interval_note,
        categories, costs, cost_line, person_line, already, period_line,
        left_caption, budget_of, spent_before, this_round, left_after, not_affordable, answered_before, permitted,
        is_permitted, not_permitted, decide, decide_lead, people_two, approve, approve_hint, approve_first,
        approve_second, approve_own, refuse, refuse_hint, reason, reason_missing_title, reason_missing,
        only_read, not_open, stale_title, stale, same_person, decided_already, change_hint,
    }
    /// Why the register does not permit a study.
    NotPermittedWords { unregistered, legal_basis, controller, not_started, ended, period, field }
    /// The budget.
    BudgetWords {
        title, lead, nothing, lifetime, year, study, spent, left, cap, caption, of, picture, epsilon_note,
        charges, charges_caption, number, round, cost, release, none,
    }
    /// Data quality.
    Data {
        title, lead, local, check, checking_note, never, checked_at, ready, ready_skip, not_ready,
        cannot_read, quality, caption, table, file, read, accepted, rejected, left_out, absent,
        rejected_rows, more, contradictions, contradictions_note,
        control, english_note, coverage, coverage_lead, coverage_caption, purpose, counted, not_given,
        objected, expired, other_form, unknown, participants,
    }
    /// What left.
    Releases {
        title, lead, none, caption, number, round, period, cost, sent, sent_yes, sent_no, show, release,
        page_lead, facts, node, study, charge, ledger, digest, report, report_text, tables, noisy, noise,
        bytes, bytes_lead, total_note,
    }
    /// The log.
    Log {
        title, lead, holds, broken, caption, number, when, who, who_node, who_unknown, what, head, export, export_lead, none,
        page, pages,
    }
    /// What happened.
    EventWords {
        node_made, enrolled, configuration_changed, register_changed, study_received, round_received,
        first_approval, approved, refused, released, sent, not_released, person_looked_up,
        evidence_made, purged, user_added, user_removed, signed_in, sign_in_failed, witness_refused,
        recovered,
    }
    /// The register of processing.
    RegisterWords {
        title, lead, none, controller, basis, assessment, letter, forms, withdrawal, starts, ends,
        at_end, fields, in_force, not_started, over, kept, kept_lead, kept_caption, item, purpose, why,
        until, may_be_purged,
    }
    /// The evidence pack.
    EvidenceWords { title, lead, text, open, download }
    /// What was just done.
    NoticeWords { approved, first_approval, refused, checked, busy }
    /// Why there is no page.
    Errors {
        missing_title, missing, refused_title, foreign, form, role, too_large, too_many_title, too_many,
        not_enrolled_title, not_enrolled, broken_title, broken, detail, home,
    }
    /// What users may do.
    Roles { operator, officer, auditor }
    /// Why a study is refused.
    Reasons { purpose, legal_basis, budget, too_detailed, not_recorded, capacity, other }
    /// Why a round is not answered.
    UnansweredWords { not_permitted, budget, answered_before, records, task, witness, other }
}

/// The texts of all languages.
#[derive(Debug)]
pub(super) struct AllWords {
    nb: Words,
    nn: Words,
    en: Words,
}

/// Texts that are not whole.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {message}")]
pub struct BadWords {
    file: &'static str,
    message: String,
}

impl AllWords {
    /// The texts that the program was built with.
    pub(super) fn builtin() -> Result<&'static Self, &'static BadWords> {
        static ALL: LazyLock<Result<AllWords, BadWords>> = LazyLock::new(|| {
            Ok(AllWords {
                nb: parse("nb.toml", include_str!("words/nb.toml"))?,
                nn: parse("nn.toml", include_str!("words/nn.toml"))?,
                en: parse("en.toml", include_str!("words/en.toml"))?,
            })
        });
        ALL.as_ref()
    }

    /// The texts of one language.
    pub(super) fn of(&self, language: Language) -> &Words {
        match language {
            Language::Nb => &self.nb,
            Language::Nn => &self.nn,
            Language::En => &self.en,
        }
    }
}

fn parse(file: &'static str, text: &str) -> Result<Words, BadWords> {
    let words: Words =
        toml::from_str(text).map_err(|error| BadWords { file, message: error.to_string() })?;
    if words.months.len() != 12 {
        return Err(BadWords { file, message: "a year has twelve months".to_owned() });
    }
    Ok(words)
}

impl Words {
    /// A role.
    pub(super) fn role(&self, role: Role) -> &str {
        match role {
            Role::Operator => &self.roles.operator,
            Role::Officer => &self.roles.officer,
            Role::Auditor => &self.roles.auditor,
        }
    }

    /// A role by its code, as the audit log has it.
    pub(super) fn role_of<'w>(&'w self, code: &'w str) -> &'w str {
        Role::from_code(code).map_or(code, |role| self.role(role))
    }

    /// A legal basis.
    pub(super) fn basis(&self, basis: LegalBasis) -> &str {
        match basis {
            LegalBasis::Consent => &self.common.basis_consent,
            LegalBasis::PublicTask => &self.common.basis_public_task,
        }
    }

    /// From when a withdrawal counts.
    pub(super) fn withdrawal(&self, withdrawal: Withdrawal) -> &str {
        match withdrawal {
            Withdrawal::NextPeriod => &self.common.withdrawal_next_period,
            Withdrawal::AtOnce => &self.common.withdrawal_at_once,
        }
    }

    /// What happens at a project's end.
    pub(super) fn at_end(&self, at_end: AtEnd) -> &str {
        match at_end {
            AtEnd::Delete => &self.common.end_delete,
            AtEnd::Anonymise => &self.common.end_anonymise,
            AtEnd::Archive => &self.common.end_archive,
        }
    }

    /// Why a study is refused.
    pub(super) fn reason(&self, reason: RefusalReason) -> &str {
        match reason {
            RefusalReason::Purpose => &self.reasons.purpose,
            RefusalReason::LegalBasis => &self.reasons.legal_basis,
            RefusalReason::Budget => &self.reasons.budget,
            RefusalReason::TooDetailed => &self.reasons.too_detailed,
            RefusalReason::NotRecorded => &self.reasons.not_recorded,
            RefusalReason::Capacity => &self.reasons.capacity,
            RefusalReason::Other => &self.reasons.other,
        }
    }

    /// Why a round is not answered.
    pub(super) fn unanswered(&self, why: Unanswered) -> &str {
        match why {
            Unanswered::NotPermitted => &self.unanswered.not_permitted,
            Unanswered::Budget => &self.unanswered.budget,
            Unanswered::AnsweredBefore => &self.unanswered.answered_before,
            Unanswered::Records => &self.unanswered.records,
            Unanswered::Task => &self.unanswered.task,
            Unanswered::Witness => &self.unanswered.witness,
            Unanswered::Other => &self.unanswered.other,
        }
    }
}

#[cfg(test)]
mod tests;
