//! Too slow, too large, too often; and what is never written down.

use crate::scene::Scene;
use fellestall_tests::http;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn slow_large_and_frequent_requests_are_turned_away() {
    let scene = Scene::set(1);
    let ticket = scene.ticket(&scene.officer);

    // Headers that never end, and silence: closed within ten seconds, while others are served.
    let started = Instant::now();
    let mut slow: Vec<_> = (0..20)
        .map(|place| {
            let mut stream = TcpStream::connect(&scene.address).expect("connected");
            stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
            if place % 2 == 0 {
                write!(stream, "GET / HTTP/1.1\r\nHost: {}\r\nX-Slow: ", scene.address)
                    .expect("written");
            }
            stream
        })
        .collect();
    assert_eq!(scene.get("/", Some(&ticket)).status, 200);
    for stream in &mut slow {
        let mut rest = Vec::new();
        // A reset is as good an end as an orderly one.
        stream.read_to_end(&mut rest).ok();
        assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    }
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(15), "{elapsed:?}");

    // A form beyond 64 KiB, and more headers than anyone needs.
    let large = "x".repeat(70 * 1024);
    let fields = [("form_token", ticket.form_token.as_str()), ("version", large.as_str())];
    let digest = "0".repeat(64);
    let answer = scene.post(&format!("/studies/{digest}/approve"), &ticket.cookie, &fields);
    assert_eq!(answer.status, 413);
    let name: Vec<_> = (0..200).map(|place| format!("X-{place}")).collect();
    let mut headers = vec![("Host", scene.address.as_str())];
    headers.extend(name.iter().map(|name| (name.as_str(), "x")));
    let answer = http::ask(&scene.address, "GET", "/sign-in", &headers, "");
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 431));

    // Ten failures under a name; then not even the right secret, for a while. Others get in.
    let wrong = [("name", scene.officer.name), ("secret", "aaaa-aaaa")];
    for attempt in 0..10 {
        assert_eq!(scene.post("/sign-in", "", &wrong).status, 422, "{attempt}");
    }
    let right = [("name", scene.officer.name), ("secret", scene.officer.secret.as_str())];
    let flood = scene.post("/sign-in", "", &right);
    assert_eq!(flood.status, 429);
    let wait: u64 = flood.header("retry-after").parse().expect("seconds");
    assert!((1..=600).contains(&wait), "{wait}");
    assert_eq!(scene.get("/", Some(&ticket)).status, 200, "who is in stays in");
    scene.ticket(&scene.operator);

    // Nothing that was typed or sent is written down.
    let log = std::fs::read_to_string(scene.stage.path("logs/node.log")).expect("a log");
    assert!(log.contains("the console is served"));
    let page = scene.get("/log?page=1&canary=zebra", Some(&scene.ticket(&scene.operator)));
    assert_eq!(page.status, 200);
    let log = log + &std::fs::read_to_string(scene.stage.path("logs/node.log")).expect("a log");
    let cookie = ticket.cookie.split('=').nth(1).expect("a token");
    for secret in [&scene.officer.secret, "aaaa-aaaa", cookie, &ticket.form_token, "zebra"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn the_console_alone_serves_and_stops_and_others_cannot_reach_it() {
    let mut scene = Scene::set(1);
    scene.service.take().expect("it runs").stop().expect("an orderly end");
    assert!(TcpStream::connect(&scene.address).is_err(), "gone with the node");
    let mut command = scene.stage.command(&crate::stage::binaries().node, &scene.node);
    let log = scene.stage.path("logs/console.log");
    let service = fellestall_tests::process::Service::spawn(command.arg("console"), &log);
    scene.service = Some(service.expect("it starts"));
    scene.until("the console answers", |scene| TcpStream::connect(&scene.address).is_ok());
    let said = std::fs::read_to_string(&log).expect("a log");
    assert!(said.contains(&scene.url("/")), "{said}");
    let ticket = scene.ticket(&scene.auditor);
    assert_eq!(scene.get("/", Some(&ticket)).status, 200);
    scene.service.take().expect("it runs").stop().expect("an orderly end");

    // Another address than loopback is refused before anything listens.
    let config = scene.node.join("fellestall-node.toml");
    let text = std::fs::read_to_string(&config).expect("a file");
    std::fs::write(&config, text.replace(&scene.address, "0.0.0.0:8475")).expect("written");
    for command in ["console", "run"] {
        let ended = scene.stage.operate(&scene.node, &[command]);
        assert_eq!(ended.code, Some(1), "{command}");
        assert!(ended.err.contains("console.listen must be on loopback"), "{}", ended.err);
    }
}
