//! An export with foreign names, codes, dates, delimiter, encoding and keys, read by a mapping alone.
//!
//! **Invariant:** it gives the very records of the standard export.

use super::export::Export;
use crate::kernel::source::{Rule, SourceError, check};

const MAPPING: &str = r#"
delimiter = ";"
encoding = "iso-8859-1"
dates = "%d.%m.%Y"
months = "%m/%Y"
unknown = ["ukjent", "?"]
empty = ["NULL"]

[tables.participant]
file = "deltakere.csv"
[tables.participant.columns]
participant_id = "klient_id"
intake_date = "inntaksdato"
birth_year = "fødselsår"
gender = { column = "kjønn", codes = { K = "woman", M = "man" } }
housing_at_intake = { column = "bosted", codes = { "ute/gaten" = "outdoors", "fengsel" = "prison" } }
specialist_follow_up = { column = "oppfølging", codes = { nei = "none", FACT = "fact_or_act", ACT = "fact_or_act" } }
substitution_treatment = { column = "LAR", codes = { ja = "yes", nei = "no" } }
exit_date = "sluttdato"
exit_reason = { column = "sluttårsak", codes = { "død" = "died", annet = "other" } }

[tables.consent]
file = "samtykke.csv"
[tables.consent.columns]
participant_id = "klient_id"
purpose = { constant = "statistics" }
status = { column = "svar", codes = { ja = "given", trukket = "withdrawn" } }
mode = { column = "måte", codes = { skriftlig = "written", muntlig = "oral" } }
date = "dato"
form_version = "skjema"
valid_until = { column = "gyldig_til", empty = ["31.12.2099"] }
withdrawn_on = "trukket_dato"

[tables.tenancy]
file = "leieforhold.csv"
[[tables.tenancy.join]]
file = "saker.csv"
from = "sak_nr"
key = "sak_nr"
to = "vedtak"
[[tables.tenancy.join]]
file = "vedtak.csv"
key = "vedtak_nr"
to = "klient_id"
delimiter = ","
[tables.tenancy.columns]
dwelling_no = "bolig_nr"
tenure = { column = "utleier", codes = { kommunal = "municipal", privat = "private" } }
setting = { column = "plassering", codes = { spredt = "scattered", samlokalisert = "co_located" } }
moved_in = "innflyttet"
moved_out = "utflyttet"
end_mode = { column = "opphør", codes = { oppsigelse = "landlord_notice", "død" = "died" } }
end_reason = { column = "årsak", codes = { "uro/bråk" = "disturbance", annet = "other" } }

[tables.stay]
file = "opphold.csv"
[tables.stay.join]
file = "personer.csv"
from = "person"
key = "person"
to = "klient_id"
[tables.stay.columns]
kind = { column = "type", codes = { fengsel = "prison", behandling = "treatment" } }
from = "fra"
to = "til"

[tables.complaint]
file = "naboklager.csv"
[tables.complaint.columns]
participant_id = "klient_id"
date = { column = "dato", dates = "%Y%m%d" }
source = { column = "fra", codes = { nabo = "neighbour" } }
kind = { column = "gjelder", codes = { "støy" = "noise" } }
three_way_meeting = { column = "trekantsamtale", codes = { "1" = "yes", "0" = "no" } }

[tables.contact]
file = "kontakt.csv"
[tables.contact.columns]
participant_id = "klient_id"
month = "måned"
category = { column = "slag", codes = { "hjemmebesøk" = "home_visit", NAV = "nav" } }
count = "antall"
recorded = { column = "ført", codes = { ja = "yes", nei = "no" } }

[tables.baseline]
file = "kartlegging.csv"
[tables.baseline.columns]
participant_id = "klient_id"
date = "dato"
alcohol = { column = "alkohol", codes = { "0" = "none", "1" = "moderate", "2" = "severe" } }
drugs = { column = "rus", codes = { "0" = "none", "1" = "moderate", "2" = "severe" } }
mental_health = { column = "psykisk", codes = { "0" = "none", "1" = "moderate", "2" = "severe" } }

[tables.satisfaction]
file = "livskvalitet.csv"
[tables.satisfaction.columns]
participant_id = "klient_id"
date = "dato"
item = { column = "område", codes = { bolig = "dwelling", "nabolag" = "neighbourhood" } }
score = "skår"
"#;

