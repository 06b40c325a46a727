//! Answer bodies, whole and broken.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream::BoxStream;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// Size of the pieces of a huge answer.
const PIECE: u64 = 64 * 1024;
/// hyper writes a frame out when the body makes it wait; so long is a broken body silent before it breaks.
const FLUSH: Duration = Duration::from_millis(2);

/// An answer body. All but the live one announce their whole length.
pub(super) enum AnswerBody {
    /// In one piece.
    Whole(Option<Bytes>),
    /// Half of it, then the connection breaks.
    Half { first: Option<Bytes>, total: u64, pause: Pin<Box<Sleep>> },
    /// Byte by byte.
    Slow { rest: Bytes, gap: Duration, pause: Pin<Box<Sleep>> },
    /// So many bytes more.
    Huge { left: u64, piece: Bytes },
    /// As it happens.
    Live(BoxStream<'static, Result<Bytes, Infallible>>),
}

/// The body ends before its announced length.
#[derive(Debug, thiserror::Error)]
#[error("the answer is cut off on purpose")]
pub(super) struct CutOff;

impl From<Infallible> for CutOff {
    fn from(never: Infallible) -> CutOff {
        match never {}
    }
}

impl AnswerBody {
    pub(super) fn whole(bytes: Bytes) -> AnswerBody {
        AnswerBody::Whole(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    pub(super) fn half(bytes: &Bytes) -> AnswerBody {
        let first = bytes.slice(..bytes.len() / 2);
        AnswerBody::Half { first: Some(first), total: length(bytes.len()), pause: Box::pin(sleep(FLUSH)) }
    }

    pub(super) fn slow(bytes: Bytes, gap: Duration) -> AnswerBody {
        AnswerBody::Slow { rest: bytes, gap, pause: Box::pin(sleep(gap)) }
    }

    /// `{"errcode":0,"errmsg":"aaaa…` without an end.
    pub(super) fn huge(bytes: u64) -> AnswerBody {
        let mut piece = br#"{"errcode":0,"errmsg":""#.to_vec();
        piece.resize(usize::try_from(PIECE).unwrap_or(0), b'a');
        AnswerBody::Huge { left: bytes, piece: piece.into() }
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        match self.get_mut() {
            AnswerBody::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            AnswerBody::Half { first, pause, .. } => {
                if let Some(first) = first.take() {
                    return Poll::Ready(Some(Ok(Frame::data(first))));
                }
                ready!(pause.as_mut().poll(context));
                Poll::Ready(Some(Err(CutOff)))
            }
            AnswerBody::Slow { rest, gap, pause } => {
                if rest.is_empty() {
                    return Poll::Ready(None);
                }
                ready!(pause.as_mut().poll(context));
                *pause = Box::pin(sleep(*gap));
                Poll::Ready(Some(Ok(Frame::data(rest.split_to(1)))))
            }
            AnswerBody::Huge { left, piece } => {
                if *left == 0 {
                    return Poll::Ready(None);
                }
                let now = (*left).min(length(piece.len()));
                *left -= now;
                let frame = piece.slice(..usize::try_from(now).unwrap_or(0));
                if frame.first() == Some(&b'{') && frame.len() == piece.len() {
                    *piece = Bytes::from(vec![b'a'; piece.len()]);
                }
                Poll::Ready(Some(Ok(Frame::data(frame))))
            }
            AnswerBody::Live(events) => {
                let piece = ready!(events.as_mut().poll_next(context));
                Poll::Ready(piece.map(|piece| piece.map(Frame::data).map_err(CutOff::from)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            AnswerBody::Whole(bytes) => bytes.is_none(),
            AnswerBody::Half { .. } | AnswerBody::Live(_) => false,
            AnswerBody::Slow { rest, .. } => rest.is_empty(),
            AnswerBody::Huge { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            AnswerBody::Whole(bytes) => bytes.as_ref().map_or(0, |bytes| length(bytes.len())),
            AnswerBody::Half { total, .. } => *total,
            AnswerBody::Slow { rest, .. } => length(rest.len()),
            AnswerBody::Huge { left, .. } => *left,
            AnswerBody::Live(_) => return SizeHint::default(),
        })
    }
}
