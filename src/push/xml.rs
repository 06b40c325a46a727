//! XML as WeChat pushes it: elements, text and CDATA. The root is dropped, an element with elements becomes an object, one that
//! is repeated an array, any other its text; the same as EasyWeChat makes of it.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::budget::{Budget, Exceeded};

/// Why a text is no such XML.
#[derive(Debug, thiserror::Error)]
pub enum XmlError {
    /// The parser's word.
    #[error("{0}")]
    Syntax(#[from] quick_xml::Error),
    /// Entities could be made to read files or to grow without end; WeChat's messages have none.
    #[error("a DOCTYPE, or an entity of its own: never in a message of WeChat's")]
    Entity,
    /// A processing instruction.
    #[error("a processing instruction: never in a message of WeChat's")]
    Instruction,
    /// Not exactly one root.
    #[error("not one root element with everything in it")]
    Root,
    /// Too much of it.
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
}

#[derive(Default)]
struct Element {
    name: String,
    text: String,
    members: Map<String, Value>,
}

impl Element {
    fn new(start: &BytesStart<'_>) -> Self {
        Self { name: start.name().into_inner().to_owned(), ..Self::default() }
    }

    fn add(&mut self, name: String, value: Value) {
        match self.members.entry(name) {
            Entry::Vacant(place) => {
                place.insert(value);
            }
            Entry::Occupied(mut place) => match place.get_mut() {
                // The value of one element is never an array, so this is one of several.
                Value::Array(items) => items.push(value),
                first => *first = Value::Array(vec![first.take(), value]),
            },
        }
    }

    fn into_value(self) -> Value {
        if self.members.is_empty() { Value::String(self.text) } else { Value::Object(self.members) }
    }
}

/// Reads a text. What it makes is an object, or the text of a root without elements.
pub fn parse(text: &str) -> Result<Value, XmlError> {
    let mut reader = Reader::from_str(text);
    let (mut open, mut root): (Vec<Element>, Option<Value>) = (Vec::new(), None);
    let mut budget = Budget::whole();
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                budget.take(open.len())?;
                open.push(Element::new(&start));
            }
            Event::Empty(start) => {
                budget.take(open.len())?;
                close(&mut open, &mut root, Element::new(&start))?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or(XmlError::Root)?;
                close(&mut open, &mut root, element)?;
            }
            Event::Text(text) => write(&mut open, &text)?,
            Event::CData(text) => match open.last_mut() {
                Some(element) => element.text.push_str(&text),
                None => return Err(XmlError::Root),
            },
            Event::GeneralRef(reference) => {
                let mut buffer = [0; 4];
                let resolved = match reference.resolve_char_ref()? {
                    Some(character) => &*character.encode_utf8(&mut buffer),
                    None => predefined(&reference).ok_or(XmlError::Entity)?,
                };
                match open.last_mut() {
                    Some(element) => element.text.push_str(resolved),
                    None => return Err(XmlError::Root),
                }
            }
            Event::DocType(_) => return Err(XmlError::Entity),
            Event::PI(_) => return Err(XmlError::Instruction),
            Event::Comment(_) | Event::Decl(_) => {}
            Event::Eof if open.is_empty() => return root.ok_or(XmlError::Root),
            Event::Eof => return Err(XmlError::Root),
        }
    }
}

fn close(open: &mut [Element], root: &mut Option<Value>, mut element: Element) -> Result<(), XmlError> {
    let name = std::mem::take(&mut element.name);
    match open.last_mut() {
        Some(parent) => parent.add(name, element.into_value()),
        None if root.is_none() => *root = Some(element.into_value()),
        None => return Err(XmlError::Root),
    }
    Ok(())
}

fn write(open: &mut [Element], text: &str) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(XmlError::Root),
    }
    Ok(())
}

/// The five entities that XML has of itself.
fn predefined(name: &str) -> Option<&'static str> {
    match name {
        "lt" => Some("<"),
        "gt" => Some(">"),
        "amp" => Some("&"),
        "quot" => Some("\""),
        "apos" => Some("'"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_become_members_and_repeated_ones_an_array() {
        let value = parse(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- x --><xml>\n<A><![CDATA[1 < 2 & 3]]></A><B> b </B>\
             <List><Id>1</Id></List><List><Id>2</Id></List><List/><E></E><F a=\"ignored\">f</F></xml>\n",
        );
        assert_eq!(
            value.unwrap(),
            json!({ "A": "1 < 2 & 3", "B": " b ", "List": [{ "Id": "1" }, { "Id": "2" }, ""], "E": "", "F": "f" })
        );
        assert_eq!(parse("<xml>text</xml>").unwrap(), json!("text"));
    }

    #[test]
    fn the_five_entities_and_numbers_are_resolved_and_no_others() {
        let value = parse("<xml><A>&lt;b&gt;&amp;&quot;&apos;&#20113;&#x5357;</A><B><![CDATA[&lt;]]></B></xml>");
        assert_eq!(value.unwrap(), json!({ "A": "<b>&\"'云南", "B": "&lt;" }));
        for bad in [
            "<xml>&nbsp;</xml>",
            "<xml>&#0;</xml>",
            "<xml>&#xD800;</xml>",
            "<xml>& </xml>",
            "<!DOCTYPE xml><xml>a</xml>",
            "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><xml>&e;</xml>",
            "<xml><!DOCTYPE x [<!ENTITY a \"b\">]>&a;</xml>",
            "<?xml-stylesheet href=\"x\"?><xml>a</xml>",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_one_whole_element_is_refused() {
        for bad in [
            "",
            " ",
            "text",
            "<xml>",
            "<xml></lmx>",
            "</xml>",
            "<xml></xml><xml></xml>",
            "<xml></xml>tail",
            "head<xml></xml>",
            "<xml><![CDATA[x</xml>",
            "<a><b></a></b>",
            "&lt;<xml/>",
            "<![CDATA[x]]><xml/>",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of steps")]
    fn depth_and_number_of_elements_are_bounded() {
        let deep = |levels: usize| format!("{}x{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(parse(&deep(17)).is_ok());
        assert!(matches!(parse(&deep(18)), Err(XmlError::Exceeded(_))));
        let wide = |number: usize| format!("<xml>{}</xml>", "<a/>".repeat(number));
        assert!(parse(&wide(9_999)).is_ok());
        assert!(matches!(parse(&wide(10_000)), Err(XmlError::Exceeded(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[<>/a&;!\\[\\]CDAT\"?= -]{0,200}", other in ".{0,200}") {
            let _ = parse(&text);
            let _ = parse(&other);
            let _ = parse(&format!("<xml>{text}</xml>"));
        }

        #[test]
        fn a_text_in_cdata_comes_out_as_it_went_in(text in "[^\\]\r\u{0}]{0,100}") {
            prop_assert_eq!(parse(&format!("<xml><A><![CDATA[{text}]]></A></xml>")).unwrap(), json!({ "A": text }));
        }
    }
}
