//! Messages of one receiver go one after another, in the order of the application. WeChat refuses what overlaps (43108).

use std::collections::{HashMap, VecDeque};

/// What waits for its turn: behind another message of the same receiver, or for nothing.
pub(super) struct Lanes<T> {
    ready: VecDeque<T>,
    behind: HashMap<String, VecDeque<T>>,
    waiting: usize,
}

impl<T> Lanes<T> {
    pub(super) fn new() -> Self {
        Self { ready: VecDeque::new(), behind: HashMap::new(), waiting: 0 }
    }

    /// Takes a message in: it may start if no other of this receiver has been admitted and not yet released.
    pub(super) fn admit(&mut self, receiver: &str, message: T) {
        match self.behind.get_mut(receiver) {
            Some(lane) => {
                lane.push_back(message);
                self.waiting += 1;
            }
            None => {
                self.behind.insert(receiver.to_owned(), VecDeque::new());
                self.ready.push_back(message);
            }
        }
    }

    /// The next message that may start.
    pub(super) fn next(&mut self) -> Option<T> {
        self.ready.pop_front()
    }

    /// A message that has to start once more comes before all others; it keeps its receiver.
    pub(super) fn again(&mut self, message: T) {
        self.ready.push_front(message);
    }

    /// A message has ended: the next one of its receiver may start.
    pub(super) fn release(&mut self, receiver: &str) {
        match self.behind.get_mut(receiver).and_then(VecDeque::pop_front) {
            Some(next) => {
                self.waiting -= 1;
                // They were read before anything that is still to come.
                self.ready.push_back(next);
            }
            None => {
                self.behind.remove(receiver);
            }
        }
    }

    /// How many are kept here.
    pub(super) fn len(&self) -> usize {
        self.ready.len() + self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_receiver_wait_for_one_another_and_those_of_others_do_not() {
        let mut lanes = Lanes::new();
        for (receiver, message) in [("a", 1), ("a", 2), ("b", 3), ("a", 4)] {
            lanes.admit(receiver, message);
        }
        assert_eq!((lanes.next(), lanes.next(), lanes.next(), lanes.len()), (Some(1), Some(3), None, 2));
        lanes.release("b");
        lanes.release("a");
        assert_eq!((lanes.next(), lanes.next()), (Some(2), None));
        lanes.again(2);
        lanes.admit("b", 5);
        assert_eq!((lanes.next(), lanes.next(), lanes.next()), (Some(2), Some(5), None));
        lanes.release("a");
        assert_eq!((lanes.next(), lanes.next(), lanes.len()), (Some(4), None, 0));
        lanes.release("a");
        lanes.release("b");
        assert!(lanes.behind.is_empty(), "who has nothing under way takes no memory");
    }
}
