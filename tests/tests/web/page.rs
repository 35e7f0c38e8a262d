//! What a page of a table says, taken from its bytes.

/// A text as a reader sees it: without tags, entities resolved.
pub fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for c in html.chars() {
        match c {
            '<' => is_tag = true,
            '>' if is_tag => is_tag = false,
            c if !is_tag => text.push(c),
            _ => {}
        }
    }
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    for (entity, character) in entities {
        text = text.replace(entity, character);
    }
    text.trim().to_owned()
}

/// What stands between two texts, every time.
pub fn between<'t>(text: &'t str, from: &str, to: &str) -> Vec<&'t str> {
    text.split(from).skip(1).filter_map(|rest| rest.split(to).next()).collect()
}

/// The rows of the table of numbers: heads and then cells, as read.
pub fn rows(html: &str) -> Vec<Vec<String>> {
    let section = html.split("id=\"numbers\"").nth(1).expect("numbers");
    let body = between(section, "<tbody>", "</tbody>");
    let body = body.first().expect("a table");
    let row = |row: &str| {
        let cells = row.split("</th>").flat_map(|part| part.split("</td>"));
        let cells = cells.filter(|cell| cell.contains("<th") || cell.contains("<td"));
        cells.map(plain).collect()
    };
    between(body, "<tr>", "</tr>").into_iter().map(row).collect()
}

/// A number as the pages write it in English.
pub fn number(text: &str) -> Option<f64> {
    let text = text.split([' ', '\u{a0}']).next()?;
    text.replace(',', "").replace('\u{2212}', "-").parse().ok()
}

/// The figures of a page in English, in its order.
pub fn figures(html: &str) -> Vec<Option<f64>> {
    let heads = html.split("id=\"numbers\"").nth(1).expect("numbers");
    let heads = between(heads, "<tbody>", "</tbody>")[0];
    let heads = between(heads, "<tr>", "</tr>")[0].matches("<th").count();
    rows(html).iter().map(|row| number(&row[heads])).collect()
}
