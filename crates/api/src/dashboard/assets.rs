//! Styles, scripts and the icon, compiled in. Their names carry a hash of what is in them, so a
//! browser keeps them for ever and never has an old one.

use std::sync::LazyLock;

use axum::{
    http::{
        HeaderName,
        header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};

use crate::{ApiError, parameters::PathId};

/// Below which path they are served.
const ROOT: &str = "/dashboard/assets/";

/// A file that pages load.
pub(super) struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
    url: LazyLock<String>,
}

/// A file that pages load, made of these files in this order.
macro_rules! asset {
    ($constant:ident, $name:literal, $content_type:literal, $($file:literal),+) => {
        pub(super) static $constant: Asset = Asset {
            name: $name,
            content_type: $content_type,
            content: concat!($(include_str!(concat!("../../assets/", $file))),+).as_bytes(),
            url: LazyLock::new(|| $constant.hashed_url()),
        };
    };
    ($constant:ident, $name:literal, $content_type:literal) => {
        asset!($constant, $name, $content_type, $name);
    };
}

asset!(
    STYLE,
    "dashboard.css",
    "text/css; charset=utf-8",
    "css/base.css",
    "css/frame.css",
    "css/forms.css",
    "css/pieces.css",
    "css/tables.css",
    "css/charts.css",
    "css/schools.css",
    "css/dialogs.css",
    "css/held.css",
    "css/people.css",
    "css/screens.css",
    "css/print.css"
);
asset!(SCRIPT, "dashboard.js", "text/javascript; charset=utf-8");
asset!(HTMX, "htmx.min.js", "text/javascript; charset=utf-8");
asset!(HTMX_SSE, "hx-sse.min.js", "text/javascript; charset=utf-8");
asset!(ICON, "icon.svg", "image/svg+xml");

static ALL: [&Asset; 5] = [&STYLE, &SCRIPT, &HTMX, &HTMX_SSE, &ICON];

impl Asset {
    /// Where it is served.
    pub(super) fn url(&'static self) -> &'static str {
        &self.url
    }

    fn hashed_url(&self) -> String {
        let hash = digest(&SHA256, self.content);
        format!("{ROOT}{}-{}", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..9]), self.name)
    }
}

pub(super) async fn get_asset(PathId(name): PathId) -> Result<Response, ApiError> {
    let asked = |asset: &&&'static Asset| asset.url().strip_prefix(ROOT) == Some(&name);
    let asset = ALL.iter().find(asked).ok_or(ApiError::NotFound)?;
    let headers: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, asset.content_type),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, asset.content).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `assets/README.md` states version, origin and hash of what others wrote.
    #[test]
    fn vendored_files_are_the_ones_that_are_documented() {
        let readme = include_str!("../../assets/README.md");
        for asset in [&HTMX, &HTMX_SSE] {
            let hash = hex::encode(digest(&SHA256, asset.content));
            let row = readme.lines().find(|line| line.contains(&format!("`{}`", asset.name)));
            assert!(row.is_some_and(|row| row.contains(&hash)), "{}: {hash}", asset.name);
        }
    }
}
