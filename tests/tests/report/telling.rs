//! What is said of municipalities, periods and studies, and what never is.

use crate::scene::{NO, NUMBERS, Scene, plausible};
use fellestall_coordinator::cli::CliError;
use fellestall_coordinator::publish::CoverageState;
use fellestall_coordinator::report::{self, ReportError};
use fellestall_shared::labels::Language;
use fellestall_shared::wire::v1::Answer;

#[tokio::test]
async fn every_state_of_a_municipality_is_told_and_no_size() {
    let scene = Scene::set().await;
    scene.study(&[], |_| {}).await;
    scene.answer("core", 5, Answer::Approved).await;
    scene.answer("core", 6, NO).await;
    scene.publish("core", "2026H1", &[0, 1, 2], &[3, 4], &plausible(0)).await;
    let report = scene.report("2026H1").await.expect("a report");
    let study = &report.studies[0];
    assert_eq!(study.version, 2, "the newest version");
    let states: Vec<_> =
        study.coverage.iter().map(|one| (one.number.as_str(), one.state)).collect();
    let mut wanted = vec![
        (NUMBERS[0], CoverageState::Reported),
        (NUMBERS[1], CoverageState::Reported),
        (NUMBERS[2], CoverageState::Reported),
        (NUMBERS[3], CoverageState::Late),
        (NUMBERS[4], CoverageState::Late),
        (NUMBERS[5], CoverageState::Missing),
        (NUMBERS[6], CoverageState::Declined),
        (NUMBERS[7], CoverageState::Undecided),
    ];
    wanted.sort_by_key(|(number, _)| *number);
    assert_eq!(states, wanted);

    let nb = report::html(&report, Language::Nb).expect("a page");
    for text in [
        "5 av 8 kommuner er med i tallene.",
        "Av disse kom 2 etter fristen.",
        "Tallene er foreløpige",
        "Med i tallene (3)",
        "Med i tallene, kom etter fristen (2)",
        "Sa ja, men er ikke med i tallene (1)",
        "Sa nei (1)",
        "Har ikke svart (1)",
        "<li>4601 Bergen</li>",
        "Dette er den første perioden med disse tabellene",
    ] {
        assert!(nb.contains(text), "{text}");
    }
    assert!(!nb.contains("Siden "), "no period before, no column about it");
    let nn = report::html(&report, Language::Nn).expect("a page");
    assert!(nn.contains("5 av 8 kommunar er med i tala.") && nn.contains("Sa nei (1)"));
    // A municipality is named where its state is told, and has no number but its own.
    for page in [&nb, &nn] {
        for name in ["Bergen", "Sandnes", "Drammen"] {
            assert_eq!(page.matches(name).count(), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn other_municipalities_than_before_are_said_with_every_change() {
    let scene = Scene::set().await;
    scene.study(&[], |_| {}).await;
    scene.publish("core", "2025H2", &[0, 1, 2, 3], &[], &plausible(0)).await;
    scene.publish("core", "2026H1", &[1, 2, 3, 4], &[], &plausible(15)).await;
    let report = scene.report("2026H1").await.expect("a report");
    let before = report.studies[0].tables[0].before.as_ref().expect("a period before");
    assert_eq!(before.joined, ["Bergen"]);
    assert_eq!(before.gone, ["Oslo"]);
    for (language, texts) in [
        (
            Language::Nb,
            [
                "Det er ikke de samme kommunene i begge periodene.",
                "Kommet til siden andre halvår 2025: Bergen.",
                "Ikke med nå, men med i andre halvår 2025: Oslo.",
                "<strong>Høyere; ikke de samme kommunene</strong>",
            ],
        ),
        (
            Language::Nn,
            [
                "Det er ikkje dei same kommunane i begge periodane.",
                "Komne til sidan andre halvår 2025: Bergen.",
                "Ikkje med no, men med i andre halvår 2025: Oslo.",
                "<strong>Høgare; ikkje dei same kommunane</strong>",
            ],
        ),
        (
            Language::En,
            [
                "The municipalities are not the same in both periods.",
                "New since second half of 2025: Bergen.",
                "Not in the figures now, but in those of second half of 2025: Oslo.",
                "<strong>Higher; not the same municipalities</strong>",
            ],
        ),
    ] {
        let page = report::html(&report, language).expect("a page");
        for text in texts {
            assert!(page.contains(text), "{text}");
        }
    }
    let same = Scene::with_two_periods(&plausible(15), &plausible(0)).await;
    let same = same.report("2026H1").await.expect("a report");
    let page = report::html(&same, Language::Nb).expect("a page");
    assert!(page.contains("<strong>Høyere</strong>") && !page.contains("de samme kommunene"));
    assert!(page.contains("bare på grunn av støyen"), "chance is said beside the changes");
}

#[tokio::test]
async fn equal_periods_have_no_real_change_anywhere() {
    let scene = Scene::with_two_periods(&plausible(0), &plausible(0)).await;
    let report = scene.report("2026H1").await.expect("a report");
    let page = report::html(&report, Language::Nb).expect("a page");
    assert!(page.contains("Ingen sikker endring i noe av de "));
    assert!(!page.contains("<strong>Høyere") && !page.contains("<strong>Lavere"));
}

#[tokio::test]
async fn each_study_has_a_section_and_losses_add_up() {
    let scene = Scene::with_two_periods(&plausible(0), &plausible(0)).await;
    let name = |study: &mut fellestall_shared::wire::v1::StudyDocument| {
        study.study = "prison".parse().expect("an id");
        study.title.nb = "Fengsel og behandling".to_owned();
    };
    scene.study(&["S22"], name).await;
    scene.publish("prison", "2026H1", &[0, 1, 2, 3, 4, 5], &[], &plausible(0)).await;
    let report = scene.report("2026H1").await.expect("a report");
    let ids: Vec<&str> = report.studies.iter().map(|study| study.study.as_str()).collect();
    assert_eq!(ids, ["core", "prison"]);
    let page = report::html(&report, Language::Nb).expect("a page");
    for id in ["core", "prison", "core-figures", "prison-figures"] {
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    // Two rounds of six tables and one of one, an eighth each.
    assert_eq!((report.spent.rounds, report.spent.rho.micro()), (3, 13 * 125_000));
    let earlier = scene.report("2025H2").await.expect("a report");
    assert_eq!((earlier.spent.rounds, earlier.spent.rho.micro()), (1, 6 * 125_000));
    assert_eq!(earlier.studies.len(), 1);
    assert!(
        page.contains("Regnet sammen over alle studier og perioder til og med denne, 3 runder")
    );
}

#[tokio::test]
async fn a_period_without_figures_is_an_error_that_names_those_that_have() {
    let scene = Scene::set().await;
    let nothing = scene.report("2026H1").await.expect_err("nothing is published");
    assert_eq!(nothing.to_string(), "nothing is published for 2026H1; nothing is published yet");
    scene.study(&[], |_| {}).await;
    scene.publish("core", "2026H1", &[0, 1, 2], &[], &plausible(0)).await;
    scene.publish("core", "2025H2", &[0, 1, 2], &[], &plausible(0)).await;
    let Err(CliError::Report(error @ ReportError::NothingPublished { .. })) =
        scene.command(&["report", "--period", "2024H1"]).await
    else {
        panic!("an error that says what there is")
    };
    let said = error.to_string();
    assert_eq!(said, "nothing is published for 2024H1; there are figures for 2025H2, 2026H1");
}

#[tokio::test]
async fn the_page_is_complete_in_itself() {
    let scene = Scene::with_two_periods(&plausible(9), &plausible(0)).await;
    let report = scene.report("2026H1").await.expect("a report");
    for language in [Language::Nb, Language::Nn, Language::En] {
        let page = report::html(&report, language).expect("a page");
        for fetched in ["<script", "<link", "<img", "src=", "@import", "url("] {
            assert!(!page.contains(fetched), "{fetched}");
        }
        let addresses = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        for address in addresses {
            let id = address.strip_prefix('#');
            let is_own = id.is_some_and(|id| page.contains(&format!("id=\"{id}\"")));
            assert!(is_own || address.starts_with("https://tall.example.no/"), "{address}");
        }
        well_formed(&page);
        assert!(!page.to_lowercase().contains("signifi"));
    }
}

/// Every element that is opened is closed, in order, and no id is given twice.
fn well_formed(page: &str) {
    const VOID: [&str; 3] = ["meta", "br", "!doctype"];
    let mut open: Vec<&str> = Vec::new();
    let (head, body) = page.split_once("<style>").expect("a style");
    let (_, body) = body.split_once("</style>").expect("its end");
    for part in head.split('<').skip(1).chain(body.split('<').skip(1)) {
        let (tag, _) = part.split_once('>').expect("a tag's end");
        let name = tag.split_whitespace().next().expect("a name");
        if VOID.contains(&name) || tag.ends_with('/') {
            continue;
        }
        match name.strip_prefix('/') {
            None => open.push(name),
            Some(name) => assert_eq!(open.pop(), Some(name), "{part}"),
        }
    }
    assert!(open.is_empty(), "{open:?}");
    let mut ids: Vec<&str> =
        page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id is given twice");
}
