//! The account's templates: WeChat's list, its library, and making the account hold what the application wants.

use serde_json::Value;

use super::App;
use crate::error::Error;
use crate::message::Input;

impl App {
    /// The account's private templates (`gettemplate`), from the store while they are fresh.
    pub fn templates(&self, _refresh: bool) -> Result<Value, Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }

    /// Adds a template of the library to the account (`addtemplate`); answers its id.
    pub fn add_template(&self, _tid: &str, _keywords: &Input<'_>, _scene: &str) -> Result<String, Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }

    /// Removes a template (`deltemplate`). All grants for it are lost.
    pub fn delete_template(&self, _template_id: &str) -> Result<(), Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }

    /// The account's categories (`getcategory`).
    pub fn categories(&self) -> Result<Value, Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }

    /// Templates of the library by category (`getpubtemplatetitles`).
    pub fn public_templates(&self, _categories: &Input<'_>, _start: i64, _limit: i64) -> Result<Value, Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }

    /// Keywords of a template of the library (`getpubtemplatekeywords`).
    pub fn public_keywords(&self, _tid: &str) -> Result<Value, Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }

    /// Makes the account hold the wanted templates, without ever removing one.
    pub fn sync_templates(&self, _wanted: &Input<'_>, _options: &Input<'_>) -> Result<Value, Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }
}
