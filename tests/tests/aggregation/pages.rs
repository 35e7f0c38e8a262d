//! The administration pages of a coordinator with shared tables, and two people who may publish.

use crate::scene::{NOW, Scene, clock};
use fellestall_coordinator::admin::password;
use fellestall_coordinator::server::Server;
use fellestall_coordinator::store::staff::{Credential, Role};
use fellestall_tests::http::{self, Answer};

const SECRET: &str = "correct horse battery";

pub struct Pages {
    pub server: Server,
    address: String,
}

/// Somebody who is signed in.
pub struct Visitor {
    cookie: String,
    form_token: String,
}

impl Pages {
    pub async fn open(scene: &Scene) -> Self {
        let hash = Credential::Password(password::hash(SECRET).expect("hashed"));
        for name in ["Kari Styrer", "Cora Driver"] {
            let role = Role::Administrator;
            scene.store.add_staff(name, role, &hash, "", NOW).await.expect("added");
        }
        let server = Server::start(scene.home(), clock()).await.expect("a service");
        let address = server.admin_address().expect("the pages").to_string();
        Self { server, address }
    }

    pub fn sign_in(&self, name: &str) -> Visitor {
        let body = format!("name={}&password={}", coded(name), coded(SECRET));
        let answer = self.ask("POST", "/sign-in", "", &body);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
        let mut cookies = cookies.filter_map(|(_, value)| value.split(';').next());
        let cookie = cookies.find(|one| one.starts_with("fellestall-admin-")).expect("a session");
        let form_token = hidden(&self.ask("GET", "/", cookie, "").body, "form_token");
        Visitor { cookie: cookie.to_owned(), form_token }
    }

    pub fn get(&self, visitor: &Visitor, path: &str) -> String {
        let answer = self.ask("GET", path, &visitor.cookie, "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Presses the button that publishes what a preview spoke of.
    pub fn publish(&self, visitor: &Visitor, round: &str, basis: &str) -> Answer {
        let body = format!("form_token={}&basis={basis}", coded(&visitor.form_token));
        self.ask("POST", &format!("/rounds/{round}/publish"), &visitor.cookie, &body)
    }

    fn ask(&self, method: &str, path: &str, cookie: &str, body: &str) -> Answer {
        let origin = format!("http://{}", self.address);
        let headers = [
            ("Host", self.address.as_str()),
            ("Cookie", cookie),
            ("Origin", &origin),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        http::ask(&self.address, method, path, &headers, body).expect("an answer")
    }
}

/// The value of a hidden field.
pub fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let rest = page.split(&mark).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().expect("a value").to_owned()
}

fn coded(text: &str) -> String {
    let coded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(coded).collect()
}
