//! Lists as CSV (RFC 4180), for people who open them in a spreadsheet.

use mis_sync_domain::text::{is_blank, is_invisible};

/// Media type of a CSV answer.
pub(crate) const MEDIA_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// With this mark Excel reads the file as UTF-8, and not in the machine's code page.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The first line of a file.
pub(crate) fn header(columns: &[&str]) -> String {
    BYTE_ORDER_MARK.to_owned() + &record(columns)
}

/// One line, with its end.
///
/// A spreadsheet treats a cell as a formula, and runs it, if it begins with one of `= + - @` (in
/// normal or full width), a tab or a carriage return. Some also ignore spaces and invisible
/// characters before it. The cells come from the MIS, where a name is whatever a person typed. So
/// such a cell gets an apostrophe in front, which tells a spreadsheet that it is text.
pub(crate) fn record(cells: &[&str]) -> String {
    let mut line = String::new();
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            line.push(',');
        }
        push_cell(&mut line, cell);
    }
    line.push_str("\r\n");
    line
}

fn push_cell(line: &mut String, cell: &str) {
    let apostrophe = if may_be_formula(cell) { "'" } else { "" };
    if cell.contains(['"', ',', '\r', '\n']) {
        for part in ["\"", apostrophe, &cell.replace('"', "\"\""), "\""] {
            line.push_str(part);
        }
    } else {
        line.push_str(apostrophe);
        line.push_str(cell);
    }
}

fn may_be_formula(cell: &str) -> bool {
    let seen = cell.trim_start_matches(|c| is_blank(c) || is_invisible(c));
    seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || cell.starts_with(['\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(record(&["a", "", "é b"]), "a,,é b\r\n");
        assert_eq!(record(&["Head, Maths", "b"]), "\"Head, Maths\",b\r\n");
        assert_eq!(record(&["the \"old\" one"]), "\"the \"\"old\"\" one\"\r\n");
        assert_eq!(record(&["a\nb", "c\rd"]), "\"a\nb\",\"c\rd\"\r\n");
    }

    #[test]
    fn a_file_begins_with_the_mark_of_utf_8() {
        assert_eq!(header(&["a", "b"]).as_bytes(), b"\xef\xbb\xbfa,b\r\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, wanted) in [
            ("=1+1", "'=1+1\r\n"),
            ("+44", "'+44\r\n"),
            ("-1", "'-1\r\n"),
            ("@SUM(A1)", "'@SUM(A1)\r\n"),
            ("\t=1", "'\t=1\r\n"),
            ("\r=1", "\"'\r=1\"\r\n"),
            ("=HYPERLINK(\"a\",1)", "\"'=HYPERLINK(\"\"a\"\",1)\"\r\n"),
            ("＝1+1", "'＝1+1\r\n"),
            ("＋44", "'＋44\r\n"),
            ("－1", "'－1\r\n"),
            ("＠SUM(A1)", "'＠SUM(A1)\r\n"),
            (" =1+1", "' =1+1\r\n"),
            ("\u{a0}\u{3000}=1", "'\u{a0}\u{3000}=1\r\n"),
            ("\u{feff}=1", "'\u{feff}=1\r\n"),
            ("\u{200b}\u{ad} \u{202e}@A1", "'\u{200b}\u{ad} \u{202e}@A1\r\n"),
            ("\n=1", "\"'\n=1\"\r\n"),
            ("\u{0}=1", "'\u{0}=1\r\n"),
            ("\u{200b}Ann", "\u{200b}Ann\r\n"),
            ("a=1", "a=1\r\n"),
            ("O'Neil-Day", "O'Neil-Day\r\n"),
        ] {
            assert_eq!(record(&[cell]), wanted, "{cell:?}");
        }
    }
}
