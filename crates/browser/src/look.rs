//! How a page looks: screens, themes, pictures.

use std::{fs, io, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use chromiumoxide::{
    cdp::browser_protocol::{
        emulation::{MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams},
        page::{CaptureScreenshotFormat, CaptureScreenshotParams, Viewport},
    },
    error::Result,
};
use serde::Deserialize;

use crate::Page;

/// The theme that the visitor's system prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// Its name in stylesheets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A screen, and the preferences of its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// Whether it is a phone, which obeys the page's viewport.
    pub mobile: bool,
    /// The preferred theme.
    pub theme: Theme,
}

impl Look {
    /// A desktop window, 1280 × 800.
    pub fn desktop(theme: Theme) -> Self {
        Self { width: 1280, height: 800, mobile: false, theme }
    }

    /// An upright phone, 390 × 844.
    pub fn phone(theme: Theme) -> Self {
        Self { width: 390, height: 844, mobile: true, theme }
    }

    /// Both screens in both themes.
    pub fn all() -> [Self; 4] {
        let [light, dark] = [Theme::Light, Theme::Dark];
        [Self::desktop(light), Self::desktop(dark), Self::phone(light), Self::phone(dark)]
    }

    /// A name for files: `light-1280`.
    pub fn name(self) -> String {
        format!("{}-{}", self.theme.name(), self.width)
    }
}

/// Parts of a page that moved unexpectedly.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LayoutShift {
    /// How much of the screen moved, and how far.
    pub score: f64,
    /// The elements that moved.
    pub moved: Vec<String>,
}

impl Page {
    /// Shows the page on this screen, with this theme and reduced motion.
    pub async fn look(&self, look: Look) {
        self.step(format!("look at {}", look.name()));
        let (width, height) = (i64::from(look.width), i64::from(look.height));
        let screen = SetDeviceMetricsOverrideParams::new(width, height, 1.0, look.mobile);
        let features = vec![
            MediaFeature::new("prefers-color-scheme", look.theme.name()),
            MediaFeature::new("prefers-reduced-motion", "reduce"),
        ];
        let person = SetEmulatedMediaParams { features: Some(features), media: None };
        if let Err(error) = self.target.execute(screen).await {
            self.fail(&format!("no such screen: {error}")).await;
        }
        if let Err(error) = self.target.execute(person).await {
            self.fail(&format!("no such person: {error}")).await;
        }
    }

    /// Writes the visible part of the page into a PNG file, and returns its size in bytes.
    pub async fn screenshot(&self, file: &Path) -> usize {
        self.save(file, false).await
    }

    /// Writes the whole page into a PNG file, and returns its size in bytes.
    pub async fn screenshot_of_all(&self, file: &Path) -> usize {
        self.save(file, true).await
    }

    /// The elements that stick out if the page can be scrolled sideways, otherwise none.
    pub async fn sideways_scroll(&self) -> Vec<String> {
        self.evaluate(include_str!("wide.js")).await
    }

    /// Fails if the page can be scrolled sideways.
    pub async fn expect_no_sideways_scroll(&self) {
        let wide = self.sideways_scroll().await;
        if !wide.is_empty() {
            self.fail(&format!("the page scrolls sideways:\n  {}", wide.join("\n  "))).await;
        }
    }

    /// What moved since the page was opened, without any action: the entries of the [Layout
    /// Instability API](https://wicg.github.io/layout-instability/). The sum of the scores is the
    /// cumulative layout shift; up to 0.1 counts as good.
    pub async fn layout_shifts(&self) -> Vec<LayoutShift> {
        self.evaluate(include_str!("shift.js")).await
    }

    async fn save(&self, file: &Path, all: bool) -> usize {
        let picture = match self.picture(all).await {
            Ok(picture) => picture,
            Err(error) => self.fail(&format!("no picture: {error}")).await,
        };
        write(file, &picture).expect("the folder of pictures can be written to");
        picture.len()
    }

    /// A PNG of the screen, or of the whole page.
    pub(crate) async fn picture(&self, all: bool) -> Result<Vec<u8>> {
        let format = Some(CaptureScreenshotFormat::Png);
        let mut params = CaptureScreenshotParams { format, ..CaptureScreenshotParams::default() };
        if all {
            let size = self.target.layout_metrics().await?.css_content_size;
            params.capture_beyond_viewport = Some(true);
            params.clip = Some(Viewport {
                x: 0.0,
                y: 0.0,
                width: size.width,
                height: size.height.min(TALLEST),
                scale: 1.0,
            });
        }
        let data = self.target.execute(params).await?.result.data;
        Ok(BASE64_STANDARD.decode(data)?)
    }
}

/// Writes a picture, and creates the folders that it needs.
pub(crate) fn write(file: &Path, picture: &[u8]) -> io::Result<()> {
    fs::create_dir_all(file.parent().expect("a file is in a folder"))?;
    fs::write(file, picture)
}

/// The greatest height of a picture, in CSS pixels. A picture of an endless page is of no use.
const TALLEST: f64 = 4000.0;
