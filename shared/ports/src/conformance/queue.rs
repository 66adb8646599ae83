//! What holds of every adapter of [`Queue`].
//!
//! Some rules let time pass. The caller hands in how: a manual clock that is moved, or a real wait.

#![expect(
    clippy::missing_panics_doc,
    reason = "a rule that does not hold panics; nothing else does"
)]
#![expect(clippy::unwrap_used, reason = "a rule that does not hold panics")]

use crate::PortError;
use crate::queue::{
    DeadLetter, Delivery, MAX_ATTEMPTS, MAX_MESSAGE_BYTES, MAX_MESSAGES, MAX_VISIBILITY, Outgoing,
    Queue, QueueName, Receipt, exhausted,
};
use futures::executor::block_on;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

/// Longer than any rule takes that lets no time pass.
const HIDDEN: Duration = Duration::from_mins(5);
const QUEUE: QueueName = QueueName::Compare;

/// How time passes.
#[derive(Clone, Copy)]
pub struct Time<'p> {
    /// The visibility time of the rules that wait for its end.
    pub short: Duration,
    /// How far from an end the rules look, so that what the calls take does not matter.
    pub margin: Duration,
    /// Lets time pass.
    pub pass: &'p (dyn Fn(Duration) + Send + Sync),
}

impl<'p> Time<'p> {
    /// Time that is moved at will.
    #[must_use]
    pub fn moved(pass: &'p (dyn Fn(Duration) + Send + Sync)) -> Self {
        Self { short: Duration::from_secs(30), margin: Duration::from_secs(1), pass }
    }

    /// Time that is waited for: no longer than must be.
    #[must_use]
    pub fn waited() -> Self {
        let (short, margin) = (Duration::from_secs(2), Duration::from_secs(1));
        Self { short, margin, pass: &std::thread::sleep }
    }

    fn long(self) -> Duration {
        self.short * 2
    }

    /// Lets a time pass but for a moment.
    fn pass_most_of(self, time: Duration) {
        (self.pass)(time.saturating_sub(self.margin));
    }

    /// Lets a time pass, and a moment more.
    fn pass_over(self, time: Duration) {
        (self.pass)(time + self.margin);
    }
}

/// Runs every rule. Each leaves the queues empty.
pub async fn all(queue: &dyn Queue, time: Time<'_>) {
    all_but_fairness(queue, time).await;
    a_group_with_many_messages_does_not_starve_others(queue).await;
}

/// Runs every rule but the one of fairness, which an emulator need not keep.
pub async fn all_but_fairness(queue: &dyn Queue, time: Time<'_>) {
    messages_come_once_while_hidden(queue, time).await;
    queues_are_apart(queue).await;
    messages_come_again_with_one_attempt_more(queue, time).await;
    a_delivery_is_extended(queue, time).await;
    a_message_is_given_back_at_once(queue).await;
    ended_deliveries_are_left_alone(queue, time).await;
    messages_are_given_up_after_enough_attempts(queue, time).await;
    messages_are_buried_with_a_reason(queue, time).await;
    limits_are_refused(queue).await;
    everything_sent_is_received(queue).await;
}

fn message(group: &str, body: &str) -> Outgoing {
    Outgoing { group: group.to_owned(), body: body.to_owned() }
}

/// Sends, and sends again what was not taken.
async fn send(queue: &dyn Queue, name: QueueName, mut messages: Vec<Outgoing>) {
    while !messages.is_empty() {
        let batch: Vec<Outgoing> = messages.drain(..messages.len().min(MAX_MESSAGES)).collect();
        let refused = queue.send(name, batch.clone()).await.unwrap();
        messages.extend(refused.into_iter().map(|place| batch[place].clone()));
    }
}

async fn send_one(queue: &dyn Queue, body: &str) {
    send(queue, QUEUE, vec![message("ws", body)]).await;
}

async fn receive(queue: &dyn Queue, limit: usize, visibility: Duration) -> Vec<Delivery> {
    let found = queue.receive(QUEUE, limit, visibility).await.unwrap();
    assert!(found.len() <= limit, "{} messages, but {limit} were asked for", found.len());
    found
}

