//! Who may be linked as a line manager.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

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
