//! The words from which people and schools are invented.

/// Forenames with the gender they are given here.
pub(crate) const FORENAMES: &[(&str, &str)] = &[
    ("Amelia", "female"),
    ("Oliver", "male"),
    ("Zoë", "female"),
    ("Rhys", "male"),
    ("Priya", "female"),
    ("Mohammed", "male"),
    ("Siân", "female"),
    ("Seán", "male"),
    ("Chloé", "female"),
    ("José", "male"),
    ("Anne-Marie", "female"),
    ("Jean-Luc", "male"),
    ("Grace", "female"),
    ("Tariq", "male"),
    ("Ngozi", "female"),
    ("Kwame", "male"),
    ("Mei", "female"),
    ("Hiroshi", "male"),
    ("Freya", "female"),
    ("Alasdair", "male"),
    ("Niamh", "female"),
    ("Callum", "male"),
    ("Eleri", "female"),
    ("Gethin", "male"),
    ("Aoife", "female"),
    ("Patrick", "male"),
    ("Fatima", "female"),
    ("Yusuf", "male"),
    ("Agnieszka", "female"),
    ("Łukasz", "male"),
    ("Ingrid", "female"),
    ("Bjørn", "male"),
    ("Beatriz", "female"),
    ("Tomás", "male"),
    ("Sophie", "female"),
    ("Daniel", "male"),
    ("Harriet", "female"),
    ("Edward", "male"),
    ("Imogen", "female"),
    ("Samuel", "male"),
    ("Charlotte", "female"),
    ("George", "male"),
    ("Ruth", "female"),
    ("Peter", "male"),
    ("Deborah", "female"),
    ("Martin", "male"),
    ("Susan", "female"),
    ("Keith", "male"),
    ("Lorraine", "female"),
    ("Nigel", "male"),
    ("Sarah-Jane", "female"),
    ("Billy", "male"),
    ("Renée", "female"),
    ("François", "male"),
    ("Mary Ellen", "female"),
    ("Dafydd", "male"),
    ("Olwen", "female"),
    ("Iwan", "male"),
    ("Shanice", "female"),
    ("Leroy", "male"),
];

/// Surnames; double-barrelled ones are made of two.
pub(crate) const SURNAMES: &[&str] = &[
    "Ashworth",
    "O'Brien",
    "Núñez",
    "Smith",
    "Jones",
    "Taylor",
    "Patel",
    "Khan",
    "Begum",
    "Williams",
    "Okafor",
    "Mensah",
    "Nguyen",
    "Chen",
    "Tanaka",
    "MacDonald",
    "McIntyre",
    "D'Souza",
    "O'Sullivan",
    "Ó Briain",
    "van der Berg",
    "de la Cruz",
    "Müller",
    "Søndergaard",
    "Kowalska",
    "Wiśniewski",
    "Novák",
    "Ibrahim",
    "Hussain",
    "Choudhury",
    "Llewellyn",
    "Pritchard",
    "ap Rhys",
    "Griffiths",
    "Pugh",
    "Bevan",
    "Fairbairn",
    "Sutherland",
    "Carruthers",
    "Featherstone",
    "Hargreaves",
    "Entwistle",
    "Ramsbottom",
    "Thistlethwaite",
    "Cholmondeley",
    "Fernández",
    "Gonçalves",
    "Lefèvre",
    "Dubois",
    "Rossi",
    "Greenwood",
    "Blackwood",
    "Whitaker",
    "Holloway",
    "Pemberton",
    "Nightingale",
    "Kingfisher",
    "Larkspur",
    "Bramble",
    "Hawthorne",
    "Adeyemi",
    "Boateng",
    "Nkosi",
    "Dlamini",
    "Achebe",
    "Singh",
    "Kaur",
    "Sharma",
    "Iyer",
    "Banerjee",
    "Lock",
    "Weir",
    "Ford",
    "Poole",
    "Marsh",
    "Heath",
    "Moor",
    "Combe",
    "Dale",
    "Thwaite",
];

pub(crate) const MIDDLE_NAMES: &[&str] =
    &["Louise", "James", "Rose", "Alexander", "Mair", "José", "Amina", "Lee Ann"];

