//! What a front end posts after it has asked a user.

use std::borrow::Cow;

use routine_template::grant::{self, ReportOptions};
use routine_template::message::Input;

/// What a front end posts after `wx.requestSubscribeMessage`, as JSON text and as an array: never more than it may hold, each
/// template once.
pub fn grant_report(data: &[u8]) {
    let as_text = Input::Text(Cow::Borrowed(data));
    let parsed = serde_json::from_slice::<serde_json::Value>(data).ok().map(Input::from);
    for posted in [Some(as_text), parsed].into_iter().flatten() {
        // Options are read by the same rule.
        let _ = ReportOptions::read(&posted);
        let Ok(report) = grant::read(&posted) else { continue };
        assert!(report.choices.len() + report.rejected.len() <= 64, "a report grows without end");
        for (index, (id, _)) in report.choices.iter().enumerate() {
            assert!((20..=64).contains(&id.len()), "{id}");
            assert!(report.choices[..index].iter().all(|(other, _)| other != id), "{id} twice");
        }
    }
}
