//! Keys whose prefix no table knows (`keyword1`, `first`, `remark`, types of the future): WeChat judges them, within a bound.

use std::borrow::Cow;

use super::flaw::{Fit, Flaw};

/// No message shows so much; a value beyond it is a program error. In bytes of UTF-8.
const LONGEST: usize = 64 * 1024;

pub(super) fn check(text: &str) -> Result<(), Flaw> {
    if text.len() > LONGEST {
        return Err(Flaw::new(
            "too_long",
            (
                format!("有 {} 字节，远超一条消息能显示的内容", text.len()),
                format!("has {} bytes, far more than a message shows", text.len()),
            ),
            ("请缩短", "shorten it"),
        ));
    }
    Ok(())
}

pub(super) fn fit(text: &str) -> Fit<'_> {
    if text.len() > LONGEST || !text.chars().any(char::is_control) {
        return Fit::new(text, "space");
    }
    let broken = text.replace("\r\n", "\n");
    let plain =
        broken.chars().map(|character| if character.is_control() { ' ' } else { character }).collect::<String>();
    Fit::new(Cow::Owned(plain), "characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_passes_up_to_the_bound() {
        assert!(check("").is_ok());
        assert!(check(&"长".repeat(1000)).is_ok());
        assert_eq!(check(&"x".repeat(LONGEST + 1)).unwrap_err().rule, "too_long");
    }

    #[test]
    fn control_characters_become_spaces() {
        assert_eq!(fit("第一行\r\n第二行").value, "第一行 第二行");
    }
}
