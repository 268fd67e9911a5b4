use std::fmt::Write;

use mis_sync_cli::{Failure, print};
use secrecy::ExposeSecret;

use super::DemoSchool;
use crate::private::PrivateSystem;

/// Commands to copy.
pub(super) fn say(system: &PrivateSystem, schools: &[DemoSchool]) -> Result<(), Failure> {
    let mut text = format!(
        "\n  Watch it: {}/dashboard, and sign in with the API key\n    {}\n",
        system.api_url,
        system.api_key.expose_secret()
    );
    text.push_str("\n  Try it yourself:\n\n");
    let header = format!("-H 'Authorization: Bearer {}'", system.api_key.expose_secret());
    for (method, path) in
        [("-X POST ", "/v1/schools/arbor/sync"), ("", "/v1/jobs"), ("", "/v1/schools/arbor")]
    {
        let _ = writeln!(text, "    curl {method}{header} {}{path}", system.api_url);
    }
    let ids: Vec<&str> = schools.iter().map(|school| school.id.as_str()).collect();
    let _ = write!(text, "\n  Schools: {}", ids.join(", "));
    print(&text)
}
