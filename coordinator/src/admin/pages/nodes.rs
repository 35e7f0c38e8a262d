//! Nodes: who applied, who takes part, and the decisions about them.
//!
//! **Invariant:** a node is approved only with its fingerprint on the page and a statement that it was
//! compared; it is shut out only by whoever has typed its name.

use crate::admin::asked::{Asked, OwnForm, Refusal};
use crate::admin::frame::Frame;
use crate::admin::notice::Notice;
use crate::admin::show::{day_of, moment};
use crate::admin::words::Words;
use crate::store::nodes::{DecideError, Node, NodeStatus};
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::NodeId;
use fellestall_shared::municipality;
use http::StatusCode;

/// One node of the list.
struct Line {
    node: String,
    name: &'static str,
    look: &'static str,
    status: String,
    seen: String,
    certificate: String,
    software: String,
}

#[derive(Template)]
#[template(path = "admin/nodes.html")]
struct ListPage {
    f: Frame,
    w: &'static Words,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "admin/node.html")]
struct Page {
    f: Frame,
    w: &'static Words,
    node: String,
    look: &'static str,
    status: String,
    fingerprint: String,
    facts: Vec<(String, String)>,
    is_pending: bool,
    is_enrolled: bool,
    problem: Option<Problem>,
}

/// What is wrong with a form, and with which.
struct Problem {
    text: String,
    /// The id of the field.
    at: &'static str,
}

/// `GET /nodes`.
pub(in crate::admin) async fn list(asked: Asked) -> Response {
    asked.answer(build_list(&asked).await)
}

async fn build_list(asked: &Asked) -> Result<ListPage, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let store = asked.desk.store();
    let ends = store.certificate_ends().await?;
    let or_none = |at: Option<Timestamp>| {
        at.map_or_else(|| w.nodes.never.clone(), |at| day_of(at, w, language))
    };
    let mut nodes = store.nodes().await?;
    // Who waits comes first.
    nodes.sort_by_key(|node| node.status != NodeStatus::Pending);
    let lines = nodes.into_iter().map(|node| Line {
        name: municipality::find(&node.municipality).map_or("", |known| known.name),
        look: look(node.status),
        status: status(w, node.status).to_owned(),
        seen: or_none(node.last_seen),
        certificate: or_none(ends.get(&node.node).copied()),
        software: node.software.unwrap_or_default(),
        node: node.node.to_string(),
    });
    let lines = lines.collect();
    Ok(ListPage { f: Frame::new(asked, &w.nodes.title, "/nodes"), w, lines })
}

fn look(status: NodeStatus) -> &'static str {
    match status {
        NodeStatus::Pending => "wait",
        NodeStatus::Enrolled => "good",
        NodeStatus::Refused | NodeStatus::Denied => "bad",
    }
}

fn status(w: &Words, status: NodeStatus) -> &str {
    match status {
        NodeStatus::Pending => &w.nodes.pending,
        NodeStatus::Enrolled => &w.nodes.enrolled,
        NodeStatus::Refused => &w.nodes.refused,
        NodeStatus::Denied => &w.nodes.denied,
    }
}

/// `GET /nodes/{node}`.
pub(in crate::admin) async fn page(asked: Asked, Path(node): Path<String>) -> Response {
    asked.answer(build(&asked, &node, None).await)
}

async fn find(asked: &Asked, node: &str) -> Result<Node, Refusal> {
    let id: NodeId = node.parse().map_err(|_| Refusal::Missing)?;
    asked.desk.store().node(&id).await?.ok_or(Refusal::Missing)
}

