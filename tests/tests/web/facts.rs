//! What the pages say is what is stored, whichever way it is asked for.

use crate::page::{between, figures, number, plain, rows};
use crate::scene::Scene;
use fellestall_coordinator::databank::{Cube, Measure, Role};

/// The stored figures of the national table over all categories, latest period.
fn stored(cube: &Cube, measure: Measure) -> Vec<Option<f64>> {
    let last = cube.dimensions.last().expect("time").values.len() - 1;
    let own: Vec<usize> = cube
        .dimensions
        .iter()
        .filter(|dimension| dimension.role == Role::Category)
        .map(|dimension| dimension.values.len())
        .collect();
    let measure = Measure::ALL.iter().position(|one| *one == measure).expect("a measure");
    let mut out = Vec::new();
    for number in 0..own.iter().product() {
        let mut at = vec![0; cube.dimensions.len()];
        let mut rest: usize = number;
        for (place, size) in own.iter().enumerate().rev() {
            at[place + 1] = rest % size;
            rest /= size;
        }
        let contents = at.len() - 2;
        at[contents] = measure;
        at[contents + 1] = last;
        out.push(cube.cell(&at).value.map(fellestall_coordinator::publish::Fixed::value));
    }
    out
}

#[test]
fn the_numbers_and_the_chart_are_the_stored_figures() {
    let scene = Scene::set();
    let cube = scene.cube("core-S2");
    let page = scene.get("/en/tables/core-S2");
    assert_eq!(page.status, 200);
    let expected = stored(&cube, Measure::Shown);
    let shown = figures(&page.body);
    assert_eq!(shown, expected, "{:?}", rows(&page.body));

    // The dots of the wide chart lie on one scale with the figures.
    let wide = between(&page.body, "chart chart-wide", "</svg>")[0];
    let at: Vec<f64> =
        between(wide, "<circle cx=\"", "\"").iter().map(|x| x.parse().expect("a place")).collect();
    let values: Vec<f64> = expected.into_iter().flatten().collect();
    assert_eq!(at.len(), values.len(), "a dot for each figure");
    let (low, high) = (
        (0..values.len()).min_by(|a, b| values[*a].total_cmp(&values[*b])).expect("figures"),
        (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b])).expect("figures"),
    );
    let scale = (at[high] - at[low]) / (values[high] - values[low]);
    assert!(scale > 0.5, "{scale}");
    for (x, value) in at.iter().zip(&values) {
        let expected = at[low] + scale * (value - values[low]);
        assert!((x - expected).abs() <= 2.0, "{value} is at {x}, not {expected}");
    }

    // Every table of every kind has a page with numbers, in every language.
    for id in scene.tables() {
        for language in ["nb", "nn", "en"] {
            let page = scene.get(&format!("/{language}/tables/{}", id.to_uppercase()));
            assert_eq!(page.status, 200, "{id}");
            assert!(!rows(&page.body).is_empty(), "{id}");
            assert!(page.body.contains(&format!("<html lang=\"{language}\">")));
        }
    }
}

#[test]
fn filters_search_and_addresses_do_what_they_say() {
    let scene = Scene::set();
    // Codes and names without regard to case; what is not in the table is not chosen.
    let page = scene.get("/en/tables/core-S2?region=4601&REGION=0&housing_situation=total&Tid=2016H1&Tid=2016H2&Region=9999&other=1");
    assert_eq!(rows(&page.body).len(), 4, "two regions over two periods");
    let texts: Vec<String> = rows(&page.body).iter().map(|row| row[..2].join(", ")).collect();
    assert!(texts.contains(&"Bergen, first half of 2016".to_owned()), "{texts:?}");

    let found = scene.get("/en/tables?q=housing+SITUATION");
    assert!(found.body.contains("/en/tables/core-S2\""));
    let none = scene.get("/en/tables?q=%3Cscript%3Ealert(1)%3C/script%3E");
    assert!(none.status == 200 && !none.body.contains("<script"), "what is typed is escaped");
    assert!(!none.body.contains("/en/tables/core-S2\""));
    assert_eq!(scene.get("/en/tables?page=99999999999999999999&q=").status, 200);

    for path in [
        "/xx",
        "/xx/",
        "/en/nothing",
        "/en/tables/none",
        "/nn/tables/none/difference",
        "/en/tables/%00",
    ] {
        let page = scene.get(path);
        assert_eq!(page.status, 404, "{path}");
        assert!(page.body.contains("<h1>") && page.header("cache-control") == "no-store", "{path}");
    }
    let hello = |accepted| scene.ask("/", &[("Accept-Language", accepted)]);
    assert_eq!((hello("nn").status, hello("nn").header("location")), (303, "/nn/"));
    assert_eq!(hello("fr, en;q=0.3").header("location"), "/en/");
    assert_eq!(hello("").header("location"), "/nb/");
    assert_eq!(scene.get("/nb").header("location"), "/nb/");

    // A page and the stylesheet are not sent twice.
    for path in ["/nb/", "/nb/tables/core-S2", "/style.css"] {
        let page = scene.get(path);
        let tag = page.header("etag").to_owned();
        assert!(page.header("cache-control").contains("max-age"), "{path}");
        assert_eq!(scene.ask(path, &[("If-None-Match", &tag)]).status, 304, "{path}");
    }
    let front = scene.get("/nb/");
    let style = between(&front.body, "rel=\"stylesheet\" href=\"", "\"")[0];
    assert!(scene.get(style).header("cache-control").contains("immutable"));
}

