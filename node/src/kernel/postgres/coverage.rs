//! How the consents for one purpose stand: `consent::standing` of every participant, summed up.
//!
//! **Invariant:** exact, and so for the municipality's own screen; each participant is in one of the
//! parts, and who is counted is decided by the parts of the count itself.

use super::cohort;
use super::error::{PostgresError, What};
use super::layout::Layout;
use super::scope::{Scope, Who};
use super::session::Session;
use super::statement::Parts;
use super::text::day;
use crate::kernel::consent::Standing;
use fellestall_shared::statistic::Window;
use fellestall_shared::wire::v1::LegalBasis;
use sqlx::Row;
use std::collections::BTreeSet;

/// What a row that gives consent is called that does not let in, the more telling first.
const WHYS: &str = "array['expired', 'other_form', 'unknown', 'not_given']";

/// How many participants there are of each standing.
pub(super) fn standings(
    session: &mut Session,
    layout: &Layout,
    who: &Who<'_>,
) -> Result<Vec<(Standing, usize)>, PostgresError> {
    let what = What::Coverage;
    let broke = |_| PostgresError::Broke { what: What::Coverage };
    let declared = BTreeSet::new();
    let scope = Scope { who, layout, declared: &declared, window: Window::CensusDate };
    let rows = super::ask(session, what, statement(&scope), who, &[])?;
    let mut standings = Vec::new();
    for row in rows {
        let code: String = row.try_get("standing").map_err(broke)?;
        let people: i64 = row.try_get("people").map_err(broke)?;
        let standing = match code.as_str() {
            "counted" => Standing::Counted,
            "not_given" => Standing::NotGiven,
            "objected" => Standing::Objected,
            "expired" => Standing::Expired,
            "other_form" => Standing::OtherForm,
            _ => Standing::Unknown,
        };
        standings.push((standing, usize::try_from(people).unwrap_or(0)));
    }
    Ok(standings)
}

fn statement(scope: &Scope<'_>) -> String {
    let mut parts = Parts::default();
    cohort::add(&mut parts, scope);
    let census = day(scope.who.census);
    // By public task nobody is kept out for want of consent.
    let gives = match scope.who.basis {
        LegalBasis::Consent => "consent_rows.status = 'given'",
        LegalBasis::PublicTask => "false",
    };
    let objected = "(consents.vague or consents.objected is not null)";
    parts.add(
        "whys",
        format!(
            "  select consent_rows.id,\n    \
             min(case when not ({gives}) then null\n      \
             when consent_rows.dated is null then case when {objected} then null else 3 end\n      \
             when consents.vague or consents.objected >= consent_rows.dated then null\n      \
             when consent_rows.dated > {census} then 4\n      \
             when consent_rows.is_until and consent_rows.until is null then 3\n      \
             when consent_rows.until < {census} then 1\n      \
             when consent_rows.mode = 'unknown' then 3 else 2 end) as why,\n    \
             bool_or(consent_rows.status in ('refused', 'withdrawn') or consent_rows.is_withdrawn) as says_no\n  \
             from consent_rows join consents on consents.id = consent_rows.id\n  group by consent_rows.id"
        ),
    );
    let counted = cohort::consented(scope.who.basis);
    parts.statement(&format!(
        "select case when {counted} then 'counted' when whys.why is not null then ({WHYS})[whys.why]\n  \
         when consents.id is null or not {objected} then 'not_given' when whys.says_no then 'objected' else 'unknown' end as standing,\n  \
         count(*) as people\nfrom people left join consents on consents.id = people.id left join whys on whys.id = people.id\ngroup by 1"
    ))
}
