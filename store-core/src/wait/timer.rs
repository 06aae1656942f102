//! Deadlines: one thread a process, for a thread that is stuck in a lock cannot answer for itself.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Instant;

use super::slot::{Slot, Stage};
use crate::error::{Error, ErrorKind, Result};

/// A call that answers when its deadline passes.
pub(crate) trait Expire: Send + Sync {
    /// Answers, unless there is an answer already.
    fn expire(&self);
}

/// A moment that a future can await: its time, or sooner if somebody calls it.
#[derive(Debug)]
pub(crate) struct Moment(Slot<()>);

impl Moment {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Slot::new()))
    }

    /// Awaits the moment; there must be somebody to call it.
    pub(crate) async fn called(&self) -> Result<()> {
        std::future::poll_fn(|context| self.0.poll(context)).await
    }

    /// Lets it come now.
    pub(crate) fn call(&self) {
        self.0.answer(Stage::Queued, Ok(()));
    }
}

impl Expire for Moment {
    fn expire(&self) {
        self.call();
    }
}

/// Awaits a time.
pub(crate) async fn sleep_until(time: Instant) -> Result<()> {
    let moment = Moment::new();
    let _alarm = Alarm::set(time, &moment)?;
    moment.called().await
}

/// Awaits a future until a time; none if it did not end by then.
pub(crate) async fn until<T>(time: Instant, future: impl Future<Output = T>) -> Result<Option<T>> {
    let mut future = std::pin::pin!(future);
    let mut sleep = std::pin::pin!(sleep_until(time));
    std::future::poll_fn(|context| {
        if let Poll::Ready(value) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(Some(value)));
        }
        sleep.as_mut().poll(context).map(|slept| slept.map(|()| None))
    })
    .await
}

/// The error of a thread that could not be started.
pub(crate) fn no_thread(source: std::io::Error) -> Error {
    let why = "cannot start a thread; raise the limit of processes of this user";
    Error::new(ErrorKind::Io, why).with_source(source)
}

type Key = (Instant, u64);

#[derive(Default)]
struct Alarms {
    /// When the thread wakes by itself at the latest: a later alarm need not wake it.
    wakes: Option<Instant>,
    next: u64,
    /// The process whose timer runs: a forked child starts its own.
    running_in: u32,
    due: BTreeMap<Key, Weak<dyn Expire>>,
}

#[derive(Default)]
struct Timer {
    alarms: Mutex<Alarms>,
    changed: Condvar,
}

static TIMER: LazyLock<Timer> = LazyLock::new(Timer::default);

/// An alarm that is set as long as this lives.
#[must_use = "the alarm is taken back when this is dropped"]
pub(crate) struct Alarm(Key);

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alarm").field(&self.0.0).finish()
    }
}

impl Alarm {
    /// Lets a call expire at its deadline.
    ///
    /// # Errors
    /// `Io` if the timer's thread cannot be started.
    pub(crate) fn set(deadline: Instant, call: &Arc<impl Expire + 'static>) -> Result<Self> {
        let mut alarms = TIMER.lock();
        let process = std::process::id();
        if alarms.running_in != process {
            let timer = std::thread::Builder::new().name("statestore-timer".into());
            timer.spawn(|| TIMER.run()).map_err(no_thread)?;
            alarms.running_in = process;
        }
        let key = (deadline, alarms.next);
        alarms.next += 1;
        let earliest = alarms.wakes.is_none_or(|wakes| deadline < wakes);
        let call: Weak<dyn Expire> = Arc::downgrade(call) as _;
        alarms.due.insert(key, call);
        drop(alarms);
        if earliest {
            TIMER.changed.notify_one();
        }
        Ok(Self(key))
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        TIMER.lock().due.remove(&self.0);
    }
}

impl Timer {
    fn lock(&self) -> MutexGuard<'_, Alarms> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut alarms = self.lock();
        loop {
            let now = Instant::now();
            let first = alarms.due.first_key_value().map(|(key, _)| key.0);
            alarms.wakes = first;
            alarms = match first {
                None => self.changed.wait(alarms).unwrap_or_else(PoisonError::into_inner),
                Some(due) if due > now => {
                    let waited = self.changed.wait_timeout(alarms, due - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                Some(_) => {
                    let call = alarms.due.pop_first().and_then(|(_, call)| call.upgrade());
                    // Expiring looks at files and takes other locks.
                    drop(alarms);
                    if let Some(call) = call {
                        call.expire();
                    }
                    self.lock()
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    struct Tell(Mutex<Sender<u8>>, u8);

    impl Expire for Tell {
        fn expire(&self) {
            let _ = self.0.lock().unwrap().send(self.1);
        }
    }

    #[test]
    fn alarms_ring_in_order_and_not_when_taken_back() {
        let (sender, receiver) = channel();
        let tell = |n| Arc::new(Tell(Mutex::new(sender.clone()), n));
        let now = Instant::now();
        let (later, sooner, never) = (tell(2), tell(1), tell(3));
        let _a = Alarm::set(now + Duration::from_millis(60), &later).unwrap();
        let _b = Alarm::set(now + Duration::from_millis(20), &sooner).unwrap();
        drop(Alarm::set(now + Duration::from_millis(5), &never).unwrap());
        let wait = Duration::from_secs(20);
        assert_eq!((receiver.recv_timeout(wait), receiver.recv_timeout(wait)), (Ok(1), Ok(2)));
        assert!(receiver.try_recv().is_err());
    }
}
