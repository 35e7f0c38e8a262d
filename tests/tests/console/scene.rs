//! A municipality whose node runs with its console, with two studies to decide about and three
//! people who may sign in.

use crate::stage::{Setting, Stage, binaries, drawn};
use fellestall_tests::browser::Browser;
use fellestall_tests::http::{self, Answer};
use fellestall_tests::process::{Service, free_port};
use fellestall_tests::synthetic;
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The municipality.
const NUMBER: &str = "4601";

/// Somebody who may sign in.
#[derive(Debug, Clone)]
pub struct Person {
    /// The name.
    pub name: &'static str,
    /// The secret.
    pub secret: String,
}

/// The scene.
pub struct Scene {
    /// The coordinator and the node's directory.
    pub stage: Stage,
    /// The node's directory.
    pub node: PathBuf,
    /// Where the console is, as `127.0.0.1:1234`.
    pub address: String,
    /// The node that runs.
    pub service: Option<Service>,
    /// The data protection officer.
    pub officer: Person,
    /// The operator.
    pub operator: Person,
    /// The auditor.
    pub auditor: Person,
}

/// A session without a browser: its cookie and the token of its forms.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// The `Cookie` header.
    pub cookie: String,
    /// The hidden field of every form.
    pub form_token: String,
}

impl Scene {
    /// Sets the scene; an approval takes so many people.
    pub fn set(people: u8) -> Self {
        let stage = Stage::set(&Setting { log: Some("debug"), ..Setting::default() });
        let export = stage.write(NUMBER, &drawn(NUMBER));
        let node = stage.init(NUMBER, NUMBER, &export, &[]);
        stage.enrol(&node, NUMBER);
        stage.publish_study("2");
        publish_second(&stage);
        let port = free_port().expect("a port");
        let address = format!("127.0.0.1:{port}");
        let config = node.join("fellestall-node.toml");
        let mut config = std::fs::OpenOptions::new().append(true).open(config).expect("a file");
        write!(config, "[console]\nlisten = \"{address}\"\n[approval]\npeople = {people}\n")
            .expect("written");
        stage.register(&node);
        let [officer, operator, auditor] =
            [("Kari Ombud", "officer"), ("Ola Drift", "operator"), ("Rita Revisor", "auditor")]
                .map(|(name, role)| {
                    let add = ["--json", "console-user", "add", "--name", name, "--role", role];
                    let made: Value = serde_json::from_str(&stage.must(&node, &add)).expect("JSON");
                    let secret = made["secret"].as_str().expect("a secret").to_owned();
                    Person { name, secret }
                });
        let mut scene = Self { stage, node, address, service: None, officer, operator, auditor };
        scene.run();
        scene
    }

    /// Starts the node, and waits for its console.
    pub fn run(&mut self) {
        let mut command = self.stage.command(&binaries().node, &self.node);
        let log = self.stage.path("logs/node.log");
        self.service = Some(Service::spawn(command.arg("run"), &log).expect("the node starts"));
        self.until("the console answers", |scene| {
            http::ask(&scene.address, "GET", "/sign-in", &[("Host", &scene.address)], "").is_ok()
        });
    }

    /// Waits until something is so.
    pub fn until(&self, what: &str, so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !so(self) {
            assert!(Instant::now() < deadline, "not in a minute: {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Signs in with the browser.
    pub fn sign_in(&self, browser: &Browser, person: &Person) {
        browser.go(&self.url("/sign-in")).expect("the page");
        if browser.count("#name").expect("counted") == 0 {
            browser.follow("form.who button").expect("signed out");
        }
        browser.write("#name", person.name).expect("typed");
        browser.write("#secret", &person.secret).expect("typed");
        browser.follow("form.card button").expect("sent");
        assert_eq!(browser.url().expect("an address"), self.url("/"), "{} is in", person.name);
    }

    /// Asks for a page as a person with a session does, or as nobody.
    pub fn get(&self, path: &str, ticket: Option<&Ticket>) -> Answer {
        let mut headers = vec![("Host", self.address.as_str())];
        headers.extend(ticket.map(|ticket| ("Cookie", ticket.cookie.as_str())));
        http::ask(&self.address, "GET", path, &headers, "").expect("an answer")
    }

    /// Sends a form.
    pub fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("http://{}", self.address);
        let headers = [
            ("Host", self.address.as_str()),
            ("Cookie", cookie),
            ("Origin", &origin),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        http::ask(&self.address, "POST", path, &headers, &form(fields)).expect("an answer")
    }

    /// Signs in without a browser.
    pub fn ticket(&self, person: &Person) -> Ticket {
        let fields = [("name", person.name), ("secret", person.secret.as_str())];
        let answer = self.post("/sign-in", "", &fields);
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{}", answer.body);
        let cookie = answer.header("set-cookie");
        for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        let page =
            self.get("/", Some(&Ticket { cookie: cookie.clone(), form_token: String::new() }));
        let form_token = page.body.split("name=\"form_token\" value=\"").nth(1).expect("a form");
        let form_token = form_token.split('"').next().expect("a token").to_owned();
        Ticket { cookie, form_token }
    }

    /// The digest of a study by its name, once the node has it.
    pub fn digest(&self, study: &str) -> String {
        let find = |scene: &Self| {
            let text = scene.stage.must(&scene.node, &["--json", "studies"]);
            let studies: Value = serde_json::from_str(&text).expect("JSON");
            let studies = studies.as_array().expect("studies").clone();
            let found = studies.iter().find(|known| known["study"] == study);
            found.map(|known| known["digest"].as_str().expect("a digest").to_owned())
        };
        self.until("the study is known", |scene| find(scene).is_some());
        find(self).expect("it is known")
    }

    /// What was decided about a study, as the command line says.
    pub fn decision(&self, study: &str) -> String {
        let text = self.stage.must(&self.node, &["--json", "studies"]);
        let studies: Value = serde_json::from_str(&text).expect("JSON");
        let studies = studies.as_array().expect("studies").clone();
        let found = studies.iter().find(|known| known["study"] == study).expect("it is known");
        found["decision"].as_str().expect("a text").to_owned()
    }
}

/// Publishes a second, smaller study for the same purpose.
fn publish_second(stage: &Stage) {
    let template = ["study", "template", "--minimum-nodes", "2", "--statistic", "S1"];
    let days = ["--starts", "2013-01-01", "--ends", "2035-12-31"];
    let text = stage.coordinate(&[&template[..], &days].concat());
    let text = text.replacen("study = \"core\"", "study = \"intake\"", 1);
    let text = text
        .replace("Kjernetall for Housing First, halvårlig", "Deltakere etter inntaksår")
        .replace("Kjernetal for Housing First, halvårleg", "Deltakarar etter inntaksår")
        .replace("Housing First core figures, half-yearly", "Participants by intake year");
    let file = stage.path("intake.toml");
    std::fs::write(&file, text).expect("written");
    stage.coordinate(&["study", "publish", &file.to_string_lossy()]);
    let period = ["--period", synthetic::PUBLISHED_PERIOD, "--closes", "2035-12-31"];
    stage.coordinate(&[&["round", "open", "intake"][..], &period].concat());
}

/// A form as a browser writes it.
fn form(fields: &[(&str, &str)]) -> String {
    let coded = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{}={}", coded(name), coded(value))).collect();
    pairs.join("&")
}
