//! Who may be linked as a line manager.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    str::FromStr,
};

use crate::UnknownName;

/// Which way Wonde's lists point. Wonde does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HierarchyLists {
    /// They name the people above.
    Managers,
    /// They name the people below.
    Reports,
}

impl HierarchyLists {
    /// Finds out from everybody's list. One list alone does not show it, but a school has fewer
    /// managers than people who have one: so the side with fewer people is the managers'. Where
    /// both sides are equal the lists are taken for managers. `None`: no list names anybody.
    pub fn of_school(lists: &[(&str, &[String])]) -> Option<Self> {
        let listing: HashSet<&str> =
            lists.iter().filter(|(_, list)| !list.is_empty()).map(|(person, _)| *person).collect();
        let listed: HashSet<&str> =
            lists.iter().flat_map(|(_, list)| list.iter().map(String::as_str)).collect();
        match (listing.len(), listed.len()) {
            (0, _) => None,
            (listing, listed) if listing >= listed => Some(Self::Managers),
            _ => Some(Self::Reports),
        }
    }

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Managers => "managers",
            Self::Reports => "reports",
        }
    }
}

impl FromStr for HierarchyLists {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "managers" => Ok(Self::Managers),
            "reports" => Ok(Self::Reports),
            _ => Err(UnknownName::new("way of a hierarchy", text)),
        }
    }
}

/// Everybody's manager, from lists of people above or below them, nearest first.
pub fn from_lists<'a>(
    lists: &[(&'a str, &'a [String])],
    name: HierarchyLists,
) -> HashMap<&'a str, &'a str> {
    match name {
        HierarchyLists::Managers => {
            let nearest =
                |(person, list): &(&'a str, &'a [String])| Some((*person, list.first()?.as_str()));
            lists.iter().filter_map(nearest).collect()
        }
        HierarchyLists::Reports => {
            let mut managers = HashMap::new();
            for (manager, list) in lists {
                for person in *list {
                    managers.entry(person.as_str()).or_insert(*manager);
                }
            }
            managers
        }
    }
}

/// The people who would be above themselves: on a circle, or their own manager. Somebody who
/// reports *into* a circle is not on it.
///
/// Each pair is a person and their manager; a person has one. Takes time in proportion to
/// the number of pairs.
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
        // The walk ended where it, or an earlier walk, had been before. If that is on this
        // path, all from there on is a circle.
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
        assert_eq!(of(&upward), ["a>head", "b>head", "c>a"]);
        assert_eq!(of(&downward), ["a>head", "b>head", "c>a"]);
        assert_eq!(of(&[]), [] as [&str; 0]);
        assert_eq!(of(&[("a", list(&["b"]))]), ["a>b"], "in doubt the list is of managers");
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