/// Schools and the towns they stand in.
pub(crate) const SCHOOLS: &[(&str, &str)] = &[
    ("Oakfield", "Lower Wexham"),
    ("Birchwood", "Marlbury"),
    ("Elmbridge", "Elmbridge"),
    ("Hazel Grove", "Tarnside"),
    ("Rowan Park", "Northwick"),
    ("Willow Brook", "Ashcombe"),
    ("Maple Lane", "Great Thornby"),
    ("Holly Bank", "Saltmere"),
    ("Cedar House", "Penrose"),
    ("Larch Hill", "Kirkdale"),
    ("Aspen View", "Wetherstock"),
    ("Juniper Rise", "Dunmouth"),
    ("Alder Court", "Fenby"),
    ("Sycamore Street", "Colbridge"),
    ("Linden Road", "Stanhope Cross"),
    ("Beechcroft", "Little Avening"),
    ("Hawthorn Mead", "Rushton"),
    ("Yew Tree", "Cromer Vale"),
    ("Poplar Green", "Easthaven"),
    ("Chestnut Walk", "Nether Stoke"),
];

/// Streets for school addresses.
pub(crate) const STREETS: &[&str] =
    &["School Lane", "Station Road", "The Green", "Mill Street", "Church Walk"];

/// Roles of people who teach, with the code of a school workforce census.
pub(crate) const TEACHING_ROLES: &[(&str, &str)] = &[
    ("Teacher", "TCHR"),
    ("Head of Department", "HDEP"),
    ("Head of Year", "HYRH"),
    ("Form Tutor", "TUTR"),
    ("SENCo", "SENC"),
    ("Advanced Skills Teacher", "ADVS"),
    ("Literacy Lead", "LEAD"),
];

/// Roles of people who do not.
pub(crate) const SUPPORT_ROLES: &[(&str, &str)] = &[
    ("Teaching Assistant", "TASS"),
    ("Office Manager", "OFFM"),
    ("Science Technician", "TECH"),
    ("Caretaker", "CARE"),
    ("Midday Supervisor", "MIDD"),
    ("Exams Officer", "EXAM"),
    ("Librarian", "LIBR"),
    ("Cover Supervisor, part-time", "COVR"),
];

/// Subjects of a secondary school with their codes.
pub(crate) const SECONDARY_SUBJECTS: &[(&str, &str)] = &[
    ("Mathematics", "Ma"),
    ("English", "En"),
    ("Science", "Sc"),
    ("History", "Hi"),
    ("Geography", "Gg"),
    ("French", "Fr"),
    ("Welsh", "We"),
    ("Art & Design", "Ar"),
    ("Music", "Mu"),
    ("Physical Education", "Pe"),
    ("Computing", "Co"),
    ("RE", "Re"),
];

/// Subjects of a primary school with their codes.
pub(crate) const PRIMARY_SUBJECTS: &[(&str, &str)] = &[
    ("Numeracy", "Nu"),
    ("Literacy", "Li"),
    ("Phonics", "Ph"),
    ("Topic", "To"),
    ("Music", "Mu"),
    ("PE", "Pe"),
];

/// Subjects with their codes that no school starts with.
pub(crate) const FURTHER_SUBJECTS: &[(&str, &str)] = &[
    ("Latin", "La"),
    ("Spanish", "Sp"),
    ("German", "Gm"),
    ("Mandarin", "Md"),
    ("Drama", "Dr"),
    ("Dance", "Da"),
    ("Ceramics", "Ce"),
    ("Citizenship", "Ci"),
    ("Economics", "Ec"),
    ("Law", "Lw"),
    ("Psychology", "Ps"),
    ("Sociology", "So"),
    ("Philosophy", "Pp"),
    ("Astronomy", "As"),
    ("Electronics", "El"),
    ("Film Studies", "Fi"),
];

/// A name as the local part of an email: ASCII, lower case, letters, digits and hyphens only.
pub(crate) fn email_part(name: &str) -> String {
    name.chars().filter_map(plain_letter).collect()
}

/// The nearest ASCII letter, `None` for what is left out.
fn plain_letter(letter: char) -> Option<char> {
    let lower = letter.to_lowercase().next().unwrap_or(letter);
    Some(match lower {
        'a'..='z' | '0'..='9' | '-' => lower,
        'á' | 'à' | 'â' | 'ä' | 'ã' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' => 'i',
        'ł' => 'l',
        'ñ' => 'n',
        'ó' | 'ø' | 'ö' => 'o',
        'ś' => 's',
        'ú' | 'ü' => 'u',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_makes_an_ascii_email_part() {
        let forenames = FORENAMES.iter().map(|(name, _)| *name);
        for name in forenames.chain(SURNAMES.iter().copied()) {
            let letters = name.chars().filter(|c| c.is_alphabetic() || *c == '-').count();
            let part = email_part(name);
            assert!(part.is_ascii(), "{name}");
            assert_eq!(part.len(), letters, "a letter of {name} has no plain form");
        }
    }
}
