use crate::{commands::print, exit::Failure};

/// Prints rows under headings, each column as wide as its longest cell; the last one is not
/// padded. Without rows it prints `empty`.
pub(crate) fn table<const N: usize>(
    headings: [&str; N],
    rows: &[[String; N]],
    empty: &str,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return print(empty);
    }
    let mut widths = headings.map(|heading| heading.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    print(&line(headings, widths))?;
    for row in rows {
        print(&line(row.each_ref().map(String::as_str), widths))?;
    }
    Ok(())
}

/// Cells come from a MIS: a control character in one must not move the terminal's cursor.
fn line<const N: usize>(cells: [&str; N], widths: [usize; N]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| {
        let plain: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("{plain:width$}")
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_padded_and_control_characters_are_blanks() {
        assert_eq!(line(["a", "b\u{1b}[2J", "c"], [3, 5, 4]), "a    b [2J  c");
    }
}
