//! `routine-template work`: delivers what PHP has queued, as a service of its own.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::accounts::Role;
use super::bell::Bell;
use super::drain::{Drain, Progress};
use super::engine::Engine;
use crate::config::{Settings, StorePlace};
use crate::connections::Connections;
use crate::error::Error;
use crate::language::Language;
use crate::network::deadline::Deadline;
use crate::process::Process;
use crate::store::handle::{Outage, StoreHandle};
use crate::thread::spawn_without_signals;

/// As much as the C library gives a main thread.
const STACK: usize = 8 * 1024 * 1024;
/// Between two progress lines, and between two looks whether the outbox is empty.
const TICK: Duration = Duration::from_secs(1);
const DRAIN_TICK: Duration = Duration::from_millis(100);
/// Between two counts of what waits.
const COUNT: Duration = Duration::from_millis(900);
/// How long a look at the store for the progress line may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Delivers queued messages until SIGTERM or SIGINT
#[derive(Debug, Clone, clap::Args)]
pub struct WorkArgs {
    /// The store: a directory, or redis://…; without it, the same default as in PHP
    #[arg(long, value_name = "PLACE", env = "ROUTINE_TEMPLATE_STORE", hide_env_values = true)]
    pub store: Option<String>,
    /// Requests in flight at once, for each account (1 … 256)
    #[arg(long, value_name = "N", default_value = "32")]
    pub concurrency: String,
    /// What a written record survives: power | process
    #[arg(long, value_name = "WHAT", default_value = "power")]
    pub durability: String,
    /// CA certificates for a rediss:// store
    #[arg(long, value_name = "PATH")]
    pub ca_file: Option<String>,
    /// Write events (JSON lines) about the store to this file
    #[arg(long, value_name = "PATH")]
    pub log_file: Option<String>,
    /// Seconds that messages under way have to end when a signal asks to stop
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub grace: u64,
    /// End as soon as nothing is due any more, or what is due cannot be sent (for cron)
    #[arg(long)]
    pub drain: bool,
    /// No progress line
    #[arg(long)]
    pub quiet: bool,
}

/// Why a deliverer cannot work, or did not end as it should.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// A setting is wrong.
    #[error("{0}")]
    Settings(#[from] Error),
    /// There is nothing to deliver from.
    #[error("a store is needed: --store /var/lib/routine-template, or redis://…")]
    NoStore,
    /// The system refuses a thread, a signal handler or the terminal.
    #[error("{0}")]
    System(#[from] io::Error),
    /// By a fault of our own.
    #[error("the deliverer has ended by itself, please report it")]
    Ended,
    /// Messages were under way when the time was over.
    #[error(
        "messages were still under way after {0} seconds; they read `unknown` unless their answers are yet written"
    )]
    Unfinished(u64),
    /// A drain leaves messages that are due.
    #[error("messages wait that cannot be sent at this moment; they stay in the outbox")]
    Stuck,
}

