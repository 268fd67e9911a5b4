//! The lists within a school and their single items.

use serde::Serialize;

use super::path::Kind;
use super::{Call, filters};
use crate::ids::WondeId;
use crate::includes::{
    CLASS, EMPLOYEE, EMPLOYEE_ALONE, EMPLOYEE_FEATURES, GROUP, Includes, SUBJECT, permission,
};
use crate::mis::Feature;
use crate::odd;
use crate::options::Unsupported;
use crate::paging::{Page, PageRequest, Pagination};
use crate::refusal::Refusal;
use crate::render::details::PhotoJson;
use crate::render::employee::EmployeeJson;
use crate::render::teaching::{ClassJson, DeletionJson, GroupJson, SubjectJson};
use crate::render::{Each, Meta, Single, json};
use crate::school::{School, find};

/// A page of a list.
pub(super) fn list(call: &Call<'_>, school_id: &str, kind: Kind) -> Result<Vec<u8>, Refusal> {
    let world = call.simulator.world();
    let school = call.caller.open(&world, school_id)?;
    let request = PageRequest::from_query(&call.query, call.simulator.options())?;
    let advertised = advertised(kind, false);
    let includes = read_includes(call, school, kind, &advertised)?;
    let look = call.look();
    let includes_ref = &includes;
    let write = Writer { call, request: &request, advertised: &advertised };
    let query = &call.query;
    let is_odd = call.simulator.is_odd(&world, school)
        && request.is_first()
        && query.get("updated_after").is_none();
    let mut body = match kind {
        Kind::Employees => {
            let page = filters::employees(school, &request, query)?;
            write.page(&page, |employee| EmployeeJson {
                school,
                employee,
                includes: includes_ref,
                look,
                pivot: None,
            })
        }
        Kind::Classes => {
            let page = filters::classes(school, &request, query)?;
            write.page(&page, |class| ClassJson {
                school,
                class,
                includes: includes_ref,
                look,
                pivot: None,
            })
        }
        Kind::Subjects => {
            let page = filters::subjects(school, &request, query)?;
            write.page(&page, |subject| SubjectJson {
                school,
                subject,
                includes: Some(includes_ref),
                look,
            })
        }
        Kind::Groups => {
            let page = filters::groups(school, &request, query)?;
            write.page(&page, |group| GroupJson { school, group, includes: includes_ref, look })
        }
        Kind::Photos => {
            let page = filters::photos(school, &request, query)?;
            write.page(&page, |employee| PhotoJson(employee.photo))
        }
        Kind::Deletions => {
            let page = filters::deletions(school, &request, query)?;
            write.page(&page, DeletionJson)
        }
    };
    if is_odd {
        let records = match kind {
            Kind::Employees => odd::people(school),
            Kind::Classes if school.delivers(Feature::Classes) => odd::classes(school),
            _ => Vec::new(),
        };
        put_first(&mut body, &records);
    }
    Ok(body)
}

/// Puts records at the beginning of a list that is written already.
fn put_first(body: &mut Vec<u8>, records: &[Vec<u8>]) {
    const BEGIN: &[u8] = br#"{"data":["#;
    let is_empty = body.get(BEGIN.len()) == Some(&b']');
    let mut records = records.join(b",".as_slice());
    if !is_empty && !records.is_empty() {
        records.push(b',');
    }
    body.splice(BEGIN.len()..BEGIN.len(), records);
}

