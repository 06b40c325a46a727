//! Faults that requests meet by chance.

use super::clock::Random;
use super::fault::FaultKind;

/// What the chances of one request add up to.
const THOUSAND: u32 = 1000;

/// A table of chances; the same seed gives the same requests, in the same order, the same faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RandomFaults {
    seed: u64,
    chances: Vec<FaultChance>,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultChance {
    /// A path such as `/cgi-bin/token`, or `*` for every path but `/__admin`.
    pub path: String,
    /// How many of a thousand requests of this path meet it.
    pub per_thousand: u32,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// Why a table of chances is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RandomFaultsError {
    /// There is nothing to meet.
    #[error("faults: empty")]
    Empty,
    /// A line that nothing can ever meet.
    #[error("faults[{0}]: per_thousand: not within 1 to 1000")]
    Never(usize),
    /// The lines of one path, those for every path among them.
    #[error("faults: the chances of {0} are more than 1000")]
    TooMany(String),
}

impl RandomFaults {
    /// Checks that no request would meet more than one fault.
    pub fn new(seed: u64, chances: Vec<FaultChance>) -> Result<RandomFaults, RandomFaultsError> {
        if chances.is_empty() {
            return Err(RandomFaultsError::Empty);
        }
        if let Some(place) = chances.iter().position(|chance| !(1..=THOUSAND).contains(&chance.per_thousand)) {
            return Err(RandomFaultsError::Never(place));
        }
        let faults = RandomFaults { seed, chances };
        let overfull = faults.chances.iter().find(|chance| {
            faults.of(&chance.path).map(|chance| u64::from(chance.per_thousand)).sum::<u64>() > u64::from(THOUSAND)
        });
        match overfull {
            Some(chance) => Err(RandomFaultsError::TooMany(chance.path.clone())),
            None => Ok(faults),
        }
    }

    /// The lines that requests of this path meet.
    fn of(&self, path: &str) -> impl Iterator<Item = &FaultChance> {
        self.chances.iter().filter(move |chance| chance.path == "*" || chance.path == path)
    }
}

/// A table in use.
#[derive(Debug)]
pub(super) struct Dice {
    table: RandomFaults,
    random: Random,
}

impl Dice {
    pub(super) fn new(table: RandomFaults) -> Dice {
        Dice { random: Random::seeded(table.seed), table }
    }

    /// What the next request meets: one throw each, whatever its path.
    pub(super) fn throw(&mut self, path: &str) -> Option<FaultKind> {
        let throw = self.random.next() % u64::from(THOUSAND);
        let mut below = 0;
        let met = self.table.of(path).find(|chance| {
            below += u64::from(chance.per_thousand);
            throw < below
        });
        met.map(|chance| chance.kind.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chance(path: &str, per_thousand: u32, kind: FaultKind) -> FaultChance {
        FaultChance { path: path.to_owned(), per_thousand, kind }
    }

    fn thrown(seed: u64, requests: usize) -> Vec<Option<FaultKind>> {
        let table = vec![chance("/a", 100, FaultKind::Hang), chance("*", 250, FaultKind::Garbage)];
        let mut dice = Dice::new(RandomFaults::new(seed, table).unwrap());
        (0..requests).map(|number| dice.throw(if number % 2 == 0 { "/a" } else { "/b" })).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_and_another_one_others() {
        assert_eq!(thrown(7, 200), thrown(7, 200));
        assert_ne!(thrown(7, 200), thrown(8, 200));
    }

    #[test]
    fn every_fault_is_met_about_as_often_as_its_chance_says_and_on_its_path_alone() {
        let thrown = thrown(1, 20_000);
        let of = |path: usize, kind: &FaultKind| {
            thrown.iter().skip(path).step_by(2).filter(|met| met.as_ref() == Some(kind)).count()
        };
        assert!((900..1100).contains(&of(0, &FaultKind::Hang)), "{}", of(0, &FaultKind::Hang));
        assert_eq!(of(1, &FaultKind::Hang), 0);
        for path in [0, 1] {
            assert!((2300..2700).contains(&of(path, &FaultKind::Garbage)), "{}", of(path, &FaultKind::Garbage));
        }
    }

    #[test]
    fn a_table_that_cannot_be_met_is_refused() {
        let refused = |table| RandomFaults::new(1, table).unwrap_err();
        assert_eq!(refused(vec![]), RandomFaultsError::Empty);
        let never = vec![chance("*", 1, FaultKind::Hang), chance("*", 0, FaultKind::Hang)];
        assert_eq!(refused(never), RandomFaultsError::Never(1));
        assert_eq!(refused(vec![chance("*", 1001, FaultKind::Hang)]), RandomFaultsError::Never(0));
        let full = vec![chance("*", 600, FaultKind::Hang), chance("/a", 401, FaultKind::Hang)];
        assert_eq!(refused(full), RandomFaultsError::TooMany("/a".to_owned()));
        let beside = vec![chance("/a", 1000, FaultKind::Hang), chance("/b", 1000, FaultKind::Hang)];
        assert!(RandomFaults::new(1, beside).is_ok());
    }
}
