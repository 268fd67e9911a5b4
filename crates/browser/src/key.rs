//! Keys by the names that browsers give them.

use chromiumoxide::{
    cdp::browser_protocol::input::{DispatchKeyEventParams, DispatchKeyEventType},
    keys::{KeyDefinition, get_key_definition},
};

/// A key, possibly with modifier keys.
pub(crate) struct Stroke {
    key: &'static KeyDefinition,
    /// Modifiers as the protocol counts them: Alt 1, Control 2, Meta 4, Shift 8.
    held: i64,
}

impl Stroke {
    /// `a`, `Enter`, `?`, `Control+k`, `Control+Shift+P`.
    pub(crate) fn parse(keys: &str) -> Option<Self> {
        let (held, key) = match keys.rsplit_once('+') {
            Some((held, key)) if !key.is_empty() => (held.split('+').collect(), key),
            _ => (Vec::new(), keys),
        };
        let held = held.into_iter().map(|name| match name {
            "Alt" => Some(1),
            "Control" => Some(2),
            "Meta" => Some(4),
            "Shift" => Some(8),
            _ => None,
        });
        Some(Self { key: get_key_definition(key)?, held: held.sum::<Option<i64>>()? })
    }

    /// The key goes down and comes up.
    pub(crate) fn events(&self) -> [DispatchKeyEventParams; 2] {
        // With Control or Alt a key types nothing.
        let writes = self.held & !8 == 0;
        let of_its_own = (self.key.key.len() == 1).then_some(self.key.key);
        let text = self.key.text.or(of_its_own).filter(|_| writes);
        let mut down = self.event(if text.is_some() {
            DispatchKeyEventType::KeyDown
        } else {
            DispatchKeyEventType::RawKeyDown
        });
        down.text = text.map(str::to_owned);
        [down, self.event(DispatchKeyEventType::KeyUp)]
    }

    fn event(&self, kind: DispatchKeyEventType) -> DispatchKeyEventParams {
        let mut event = DispatchKeyEventParams::new(kind);
        event.key = Some(self.key.key.to_owned());
        event.code = Some(self.key.code.to_owned());
        event.windows_virtual_key_code = Some(self.key.key_code);
        event.modifiers = Some(self.held);
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_held_down_write_nothing() {
        let text = |keys: &str| Stroke::parse(keys).unwrap().events()[0].text.clone();
        assert_eq!(text("k"), Some("k".to_owned()));
        assert_eq!(text("+"), Some("+".to_owned()));
        assert_eq!(text("Shift+K"), Some("K".to_owned()));
        assert_eq!(text("Control+k"), None);
        assert_eq!(text("Enter"), Some("\r".to_owned()));
        assert!(Stroke::parse("Hyper+k").is_none() && Stroke::parse("é").is_none());
    }
}
