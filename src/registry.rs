//! Names and field lists of templates, as the application has registered them for the present PHP request.

use std::collections::HashMap;

use crate::error::Error;
use crate::template::Template;

/// Far above what a shop has (WeChat allows some 25 to 50 templates an account).
const LIMIT: usize = 1000;

/// The templates of one account.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    ids: HashMap<String, String>,
    templates: HashMap<String, Template>,
}

impl Registry {
    /// Gives `template_id` a name, and its field list if `content` is given.
    pub fn register(&mut self, key: &str, template_id: &str, content: Option<&str>) -> Result<(), Error> {
        if key.is_empty() || template_id.is_empty() {
            return Err(Error::value(
                "registerTemplate()：$key 和 $templateId 不能为空",
                "registerTemplate(): $key and $templateId must not be empty",
            ));
        }
        if self.ids.len() >= LIMIT && !self.ids.contains_key(key) {
            return Err(Error::value(
                format!("registerTemplate()：一次请求内的模板超过 {LIMIT} 个"),
                format!("registerTemplate(): more than {LIMIT} templates in one request"),
            ));
        }
        // A shop's row may have no content yet.
        if let Some(content) = content.filter(|content| !content.trim().is_empty()) {
            let template = Template::from_content(content);
            if template.is_empty() {
                const SAMPLE: &str = "订单号{{character_string1.DATA}}\\n金额{{amount2.DATA}}";
                return Err(Error::value(
                    format!("registerTemplate()：$content 中没有字段，应形如“{SAMPLE}”"),
                    format!("registerTemplate(): $content names no field; it reads like \"{SAMPLE}\""),
                ));
            }
            self.templates.insert(template_id.to_owned(), template);
        }
        self.ids.insert(key.to_owned(), template_id.to_owned());
        Ok(())
    }

    /// Takes over what another one has, where this one does not have it itself.
    pub fn absorb(&mut self, other: &Registry) {
        for (key, id) in &other.ids {
            self.ids.entry(key.clone()).or_insert_with(|| id.clone());
        }
        for (id, template) in &other.templates {
            self.templates.entry(id.clone()).or_insert_with(|| template.clone());
        }
    }

    /// The template id of a name.
    pub fn id(&self, key: &str) -> Option<&str> {
        self.ids.get(key).map(String::as_str)
    }

    /// Whether nothing was registered.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether this template id was registered, under any name.
    pub fn has(&self, template_id: &str) -> bool {
        self.ids.values().any(|id| id == template_id)
    }

    /// The field list of a template id, where it is known.
    pub fn template(&self, template_id: &str) -> Option<&Template> {
        self.templates.get(template_id)
    }
}
