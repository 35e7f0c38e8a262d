//! Each participant of Bergen and Sandnes in one line.
//!
//! **Invariant:** summing the lines gives the published tables.

use super::super::person::Code;

/// What has become of a participant by the end of 2016.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// Lives in the first dwelling.
    Same,
    /// Moved by own wish and lives in the second dwelling.
    Moved,
    /// Lost one dwelling and lives in the next.
    Rehoused,
    /// Lost two dwellings and lives in the third.
    RehousedTwice,
    /// Lost the dwelling for this reason and has no other.
    Temporary(Code),
    /// Has been given notice and still lives there.
    Notice,
    /// Left the programme when the tenancy ended in this way.
    Left {
        /// How the tenancy ended.
        mode: Code,
        /// Why.
        reason: Code,
        /// Why the participant left.
        exit: Code,
    },
    /// Left in the last days of December 2016, and so has contact forms for the whole quarter.
    LeftInDecember {
        /// How the tenancy ended.
        mode: Code,
        /// Why.
        reason: Code,
    },
}

/// How drug problems changed from the first mapping form to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// As they were.
    Unchanged,
    /// Heavier.
    Worse,
    /// Lighter.
    Better,
}

/// The forms there are about a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forms {
    /// Neither mapping forms nor contact forms.
    None,
    /// Contact forms and one mapping form.
    One,
    /// Contact forms and two mapping forms.
    Two(Change),
}

/// One participant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub year: u16,
    pub course: Course,
    pub prison: bool,
    pub treatment: bool,
    pub forms: Forms,
    pub gender: Code,
    pub forty_complaints: bool,
}

/// A line; `marks` holds `p` for a prison stay, `t` for a treatment stay and `40` for forty
/// complaints in the last quarter.
const fn line(year: u16, course: Course, marks: &str, forms: Forms, gender: Code) -> Line {
    let mut line = Line {
        year,
        course,
        prison: false,
        treatment: false,
        forms,
        gender,
        forty_complaints: false,
    };
    let mut marks = marks.as_bytes();
    while let [mark, rest @ ..] = marks {
        match *mark {
            b'p' => line.prison = true,
            b't' => line.treatment = true,
            b'4' => line.forty_complaints = true,
            _ => {}
        }
        marks = rest;
    }
    line
}

/// Left after losing the dwelling, or dead.
const fn left(mode: Code, reason: Code, exit: Code) -> Course {
    Course::Left { mode, reason, exit }
}

const NONE: Forms = Forms::None;
const ONE: Forms = Forms::One;
const LIKE: Forms = Forms::Two(Change::Unchanged);
const WORSE: Forms = Forms::Two(Change::Worse);
const BETTER: Forms = Forms::Two(Change::Better);
const MAN: Code = "man";
const WOMAN: Code = "woman";
const NOT: Code = "unknown";
const DEAD: Course = left("died", "other", "died");
const EVICTED: Course = left("immediate_termination", "disturbance", "did_not_want");
const NOTICE: Course = left("landlord_notice", "disturbance", "other_accommodation");
const OWN: Course = left("own_notice", "own_wish", "moved_municipality");
const DISTURBED: Course = Course::Temporary("disturbance");
const TREATED: Course = Course::Temporary("treatment");
const LITTERED: Course = Course::Temporary("littering");
/// Immediate termination in December 2016.
const DECEMBER_EVICTED: Course =
    Course::LeftInDecember { mode: "immediate_termination", reason: "disturbance" };
/// The landlord's notice, moved out in December 2016.
const DECEMBER_NOTICE: Course =
    Course::LeftInDecember { mode: "landlord_notice", reason: "vandalism" };
/// Another end, in December 2016.
const DECEMBER_OTHER: Course = Course::LeftInDecember { mode: "other", reason: "other" };

/// Bergen: 36 participants.
#[rustfmt::skip]
pub(super) const BERGEN: &[Line] = &[
    line(2014, DEAD, "p", NONE, NOT),
    line(2014, EVICTED, "pt", NONE, NOT),
    line(2014, NOTICE, "p", NONE, NOT),
    line(2014, OWN, "t", NONE, NOT),
    line(2014, Course::RehousedTwice, "t", LIKE, MAN),
    line(2014, Course::Rehoused, "p", WORSE, MAN),
    line(2014, Course::Rehoused, "p", NONE, NOT),
    line(2014, Course::Rehoused, "t", LIKE, WOMAN),
    line(2014, Course::Rehoused, "p", NONE, NOT),
    line(2014, Course::Rehoused, "t", NONE, NOT),
    line(2014, DISTURBED, "p", BETTER, MAN),
    line(2014, TREATED, "t", NONE, NOT),
    line(2014, LITTERED, "p", NONE, NOT),
    line(2014, Course::Moved, "t", ONE, NOT),
    line(2014, Course::Moved, "p", NONE, NOT),
    line(2014, Course::Moved, "", LIKE, MAN),
    line(2014, Course::Notice, "p40", WORSE, MAN),
    line(2014, Course::Notice, "t", NONE, NOT),
    line(2014, Course::Same, "", LIKE, WOMAN),
    line(2014, Course::Same, "p", NONE, NOT),
    line(2014, Course::Same, "t", ONE, MAN),
    line(2014, Course::Same, "", NONE, NOT),
    line(2015, EVICTED, "pt", NONE, NOT),
    line(2015, Course::Same, "", LIKE, MAN),
    line(2015, Course::Same, "", NONE, NOT),
    line(2015, Course::Same, "t", WORSE, NOT),
    line(2015, Course::Same, "", NONE, NOT),
    line(2016, Course::Rehoused, "p", BETTER, MAN),
    line(2016, DISTURBED, "pt", NONE, NOT),
    line(2016, Course::Same, "", LIKE, WOMAN),
    line(2016, Course::Same, "t", NONE, NOT),
    line(2016, Course::Same, "p", ONE, MAN),
    line(2016, Course::Same, "", NONE, NOT),
    line(2016, Course::Same, "p", LIKE, NOT),
    line(2016, Course::Same, "", NONE, NOT),
    line(2016, Course::Same, "", ONE, MAN),
];

/// Sandnes: 15 participants.
#[rustfmt::skip]
pub(super) const SANDNES: &[Line] = &[
    line(2014, DEAD, "", NONE, NOT),
    line(2014, EVICTED, "p", NONE, NOT),
    line(2014, DECEMBER_EVICTED, "t", LIKE, MAN),
    line(2014, DECEMBER_NOTICE, "p", WORSE, MAN),
    line(2014, DECEMBER_OTHER, "", LIKE, NOT),
    line(2014, Course::Same, "", BETTER, MAN),
    line(2014, Course::Same, "t", LIKE, WOMAN),
    line(2014, Course::Same, "", ONE, MAN),
    line(2015, Course::Same, "t", LIKE, NOT),
    line(2015, Course::Same, "", WORSE, MAN),
    line(2015, Course::Same, "p", LIKE, MAN),
    line(2015, Course::Same, "", ONE, NOT),
    line(2016, Course::Same, "", BETTER, MAN),
    line(2016, Course::Same, "t", LIKE, MAN),
    line(2016, Course::Same, "", LIKE, NOT),
];
