//! What a person does with mouse and keyboard.

use chromiumoxide::{cdp::browser_protocol::input::InsertTextParams, layout::Point};
use serde_json::Value;

use crate::{Page, key::Stroke, page::quoted};

impl Page {
    /// Clicks the first such element, once it is there, enabled and not covered.
    pub async fn click(&self, selector: &str) {
        self.press_mouse_on(selector).await;
        self.count_click();
    }

    async fn press_mouse_on(&self, selector: &str) {
        self.step(format!("click {selector}"));
        let script = format!(
            "((place) => typeof place === 'string' ? (() => {{ throw Error(place) }})() : place)\
             (clickable({}))",
            quoted(selector)
        );
        let place: Value = self.until(&format!("{selector} can be clicked"), &script).await;
        let (Some(x), Some(y)) = (place["x"].as_f64(), place["y"].as_f64()) else {
            unreachable!("the script gives a point");
        };
        if let Err(error) = self.target.click(Point::new(x, y)).await {
            self.fail(&format!("the click fails: {error}")).await;
        }
    }

    /// Replaces the value of a field by typing.
    ///
    /// It is no click of its own: a person reaches a field with the tab key too.
    pub async fn fill(&self, selector: &str, text: &str) {
        self.press_mouse_on(selector).await;
        self.evaluate::<Value>("document.activeElement.select?.()").await;
        self.type_text(text).await;
    }

    /// Types into the focused element, key by key.
    pub async fn type_text(&self, text: &str) {
        self.step(format!("type {} characters", text.chars().count()));
        for character in text.chars() {
            let character = character.to_string();
            match Stroke::parse(&character) {
                Some(stroke) => self.strike(&stroke).await,
                // The character is not on an American keyboard.
                None => self.insert(character).await,
            }
        }
    }

    /// Presses a key, `Enter` or `?`, or several at once, `Control+k`.
    pub async fn press(&self, keys: &str) {
        self.step(format!("press {keys}"));
        match Stroke::parse(keys) {
            Some(stroke) => self.strike(&stroke).await,
            None => self.fail(&format!("there is no key {keys}")).await,
        }
    }

    /// Chooses an option of a `select` by its value.
    pub async fn choose(&self, selector: &str, value: &str) {
        self.step(format!("choose {value} of {selector}"));
        self.wait_for(selector).await;
        let script = format!(
            "(([field]) => {{ field.value = {}; if (field.selectedIndex < 0) throw Error('no such option'); \
             for (const name of ['input', 'change']) \
             field.dispatchEvent(new Event(name, {{ bubbles: true }})) }})(find({}))",
            quoted(value),
            quoted(selector)
        );
        self.evaluate::<Value>(&script).await;
        self.count_click();
    }

    async fn strike(&self, stroke: &Stroke) {
        for event in stroke.events() {
            if let Err(error) = self.target.execute(event).await {
                self.fail(&format!("the key fails: {error}")).await;
            }
        }
    }

    async fn insert(&self, text: String) {
        if let Err(error) = self.target.execute(InsertTextParams::new(text)).await {
            self.fail(&format!("the text fails: {error}")).await;
        }
    }
}
