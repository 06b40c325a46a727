//! The sandbox's time and its random numbers.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::HeaderValue;
use jiff::Timestamp;

/// A point in time, in milliseconds since 1970.
pub(super) type Millis = u64;

/// The system clock, which tests can put forward.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead: Duration,
}

impl Clock {
    pub(super) fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis::try_from(since.saturating_add(self.ahead).as_millis()).unwrap_or(Millis::MAX)
    }

    /// The header Date, where it is not the system's.
    pub(super) fn date(&self) -> Option<HeaderValue> {
        if self.ahead.is_zero() {
            return None;
        }
        let now = Timestamp::from_millisecond(i64::try_from(self.now()).ok()?).ok()?;
        HeaderValue::try_from(now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.ahead = self.ahead.saturating_add(by);
    }
}

/// Number of the day in Asia/Shanghai (UTC+8, no summer time), at whose midnight daily quotas start again.
pub(super) fn day(now: Millis) -> u64 {
    now.saturating_add(8 * 3_600_000) / 86_400_000
}

/// Number of the minute.
pub(super) fn minute(now: Millis) -> u64 {
    now / 60_000
}

/// Random enough for ids that must only differ from each other (splitmix64).
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new() -> Random {
        Random(RandomState::new().build_hasher().finish())
    }

    /// The same numbers for the same seed.
    pub(super) fn seeded(seed: u64) -> Random {
        Random(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// So many characters of the URL-safe base64 alphabet.
    pub(super) fn characters(&mut self, count: usize) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = String::with_capacity(count);
        let mut bits = 0;
        for place in 0..count {
            if place % 10 == 0 {
                bits = self.next();
            }
            let letter = usize::try_from(bits & 63).ok().and_then(|index| ALPHABET.get(index)).copied().unwrap_or(b'A');
            text.push(char::from(letter));
            bits >>= 6;
        }
        text
    }

    /// A request id: `8hex-8hex-8hex`, the first of them the time.
    pub(super) fn rid(&mut self, now: Millis) -> String {
        let random = self.next();
        format!("{:08x}-{:08x}-{:08x}", (now / 1000) & 0xFFFF_FFFF, random >> 32, random & 0xFFFF_FFFF)
    }
}
