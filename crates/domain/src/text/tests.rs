use super::*;

fn cleaned(text: &str) -> String {
    clean(text, MAX_NAME).map(|cleaned| cleaned.text).unwrap_or_default()
}

#[test]
fn what_cannot_be_seen_is_taken_out() {
    let invisible = [
        '\u{200b}',
        '\u{ad}',
        '\u{feff}',
        '\u{200e}',
        '\u{200f}',
        '\u{202a}',
        '\u{202e}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{61c}',
        '\u{3164}',
        '\u{115f}',
        '\u{1160}',
        '\u{ffa0}',
        '\u{fe0f}',
        '\u{fe00}',
        '\u{e0100}',
        '\u{180b}',
        '\u{180e}',
        '\u{34f}',
        '\u{17b4}',
        '\u{200c}',
        '\u{200d}',
        '\u{e0061}',
        '\u{fffa}',
        '\u{2062}',
        '\u{206a}',
        '\u{0}',
        '\u{7}',
        '\u{1b}',
        '\u{7f}',
        '\u{9c}',
    ];
    for c in invisible {
        assert_eq!(clean(&c.to_string(), MAX_NAME), None, "{c:?} alone");
        assert_eq!(cleaned(&format!("{c}An{c}n {c} Day{c}")), "Ann Day", "{c:?}");
        assert_eq!(without_invisible(&format!("a{c}@b")), "a@b", "{c:?}");
    }
    assert_eq!(cleaned("An\u{200b}\u{feff}\u{200d}n"), "Ann", "several together");
}

#[test]
fn what_joins_or_shapes_its_neighbours_stays() {
    for name in [
        "علی\u{200c}رضا",
        "مه\u{200c}دی",
        "ශ\u{dca}\u{200d}රී",
        "क\u{94d}\u{200c}ष",
        "👩\u{200d}🏫",
        "👩🏽\u{200d}🏫",
        "❤\u{fe0f}\u{200d}🔥",
        "☀\u{fe0f}",
        "1\u{fe0f}\u{20e3}",
        "葛\u{e0100}城",
        "🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
        "ᠠ\u{180b}",
    ] {
        assert_eq!(cleaned(name), name, "{name:?}");
        assert_eq!(cleaned(&format!("\u{feff}{name}\u{200b}")), name, "{name:?}");
    }
    // A joiner has no effect beside letters that it could not join.
    assert_eq!(cleaned("علی\u{200c} رضا\u{200c}"), "علی رضا");
    assert_eq!(cleaned("👩\u{200d}"), "👩");
    assert_eq!(cleaned("Ann1\u{fe0f}"), "Ann1");
    // Letters that look like nothing in many fonts are still letters.
    assert_eq!(cleaned("\u{600}1"), "\u{600}1");
}

#[test]
fn white_space_of_any_kind_is_one_blank() {
    for blank in [
        "\u{a0}", "\u{3000}", "\t", "\r\n", "\u{85}", "\u{2028}", "\u{2009}", "\u{202f}",
        "\u{2800}",
    ] {
        assert_eq!(cleaned(&format!("{blank}Head {blank} of{blank}Year{blank}")), "Head of Year");
        assert_eq!(clean(blank, MAX_NAME), None, "{blank:?}");
    }
    assert_eq!(cleaned("Ann\u{200b} \u{200b}Day"), "Ann Day");
    assert_eq!(cleaned(""), "");
}

#[test]
fn entities_are_decoded_once() {
    for (written, expected) in [
        ("O&#39;Neill", "O'Neill"),
        ("O&#x27;Neill", "O'Neill"),
        ("O&#X27;Neill", "O'Neill"),
        ("O&apos;Neill", "O'Neill"),
        ("O&rsquo;Neill", "O’Neill"),
        // As browsers read it, which is what the writer meant.
        ("O&#146;Neill", "O’Neill"),
        ("Se&aacute;n", "Seán"),
        ("Art &amp; Design", "Art & Design"),
        ("&amp;amp;", "&amp;"),
        ("&amp;#39;", "&#39;"),
        ("&quot;Bob&quot; &lt;b&gt;", "\"Bob\" <b>"),
        ("Ann&nbsp;&nbsp;Day", "Ann Day"),
        ("An&#8203;n&shy;a", "Anna"),
        ("A&zwj;nn", "Ann"),
        ("Ann&#10;Day", "Ann Day"),
        ("Zoe&#776;", "Zoë"),
        ("R&D", "R&D"),
        ("Arts & Crafts", "Arts & Crafts"),
        ("Arts&Crafts", "Arts&Crafts"),
        ("Q&notes", "Q&notes"),
        ("&unknown; &#; &#x;", "&unknown; &#; &#x;"),
        ("Tom & Co;", "Tom & Co;"),
    ] {
        assert_eq!(cleaned(written), expected, "{written}");
    }
    assert_eq!(clean("&nbsp;&#8203;", MAX_NAME), None);
}

#[test]
fn control_characters_go_and_letters_are_composed() {
    assert_eq!(cleaned("Qu\u{0}ill\u{0}"), "Quill");
    assert_eq!(cleaned("Zoe\u{308}"), "Zoë");
    assert_eq!(cleaned("e\u{200b}\u{301}"), "é", "also around what is taken out");
    assert_eq!(cleaned("\u{1112}\u{1161}\u{11ab}"), "한");
}

#[test]
fn what_is_too_long_is_cut_between_graphemes() {
    let is_cut = |text: &str, max| clean(text, max).map(|one| (one.text, one.is_cut)).unwrap();
    assert_eq!(is_cut("abc", 3), ("abc".into(), false));
    assert_eq!(is_cut("abcd", 3), ("abc".into(), true));
    assert_eq!(is_cut(" abc ", 3), ("abc".into(), false), "blanks around do not count");
    assert_eq!(is_cut("ab cd", 3), ("ab".into(), true), "no blank at the end");
    assert_eq!(is_cut("ab🏴\u{e0067}\u{e0062}\u{e007f}", 4), ("ab".into(), true));
    // A letter without a composed form keeps its mark or goes with it.
    assert_eq!(is_cut("abq\u{307}", 3), ("ab".into(), true));
    assert_eq!(is_cut("abq\u{307}", 4), ("abq\u{307}".into(), false));
    assert_eq!(is_cut("éééé", 3), ("ééé".into(), true), "characters, not bytes");
    let heap = format!("q{}", "\u{307}".repeat(9));
    assert_eq!(is_cut(&heap, 4), (heap.chars().take(4).collect(), true));
    let limits = [MAX_NAME, MAX_TITLE, MAX_DESCRIPTION];
    for max in limits {
        assert_eq!(is_cut(&"x".repeat(max + 1), max).0.len(), max);
    }
}

#[test]
fn what_is_clean_stays_and_nobody_is_printed() {
    for name in
        ["Fitzgerald-O'Connor-van der Berg", "O\\'Dowd", "<b>Bold</b>", "כהן", "الرشيد", "Zoë 🌻"]
    {
        let once = clean(name, MAX_NAME).unwrap();
        assert_eq!((once.text.as_str(), once.is_cut), (name, false));
        assert!(!format!("{once:?}").contains(name));
    }
}