const FILES: &[(&str, &str)] = &[
    (
        "deltakere.csv",
        "navn;klient_id;fødselsår;kjønn;bosted;oppfølging;LAR;inntaksdato;sluttdato;sluttårsak;\n\
         \"Åse; Øst\";A1;1975;m;Ute/gaten;nei;ja;01.03.2014;NULL;;\n\
         Ærlig;A2;;K;Fengsel;Fact;Nei;12.05.2014;01.08.2016;Død;\n\
         ;A3;1990;?;ukjent;;Ukjent;20.01.2015;ukjent;annet;\n",
    ),
    (
        "samtykke.csv",
        "klient_id;svar;måte;dato;skjema;gyldig_til;trukket_dato\n\
         A1;ja;skriftlig;02.03.2014;v1;31.12.2019;\n\
         A2;ja;muntlig;12.05.2014;v1;31.12.2099;\n\
         A3;trukket;skriftlig;20.01.2015;v2;NULL;01.06.2015\n",
    ),
    (
        "leieforhold.csv",
        "sak_nr;bolig_nr;utleier;plassering;innflyttet;utflyttet;opphør;årsak\n\
         S-10;1;kommunal;spredt;01.04.2014;01.02.2015;oppsigelse;uro/bråk\n\
         S-11;2;privat;spredt;01.03.2015;;;\n\
         s-12;1;kommunal;samlokalisert;01.06.2014;01.08.2016;død;annet\n",
    ),
    ("saker.csv", "vedtak;sak_nr\nV1;S-10\nV2;S-11\nV3;S-12\n"),
    ("vedtak.csv", "vedtak_nr,klient_id\nV1,a1\nV2,a1\nV3,a2\n"),
    (
        "opphold.csv",
        "person;type;fra;til\n7;fengsel;01.02.2015;01.03.2015\n8;behandling;01.02.2015;\n",
    ),
    ("personer.csv", "person;klient_id\n7;a1\n8;a3\n7;A1\n"),
    ("naboklager.csv", "klient_id;dato;fra;gjelder;trekantsamtale\nA1;20141105;nabo;støy;1\n"),
    (
        "kontakt.csv",
        "klient_id;måned;slag;antall;ført\n\
         A1;10/2016;Hjemmebesøk;4;ja\nA1;10/2016;nav;0;ja\nA1;11/2016;hjemmebesøk;;nei\n",
    ),
    ("kartlegging.csv", "klient_id;dato;alkohol;rus;psykisk\nA1;05.03.2014;0;2;1\n"),
    (
        "livskvalitet.csv",
        "klient_id;dato;område;skår\nA1;10.10.2016;bolig;6\nA2;10.10.2015;nabolag;?\n",
    ),
];

/// ISO-8859-1: each character is its own byte.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).expect("a character of ISO-8859-1")).collect()
}

fn foreign() -> Export {
    let export = Export::empty().mapped(MAPPING);
    FILES.iter().fold(export, |export, (name, text)| export.with(name, latin1(text)))
}

#[test]
fn a_foreign_export_is_read_with_a_mapping_alone() {
    assert_eq!(foreign().records(), Export::standard().records());
    let report = foreign().on_disk(|config| check(config).expect("a report"));
    assert!(report.is_clean() && report.can_release(), "{report}");
    assert_eq!(report.joins.len(), 3);
}

#[test]
fn contacts_may_be_one_row_each() {
    let mapping = "[tables.contact]\nform = \"events\"\n[tables.contact.columns]\ndate = \"dato\"";
    let rows = "participant_id,dato,category\na1,2016-10-03,home_visit\na1,2016-10-03,home_visit\na1,,nav\n";
    let export = Export::standard().with("contact.csv", rows).mapped(mapping);
    let records = export.records();
    assert_eq!(records.matches("contact 2016-10 home_visit 2 yes").count(), 1, "{records}");
    // A contact on an unknown day is in no window.
    assert_eq!(records.matches("contact").count(), 1, "{records}");
    assert!(export.on_disk(|config| check(config).expect("a report")).is_clean());
}

#[test]
fn keys_that_lead_nowhere_or_to_two_are_rejected() {
    let cases = [
        ("vedtak.csv", "V2,a1", "V2,a1\nV2,a2", Rule::KeyAmbiguous),
        ("vedtak.csv", "V2,a1\n", "", Rule::KeyUnmatched),
        ("saker.csv", "V2;S-11\n", "", Rule::KeyUnmatched),
    ];
    for (file, from, to, rule) in cases {
        let error = foreign().replace(file, from, to).error();
        let SourceError::Rejected { first, more: false } = &error else { panic!("{error}") };
        let found: Vec<_> =
            first.iter().map(|row| (row.file.as_str(), row.line, row.rule)).collect();
        assert_eq!(found, [("leieforhold.csv", 3, rule)], "{error}");
        assert_eq!(first[0].column.as_deref(), Some("sak_nr"));
    }
    let error = foreign().replace("vedtak.csv", "V2,a1", "V2,").error().to_string();
    assert!(error.contains("vedtak.csv line 3, column klient_id: the key is blank"), "{error}");
    let error = foreign().without("saker.csv").error().to_string();
    assert!(error.contains("the tenancy table leads to participants through it"), "{error}");
}

/// With the key of a2 the tenancy of a1 would no longer be counted: adding one participant would
/// change what another contributes.
#[test]
fn a_key_of_several_participants_cannot_be_skipped() {
    let export = foreign().replace("vedtak.csv", "V2,a1", "V2,a1\nV2,a2").skipping();
    let error = export.error();
    let SourceError::RowOfSeveral { row } = &error else { panic!("{error}") };
    assert_eq!((row.file.as_str(), row.line), ("leieforhold.csv", 3));
    let report = export.on_disk(|config| check(config).expect("a report"));
    assert!(!report.can_release() && report.to_string().contains("Not ready"), "{report}");
    // The same participant twice is one, and a key that leads nowhere is nobody's.
    for (from, to) in [("V2,a1", "V2,a1\nV2, A1"), ("V2,a1\n", "")] {
        let export = foreign().replace("vedtak.csv", from, to).skipping();
        assert!(export.records().contains("a1:"), "{to}");
    }
}