/// Runs the deliverer.
pub fn run(args: &WorkArgs) -> Result<(), WorkError> {
    let settings = Arc::new(args.settings()?);
    if settings.store == StorePlace::Off {
        return Err(WorkError::NoStore);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything is claimed: a signal that comes at once must not kill it half way.
    let mut signals = {
        let _guard = runtime.enter();
        Signals::listen()?
    };
    let process = Process::current()?;
    let bell = Arc::new(Bell::default());
    let connections = Arc::<Connections>::default();
    let thread = {
        let (bell, settings, connections) = (bell.clone(), settings.clone(), connections.clone());
        spawn_without_signals("routine-deliver", STACK, move || {
            let mut engine = Engine::new(process, connections, bell, Role::Worker);
            engine.attend(&settings);
            engine.run()
        })?
    };
    let mut watch = Watch::new(process, connections.store(&settings), args);
    runtime.block_on(async {
        let tick = if args.drain { DRAIN_TICK } else { TICK };
        let mut drain = args.drain.then(|| Drain::begun(Instant::now()));
        let mut progress = Progress::Busy;
        while !thread.is_finished() && progress == Progress::Busy && !signals.within(tick).await {
            watch.tick()?;
            if let Some(drain) = &mut drain {
                progress = watch.progress(drain);
            }
        }
        stop(&bell, thread, &mut signals, args.grace).await?;
        watch.end()?;
        if progress == Progress::Stuck { Err(WorkError::Stuck) } else { Ok(()) }
    })
}

async fn stop(
    bell: &Bell,
    thread: JoinHandle<io::Result<()>>,
    signals: &mut Signals,
    grace: u64,
) -> Result<(), WorkError> {
    let asked = !thread.is_finished();
    let until = Instant::now() + Duration::from_secs(grace);
    bell.stop(until);
    // A second signal is impatience.
    while !thread.is_finished() && Instant::now() < until + TICK && !signals.within(Duration::from_millis(5)).await {}
    if !thread.is_finished() {
        return Err(WorkError::Unfinished(grace));
    }
    match thread.join() {
        Ok(result) if asked => Ok(result?),
        Ok(Err(error)) => Err(error.into()),
        _ => Err(WorkError::Ended),
    }
}

impl WorkArgs {
    fn settings(&self) -> Result<Settings, Error> {
        let mut pairs = vec![("concurrency", self.concurrency.as_str()), ("durability", self.durability.as_str())];
        let given = [("store", &self.store), ("ca_file", &self.ca_file), ("log_file", &self.log_file)];
        pairs.extend(given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
        Settings::from_pairs(pairs)
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Whether one comes within so long.
    async fn within(&mut self, time: Duration) -> bool {
        tokio::select! {
            _ = self.terminate.recv() => true,
            _ = self.interrupt.recv() => true,
            () = tokio::time::sleep(time) => false,
        }
    }
}

/// What a person sees.
struct Watch {
    process: &'static Process,
    store: Arc<StoreHandle>,
    language: Language,
    shows_progress: bool,
    delivered: u64,
    counted: Instant,
    store_down: bool,
}

impl Watch {
    fn new(process: &'static Process, store: Arc<StoreHandle>, args: &WorkArgs) -> Self {
        let shows_progress = !args.quiet && io::stderr().is_terminal();
        Self {
            process,
            store,
            language: Language::of_environment(),
            shows_progress,
            delivered: 0,
            counted: Instant::now(),
            store_down: false,
        }
    }

    fn tick(&mut self) -> io::Result<()> {
        // The deliverer uses the same store.
        let condition = self.store.condition();
        let down = condition.error.is_some();
        if down != self.store_down {
            self.store_down = down;
            let (place, error) = (condition.place.unwrap_or_default(), condition.error.unwrap_or_default());
            let words = match (down, self.language) {
                (true, Language::Chinese) => format!("存储 {place} 不可用，稍后重试：{error}"),
                (true, Language::English) => format!("the store {place} cannot be used, trying again: {error}"),
                (false, Language::Chinese) => format!("存储 {place} 已恢复"),
                (false, Language::English) => format!("the store {place} is back"),
            };
            self.clear()?;
            writeln!(io::stderr(), "{words}")?;
        }
        // Counting costs the more the longer the queue is, so only for somebody who looks.
        if !self.shows_progress || self.counted.elapsed() < COUNT {
            return Ok(());
        }
        let Ok(pending) = self.pending() else { return Ok(()) };
        let stats = &self.process.stats;
        let delivered = stats.delivered.get();
        let rate = (delivered - self.delivered) as f64 / self.counted.elapsed().as_secs_f64().max(0.001);
        let rate = rate.round();
        (self.delivered, self.counted) = (delivered, Instant::now());
        let refused = stats.refused_wechat.get() + stats.refused_local.get();
        let (retried, unknown, expired) = (stats.retried.get(), stats.transport_unknown.get(), stats.expired.get());
        let words = match self.language {
            Language::Chinese => format!(
                "已送达 {delivered}（{rate}/秒） 被拒 {refused} 重试 {retried} 未知 {unknown} 过期 {expired} 等待 {pending}"
            ),
            Language::English => format!(
                "delivered {delivered} ({rate}/s)  refused {refused}  retried {retried}  unknown {unknown}  expired {expired}  waiting {pending}"
            ),
        };
        self.clear()?;
        write!(io::stderr(), "{words}")?;
        io::stderr().flush()
    }

    fn clear(&self) -> io::Result<()> {
        if self.shows_progress { write!(io::stderr(), "\r\x1b[K") } else { Ok(()) }
    }

    /// How many messages there are, of all accounts.
    fn pending(&self) -> Result<u64, Outage> {
        self.store.insist(Deadline::after(PATIENCE), &self.process.stats, |store, until| {
            let mut appids: Vec<String> = store.queues(None, until)?.into_iter().map(|queue| queue.appid).collect();
            appids.dedup();
            appids.iter().map(|appid| store.pending(appid, until)).sum()
        })
    }

    /// How far a drain is.
    fn progress(&self, drain: &mut Drain) -> Progress {
        let queues =
            self.store.insist(Deadline::after(PATIENCE), &self.process.stats, |store, until| store.queues(None, until));
        drain.look(queues.ok().as_deref(), self.process.stats.claimed.get(), Instant::now())
    }

    fn end(&self) -> io::Result<()> {
        if self.shows_progress { writeln!(io::stderr()) } else { Ok(()) }
    }
}
