//! The eleven systems a school may keep its staff in, and what each of them hands to Wonde.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The management information system of a school.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mis {
    /// Capita SIMS.
    Sims,
    /// Arbor.
    Arbor,
    /// RM Integris.
    RmIntegris,
    /// Facility CMIS, also sold as Advanced Learning.
    Cmis,
    /// Pupil Asset.
    PupilAsset,
    /// iSAMS.
    Isams,
    /// ScholarPack.
    ScholarPack,
    /// Bromcom.
    Bromcom,
    /// WCBS.
    Wcbs,
    /// engage.
    Engage,
    /// Progresso.
    Progresso,
}

/// A list, or a part of a person or class, that a school may or may not hand over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Roles, and so the job title.
    Roles,
    /// The staff photo.
    Photo,
    /// Who reports to whom (Wonde's `hierarchy`).
    LineManager,
    /// Which staff teach which class or subject.
    StaffLinks,
    /// Phones, emails and addresses. Every MIS has them; a school can withdraw them.
    ContactDetails,
    /// Dates and kind of employment. Every MIS has them; a school can withdraw them.
    EmploymentDetails,
    /// The whole list of classes. Every MIS has it; a school can withdraw it.
    Classes,
    /// The whole list of subjects. Every MIS has it; a school can withdraw it.
    Subjects,
}

impl Feature {
    /// All features.
    pub const ALL: [Self; 8] = [
        Self::Roles,
        Self::Photo,
        Self::LineManager,
        Self::StaffLinks,
        Self::ContactDetails,
        Self::EmploymentDetails,
        Self::Classes,
        Self::Subjects,
    ];

    /// What it takes to tell which classes somebody teaches.
    pub(crate) const CLASS_LINKS: [Self; 2] = [Self::StaffLinks, Self::Classes];
}

impl Mis {
    /// All of them, in the order in which the simulator hands them to its schools.
    pub const ALL: [Self; 11] = [
        Self::Sims,
        Self::Arbor,
        Self::RmIntegris,
        Self::Cmis,
        Self::PupilAsset,
        Self::Isams,
        Self::ScholarPack,
        Self::Bromcom,
        Self::Wcbs,
        Self::Engage,
        Self::Progresso,
    ];

    /// The spelling in a school's `mis` field. Only "SIMS" is known for certain; the others are likely.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Sims => "SIMS",
            Self::Arbor => "Arbor",
            Self::RmIntegris => "RM Integris",
            Self::Cmis => "CMIS",
            Self::PupilAsset => "Pupil Asset",
            Self::Isams => "iSAMS",
            Self::ScholarPack => "ScholarPack",
            Self::Bromcom => "Bromcom",
            Self::Wcbs => "WCBS",
            Self::Engage => "engage",
            Self::Progresso => "Progresso",
        }
    }

    /// Whether this MIS hands over `feature` at all.
    pub fn supports(self, feature: Feature) -> bool {
        let without: &[Self] = match feature {
            Feature::Roles => {
                &[Self::RmIntegris, Self::Wcbs, Self::Isams, Self::ScholarPack, Self::Engage]
            }
            Feature::Photo => &[Self::RmIntegris, Self::ScholarPack],
            Feature::LineManager => {
                &[Self::Bromcom, Self::Isams, Self::RmIntegris, Self::Wcbs, Self::Engage]
            }
            Feature::StaffLinks => {
                &[Self::Bromcom, Self::RmIntegris, Self::Isams, Self::ScholarPack]
            }
            Feature::ContactDetails
            | Feature::EmploymentDetails
            | Feature::Classes
            | Feature::Subjects => &[],
        };
        !without.contains(&self)
    }

    /// Whether it is mostly found in primary schools, which decides names and subjects.
    pub(crate) fn is_primary(self) -> bool {
        matches!(self, Self::RmIntegris | Self::PupilAsset | Self::ScholarPack)
    }

    /// Whether its schools publish no classes, only registration groups.
    pub(crate) fn has_groups_only(self) -> bool {
        self == Self::ScholarPack
    }
}

impl fmt::Display for Mis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire_name())
    }
}

impl FromStr for Mis {
    type Err = Error;

    /// Reads any spelling: case, spaces and punctuation do not matter.
    fn from_str(given: &str) -> Result<Self, Error> {
        let key: String =
            given.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let mis = match key.as_str() {
            "sims" | "capitasims" => Self::Sims,
            "arbor" => Self::Arbor,
            "rmintegris" | "integris" => Self::RmIntegris,
            "cmis" | "facilitycmis" | "advancedlearning" | "facilitycmisadvancedlearning" => {
                Self::Cmis
            }
            "pupilasset" => Self::PupilAsset,
            "isams" => Self::Isams,
            "scholarpack" => Self::ScholarPack,
            "bromcom" => Self::Bromcom,
            "wcbs" => Self::Wcbs,
            "engage" => Self::Engage,
            "progresso" => Self::Progresso,
            _ => return Err(Error::UnknownMis(given.to_owned())),
        };
        Ok(mis)
    }
}

impl Serialize for Mis {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.wire_name())
    }
}

impl<'de> Deserialize<'de> for Mis {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_any_spelling() {
        for mis in Mis::ALL {
            let shouted = mis.wire_name().to_uppercase().replace(' ', "-");
            assert_eq!(shouted.parse::<Mis>().unwrap(), mis);
        }
        assert_eq!("PupilAsset".parse::<Mis>().unwrap(), Mis::PupilAsset);
        let refused = "Excel".parse::<Mis>().unwrap_err().to_string();
        assert!(refused.contains("Progresso"), "{refused}");
    }

    #[test]
    fn the_gaps_are_those_of_the_agreement() {
        let row =
            |feature| -> Vec<bool> { Mis::ALL.iter().map(|mis| mis.supports(feature)).collect() };
        let (y, n) = (true, false);
        //                                          SIMS Arb RMI CMIS PA iSA SP Bro WCBS eng Prog
        assert_eq!(row(Feature::Roles), [y, y, n, y, y, n, n, y, n, n, y]);
        assert_eq!(row(Feature::Photo), [y, y, n, y, y, y, n, y, y, y, y]);
        assert_eq!(row(Feature::LineManager), [y, y, n, y, y, n, y, n, n, n, y]);
        assert_eq!(row(Feature::StaffLinks), [y, y, n, y, y, n, n, n, y, y, y]);
    }
}
