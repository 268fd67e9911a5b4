//! Who may be linked as a line manager.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use crate::job::named;

named!(
    /// Which way Wonde's lists point. Wonde does not say.
    #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
    HierarchyLists, "way of a hierarchy", {
        /// The lists name a person's managers.
        Managers = "managers",
        /// The lists name the people who report to a person.
        Reports = "reports",
    }
);

/// This many signs for one direction outweigh one for the other, because a person can have two
/// managers.
const CLEAR: usize = 10;

impl HierarchyLists {
    /// Finds the direction from all lists of a school. A person has one manager, and a manager has
    /// several reports. So if several lists name the same person next to their owner, they are
    /// lists of managers; if one list names several people next to its owner, they are lists of
    /// reports. Returns `None` if nothing shows it, as when each manager has one report, or if the
    /// signs contradict each other.
    pub fn of_school(lists: &[(&str, &[String])]) -> Option<Self> {
        let lists = named_by_each(lists);
        let (mut of_managers, mut of_reports) = (0, 0);
        let mut named: HashSet<&str> = HashSet::new();
        for list in lists.values() {
            // If a person has no list, it is not known who they are next to.
            let mut next_to_it = 0;
            for name in nearest(list, &lists) {
                of_managers += usize::from(!named.insert(name));
                next_to_it += usize::from(lists.contains_key(name));
            }
            of_reports += next_to_it.max(1) - 1;
        }
        match (of_managers, of_reports) {
            (0, 0) => None,
            (managers, reports) if managers >= CLEAR * reports => Some(Self::Managers),
            (managers, reports) if reports >= CLEAR * managers => Some(Self::Reports),
            _ => None,
        }
    }
}

/// The people that each list names, without its owner.
fn named_by_each<'a>(lists: &[(&'a str, &'a [String])]) -> HashMap<&'a str, HashSet<&'a str>> {
    let mut named: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (person, list) in lists {
        let others = list.iter().map(String::as_str).filter(|name| name != person);
        named.entry(person).or_default().extend(others);
    }
    named
}

/// The people of a list who are next to its owner: no one else in the list names them.
fn nearest<'a>(
    list: &HashSet<&'a str>,
    lists: &HashMap<&str, HashSet<&'a str>>,
) -> HashSet<&'a str> {
    let further: HashSet<&str> =
        list.iter().filter_map(|name| lists.get(name)).flatten().copied().collect();
    list.difference(&further).copied().collect()
}

/// Everyone's manager, from lists of managers or of reports. A list may reach further than the next
/// person, in any order. If a person has two managers, their own list says which comes first. A
/// person who is named only by their own list is their own manager.
pub fn from_lists<'a>(
    lists: &[(&'a str, &'a [String])],
    name: HierarchyLists,
) -> HashMap<&'a str, &'a str> {
    let named = named_by_each(lists);
    let mut managers = HashMap::new();
    for (person, list) in lists {
        let next = nearest(&named[person], &named);
        match name {
            HierarchyLists::Managers => {
                let manager = list.iter().find(|name| next.contains(name.as_str()));
                let manager = manager.or(list.first()).map(String::as_str);
                managers.extend(manager.map(|manager| (*person, manager)));
            }
            HierarchyLists::Reports => {
                for report in next {
                    let manager = managers.entry(report).or_insert(*person);
                    *manager = (*manager).min(person);
                }
            }
        }
    }
    for (person, _) in lists.iter().filter(|(person, list)| list.iter().any(|name| name == person))
    {
        managers.entry(person).or_insert(person);
    }
    managers
}

