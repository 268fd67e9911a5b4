//! Finds people by what a person types of their name: the beginnings of its words, in any order,
//! without regard to capitals and accents. The database folds names by the same rules
//! (`folded_name`, migration 0029), and a test compares the two.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// The fewest letters that are searched for: one letter alone would find half of all people.
const FEWEST_LETTERS: usize = 2;
/// The most words. No name has more, and each one costs a look into the index.
const MOST_WORDS: usize = 8;

/// What people put before a name. No record has it in a name.
const TITLES: [&str; 12] =
    ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "rev", "revd"];

/// The words that a name has to have.
#[derive(Clone, PartialEq, Eq)]
pub struct NameQuery {
    /// Folded, and without anything but letters and digits.
    words: Vec<String>,
}

impl NameQuery {
    /// Reads what was typed; `None` if it has too few letters to search for.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words: Vec<String> = parts(&folded(text)).take(MOST_WORDS).collect();
        if words.len() > 1 && TITLES.contains(&words[0].as_str()) {
            words.remove(0);
        }
        let letters: usize = words.iter().map(|word| word.chars().count()).sum();
        (letters >= FEWEST_LETTERS).then_some(Self { words })
    }

    /// The words, folded, without punctuation.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether each word begins a word of the name.
    pub fn matches(&self, name: &str) -> bool {
        let folded = folded(name);
        let joined: String = folded.chars().filter(|c| !JOINERS.contains(c)).collect();
        let of_name: Vec<String> = parts(&folded).chain(parts(&joined)).collect();
        self.words.iter().all(|word| of_name.iter().any(|of_name| of_name.starts_with(word)))
    }
}

/// What was typed may be a name, so it is not printed.
impl fmt::Debug for NameQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameQuery").field("words", &self.words.len()).finish()
    }
}

/// What joins the parts of one name: O'Brien is found as *brien* and as *obrien*.
const JOINERS: [char; 9] = ['\'', '’', 'ʼ', '‘', '`', '.', '‐', '‑', '-'];

/// Without accents and capitals.
fn folded(text: &str) -> String {
    let plain = text.nfkd().filter(|c| !('\u{300}'..='\u{36f}').contains(c));
    let mut folded = String::with_capacity(text.len());
    for letter in plain.flat_map(char::to_lowercase) {
        match letter {
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            // Capital İ becomes i and a dot above.
            '\u{307}' => {}
            letter => folded.push(letter),
        }
    }
    folded
}

fn parts(folded: &str) -> impl Iterator<Item = String> {
    folded.split(separates).filter(|part| !part.is_empty()).map(str::to_owned)
}

/// Everything that is not a letter or digit in ASCII and Latin-1, and the general punctuation.
fn separates(c: char) -> bool {
    match c {
        '\0'..='\u{bf}' => !c.is_ascii_alphanumeric(),
        '\u{2000}'..='\u{206f}' | '\u{3000}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_words_find_a_name() {
        for (typed, name, is_found) in [
            ("sha pri", "Priya Shah", true),
            ("SHAH", "Priya Shah", true),
            ("hah", "Priya Shah", false),
            ("pri smith", "Priya Shah", false),
            ("muller", "Jörg Müller", true),
            ("Müller", "Jorg Muller", true),
            ("o'brien", "Seán O’Brien", true),
            ("obrien", "Seán O'Brien", true),
            ("brien", "Seán O'Brien", true),
            ("anne-marie", "Anne Marie Hall", true),
            ("annemarie", "Anne-Marie Hall", true),
            ("strauss", "Eva Strauß", true),
            ("lukasz", "Łukasz Nowak", true),
            ("ζωη", "Ζωή Παππά", true),
            ("Mrs. Shah", "Priya Shah", true),
            ("dr priya shah", "Priya Shah", true),
            ("dr", "Priya Shah", false),
            ("Miss", "Eva Missenden", true),
        ] {
            let query = NameQuery::parse(typed).unwrap();
            assert_eq!(query.matches(name), is_found, "{typed} {name}");
        }
    }

    #[test]
    fn one_letter_is_too_little() {
        for typed in ["", " ", "s", "'", "- -", "\u{301}"] {
            assert!(NameQuery::parse(typed).is_none(), "{typed}");
        }
        assert!(NameQuery::parse("j s").is_some());
        let query = NameQuery::parse("Priya Shah").unwrap();
        assert_eq!(format!("{query:?}"), "NameQuery { words: 2 }");
    }
}