#[test]
fn a_difference_is_computed_from_unbiased_values_and_refused_where_its_noise_is_unknown() {
    let scene = Scene::set();
    let cube = scene.cube("core-S2");
    let (raw, deviation) = (stored(&cube, Measure::Raw), stored(&cube, Measure::Deviation));
    let page = |query: &str| {
        let page = scene.get(&format!("/en/tables/core-S2/difference?{query}"));
        assert_eq!(page.status, 200);
        page.body
    };
    let answer = |html: &str| {
        let value = number(&plain(between(html, "<p class=\"figure\">", "</p>")[0]));
        let range = plain(between(html, "<p class=\"range\">", "</p>")[0]);
        let range = range.split("interval: ").nth(1).expect("an interval").to_owned();
        let (low, high) = range.split_once(" to ").expect("an interval");
        (value.expect("a number"), number(low).expect("a number"), number(high).expect("a number"))
    };
    let near = |found: (f64, f64, f64), value: f64, variance: f64| {
        assert!((found.0 - value).abs() < 1e-9, "{found:?} {value}");
        let half = 1.96 * variance.sqrt();
        assert!((found.1 - (value - half)).abs() <= 1.5 && (found.2 - (value + half)).abs() <= 1.5);
        assert!(found.2 - value >= half - 1.0, "{found:?} {half}");
    };
    let code = |place: usize| cube.dimensions[1].values[place].code.clone();
    let variance = |place: usize| deviation[place].expect("a deviation").powi(2);
    let difference = |a: usize, b: usize| raw[a].expect("a value") - raw[b].expect("a value");

    // Two categories share nothing.
    let apart = page(&format!("a.housing_situation={}&b.housing_situation={}", code(1), code(2)));
    near(answer(&apart), difference(1, 2), variance(1) + variance(2));
    // The total and its part share the part's noise.
    let nested = page(&format!("a.housing_situation=total&b.housing_situation={}", code(1)));
    near(answer(&nested), difference(0, 1), variance(0) - variance(1));
    assert!(nested.contains("part of the other"));
    assert!(apart.contains("says nothing of why") && !apart.contains("part of the other"));

    let same = page(
        "a.Region=0&b.Region=0&a.housing_situation=total&b.housing_situation=total&a.Tid=2016H2&b.Tid=2016H2",
    );
    assert!(same.contains("cannot be compared") && !same.contains("<p class=\"figure\">"));
    // Points of one curve follow from the same counts.
    for id in scene.tables() {
        let cube = scene.cube(&id);
        if cube.kind != fellestall_coordinator::present::TableKind::Counts {
            let dimension = &cube.dimensions[1];
            let [first, second, ..] = dimension.values.as_slice() else { continue };
            let (name, a, b) = (&dimension.code, &first.code, &second.code);
            let path = format!("/en/tables/{id}/difference?a.{name}={a}&b.{name}={b}");
            let page = scene.get(&path).body;
            assert!(page.contains("cannot be compared"), "{path}");
        }
    }
}

/// The method page tells of the newest publication of a study, with its promise in figures.
#[test]
fn the_method_page_tells_of_each_studys_newest_publication() {
    let scene = Scene::set();
    let page = scene.get("/en/method");
    assert_eq!(page.status, 200);
    let told = between(&page.body, "href=\"/en/publications/", "\"");
    let catalogue = scene.catalogue();
    let studies: std::collections::BTreeSet<_> =
        catalogue.tables.values().map(|table| table.entry.study.clone()).collect();
    assert_eq!(told.len(), studies.len(), "{told:?}");
    let newest = catalogue.tables.values().filter_map(|table| table.rounds.last());
    for (_, round, version) in newest {
        assert!(told.contains(&format!("{round}.v{version}").as_str()), "{round} in {told:?}");
    }
    assert_eq!(page.body.matches("(δ = 1e-6)").count(), 2 * studies.len());
}