/// The people who would report to themselves, directly or in a circle. A person who only reports
/// *into* a circle is not on it.
///
/// Each pair is a person and their manager, and a person has one manager. The time grows with the
/// number of pairs.
pub fn on_a_circle<Id: Copy + Eq + Hash>(pairs: &[(Id, Id)]) -> HashSet<Id> {
    let reports_to: HashMap<Id, Id> = pairs.iter().copied().collect();
    let mut visited = HashSet::new();
    let mut circles = HashSet::new();
    for start in reports_to.keys() {
        let mut path = Vec::new();
        let mut at = *start;
        while visited.insert(at) {
            path.push(at);
            match reports_to.get(&at) {
                Some(manager) => at = *manager,
                None => break,
            }
        }
        // The walk has reached a person whom it or an earlier walk has passed. If that person is on
        // this path, everyone from there on is in a circle.
        if let Some(first) = path.iter().position(|passed| *passed == at)
            && reports_to.contains_key(&at)
        {
            circles.extend(&path[first..]);
        }
    }
    circles
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn circle(pairs: &[(u8, u8)]) -> Vec<u8> {
        let mut found: Vec<u8> = on_a_circle(pairs).into_iter().collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn only_those_above_themselves_are_found() {
        assert!(circle(&[]).is_empty());
        assert!(circle(&[(1, 2), (2, 3), (4, 3)]).is_empty());
        assert_eq!(circle(&[(1, 1)]), [1]);
        assert_eq!(circle(&[(1, 2), (2, 1)]), [1, 2]);
        assert_eq!(circle(&[(5, 1), (6, 5), (1, 2), (2, 3), (3, 1), (7, 8)]), [1, 2, 3]);
    }

    #[test]
    fn both_ways_of_listing_come_to_the_same() {
        let list = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let of = |lists: &[(&'static str, Vec<String>)]| {
            let lists: Vec<(&str, &[String])> =
                lists.iter().map(|(person, list)| (*person, list.as_slice())).collect();
            let Some(name) = HierarchyLists::of_school(&lists) else { return Vec::new() };
            assert_eq!(name.as_str().parse::<HierarchyLists>().unwrap(), name);
            let mut found: Vec<String> = from_lists(&lists, name)
                .iter()
                .map(|(person, boss)| format!("{person}>{boss}"))
                .collect();
            found.sort();
            found
        };
        let upward = [
            ("head", list(&[])),
            ("a", list(&["head"])),
            ("b", list(&["head"])),
            ("c", list(&["a", "head"])),
        ];
        let downward =
            [("head", list(&["a", "b"])), ("a", list(&["c"])), ("b", list(&[])), ("c", list(&[]))];
        let top_first =
            [("a", list(&["head"])), ("b", list(&["head"])), ("c", list(&["head", "a"]))];
        let down_to_the_last = [
            ("head", list(&["c", "a", "b"])),
            ("a", list(&["c"])),
            ("b", list(&[])),
            ("c", list(&["c"])),
        ];
        for lists in [&upward[..], &downward, &top_first, &down_to_the_last] {
            assert_eq!(of(lists), ["a>head", "b>head", "c>a"]);
        }
        assert_eq!(of(&[]), [] as [&str; 0]);
    }

    /// The direction of these lists: `a>b,c` is a list of `a` that names `b` and `c`.
    fn way(lists: &str) -> Option<HierarchyLists> {
        let lists: Vec<(&str, Vec<String>)> = lists
            .split_whitespace()
            .map(|list| {
                let (person, names) = list.split_once('>').unwrap();
                (person, names.split_terminator(',').map(str::to_owned).collect())
            })
            .collect();
        let lists: Vec<(&str, &[String])> =
            lists.iter().map(|(person, list)| (*person, list.as_slice())).collect();
        HierarchyLists::of_school(&lists)
    }

    #[test]
    fn a_clear_sign_shows_which_way_the_lists_point() {
        let managers = [
            "a>head b>head",
            "head> a>head b>head",
            "head> a>head b>a,head c>a,head",
            // The next manager has no list, so nothing shows that the other one is not above them.
            "head> a>gone,head b>gone,head",
            "a>head,head b>head a>head",
        ];
        for lists in managers {
            assert_eq!(way(lists), Some(HierarchyLists::Managers), "{lists}");
        }
        let reports = [
            "head>a,b a> b>",
            "head>a,b,c a>b,c b> c>",
            "head>a a>b,c b> c>",
            "head>head,a,b a> b>",
        ];
        for lists in reports {
            assert_eq!(way(lists), Some(HierarchyLists::Reports), "{lists}");
        }
    }

    #[test]
    fn a_school_that_shows_nothing_or_both_ways_is_not_guessed_at() {
        let unknown = [
            "",
            "a> b>",
            "a>b",
            "a>b b>",
            "a>b c>d b> d>",
            "a>b b>c c>",
            "a>b,c b>c c>",
            "a>a",
            "a>b b>a",
            "a>b,c b>c c>b",
            // One person who is named twice, and one list of two.
            "a>x b>x x> y>c,d c> d>",
        ];
        for lists in unknown {
            assert_eq!(way(lists), None, "{lists}");
        }
    }

    #[test]
    fn two_managers_of_one_person_hide_no_school() {
        let reporting = |people: usize| -> String {
            let lists: Vec<String> = (0..people).map(|number| format!("p{number}>head")).collect();
            lists.join(" ")
        };
        let with_two = "head> deputy> x>head,deputy ";
        assert_eq!(way(&(with_two.to_owned() + &reporting(10))), Some(HierarchyLists::Managers));
        assert_eq!(way(&(with_two.to_owned() + &reporting(9))), None);
    }

    proptest! {
        #[test]
        fn it_agrees_with_walking_up_from_everybody(pairs in prop::collection::hash_map(0u8..12, 0u8..12, 0..12)) {
            let above_itself = |person: u8| {
                let mut at = person;
                (0..pairs.len()).any(|_| {
                    at = pairs.get(&at).copied().unwrap_or(u8::MAX);
                    at == person
                })
            };
            let wanted: HashSet<u8> = pairs.keys().copied().filter(|p| above_itself(*p)).collect();
            let listed: Vec<(u8, u8)> = pairs.iter().map(|(a, b)| (*a, *b)).collect();
            prop_assert_eq!(on_a_circle(&listed), wanted);
        }
    }
}
