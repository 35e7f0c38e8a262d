//! A coordinator with its administration pages, and three people who may use them.

use crate::harness::{World, now};
use crate::provider::{CLIENT, Provider, SECRET};
use fellestall_coordinator::admin::password;
use fellestall_coordinator::config::{Admin, Oidc};
use fellestall_coordinator::store::audit::Line;
use fellestall_coordinator::store::staff::{Credential, Role};
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_tests::browser::Browser;
use fellestall_tests::http::{self, Answer};
use fellestall_tests::world::WorldClock;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

/// The administrator.
pub const KARI: (&str, &str) = ("Kari Styrer", "correct horse battery");
/// The coordinator.
pub const CORA: (&str, &str) = ("Cora Driver", "staple gun in a drawer");
/// The auditor.
pub const RITA: (&str, &str) = ("Rita Revisor", "nothing changes by me");

/// The scene.
pub struct Scene {
    pub world: World,
    pub clock: Arc<WorldClock>,
    pub provider: Provider,
    /// Where the pages are, as `127.0.0.1:1234`.
    pub address: String,
}

/// A session without a browser: its cookie and the token of its forms.
#[derive(Debug, Clone, Default)]
pub struct Ticket {
    pub cookie: String,
    pub form_token: String,
}

impl Scene {
    /// Sets the scene.
    pub async fn set() -> Self {
        Self::with_url(None).await
    }

    /// The same under an address of its own, as behind a web server with TLS.
    pub async fn with_url(url: Option<&str>) -> Self {
        let provider = Provider::start();
        let clock = WorldClock::at(now());
        let world = World::found(
            |config, directory| {
                let mut secret = std::fs::OpenOptions::new();
                let secret = secret.write(true).create_new(true).mode(0o600);
                let secret = secret.open(directory.join("client-secret")).expect("a file");
                std::io::Write::write_all(&mut &secret, SECRET.as_bytes()).expect("written");
                config.admin = Some(Admin {
                    listen: "127.0.0.1:0".parse().expect("an address"),
                    url: url.map(str::to_owned),
                    oidc: Some(Oidc {
                        issuer: provider.issuer(),
                        client_id: CLIENT.to_owned(),
                        client_secret_file: "client-secret".into(),
                    }),
                });
            },
            Arc::clone(&clock) as Arc<dyn Clock>,
        )
        .await;
        let address = world.server.admin_address().expect("the pages").to_string();
        let scene = Self { world, clock, provider, address };
        for (role, (name, secret)) in Role::ALL.into_iter().zip([KARI, CORA, RITA]) {
            let hash = Credential::Password(password::hash(secret).expect("hashed"));
            scene.add(name, role, &hash).await;
        }
        scene
    }

    pub async fn add(&self, name: &str, role: Role, credential: &Credential) {
        let store = self.world.server.store();
        store.add_staff(name, role, credential, "", now()).await.expect("added");
    }

    /// Somebody whom the provider knows.
    pub async fn add_known(&self, name: &str, role: Role, subject: &str) {
        let (issuer, subject) = (self.provider.issuer(), subject.to_owned());
        self.add(name, role, &Credential::Subject { issuer, subject }).await;
    }

    pub fn move_clock(&self, by: std::time::Duration) {
        let now: Timestamp = self.clock.now();
        self.clock.set(now.plus(by));
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The whole log, oldest first.
    pub async fn log(&self) -> Vec<Line> {
        self.world.server.store().audit(10_000).await.expect("the log")
    }

    /// The log as `event subject actor`.
    pub async fn told(&self) -> Vec<String> {
        let line = |line: Line| format!("{} | {} | {}", line.event, line.subject, line.actor);
        self.log().await.into_iter().map(line).collect()
    }

    pub fn get(&self, path: &str, cookie: &str) -> Answer {
        let headers = [("Host", self.address.as_str()), ("Cookie", cookie)];
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

    /// Sends a form of a session.
    pub fn send(&self, ticket: &Ticket, path: &str, fields: &[(&str, &str)]) -> Answer {
        let own = ("form_token", ticket.form_token.as_str());
        self.post(path, &ticket.cookie, &[&[own], fields].concat())
    }

    /// Signs in without a browser.
    pub fn ticket(&self, (name, secret): (&str, &str)) -> Ticket {
        let answer = self.post("/sign-in", "", &[("name", name), ("password", secret)]);
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{}", answer.body);
        self.ticket_of(&answer)
    }

    /// The session that an answer begins.
    pub fn ticket_of(&self, answer: &Answer) -> Ticket {
        let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
        let mut cookies = cookies.map(|(_, value)| value.as_str());
        let cookie = cookies.find(|cookie| cookie.starts_with("fellestall-admin-"));
        let cookie = cookie.expect("a session");
        for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        let page = self.get("/", &cookie);
        let form_token = hidden(&page.body, "form_token");
        Ticket { cookie, form_token }
    }

    /// Signs in with the browser.
    pub fn sign_in(&self, browser: &Browser, (name, secret): (&str, &str)) {
        browser.go(&self.url("/sign-in")).expect("the page");
        if browser.count("#name").expect("counted") == 0 {
            browser.follow("form.who button").expect("signed out");
        }
        browser.write("#name", name).expect("typed");
        browser.write("#password", secret).expect("typed");
        browser.follow("form.card button").expect("sent");
        assert_eq!(browser.url().expect("an address"), self.url("/"), "{name} is in");
    }
}

/// The value of a hidden field.
pub fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let rest = page.split(&mark).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().expect("a value").to_owned()
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
