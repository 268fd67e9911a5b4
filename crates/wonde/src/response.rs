//! What comes back: bodies within bounds, and what a refusal means.

use reqwest::{Response, StatusCode};

use crate::error::Error;
use crate::retry::retry_after;

/// How much of a refusal is read to find the scope it names.
const REFUSAL_BYTES: usize = 16 * 1024;

/// What an answer other than 200 means.
pub(crate) async fn refusal(response: Response) -> Error {
    let status = response.status();
    let retry_after = retry_after(response.headers());
    match status {
        StatusCode::UNAUTHORIZED => Error::Unauthorized,
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Error::RateLimited { retry_after },
        StatusCode::FORBIDDEN => {
            let body = read_body(response, REFUSAL_BYTES).await.unwrap_or_default();
            Error::Forbidden { scope: scope_named(&String::from_utf8_lossy(&body)) }
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => {
            Error::Server { status: status.as_u16(), retry_after }
        }
        status if status.is_server_error() => {
            Error::Server { status: status.as_u16(), retry_after }
        }
        status => Error::Other { status: status.as_u16() },
    }
}

/// The first thing in a refusal that looks like a scope (`employees.read`), else the code
/// `invalid_permissions`. Nothing else of the body is let through.
fn scope_named(body: &str) -> Option<String> {
    let words = || {
        body.split(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c)))
            .map(|word| word.trim_end_matches('.'))
    };
    let scope = words().find(|word| is_scope(word));
    let scope = scope.or_else(|| words().find(|word| *word == "invalid_permissions"))?;
    Some(scope.to_owned())
}

fn is_scope(word: &str) -> bool {
    let parts = word.rsplit_once('.');
    word.len() <= 64
        && parts.is_some_and(|(of, right)| !of.is_empty() && matches!(right, "read" | "write"))
}

/// The body up to `limit` bytes after decompression, refused as soon as it is longer.
pub(crate) async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, Error> {
    let announced = response.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Err(Error::BodyTooLarge { limit });
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(chunk) = response.chunk().await.map_err(Error::from_transport)? {
        if body.len() + chunk.len() > limit {
            return Err(Error::BodyTooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_scope() {
        let cases = [
            (
                r#"{"error":"invalid_permissions","message":"Missing employees.read."}"#,
                Some("employees.read"),
            ),
            (r#"{"error":"invalid_permissions"}"#, Some("invalid_permissions")),
            ("<html>Access denied</html>", None),
            ("ada@school.example .read", None),
            ("", None),
        ];
        for (body, expected) in cases {
            assert_eq!(scope_named(body).as_deref(), expected, "{body}");
        }
    }
}
