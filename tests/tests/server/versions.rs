//! Versions: pages, files, citations, the feed and the catalogue, over a round that got a second
//! version when two municipalities came late.

use super::harness::*;
use super::publishing::{load, report};
use fellestall_coordinator::rounds::publication;
use fellestall_shared::round::Round;
use fellestall_tests::http::{Answer, ask};
use serde_json::Value;
use std::collections::BTreeMap;

/// The files that may be kept for ever; all are text but the one in parquet.
const FOR_EVER: [&str; 5] =
    ["json", "csv", "measurements.csv", "presentation.json", "certificate.json"];

struct Site {
    world: World,
    address: String,
    round: Round,
}

impl Site {
    async fn with_one_version() -> Self {
        let world = World::new().await;
        let round = world.open_round().await;
        for number in ["4601", "1108"] {
            assert_eq!(report(&world, &round, number).await, 201);
        }
        let address = world.server.public_address().expect("public pages").to_string();
        let site = Self { world, address, round };
        let (store, printer) = (site.world.server.store(), site.world.home.printer());
        let loaded = load(&site.world, &site.round).await;
        publication::close(store, printer, &loaded, now()).await.expect("version 1");
        site
    }

    async fn add_a_version(&self) {
        for late in ["0301", "5001"] {
            assert_eq!(report(&self.world, &self.round, late).await, 201);
        }
        let (store, printer) = (self.world.server.store(), self.world.home.printer());
        let loaded = load(&self.world, &self.round).await;
        publication::revise(store, printer, &loaded, now()).await.expect("an answer");
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let (address, path) = (self.address.clone(), path.to_owned());
        let mut all = vec![("Host".to_owned(), address.clone())];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let asking = move || {
            let headers: Vec<(&str, &str)> =
                all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            ask(&address, "GET", &path, &headers, "").expect("an answer")
        };
        tokio::task::spawn_blocking(asking).await.expect("no panic")
    }

    async fn body(&self, path: &str) -> String {
        let answer = self.get(path, &[]).await;
        assert_eq!(answer.status, 200, "{path} {}", answer.body);
        answer.body
    }

    fn id(&self, version: u32) -> String {
        format!("{}.v{version}", self.round.id())
    }
}

/// S06: a version's files keep their bytes and their addresses whatever is published later; a reader
/// who has them is told so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_version_keeps_its_bytes_when_a_new_one_comes() {
    let site = Site::with_one_version().await;
    let mut before = BTreeMap::new();
    for kind in FOR_EVER {
        let path = format!("/publications/{}.{kind}", site.id(1));
        let answer = site.get(&path, &[]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("cache-control").contains("immutable"), "{path}");
        before.insert(path, (answer.header("etag").to_owned(), answer.body));
    }
    let page = site.body(&format!("/en/publications/{}", site.id(1))).await;
    assert!(page.contains("This is the first version.") && !page.contains("newer version"));
    site.add_a_version().await;
    for (path, (tag, body)) in before {
        let answer = site.get(&path, &[]).await;
        assert_eq!((answer.header("etag"), &answer.body), (tag.as_str(), &body), "{path}");
        let known = site.get(&path, &[("If-None-Match", &tag)]).await;
        assert_eq!((known.status, known.body.as_str()), (304, ""), "{path}");
        let newer = site.get(&path.replace(".v1.", ".v2."), &[("If-None-Match", &tag)]).await;
        assert!(newer.status == 200 && newer.body != body, "{path}");
    }
    let page = site.body(&format!("/en/publications/{}", site.id(1))).await;
    assert!(page.contains("newer version"), "an old version says that there is a newer one");
    for missing in [
        format!("/publications/{}.json", site.id(3)),
        format!("/publications/{}.exe", site.id(1)),
        format!("/publications/{}.v01.json", site.round.id()),
        format!("/nb/publications/{}", site.id(3)),
        "/nb/publications/core".to_owned(),
        "/nb/publications?page=9".to_owned(),
        "/xx/publications".to_owned(),
        "/xx/feed.atom".to_owned(),
    ] {
        assert_eq!(site.get(&missing, &[]).await.status, 404, "{missing}");
    }
}

/// The measurements are the publication's own numbers, with the law of their noise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measurements_are_those_of_the_publication() {
    let site = Site::with_one_version().await;
    let id = site.id(1);
    let file: Value =
        serde_json::from_str(&site.body(&format!("/publications/{id}.json")).await).expect("json");
    let publication = &file["publication"];
    let csv = site.body(&format!("/publications/{id}.measurements.csv")).await;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<BTreeMap<String, String>> =
        reader.deserialize().collect::<Result<_, _>>().expect("rows");
    let tables = publication["tables"].as_array().expect("tables");
    let noises = publication["certificate"]["tables"].as_array().expect("noise");
    let mut expected = Vec::new();
    for (table, noise) in tables.iter().zip(noises) {
        for cell in table["cells"].as_array().expect("cells") {
            expected.push((table, noise, cell));
        }
    }
    assert_eq!(rows.len(), expected.len());
    let same = |text: &str, number: &Value| {
        let text: f64 = text.parse().expect("a number");
        assert!((text - number.as_f64().expect("a number")).abs() < 1e-9, "{text} {number}");
    };
    for (row, (table, noise, cell)) in rows.iter().zip(expected) {
        assert_eq!(row["statistic"], table["statistic"].as_str().expect("an id"));
        assert_eq!(row["region"], "0");
        assert_eq!(row["value"], cell["value"].to_string());
        assert_eq!(row["lower95"], cell["lower95"].to_string());
        assert_eq!(row["upper95"], cell["upper95"].to_string());
        same(&row["variance"], &cell["variance"]);
        same(&row["standard_deviation"], &cell["standard_deviation"]);
        same(&row["scale"], &noise["scale"]);
        assert_eq!(row["mechanism"], "discrete_gaussian");
        assert_eq!(row["municipalities"], "2");
        for (place, dimension) in table["dimensions"].as_array().expect("some").iter().enumerate() {
            let (name, code) = (format!("dimension{}", place + 1), format!("code{}", place + 1));
            assert_eq!(row[&name], dimension["variable"].as_str().expect("a code"));
            assert_eq!(row[&code], cell["codes"][place].as_str().expect("a code"));
        }
    }
}

