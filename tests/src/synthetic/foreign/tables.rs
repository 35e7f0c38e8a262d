//! The foreign names and codes of every table.
//!
//! **Invariant:** the columns of a table stand in the order of the standard export.

/// The header of the participant's identifier.
pub(super) const PARTICIPANT: &str = "Løpenummer";
/// The header of the case number.
pub(super) const CASE: &str = "Saksnr";
/// The file that knows whose case it is.
pub(super) const CASES: &str = "saker.txt";

/// Foreign codes and the standard ones that they stand for.
type Codes = &'static [(&'static str, &'static str)];

/// What a column holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Numbers and texts that are as in the standard export.
    Plain,
    /// Codes.
    Codes(Codes),
    /// Codes, or `-` where it has not happened.
    Optional(Codes),
    /// A day.
    Day,
    /// A day, or `-` where it has not happened.
    OptionalDay,
    /// A month.
    Month,
}

/// One column: its standard name, its foreign header and what it holds.
#[derive(Debug)]
pub(super) struct Column {
    pub name: &'static str,
    pub header: &'static str,
    pub kind: Kind,
}

/// One table: its standard file, its foreign one, and whether it knows the case number alone.
#[derive(Debug)]
pub(super) struct Table {
    pub standard: &'static str,
    pub file: &'static str,
    pub by_case: bool,
    pub columns: &'static [Column],
}

const fn column(name: &'static str, header: &'static str, kind: Kind) -> Column {
    Column { name, header, kind }
}

const YES_NO: Kind = Kind::Codes(&[("J", "yes"), ("N", "no")]);
const SEVERITY: Kind =
    Kind::Codes(&[("Ingen", "none"), ("Moderat", "moderate"), ("Alvorlig", "severe")]);

pub(super) const TABLES: &[Table] = &[
    Table {
        standard: "participant.csv",
        file: "deltakere_på_tiltak.txt",
        by_case: false,
        columns: &[
            column("intake_date", "Tatt inn", Kind::Day),
            column("birth_year", "Fødselsår", Kind::Plain),
            column("gender", "Kjønn", Kind::Codes(&[("M", "man"), ("K", "woman")])),
            column("housing_at_intake", "Bosted før inntak", HOUSING_AT_INTAKE),
            column("specialist_follow_up", "Spesialisthelsetjeneste", SPECIALIST),
            column("substitution_treatment", "LAR", YES_NO),
            column("exit_date", "Avsluttet", Kind::OptionalDay),
            column("exit_reason", "Årsak til avslutning", EXIT_REASON),
        ],
    },
    Table {
        standard: "consent.csv",
        file: "samtykker.txt",
        by_case: false,
        columns: &[
            column("purpose", "Formål", PURPOSE),
            column("status", "Status", CONSENT_STATUS),
            column("mode", "Måte", Kind::Codes(&[("Skriftlig", "written"), ("Muntlig", "oral")])),
            column("date", "Dato", Kind::Day),
            column("form_version", "Skjemautgave", Kind::Plain),
            column("valid_until", "Gjelder til og med", Kind::OptionalDay),
            column("withdrawn_on", "Trukket tilbake", Kind::OptionalDay),
        ],
    },
    Table {
        standard: "tenancy.csv",
        file: "leieforhold.txt",
        by_case: true,
        columns: &[
            column("dwelling_no", "Bolig nr", Kind::Plain),
            column("tenure", "Eier", Kind::Codes(&[("1", "municipal"), ("2", "private")])),
            column("setting", "Plassering", SETTING),
            column("moved_in", "Innflytting", Kind::Day),
            column("moved_out", "Utflytting", Kind::OptionalDay),
            column("end_mode", "Opphørsmåte", END_MODE),
            column("end_reason", "Opphørsgrunn", END_REASON),
        ],
    },
    Table {
        standard: "stay.csv",
        file: "opphold.txt",
        by_case: false,
        columns: &[
            column("kind", "Slag", Kind::Codes(&[("Fengsel", "prison"), ("Døgn", "treatment")])),
            column("from", "Fra", Kind::Day),
            column("to", "Til", Kind::OptionalDay),
        ],
    },
    Table {
        standard: "complaint.csv",
        file: "naboklager.txt",
        by_case: false,
        columns: &[
            column("date", "Mottatt", Kind::Day),
            column("source", "Fra hvem", COMPLAINT_SOURCE),
            column("kind", "Gjelder", COMPLAINT_KIND),
            column("three_way_meeting", "Trekantsamtale", YES_NO),
        ],
    },
    Table {
        standard: "contact.csv",
        file: "kontaktskjema.txt",
        by_case: false,
        columns: &[
            column("month", "Måned", Kind::Month),
            column("category", "Kontakt med", CONTACT),
            column("count", "Antall", Kind::Plain),
            column("recorded", "Utfylt", YES_NO),
        ],
    },
    Table {
        standard: "baseline.csv",
        file: "kartlegging.txt",
        by_case: false,
        columns: &[
            column("date", "Dato", Kind::Day),
            column("alcohol", "Alkohol", SEVERITY),
            column("drugs", "Stoff", SEVERITY),
            column("mental_health", "Psykisk helse", SEVERITY),
        ],
    },
    Table {
        standard: "satisfaction.csv",
        file: "spørreskjema.txt",
        by_case: false,
        columns: &[
            column("date", "Dato", Kind::Day),
            column("item", "Spørsmål", ITEM),
            column("score", "Svar", Kind::Plain),
        ],
    },
];

