//! Lists that come as a page of JSON or, whole, as a CSV file.

use axum::http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    ApiError,
    format::Format,
    parameters::{CURSOR, Limit, Parameters, Query, wanted_limit},
};

/// Positions of rows begin at 1.
pub(crate) const BEFORE_ALL: i64 = 0;

/// Which rows of a list that is also a file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RowsQuery {
    /// `next_cursor` of the page before; not with `text/csv`
    #[param(value_type = Option<String>)]
    cursor: Option<i64>,
    /// Rows on a page, 50 if left out; not with `text/csv`
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
}

impl Query for RowsQuery {
    fn wanted(parameter: &str) -> String {
        if parameter == "limit" { wanted_limit() } else { CURSOR.to_owned() }
    }
}

/// The position and number of rows for a page of JSON; `None` if the caller wants all as CSV.
pub(crate) fn wanted_page(
    headers: &HeaderMap,
    parameters: Parameters,
) -> Result<Option<(i64, Limit)>, ApiError> {
    match Format::of(headers)? {
        Format::Csv => {
            parameters.finish("an address without parameters: a file has every row")?;
            Ok(None)
        }
        Format::Json => {
            let RowsQuery { cursor, limit } = parameters.read()?;
            Ok(Some((cursor.unwrap_or(BEFORE_ALL), limit.unwrap_or_default())))
        }
    }
}
