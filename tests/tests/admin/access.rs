//! Every route and every kind of visitor; forms that are somebody else's; names that are not ours.

use crate::harness::application;
use crate::scene::{CORA, KARI, RITA, Scene, Ticket, hidden};
use fellestall_coordinator::store::sessions::IDLE;
use fellestall_tests::http::{self, Answer};
use std::time::Duration;

/// How a visitor gets a session.
type Visit = Box<dyn Fn(&Scene) -> Ticket>;

/// Who may have a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Everybody,
    Staff,
    /// Administrators and auditors.
    Oversight,
    /// Administrators and coordinators.
    Coordinators,
    Administrators,
}

/// Every route, as the source has them, and who may have it.
const ROUTES: [(&str, &str, For); 30] = [
    ("GET", "/", For::Staff),
    ("GET", "/sign-in", For::Everybody),
    ("POST", "/sign-in", For::Everybody),
    ("GET", "/sign-in/provider", For::Everybody),
    ("GET", "/sign-in/return", For::Everybody),
    ("POST", "/sign-out", For::Staff),
    ("GET", "/session", For::Staff),
    ("GET", "/nodes", For::Staff),
    ("GET", "/nodes/{node}", For::Staff),
    ("POST", "/nodes/{node}/approve", For::Administrators),
    ("POST", "/nodes/{node}/refuse", For::Administrators),
    ("POST", "/nodes/{node}/deny", For::Administrators),
    ("GET", "/invitations", For::Staff),
    ("POST", "/invitations", For::Administrators),
    ("GET", "/studies", For::Staff),
    ("GET", "/studies/new", For::Coordinators),
    ("POST", "/studies/new", For::Coordinators),
    ("GET", "/studies/{digest}", For::Staff),
    ("GET", "/rounds", For::Staff),
    ("POST", "/rounds", For::Coordinators),
    ("GET", "/rounds/{round}", For::Staff),
    ("GET", "/rounds/{round}/preview", For::Staff),
    ("POST", "/rounds/{round}/publish", For::Coordinators),
    ("GET", "/publications", For::Staff),
    ("GET", "/report", For::Staff),
    ("GET", "/log", For::Staff),
    ("GET", "/staff", For::Oversight),
    ("POST", "/staff", For::Administrators),
    ("POST", "/staff/remove", For::Administrators),
    ("GET", "/style.css", For::Everybody),
];

#[test]
fn every_route_is_listed_here() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../coordinator/src/admin.rs");
    let source = std::fs::read_to_string(source).expect("the source");
    let source: String = source.chars().filter(|letter| !letter.is_whitespace()).collect();
    let mut found: Vec<(String, String)> = Vec::new();
    for route in source.split(".route(\"").skip(1) {
        let (path, handlers) = route.split_once('"').expect("a path");
        let handlers = handlers.split(".fallback").next().unwrap_or_default();
        for (method, name) in [("GET", "get(pages"), ("POST", "post(pages")] {
            if handlers.contains(name) {
                found.push((method.to_owned(), path.to_owned()));
            }
        }
    }
    let listed = ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()));
    let mut listed: Vec<_> = listed.collect();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
}

/// What comes of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    /// The page, or the deed, or what is wrong with the form.
    Done,
    /// To where one signs in.
    Away,
    /// The role does not allow it.
    Refused,
}

fn expected(route: For, role: Option<&str>) -> Comes {
    let is_for = match (route, role) {
        (For::Everybody, _) => return Comes::Done,
        (_, None) => return Comes::Away,
        (For::Staff, Some(_)) | (_, Some("administrator")) => true,
        (For::Oversight, Some(role)) => role == "auditor",
        (For::Coordinators, Some(role)) => role == "coordinator",
        (For::Administrators, Some(_)) => false,
    };
    if is_for { Comes::Done } else { Comes::Refused }
}

