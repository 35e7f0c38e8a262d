//! Signing in by OpenID Connect: the honest way, and every lie that a provider or a stranger can tell.

use crate::provider::{CLIENT, SECRET, Twist};
use crate::scene::Scene;
use fellestall_coordinator::store::staff::Role;
use fellestall_tests::http::{self, Answer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

const SUBJECT: &str = "5f83e0ca-2b8e";

/// Where an address leads, and the path there.
fn parts(url: &str) -> (String, String) {
    let rest = url.strip_prefix("http://").expect("an address");
    let (host, path) = rest.split_once('/').expect("a path");
    (host.to_owned(), format!("/{path}"))
}

/// Goes to the provider; gives the flow's cookie, and the address that it leads back to.
fn leave(scene: &Scene) -> (String, String) {
    let away = scene.get("/sign-in/provider", "");
    assert_eq!(away.status, 303, "{}", away.body);
    let cookie = away.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    assert!(away.header("set-cookie").contains("SameSite=Lax"));
    let (host, path) = parts(away.header("location"));
    let back = http::ask(&host, "GET", &path, &[("Host", &host)], "").expect("the provider");
    (cookie, back.header("location").to_owned())
}

/// Comes back from the provider.
fn back(scene: &Scene, cookie: &str, address: &str) -> Answer {
    let (host, path) = parts(address);
    assert_eq!(host, scene.address, "only to these pages");
    scene.get(&path, cookie)
}

fn cookie_of_session(answer: &Answer) -> Option<&str> {
    let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    cookies
        .map(|(_, value)| value.as_str())
        .find(|value| value.starts_with("fellestall-admin-") && !value.contains("-flow-"))
}

async fn last(scene: &Scene) -> String {
    scene.told().await.pop().expect("a line")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whom_the_provider_knows_and_was_added_gets_in() {
    let scene = Scene::set().await;
    scene.add_known("Per Lang", Role::Coordinator, SUBJECT).await;
    scene.provider.names(SUBJECT);
    let (cookie, address) = leave(&scene);
    let answer = back(&scene, &cookie, &address);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("Du er logget inn") && answer.body.contains("url=/"));
    let ticket = scene.ticket_of(&answer);
    let page = scene.get("/session", &ticket.cookie);
    assert!(page.body.contains("Per Lang, koordinator"), "{}", page.body);
    assert!(page.body.contains(&scene.provider.issuer()));
    assert_eq!(last(&scene).await, "signed-in |  | Per Lang");
    // The way back is good once.
    let again = back(&scene, &cookie, &address);
    assert_eq!(again.status, 403, "{}", again.body);
    assert_eq!(scene.provider.refused(), ["code"], "the provider knows a used code");
    assert_eq!(last(&scene).await, "sign-in-failed | provider: code not accepted | unknown");
    // Removed here, known there: out at once.
    let store = scene.world.server.store();
    store.remove_staff("Per Lang", "", crate::harness::now()).await.expect("removed");
    assert_eq!(scene.get("/", &ticket.cookie).header("location"), "/sign-in");
    let (cookie, address) = leave(&scene);
    let answer = back(&scene, &cookie, &address);
    assert_eq!((answer.status, cookie_of_session(&answer)), (403, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_lie_is_refused_said_and_written_down() {
    let scene = Scene::set().await;
    scene.add_known("Per Lang", Role::Administrator, SUBJECT).await;
    let honest = || Twist { subject: SUBJECT.to_owned(), ..Twist::default() };
    let claims = |name: &'static str, value: Value| Twist {
        claims: HashMap::from([(name, value)]),
        ..honest()
    };
    let token = "provider: token does not hold";
    let lies: Vec<(&str, Twist, &str)> = vec![
        ("another nonce", claims("nonce", json!("another")), token),
        ("no nonce", claims("nonce", Value::Null), token),
        ("another audience", claims("aud", json!(["somebody-else"])), token),
        ("a further audience", claims("aud", json!([CLIENT, "somebody-else"])), token),
        ("another issuer", claims("iss", json!("https://evil.example")), token),
        ("an end long ago", claims("exp", json!(1_000_000_000)), token),
        ("another key", Twist { is_forged: true, ..honest() }, token),
        ("no signature", Twist { algorithm: Some(("none", String::new())), ..honest() }, token),
        (
            "the client's own secret as the key",
            Twist { algorithm: Some(("HS256", SECRET.to_owned())), ..honest() },
            token,
        ),
        (
            "another state",
            Twist { state: Some("another".to_owned()), ..honest() },
            "provider: not begun in this browser",
        ),
        ("no", Twist { declines: true, ..honest() }, "provider: declined"),
        (
            "somebody who was not added",
            Twist { subject: "stranger".to_owned(), ..Twist::default() },
            "provider: not among the staff",
        ),
        (
            "the subject in other letters",
            Twist { subject: SUBJECT.to_uppercase(), ..Twist::default() },
            "provider: not among the staff",
        ),
    ];
    for (lie, twist, reason) in lies {
        scene.provider.twist(twist);
        let (cookie, address) = leave(&scene);
        let answer = back(&scene, &cookie, &address);
        assert_eq!((answer.status, cookie_of_session(&answer)), (403, None), "{lie}");
        assert!(answer.body.contains("Innloggingen mislyktes"), "{lie}: {}", answer.body);
        assert_eq!(last(&scene).await, format!("sign-in-failed | {reason} | unknown"), "{lie}");
    }
    // The same provider, honest again, is believed: the refusals above were about the lies.
    scene.provider.twist(honest());
    let (cookie, address) = leave(&scene);
    assert!(cookie_of_session(&back(&scene, &cookie, &address)).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_way_back_belongs_to_the_browser_that_went() {
    let scene = Scene::set().await;
    scene.add_known("Per Lang", Role::Administrator, SUBJECT).await;
    scene.provider.names(SUBJECT);
    let (own, _) = leave(&scene);
    let (theirs, address) = leave(&scene);
    let name = own.split('=').next().expect("a name");
    for cookie in ["", &own, &format!("{name}="), &format!("{name}=x")] {
        let answer = back(&scene, cookie, &address);
        assert_eq!((answer.status, cookie_of_session(&answer)), (403, None), "{cookie}");
    }
    for path in ["/sign-in/return", "/sign-in/return?code=x", "/sign-in/return?state=&code=x"] {
        assert_eq!(scene.get(path, &theirs).status, 403, "{path}");
    }
    assert_eq!(scene.provider.refused(), Vec::<&str>::new(), "nothing was asked of the provider");
    // With another's verifier a code is worth nothing, even with the right state.
    let (_, query) = address.split_once('?').expect("a query");
    let code = query.split('&').find(|pair| pair.starts_with("code=")).expect("a code");
    let (mine, address) = leave(&scene);
    let state = address.split('&').find(|pair| pair.contains("state=")).expect("a state");
    let mixed = format!("/sign-in/return?{code}&{state}");
    assert_eq!(scene.get(&mixed, &mine).status, 403);
    assert_eq!(scene.provider.refused(), ["verifier"]);
    // The log tells, and cannot be filled by asking.
    for _ in 0..60 {
        assert_eq!(scene.get("/sign-in/return", "").status, 403);
    }
    let lines = scene.told().await.into_iter().filter(|line| line.starts_with("sign-in-failed"));
    let lines = lines.count();
    assert!((8..=30).contains(&lines), "{lines}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_provider_that_does_not_answer_is_said_and_hinders_nobody() {
    let scene = Scene::set().await;
    scene.provider.twist(Twist { floods: true, ..Twist::default() });
    let answer = scene.get("/sign-in/provider", "");
    assert_eq!(answer.status, 502);
    assert!(answer.body.contains("Innloggingstjenesten svarer ikke"), "{}", answer.body);
    assert_eq!(last(&scene).await, "sign-in-failed | provider: no answer | unknown");
    scene.ticket(crate::scene::KARI);
    scene.provider.names(SUBJECT);
    scene.move_clock(Duration::from_secs(61));
    assert_eq!(scene.get("/sign-in/provider", "").status, 303, "and comes back");
}