async fn receive_one(queue: &dyn Queue, visibility: Duration) -> Delivery {
    let mut found = receive(queue, MAX_MESSAGES, visibility).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

async fn assert_nothing_waits(queue: &dyn Queue) {
    assert_eq!(receive(queue, MAX_MESSAGES, HIDDEN).await, []);
}

async fn assert_no_dead_letters(queue: &dyn Queue) {
    assert_eq!(queue.dead_letters(QUEUE, 10).await.unwrap(), []);
}

/// A message is delivered whole, hidden for its time, and gone when it is deleted.
pub async fn messages_come_once_while_hidden(queue: &dyn Queue, time: Time<'_>) {
    assert_nothing_waits(queue).await;
    let body = "ä\t\r\n\u{7f}\u{fffd}\u{10ffff}\"<&{}".repeat(100);
    send(queue, QUEUE, vec![message("ws_1#$%~", &body)]).await;
    let delivery = receive_one(queue, time.short).await;
    let told = (delivery.group.as_str(), &delivery.body, delivery.attempts);
    assert_eq!(told, ("ws_1#$%~", &body, 1));
    assert!(!delivery.message_id.is_empty());
    assert_nothing_waits(queue).await;
    time.pass_most_of(time.short);
    assert_nothing_waits(queue).await;
    queue.delete(QUEUE, &delivery.receipt).await.unwrap();
    time.pass_over(time.short);
    assert_nothing_waits(queue).await;
    queue.delete(QUEUE, &delivery.receipt).await.unwrap();
    assert_no_dead_letters(queue).await;
}

/// No queue sees the messages of another, also not by a receipt.
pub async fn queues_are_apart(queue: &dyn Queue) {
    send_one(queue, "here").await;
    assert_eq!(queue.receive(QueueName::Capture, 10, HIDDEN).await, Ok(Vec::new()));
    let delivery = receive_one(queue, HIDDEN).await;
    queue.delete(QueueName::Capture, &delivery.receipt).await.unwrap();
    queue.extend(QUEUE, &delivery.receipt, Duration::ZERO).await.unwrap();
    let delivery = receive_one(queue, HIDDEN).await;
    queue.delete(QUEUE, &delivery.receipt).await.unwrap();
}

/// A message that nobody deleted comes again, and says how often it came.
pub async fn messages_come_again_with_one_attempt_more(queue: &dyn Queue, time: Time<'_>) {
    send_one(queue, "again").await;
    let first = receive_one(queue, time.short).await;
    time.pass_over(time.short);
    let second = receive_one(queue, time.short).await;
    assert_eq!((first.attempts, second.attempts), (1, 2));
    assert_eq!((&first.message_id, &first.body), (&second.message_id, &second.body));
    assert_ne!(first.receipt, second.receipt);
    queue.delete(QUEUE, &second.receipt).await.unwrap();
}

/// The time of a delivery is counted from the extension, longer or shorter than before.
pub async fn a_delivery_is_extended(queue: &dyn Queue, time: Time<'_>) {
    send_one(queue, "extended").await;
    let delivery = receive_one(queue, time.short).await;
    (time.pass)(time.short / 2);
    queue.extend(QUEUE, &delivery.receipt, time.long()).await.unwrap();
    time.pass_most_of(time.long());
    assert_nothing_waits(queue).await;
    queue.extend(QUEUE, &delivery.receipt, time.short).await.unwrap();
    time.pass_over(time.short);
    let delivery = receive_one(queue, time.short).await;
    assert_eq!(delivery.attempts, 2);
    queue.delete(QUEUE, &delivery.receipt).await.unwrap();
}

/// An extension of zero gives a message back.
pub async fn a_message_is_given_back_at_once(queue: &dyn Queue) {
    send_one(queue, "back").await;
    let delivery = receive_one(queue, HIDDEN).await;
    queue.extend(QUEUE, &delivery.receipt, Duration::ZERO).await.unwrap();
    let delivery = receive_one(queue, HIDDEN).await;
    assert_eq!(delivery.attempts, 2);
    queue.delete(QUEUE, &delivery.receipt).await.unwrap();
}

/// A receiver whose time is over cannot touch the delivery of the next one.
pub async fn ended_deliveries_are_left_alone(queue: &dyn Queue, time: Time<'_>) {
    send_one(queue, "taken over").await;
    let old = receive_one(queue, time.short).await;
    time.pass_over(time.short);
    let new = receive_one(queue, time.short).await;
    queue.delete(QUEUE, &old.receipt).await.unwrap();
    queue.extend(QUEUE, &old.receipt, time.long()).await.unwrap();
    time.pass_over(time.short);
    let last = receive_one(queue, time.short).await;
    assert_eq!(last.attempts, 3, "the old receipt deleted and hid nothing");
    queue.extend(QUEUE, &old.receipt, Duration::ZERO).await.unwrap();
    queue.extend(QUEUE, &new.receipt, Duration::ZERO).await.unwrap();
    assert_nothing_waits(queue).await;
    queue.delete(QUEUE, &last.receipt).await.unwrap();
    for receipt in [old.receipt, last.receipt, Receipt("nonsense".to_owned())] {
        queue.delete(QUEUE, &receipt).await.unwrap();
        queue.extend(QUEUE, &receipt, time.short).await.unwrap();
    }
    time.pass_over(time.short);
    assert_nothing_waits(queue).await;
    assert_no_dead_letters(queue).await;
}

/// A message that always fails becomes a dead letter that says so; others go on.
pub async fn messages_are_given_up_after_enough_attempts(queue: &dyn Queue, time: Time<'_>) {
    send_one(queue, "poison").await;
    for attempt in 1..=MAX_ATTEMPTS {
        let delivery = receive_one(queue, time.short).await;
        assert_eq!(delivery.attempts, attempt);
        if attempt % 2 == 0 {
            queue.extend(QUEUE, &delivery.receipt, Duration::ZERO).await.unwrap();
        } else {
            time.pass_over(time.short);
        }
    }
    send_one(queue, "healthy").await;
    let healthy = receive_one(queue, time.short).await;
    assert_eq!(healthy.body, "healthy");
    queue.delete(QUEUE, &healthy.receipt).await.unwrap();
    let dead = queue.dead_letters(QUEUE, 10).await.unwrap();
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert_eq!((dead[0].body.as_str(), dead[0].group.as_str()), ("poison", "ws"));
    assert_eq!(dead[0].reason, exhausted());
    assert_eq!(dead[0].reason, "delivered 5 times without success");
    forget(queue, &dead).await;
}

async fn forget(queue: &dyn Queue, dead: &[DeadLetter]) {
    for letter in dead {
        queue.forget(QUEUE, &letter.receipt).await.unwrap();
        queue.forget(QUEUE, &letter.receipt).await.unwrap();
    }
    assert_no_dead_letters(queue).await;
}

/// A message that cannot be understood is given up at once; its reason stays with it.
pub async fn messages_are_buried_with_a_reason(queue: &dyn Queue, time: Time<'_>) {
    for number in 0..3 {
        send_one(queue, &format!("bad {number}")).await;
        let delivery = receive_one(queue, time.short).await;
        let reason = format!("not JSON ({number})");
        queue.bury(QUEUE, &delivery, &reason).await.unwrap();
        queue.delete(QUEUE, &delivery.receipt).await.unwrap();
    }
    time.pass_over(time.short);
    assert_nothing_waits(queue).await;
    assert_eq!(queue.dead_letters(QUEUE, 2).await.unwrap().len(), 2, "as many as asked for");
    assert_eq!(queue.dead_letters(QueueName::Capture, 10).await.unwrap(), []);
    let told = |dead: &[DeadLetter]| {
        let told = dead.iter().map(|letter| (letter.message_id.clone(), letter.body.clone()));
        told.collect::<BTreeSet<_>>()
    };
    let before = told(&queue.dead_letters(QUEUE, 10).await.unwrap());
    let dead = queue.dead_letters(QUEUE, 10).await.unwrap();
    assert_eq!(told(&dead), before, "listing takes nothing away");
    assert_eq!(before.len(), 3);
    let told: BTreeSet<(&str, &str)> =
        dead.iter().map(|letter| (letter.body.as_str(), letter.reason.as_str())).collect();
    let expected =
        [("bad 0", "not JSON (0)"), ("bad 1", "not JSON (1)"), ("bad 2", "not JSON (2)")];
    assert_eq!(told, expected.into());
    forget(queue, &dead).await;
}

/// The limits of sends, receives and times hold, and nothing of a refused send is taken.
pub async fn limits_are_refused(queue: &dyn Queue) {
    let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
    for messages in [
        vec![],
        vec![message("ws", "x"); MAX_MESSAGES + 1],
        vec![message("ws", "fine"), message("ws", "")],
        vec![message("ws", "fine"), message("ws", &long)],
        vec![message("ws", "fine"), message("", "x")],
        vec![message("ws", "fine"), message(&"w".repeat(129), "x")],
        vec![message("ws", "fine"), message("two words", "x")],
        vec![message("ws", "fine"), message("größe", "x")],
        vec![message("ws", "fine"), message("ws", "\u{0}")],
        vec![message("ws", "fine"), message("ws", "\u{1b}")],
        vec![message("ws", "fine"), message("ws", "\u{ffff}")],
    ] {
        let told = queue.send(QUEUE, messages).await;
        assert!(matches!(told, Err(PortError::Refused { .. })), "{told:?}");
    }
    let too_long = MAX_VISIBILITY + Duration::from_secs(1);
    for (limit, visibility) in [(0, HIDDEN), (MAX_MESSAGES + 1, HIDDEN), (1, too_long)] {
        let told = queue.receive(QUEUE, limit, visibility).await;
        assert!(matches!(told, Err(PortError::Refused { .. })), "{told:?}");
    }
    assert_nothing_waits(queue).await;
    send(queue, QUEUE, vec![message("ws", &long[1..])]).await;
    let delivery = receive_one(queue, MAX_VISIBILITY).await;
    assert_eq!(delivery.body.len(), MAX_MESSAGE_BYTES);
    let told = queue.extend(QUEUE, &delivery.receipt, too_long).await;
    assert!(matches!(told, Err(PortError::Refused { .. })), "{told:?}");
    queue.delete(QUEUE, &delivery.receipt).await.unwrap();
}

/// Groups with few messages are served before one with many is through.
pub async fn a_group_with_many_messages_does_not_starve_others(queue: &dyn Queue) {
    send(queue, QUEUE, (0..200).map(|n| message("noisy", &format!("noisy {n}"))).collect()).await;
    let quiet = ["quiet-1", "quiet-2", "quiet-3"];
    send(queue, QUEUE, quiet.iter().flat_map(|group| vec![message(group, group); 4]).collect())
        .await;
    let mut order = Vec::new();
    loop {
        let found = receive(queue, MAX_MESSAGES, HIDDEN).await;
        if found.is_empty() {
            break;
        }
        for delivery in found {
            order.push(delivery.group);
            queue.delete(QUEUE, &delivery.receipt).await.unwrap();
        }
    }
    assert_eq!(order.len(), 212, "everything came");
    for group in quiet {
        let last = order.iter().rposition(|served| served == group).unwrap();
        // Four rounds over four groups would be 16; twice that leaves room for another way of sharing.
        assert!(last < 32, "{group} was through only after {last} others: {order:?}");
    }
}

/// Nothing is lost, whatever order it comes in.
pub async fn everything_sent_is_received(queue: &dyn Queue) {
    let sent: Vec<Outgoing> =
        (0..97).map(|n| message(&format!("ws-{}", n % 7), &format!("body {n}"))).collect();
    send(queue, QUEUE, sent.clone()).await;
    let mut found = BTreeSet::new();
    for limit in [1, 3, 10].into_iter().cycle() {
        let deliveries = receive(queue, limit, HIDDEN).await;
        if deliveries.is_empty() {
            break;
        }
        for delivery in deliveries {
            queue.delete(QUEUE, &delivery.receipt).await.unwrap();
            found.insert((delivery.group, delivery.body));
        }
    }
    let sent: BTreeSet<_> = sent.into_iter().map(|sent| (sent.group, sent.body)).collect();
    assert_eq!(found, sent);
}

/// Many receivers at one time share the messages, each to one of them while it is hidden; for adapters
/// that need no runtime.
pub fn receivers_on_threads_share_the_messages(queue: &dyn Queue) {
    let sent: Vec<Outgoing> =
        (0..300).map(|n| message(&format!("ws-{}", n % 5), &format!("thread {n}"))).collect();
    block_on(send(queue, QUEUE, sent.clone()));
    let found = Mutex::new(BTreeMap::<String, u32>::new());
    std::thread::scope(|scope| {
        for limit in [1, 2, 3, 5, 7, 10] {
            let found = &found;
            scope.spawn(move || {
                loop {
                    let deliveries = block_on(receive(queue, limit, HIDDEN));
                    if deliveries.is_empty() {
                        return;
                    }
                    for delivery in deliveries {
                        *found.lock().unwrap().entry(delivery.body).or_default() += 1;
                        block_on(queue.delete(QUEUE, &delivery.receipt)).unwrap();
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert_eq!(found.len(), sent.len());
    assert!(found.values().all(|times| *times == 1), "each to one receiver");
}
