//! A small standard export to break in one place at a time, and a way to see what was read.
//!
//! **Invariant:** the export as it stands here is clean.

use crate::kernel::person::{CalendarMonth, Contact, EndMode, EndReason, ExitReason, Person, When};
use crate::kernel::records::Records;
use crate::kernel::source::{
    Mapping, Origin, QualityReport, RejectedRows, SourceConfig, SourceError, Wanted, read,
};
use std::collections::BTreeMap;
use std::fmt::Write;
use time::macros::date;

pub(super) struct Export {
    files: BTreeMap<String, Vec<u8>>,
    mapping: String,
    policy: RejectedRows,
}

const STANDARD: &[(&str, &str)] = &[
    (
        "participant.csv",
        "participant_id,intake_date,birth_year,gender,housing_at_intake,specialist_follow_up,substitution_treatment,exit_date,exit_reason\n\
         a1,2014-03-01,1975,man,outdoors,none,yes,,\n\
         a2,2014-05-12,,woman,prison,fact_or_act,no,2016-08-01,died\n\
         a3,2015-01-20,1990,unknown,unknown,unknown,unknown,unknown,other\n",
    ),
    (
        "consent.csv",
        "participant_id,purpose,status,mode,date,form_version,valid_until,withdrawn_on\n\
         a1,statistics,given,written,2014-03-02,v1,2019-12-31,\n\
         a2,statistics,given,oral,2014-05-12,v1,,\n\
         a3,statistics,withdrawn,written,2015-01-20,v2,,2015-06-01\n",
    ),
    (
        "tenancy.csv",
        "participant_id,dwelling_no,tenure,setting,moved_in,moved_out,end_mode,end_reason\n\
         a1,1,municipal,scattered,2014-04-01,2015-02-01,landlord_notice,disturbance\n\
         a1,2,private,scattered,2015-03-01,,,\n\
         a2,1,municipal,co_located,2014-06-01,2016-08-01,died,other\n",
    ),
    (
        "stay.csv",
        "participant_id,kind,from,to\na1,prison,2015-02-01,2015-03-01\na3,treatment,2015-02-01,\n",
    ),
    (
        "complaint.csv",
        "participant_id,date,source,kind,three_way_meeting\na1,2014-11-05,neighbour,noise,yes\n",
    ),
    (
        "contact.csv",
        "participant_id,month,category,count,recorded\n\
         a1,2016-10,home_visit,4,yes\n\
         a1,2016-10,nav,0,yes\n\
         a1,2016-11,home_visit,,no\n",
    ),
    (
        "baseline.csv",
        "participant_id,date,alcohol,drugs,mental_health\na1,2014-03-05,none,severe,moderate\n",
    ),
    (
        "satisfaction.csv",
        "participant_id,date,item,score\na1,2016-10-10,dwelling,6\na2,2015-10-10,neighbourhood,\n",
    ),
];

impl Export {
    pub(super) fn standard() -> Self {
        let files = STANDARD.iter();
        let files = files.map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
        Self { files: files.collect(), mapping: String::new(), policy: RejectedRows::Refuse }
    }

    pub(super) fn empty() -> Self {
        Self { files: BTreeMap::new(), ..Self::standard() }
    }

    pub(super) fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(name.to_owned(), bytes.into());
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.files.remove(name).expect("a file to take out");
        self
    }

    /// One text of a file for another; the text has to be there.
    pub(super) fn replace(self, name: &str, from: &str, to: &str) -> Self {
        let text = self.text(name);
        assert!(text.contains(from), "{name} has no {from:?}");
        self.with(name, text.replacen(from, to, 1))
    }

    pub(super) fn append(self, name: &str, rows: &str) -> Self {
        let text = self.text(name) + rows;
        self.with(name, text)
    }

    pub(super) fn skipping(self) -> Self {
        Self { policy: RejectedRows::Skip, ..self }
    }

    pub(super) fn mapped(self, mapping: &str) -> Self {
        Self { mapping: mapping.to_owned(), ..self }
    }

    pub(super) fn text(&self, name: &str) -> String {
        String::from_utf8(self.files[name].clone()).expect("text")
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    /// Writes the files and calls `look`; the folder is gone afterwards.
    pub(super) fn on_disk<T>(&self, look: impl FnOnce(&SourceConfig) -> T) -> T {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in &self.files {
            std::fs::write(folder.path().join(name), bytes).expect("a file");
        }
        look(&SourceConfig::new(
            Origin::Folder(folder.path().to_owned()),
            Mapping::parse(&self.mapping).expect("a mapping"),
            self.policy,
        ))
    }

    /// What is read, as text.
    pub(super) fn records(&self) -> String {
        self.on_disk(|config| read_all(config).map(|(records, _)| dump(&records)).expect("records"))
    }

    pub(super) fn error(&self) -> SourceError {
        self.on_disk(|config| match read_all(config) {
            Err(error) => error,
            Ok(_) => panic!("the export is read"),
        })
    }
}

