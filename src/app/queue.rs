//! A message that is accepted now and delivered afterwards: the checks, one durable row, a ring for whoever delivers.

use std::thread;
use std::time::{Duration, Instant};

use super::App;
use super::admission::same_message;
use super::post::CallContext;
use super::{Prepared, failure};
use crate::config::DeliveryMode;
use crate::error::Error;
use crate::failpoint::failpoint;
use crate::message::{Channel, Message};
use crate::network::deadline::Deadline;
use crate::outbox::{Ring, sender};
use crate::process::Process;
use crate::store::handle::Outage;
use crate::store::{Enqueued, MessageId, Parcel, Queue, Sender};

/// Between two looks at an outbox that is being emptied.
const FIRST_LOOK: Duration = Duration::from_millis(2);
const LONGEST_LOOK: Duration = Duration::from_millis(50);

impl App {
    /// Accepts a message for delivery and answers its id. What cannot be sent is refused now.
    pub fn queue(&self, message: &Message<'_>) -> Result<String, Error> {
        self.require_account()?;
        let mut prepared = self.prepare(message)?;
        // The application's own token, while its code can be asked; that may take its time, or fork.
        let supplied = self.supplied_token(false)?;
        let process = Process::current()?;
        prepared.renew_id();
        let content = match &prepared.content {
            Ok(content) => content,
            Err(answer) => {
                let call = CallContext::new(self, process, Deadline::after(prepared.timeout))?;
                process.stats.refused_local.increment();
                let answer = self.leave_refusal(&call, &prepared, answer.clone());
                return Err(Error::Refused { code: answer.errcode, text: answer.in_words() });
            }
        };
        if !content.changes.is_empty() {
            process.stats.fitted.increment();
        }
        let options = &message.options.queue;
        let known = process.sender(&self.settings, supplied.as_ref().map(|held| &*held.token));
        let sender = known.sender();
        let parcel = Parcel {
            body: &content.body,
            delay: options.delay.unwrap_or_default(),
            expires: options.expires.unwrap_or(self.settings.queue_expires),
            timeout: prepared.timeout,
            resend_unknown: options.resend_unknown.unwrap_or(self.settings.resend_unknown),
            sender,
        };
        failpoint!("queueing");
        match self.enqueue(process, &prepared, &parcel) {
            Ok(Enqueued::Queued(id)) => {
                failpoint!("queued");
                process.stats.queued.increment();
                // Of a delayed one as well: somebody must be there when its time comes.
                self.ring(process, message.options.channel, sender);
                Ok(id.to_string())
            }
            Ok(Enqueued::Known(row)) => {
                same_message(&prepared.begin(self, process), &row)?;
                process.stats.duplicates.increment();
                Ok(row.id.to_string())
            }
            Err(outage) if options.or_send => self.send_instead(process, message, prepared.id, &outage),
            Err(outage) => Err(self.not_queued(process, &outage)),
        }
    }

    fn enqueue(&self, process: &Process, prepared: &Prepared, parcel: &Parcel<'_>) -> Result<Enqueued, Outage> {
        let mut begin = prepared.begin(self, process);
        begin.queued = true;
        // A store that has failed is asked all the same: this message has nowhere else to go.
        let store = process.connections().store(&self.settings);
        store.insist(Deadline::after(parcel.timeout), &process.stats, |store, until| {
            store.enqueue(&begin, parcel, until)
        })
    }

    /// Option `or_send`: no store can keep the message, so it goes now, or not at all.
    fn send_instead(
        &self,
        process: &Process,
        message: &Message<'_>,
        id: MessageId,
        outage: &Outage,
    ) -> Result<String, Error> {
        if let Outage::Failed(error) = outage
            && error.maybe_done
        {
            // It may be in the outbox, and would be sent twice.
            return Err(self.not_queued(process, outage));
        }
        let answer = self.send(message)?;
        if answer.errcode == 0 {
            return Ok(answer.id.unwrap_or(id).to_string());
        }
        Err(Error::Refused { code: answer.errcode, text: answer.in_words() })
    }

    fn not_queued(&self, process: &Process, outage: &Outage) -> Error {
        match outage {
            Outage::Off => Error::config(
                "设置 store 为 off，queue() 没有可保存消息的地方；请设置 store，或用选项 or_send 直接发送",
                "the setting store is off: queue() has nowhere to keep a message; set store, or send at once with option or_send",
            ),
            Outage::Failed(error) => {
                let condition = process.connections().store(&self.settings).condition();
                failure::store(error, condition.place.as_deref())
            }
        }
    }

    fn ring(&self, process: &'static Process, channel: Channel, sender: &Sender) {
        if self.settings.delivery == DeliveryMode::Worker {
            return;
        }
        // Where the application supplies the token the deliverer has it from the record, like any other process.
        let settings = match sender::is_whole(&self.settings) {
            true => Ok(self.settings.clone()),
            false => sender::settings(sender, &self.settings),
        };
        if let Ok(settings) = settings {
            process.deliver(Ring { settings, channel, sender: sender.version.clone() });
        }
    }

    /// Waits until nothing of this account is left in the outbox, for `patience` at most; answers how much is left. What is not due
    /// by then is not waited for.
    pub fn flush(&self, patience: Duration) -> Result<u64, Error> {
        let until = Instant::now() + patience;
        let mut look = FIRST_LOOK;
        let mut rung = false;
        loop {
            let queues = self.stored(|store, until| store.queues(Some(&self.settings.appid), until))?;
            let left = until.saturating_duration_since(Instant::now());
            if queues.iter().all(|queue| rests_beyond(queue, left)) {
                break;
            }
            if !rung {
                rung = true;
                let process = Process::current()?;
                let sender = self.stored(|store, until| store.sender(&self.settings.appid, until))?;
                for queue in &queues {
                    sender.iter().for_each(|sender| self.ring(process, queue.channel, sender));
                }
            }
            if left.is_zero() {
                break;
            }
            thread::sleep(look.min(left));
            look = (look * 2).min(LONGEST_LOOK);
        }
        self.stored(|store, until| store.pending(&self.settings.appid, until))
    }
}

/// Whether nothing of a queue is under way, or comes up before so much time has passed.
fn rests_beyond(queue: &Queue, left: Duration) -> bool {
    queue.lease_in.is_none() && queue.due_in.is_none_or(|due| due > left)
}