/// The pages say what changed, for whom it is meant, and in which language it was asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_say_what_changed_in_three_languages() {
    let site = Site::with_one_version().await;
    site.add_a_version().await;
    let id = site.id(2);
    for (tongue, came, cite) in [
        ("nb", "Kom med i tallene: Oslo", "Slik henviser du"),
        ("nn", "Kom med i tala: Oslo", "Slik viser du til dette"),
        ("en", "New in the figures: Oslo", "How to cite"),
    ] {
        let page = site.body(&format!("/{tongue}/publications/{id}")).await;
        assert!(page.contains(came) && page.contains(cite), "{page}");
        assert!(page.contains(&format!("<html lang=\"{tongue}\">")));
        for other in ["nb", "nn", "en"] {
            assert!(page.contains(&format!("href=\"/{other}/publications/{id}\"")), "{other}");
        }
        let list = site.body(&format!("/{tongue}/publications")).await;
        assert!(list.contains(came) && list.contains(&site.id(1)), "{list}");
        let moved = site.get(&format!("/publications/{id}"), &[("Accept-Language", tongue)]).await;
        assert_eq!(moved.status, 303);
        assert_eq!(moved.header("location"), format!("/{tongue}/publications/{id}"));
        let citation = site.body(&format!("/publications/{id}.citation?lang={tongue}")).await;
        assert!(citation.contains(&format!("/publications/{id}")), "{citation}");
        assert!(citation.starts_with("Fellestall (") && citation.lines().count() == 1);
        let escaped = citation.trim().replace('\'', "&#39;");
        assert!(page.contains(&escaped), "the page and the file cite alike: {citation}");
    }
    let moved = site.get("/changelog?lang=en", &[]).await;
    assert_eq!((moved.status, moved.header("location")), (303, "/en/publications"));
}

/// What a DOI needs is there, and no DOI is made up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn datacite_metadata_has_what_the_schema_requires() {
    let site = Site::with_one_version().await;
    site.add_a_version().await;
    let path = format!("/publications/{}.datacite.json", site.id(2));
    let metadata: Value = serde_json::from_str(&site.body(&path).await).expect("json");
    for field in ["creators", "titles", "publisher", "publicationYear", "types", "schemaVersion"] {
        assert!(!metadata[field].is_null(), "{field}");
    }
    assert_eq!(metadata["types"]["resourceTypeGeneral"], "Dataset");
    assert!(metadata["publicationYear"].is_i64());
    assert_eq!(metadata["version"], "2");
    assert_eq!(metadata["rightsList"][0]["rightsIdentifier"], "CC-BY-4.0");
    let relations = metadata["relatedIdentifiers"].as_array().expect("relations");
    let before = relations.iter().find(|it| it["relationType"] == "IsNewVersionOf");
    let before = before.expect("a former version")["relatedIdentifier"].as_str().expect("a URL");
    assert!(before.ends_with(&site.id(1)));
    assert!(metadata.get("doi").is_none() && metadata.get("identifiers").is_none());
    assert!(!metadata.to_string().contains("10."), "no DOI is made up: {metadata}");
}

/// The feed is well-formed, has every version under an id that stays, newest first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_has_every_version() {
    let site = Site::with_one_version().await;
    site.add_a_version().await;
    for path in ["/feed.atom", "/nb/feed.atom", "/nn/feed.atom", "/en/feed.atom"] {
        let answer = site.get(path, &[]).await;
        assert!(answer.header("content-type").starts_with("application/atom+xml"), "{path}");
        let elements = elements(&answer.body);
        let of = |name: &str| elements.iter().filter(|it| *it == name).count();
        assert_eq!((of("feed"), of("entry"), of("author")), (1, 2, 1), "{}", answer.body);
        for each in ["id", "title", "updated"] {
            assert_eq!(of(each), 3, "{each}");
        }
        let place = |version| answer.body.find(&format!("/publications/{}</id>", site.id(version)));
        assert!(place(2).expect("version 2") < place(1).expect("version 1"));
        let known = site.get(path, &[("If-None-Match", answer.header("etag"))]).await;
        assert_eq!(known.status, 304);
    }
    let catalog = site.get("/catalog.ttl", &[]).await;
    assert!(catalog.header("content-type").starts_with("text/turtle"));
    assert!(catalog.body.contains("a dcat:Catalog"), "{}", catalog.body);
    assert!(catalog.body.contains(&site.id(2)) && !catalog.body.contains(&site.id(1)));
}

/// The names of all elements, if they are properly nested and every reference is one of XML's own.
fn elements(xml: &str) -> Vec<String> {
    let (mut open, mut names) = (Vec::new(), Vec::new());
    let rest =
        xml.strip_prefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>").expect("a declaration");
    for part in rest.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag that ends");
        for reference in text.split('&').skip(1).chain(tag.split('&').skip(1)) {
            let name = reference.split_once(';').expect("a reference that ends").0;
            assert!(["amp", "lt", "gt", "quot", "#39"].contains(&name), "&{name};");
        }
        assert!(tag.matches('"').count() % 2 == 0, "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{xml}");
        } else {
            let name = tag.split([' ', '\n', '/']).next().expect("a name").to_owned();
            if !tag.ends_with('/') {
                open.push(name.clone());
            }
            names.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    names
}