async fn build(asked: &Asked, node: &str, problem: Option<Problem>) -> Result<Page, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let n = &w.nodes;
    let node = find(asked, node).await?;
    let ends = asked.desk.store().certificate_ends().await?;
    let at =
        |at: Option<Timestamp>| at.map_or_else(|| n.never.clone(), |at| moment(at, w, language));
    let known = municipality::find(&node.municipality);
    let name = known.map_or_else(String::new, |known| format!(" {}", known.name));
    let facts = [
        (&n.municipality, format!("{}{name}", node.municipality)),
        (&n.applied, at(Some(node.applied))),
        (&n.decided, node.decided.map_or_else(String::new, |decided| at(Some(decided)))),
        (&n.seen, at(node.last_seen)),
        (&n.certificate, at(ends.get(&node.node).copied())),
        (&n.software, node.software.clone().unwrap_or_default()),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let title = format!("{} {}{name}", n.node, node.node);
    Ok(Page {
        f: Frame::new(asked, &title, "/nodes"),
        w,
        look: look(node.status),
        status: status(w, node.status).to_owned(),
        fingerprint: node.release_key.fingerprint().to_string(),
        facts: facts.map(|(name, value)| (name.clone(), value)).collect(),
        is_pending: node.status == NodeStatus::Pending,
        is_enrolled: node.status == NodeStatus::Enrolled,
        node: node.node.to_string(),
        problem,
    })
}

/// `POST /nodes/{node}/approve`.
pub(in crate::admin) async fn approve(Path(node): Path<String>, sent: OwnForm) -> Response {
    let is_compared = sent.field("compared") == "yes";
    // The form names the key, so that what was compared is what is approved.
    let fingerprint = sent.field("fingerprint").to_owned();
    let asked = sent.asked;
    match find(&asked, &node).await {
        Ok(found) if found.release_key.fingerprint().to_string() != fingerprint => {
            return asked.refuse(Refusal::Form);
        }
        Ok(_) => {}
        Err(refusal) => return asked.refuse(refusal),
    }
    if !is_compared {
        let text = asked.words().nodes.not_compared.clone();
        return again(&asked, &node, Problem { text, at: "compared" }).await;
    }
    decide(&asked, &node, NodeStatus::Enrolled, Notice::Approved).await
}

/// `POST /nodes/{node}/refuse`.
pub(in crate::admin) async fn refuse(Path(node): Path<String>, sent: OwnForm) -> Response {
    decide(&sent.asked, &node, NodeStatus::Refused, Notice::Refused).await
}

/// `POST /nodes/{node}/deny`.
pub(in crate::admin) async fn deny(Path(node): Path<String>, sent: OwnForm) -> Response {
    if sent.field("confirm").trim() != node {
        let text = sent.asked.words().nodes.not_confirmed.clone();
        return again(&sent.asked, &node, Problem { text, at: "confirm" }).await;
    }
    decide(&sent.asked, &node, NodeStatus::Denied, Notice::Denied).await
}

async fn again(asked: &Asked, node: &str, problem: Problem) -> Response {
    let page = build(asked, node, Some(problem)).await;
    asked.answer_with(StatusCode::UNPROCESSABLE_ENTITY, page)
}

async fn decide(asked: &Asked, node: &str, wanted: NodeStatus, notice: Notice) -> Response {
    match try_decide(asked, node, wanted).await {
        Ok(None) => asked.done(notice, &format!("/nodes/{node}")).await,
        Ok(Some(text)) => again(asked, node, Problem { text, at: "decision" }).await,
        Err(refusal) => asked.refuse(refusal),
    }
}

async fn try_decide(
    asked: &Asked,
    node: &str,
    wanted: NodeStatus,
) -> Result<Option<String>, Refusal> {
    let id = find(asked, node).await?.node;
    let verb = match wanted {
        NodeStatus::Enrolled => "approve",
        NodeStatus::Denied => "deny",
        NodeStatus::Refused | NodeStatus::Pending => "refuse",
    };
    asked.act(&format!("{verb} {id}")).await?;
    let n = &asked.words().nodes;
    match asked.desk.store().decide_node(&id, wanted, asked.desk.now()).await {
        Ok(_) => Ok(None),
        Err(DecideError::Another { .. }) => Ok(Some(n.another.clone())),
        Err(DecideError::Status { .. }) => Ok(Some(n.decided_already.clone())),
        Err(error) => Err(error.into()),
    }
}
