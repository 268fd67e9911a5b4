use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::models::{Class, Deletion, Employee, School, Subject};

fn page(json: &Value) -> Result<DecodedPage<Employee>, Error> {
    decode_page(json.to_string().as_bytes())
}

fn decode_reason<T>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Decode { reason }) => reason,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("decoded"),
    }
}

#[test]
fn the_next_page_is_where_pagination_says() {
    let cases = [
        (json!(null), None),
        (json!([]), None),
        (json!({}), None),
        (json!({"pagination": null}), None),
        (json!({"pagination": []}), None),
        (json!({"pagination": {"next": null, "more": false}}), None),
        (json!({"pagination": {"next": "", "more": 0}}), None),
        (json!({"pagination": {"next": "x", "more": true}}), Some("x")),
        (json!({"pagination": {"next": "x"}}), Some("x")),
        (json!({"pagination": {"next": "x", "more": false}}), None),
        (json!({"pagination": {"next": "x", "more": null}}), Some("x")),
        (json!({"pagination": {"next": "x", "more": "false"}}), None),
        (json!({"pagination": {"next": "x", "more": 0}}), None),
        (json!({"pagination": {"next": "x", "more": "1"}}), Some("x")),
        (json!({"pagination": {"next": {}, "more": false}}), None),
    ];
    for (meta, expected) in cases {
        let decoded = page(&json!({"data": [], "meta": meta})).unwrap();
        assert_eq!(decoded.next.as_deref(), expected, "{meta}");
    }
    assert_eq!(page(&json!({"data": []})).unwrap().next, None);
}

#[test]
fn more_without_next_is_a_list_cut_short() {
    let cut = json!({"data": [], "meta": {"pagination": {"more": true, "next": null}}});
    assert!(decode_reason(page(&cut)).contains("more pages"));
}

