//! `docs/mapping.md`, generated from the table that the code uses.

use std::{fmt::Write, path::Path};

use mis_sync_domain::{MisTable, Owner, OwnershipRule, SchoolSettings, SyncedField};

use super::{MODULES, row::Row};

const HEAD: &str = "# What is imported, from which MIS, and where it is tested

This page is generated from `config/mis.toml` and from the rules in `crates/domain/src/ownership.rs`,
which every sync uses. Do not edit it: `UPDATE_EXPECT=1 cargo test -p mis-sync-tests mapping`
generates it again, and a test fails if it is out of date.

**yes**: the MIS delivers the field, and iP follows it. **–**: the MIS does not deliver the field, and
the value in iP stays, whether it was typed or imported. A MIS that is not listed is assumed to deliver
everything; a field that does not arrive stays as it is in iP.
";

/// The rules that no table in the code shows.
const RULINGS: &str = include_str!("rulings.md");

const ROWS: [(Row, &str, &str, &str); 14] = [
    (Row::FirstName, "Forename", "First name", "One of the two names is enough."),
    (Row::Surname, "Surname", "Surname", "One of the two names is enough."),
    (
        Row::Initials,
        "Initials",
        "Initials",
        "They identify the person in the app. Managed in iP with `initials_managed_in_ip`.",
    ),
    (Row::WorkEmail, "Work email", "Login", "Required: a person is created only with one."),
    (
        Row::JobTitle,
        "Roles",
        "Job title",
        "The roles of today, joined by commas. Managed in iP with `job_title_editable`.",
    ),
    (Row::NonTeaching, "Teaching staff", "Non-teaching staff", "Reversed."),
    (Row::Photo, "Photo", "Picture", "Only on request, or with `import_photos`."),
    (Row::LineManager, "Reports to", "Line manager", "Managed in iP with `line_manager_editable`."),
    (Row::Password, "–", "Password", "Random and never shown; people use *Forgot Password* first."),
    (Row::CurrentStaff, "Employment", "Person", "Current staff only. No one is ever deleted."),
    (
        Row::Class,
        "Class name, code, description",
        "Class",
        "The description only if it is set. Not imported if `import_classes` is off.",
    ),
    (Row::ClassStaff, "Class staff", "Class staff", "Main teacher first."),
    (Row::Subject, "Subject name, code, description", "Subject", "Only with `import_subjects`."),
    (Row::SubjectStaff, "Staff of its classes", "Subject staff", "The teachers of its classes."),
];

#[test]
fn the_page_is_that_of_the_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/mapping.md");
    let text = text();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&page, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(committed == text, "docs/mapping.md is out of date: run again with UPDATE_EXPECT=1");
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

/// The ownership rules for a MIS that delivers the field.
fn write_ownership(page: &mut String) {
    let off = SchoolSettings::default();
    let on = SchoolSettings {
        line_manager_editable: true,
        job_title_editable: true,
        initials_managed_in_ip: true,
        import_photos: true,
        ..SchoolSettings::default()
    };
    write!(
        page,
        "\n## Who owns a field\n\nThis table is for people who are already in iP, and for "
    )
    .unwrap();
    write!(page, "a MIS that delivers the field. A new person gets everything that arrives.\n\n")
        .unwrap();
    write!(
        page,
        "| field in iP | in the MIS | owner | with the settings on |\n|---|---|---|---|\n"
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
        "\n## The tests\n\nThe tests are in `tests/it/mapping.rs`. Each makes a first sync, a change "
    )
    .unwrap();
    write!(page, "in the MIS and a change by hand in iP.\n\n").unwrap();
    for (module, _) in MODULES {
        let tests: Vec<String> =
            Row::ALL.iter().map(|row| format!("`mapping::{module}::{}`", row.name())).collect();
        writeln!(page, "- {}", tests.join(", ")).unwrap();
    }
}
