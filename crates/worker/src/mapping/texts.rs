use mis_sync_domain::text::{self, Cleaned};

/// Reads the texts of one record, and remembers whether any of them was cut.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) is_any_cut: bool,
}

impl Texts {
    pub(super) fn name(&mut self, text: Option<&str>) -> Option<String> {
        self.read(text, text::MAX_NAME)
    }

    pub(super) fn title(&mut self, text: Option<&str>) -> Option<String> {
        self.read(text, text::MAX_TITLE)
    }

    pub(super) fn description(&mut self, text: Option<&str>) -> Option<String> {
        self.read(text, text::MAX_DESCRIPTION)
    }

    fn read(&mut self, text: Option<&str>, max: usize) -> Option<String> {
        let Cleaned { text, is_cut } = text::clean(text?, max)?;
        self.is_any_cut |= is_cut;
        Some(text)
    }
}

/// An id or a key. Cutting it is not reported.
pub(super) fn key(text: Option<&str>) -> Option<String> {
    Texts::default().name(text)
}
