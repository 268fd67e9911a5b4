//! A plan in the terms of the model.

use mis_sync_domain::{
    IssueCode,
    plan::{Held, Plan},
};

use super::Expected;

/// What a plan says about people, without line managers and photos.
pub(crate) fn by(held: &Held, plan: &Plan) -> Expected {
    let mut said = Expected {
        known: held.people.iter().map(|account| account.person.clone()).collect(),
        new: plan.created.clone(),
        ..Expected::default()
    };
    let place = |id| held.people.iter().position(|account| account.id == id).unwrap();
    for changed in &plan.changed {
        said.known[place(changed.id)] = changed.after.clone();
    }
    for candidate in &plan.candidates {
        said.candidates.insert((candidate.wonde_id.clone(), place(candidate.staff_id)));
    }
    let is_of_the_model = |code: &IssueCode| {
        use IssueCode::{InactiveInIp, PossibleMatch, SharedWorkEmail, WorkEmailInUse};
        matches!(code, SharedWorkEmail | WorkEmailInUse | PossibleMatch | InactiveInIp)
    };
    let issues = plan.issues.iter().filter(|issue| is_of_the_model(&issue.code));
    said.issues = issues.filter_map(|issue| Some((issue.wonde_id.clone()?, issue.code))).collect();
    said
}

impl Expected {
    /// Without what a separate model checks.
    pub(crate) fn without_managers_and_photos(mut self) -> Self {
        for person in self.known.iter_mut().chain(&mut self.new) {
            (person.line_manager, person.photo_hash) = (None, None);
            if let Some(mis) = &mut person.mis {
                (mis.line_manager, mis.photo_hash) = (None, None);
            }
        }
        self
    }
}