/// A single item.
pub(super) fn get(
    call: &Call<'_>,
    school_id: &str,
    kind: Kind,
    item: &str,
) -> Result<Vec<u8>, Refusal> {
    let world = call.simulator.world();
    let school = call.caller.open(&world, school_id)?;
    let advertised = advertised(kind, true);
    let includes = &read_includes(call, school, kind, &advertised)?;
    let look = call.look();
    if call.simulator.is_odd(&world, school)
        && matches!(kind, Kind::Employees | Kind::Classes)
        && let Some(record) = odd::alone(school, matches!(kind, Kind::Classes), item)
    {
        return Ok([br#"{"data":"#.as_slice(), &record, b"}"].concat());
    }
    let id: WondeId = item.parse().map_err(|_| Refusal::not_found())?;
    let missing = Refusal::not_found;
    let meta = || Meta { pagination: None, includes: advertised.concat() };
    Ok(match kind {
        Kind::Employees => {
            let employee = school.employee(id).ok_or_else(missing)?;
            json(&Single {
                data: EmployeeJson { school, employee, includes, look, pivot: None },
                meta: meta(),
            })
        }
        Kind::Classes => {
            let class = find(school.classes_shown(), id, |class| class.id).ok_or_else(missing)?;
            json(&Single {
                data: ClassJson { school, class, includes, look, pivot: None },
                meta: meta(),
            })
        }
        Kind::Subjects => {
            let subject = find(school.subjects_shown(), id, |subject| subject.id);
            let subject = subject.ok_or_else(missing)?;
            json(&Single {
                data: SubjectJson { school, subject, includes: Some(includes), look },
                meta: meta(),
            })
        }
        Kind::Groups => {
            let group = find(&school.groups, id, |group| group.id).ok_or_else(missing)?;
            json(&Single { data: GroupJson { school, group, includes, look }, meta: meta() })
        }
        Kind::Photos => {
            let shown = school.delivers(Feature::Photo);
            let photo = school
                .employees
                .iter()
                .filter_map(|employee| employee.photo)
                .find(|photo| photo.id == id && shown);
            json(&Single { data: PhotoJson(Some(photo.ok_or_else(missing)?)), meta: meta() })
        }
        Kind::Deletions => return Err(missing()),
    })
}

/// What is needed to write a page of any kind.
struct Writer<'a> {
    call: &'a Call<'a>,
    request: &'a PageRequest,
    advertised: &'a [&'static [&'static str]],
}

impl Writer<'_> {
    fn page<'p, T, J: Serialize>(
        &self,
        page: &'p Page<'p, T>,
        item: impl Fn(&'p T) -> J + Clone,
    ) -> Vec<u8> {
        let style = self.call.simulator.options().pagination;
        let pagination =
            Pagination::of(page, self.request, &self.call.query, &self.call.url, style);
        let data = Each(page.items.iter().copied().map(item));
        json(&Single { data, meta: Meta { pagination, includes: self.advertised.concat() } })
    }
}

/// What the API says can be included.
fn advertised(kind: Kind, alone: bool) -> Vec<&'static [&'static str]> {
    match kind {
        Kind::Employees if alone => vec![EMPLOYEE, EMPLOYEE_ALONE],
        Kind::Employees => vec![EMPLOYEE],
        Kind::Classes => vec![CLASS],
        Kind::Subjects => vec![SUBJECT],
        Kind::Groups => vec![GROUP],
        Kind::Photos | Kind::Deletions => Vec::new(),
    }
}

/// Reads the includes, and refuses those whose feature is not shared, if the look says 403.
fn read_includes(
    call: &Call<'_>,
    school: &School,
    kind: Kind,
    advertised: &[&[&str]],
) -> Result<Includes, Refusal> {
    let options = call.simulator.options();
    let includes = Includes::from_query(&call.query, advertised, options.unknown_include)?;
    let is_refused = |feature: &Feature| {
        let look = school.look_without(*feature, options.unsupported);
        !school.delivers(*feature) && look == Unsupported::Forbidden
    };
    match needed_features(kind, &includes).into_iter().find(is_refused) {
        Some(feature) => Err(Refusal::forbidden(permission(feature))),
        None => Ok(includes),
    }
}

/// The features that a request of `kind` with these includes shows.
fn needed_features(kind: Kind, includes: &Includes) -> Vec<Feature> {
    match kind {
        Kind::Employees => of_people(includes),
        Kind::Classes => [vec![Feature::Classes], of_classes(includes)].concat(),
        Kind::Subjects if includes.has("classes") => vec![Feature::Subjects, Feature::Classes],
        Kind::Subjects => vec![Feature::Subjects],
        Kind::Photos => vec![Feature::Photo],
        Kind::Groups | Kind::Deletions => Vec::new(),
    }
}

fn of_people(includes: &Includes) -> Vec<Feature> {
    let asked = EMPLOYEE_FEATURES.iter().filter(|(name, _)| includes.has(name));
    let mut features: Vec<Feature> = asked.map(|&(_, feature)| feature).collect();
    if let Some(below) = includes.get("classes") {
        features.extend(Feature::CLASS_LINKS);
        features.extend(of_classes(below));
    }
    features
}

fn of_classes(includes: &Includes) -> Vec<Feature> {
    let mut features = Vec::new();
    if includes.has("subject") {
        features.push(Feature::Subjects);
    }
    if let Some(below) = includes.get("employees") {
        features.push(Feature::StaffLinks);
        features.extend(of_people(below));
    }
    features
}