const PURPOSE: Kind = Kind::Codes(&[("Statistikk", "housing-first-statistics")]);
const HOUSING_AT_INTAKE: Kind = Kind::Codes(&[
    ("Midlertidig", "temporary_or_hostel"),
    ("Familie", "with_family"),
    ("Venner", "with_friends"),
    ("Fengsel", "prison"),
    ("Institusjon", "treatment_institution"),
    ("Ute", "outdoors"),
    ("Bofellesskap", "shared_housing"),
    ("Egen bolig", "own_dwelling"),
]);
const SPECIALIST: Kind = Kind::Codes(&[
    ("Ingen", "none"),
    ("DPS", "psychiatric_centre"),
    ("FACT", "fact_or_act"),
    ("ACT", "fact_or_act"),
]);
const EXIT_REASON: Kind = Kind::Optional(&[
    ("Egen bolig", "own_dwelling_no_follow_up"),
    ("Annet botilbud", "other_accommodation"),
    ("Flyttet", "moved_municipality"),
    ("Ønsket ikke", "did_not_want"),
    ("Død", "died"),
    ("Annet", "other"),
]);
const CONSENT_STATUS: Kind = Kind::Codes(&[
    ("Gitt", "given"),
    ("Avslått", "refused"),
    ("Trukket", "withdrawn"),
    ("Ikke spurt", "not_asked"),
]);
const SETTING: Kind = Kind::Codes(&[("Spredt", "scattered"), ("Samlokalisert", "co_located")]);
const END_MODE: Kind = Kind::Optional(&[
    ("Heving", "immediate_termination"),
    ("Oppsigelse fra utleier", "landlord_notice"),
    ("Frivillig flytting", "voluntary_move"),
    ("Egen oppsigelse", "own_notice"),
    ("Død", "died"),
    ("Annet", "other"),
]);
const END_REASON: Kind = Kind::Optional(&[
    ("Bråk", "disturbance"),
    ("Husleie", "rent"),
    ("Hærverk", "vandalism"),
    ("Søppel", "littering"),
    ("Behandling", "treatment"),
    ("Fengsel", "prison"),
    ("Eget ønske", "own_wish"),
    ("Annet", "other"),
]);
const COMPLAINT_SOURCE: Kind = Kind::Codes(&[
    ("Nabo", "neighbour"),
    ("Utleier", "landlord"),
    ("Boligkontor", "housing_office"),
    ("Politi", "police"),
    ("Annet", "other"),
]);
const COMPLAINT_KIND: Kind = Kind::Codes(&[
    ("Støy", "noise"),
    ("Besøk", "visitors"),
    ("Søppel eller sprøyter", "waste_or_needles"),
    ("Krangel", "domestic"),
    ("Trusler", "threatening"),
    ("Annet", "other"),
]);
const CONTACT: Kind = Kind::Codes(&[
    ("Team, møte", "team_in_person"),
    ("Hjemmebesøk", "home_visit"),
    ("Kontoret", "team_office"),
    ("Bruker ringer", "participant_calls"),
    ("Team ringer", "team_calls"),
    ("NAV", "nav"),
    ("LAR", "lar"),
    ("DPS/ACT", "dps_or_act"),
    ("Rusavdeling", "substance_department"),
    ("ND", "rehabilitation_unit"),
    ("Booppfølging", "housing_follow_up_service"),
    ("Botrening", "housing_training_centre"),
    ("Fastlege", "general_practitioner"),
    ("Arbeid", "work"),
    ("Ansvarsgruppe", "care_team_meeting"),
    ("Pårørende", "next_of_kin"),
    ("Annet", "other"),
]);
const ITEM: Kind = Kind::Codes(&[
    ("Livet", "life"),
    ("Arbeid", "work"),
    ("Venner", "friends"),
    ("Fritid", "leisure"),
    ("Boligen", "dwelling"),
    ("Nabolaget", "neighbourhood"),
    ("Familie", "family"),
    ("Kropp", "physical_health"),
    ("Psyke", "mental_health"),
]);
