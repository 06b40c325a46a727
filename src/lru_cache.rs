//! A short list of what was used lately.

/// Keeps a bounded number of things; the one that was used longest ago makes room for a new one.
#[derive(Debug)]
pub struct LruCache<T> {
    limit: usize,
    // The most recently used one comes last. These lists are short: looking through beats hashing.
    items: Vec<T>,
}

impl<T: Clone> LruCache<T> {
    /// An empty list of at most `limit` things.
    pub const fn new(limit: usize) -> Self {
        Self { limit, items: Vec::new() }
    }

    /// The thing that `wanted` tells, made if it is not there.
    pub fn get<E>(&mut self, wanted: impl Fn(&T) -> bool, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if let Some(index) = self.items.iter().rposition(wanted) {
            self.items.get_mut(index..).unwrap_or_default().rotate_left(1);
            if let Some(item) = self.items.last() {
                return Ok(item.clone());
            }
        }
        let item = make()?;
        if self.items.len() >= self.limit {
            self.items.remove(0);
        }
        self.items.push(item.clone());
        Ok(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn get(list: &mut LruCache<u32>, number: u32) -> bool {
        let mut made = false;
        let Ok(found) = list.get(
            |item| *item == number,
            || {
                made = true;
                Ok::<_, Infallible>(number)
            },
        );
        assert_eq!(found, number);
        made
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let mut list = LruCache::new(2);
        assert!(get(&mut list, 1) && get(&mut list, 2));
        assert!(!get(&mut list, 1), "it is there, and now used later than 2");
        assert!(get(&mut list, 3) && !get(&mut list, 1) && get(&mut list, 2));
    }

    #[test]
    fn what_cannot_be_made_takes_no_place() {
        let mut list = LruCache::new(1);
        assert!(get(&mut list, 1));
        assert_eq!(list.get(|item| *item == 2, || Err("broken")), Err("broken"));
        assert!(!get(&mut list, 1));
    }
}
