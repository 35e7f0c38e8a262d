//! What staff do: over HTTP form by form, and in a browser from the invitation to the publication.

use crate::harness::{Node, World, application, der, now};
use crate::scene::{CORA, KARI, RITA, Scene, Ticket, hidden};
use data_encoding::BASE64URL_NOPAD;
use fellestall_coordinator::invitation::PREFIX;
use fellestall_coordinator::publish::PublicationFile;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::ids::NodeId;
use fellestall_shared::privacy::Rho;
use fellestall_shared::round::Round;
use fellestall_shared::wire::v1::{EnrolmentQuery, EnrolmentState, Invitation, Residence};
use fellestall_tests::browser::Browser;

/// The text of an invitation as a page shows it.
fn invitation(page: &str) -> (String, Invitation) {
    let text = page.split(PREFIX).nth(1).expect("an invitation");
    let text = text.split(['<', '\n', ' ']).next().expect("a text").to_owned();
    let json = BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64url");
    (format!("{PREFIX}{text}"), serde_json::from_slice(&json).expect("an invitation"))
}

/// Applies with an invitation; gives the node as it will be, with its application.
async fn apply(
    world: &World,
    invitation: &Invitation,
) -> (fellestall_shared::wire::v1::EnrolmentRequest, Node) {
    let (request, key, tls_key) = application(invitation);
    assert_eq!(world.post(None, "/v1/enrolments", &request).await.status, 202);
    let id = NodeId::new(&request.municipality, 1);
    let certificate = rustls::pki_types::CertificateDer::from(Vec::new());
    (request, Node { id, key, tls_key, certificate })
}

/// Fetches the certificate of a node that was approved.
async fn collect(
    world: &World,
    request: &fellestall_shared::wire::v1::EnrolmentRequest,
    node: &mut Node,
) {
    let query =
        EnrolmentQuery { secret: request.secret.clone(), release_key: request.release_key.clone() };
    let answer = world.post(None, "/v1/enrolments/state", &query).await;
    let EnrolmentState::Approved { certificate, .. } = answer.json::<EnrolmentState>() else {
        panic!("not approved")
    };
    node.certificate = der(&certificate.certificate);
}

