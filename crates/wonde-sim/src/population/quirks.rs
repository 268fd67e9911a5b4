//! What may be odd about a person, and how many such people a school has.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::school::School;

/// People between two of the same quirk in large schools.
const BLOCK: usize = 80;
/// Smaller schools are all regular.
const SMALLEST_ODD_SCHOOL: usize = 20;

/// What is odd about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quirk {
    /// Nothing.
    None,
    /// `current` false and an end date in the past.
    Left,
    /// An end date in the past, and `current` says nothing.
    LeftByDateOnly,
    /// A start date in the future, and `current` says nothing.
    StartsLater,
    /// `current` null but started: counts as current.
    CurrentUnknown,
    /// `current` null and no start date: does not count.
    CurrentAndStartUnknown,
    /// No work email, only one at home.
    NoWorkEmail,
    /// A work email that is not one.
    BrokenEmail,
    /// One of the two who share a work email.
    SharedEmail,
    /// Capitals in the email.
    MixedCaseEmail,
    /// Spaces around names and email.
    Padded,
    /// No UPI.
    NoUpi,
    /// A role without a name and another one twice.
    UntidyRoles,
    /// `teaching_staff` null.
    TeachingUnknown,
    /// `current` true without a start date: counts as current.
    NoStart,
    /// Ends in the future: still current.
    EndsLater,
    /// Ends today: still current.
    EndsToday,
    /// Starts today: already current.
    StartsToday,
    /// No employment details at all.
    NoEmployment,
    /// No forename: one name is enough.
    NoForename,
    /// No forename, and a surname of spaces.
    Nameless,
    /// A work email of spaces.
    BlankEmail,
}

impl Quirk {
    /// All but the two that are distributed separately, the most telling first, because small
    /// schools get only these.
    const DEALT: [Self; 20] = [
        Self::Left,
        Self::StartsLater,
        Self::NoWorkEmail,
        Self::CurrentUnknown,
        Self::MixedCaseEmail,
        Self::CurrentAndStartUnknown,
        Self::NoUpi,
        Self::TeachingUnknown,
        Self::LeftByDateOnly,
        Self::Padded,
        Self::UntidyRoles,
        Self::BrokenEmail,
        Self::NoStart,
        Self::EndsLater,
        Self::NoEmployment,
        Self::NoForename,
        Self::BlankEmail,
        Self::Nameless,
        Self::EndsToday,
        Self::StartsToday,
    ];

    #[cfg(test)]
    pub(super) const ALL: [Self; 22] = {
        let mut all = [Self::None; 22];
        let mut at = 0;
        while at < Self::DEALT.len() {
            all[at] = Self::DEALT[at];
            at += 1;
        }
        all[20] = Self::SharedEmail;
        all
    };
}

/// One quirk for each of `staff` people in their order; the first person, the head, is always regular.
pub(super) fn deal(staff: usize, rng: &mut StdRng) -> Vec<Quirk> {
    let mut quirks = vec![Quirk::None; staff];
    if staff < SMALLEST_ODD_SCHOOL {
        return quirks;
    }
    // A small school stays regular in about half; a large one has each quirk once in a block.
    let odd = if staff < BLOCK { (staff * 11 / 20).min(22) } else { staff / BLOCK * 20 + 2 };
    let pair = [Quirk::SharedEmail, Quirk::SharedEmail];
    let dealt = pair
        .into_iter()
        .chain(Quirk::DEALT.into_iter().cycle().take(odd.min(staff - 1) - pair.len()));
    for (slot, quirk) in quirks[1..].iter_mut().zip(dealt) {
        *slot = quirk;
    }
    quirks[1..].shuffle(rng);
    // The shuffle leaves managers to chance, but a head of department who has left is a case worth
    // having.
    quirks
}

/// Gives the second of the pair the email of the first, in another case.
pub(super) fn share_one_email(school: &mut School) {
    let domain = &school.profile.domain;
    let shared = format!("office{}@{domain}", school.rng.random_range(1..100));
    let mut spelling = shared.to_uppercase();
    for employee in &mut school.employees {
        if employee.contact.work_email.as_deref() == Some(SHARED_EMAIL_PLACE) {
            employee.contact.work_email = Some(std::mem::replace(&mut spelling, shared.clone()));
        }
    }
}

/// Stands for the shared email until the pair is known.
pub(super) const SHARED_EMAIL_PLACE: &str = "shared";
