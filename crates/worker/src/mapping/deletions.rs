//! Deletions in the MIS.

use mis_sync_domain::plan::{Gone, MappedPage};
use mis_sync_wonde::{Deletion, DeletionKind, Page};

/// Maps a page of deletions of one kind. A record that came back later is not gone, and a line that
/// cannot be read says nothing.
pub fn map_deletions(page: &Page<Deletion>, kind: DeletionKind) -> MappedPage {
    let gone = page
        .records
        .iter()
        .flatten()
        // If Wonde ignores the filter, other kinds arrive too.
        .filter(|deletion| deletion.kind == kind.name() && deletion.restored_at.is_none())
        .map(|deletion| deletion.id.as_str().to_owned())
        .collect();
    let gone = match kind {
        DeletionKind::Employee => Gone { employees: gone, ..Gone::default() },
        DeletionKind::Class => Gone { classes: gone, ..Gone::default() },
    };
    MappedPage { gone, ..MappedPage::default() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_still_gone_and_of_that_kind_counts() {
        let line = |id: &str, kind: &str, restored: Option<&str>| {
            let line = json!({ "id": id, "type": kind, "deleted_at": "2026-09-01",
                "restored_at": restored });
            Ok(serde_json::from_value(line).unwrap())
        };
        let records = vec![
            line("A1", "employee", None),
            line("A2", "employee", Some("2026-09-02")),
            line("A3", "class", None),
            line("A4", "", None),
        ];
        let page = Page { records, next: None };
        let gone = |kind| map_deletions(&page, kind).gone;
        assert_eq!(gone(DeletionKind::Employee).employees, ["A1".to_owned()].into());
        assert_eq!(gone(DeletionKind::Class).classes, ["A3".to_owned()].into());
    }
}
