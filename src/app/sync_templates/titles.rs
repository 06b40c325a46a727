//! Titles of the public library. WeChat tells them by category and page only, so no more pages are asked for than are needed.

use std::collections::HashMap;

use serde_json::Value;

use crate::app::App;
use crate::app::templates::LONGEST_PAGE;
use crate::error::Error;

/// Pages that are looked through.
const MOST_PAGES: u32 = 60;

/// Titles by the number of the public template, as far as they were looked up.
#[derive(Default)]
pub(super) struct Titles {
    categories: Option<String>,
    known: HashMap<String, String>,
    pages: u32,
    done: bool,
}

impl Titles {
    /// A title that was looked up.
    pub(super) fn get(&self, tid: &str) -> Option<String> {
        self.known.get(tid).cloned()
    }

    /// Reads on in the library of the account's categories until the title has come, or there is no more.
    pub(super) fn look_up(&mut self, app: &App, tid: &str) -> Result<(), Error> {
        while !self.known.contains_key(tid) && !self.done {
            // After a failure nobody asks again.
            self.done = true;
            self.done = self.next_page(app)?;
        }
        Ok(())
    }

    /// Answers whether that was the last one.
    fn next_page(&mut self, app: &App) -> Result<bool, Error> {
        let categories = match &self.categories {
            Some(categories) => categories,
            None => {
                let rows = app.categories()?;
                let ids = rows.as_array().into_iter().flatten().filter_map(|row| digits(row.get("id")?));
                self.categories.insert(ids.collect::<Vec<_>>().join(","))
            }
        };
        if categories.is_empty() {
            return Ok(true);
        }
        let start = self.pages * LONGEST_PAGE;
        let page = app.titles(categories, start, LONGEST_PAGE)?;
        self.pages += 1;
        for row in &page.rows {
            let title = row.get("title").and_then(Value::as_str);
            if let (Some(tid), Some(title)) = (row.get("tid").and_then(digits), title) {
                self.known.insert(tid, title.trim().to_owned());
            }
        }
        Ok(page.rows.is_empty() || start + LONGEST_PAGE >= page.count || self.pages >= MOST_PAGES)
    }
}

/// A number, or its digits as WeChat has them in a text.
fn digits(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}
