use axum::Json;
use mis_sync_domain::MisTable;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Access;

/// The MIS that are known.
#[derive(Serialize, ToSchema)]
#[schema(as = MisList)]
pub(crate) struct MisListView {
    mis: Vec<String>,
}

/// List the known MIS
///
/// In the order of the table.
#[utoipa::path(
    get,
    path = "/v1/mis",
    tag = "schools",
    responses((status = 200, description = "Their names", body = MisListView)),
)]
pub(crate) async fn list_mis(_: Access) -> Json<MisListView> {
    let mis = MisTable::built_in().iter().map(|mis| mis.name.clone()).collect();
    Json(MisListView { mis })
}
