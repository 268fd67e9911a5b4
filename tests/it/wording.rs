//! Words that make our prose hard to read stay out of comments, messages and documents.
//!
//! In Rust only prose is checked: comments, and string literals of several words. Names in code may
//! use any word.

use std::{path::Path, process::Command};

/// What a reader stumbles over, and what to write instead.
const BANNED: [(&str, &str); 12] = [
    ("somebody", "someone, or better the person who is meant"),
    ("nobody", "no one, or a sentence about what does not happen"),
    ("whoever", "the person who"),
    ("anybody", "anyone"),
    ("everybody", "everyone"),
    ("deed", "action"),
    ("deeds", "actions"),
    ("anew", "again"),
    ("wish", "request"),
    ("wishes", "requests"),
    ("taken for", "treated as"),
    ("so many of", "a number or a percentage of"),
];

/// These cannot be rewritten: published migrations, the schema that they make, libraries, and the
/// list above.
const NOT_OURS: [&str; 5] =
    ["migrations/", "schema.sql", "/assets/htmx", "/assets/axe-core", "it/wording.rs"];

const ENDINGS: [&str; 6] = ["rs", "md", "toml", "sql", "js", "css"];

#[test]
fn prose_has_no_banned_words() {
    let mut found = Vec::new();
    for file in files() {
        let text = std::fs::read_to_string(root(&file)).unwrap();
        for (line, prose) in prose(&file, &text) {
            for (word, instead) in banned_in(&prose) {
                found.push(format!("{file}:{line}: `{word}`: write {instead}"));
            }
        }
    }
    assert!(found.is_empty(), "plain words, please:\n{}", found.join("\n"));
}

fn root(file: &str) -> String {
    format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"))
}

/// The files that git knows and this test reads.
fn files() -> Vec<String> {
    let output = Command::new("git").args(["ls-files"]).current_dir(root("")).output().unwrap();
    assert!(output.status.success(), "git lists the files");
    let is_ours = |file: &&str| {
        Path::new(file).extension().is_some_and(|ending| ENDINGS.iter().any(|one| ending == *one))
            && !NOT_OURS.iter().any(|part| file.contains(part))
            && std::fs::exists(root(file)).unwrap()
    };
    let output = String::from_utf8(output.stdout).unwrap();
    output.lines().filter(is_ours).map(str::to_owned).collect()
}

/// Each piece of prose with the number of its first line.
fn prose(file: &str, text: &str) -> Vec<(usize, String)> {
    if Path::new(file).extension().is_some_and(|extension| extension == "rs") {
        return prose_of_rust(text);
    }
    text.lines().enumerate().map(|(at, line)| (at + 1, line.to_owned())).collect()
}

/// Comments, and string literals that contain a space.
fn prose_of_rust(text: &str) -> Vec<(usize, String)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['/', '"']) {
        let line = text[..text.len() - rest.len() + at].matches('\n').count() + 1;
        let (before, found) = rest.split_at(at);
        if let Some(comment) = found.strip_prefix("//") {
            let comment = comment.lines().next().unwrap_or_default();
            pieces.push((line, comment.to_owned()));
            rest = &found[2 + comment.len()..];
        } else if let Some(literal) = found.strip_prefix('"') {
            // The character `'"'` opens no string.
            let length = if before.ends_with('\'') { 0 } else { length_of_string(before, literal) };
            pieces.extend(
                literal[..length].contains(' ').then(|| (line, literal[..length].to_owned())),
            );
            rest = &literal[length..];
            rest = rest.strip_prefix('"').unwrap_or(rest);
        } else {
            rest = &found[1..];
        }
    }
    pieces
}

/// Bytes up to the end of a string literal, which is raw if `before` ends with `r` and perhaps `#`.
fn length_of_string(before: &str, literal: &str) -> usize {
    let name = before.trim_end_matches('#');
    if name.ends_with('r') {
        let end = format!("\"{}", &before[name.len()..]);
        return literal.find(&end).unwrap_or(literal.len());
    }
    let mut is_escaped = false;
    let end = literal.find(|letter| {
        let is_end = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        is_end
    });
    end.unwrap_or(literal.len())
}

/// Banned words in a piece of prose. A word in quotes or in code, or a part of an address, is a name.
fn banned_in(prose: &str) -> Vec<(&'static str, &'static str)> {
    let prose = prose.to_lowercase();
    let is_word = |word: &str| {
        prose.match_indices(word).any(|(at, _)| {
            let before = prose[..at].chars().next_back();
            let after = prose[at + word.len()..].chars().next();
            let joins = |letter: Option<char>, others: &str| {
                letter.is_some_and(|letter| letter.is_alphanumeric() || others.contains(letter))
            };
            !joins(before, "_`'\"/.{") && !joins(after, "_`\"@/({}")
        })
    };
    BANNED.into_iter().filter(|(word, _)| is_word(word)).collect()
}

#[test]
fn names_in_code_are_not_prose() {
    let words = |text: &str| -> Vec<_> {
        let pieces = prose_of_rust(text);
        pieces
            .iter()
            .flat_map(|(line, prose)| {
                banned_in(prose).into_iter().map(move |(word, _)| (*line, word))
            })
            .collect()
    };
    assert_eq!(words("let nobody = somebody(\"nobody\");\n"), []);
    assert_eq!(
        words("let a = 1; // Nobody's\n/// by somebody.\n"),
        [(1, "nobody"), (2, "somebody")]
    );
    assert_eq!(words("f(\"a\", \"seen \\\"by\\\" nobody\", x)\n"), [(1, "nobody")]);
    assert_eq!(
        words("r#\"SET actor = 'nobody' \"#; \"runs as `nobody` now\"; \"a b nobody@x\"\n"),
        []
    );
    assert_eq!(words("if c == '\"' { nobody } else { \"is wished\" }\n"), []);
    assert_eq!(words("// a skipped test taken for a passed one\n"), [(1, "taken for")]);
}
