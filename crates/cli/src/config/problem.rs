use figment::error::Kind;

/// Says which key is wrong, where it was read, what was found and what was expected. The value of a
/// secret key is not repeated.
pub(super) fn describe(error: &figment::Error) -> String {
    error.clone().into_iter().map(|error| describe_one(&error)).collect::<Vec<_>>().join("\n")
}

fn describe_one(error: &figment::Error) -> String {
    let key = error.path.join(".");
    let place = error.metadata.as_ref().map_or(String::new(), |metadata| {
        match metadata.source.as_ref().and_then(|source| source.file_path()) {
            Some(path) => format!(" in {}", path.display()),
            None if metadata.name.contains("environment") => {
                format!(" in the environment (MIS_SYNC__{})", key.replace('.', "__").to_uppercase())
            }
            None => String::new(),
        }
    });
    let secret = super::secrets::KEYS.contains(&key.as_str());
    let said = match &error.kind {
        Kind::InvalidType(..) | Kind::InvalidValue(..) if secret => "found a wrong value".into(),
        Kind::InvalidType(found, wanted) | Kind::InvalidValue(found, wanted) => {
            format!("found {found}, wanted {wanted}")
        }
        Kind::UnknownField(field, wanted) => {
            return format!(
                "{}{place}: there is no such key. Known here: {}",
                join(&key, field),
                wanted.join(", ")
            );
        }
        Kind::UnknownVariant(found, wanted) => {
            format!("found `{found}`, wanted one of {}", wanted.join(", "))
        }
        other => other.to_string(),
    };
    if key.is_empty() {
        format!("configuration{place}: {said}")
    } else {
        format!("{key}{place}: {said}")
    }
}

/// The whole name of an unknown key; figment's path may or may not contain the field.
fn join(path: &str, field: &str) -> String {
    if path == field || path.ends_with(&format!(".{field}")) {
        path.to_owned()
    } else if path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}.{field}")
    }
}
