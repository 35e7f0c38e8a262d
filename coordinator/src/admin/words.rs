//! Every text of the administration pages in bokmål, nynorsk and English: three files of one shape.
//!
//! **Invariant:** a key that is missing in one language, or that nothing shows, is an error when the
//! texts are read.

use crate::store::staff::Role;
use fellestall_shared::labels::Language;
use serde::Deserialize;
use std::collections::BTreeMap;
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
    pub session: Session,
    pub nodes: NodesWords,
    pub invitations: Invitations,
    pub studies: Studies,
    pub rounds: Rounds,
    pub reasons: Reasons,
    pub rejections: Rejections,
    pub preview: PreviewWords,
    pub publications: PublicationsWords,
    pub report: ReportWords,
    pub staff: StaffWords,
    pub log: Log,
    pub notice: NoticeWords,
    pub errors: Errors,
    pub roles: Roles,
    pub may: Roles,
    /// What happened, by the name that the log gives it.
    pub events: BTreeMap<String, String>,
    pub months: Vec<String>,
}

texts! {
    /// What several pages say.
    Common {
        skip, languages, main_navigation, signed_in_as, sign_out, foot, clock, newer, older,
        problem, program_says,
    }
    /// The navigation.
    Nav {
        overview, nodes, invitations, studies, rounds, publications, report, log, staff,
    }
    /// Signing in.
    SignIn {
        title, lead, name, password, submit, local, provider, provider_lead, failed_title, failed, provider_state,
        provider_declined, provider_unavailable, provider_token, provider_not_staff, signed_in,
        signed_in_lead, go_on,
    }
    /// The overview.
    Overview {
        title, lead, applications, applications_none, rounds, rounds_none, round_open, round_due, due,
        nodes, nodes_good, enrolled, certificate_ends, not_seen_since, never_seen, alarms,
        alarms_text, to_nodes, to_rounds, to_log,
    }
    /// The visitor's own session.
    Session { title, lead, name, role, may, how, by_password, began, idle, longest }
    /// Nodes.
    NodesWords {
        title, lead, none, caption, node, status, seen, certificate, software, never, pending,
        enrolled, refused, denied, municipality, applied, decided, fingerprint, fingerprint_lead,
        decision, only_administrators, nothing_to_decide, approve, compared, not_compared, refuse, refuse_lead,
        deny, deny_lead, confirm, not_confirmed, another, decided_already, facts,
    }
    /// Invitations.
    Invitations {
        title, lead, none, caption, municipality, created, expires, state, used, expired, open,
        make, make_lead, number, number_hint, submit, made, made_lead, no_such,
    }
    /// Studies.
    Studies {
        title, lead, none, caption, study, name, tables, charge, published, new, new_lead, answers,
        digest, terms, fields, cells, table, purpose, controller, basis, basis_consent,
        basis_public_task, assessment, starts, ends, minimum_nodes, minimum_difference, municipal,
        late, yes, no, residence, residence_anywhere, residence_census, document, document_hint,
        check, publish, sound, not_read, not_sound,
    }
    /// Rounds.
    Rounds {
        title, lead, none, caption, round, period, state, closes, reported, open, closed, study, opened,
        is_open, closed_on, reported_of, nodes, nodes_caption, municipality, standing, received, has_reported, has_approved,
        has_refused, is_awaited, late, rejected, follow, follow_stop, following, publish, to_preview,
        to_revision, too_few, open_one, open_lead, period_hint, closes_hint, submit, no_study, bad_period,
        bad_date, past_date, not_over, picture,
    }
    /// Why a municipality refuses a study.
    Reasons { purpose, legal_basis, budget, too_detailed, not_recorded, capacity, other }
    /// Why the report of shared tables was rejected.
    Rejections { signature, binding, sealed, malformed, proof, replayed, opened }
    /// Figures before they are published.
    PreviewWords {
        title, embargo, summary, region, show_region, figure, shown, interval, deviation, raw, note, decisions,
        decided, no_decisions, place, why, on, below_threshold, too_uncertain, too_few, pooled, publish,
        publish_first, publish_next, submit, only_read, sealed, sealed_summary, open_first, open_submit, changed, nothing_new, unopened, not_possible, back,
    }
    /// What was published.
    PublicationsWords { title, lead, none, caption, id, published, digest, read }
    /// The report.
    ReportWords { title, lead, page, workbook }
    /// The staff.
    StaffWords {
        title, lead, caption, name, role, how, added, remove, by_password, yourself, add, add_lead, subject,
        subject_hint, name_hint, submit, no_role, bad_subject, bad_name, taken, no_provider,
    }
    /// The log.
    Log { title, lead, none, caption, number, when, who, unknown, what, about, alarm, page, pages }
    /// What was just done.
    NoticeWords {
        approved, refused, denied, study_published, study_stood, round_opened, round_stood,
        published, staff_added, staff_removed,
    }
    /// Why there is no page.
    Errors {
        missing_title, missing, refused_title, foreign, form, role, too_large, too_many_title, too_many,
        broken_title, broken, home,
    }
    /// The roles.
    Roles { administrator, coordinator, auditor }
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
        of_role(&self.roles, role)
    }

    /// What a role may do.
    pub(super) fn may(&self, role: Role) -> &str {
        of_role(&self.may, role)
    }

    /// What happened; a name that has no words is shown as it is.
    pub(super) fn event<'w>(&'w self, name: &'w str) -> &'w str {
        self.events.get(name).map_or(name, String::as_str)
    }
}

fn of_role(texts: &Roles, role: Role) -> &str {
    match role {
        Role::Administrator => &texts.administrator,
        Role::Coordinator => &texts.coordinator,
        Role::Auditor => &texts.auditor,
    }
}

#[cfg(test)]
mod tests;