fn came(answer: &Answer, what: &str) -> Comes {
    let refused = answer.body.contains("Rollen din gir ikke adgang til dette");
    match (answer.status, answer.header("location")) {
        (403, _) if refused => Comes::Refused,
        (303, "/sign-in") => Comes::Away,
        (200 | 303 | 404 | 409 | 422 | 502, _) => Comes::Done,
        // The provider's way back, for whoever did not go.
        (403, _) if what.contains("/sign-in/return") => Comes::Done,
        (status, _) => panic!("{what}: {status} {}", answer.body),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s06_every_route_takes_whom_it_should_and_nobody_else() {
    let scene = Scene::set().await;
    let round = scene.world.open_round().await;
    let study = round.study().digest().to_string();
    let (request, key, _) = application(&scene.world.invite("4601").await);
    scene.world.post(None, "/v1/enrolments", &request).await;
    let fingerprint = key.verifying_key().fingerprint().to_string();
    let removed = {
        let hash = scene.world.server.store().staff_by_name(CORA.0).await.expect("read");
        let credential = hash.expect("her").credential;
        scene
            .add("Gone", fellestall_coordinator::store::staff::Role::Administrator, &credential)
            .await;
        let ticket = scene.ticket(("Gone", CORA.1));
        assert_eq!(scene.get("/", &ticket.cookie).status, 200);
        scene.world.server.store().remove_staff("Gone", "", crate::harness::now()).await.ok();
        ticket
    };
    let expired = scene.ticket(KARI);
    scene.move_clock(IDLE + Duration::from_secs(1));
    let before = acted(&scene).await;
    let fixed = |ticket: Ticket| move |_: &Scene| ticket.clone();
    let visits: [(&str, Option<&str>, Visit); 6] = [
        ("nobody", None, Box::new(|_| Ticket::default())),
        ("removed", None, Box::new(fixed(removed))),
        ("expired", None, Box::new(fixed(expired))),
        ("auditor", Some("auditor"), Box::new(|scene| scene.ticket(RITA))),
        ("coordinator", Some("coordinator"), Box::new(|scene| scene.ticket(CORA))),
        ("administrator", Some("administrator"), Box::new(|scene| scene.ticket(KARI))),
    ];
    let mut cells = 0;
    for (who, role, visit) in &visits {
        // The same session for all but what ends it.
        let ticket = visit(&scene);
        let routes = ROUTES.iter().filter(|(_, path, _)| *path != "/sign-out");
        let last = ROUTES.iter().filter(|(_, path, _)| *path == "/sign-out");
        for (method, route, whom) in routes.chain(last) {
            let path = route
                .replace("{node}", "4601-1")
                .replace("{digest}", &study)
                .replace("{round}", round.id().as_str());
            let answer = if *method == "GET" {
                scene.get(&path, &ticket.cookie)
            } else {
                let zero = "0".repeat(64);
                let fields = [
                    ("name", "nobody at all"),
                    ("password", ""),
                    ("fingerprint", fingerprint.as_str()),
                    ("confirm", "4601-1"),
                    ("municipality", "1108"),
                    ("document", "nothing"),
                    ("study", "core.1"),
                    ("basis", &zero),
                ];
                // Signing in replaces a session, so that it is tried without one.
                match *route {
                    "/sign-in" => scene.post(&path, "", &fields),
                    _ => scene.send(&ticket, &path, &fields),
                }
            };
            let what = format!("{who} {method} {path}");
            let is_out = *route == "/sign-out" && role.is_some();
            if is_out {
                assert_eq!(answer.header("location"), "/sign-in", "{what}");
                assert_eq!(scene.get("/", &ticket.cookie).status, 303, "signed out");
            } else {
                assert_eq!(came(&answer, &what), expected(*whom, *role), "{what} {}", answer.body);
            }
            protected(&answer, &path);
            cells += 1;
        }
        let acts = acted(&scene).await;
        match role {
            Some("administrator") => assert!(acts > before + 1, "the matrix can see a deed"),
            // She tried to publish what nobody had looked at: that she tried is written down.
            Some("coordinator") => {
                assert_eq!(acts, before + 1);
                let told = scene.told().await;
                assert_eq!(told.last().map(String::as_str), Some("signed-out |  | Cora Driver"));
                let tried = format!("acted | publish {} | Cora Driver", round.id());
                assert!(told.contains(&tried), "{told:#?}");
            }
            _ => assert_eq!(acts, before, "{who}"),
        }
    }
    assert_eq!(cells, 30 * 6);
}

/// How many deeds, and lines that only deeds leave, the log has.
async fn acted(scene: &Scene) -> usize {
    let deeds = ["acted", "invited", "approved", "refused", "denied", "study-published"];
    let more = ["round-opened", "round-closed", "published", "staff-added", "staff-removed"];
    let lines = scene.log().await;
    let is_deed = |event: &str| deeds.contains(&event) || more.contains(&event);
    lines.iter().filter(|line| is_deed(&line.event)).count()
}

/// Every answer forbids scripts, frames, guessing of types and keeping.
fn protected(answer: &Answer, path: &str) {
    let policy = answer.header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"] {
        assert!(policy.contains(part), "{path}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{path}: {policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), value, "{path}: {name}");
    }
    assert!(!answer.body.contains("<script"), "{path}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_form_that_is_not_this_sessions_own_does_nothing() {
    let scene = Scene::set().await;
    let (kari, cora) = (scene.ticket(KARI), scene.ticket(CORA));
    let path = "/invitations";
    let number = ("municipality", "4601");
    let cut = kari.form_token.get(1..).expect("a rest").to_owned();
    for token in ["", &cut, &cora.form_token] {
        let answer = scene.post(path, &kari.cookie, &[("form_token", token), number]);
        assert_eq!(answer.status, 403, "{token}");
    }
    assert_eq!(scene.post(path, &kari.cookie, &[number]).status, 403, "without a token");
    let own = format!("http://{}", scene.address);
    let body = format!("form_token={}&municipality=4601", kari.form_token);
    let foreign = |headers: &[(&str, &str)]| {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        let host = ("Host", scene.address.as_str());
        let all = [&[host, ("Cookie", kari.cookie.as_str()), kind][..], headers].concat();
        http::ask(&scene.address, "POST", path, &all, &body).expect("an answer").status
    };
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(foreign(&[("Origin", origin)]), 403, "{origin}");
    }
    for site in ["cross-site", "same-site"] {
        assert_eq!(foreign(&[("Origin", &own), ("Sec-Fetch-Site", site)]), 403, "{site}");
    }
    for cookie in ["", "fellestall-admin-1=x", &kari.cookie[..kari.cookie.len() - 2]] {
        let answer = scene.post(path, cookie, &[("form_token", &kari.form_token), number]);
        assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"), "{cookie}");
    }
    let invited = |told: Vec<String>| told.iter().filter(|l| l.starts_with("invited")).count();
    assert_eq!(invited(scene.told().await), 0, "nothing was done so far");
    // The same form is good where it belongs.
    assert_eq!(foreign(&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")]), 200);
    assert_eq!(invited(scene.told().await), 1);
    // A form that is too large is not read.
    let large = "x".repeat(2 * 1024 * 1024);
    let answer = scene.send(&cora, "/studies/new", &[("document", &large)]);
    assert_eq!(answer.status, 413);
    let large = "x".repeat(64 * 1024);
    let answer = scene.post("/sign-in", "", &[("name", &large), ("password", "x")]);
    assert_eq!(answer.status, 413, "a stranger's form is smaller");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_name_and_the_other_listeners_show_nothing_of_the_administration() {
    let scene = Scene::set().await;
    let ticket = scene.ticket(KARI);
    let port = scene.address.rsplit(':').next().expect("a port");
    let ask = |host: &str, path: &str| {
        let headers = [("Host", host), ("Cookie", ticket.cookie.as_str())];
        http::ask(&scene.address, "GET", path, &headers, "").expect("an answer")
    };
    for host in ["evil.example", "127.0.0.1", "localhost:1", &format!("evil.example:{port}"), ""] {
        let answer = ask(host, "/");
        assert!(matches!(answer.status, 400 | 421), "{host}: {}", answer.status);
        assert!(!answer.body.contains("Kari"), "{host}");
    }
    assert!(matches!(ask(&scene.address, "http://evil.example/").status, 400 | 421));
    assert_eq!(ask(&format!("localhost:{port}"), "/").status, 200);
    for path in ["/nothing", "/studies/x", "/nodes/..", "/nodes/9999-1", "/rounds/core.1.2016H2"] {
        assert_eq!(ask(&scene.address, path).status, 404, "{path}");
    }
    // Nothing of this is on the public listener or on that of the nodes.
    let public = scene.world.server.public_address().expect("public pages").to_string();
    for (method, route, _) in ROUTES.iter().filter(|(_, route, _)| *route != "/") {
        let headers = [("Host", public.as_str()), ("Cookie", ticket.cookie.as_str())];
        let answer = http::ask(&public, method, route, &headers, "").expect("an answer");
        let is_own = answer.status == 200 && matches!(*route, "/style.css" | "/publications");
        assert!(is_own || matches!(answer.status, 404 | 405), "{method} {route} {}", answer.status);
        assert!(!answer.body.contains("form_token") && !answer.body.contains("Kari"), "{route}");
        let node = scene.world.request(None, &format!("{method} {route}"), b"").await;
        assert!(matches!(node.status, 404 | 405), "{method} {route}: {}", node.status);
    }
    let page = http::ask(&public, "GET", "/", &[("Host", &public)], "").expect("an answer");
    assert!(!page.body.contains("/sign-in"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn behind_tls_the_cookies_are_secure_and_bound_to_the_host() {
    let scene = Scene::with_url(Some("https://admin.tall.example.no")).await;
    let headers = [
        ("Host", "admin.tall.example.no"),
        ("Origin", "https://admin.tall.example.no"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let body = "name=Kari%20Styrer&password=correct%20horse%20battery";
    let answer = http::ask(&scene.address, "POST", "/sign-in", &headers, body).expect("an answer");
    assert_eq!(answer.status, 303, "{}", answer.body);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-fellestall-admin="), "{cookie}");
    for part in ["; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let plain = [headers[0], ("Origin", "http://admin.tall.example.no"), headers[2]];
    let answer = http::ask(&scene.address, "POST", "/sign-in", &plain, body).expect("an answer");
    assert_eq!(answer.status, 403, "another scheme is another origin");
    let leave = http::ask(&scene.address, "GET", "/sign-in/provider", &headers[..1], "");
    let leave = leave.expect("an answer");
    assert!(
        leave.header("location").contains("redirect_uri=https%3A%2F%2Fadmin.tall.example.no%2F")
    );
    let cookie = leave.header("set-cookie");
    assert!(cookie.starts_with("__Host-fellestall-admin-flow=") && cookie.contains("; Secure"));
    assert!(cookie.contains("SameSite=Lax"), "{cookie}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_ends_when_it_idles_when_it_is_old_and_with_its_person() {
    let scene = Scene::set().await;
    let ticket = scene.ticket(KARI);
    let is_in = |ticket: &Ticket, path: &str| scene.get(path, &ticket.cookie).status == 200;
    let round = scene.world.open_round().await;
    let live = format!("/rounds/{}?live", round.id());
    assert!(is_in(&ticket, &live));
    // A page that reads itself again keeps nobody signed in.
    for _ in 0..3 {
        scene.move_clock(Duration::from_mins(9));
        assert!(is_in(&ticket, &live));
    }
    scene.move_clock(Duration::from_mins(4));
    assert!(!is_in(&ticket, &live), "idle for more than half an hour");
    let ticket = scene.ticket(KARI);
    for _ in 0..24 {
        assert!(is_in(&ticket, "/"));
        scene.move_clock(Duration::from_mins(20));
    }
    scene.move_clock(Duration::from_mins(1));
    assert!(!is_in(&ticket, "/"), "in use for more than eight hours");
    let (kari, cora, other) = (scene.ticket(KARI), scene.ticket(CORA), scene.ticket(CORA));
    let token = hidden(&scene.get("/staff", &kari.cookie).body, "form_token");
    assert_eq!(token, kari.form_token);
    let answer = scene.send(&kari, "/staff/remove", &[("name", KARI.0)]);
    assert_eq!(answer.status, 403, "nobody removes themselves");
    assert_eq!(scene.send(&kari, "/staff/remove", &[("name", CORA.0)]).status, 303);
    assert!(!is_in(&cora, "/") && !is_in(&other, "/"), "signed out at once, everywhere");
    assert!(is_in(&kari, "/"));
}
