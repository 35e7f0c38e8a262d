//! A provider of OpenID Connect on loopback, which can lie in every way that a test wants.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The client, as the provider knows it.
pub const CLIENT: &str = "fellestall";
/// Its secret.
pub const SECRET: &str = "client-secret-that-nobody-may-see";

/// How the provider misbehaves.
#[derive(Debug, Clone, Default)]
pub struct Twist {
    /// Whom it names; somebody whom nobody knows if empty.
    pub subject: String,
    /// Claims that it replaces.
    pub claims: HashMap<&'static str, Value>,
    /// Whether another key signs.
    pub is_forged: bool,
    /// Another algorithm in the token's head, with this signature.
    pub algorithm: Option<(&'static str, String)>,
    /// Another state on the way back.
    pub state: Option<String>,
    /// Whether it declines.
    pub declines: bool,
    /// Whether its answers never end.
    pub floods: bool,
}

struct Inner {
    address: String,
    key: Ed25519KeyPair,
    other: Ed25519KeyPair,
    twist: Mutex<Twist>,
    /// What was asked for under each code, until it is used.
    codes: Mutex<HashMap<String, HashMap<String, String>>>,
    refused: Mutex<Vec<&'static str>>,
}

/// A running provider; it ends with the test's process.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

fn key() -> Ed25519KeyPair {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
    Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key")
}

#[expect(clippy::disallowed_methods, reason = "the provider has a clock of its own")]
fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

impl Provider {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let provider = Self(Arc::new(Inner {
            address,
            key: key(),
            other: key(),
            twist: Mutex::default(),
            codes: Mutex::default(),
            refused: Mutex::default(),
        }));
        let served = provider.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let provider = served.clone();
                std::thread::spawn(move || provider.answer(stream));
            }
        });
        provider
    }

    pub fn issuer(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// Lets the provider behave like this from now on.
    pub fn twist(&self, twist: Twist) {
        *self.0.twist.lock().expect("whole") = twist;
    }

    /// Names this subject, and is honest.
    pub fn names(&self, subject: &str) {
        self.twist(Twist { subject: subject.to_owned(), ..Twist::default() });
    }

    /// Why the token endpoint refused, in order.
    pub fn refused(&self) -> Vec<&'static str> {
        self.0.refused.lock().expect("whole").clone()
    }

    fn answer(&self, mut stream: TcpStream) {
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        let Some((line, headers, body)) = read(&mut stream) else { return };
        let target = line.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let twist = self.0.twist.lock().expect("whole").clone();
        let (status, more, body) = match path {
            "/.well-known/openid-configuration" if twist.floods => {
                ("200 OK", String::new(), "x".repeat(1024 * 1024))
            }
            "/.well-known/openid-configuration" => ("200 OK", String::new(), self.metadata()),
            "/keys" => ("200 OK", String::new(), self.keys()),
            "/authorize" => {
                ("303 See Other", self.authorize(&fields(query), &twist), String::new())
            }
            "/token" => match self.token(&headers, &fields(&body), &twist) {
                Ok(answer) => ("200 OK", String::new(), answer.to_string()),
                Err(why) => {
                    self.0.refused.lock().expect("whole").push(why);
                    let error = json!({ "error": "invalid_grant" }).to_string();
                    ("400 Bad Request", String::new(), error)
                }
            },
            _ => ("404 Not Found", String::new(), String::new()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\n{more}Content-Length: {}\r\n\r\n",
            body.len()
        );
        // Whoever asked may have gone.
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).ok();
    }

    fn metadata(&self) -> String {
        let at = |path: &str| format!("{}{path}", self.issuer());
        json!({
            "issuer": self.issuer(),
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA", "RS256", "HS256", "none"],
        })
        .to_string()
    }

    fn keys(&self) -> String {
        let x = BASE64URL_NOPAD.encode(self.0.key.public_key().as_ref());
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
            "kid": "one", "x": x }] })
        .to_string()
    }

    /// Signs whoever comes in at once, and leads back.
    fn authorize(&self, fields: &HashMap<String, String>, twist: &Twist) -> String {
        let code =
            BASE64URL_NOPAD.encode(digest(&SHA256, format!("{fields:?}").as_bytes()).as_ref());
        self.0.codes.lock().expect("whole").insert(code.clone(), fields.clone());
        let state = twist.state.as_ref().unwrap_or(&fields["state"]);
        let back = &fields["redirect_uri"];
        if twist.declines {
            return format!("Location: {back}?error=access_denied&state={state}\r\n");
        }
        format!("Location: {back}?code={code}&state={state}\r\n")
    }

    fn token(
        &self,
        headers: &str,
        fields: &HashMap<String, String>,
        twist: &Twist,
    ) -> Result<Value, &'static str> {
        let credentials = BASE64.encode(format!("{CLIENT}:{SECRET}").as_bytes());
        let is_client = headers.lines().any(|line| {
            line.to_lowercase().starts_with("authorization: basic ") && line.ends_with(&credentials)
        });
        if !is_client {
            return Err("client");
        }
        let code = fields.get("code").ok_or("code")?;
        let asked = self.0.codes.lock().expect("whole").remove(code).ok_or("code")?;
        let verifier = fields.get("code_verifier").ok_or("verifier")?;
        let challenge = BASE64URL_NOPAD.encode(digest(&SHA256, verifier.as_bytes()).as_ref());
        let wanted = (asked.get("code_challenge"), asked.get("code_challenge_method"));
        if wanted != (Some(&challenge), Some(&"S256".to_owned())) || verifier.len() < 43 {
            return Err("verifier");
        }
        if fields.get("redirect_uri") != asked.get("redirect_uri") {
            return Err("redirect");
        }
        let now = seconds();
        let mut claims = json!({
            "iss": self.issuer(), "aud": [CLIENT], "sub": twist.subject, "nonce": asked["nonce"],
            "iat": now, "exp": now + 300,
        });
        for (name, value) in &twist.claims {
            claims[*name] = value.clone();
        }
        let token = self.sign(&claims, twist);
        Ok(json!({ "access_token": "access", "token_type": "Bearer", "id_token": token }))
    }

    fn sign(&self, claims: &Value, twist: &Twist) -> String {
        let algorithm = twist.algorithm.as_ref().map_or("EdDSA", |(name, _)| name);
        let head = json!({ "alg": algorithm, "typ": "JWT", "kid": "one" }).to_string();
        let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        let signed = format!("{}.{}", part(&head), part(&claims.to_string()));
        let signature = match &twist.algorithm {
            Some(("HS256", secret)) => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
                BASE64URL_NOPAD.encode(ring::hmac::sign(&key, signed.as_bytes()).as_ref())
            }
            Some(_) => String::new(),
            None => {
                let key = if twist.is_forged { &self.0.other } else { &self.0.key };
                BASE64URL_NOPAD.encode(key.sign(signed.as_bytes()).as_ref())
            }
        };
        format!("{signed}.{signature}")
    }
}

fn read(stream: &mut TcpStream) -> Option<(String, String, String)> {
    let mut bytes = Vec::new();
    let mut part = [0_u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
            });
            if body.len() >= length.unwrap_or(0) {
                let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
                return Some((line.to_owned(), headers.to_owned(), body.to_owned()));
            }
        }
        match stream.read(&mut part) {
            Ok(read) if read > 0 => bytes.extend_from_slice(&part[..read]),
            _ => return None,
        }
    }
}

fn fields(text: &str) -> HashMap<String, String> {
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [one, two, after @ ..]) => {
                let hex = String::from_utf8_lossy(&[*one, *two]).into_owned();
                bytes.push(u8::from_str_radix(&hex, 16).expect("hexadecimal"));
                rest = after;
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}
