use super::*;

fn parsed(text: &str) -> Option<String> {
    WorkEmail::parse(text).ok().map(String::from)
}

#[test]
fn addresses_stay_as_they_are() {
    for good in [
        "a@b.example",
        "Zoë.O'Neil@oakfield.example",
        "a+b@c.example",
        "o_neil-day!#$%&*/=?^`{|}~@c.example",
        // The rule of HTML, which is not that of mail servers.
        ".a..b.@c.example",
        "ann@192.0.2.7",
        "ann@a-b.c--d.example",
        "ann@xn--bcher-kva.example",
        "ann@bücher.example",
        "安@例え.テスト",
        "ann@sub.sub.sub.example",
        // An apostrophe before it may be part of it.
        "'ann@oak.example",
    ] {
        assert_eq!(parsed(good).as_deref(), Some(good));
        assert_eq!(parsed(&format!("\u{a0} {good}\r\n")).as_deref(), Some(good));
    }
}

#[test]
fn what_is_written_around_an_address_is_taken_off() {
    for wrapped in [
        "mailto:ann@oak.example",
        "MailTo: ann@oak.example",
        "mailto://ann@oak.example",
        "mailto:ann@oak.example?subject=Hello",
        "SMTP:ann@oak.example",
        "smtp:ann@oak.example",
        "<ann@oak.example>",
        "< ann@oak.example >",
        "\"ann@oak.example\"",
        "'ann@oak.example'",
        "“ann@oak.example”",
        "‘ann@oak.example’",
        "(ann@oak.example)",
        "[ann@oak.example]",
        "{ann@oak.example}",
        "Ann Day <ann@oak.example>",
        "\"Day, Ann\" <ann@oak.example>",
        "Ann Day<ann@oak.example>;",
        "ann@oak.example;",
        "ann@oak.example,",
        "ann@oak.example.",
        "ann@oak.example:",
        "ann@oak.example ; ",
        "<mailto:ann@oak.example>",
        "Ann Day <mailto:ann@oak.example>",
        "ann\u{200b}@oak\u{ad}.example",
        "\u{feff}<\u{202a}ann@oak.example\u{202c}>",
        "ann@\u{200d}oak.example",
    ] {
        assert_eq!(parsed(wrapped).as_deref(), Some("ann@oak.example"), "{wrapped:?}");
    }
    assert_eq!(parsed("zoe\u{308}@oak.example"), parsed("zoë@oak.example"), "composed");
}

#[test]
fn what_is_no_address_is_refused() {
    let (long_local, long_label) = ("a".repeat(250), "b".repeat(64));
    let too_long = format!("{long_local}@b.example");
    let label_too_long = format!("a@{long_label}.example");
    let endless = "<".repeat(100_000);
    for bad in [
        "",
        " ",
        "a",
        "@b.example",
        "a@",
        "a@b",
        "a@localhost",
        "a@@b.example",
        "a@b.example@c.example",
        "a b@c.example",
        "a@b .example",
        "a\u{a0}b@c.example",
        "max@junk..example",
        "a@.example",
        "a@-b.example",
        "a@b-.example",
        "a@b_c.example",
        "a@[192.0.2.7]",
        "a@b.example; c@b.example",
        "a@b.example,c@b.example",
        "a@b.example <c@b.example>",
        "\"a b\"@c.example",
        "o’neill@c.example",
        "a(b)@c.example",
        "a:b@c.example",
        "http://a@b.example",
        "see office",
        "n/a",
        "<>",
        "mailto:",
        "a@\u{ad}.example",
        &too_long,
        &label_too_long,
        &endless,
    ] {
        assert_eq!(WorkEmail::parse(bad), Err(InvalidWorkEmail), "{bad}");
    }
}

#[test]
fn nobodys_address_is_printed() {
    let email = WorkEmail::parse(" A.Okafor@Oakfield.example ").unwrap();
    assert_eq!(email.as_str(), "A.Okafor@Oakfield.example");
    assert_eq!(format!("{email:?}"), "WorkEmail(..)");
}
