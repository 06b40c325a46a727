//! Messages for the outbox, and what a deliverer does with them.

use std::time::Duration;

use routine_template::config::Secret;
use routine_template::message::Channel;
use routine_template::store::*;

use crate::shop::{APP, HOUR, Message, Shop, Verdict, soon};

pub const MINUTE: Duration = Duration::from_secs(60);

/// A message and its parcel.
#[derive(Debug, Clone)]
pub struct Post {
    pub message: Message,
    pub body: Vec<u8>,
    pub delay: Duration,
    pub expires: Duration,
    pub timeout: Duration,
    pub resend_unknown: bool,
    pub sender: Sender,
}

impl Post {
    pub fn of(message: Message) -> Self {
        Self {
            message,
            body: b"{}".to_vec(),
            delay: Duration::ZERO,
            expires: HOUR,
            timeout: HOUR,
            resend_unknown: false,
            sender: sender("1"),
        }
    }

    pub fn to(openid: &str) -> Self {
        Self::of(Message::to(openid))
    }

    pub fn keyed(openid: &str, key: &str) -> Self {
        Self::of(Message::keyed(openid, key))
    }

    pub fn delayed(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// One of which an attempt has that long.
    pub fn quick(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// One that is sent again after an attempt of which nobody knows.
    pub fn stubborn(self) -> Self {
        Self { resend_unknown: true, ..self }
    }

    /// The same message as another call would queue it.
    pub fn again(&self) -> Self {
        Self { message: self.message.again(), ..self.clone() }
    }

    pub fn parcel(&self) -> Parcel<'_> {
        Parcel {
            body: &self.body,
            delay: self.delay,
            expires: self.expires,
            timeout: self.timeout,
            resend_unknown: self.resend_unknown,
            sender: &self.sender,
        }
    }
}

pub fn sender(version: &str) -> Sender {
    Sender { version: version.to_owned(), settings: Secret::new(format!("{{\"secret\":\"of {version}\"}}")) }
}

/// What `finish` of a job of that channel wants to know.
pub fn of_job(job: &Job, channel: Channel) -> Message {
    Message {
        id: job.id,
        shown_openid: Some(job.shown_openid.clone()),
        template: job.template_id.clone(),
        channel,
        key: job.key.clone(),
        policy: job.policy,
        queued: true,
        ..Message::to(&job.openid)
    }
}

/// A claim by this process of what waits for an account's channel. No lease has a margin.
pub fn claim<'a>(appid: &'a str, channel: Channel, limit: usize, owner: &'a Owner) -> Claim<'a> {
    Claim { id: MessageId::new(), owner, appid, channel, limit, margin: Duration::ZERO, retention: HOUR }
}

pub fn ids(jobs: &[Job]) -> Vec<MessageId> {
    jobs.iter().map(|job| job.id).collect()
}

impl Shop {
    pub fn enqueue(&self, post: &Post) -> Enqueued {
        self.store().enqueue(&post.message.begin(), &post.parcel(), soon()).unwrap()
    }

    /// Queues what must be queued.
    #[track_caller]
    pub fn queue(&self, post: &Post) -> MessageId {
        match self.enqueue(post) {
            Enqueued::Queued(id) => id,
            other => panic!("not Queued: {other:?}"),
        }
    }

    /// Queues what must be known.
    #[track_caller]
    pub fn known_to_queue(&self, post: &Post) -> Delivery {
        match self.enqueue(post) {
            Enqueued::Known(delivery) => delivery,
            other => panic!("not Known: {other:?}"),
        }
    }

    pub fn claim(&self, limit: usize) -> Claimed {
        self.claim_of(Channel::Subscribe, limit)
    }

    pub fn claim_of(&self, channel: Channel, limit: usize) -> Claimed {
        self.store().claim(&claim(APP, channel, limit, &Owner::current()), soon()).unwrap()
    }

    /// The only message that can be claimed.
    #[track_caller]
    pub fn job(&self) -> Job {
        let claimed = self.claim(256);
        assert!(claimed.jobs.len() == 1 && claimed.ended.is_empty() && !claimed.more, "{claimed:?}");
        claimed.jobs.into_iter().next().unwrap()
    }

    /// Nothing can be claimed.
    #[track_caller]
    pub fn nothing_to_claim(&self) {
        assert_eq!(self.claim(256), Claimed::default());
    }

    /// The only message that is due ends by being claimed.
    #[track_caller]
    pub fn ends_when_claimed(&self, id: MessageId, state: State) {
        assert_eq!(self.claim(256), Claimed { ended: vec![(id, state)], ..Claimed::default() });
    }

    pub fn close(&self, job: &Job, verdict: &Verdict) {
        let message = of_job(job, Channel::Subscribe);
        self.close_as(&message, job, verdict);
    }

    /// The same with the message as the deliverer calls it.
    pub fn close_as(&self, message: &Message, job: &Job, verdict: &Verdict) {
        let going = crate::shop::Going { id: job.id, epoch: job.epoch, grant: job.grant, seen: job.seen };
        self.finish(message, going, verdict);
    }

    /// Queues a message, and claims it: the only one.
    #[track_caller]
    pub fn take(&self, post: &Post) -> Job {
        let id = self.queue(post);
        let job = self.job();
        assert_eq!(job.id, id);
        job
    }

    pub fn pending(&self) -> u64 {
        self.store().pending(APP, soon()).unwrap()
    }
}
