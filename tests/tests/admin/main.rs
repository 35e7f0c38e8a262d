//! The administration pages: a real server, its forms over HTTP, a provider of OpenID Connect on
//! loopback, and a real browser.

#![cfg(test)]

mod access;
mod flow;
#[expect(dead_code, reason = "the harness has more than these pages need")]
#[path = "../server/harness.rs"]
mod harness;
mod looks;
mod oidc;
mod password;
mod provider;
mod scene;
