//! One participant's rows, in the closed codes of the local records.
//!
//! A code list is an enum whose last member is `Unknown`; a date that should be there and is not
//! known is [`When::Unknown`]; what has not happened (not moved out, no exit) is `None`. Zero and
//! missing are never the same.
//!
//! **Invariant:** nothing here can be serialised, displayed or logged, and [`PersonId`] least of all.

use std::sync::Arc;
use time::Date;

/// A participant's identifier at the municipality, normalised: surrounding white space removed and
/// letters in lower case, so that `A1` and ` a1 ` are one person with one contribution bound.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(String);

impl PersonId {
    /// The identifier in a cell of a table; `None` if the cell is blank.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_small = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
        let id = if is_small { text.to_owned() } else { text.to_lowercase() };
        (!id.is_empty()).then_some(Self(id))
    }

    /// The bytes that are hashed with the node's key; never shown.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A date that something has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// On this day.
    On(Date),
    /// On a day that is not known.
    Unknown,
}

impl When {
    /// The day, if it is known.
    #[must_use]
    pub fn day(self) -> Option<Date> {
        match self {
            Self::On(day) => Some(day),
            Self::Unknown => None,
        }
    }
}

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarMonth {
    /// The year.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u8,
}

impl CalendarMonth {
    /// The month of a day.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self { year: day.year(), month: u8::from(day.month()) }
    }

    /// How many months it comes after `first`; `None` if it comes before.
    pub(super) fn since(self, first: Self) -> Option<usize> {
        usize::try_from(self.number().checked_sub(first.number())?).ok()
    }

    /// The month that comes so many months later.
    pub(super) fn later(self, months: usize) -> Option<Self> {
        let number = self.number().checked_add(i32::try_from(months).ok()?)?;
        let month = u8::try_from(number.rem_euclid(12)).ok()?.checked_add(1)?;
        Some(Self { year: number.div_euclid(12), month })
    }

    /// Months since year 0.
    fn number(self) -> i32 {
        self.year.saturating_mul(12).saturating_add(i32::from(self.month)).saturating_sub(1)
    }
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($member:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $code, "`.")] $member,)+
            /// Not known or not recorded.
            Unknown,
        }

        impl $name {
            /// Every code of this list, `unknown` last.
            pub const CODES: &[&str] = &[$($code,)+ "unknown"];

            /// Every member, in the order of its code.
            pub const ALL: [Self; Self::CODES.len()] = [$(Self::$member,)+ Self::Unknown];

            /// The member with this code; `None` if there is none.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$member),)+
                    "unknown" => Some(Self::Unknown),
                    _ => None,
                }
            }

            /// The code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$member => $code,)+
                    Self::Unknown => "unknown",
                }
            }
        }
    };
}

codes!(/// Gender as the municipality records it.
    Gender { Woman = "woman", Man = "man" });
codes!(/// Where a participant lived at intake.
HousingAtIntake {
    TemporaryOrHostel = "temporary_or_hostel", WithFamily = "with_family",
    WithFriends = "with_friends", Prison = "prison",
    TreatmentInstitution = "treatment_institution", Outdoors = "outdoors",
    SharedHousing = "shared_housing", OwnDwelling = "own_dwelling",
});
codes!(/// Specialist follow-up.
SpecialistFollowUp {
    None = "none", PsychiatricCentre = "psychiatric_centre", FactOrAct = "fact_or_act",
});
codes!(/// Yes or no.
    YesNo { Yes = "yes", No = "no" });
codes!(/// Why a participant left the programme.
ExitReason {
    OwnDwellingNoFollowUp = "own_dwelling_no_follow_up",
    OtherAccommodation = "other_accommodation", MovedMunicipality = "moved_municipality",
    DidNotWant = "did_not_want", Died = "died", Other = "other",
});
codes!(/// How a consent stands.
ConsentStatus {
    Given = "given", Refused = "refused", Withdrawn = "withdrawn", NotAsked = "not_asked",
});
codes!(/// How a consent was given.
    ConsentMode { Written = "written", Oral = "oral" });
codes!(/// Who owns the dwelling.
    Tenure { Municipal = "municipal", Private = "private" });
codes!(/// How the dwelling lies.
    Setting { Scattered = "scattered", CoLocated = "co_located" });
codes!(/// The way in which a tenancy ended.
EndMode {
    ImmediateTermination = "immediate_termination", LandlordNotice = "landlord_notice",
    VoluntaryMove = "voluntary_move", OwnNotice = "own_notice", Died = "died",
    Other = "other",
});
codes!(/// Why a tenancy ended.
EndReason {
    Disturbance = "disturbance", Rent = "rent", Vandalism = "vandalism",
    Littering = "littering", Treatment = "treatment", Prison = "prison",
    OwnWish = "own_wish", Other = "other",
});
codes!(/// The kind of a stay.
    StayKind { Prison = "prison", Treatment = "treatment" });
codes!(/// Who complained.
ComplaintSource {
    Neighbour = "neighbour", Landlord = "landlord", HousingOffice = "housing_office",
    Police = "police", Other = "other",
});
codes!(/// What a complaint was about.
ComplaintKind {
    Noise = "noise", Visitors = "visitors", WasteOrNeedles = "waste_or_needles",
    Domestic = "domestic", Threatening = "threatening", Other = "other",
});
codes!(/// The category of a contact.
ContactCategory {
    TeamInPerson = "team_in_person", HomeVisit = "home_visit", TeamOffice = "team_office",
    ParticipantCalls = "participant_calls", TeamCalls = "team_calls", Nav = "nav",
    Lar = "lar", DpsOrAct = "dps_or_act",
    SubstanceDepartment = "substance_department",
    RehabilitationUnit = "rehabilitation_unit",
    HousingFollowUpService = "housing_follow_up_service",
    HousingTrainingCentre = "housing_training_centre",
    GeneralPractitioner = "general_practitioner", Work = "work",
    CareTeamMeeting = "care_team_meeting", NextOfKin = "next_of_kin", Other = "other",
});
codes!(/// How heavy a problem is.
    Severity { None = "none", Moderate = "moderate", Severe = "severe" });
