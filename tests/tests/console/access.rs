//! Every route and every kind of visitor; forms that are somebody else's; names that are not ours.

use crate::scene::{Scene, Ticket};
use fellestall_tests::http;

/// Every route of the console, as its source has them.
const ROUTES: [(&str, &str); 20] = [
    ("GET", "/"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/studies"),
    ("GET", "/studies/{digest}"),
    ("POST", "/studies/{digest}/approve"),
    ("POST", "/studies/{digest}/refuse"),
    ("GET", "/budget"),
    ("GET", "/data"),
    ("POST", "/data/check"),
    ("GET", "/releases"),
    ("GET", "/releases/{release}"),
    ("GET", "/releases/{release}/bytes"),
    ("GET", "/log"),
    ("GET", "/log/export"),
    ("GET", "/register"),
    ("GET", "/evidence"),
    ("GET", "/evidence/pack"),
    ("GET", "/style.css"),
];

#[test]
fn every_route_is_listed_here() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../node/src/console.rs");
    let source = std::fs::read_to_string(source).expect("the source");
    let mut found: Vec<(String, String)> = Vec::new();
    for route in source.split(".route(\"").skip(1) {
        let (path, handlers) = route.split_once('"').expect("a path");
        let handlers = handlers.split(".route(").next().unwrap_or_default();
        let handlers = handlers.split(".fallback").next().unwrap_or_default();
        for (method, name) in [("GET", "get("), ("POST", "post(")] {
            if handlers.contains(name) {
                found.push((method.to_owned(), path.to_owned()));
            }
        }
    }
    let mut listed: Vec<_> =
        ROUTES.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
}

/// What must come of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    /// The page, or the deed.
    Done,
    /// To where one signs in.
    Away,
    /// 403.
    Refused,
}

fn expected(method: &str, path: &str, role: Option<&str>) -> Comes {
    let is_open = matches!(path, "/sign-in" | "/style.css");
    let changes = method == "POST" && !matches!(path, "/sign-in" | "/sign-out");
    match role {
        _ if is_open => Comes::Done,
        None => Comes::Away,
        Some("auditor") if changes => Comes::Refused,
        Some(_) => Comes::Done,
    }
}

#[test]
fn s06_every_route_takes_whom_it_should_and_nobody_else() {
    let scene = Scene::set(1);
    let (core, intake) = (scene.digest("core.1"), scene.digest("intake.1"));
    scene.stage.must(&scene.node, &["approve", "core"]);
    let release = released(&scene);
    let people = [
        (None, None),
        (Some("operator"), Some(&scene.operator)),
        (Some("officer"), Some(&scene.officer)),
        (Some("auditor"), Some(&scene.auditor)),
    ];
    let mut cells = 0;
    for (role, person) in people {
        for (method, route) in ROUTES {
            // A session of its own for every cell: signing out ends one.
            let ticket = person.map(|person| scene.ticket(person));
            let path = route.replace("{digest}", &intake).replace("{release}", &release);
            let answer = match (method, &ticket) {
                ("GET", ticket) => scene.get(&path, ticket.as_ref()),
                (_, ticket) => {
                    let empty = Ticket { cookie: String::new(), form_token: String::new() };
                    let Ticket { cookie, form_token } = ticket.as_ref().unwrap_or(&empty);
                    let name = person.map_or("nobody", |person| person.name);
                    let secret = person.map_or("", |person| person.secret.as_str());
                    let fields = [
                        ("form_token", form_token.as_str()),
                        ("version", intake.as_str()),
                        ("reason", "capacity"),
                        ("name", name),
                        ("secret", secret),
                    ];
                    scene.post(&path, cookie, &fields)
                }
            };
            let comes = match (answer.status, answer.header("location")) {
                (303, "/sign-in") if route != "/sign-out" || role.is_none() => Comes::Away,
                (403, _) => Comes::Refused,
                // Whom nobody knows is told so on the page itself.
                (422, _) if route == "/sign-in" && role.is_none() => Comes::Done,
                (200 | 303, _) => Comes::Done,
                (status, _) => panic!("{role:?} {method} {path}: {status} {}", answer.body),
            };
            assert_eq!(comes, expected(method, route, role), "{role:?} {method} {path}");
            protected(&answer, &path);
            cells += 1;
        }
        if role.is_none() || role == Some("auditor") {
            scene.stage.must(&scene.node, &["refuse", "intake", "--reason", "other"]);
        }
        let decided = scene.decision("intake.1");
        assert_eq!(decided, "refused", "{role:?}");
    }
    assert_eq!(cells, 80);
    assert!(!core.is_empty());
}

