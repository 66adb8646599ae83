//! What goes wrong, and when.

use plumbline_ports::PortError;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Runs while a call waits.
type Hook = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;
/// Tells whether a call is meant.
type Choice = Box<dyn Fn(&Call) -> bool + Send>;

/// What goes wrong with a call.
pub enum Fault {
    /// The call fails and takes no effect.
    Fail,
    /// The call takes effect; its answer is lost.
    LoseReply,
    /// The process dies before the call takes effect: every call fails until [`Plan::restart`].
    CrashBefore,
    /// The process dies after the call took effect.
    CrashAfter,
    /// This call and those that follow are throttled, so many in all; then all is well.
    Throttle(u64),
    /// The call waits until a hook is through, then takes effect.
    Delay(Hook),
    /// One bit of the object's bytes is wrong. A whole read is refused as damaged, as every adapter does;
    /// a part comes back wrong. Other calls are left alone.
    Damage,
    /// The object read is not there. Other calls are left alone.
    Missing,
    /// Only every second message of a send is taken. Other calls are left alone.
    TakeHalf,
}

impl Fault {
    /// Runs `hook` before the call takes effect, so that somebody else can act in between.
    pub fn delay<F>(hook: impl FnOnce() -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::Delay(Box::new(|| Box::pin(hook())))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fail => "fail",
            Self::LoseReply => "lose the reply",
            Self::CrashBefore => "crash before",
            Self::CrashAfter => "crash after",
            Self::Throttle(_) => "throttle",
            Self::Delay(_) => "delay",
            Self::Damage => "damage",
            Self::Missing => "missing",
            Self::TakeHalf => "take half",
        })
    }
}

/// A port under a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// Records.
    Records,
    /// Objects.
    Objects,
    /// The queue.
    Queue,
}

/// One call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number over all ports, from 0.
    pub number: u64,
    /// The port.
    pub port: Port,
    /// What was asked, in the words of the errors.
    pub op: &'static str,
    /// Of which rows, object, queue or receipt.
    pub what: String,
}

/// What goes wrong, and when; and what was called.
#[derive(Default)]
pub struct Plan(Mutex<State>);

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    at: BTreeMap<u64, Fault>,
    next: Vec<(Choice, Fault)>,
    throttled: u64,
    crashed: bool,
    fired: bool,
}

impl Plan {
    /// A plan by which nothing goes wrong.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans a fault for the call of a number, counted from the beginning or the last [`Plan::reset`].
    pub fn at(&self, number: u64, fault: Fault) {
        self.state().at.insert(number, fault);
    }

    /// Plans a fault for the next call that is meant.
    pub fn next(&self, is_meant: impl Fn(&Call) -> bool + Send + 'static, fault: Fault) {
        self.state().next.push((Box::new(is_meant), fault));
    }

    /// Ends a crash: calls work again. Counting goes on, faults that are not reached yet stay planned.
    pub fn restart(&self) {
        let mut state = self.state();
        state.crashed = false;
        state.throttled = 0;
    }

    /// Forgets everything: the calls, the faults, a crash.
    pub fn reset(&self) {
        *self.state() = State::default();
    }

    /// Whether any planned fault was reached.
    #[must_use]
    pub fn has_fired(&self) -> bool {
        self.state().fired
    }

    /// Whether the process is dead.
    #[must_use]
    pub fn is_crashed(&self) -> bool {
        self.state().crashed
    }

    /// Every call so far, but for those of a dead process.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How many calls there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.state().calls.len() as u64
    }

    /// Notes a call, and tells what goes wrong with it.
    pub(super) fn enter(
        &self,
        port: Port,
        op: &'static str,
        what: String,
    ) -> Result<Option<Fault>, PortError> {
        let mut state = self.state();
        if state.crashed {
            return Err(crashed(op));
        }
        let number = state.calls.len() as u64;
        let call = Call { number, port, op, what };
        let planned = state.at.remove(&number).or_else(|| {
            let place = state.next.iter().position(|(is_meant, _)| is_meant(&call))?;
            Some(state.next.remove(place).1)
        });
        state.calls.push(call);
        state.fired |= planned.is_some();
        match planned {
            Some(Fault::Throttle(calls)) => state.throttled = calls,
            Some(Fault::CrashBefore) => {
                state.crashed = true;
                return Err(crashed(op));
            }
            other if state.throttled == 0 => return Ok(other),
            _ => {}
        }
        if state.throttled == 0 {
            return Ok(None);
        }
        state.throttled -= 1;
        Err(PortError::unavailable(op, "throttled"))
    }

    fn crash(&self) {
        self.state().crashed = true;
    }

    /// Makes a call as planned. Faults of content are handed back with the answer, for the port to do.
    pub(super) async fn call<T, E: From<PortError>>(
        &self,
        port: Port,
        op: &'static str,
        what: String,
        work: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<(T, Option<Fault>), E> {
        let fault = self.enter(port, op, what)?;
        self.make(op, fault, work).await
    }

    /// Makes a call that was entered.
    pub(super) async fn make<T, E: From<PortError>>(
        &self,
        op: &'static str,
        fault: Option<Fault>,
        work: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<(T, Option<Fault>), E> {
        match fault {
            Some(Fault::Fail) => return Err(PortError::unavailable(op, "planned to fail").into()),
            Some(Fault::Delay(hook)) => {
                hook().await;
                // The hook may have ended the process.
                if self.is_crashed() {
                    return Err(crashed(op).into());
                }
                return work.await.map(|answer| (answer, None));
            }
            _ => {}
        }
        let answer = work.await;
        match fault {
            Some(Fault::LoseReply) => Err(PortError::unavailable(op, "the reply was lost").into()),
            Some(Fault::CrashAfter) => {
                self.crash();
                Err(crashed(op).into())
            }
            other => answer.map(|answer| (answer, other)),
        }
    }
}

fn crashed(op: &'static str) -> PortError {
    PortError::unavailable(op, "crashed")
}
