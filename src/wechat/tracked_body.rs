//! A request body that knows whether sending has begun: the line between "certainly not sent" and "unknown".

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::failpoint::failpoint;

/// Whether the first byte of a request may have left.
#[derive(Debug, Clone, Default)]
pub struct Started(Arc<AtomicBool>);

impl Started {
    /// True once the connection has asked for the body, which it does in the same step that writes the head.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A body of known length that sets its [`Started`] mark when it is first asked for data.
pub struct TrackedBody {
    bytes: Option<Bytes>,
    started: Started,
}

impl TrackedBody {
    /// Wraps `bytes`; the mark is shared with the caller.
    pub fn new(bytes: Bytes, started: Started) -> Self {
        Self { bytes: Some(bytes), started }
    }
}

impl http_body::Body for TrackedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        failpoint!("writing");
        self.started.0.store(true, Ordering::Release);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    // An exact size makes it a Content-Length request; WeChat's gateways do not all take chunked ones.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
