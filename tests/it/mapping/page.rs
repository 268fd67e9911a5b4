//! `docs/mapping.md`, made of the table that the code uses.

use std::{fmt::Write, path::Path};

use mis_sync_domain::{MisTable, Owner, OwnershipRule, SchoolSettings, SyncedField};

use super::{MODULES, row::Row};

const HEAD: &str = "# What is imported, from which MIS, and where it is tested

This page is made of `config/mis.toml` and of the rules in `crates/domain/src/ownership.rs`, which
are what a sync goes by. Do not edit it: `UPDATE_EXPECT=1 cargo test -p mis-sync-tests mapping`
makes it anew, and a test fails where it differs.

**yes**: the MIS delivers it, and iP follows. **–**: the MIS does not deliver it; what is in iP
stays, whoever wrote it. A MIS that is not listed is taken to deliver everything, and what it does
not deliver stays as it is.
";

/// What no table of the code says.
const RULINGS: &str = include_str!("rulings.md");

const ROWS: [(Row, &str, &str, &str); 14] = [
    (Row::FirstName, "Forename", "First name", "One of the two names is enough."),
    (Row::Surname, "Surname", "Surname", "One of the two names is enough."),
    (
        Row::Initials,
        "Initials",
        "Initials",
        "Identify the person in the app. Kept in iP with `initials_managed_in_ip`.",
    ),
    (Row::WorkEmail, "Work email", "Login", "Required: a person is created only with one."),
    (
        Row::JobTitle,
        "Roles",
        "Job title",
        "Those of today, joined by commas. Kept in iP with `job_title_editable`.",
    ),
    (Row::NonTeaching, "Teaching staff", "Non-teaching staff", "Reversed."),
    (Row::Photo, "Photo", "Picture", "Only on request, or with `import_photos`."),
    (Row::LineManager, "Reports to", "Line manager", "Kept in iP with `line_manager_editable`."),
    (Row::Password, "–", "Password", "Random, seen by nobody: *Forgot Password* comes first."),
    (Row::CurrentStaff, "Employment", "Person", "Current staff only. Nobody is ever deleted."),
    (
        Row::Class,
        "Class name, code, description",
        "Class",
        "Description if set. Not with `import_classes` off.",
    ),
    (Row::ClassStaff, "Class staff", "Class staff", "Main teacher first."),
    (Row::Subject, "Subject name, code, description", "Subject", "Only with `import_subjects`."),
    (Row::SubjectStaff, "Staff of its classes", "Subject staff", "Whoever teaches a class of it."),
];

#[test]
fn the_page_is_that_of_the_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mapping.md");
    let text = text();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&page, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(committed == text, "docs/mapping.md is old: run again with UPDATE_EXPECT=1");
}

#[test]
fn every_mis_of_the_table_has_its_tests() {
    let table = MisTable::built_in();
    let ids: Vec<String> = table.iter().map(|mis| mis.id.replace('-', "_")).collect();
    let modules: Vec<&str> = MODULES.iter().map(|(module, _)| *module).collect();
    assert_eq!(ids, modules);
    assert_eq!(ROWS.map(|(row, ..)| row), Row::ALL);
}

fn text() -> String {
    let table = MisTable::built_in();
    let mut page = HEAD.to_owned();
    write!(page, "\n## The rows\n\n| MIS | iP | rule | test |\n|---|---|---|---|\n").unwrap();
    for (row, mis, ip, rule) in ROWS {
        writeln!(page, "| {mis} | {ip} | {rule} | `{}` |", row.name()).unwrap();
    }
    write!(page, "\n## By MIS\n\n| |").unwrap();
    for mis in table.iter() {
        write!(page, " {} |", mis.name).unwrap();
    }
    write!(page, "\n|---|{}\n", "---|".repeat(MODULES.len())).unwrap();
    for row in Row::ALL {
        write!(page, "| `{}` |", row.name()).unwrap();
        for (_, mis) in MODULES {
            write!(page, " {} |", if row.is_supported(*mis) { "yes" } else { "–" }).unwrap();
        }
        page.push('\n');
    }
    page.push('\n');
    page.push_str(RULINGS);
    write_ownership(&mut page);
    write_tests(&mut page);
    page
}

/// What is true of every MIS that delivers the field.
fn write_ownership(page: &mut String) {
    let off = SchoolSettings::default();
    let on = SchoolSettings {
        line_manager_editable: true,
        job_title_editable: true,
        initials_managed_in_ip: true,
        import_photos: true,
        ..SchoolSettings::default()
    };
    write!(page, "\n## Whose word counts\n\nFor somebody whom iP already holds, of a MIS that ")
        .unwrap();
    write!(page, "delivers the field. A new person is filled with all that the MIS delivers.\n\n")
        .unwrap();
    write!(
        page,
        "| field of iP | of the MIS | owner | with the switches on |\n|---|---|---|---|\n"
    )
    .unwrap();
    for field in SyncedField::ALL {
        let said = |settings| {
            let ownership = field.ownership(None, settings);
            let owner = match ownership.owner {
                Owner::Mis => "the MIS",
                Owner::Ip => "iP",
            };
            match ownership.rule {
                OwnershipRule::Always => owner.to_owned(),
                rule => format!("{owner}: {}", rule.sentence()),
            }
        };
        let (column, name) = (field.as_str(), field.mis_name());
        writeln!(page, "| `{column}` | {name} | {} | {} |", said(&off), said(&on)).unwrap();
    }
}

fn write_tests(page: &mut String) {
    write!(
        page,
        "\n## The tests\n\nIn `tests/it/mapping.rs`. Each is a first sync, a change in the "
    )
    .unwrap();
    write!(page, "MIS and a value written by hand in iP.\n\n").unwrap();
    for (module, _) in MODULES {
        let tests: Vec<String> =
            Row::ALL.iter().map(|row| format!("`mapping::{module}::{}`", row.name())).collect();
        writeln!(page, "- {}", tests.join(", ")).unwrap();
    }
}
