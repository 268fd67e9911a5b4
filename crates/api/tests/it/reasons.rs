//! The page that explains each issue to schools and support.

use mis_sync_domain::{IssueCode, explain::Verdict};

const PAGE: &str = include_str!("../../../../docs/reasons.md");

/// Each section of the page: the code in its heading, and what stands below.
fn sections() -> Vec<(&'static str, &'static str)> {
    let sections = PAGE.split("\n## ").skip(1);
    sections
        .map(|section| {
            let (heading, text) = section.split_once('\n').unwrap();
            let code = heading.strip_prefix('`').and_then(|code| code.strip_suffix('`'));
            (code.expect("a heading is a code"), text)
        })
        .collect()
}

#[test]
fn the_page_has_a_section_for_exactly_the_codes_there_are() {
    let found: Vec<_> = sections().iter().map(|(code, _)| *code).collect();
    let known: Vec<_> = IssueCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(found, known);
}

#[test]
fn each_section_says_what_the_school_reads_what_it_means_and_what_to_do() {
    for (code, text) in sections() {
        let issue: IssueCode = code.parse().unwrap();
        let sentence = text.lines().find_map(|line| line.strip_prefix("> "));
        assert_eq!(sentence, Some(issue.sentence()), "{code}");
        if let Some(field) = issue.mis_field() {
            assert!(text.contains(&format!("**{field}**")), "{code}: {field}");
        }
        for part in ["\n**What it means.** ", "\n**What to do**\n\n1. "] {
            assert!(text.contains(part), "{code}: {part:?}");
        }
    }
}

#[test]
fn the_page_of_verdicts_has_a_section_for_exactly_those_there_are() {
    let page = include_str!("../../../../docs/verdicts.md");
    let sections: Vec<_> = page.split("\n## `").skip(1).collect();
    let mut codes: Vec<_> = sections.iter().map(|text| text.split('`').next().unwrap()).collect();
    for section in &sections {
        assert!(section.contains("\n\n> ") && section.contains(".\n\n"), "{section}");
    }
    let mut known: Vec<_> = Verdict::ALL.iter().map(|verdict| verdict.as_str()).collect();
    codes.sort_unstable();
    known.sort_unstable();
    assert_eq!(codes, known);
}