/// A node that reports small counts to a round.
async fn report(world: &World, round: &Round, number: &str, seed: i64) {
    let node = world.enrol(number).await;
    let document = node.release(round, seed);
    let answer = world.put_release(&node, document.release, &node.sign(&document)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// A study of the core set, as its author would write it.
pub fn study() -> String {
    let wish = fellestall_coordinator::template::Wish {
        statistics: vec!["S1".parse().expect("an id")],
        rho: Rho::from_micro(125_000),
        starts: "2016-01-01".to_owned(),
        ends: "2099-12-31".to_owned(),
        minimum_nodes: 2,
        municipal_figures: false,
        residence: Residence::Anywhere,
        sharing: fellestall_coordinator::template::Sharing::default(),
    };
    let catalogue = Catalogue::builtin().expect("a catalogue");
    let document = fellestall_coordinator::template::study(&wish, catalogue).expect("a study");
    toml::to_string(&document).expect("TOML")
}

fn nothing_secret(told: &[String], secrets: &[&str]) {
    for line in told {
        for secret in secrets {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[expect(clippy::too_many_lines, reason = "one story, told in its order")]
async fn from_the_invitation_to_the_publication_with_names_in_the_log() {
    let scene = Scene::set().await;
    let (kari, cora, rita) = (scene.ticket(KARI), scene.ticket(CORA), scene.ticket(RITA));

    // An invitation is shown once, and is good.
    let wrong = scene.send(&kari, "/invitations", &[("municipality", "9999")]);
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("value=\"9999\""), "what was typed stands");
    let made = scene.send(&kari, "/invitations", &[("municipality", "4601")]);
    assert_eq!((made.status, made.header("cache-control")), (200, "no-store"));
    let (text, invited) = invitation(&made.body);
    let list = scene.get("/invitations", &rita.cookie).body;
    assert!(list.contains("4601 Bergen") && list.contains("Ikke brukt") && !list.contains(PREFIX));

    // Whoever applied is approved with the fingerprint that was compared.
    let (request, mut node) = apply(&scene.world, &invited).await;
    let fingerprint = request.release_key.fingerprint().to_string();
    let overview = scene.get("/", &kari.cookie).body;
    assert!(overview.contains("href=\"/nodes/4601-1\""), "{overview}");
    let page = scene.get("/nodes/4601-1", &kari.cookie).body;
    assert!(page.contains(&fingerprint) && page.contains("Bergen"));
    assert!(!scene.get("/nodes/4601-1", &cora.cookie).body.contains("/approve"));
    let approve = |fields: &[(&str, &str)]| scene.send(&kari, "/nodes/4601-1/approve", fields);
    let own = ("fingerprint", fingerprint.as_str());
    assert_eq!(approve(&[own]).status, 422, "not compared");
    assert_eq!(approve(&[("compared", "yes")]).status, 403, "which fingerprint?");
    assert_eq!(approve(&[("compared", "yes"), ("fingerprint", &"0".repeat(64))]).status, 403);
    assert!(!scene.told().await.iter().any(|line| line.starts_with("acted | approve")));
    assert_eq!(approve(&[("compared", "yes"), own]).status, 303);
    assert!(scene.get("/nodes/4601-1", &kari.cookie).body.contains("Noden er godkjent"));
    assert!(!scene.get("/nodes/4601-1", &kari.cookie).body.contains("Noden er godkjent"), "once");
    collect(&scene.world, &request, &mut node).await;
    assert!(scene.get("/invitations", &rita.cookie).body.contains("Brukt"));

    // A study that does not hold is shown again; one that holds is published.
    let draft = study();
    for (broken, what) in [
        ("not a study".to_owned(), "Teksten er ikke en studie"),
        ("{\"study\": 1}".to_owned(), "Teksten er ikke en studie"),
        (draft.replace("minimum_nodes = 2", "minimum_nodes = 1"), "Studien holder ikke"),
    ] {
        for step in ["check", "publish"] {
            let fields = [("document", broken.as_str()), ("do", step)];
            let answer = scene.send(&cora, "/studies/new", &fields);
            assert_eq!(answer.status, 422, "{what}");
            assert!(answer.body.contains(what), "{}", answer.body);
            let kept = broken.lines().next().expect("a line").replace('"', "&#34;");
            assert!(answer.body.contains(&kept), "{kept}: {}", answer.body);
        }
    }
    let checked = scene.send(&cora, "/studies/new", &[("document", &draft), ("do", "check")]);
    assert!(checked.status == 200 && checked.body.contains("Studien holder"), "{}", checked.body);
    assert!(scene.get("/studies", &rita.cookie).body.contains("Ingen studie er publisert"));
    let sent = scene.send(&cora, "/studies/new", &[("document", &draft), ("do", "publish")]);
    assert_eq!(sent.status, 303, "{}", sent.body);
    let page = scene.get(sent.header("location"), &rita.cookie).body;
    assert!(page.contains("participant.") && page.contains("0,125"), "{page}");

    // A round opens over a period that is over, and says who is awaited.
    let open = |period: &str, closes: &str| {
        let fields = [("study", "core.1"), ("period", period), ("closes", closes)];
        scene.send(&cora, "/rounds", &fields)
    };
    for (period, closes) in
        [("2099H1", "2098-12-31"), ("x", "2098-12-31"), ("2016H2", "x"), ("2016H2", "2000-01-01")]
    {
        let answer = open(period, closes);
        assert_eq!(answer.status, 422, "{period} {closes}");
        assert!(answer.body.contains(&format!("value=\"{closes}\"")), "{}", answer.body);
    }
    let opened = open("2016H2", "2098-12-31");
    let path = "/rounds/core.1.2016H2";
    assert_eq!((opened.status, opened.header("location")), (303, path), "{}", opened.body);
    let page = scene.get(path, &rita.cookie);
    assert!(page.body.contains("0 av 1 noder har rapportert") && page.body.contains("Svar ventes"));
    assert_eq!(page.header("refresh"), "", "it stands still until somebody wants otherwise");
    assert_eq!(scene.get(&format!("{path}?live"), &rita.cookie).header("refresh"), "10");
    let preview = format!("{path}/preview");
    let early = scene.get(&preview, &cora.cookie).body;
    assert!(early.contains("Runden kan ikke publiseres nå") && !early.contains("/publish\""));

    // Figures are looked at before they are published, and exactly those are published.
    let key = scene.world.home.signing_key.verifying_key();
    let catalogue = Catalogue::builtin().expect("a catalogue");
    let id = "core.1.2016H2".parse().expect("an id");
    let store = scene.world.server.store();
    let load = || fellestall_coordinator::rounds::load_round(store, &key, catalogue, &id);
    let round = load().await.expect("a round").round;
    let document = node.release(&round, 40);
    let sent = scene.world.put_release(&node, document.release, &node.sign(&document)).await;
    assert_eq!(sent.status, 201);
    report(&scene.world, &round, "1108", 20).await;
    let seen = scene.get(&preview, &rita.cookie);
    assert_eq!(seen.header("cache-control"), "no-store");
    assert!(seen.body.contains("Sperret til publisering") && !seen.body.contains("name=\"basis\""));
    let seen = scene.get(&preview, &cora.cookie).body;
    let basis = hidden(&seen, "basis");
    assert!(seen.contains("versjon 1, med tall fra 2 av 2"), "{seen}");
    assert!(store.publications(9).await.expect("read").is_empty(), "nothing is stored");
    let public = scene.world.server.public_address().expect("public pages").to_string();
    let outside = |path: &str| {
        fellestall_tests::http::ask(&public, "GET", path, &[("Host", &public)], "").expect("answer")
    };
    assert_eq!(outside("/publications/core.1.2016H2.v1.json").status, 404);
    let publish = |basis: &str| scene.send(&cora, &format!("{path}/publish"), &[("basis", basis)]);
    report(&scene.world, &round, "0301", 10).await;
    let changed = publish(&basis);
    assert_eq!(changed.status, 409, "a release came in between");
    assert!(changed.body.contains("Noe har endret seg") && changed.body.contains("fra 3 av 3"));
    let fresh = hidden(&changed.body, "basis");
    assert_ne!(fresh, basis);
    let shown = figures(&changed.body);
    let published = publish(&fresh);
    assert_eq!((published.status, published.header("location")), (303, "/publications"));
    assert!(scene.get("/publications", &cora.cookie).body.contains("core.1.2016H2.v1"));
    let json = outside("/publications/core.1.2016H2.v1.json");
    let file: PublicationFile = serde_json::from_str(&json.body).expect("a publication");
    let table = file.publication.tables.first().expect("a table");
    for cell in &table.cells {
        let raw = cell.value.to_string().replace('-', "\u{2212}");
        assert!(shown.iter().any(|row| row.last() == Some(&raw)), "{raw}: {shown:?}");
    }
    assert_eq!(publish(&fresh).status, 409, "once");
    assert!(scene.get(&preview, &cora.cookie).body.contains("Ingenting nytt har kommet"));

    // A late release makes a further version; the report is there for whoever is signed in.
    for number in ["5001", "3301"] {
        report(&scene.world, &round, number, 30).await;
    }
    let seen = scene.get(&preview, &cora.cookie).body;
    assert!(seen.contains("versjon 2, med tall fra 5 av 5"), "{seen}");
    assert_eq!(publish(&hidden(&seen, "basis")).status, 303);
    assert_eq!(outside("/publications/core.1.2016H2.v2.json").status, 200);
    let page = scene.get("/report?period=2016H2", &rita.cookie);
    assert!(page.status == 200 && page.body.contains("<style>"), "{}", page.body);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(scene.get("/report?period=2015H2", &rita.cookie).status, 404);

    // A node is shut out by whoever has typed its name.
    let deny = |name: &str| scene.send(&kari, "/nodes/4601-1/deny", &[("confirm", name)]);
    assert_eq!((deny("").status, deny("4601-2").status), (422, 422));
    let document = node.release(&round, 40);
    let shut = |status: u16| matches!(status, 401 | 403);
    assert_eq!(deny("4601-1").status, 303);
    let sent = scene.world.put_release(&node, document.release, &node.sign(&document)).await;
    assert!(shut(sent.status), "{sent:?}");
    assert_eq!(deny("4601-1").status, 303, "the same again changes nothing");

    // The log says who.
    let told = scene.told().await;
    for line in [
        "acted | invite 4601 | Kari Styrer",
        "acted | approve 4601-1 | Kari Styrer",
        "acted | publish study core.1 | Cora Driver",
        "acted | open round core.1.2016H2 | Cora Driver",
        "previewed | core.1.2016H2 | Rita Revisor",
        "previewed | core.1.2016H2 | Cora Driver",
        "acted | publish core.1.2016H2 | Cora Driver",
        "acted | deny 4601-1 | Kari Styrer",
        "denied | 4601-1 | ",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
    }
    let at = |line: &str| told.iter().position(|told| told == line).expect(line);
    assert!(at("acted | approve 4601-1 | Kari Styrer") < at("approved | 4601-1 | "));
    let token = |ticket: &Ticket| ticket.cookie.split('=').nth(1).expect("a token").to_owned();
    let (one, two) = (token(&kari), token(&cora));
    nothing_secret(
        &told,
        &[&text, &invited.secret, KARI.1, CORA.1, RITA.1, &one, &two, &kari.form_token],
    );
    let log = scene.get("/log", &rita.cookie).body;
    assert!(log.contains("approve 4601-1") && log.contains("Kari Styrer"), "{log}");
}

/// The rows of every table on a page, cell by cell.
fn figures(page: &str) -> Vec<Vec<String>> {
    let rows = page.split("<tr>").skip(1);
    rows.map(|row| {
        let cells = row.split("<td class=\"number\">").skip(1);
        cells.map(|cell| cell.split('<').next().unwrap_or_default().to_owned()).collect()
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_who_publish_at_once_publish_once() {
    let scene = Scene::set().await;
    let round = scene.world.open_round().await;
    for number in ["4601", "1108"] {
        report(&scene.world, &round, number, 9).await;
    }
    let preview = format!("/rounds/{}/preview", round.id());
    let publish = format!("/rounds/{}/publish", round.id());
    let people = [scene.ticket(CORA), scene.ticket(KARI)];
    let basis = people.clone().map(|who| hidden(&scene.get(&preview, &who.cookie).body, "basis"));
    assert_eq!(basis[0], basis[1], "two who look see the same");
    let mut done: Vec<u16> = std::thread::scope(|scope| {
        let tasks = people.map(|who| {
            let (scene, publish, basis) = (&scene, &publish, &basis[0]);
            scope.spawn(move || scene.send(&who, publish, &[("basis", basis)]).status)
        });
        tasks.into_iter().map(|task| task.join().expect("an answer")).collect()
    });
    done.sort_unstable();
    assert_eq!(done, [303, 409]);
    assert_eq!(scene.world.server.store().publications(9).await.expect("read").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_browser_an_administrator_invites_opens_looks_publishes_and_shuts_out() {
    let scene = Scene::set().await;
    let browser = Browser::start().expect("Chromium");
    let text = |css: &str| browser.text(css).expect(css);
    let go = |path: &str| browser.go(&scene.url(path)).expect("a page");

    // With the provider's account, there and back.
    let role = fellestall_coordinator::store::staff::Role::Administrator;
    scene.add_known("Per Lang", role, "per").await;
    scene.provider.names("per");
    go("/nodes");
    assert_eq!(browser.url().expect("an address"), scene.url("/sign-in"));
    browser.follow("a[href='/sign-in/provider']").expect("there and back");
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while browser.url().expect("an address") != scene.url("/") {
        assert!(std::time::Instant::now() < deadline, "{}", text("main"));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(text(".who").contains("Per Lang"), "{}", text(".who"));
    browser.follow("form.who button").expect("signed out");
    scene.sign_in(&browser, KARI);

    go("/invitations");
    browser.write("#municipality", "4601").expect("typed");
    browser.follow("form.card button").expect("invited");
    let (_, invited) = invitation(&text("pre.secret"));
    let (request, mut node) = apply(&scene.world, &invited).await;
    go("/");
    browser.follow("main a[href='/nodes/4601-1']").expect("the application");
    browser.click("#compared").expect("compared");
    browser.follow("form[action='/nodes/4601-1/approve'] button").expect("approved");
    assert!(text(".notice").contains("Noden er godkjent"));
    collect(&scene.world, &request, &mut node).await;

    let round = scene.world.open_round().await;
    go("/rounds");
    browser.write("#period", "2017H1").expect("typed");
    browser.write("#closes", "2098-12-31").expect("typed");
    browser.follow("form[action='/rounds'] button").expect("opened");
    assert!(text(".notice").contains("Runden er åpnet"), "{}", text("main"));
    let document = node.release(&round, 12);
    scene.world.put_release(&node, document.release, &node.sign(&document)).await;
    report(&scene.world, &round, "1108", 12).await;
    go(&format!("/rounds/{}", round.id()));
    assert!(text("main").contains("2 av 2 noder har rapportert"), "{}", text("main"));
    browser.follow("a.button").expect("the preview");
    assert!(text("main").contains("Sperret til publisering"));
    browser.follow("section.card button").expect("published");
    assert!(text(".notice").contains("Tallene er publisert"), "{}", text("main"));

    go("/nodes/4601-1");
    browser.write("#confirm", "4601-1").expect("typed");
    browser.follow("form[action='/nodes/4601-1/deny'] button").expect("shut out");
    assert!(text(".notice").contains("Noden er stengt ute"));
    assert!(now() > round.document().opens.minus(std::time::Duration::from_secs(1)));
}
