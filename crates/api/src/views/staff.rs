use mis_sync_domain::{Mis, Owner, School, SchoolId, StaffId, SyncedField};
use mis_sync_store::staff::{Person, Provenance};
use serde::Serialize;
use utoipa::ToSchema;

use super::{FieldValueView, timestamp};
use crate::state::Mask;

/// Why the MIS owns no field of a person whom no sync knows.
const NOT_LINKED: &str = "The person is not linked with the MIS.";

/// A person, and where each field that a sync fills comes from.
#[derive(Serialize, ToSchema)]
#[schema(as = Staff)]
pub(crate) struct StaffView {
    #[schema(format = "uuid")]
    id: String,
    /// The id of the school in iP.
    school_id: String,
    /// Wonde's id of the person; null if the person was created by hand and is not linked yet.
    #[schema(required)]
    wonde_id: Option<String>,
    /// Whether the person can log in.
    active: bool,
    /// Whether the person must press *Forgot Password* before the first login.
    password_reset_required: bool,
    #[schema(format = DateTime)]
    created_at: String,
    /// When a sync or the app last changed the person.
    #[schema(format = DateTime)]
    updated_at: String,
    /// Every field that a sync fills, always in the same order.
    fields: Vec<ProvenanceView>,
    links: StaffLinks,
}

/// The value of one field in iP and in the MIS, which of them counts, and since when.
#[derive(Serialize, ToSchema)]
#[schema(as = Provenance)]
pub(super) struct ProvenanceView {
    /// The name of the field, as in changes.
    field: SyncedField,
    /// The name of the field in the MIS.
    #[schema(examples("Roles"))]
    mis_field: &'static str,
    /// The value in iP; null if it is empty. Personal data here and in `mis_value` is `•••••` for
    /// a key that may not read it.
    #[schema(required)]
    ip_value: Option<FieldValueView>,
    /// The last value from the MIS; null if it was empty or if there was none, see `mis_said`. For
    /// `line_manager_id` it is the manager's Wonde id. For `non_teaching` it is already the reverse
    /// of *Teaching staff*.
    #[schema(required)]
    mis_value: Option<FieldValueView>,
    /// Whether the MIS has ever sent the field.
    mis_said: bool,
    owner: Owner,
    /// The rule that decides this, as a sentence.
    rule: String,
    /// When a sync last set the field, if its job is still kept; otherwise when the person was
    /// created.
    #[schema(format = DateTime)]
    last_set_at: String,
    /// The sync that set it; null if none did, or if its job is no longer kept.
    #[schema(required, format = "uuid")]
    last_set_by_job: Option<String>,
    #[serde(skip)]
    is_personal: bool,
}

/// The file of a picture.
#[derive(ToSchema)]
#[schema(as = Photo, value_type = String, format = Binary)]
#[expect(dead_code, reason = "only described: the file is sent as it is, see `staff`")]
pub(crate) struct PhotoView(Vec<u8>);

/// Links from a person.
#[derive(Serialize, ToSchema)]
pub(super) struct StaffLinks {
    #[serde(rename = "self")]
    this: String,
    school: String,
    /// The picture; null if there is none.
    #[schema(required)]
    photo: Option<String>,
}

impl StaffLinks {
    pub(super) fn new(school_id: &SchoolId, id: StaffId, has_photo: bool) -> Self {
        let school = format!("/v1/schools/{school_id}");
        let this = format!("{school}/staff/{id}");
        Self { photo: has_photo.then(|| format!("{this}/photo")), school, this }
    }
}

impl StaffView {
    /// A person of this school, whose MIS is `mis`.
    pub(crate) fn new(person: Person, school: &School, mis: Option<&Mis>) -> Self {
        let is_linked = person.wonde_id.is_some();
        let has_photo = person
            .fields
            .iter()
            .any(|known| known.field == SyncedField::Photo && known.ip_value.is_some());
        let view = |field| ProvenanceView::new(field, school, mis, is_linked);
        Self {
            id: person.id.to_string(),
            school_id: school.id.to_string(),
            active: person.active,
            password_reset_required: person.password_reset_required,
            created_at: timestamp(person.created_at),
            updated_at: timestamp(person.updated_at),
            fields: person.fields.into_iter().map(view).collect(),
            wonde_id: person.wonde_id,
            links: StaffLinks::new(&school.id, person.id, has_photo),
        }
    }
}

impl ProvenanceView {
    pub(super) fn new(
        provenance: Provenance,
        school: &School,
        mis: Option<&Mis>,
        is_linked: bool,
    ) -> Self {
        let field = provenance.field;
        let (owner, rule) = if is_linked {
            let ownership = field.ownership(mis, &school.settings);
            (ownership.owner, ownership.rule.sentence())
        } else {
            (Owner::Ip, NOT_LINKED.to_owned())
        };
        Self {
            is_personal: field.is_personal(),
            field,
            mis_field: field.mis_name(),
            ip_value: provenance.ip_value.map(FieldValueView::from),
            mis_value: provenance.mis_value.map(FieldValueView::from),
            mis_said: provenance.mis_said,
            owner,
            rule,
            last_set_at: timestamp(provenance.last_set_at),
            last_set_by_job: provenance.last_set_by.map(|id| id.to_string()),
        }
    }
}

impl Mask for StaffView {
    fn masked(self) -> Self {
        Self { fields: self.fields.into_iter().map(Mask::masked).collect(), ..self }
    }
}

impl Mask for ProvenanceView {
    fn masked(self) -> Self {
        if !self.is_personal {
            return self;
        }
        Self {
            ip_value: self.ip_value.map(Mask::masked),
            mis_value: self.mis_value.map(Mask::masked),
            ..self
        }
    }
}