#[test]
fn an_answer_without_a_list_is_not_an_empty_school() {
    for body in [json!({}), json!({"data": null}), json!({"data": {}}), json!([]), json!(1)] {
        assert!(decode_reason(page(&body)).starts_with("no usable data"), "{body}");
    }
    let cut = decode_page::<Employee>(br#"{"data":[{"id":"A1"#);
    assert_eq!(decode_reason(cut), "the JSON ends too early");
    let html = decode_page::<Employee>(b"<html>sorry</html>");
    assert_eq!(decode_reason(html), "not JSON at line 1 column 1");
}

#[test]
fn a_bad_record_is_named_and_the_others_are_kept() {
    let body = json!({
        "data": [
            {"id": "A1", "surname": "Quillfeather"},
            {"id": "A2", "roles": {"data": ["Secret role"]}},
            {"id": null, "surname": "Nightingale"},
            "Nightingale",
            {"id": "A5"},
        ],
        "meta": {"pagination": {"next": "x", "more": true}},
    });
    let decoded = page(&body).unwrap();
    assert_eq!(decoded.next.as_deref(), Some("x"));
    let outcomes: Vec<Result<&str, String>> = decoded
        .records
        .iter()
        .map(|record| match record {
            Ok(employee) => Ok(employee.id.as_str()),
            Err(undecodable) => Err(undecodable.to_string()),
        })
        .collect();
    assert_eq!(outcomes[0], Ok("A1"));
    let reason = outcomes[1].clone().unwrap_err();
    assert!(reason.starts_with("record A2 does not decode: unexpected shape"), "{reason}");
    assert_eq!(
        outcomes[2].clone().unwrap_err(),
        "record without id does not decode: it has no usable id"
    );
    assert_eq!(
        outcomes[3].clone().unwrap_err(),
        "record without id does not decode: it is not an object"
    );
    assert_eq!(outcomes[4], Ok("A5"));
    let shown = format!("{:?}", decoded.records);
    assert!(!shown.contains("Nightingale") && !shown.contains("Secret"), "{shown}");
}

#[test]
fn one_bad_text_costs_its_record_alone() {
    let bad: [&[u8]; 8] = [
        br#"{"id":"A2","forename":"Ann\ud83d"}"#,
        br#"{"id":"A2","forename":"\udc00nn"}"#,
        b"{\"id\":\"A2\",\"forename\":\"Zo\xeb\"}",
        b"{\"id\":\"A2\",\"surname\":\"O\x00\x1b\"}",
        b"{\"id\":\"A2\",\"surname\":\"Two\nlines\"}",
        br#"{"id":"A2","upi":1e999}"#,
        br#"{"id":"A2","upi":-1E+999}"#,
        b"{\"id\":\"A2\",\"roles\":{\"data\":[{\"name\":\"\xe2\x82\"}]}}",
    ];
    for record in bad {
        let mut body = br#"{"data":[{"id":"A1"},"#.to_vec();
        body.extend(record);
        body.extend(br#",{"id":"A3"}],"meta":{"pagination":{"next":"x","more":true}}}"#);
        let shown = String::from_utf8_lossy(record);
        let decoded = decode_page::<Employee>(&body).unwrap();
        assert_eq!(decoded.next.as_deref(), Some("x"), "{shown}");
        let ids: Vec<_> =
            decoded.records.iter().map(|one| one.as_ref().map(|one| &one.id)).collect();
        let [first, second, third] = ids.try_into().unwrap();
        assert_eq!((first.unwrap().as_str(), third.unwrap().as_str()), ("A1", "A3"), "{shown}");
        assert_eq!(second.unwrap_err().wonde_id.as_deref(), Some("A2"), "{shown}");
    }
}

/// The result for each record of a page: its id, or `!` and the id if it does not decode.
fn outcomes(body: &[u8]) -> Vec<String> {
    let page = decode_page::<Employee>(body).unwrap();
    let outcome = |record: Result<Employee, UndecodableRecord>| match record {
        Ok(employee) => employee.id.to_string(),
        Err(undecodable) => format!("!{}", undecodable.wonde_id.unwrap_or_default()),
    };
    page.records.into_iter().map(outcome).collect()
}

#[test]
fn a_record_that_is_no_json_costs_itself_alone() {
    let deep = format!(r#"{{"id":"A1","roles":{}{}}}"#, "[".repeat(9999), "]".repeat(9999));
    let deeper = "[".repeat(9999) + &"]".repeat(9999);
    let long = format!(r#"{{"id":"{}"}}"#, "A".repeat(3000));
    let cases: [(&[u8], &str); 18] = [
        (b"\xef\xbb\xbf{\"id\":\"A1\"}", "A1"),
        (b"{\"id\":\"A1\",\"roles\":\xef\xbb\xbf{\"data\":[]}}", "A1"),
        (br#"{"id":"A1","initials":"\x41"}"#, "!A1"),
        (br#"{"id":"A1","initials":"\u12"}"#, "!A1"),
        (br#"{"id":"A1","initials":NaN}"#, "!A1"),
        (br#"{"initials":-Infinity,"id":"A1"}"#, "!A1"),
        (br#"{"id":"A1","upi":"x",}"#, "!A1"),
        (br#"{"id":"A1","surname" "Quill"}"#, "!A1"),
        (br#"{"id":"A1","surname":"Quill","surname":"Quill"}"#, "!A1"),
        (br#"{"id":"A1","id":"A1"}"#, "!A1"),
        (br#"{"id":"A1","id":"A9"}"#, "!"),
        (br#"{"id":1e999}"#, "!"),
        (br#"{"id":NaN}"#, "!"),
        (br"{'id':'A1'}", "!"),
        (b"", "!"),
        (deep.as_bytes(), "A1"),
        (deeper.as_bytes(), "!"),
        (long.as_bytes(), "!"),
    ];
    for (record, outcome) in cases {
        let parts = [br#"{"data":[{"id":"B1"},"#, record, br#",{"id":"B2"}],"meta":{}}"#];
        let shown = record.escape_ascii().take(60).map(char::from).collect::<String>();
        assert_eq!(outcomes(&parts.concat()), ["B1", outcome, "B2"], "{shown}");
    }
}

#[test]
fn where_brackets_do_not_close_there_is_no_page() {
    for body in [
        br#"{"data":[{"id":"A1","upi":NaN},{"id":"A2"}]"#.as_slice(),
        br#"{"data":[{"id":"A1","upi":NaN},{"id":"A2""#,
        br#"{"data":[{"id":"A1","upi":NaN},{"id":"A2"}],"meta":{"pagi"#,
        br#"{"data":[{"id":"A1","upi":NaN},{"id":"A2"}}"#,
        br#"{"data":[{"id":"A1","upi":[NaN},{"id":"A2"}]}"#,
        br#"{"data":[{"id":"A1","upi":NaN}],"meta" {"pagination":{"next":"x"}}}"#,
        br#"{"data":[{"id":"A1","upi":NaN}],"meta":{"pagination":{"next":x}}}"#,
        br#"{"data":[{"id":"A1","upi":NaN}],"data":[]}"#,
        br#"{"data":[{"id":"A1"}],"meta":{},"meta":{"pagination":{"next":"x"}}}"#,
        br#"{"data":[{"id":"A1","upi":NaN}]}{"data":[]}"#,
        br#"{"data":[{"id":"A1","upi":NaN}]}<br />"#,
    ] {
        assert!(decode_page::<Employee>(body).is_err(), "{}", body.escape_ascii());
    }
}

#[test]
fn a_pagination_that_is_none_is_not_the_end() {
    for meta in [
        json!("x"),
        json!(true),
        json!([1]),
        json!({"pagination": "x"}),
        json!({"pagination": 1}),
        json!({"pagination": ["x"]}),
    ] {
        let reason = decode_reason(page(&json!({"data": [], "meta": meta})));
        assert_eq!(reason, "where the list goes on cannot be read", "{meta}");
    }
}

#[test]
fn a_bad_text_that_is_not_read_costs_nothing() {
    let body = b"{\"data\":[{\"id\":\"A1\",\"other\":\"\xe9\"},{\"id\":\"A2\",\"upi\":\"\xe9\"}]}";
    let decoded = decode_page::<Employee>(body).unwrap();
    assert!(decoded.records[0].is_ok() && decoded.records[1].is_err());
}

#[test]
fn a_bad_text_in_the_id_leaves_a_record_without_one() {
    let body = b"{\"data\":[{\"id\":\"A\xe9\"},{\"id\":\"B\\ud83d\"},{\"id\":\"C\"}]}";
    let decoded = decode_page::<Employee>(body).unwrap();
    let without_id = |one: &Result<Employee, UndecodableRecord>| {
        one.as_ref().is_err_and(|undecodable| undecodable.wonde_id.is_none())
    };
    let found: Vec<bool> = decoded.records.iter().map(without_id).collect();
    assert_eq!(found, [true, true, false]);
}

#[test]
fn a_bad_text_outside_the_records_or_a_cut_one_is_no_page() {
    let bodies: [&[u8]; 5] = [
        b"{\"data\":[{\"id\":\"A1\"}],\"meta\":{\"pagination\":{\"next\":\"x\xff\"}}}",
        br#"{"data":[{"id":"A1","forename":"Ann\ud83d"}"#,
        br#"{"data":[{"id":"A1","forename":"Ann\ud83d"#,
        br#"{"data":[{"id":"A1","forename":"An"n"}]}"#,
        b"{\"data\":[]\xff}",
    ];
    for body in bodies {
        assert!(decode_page::<Employee>(body).is_err(), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn a_single_record_that_does_not_fit_is_named() {
    for bad in [r#"{"data":{"id":"A2","roles":[1]}}"#, r#"{"data":{"id":"A2","upi":"\ud83d"}}"#] {
        match decode_single::<Employee>(bad.as_bytes()) {
            Err(Error::Record(record)) => assert_eq!(record.wonde_id.as_deref(), Some("A2")),
            other => panic!("{other:?}"),
        }
    }
    assert!(decode_reason(decode_single::<Employee>(b"{}")).starts_with("no usable data"));
}

#[test]
fn a_bad_text_of_the_school_itself_costs_only_that() {
    for name in [r"Oak \ud83d".as_bytes(), b"Oak \xe9", b"Oak\0"] {
        let body = [br#"{"data":{"id":"A1","name":""#, name, br#"","mis":"SIMS"}}"#].concat();
        let school = decode_damaged::<School>(&body).unwrap();
        assert_eq!((school.id.as_str(), school.mis.as_deref()), ("A1", Some("SIMS")));
    }
    let bad: Result<School, Error> = decode_damaged(br#"{"data":{"id":"\ud83d"}}"#);
    assert!(matches!(bad, Err(Error::Record(_))));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9T:+ Z.-]{0,30}".prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    // Keys of the models, so that the values reach every reader.
    let key = prop::sample::select(vec![
        "data",
        "meta",
        "pagination",
        "next",
        "more",
        "id",
        "upi",
        "surname",
        "updated_at",
        "date",
        "timezone",
        "contact_details",
        "emails",
        "work",
        "employment_details",
        "current",
        "employment_end_date",
        "roles",
        "name",
        "hierarchy",
        "photo",
        "content",
        "hash",
        "subject",
        "active",
        "employees",
        "is_main_teacher",
        "role",
        "type",
        "deleted_at",
        "region",
        "other",
    ]);
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..6).prop_map(|entries| {
                entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_panics(value in any_json()) {
        let bare = value.to_string();
        let _ = decode_page::<Employee>(bare.as_bytes());
        let _ = decode_single::<School>(bare.as_bytes());
        let _ = decode_single::<Employee>(json!({"data": value.clone()}).to_string().as_bytes());
        let list = json!({"data": [value], "meta": null}).to_string();
        prop_assert_eq!(decode_page::<Employee>(list.as_bytes()).unwrap().records.len(), 1);
        prop_assert_eq!(decode_page::<Class>(list.as_bytes()).unwrap().records.len(), 1);
        prop_assert_eq!(decode_page::<Subject>(list.as_bytes()).unwrap().records.len(), 1);
        prop_assert_eq!(decode_page::<Deletion>(list.as_bytes()).unwrap().records.len(), 1);
    }

    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_page::<Employee>(&body);
        let _ = decode_single::<School>(&body);
    }

    #[test]
    fn any_value_in_a_leaf_keeps_the_record(value in any_json()) {
        let employee = json!({
            "id": "A1", "surname": value, "updated_at": value, "hierarchy": value,
            "employment_details": {"data": {"current": value, "employment_end_date": value}},
            "photo": {"data": {"id": value, "hash": value, "content": value}},
        });
        prop_assert!(is_kept::<Employee>(&employee));
        let odd_photo = json!({"id": "A1", "photo": value});
        prop_assert!(is_kept::<Employee>(&odd_photo));
        let pivot = json!({"is_main_teacher": value, "role": value});
        let class = json!({
            "id": "A1", "code": value, "restored_at": value, "subject": value,
            "employees": {"data": [{"id": "A2", "meta": value}, {"id": "A3", "meta": pivot}]},
        });
        prop_assert!(is_kept::<Class>(&class));
        let subject = json!({"id": "A1", "name": value, "active": value, "created_at": value});
        prop_assert!(is_kept::<Subject>(&subject));
        let deletion = json!({"id": "A1", "type": value, "mis_id": value, "deleted_at": value});
        prop_assert!(is_kept::<Deletion>(&deletion));
    }
}

fn is_kept<T: DeserializeOwned>(record: &Value) -> bool {
    let list = json!({"data": [record]}).to_string();
    decode_page::<T>(list.as_bytes()).unwrap().records[0].is_ok()
}
