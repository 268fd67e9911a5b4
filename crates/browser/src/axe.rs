//! Accessibility, as far as a program can check it: axe-core inside the page.

use serde_json::Value;

use crate::Page;

/// axe-core 4.14.1 as published, MPL-2.0; see `assets/README.md`.
pub const AXE: &str = include_str!("../assets/axe-core-4.14.1/axe.min.js");

/// The SHA-256 of [`AXE`], in hexadecimal.
pub const AXE_SHA256: &str = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c";

/// How many elements are shown for each violation.
const SHOWN: usize = 5;

/// WCAG 2.2 AA, including the earlier versions.
const RUN: &str = "axe.run(document, { \
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], \
    resultTypes: ['violations'] })";

impl Page {
    /// The page's violations of WCAG 2.2 AA in words, each with its elements.
    pub async fn accessibility_violations(&self) -> Vec<String> {
        // The debugger adds the script, which no content security policy prevents.
        let put = format!("window.axe ? true : (() => {{ {AXE}\n; return true }})()");
        self.evaluate::<bool>(&put).await;
        let results: Value = self.evaluate(RUN).await;
        results["violations"].as_array().into_iter().flatten().map(in_words).collect()
    }

    /// Fails if there are any violations.
    pub async fn expect_accessible(&self) {
        self.step("look for barriers".to_owned());
        let violations = self.accessibility_violations().await;
        if !violations.is_empty() {
            self.fail(&format!("the page has barriers:\n{}", violations.join("\n"))).await;
        }
    }
}

/// `color-contrast (serious): Elements must …`, followed by each element with what to do.
fn in_words(violation: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().replace('\n', "\n      ");
    let nodes = violation["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let shown = nodes.iter().take(SHOWN).map(|node| {
        format!("\n    {}\n      {}", text(&node["html"]), text(&node["failureSummary"]))
    });
    format!(
        "  {} ({}, {} times): {}{}",
        text(&violation["id"]),
        text(&violation["impact"]),
        nodes.len(),
        text(&violation["help"]),
        shown.collect::<String>()
    )
}