/// Every answer forbids scripts, frames, guessing of types and keeping.
fn protected(answer: &http::Answer, path: &str) {
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

fn released(scene: &Scene) -> String {
    let read = |scene: &Scene| {
        let all = scene.stage.must(&scene.node, &["--json", "releases"]);
        let all: serde_json::Value = serde_json::from_str(&all).expect("JSON");
        all[0]["release"].as_str().map(str::to_owned)
    };
    scene.until("the release is there", |scene| read(scene).is_some());
    read(scene).expect("it is there")
}

#[test]
fn a_form_that_is_not_this_sessions_own_does_nothing() {
    let scene = Scene::set(1);
    let intake = scene.digest("intake.1");
    let path = format!("/studies/{intake}/approve");
    let (officer, operator) = (scene.ticket(&scene.officer), scene.ticket(&scene.operator));
    let other_version = "0".repeat(64);
    let cut = officer.form_token.get(1..).expect("a rest").to_owned();
    let forms: [(&str, &[(&str, &str)]); 6] = [
        ("without a token", &[("version", &intake)]),
        ("an empty token", &[("form_token", ""), ("version", &intake)]),
        ("a wrong token", &[("form_token", &cut), ("version", &intake)]),
        ("another session's", &[("form_token", &operator.form_token), ("version", &intake)]),
        ("no version", &[("form_token", &officer.form_token)]),
        ("another version", &[("form_token", &officer.form_token), ("version", &other_version)]),
    ];
    for (what, fields) in forms {
        let answer = scene.post(&path, &officer.cookie, fields);
        assert_eq!(answer.status, 403, "{what}");
    }
    let whole = [("form_token", officer.form_token.as_str()), ("version", intake.as_str())];
    let body = format!("form_token={}&version={intake}", officer.form_token);
    let own = format!("http://{}", scene.address);
    let foreign = |headers: &[(&str, &str)]| {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        let all = [&[("Cookie", officer.cookie.as_str()), kind][..], headers].concat();
        http::ask(&scene.address, "POST", &path, &all, &body).expect("an answer").status
    };
    let host = ("Host", scene.address.as_str());
    assert_eq!(foreign(&[host, ("Origin", "http://evil.example")]), 403);
    assert_eq!(foreign(&[host, ("Origin", "null")]), 403);
    assert_eq!(foreign(&[host, ("Origin", "http://127.0.0.1:1")]), 403, "another port");
    assert_eq!(foreign(&[host, ("Origin", &own), ("Sec-Fetch-Site", "cross-site")]), 403);
    assert_eq!(foreign(&[host, ("Origin", &own), ("Sec-Fetch-Site", "same-site")]), 403);
    for cookie in ["", "fellestall-session-1=x", &officer.cookie[..officer.cookie.len() - 2]] {
        let answer = scene.post(&path, cookie, &whole);
        assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"), "{cookie}");
    }
    assert_eq!(scene.decision("intake.1"), "undecided", "nothing was decided so far");
    // The same form is good where it belongs.
    assert_eq!(scene.post(&path, &officer.cookie, &whole).status, 303);
    assert_eq!(scene.decision("intake.1"), "approved");
}

#[test]
fn another_name_and_a_removed_user_get_nothing() {
    let scene = Scene::set(1);
    let ticket = scene.ticket(&scene.officer);
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
    let whole = format!("http://evil.example:{port}/");
    assert!(matches!(ask(&scene.address, &whole).status, 400 | 421), "a whole address");
    assert_eq!(ask(&format!("localhost:{port}"), "/").status, 200);
    assert_eq!(ask(&scene.address, "/").status, 200);
    for path in
        ["/nothing", "/studies/x", &format!("/studies/{}", "0".repeat(64)), "/releases/../x"]
    {
        assert_eq!(ask(&scene.address, path).status, 404, "{path}");
    }
    scene.stage.must(&scene.node, &["console-user", "remove", "--name", scene.officer.name]);
    assert_eq!(ask(&scene.address, "/").header("location"), "/sign-in");
    // A user of the same name is another: the session of before does not come back.
    let add = ["console-user", "add", "--name", scene.officer.name, "--role", "officer"];
    scene.stage.must(&scene.node, &add);
    assert_eq!(ask(&scene.address, "/").header("location"), "/sign-in");
    // Signing out ends a session for whoever has its cookie.
    let operator = scene.ticket(&scene.operator);
    assert_eq!(scene.get("/", Some(&operator)).status, 200);
    let fields = [("form_token", operator.form_token.as_str())];
    assert_eq!(scene.post("/sign-out", &operator.cookie, &fields).status, 303);
    assert_eq!(scene.get("/", Some(&operator)).header("location"), "/sign-in");
}
