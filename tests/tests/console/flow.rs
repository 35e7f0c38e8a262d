//! What a data protection officer does, in a browser: on pages without scripts, whose policy would
//! not let any run.

use crate::scene::Scene;
use crate::stage::ROUND;
use fellestall_tests::browser::Browser;
use serde_json::Value;

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
fn an_officer_reads_approves_refuses_and_finds_the_very_table_that_left() {
    let scene = Scene::set(1);
    let (core, intake) = (scene.digest("core.1"), scene.digest("intake.1"));
    let browser = Browser::start().expect("Chromium");
    let text = |css: &str| browser.text(css).expect(css);
    let go = |path: &str| browser.go(&scene.url(path)).expect("a page");

    // Nobody sees anything, and a wrong secret leads nowhere.
    go("/budget");
    assert_eq!(browser.url().expect("an address"), scene.url("/sign-in"));
    browser.write("#name", scene.officer.name).expect("typed");
    browser.write("#secret", &scene.operator.secret).expect("typed");
    browser.follow("form.card button").expect("sent");
    assert!(text("main .problem").contains("hører ikke sammen"), "{}", text("main"));
    scene.sign_in(&browser, &scene.officer);

    // The language is chosen on any page, and stays.
    assert_eq!(text("h1"), "Oversikt");
    browser.follow(".tongues a[lang=en]").expect("changed");
    assert_eq!(text("h1"), "Overview");
    assert_eq!(browser.count("html[lang=en]").expect("counted"), 1);
    go("/studies");
    assert_eq!(text("h1"), "Studies");
    browser.follow(".tongues a[lang=nn]").expect("changed");
    assert_eq!(text("h1"), "Studiar");
    assert!(text("main").contains("Kjernetal for Housing First, halvårleg"));
    browser.follow(".tongues a[lang=nb]").expect("changed");
    go("/");
    assert!(text("main").contains("2 studier venter"), "{}", text("main"));

    // What would leave, and what it costs, is what the command line says too.
    browser.follow(&format!("a[href='/studies/{core}']")).expect("a link");
    let preview = scene.stage.must(&scene.node, &["--json", "preview", "core"]);
    let preview: Value = serde_json::from_str(&preview).expect("JSON");
    let shown = text("main");
    let charge = preview["charge"].as_str().expect("a charge").replace('.', ",");
    assert!(shown.contains(&format!("koster {charge} rho")), "{shown}");
    let epsilon =
        format!("{:.3}", preview["epsilon"].as_f64().expect("a number")).replace('.', ",");
    assert!(shown.contains(&format!("epsilon {epsilon} ")), "{shown}");
    for table in preview["tables"].as_array().expect("tables") {
        let title = table["title"].as_str().expect("a title");
        let width = format!("± {}", table["national_half_width"]);
        assert!(shown.contains(title) && shown.contains(&width), "{title} {width}");
    }
    assert!(shown.contains("Protokollen tillater studien"));

    // Yes to one, and no to the other, for a reason.
    let approve = format!("form[action='/studies/{core}/approve'] button");
    browser.follow(&approve).expect("approved");
    assert!(text(".notice").contains("Studien er godkjent"));
    assert_eq!(scene.decision("core.1"), "approved");
    go(&format!("/studies/{intake}"));
    let refuse = format!("form[action='/studies/{intake}/refuse'] button");
    browser.follow(&refuse).expect("sent without a reason");
    assert!(text("main .problem").contains("Velg hvorfor kommunen avslår"));
    assert_eq!(scene.decision("intake.1"), "undecided");
    browser.click("#reason-too_detailed").expect("chosen");
    browser.follow(&refuse).expect("refused");
    assert!(text(".notice").contains("Studien er avslått"));
    assert_eq!(scene.decision("intake.1"), "refused");
    go(&format!("/studies/{intake}"));
    assert_eq!(browser.count(".notice").expect("counted"), 0, "a notice is shown once");
    assert!(
        text("main").contains("Avslått (Det spørres om flere detaljer enn nødvendig): Kari Ombud")
    );

    // The node answers; the budget says what it cost, with a picture and in figures.
    scene.until("the release is there", |scene| {
        let all = scene.stage.must(&scene.node, &["--json", "releases"]);
        let all: Value = serde_json::from_str(&all).expect("JSON");
        all.as_array().is_some_and(|all| all.len() == 1 && all[0]["sent"] == true)
    });
    go("/budget");
    let status = scene.stage.must(&scene.node, &["--json", "status"]);
    let status: Value = serde_json::from_str(&status).expect("JSON");
    for line in status["budget"].as_array().expect("lines") {
        for part in ["spent", "left"] {
            let figure = line[part].as_str().expect("a figure").replace('.', ",");
            assert!(text("main").contains(&figure), "{figure}");
        }
    }
    assert_eq!(browser.count("svg[role=img][aria-label]").expect("counted"), 3);

    // What left is what the command line shows, figure by figure, and byte by byte.
    let id = released(&scene);
    go("/releases");
    browser.follow(&format!("a[href='/releases/{id}']")).expect("a link");
    let shown = scene.stage.must(&scene.node, &["--json", "releases", "--show", &id]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let figures: Vec<String> = shown["tables"]
        .as_array()
        .expect("tables")
        .iter()
        .flat_map(|table| table["values"].as_array().expect("values").clone())
        .map(|value| value.to_string())
        .collect();
    let on_page: Vec<_> = browser
        .texts("table.released td")
        .expect("cells")
        .iter()
        .map(|cell| cell.replace('\u{2212}', "-"))
        .collect();
    assert!(figures.len() > 20, "the release has figures");
    assert_eq!(on_page, figures);
    let ticket = scene.ticket(&scene.officer);
    let bytes = scene.get(&format!("/releases/{id}/bytes"), Some(&ticket));
    assert!(bytes.header("content-disposition").contains(&format!("{ROUND}.json")));
    let envelope = fellestall_shared::signed::Envelope::from_json(bytes.body.as_bytes());
    let digest = envelope.expect("the signed message").payload_digest().to_string();
    assert!(text("main").contains(&digest), "the page names the digest of these bytes");

    // The log says who did what.
    go("/log");
    let log = text("main");
    for said in [
        "Kjeden stemmer",
        "core.1 ble godkjent",
        "intake.1 ble avslått: Det spørres om flere detaljer enn nødvendig",
        "Mislykket innlogging i konsollen",
        "Kari Ombud",
    ] {
        assert!(log.contains(said), "{said}: {log}");
    }

    // Records are checked on request, and the numbers stay here.
    go("/data");
    browser.follow("form[action='/data/check'] button").expect("checked");
    assert!(text("main").contains("Uttrekket kan brukes"), "{}", text("main"));
    assert!(text("main").contains("forlater aldri denne maskinen"));
    assert!(text("#coverage").contains("Samtykke"));

    // An auditor reads the same, and has nothing to press.
    scene.sign_in(&browser, &scene.auditor);
    go(&format!("/studies/{intake}"));
    assert_eq!(browser.count("main form").expect("counted"), 0);
    assert!(text("main").contains("Du har lesetilgang"));
    go("/data");
    assert_eq!(browser.count("main form").expect("counted"), 0);
}

fn released(scene: &Scene) -> String {
    let all = scene.stage.must(&scene.node, &["--json", "releases"]);
    let all: Value = serde_json::from_str(&all).expect("JSON");
    all[0]["release"].as_str().expect("an id").to_owned()
}