codes!(/// Which part of life a satisfaction score is about.
SatisfactionItem {
    Life = "life", Work = "work", Friends = "friends", Leisure = "leisure",
    Dwelling = "dwelling", Neighbourhood = "neighbourhood", Family = "family",
    PhysicalHealth = "physical_health", MentalHealth = "mental_health",
});

/// The row of the `participant` table.
#[derive(Clone)]
pub struct Participant {
    /// The day of intake.
    pub intake: When,
    /// The year of birth, if known.
    pub birth_year: Option<u16>,
    /// Gender.
    pub gender: Gender,
    /// Where the participant lived at intake.
    pub housing_at_intake: HousingAtIntake,
    /// Specialist follow-up.
    pub specialist_follow_up: SpecialistFollowUp,
    /// Substitution treatment.
    pub substitution_treatment: YesNo,
    /// The day of leaving the programme; `None` for who has not left.
    pub exit: Option<When>,
    /// Why; `None` for who has not left.
    pub exit_reason: Option<ExitReason>,
}

/// A row of the `consent` table.
#[derive(Clone)]
pub struct Consent {
    /// The purpose, as the municipality's register of processing names it.
    pub purpose: Arc<str>,
    /// How it stands.
    pub status: ConsentStatus,
    /// How it was given.
    pub mode: ConsentMode,
    /// When it was given or refused.
    pub date: When,
    /// Which version of the information letter it was given on; empty if not recorded.
    pub form_version: Arc<str>,
    /// The last day on which it holds; `None` if it has no end of its own.
    pub valid_until: Option<When>,
    /// The day it was withdrawn; `None` if it was not.
    pub withdrawn_on: Option<When>,
}

/// A row of the `tenancy` table.
#[derive(Clone)]
pub struct Tenancy {
    /// The dwelling's number for this participant, from 1, if recorded.
    pub dwelling_no: Option<u32>,
    /// Who owns the dwelling.
    pub tenure: Tenure,
    /// How it lies.
    pub setting: Setting,
    /// The day of moving in.
    pub moved_in: When,
    /// The day of moving out; `None` for who still lives there.
    pub moved_out: Option<When>,
    /// The way in which it ended, or was given notice; `None` if neither.
    pub end_mode: Option<EndMode>,
    /// Why it ended, or was given notice; `None` if neither.
    pub end_reason: Option<EndReason>,
}

/// A row of the `stay` table.
#[derive(Clone)]
pub struct Stay {
    /// Prison or treatment.
    pub kind: StayKind,
    /// The first day.
    pub from: When,
    /// The last day; `None` if it goes on.
    pub to: Option<When>,
}

/// A row of the `complaint` table: a neighbour complaint about a tenant, and no other "klage".
#[derive(Clone)]
pub struct Complaint {
    /// The day.
    pub date: When,
    /// Who complained.
    pub source: ComplaintSource,
    /// What about.
    pub kind: ComplaintKind,
    /// Whether a three-way meeting followed.
    pub three_way_meeting: YesNo,
}

/// A row of the `contact` table: a month's count on a form, or one event.
#[derive(Clone, Copy)]
pub struct Contact {
    /// The month, if known.
    pub month: Option<CalendarMonth>,
    /// The category.
    pub category: ContactCategory,
    /// How many; 0 only where the form says zero.
    pub count: u64,
    /// Whether the form was filled in: a row that says `no` is missing data and not a zero.
    pub recorded: YesNo,
}

/// A row of the `baseline` table: one mapping form.
#[derive(Clone)]
pub struct Baseline {
    /// The day.
    pub date: When,
    /// Alcohol problems.
    pub alcohol: Severity,
    /// Drug problems.
    pub drugs: Severity,
    /// Mental-health problems.
    pub mental_health: Severity,
}

/// A row of the `satisfaction` table.
#[derive(Clone)]
pub struct Satisfaction {
    /// The day.
    pub date: When,
    /// Which part of life.
    pub item: SatisfactionItem,
    /// 1 (very dissatisfied) to 7 (very satisfied), if recorded.
    pub score: Option<u8>,
}

/// All that the records hold of one participant. Lists of rows do not grow any more: most are short or
/// empty, and there are as many as participants.
#[derive(Clone)]
pub struct Person {
    /// The row of the `participant` table.
    pub participant: Participant,
    /// Rows of the `consent` table.
    pub consents: Box<[Consent]>,
    /// Rows of the `tenancy` table.
    pub tenancies: Box<[Tenancy]>,
    /// Rows of the `stay` table.
    pub stays: Box<[Stay]>,
    /// Rows of the `complaint` table.
    pub complaints: Box<[Complaint]>,
    /// Rows of the `contact` table, where they are not summed in the records.
    pub contacts: Box<[Contact]>,
    /// Rows of the `baseline` table.
    pub baselines: Box<[Baseline]>,
    /// Rows of the `satisfaction` table.
    pub satisfactions: Box<[Satisfaction]>,
}
