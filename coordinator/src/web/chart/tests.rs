use super::{Alternative, Chart, Point, Series, Shape, Size, wrapped};
use fellestall_shared::labels::Language;

fn chart(shape: Shape) -> Chart {
    let point = |value: f64| Some(Point { value, lower: value - 4.0, upper: value + 5.0 });
    Chart {
        shape,
        categories: vec!["<script>".to_owned(), "B & C".to_owned(), "D".to_owned()],
        series: vec![
            Series { name: "one".to_owned(), points: vec![point(10.0), None, point(30.0)] },
            Series { name: "two".to_owned(), points: vec![point(-6.0), point(7.0), point(8.0)] },
        ],
        unit: "\"persons\"".to_owned(),
        decimals: 0,
        language: Language::Nb,
    }
}

#[test]
fn every_text_in_a_chart_is_escaped() {
    for shape in [Shape::Dots, Shape::Line] {
        for size in [Size::Wide, Size::Narrow] {
            let text = Alternative { title: "<b>", description: "a < b" };
            let drawn = chart(shape).draw(size, text).expect("drawn");
            assert!(
                drawn.starts_with("<svg class=\"chart") && drawn.trim_end().ends_with("</svg>")
            );
            assert!(!drawn.contains("<script") && !drawn.contains("<b>"), "{drawn}");
            assert!(drawn.contains("&lt;script&gt;") && drawn.contains("role=\"img\""));
            assert!(!drawn.contains("style="), "the policy of the pages forbids it: {drawn}");
        }
    }
}

#[test]
fn every_figure_that_is_there_has_a_mark_and_a_missing_one_has_none() {
    let text = Alternative { title: "t", description: "d" };
    let drawn = chart(Shape::Dots).draw(Size::Wide, text).expect("drawn");
    assert_eq!(drawn.matches("<circle").count(), 2);
    assert_eq!(drawn.matches("<polygon").count(), 3);
}

#[test]
fn an_empty_chart_is_drawn_too() {
    let empty = Chart { categories: Vec::new(), series: Vec::new(), ..chart(Shape::Line) };
    let text = Alternative { title: "t", description: "d" };
    empty.draw(Size::Narrow, text).expect("drawn");
    Chart { shape: Shape::Dots, ..empty }.draw(Size::Wide, text).expect("drawn");
}

#[test]
fn long_labels_are_broken_at_words() {
    assert_eq!(
        wrapped("temporary housing or institution", 18, 2),
        ["temporary housing", "or institution"]
    );
    assert_eq!(wrapped("one two three four", 7, 2), ["one two", "three…"]);
    assert_eq!(wrapped("incomprehensibilities", 8, 2), ["incompr…"]);
}
