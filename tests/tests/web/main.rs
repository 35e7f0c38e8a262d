//! The public pages: a real coordinator over real publications, asked over HTTP and looked at in a
//! real browser.

#![cfg(test)]

mod budget;
mod facts;
mod looks;
mod page;
mod scene;
mod snippets;
