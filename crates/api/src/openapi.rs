//! The OpenAPI 3.1 document: the parts about the whole API, and about every operation that needs a
//! key. The operations themselves come from the list of [`routes`](crate::router).

use axum::{Extension, http::header::CONTENT_TYPE, response::IntoResponse};
use mis_sync_domain::{Action, OnBehalfOf, Role};
use utoipa::{
    IntoResponses, Modify, OpenApi,
    openapi::{
        ObjectBuilder, PathItem, Type,
        extensions::ExtensionsBuilder,
        path::{Operation, ParameterBuilder, ParameterIn},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::{ApiState, views::ProblemView};

/// The document without its operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "mis-sync",
        description = "Keeps a school's staff in iP Suite equal to what the school's MIS says.\n\n\
            **Errors** are RFC 9457 problems; `/problems` lists their types.\n\n\
            **Language**: titles, details and sentences are in British English and may be put \
            better in a later release. Codes (`type`, `state`, `code`, `outcome`) stay for ever: \
            decide and translate by them.\n\n\
            **Pages**: a list has `next_cursor`, null on the last page. Send it as `cursor` with \
            the same filters. A cursor is opaque, and what is added meanwhile moves no page.\n\n\
            **Browsers**: there is no CORS. A server calls this API; a browser never does, because \
            a key can read personal data.",
        contact(name = "The operators of this installation"),
    ),
    servers((url = "/", description = "This service")),
    tags(
        (name = "schools", description = "Schools and their connection to Wonde"),
        (name = "staff", description = "The people of a school, and where their data comes from"),
        (name = "jobs", description = "Requested work, and its outcome"),
        (name = "webhooks", description = "Events that Wonde sends"),
        (name = "service", description = "About the service itself; needs no key"),
    ),
    security(("api_key" = [])),
    modifiers(&ApiKeyScheme),
)]
pub(crate) struct Head;

struct ApiKeyScheme;

impl Modify for ApiKeyScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key, made by `mis-sync keys create`"))
            .build();
        let secret = ApiKeyValue::with_description("secret", "One of `webhooks.wonde_secret`");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme));
        let secret = SecurityScheme::ApiKey(ApiKey::Query(secret));
        components.add_security_scheme("webhook_secret", secret);
    }
}

/// Routes that need a key whose role allows `action`. The handler's [`Access`](crate::state::Access)
/// enforces it, and the document says which roles these are.
pub(crate) fn needs(
    action: Action,
    (schemas, mut paths, methods): UtoipaMethodRouter<ApiState>,
) -> UtoipaMethodRouter<ApiState> {
    for operation in paths.paths.values_mut().flat_map(operations) {
        describe_access(operation, action);
    }
    (schemas, paths, methods.route_layer(Extension(action)))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let methods = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    methods.into_iter().flatten()
}

fn describe_access(operation: &mut Operation, action: Action) {
    let roles: Vec<Role> = Role::ALL.iter().copied().filter(|role| role.allows(action)).collect();
    let sentence = if roles.len() == Role::ALL.len() {
        "A key of any role may call it.".to_owned()
    } else {
        let names: Vec<_> = roles.iter().map(|role| format!("`{role}`")).collect();
        format!("Roles that may call it: {}.", names.join(", "))
    };
    let description = operation.description.take().filter(|text| !text.is_empty());
    operation.description = Some(match description {
        Some(text) => format!("{text}\n\n{sentence}"),
        None => sentence,
    });
    let extension = ExtensionsBuilder::new().add("x-roles", serde_json::json!(roles)).build();
    operation.extensions.get_or_insert_default().merge(extension);
    if !matches!(action, Action::Read | Action::SeePersonalData) {
        name_person(operation);
    }
    for (status, problem) in CommonProblems::responses() {
        operation.responses.responses.entry(status).or_insert(problem);
    }
}

/// What acts takes the person for whom it is done.
fn name_person(operation: &mut Operation) {
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(OnBehalfOf::MAX));
    let header = ParameterBuilder::new()
        .name("X-Requested-By")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "The person who pressed: best an id, because the audit log keeps it for ever. At most \
             100 characters, in UTF-8, without control characters, else `invalid-requested-by`. \
             `requested_by` shows it.",
        ))
        .schema(Some(text))
        .build();
    operation.parameters.get_or_insert_default().push(header.into());
}

/// Problems of every route that needs a key.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described, see `ApiError`")]
enum CommonProblems {
    /// `unauthorized`
    #[response(status = 401, content_type = "application/problem+json", headers(
        ("WWW-Authenticate" = String, description = "`Bearer`")
    ))]
    Unauthorized(ProblemView),
    /// `forbidden`
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemView),
    /// `too-many-requests`: `RateLimit-Policy` and `RateLimit` say what the key may send
    #[response(status = 429, content_type = "application/problem+json", headers(
        ("Retry-After" = u32, description = "Seconds to wait before asking again")
    ))]
    TooMany(ProblemView),
    /// `internal`
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemView),
    /// `dependency-away`, `timed-out`
    #[response(status = 503, content_type = "application/problem+json", headers(
        ("Retry-After" = u32, description = "Seconds to wait before asking again")
    ))]
    Away(ProblemView),
}

/// Problems of every route that takes a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described, see `ApiError`")]
pub(crate) enum BodyProblems {
    /// `malformed-body`, `invalid-idempotency-key`
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemView),
    /// `body-too-large`
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemView),
    /// `unsupported-media-type`
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(ProblemView),
    /// `invalid-text`
    #[response(status = 422, content_type = "application/problem+json")]
    ControlCharacter(ProblemView),
}

/// Problems of a change to a school.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described, see `ApiError`")]
pub(crate) enum ChangeProblems {
    /// `forbidden`, `wonde-id-fixed`: a key that is bound to a school can neither set nor change its
    /// Wonde id
    #[response(status = 403, content_type = "application/problem+json")]
    Fixed(ProblemView),
    /// `unknown-school`. For `PUT`: the key is bound to another school
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(ProblemView),
    /// `wonde-school-taken`: another school has this Wonde id
    #[response(status = 409, content_type = "application/problem+json")]
    Taken(ProblemView),
    /// `changed-meanwhile`: the school no longer has the `ETag` of `If-Match`
    #[response(status = 412, content_type = "application/problem+json")]
    Changed(ProblemView),
    /// `invalid-school`, `token-missing`, `token-would-move`
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(ProblemView),
}

/// Problems of the lists that come as a page or as a file.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described, see `ApiError`")]
pub(crate) enum ListProblems {
    /// `invalid-parameter`
    #[response(status = 400, content_type = "application/problem+json")]
    Parameter(ProblemView),
    /// `not-acceptable`
    #[response(status = 406, content_type = "application/problem+json")]
    NotAcceptable(ProblemView),
}

/// The whole document as JSON, as the list of routes makes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Document(pub(crate) &'static str);

/// This document
///
/// For programs, which make their client from it; `/docs` shows the same to people.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "service",
    security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)),
)]
pub(crate) async fn get_openapi(Extension(document): Extension<Document>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], document.0)
}
