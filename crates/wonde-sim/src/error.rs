//! What can go wrong when the simulator is given a command.

use crate::mis::Mis;
use crate::scenarios::ScenarioName;

/// Why a command was refused. It contains no personal data and no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("unknown MIS {0:?}; known are {known}", known = names(Mis::ALL.map(Mis::wire_name).as_slice()))]
    UnknownMis(String),
    #[error("unknown scenario {0:?}; known are {known}", known = names(&ScenarioName::all_names()))]
    UnknownScenario(String),
    #[error("no school {0:?}; GET /_sim/schools lists them")]
    UnknownSchool(String),
    #[error("no employee {0:?} in this school")]
    UnknownEmployee(String),
    #[error("no class {0:?} in this school")]
    UnknownClass(String),
    #[error("no subject {0:?} in this school")]
    UnknownSubject(String),
    /// The scenario found no one it could happen to.
    #[error("{0}: no one in this school fits")]
    NobodyFits(&'static str),
    /// The scenario found no class or subject it could happen to.
    #[error("{0}: no class or subject in this school fits")]
    NothingFits(&'static str),
    /// The scenario needs a setting that was not given.
    #[error("{scenario} needs {needs}")]
    MissingSetting {
        scenario: &'static str,
        /// What it needs, with an example.
        needs: &'static str,
    },
    /// The fault would have no effect, or an impossible one.
    #[error("not a fault: {0}")]
    BadFault(&'static str),
}

fn names(all: &[&str]) -> String {
    all.join(", ")
}
