//! Invented schools. Everything follows from the seed, and every rule of the import applies to at
//! least one person.

mod people;
mod quirks;
mod teaching;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

pub(crate) use self::people::hire;
pub(crate) use self::quirks::Quirk;
pub(crate) use self::teaching::{class, classes, teachers};
use crate::ids::{Ids, WondeId};
use crate::mis::Mis;
use crate::names;
use crate::options::SimulatorOptions;
use crate::school::{Access, Links, Profile, School};

/// The school number `index` with all its people, classes, subjects and groups.
pub(crate) fn school(index: usize, options: &SimulatorOptions) -> School {
    let mis = options.mis.unwrap_or(Mis::ALL[index % Mis::ALL.len()]);
    let mut school = empty_school(index, mis, options);
    let quirks = quirks::deal(options.staff, &mut school.rng);
    for quirk in quirks {
        let employee = hire(&mut school, quirk, options.today, past(options.today, 1));
        school.employees.push(employee);
    }
    quirks::share_one_email(&mut school);
    teaching::timetable(&mut school, past(options.today, 30));
    school.relink();
    school
}

/// A school without anyone in it.
fn empty_school(index: usize, mis: Mis, options: &SimulatorOptions) -> School {
    let number = u64::try_from(index).expect("a small number") + 1;
    let mut rng = StdRng::seed_from_u64(options.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut ids = Ids::of_school(index, options.schools, options.seed);
    School {
        id: ids.take(),
        profile: profile(index, mis, options.today, &mut rng),
        mis,
        has_unknown_mis: false,
        token: token(&mut rng),
        access: Access::Approved,
        online: true,
        withdrawn: BTreeMap::new(),
        employees: Vec::with_capacity(options.staff),
        departed: Vec::new(),
        withheld: Vec::new(),
        classes: Vec::new(),
        departed_classes: Vec::new(),
        withheld_classes: Vec::new(),
        subjects: Vec::new(),
        groups: Vec::new(),
        deletions: Vec::new(),
        links: Links::default(),
        ids,
        next_mis_id: rng.random_range(100..5_000),
        email_parts: HashMap::new(),
        rng,
    }
}

fn profile(index: usize, mis: Mis, today: NaiveDate, rng: &mut StdRng) -> Profile {
    let (stem, town) = names::SCHOOLS[index % names::SCHOOLS.len()];
    let round = index / names::SCHOOLS.len() + 1;
    let (kind, phase) =
        if mis.is_primary() { ("Primary School", "PRIMARY") } else { ("High School", "SECONDARY") };
    let again = if round > 1 { format!(" {round}") } else { String::new() };
    let number = u32::try_from(index).expect("a small number");
    Profile {
        name: format!("{stem} {kind}{again}"),
        domain: format!("{}{}.example", names::email_part(stem), again.trim()),
        phase,
        urn: 900_000 + number,
        la_code: rng.random_range(800..990),
        establishment_number: 4_000 + number,
        street: names::STREETS.choose(rng).expect("there are streets"),
        town,
        postcode: format!("ZZ{} {}QX", number % 99 + 1, rng.random_range(1..10)),
        updated_at: past(today, rng.random_range(10..400)),
    }
}

/// A token in Wonde's form: 40 hexadecimal characters.
pub(crate) fn token(rng: &mut StdRng) -> String {
    (0..40).map(|_| char::from_digit(rng.random_range(0..16), 16).expect("below sixteen")).collect()
}

/// A UPI: 32 hexadecimal characters that follow from the school and the record number of its MIS.
pub(crate) fn upi(school: WondeId, mis: Mis, mis_id: u32) -> String {
    let school = school.to_string();
    let seed = school.bytes().chain(mis.wire_name().bytes()).chain(mis_id.to_le_bytes());
    let start = seed.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:016x}{:016x}", mix(start), mix(start.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// Spreads the bits of a number (the last step of splitmix64).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Midnight UTC some days before `today`.
fn past(today: NaiveDate, days: u32) -> DateTime<Utc> {
    (today - Days::new(u64::from(days))).and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn options(staff: usize, seed: u64) -> SimulatorOptions {
        SimulatorOptions { staff, seed, ..SimulatorOptions::default() }
    }

    #[test]
    fn the_same_seed_gives_the_same_school_and_another_does_not() {
        let look = |seed| format!("{:?}", school(0, &options(60, seed)).employees);
        assert_eq!(look(7), look(7));
        assert_ne!(look(7), look(8));
    }

    #[test]
    fn work_emails_are_unique_but_for_one_pair() {
        let school = school(1, &options(2_000, 3));
        let mut seen = HashSet::new();
        let emails =
            school.employees.iter().filter_map(|employee| employee.contact.work_email.as_deref());
        let again = emails
            .filter(|email| !email.trim().is_empty() && !seen.insert(email.trim().to_lowercase()))
            .count();
        assert_eq!(again, 1);
    }

    #[test]
    fn every_quirk_is_met_in_a_school_of_forty() {
        let dealt = quirks::deal(40, &mut StdRng::seed_from_u64(5));
        for quirk in Quirk::ALL {
            assert!(dealt.contains(&quirk), "{quirk:?}");
        }
    }

    #[test]
    fn a_school_of_one_has_a_regular_head() {
        assert_eq!(quirks::deal(1, &mut StdRng::seed_from_u64(5)), [Quirk::None]);
    }
}