fn day(when: When) -> String {
    when.day().map_or("?".to_owned(), |day| day.to_string())
}

fn maybe(when: Option<When>) -> String {
    when.map_or("-".to_owned(), day)
}

fn month(month: Option<CalendarMonth>) -> String {
    month.map_or("?".to_owned(), |month| format!("{}-{:02}", month.year, month.month))
}

/// All records, with the contacts of all years that occur in these tests.
pub(super) fn read_all(config: &SourceConfig) -> Result<(Records, QualityReport), SourceError> {
    read(config, &Wanted::between(date!(2000 - 01 - 01), date!(2030 - 12 - 31)))
}

/// Every value of every person, one row a line; of contacts the sums.
pub(super) fn dump(records: &Records) -> String {
    let mut text = String::new();
    let mut summed = Vec::new();
    for member in records.people() {
        let id = String::from_utf8(member.id.as_bytes().to_vec()).expect("text");
        writeln!(text, "{id}: {}", participant(member.person)).expect("written");
        let contacts = records.contacts(&member, &mut summed);
        rows(member.person, contacts, &mut text).expect("written");
    }
    text
}

fn participant(person: &Person) -> String {
    let p = &person.participant;
    format!(
        "{} {:?} {} {} {} {} {} {:?}",
        day(p.intake),
        p.birth_year,
        p.gender.code(),
        p.housing_at_intake.code(),
        p.specialist_follow_up.code(),
        p.substitution_treatment.code(),
        maybe(p.exit),
        p.exit_reason.map(ExitReason::code),
    )
}

fn rows(person: &Person, contacts: &[Contact], text: &mut String) -> std::fmt::Result {
    for c in &person.consents {
        let (status, mode) = (c.status.code(), c.mode.code());
        let (date, until, withdrawn) = (day(c.date), maybe(c.valid_until), maybe(c.withdrawn_on));
        let (purpose, form) = (&c.purpose, &c.form_version);
        writeln!(text, "  consent {purpose} {status} {mode} {date} {form} {until} {withdrawn}")?;
    }
    for t in &person.tenancies {
        let (tenure, setting) = (t.tenure.code(), t.setting.code());
        let (moved_in, moved_out) = (day(t.moved_in), maybe(t.moved_out));
        let ends = (t.end_mode.map(EndMode::code), t.end_reason.map(EndReason::code));
        let number = t.dwelling_no;
        writeln!(text, "  tenancy {number:?} {tenure} {setting} {moved_in} {moved_out} {ends:?}")?;
    }
    for s in &person.stays {
        writeln!(text, "  stay {} {} {}", s.kind.code(), day(s.from), maybe(s.to))?;
    }
    for c in &person.complaints {
        let codes = (c.source.code(), c.kind.code(), c.three_way_meeting.code());
        writeln!(text, "  complaint {} {codes:?}", day(c.date))?;
    }
    for c in contacts {
        let (category, recorded) = (c.category.code(), c.recorded.code());
        writeln!(text, "  contact {} {category} {} {recorded}", month(c.month), c.count)?;
    }
    for b in &person.baselines {
        let codes = (b.alcohol.code(), b.drugs.code(), b.mental_health.code());
        writeln!(text, "  baseline {} {codes:?}", day(b.date))?;
    }
    for s in &person.satisfactions {
        writeln!(text, "  satisfaction {} {} {:?}", day(s.date), s.item.code(), s.score)?;
    }
    Ok(())
}
