//! What can go wrong when the simulator is told what to do.

use crate::mis::Mis;
use crate::scenarios::ScenarioName;

/// Why an order to the simulator was refused. No personal data, no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A MIS that does not exist.
    #[error("unknown MIS {0:?}; known are {known}", known = names(Mis::ALL.map(Mis::wire_name).as_slice()))]
    UnknownMis(String),
    /// A scenario that does not exist.
    #[error("unknown scenario {0:?}; known are {known}", known = names(&ScenarioName::all_names()))]
    UnknownScenario(String),
    /// A school id that the simulator does not have.
    #[error("no school {0:?}; GET /_sim/schools lists them")]
    UnknownSchool(String),
    /// A person who is not in the school.
    #[error("no employee {0:?} in this school")]
    UnknownEmployee(String),
    /// A class that is not in the school.
    #[error("no class {0:?} in this school")]
    UnknownClass(String),
    /// A subject that is not in the school.
    #[error("no subject {0:?} in this school")]
    UnknownSubject(String),
    /// The scenario found nobody it could happen to.
    #[error("{0}: nobody in this school fits")]
    NobodyFits(&'static str),
    /// The scenario found no class or subject it could happen to.
    #[error("{0}: no class or subject in this school fits")]
    NothingFits(&'static str),
    /// The scenario needs a setting that was not given.
    #[error("{scenario} needs {needs}")]
    MissingSetting {
        /// The scenario's name.
        scenario: &'static str,
        /// What it needs, with an example.
        needs: &'static str,
    },
    /// A fault that would do nothing, or nothing sensible.
    #[error("not a fault: {0}")]
    BadFault(&'static str),
}

fn names(all: &[&str]) -> String {
    all.join(", ")
}
