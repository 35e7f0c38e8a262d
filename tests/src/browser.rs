//! A real browser, driven over the `WebDriver` protocol (W3C): the few calls that tests of pages
//! need, over plain HTTP.
//!
//! **Invariant:** a browser that was started here is ended here, with its profile; it reaches
//! nothing but what the test gives it.

use crate::http::{self, Answer};
use crate::process::{Service, free_port};
use anyhow::{Context, Result, bail, ensure};
use data_encoding::BASE64;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The key under which the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long the browser may take to start, or an element to appear.
const PATIENCE: Duration = Duration::from_secs(30);

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A running browser with one window.
pub struct Browser {
    address: String,
    session: String,
    // The driver ends before its folder is removed.
    _driver: Service,
    _folder: TempDir,
}

impl Browser {
    /// Starts Chromium without a screen, in a profile of its own.
    ///
    /// # Errors
    /// If Chromium or its driver is not installed or does not start.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        let address = format!("127.0.0.1:{port}");
        let log = folder.path().join("driver.log");
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).env("TMPDIR", folder.path());
        let mut driver = Service::spawn(&mut command, &log)
            .context("the packages chromium and chromium-driver are needed")?;
        let deadline = Instant::now() + PATIENCE;
        while http::ask(&address, "GET", "/status", &[("Host", &address)], "").is_err() {
            driver.assert_running()?;
            ensure!(Instant::now() < deadline, "the browser's driver does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-default-apps",
            "--disable-extensions",
            "--hide-scrollbars",
            // No name leads anywhere: the browser reaches loopback addresses alone.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
            "--no-proxy-server",
            "--lang=nb",
            "--window-size=1200,1000",
            &profile,
        ];
        let options = json!({
            "args": arguments,
            "prefs": { "intl.accept_languages": "nb" },
        });
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options } } });
        let made = call(&address, "POST", "/session", &wanted)?;
        let session =
            made.get("sessionId").and_then(Value::as_str).context("a session")?.to_owned();
        Ok(Self { address, session, _driver: driver, _folder: folder })
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        call(&self.address, method, &format!("/session/{}{path}", self.session), body)
    }

    /// Goes to an address.
    ///
    /// # Errors
    /// If it cannot be loaded.
    pub fn go(&self, url: &str) -> Result<()> {
        self.call("POST", "/url", &json!({ "url": url })).map(drop)
    }

    /// Where the browser is.
    ///
    /// # Errors
    /// If the browser does not say.
    pub fn url(&self) -> Result<String> {
        Ok(self.call("GET", "/url", &Value::Null)?.as_str().unwrap_or_default().to_owned())
    }

    /// The page's title.
    ///
    /// # Errors
    /// If the browser does not say.
    pub fn title(&self) -> Result<String> {
        Ok(self.call("GET", "/title", &Value::Null)?.as_str().unwrap_or_default().to_owned())
    }

    fn find(&self, css: &str) -> Result<String> {
        let wanted = json!({ "using": "css selector", "value": css });
        let found = self.call("POST", "/element", &wanted).with_context(|| css.to_owned())?;
        Ok(found.get(ELEMENT).and_then(Value::as_str).context("an element")?.to_owned())
    }

    fn find_all(&self, css: &str) -> Result<Vec<String>> {
        let wanted = json!({ "using": "css selector", "value": css });
        let found = self.call("POST", "/elements", &wanted)?;
        let found = found.as_array().cloned().unwrap_or_default();
        let id = |one: &Value| one.get(ELEMENT).and_then(Value::as_str).map(str::to_owned);
        Ok(found.iter().filter_map(id).collect())
    }

    /// Clicks the first element that a CSS selector finds.
    ///
    /// # Errors
    /// If there is none, or it cannot be clicked.
    pub fn click(&self, css: &str) -> Result<()> {
        let element = self.find(css)?;
        self.call("POST", &format!("/element/{element}/click"), &json!({})).map(drop)
    }

    /// Clicks what leads to another page, and waits until the page of before is gone.
    ///
    /// # Errors
    /// If there is nothing to click, or it leads nowhere.
    pub fn follow(&self, css: &str) -> Result<()> {
        let before = self.find("html")?;
        self.click(css)?;
        let deadline = Instant::now() + PATIENCE;
        while self.call("GET", &format!("/element/{before}/name"), &Value::Null).is_ok() {
            ensure!(Instant::now() < deadline, "{css} leads nowhere");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Types into the first element that a CSS selector finds.
    ///
    /// # Errors
    /// If there is none, or it takes no text.
    pub fn write(&self, css: &str, text: &str) -> Result<()> {
        let element = self.find(css)?;
        self.call("POST", &format!("/element/{element}/value"), &json!({ "text": text })).map(drop)
    }

    /// What the first element that a CSS selector finds shows.
    ///
    /// # Errors
    /// If there is none.
    pub fn text(&self, css: &str) -> Result<String> {
        let element = self.find(css)?;
        self.text_of(&element)
    }

    /// What every element that a CSS selector finds shows.
    ///
    /// # Errors
    /// If the browser does not say.
    pub fn texts(&self, css: &str) -> Result<Vec<String>> {
        self.find_all(css)?.iter().map(|element| self.text_of(element)).collect()
    }

    fn text_of(&self, element: &str) -> Result<String> {
        let text = self.call("GET", &format!("/element/{element}/text"), &Value::Null)?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// How many elements a CSS selector finds.
    ///
    /// # Errors
    /// If the browser does not say.
    pub fn count(&self, css: &str) -> Result<usize> {
        Ok(self.find_all(css)?.len())
    }

    /// Runs a script of the test's own in the page, until it calls its last argument.
    ///
    /// # Errors
    /// If it fails or takes too long.
    pub fn run(&self, script: &str) -> Result<Value> {
        self.call("POST", "/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Gives the window this size, in CSS pixels.
    ///
    /// # Errors
    /// If the browser does not.
    pub fn resize(&self, width: u32, height: u32) -> Result<()> {
        // A window has a smallest width; a page's emulated screen has not.
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.develop("Emulation.setDeviceMetricsOverride", &metrics)
    }

    /// Shows pages as to somebody who prefers light or dark.
    ///
    /// # Errors
    /// If the browser does not.
    pub fn prefer(&self, scheme: Scheme) -> Result<()> {
        let value = if scheme == Scheme::Dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.develop("Emulation.setEmulatedMedia", &media)
    }

    fn develop(&self, command: &str, parameters: &Value) -> Result<()> {
        let body = json!({ "cmd": command, "params": parameters });
        self.call("POST", "/goog/cdp/execute", &body).map(drop)
    }

    /// Writes a picture of the window as PNG.
    ///
    /// # Errors
    /// If there is none.
    pub fn picture(&self, file: &Path) -> Result<()> {
        let picture = self.call("GET", "/screenshot", &Value::Null)?;
        let bytes = BASE64.decode(picture.as_str().unwrap_or_default().as_bytes())?;
        Ok(std::fs::write(file, bytes)?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A failure here has no one to hear it, and the driver is ended in any case.
        self.call("DELETE", "", &Value::Null).ok();
    }
}

fn call(address: &str, method: &str, path: &str, body: &Value) -> Result<Value> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let headers = [("Host", address), ("Content-Type", "application/json")];
    let Answer { status, body, .. } = http::ask(address, method, path, &headers, &body)?;
    let answer: Value = serde_json::from_str(&body).context("the driver speaks JSON")?;
    if status != 200 {
        bail!("{path}: {}", answer.pointer("/value/message").unwrap_or(&Value::Null));
    }
    Ok(answer.get("value").cloned().unwrap_or(Value::Null))
}
