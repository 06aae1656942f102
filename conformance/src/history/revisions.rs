//! Revisions of which some are not known yet: they have their place in the order, and get a number once
//! somebody sees it.

/// A revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rev {
    /// It was told, or seen.
    Known(u64),
    /// It is one of those above a known one, counted from 1, and not seen yet.
    Hidden { above: u64, place: u32 },
}

/// The revisions that an object had, as far as they still matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Revisions {
    /// The greatest that is known.
    floor: u64,
    /// How many have come above it that are not known.
    hidden: u32,
    /// Older ones that are not known, between two that are.
    gaps: Vec<Gap>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Gap {
    above: u64,
    count: u32,
    below: u64,
}

/// A hidden revision that is known from now on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    above: u64,
    place: u32,
    number: u64,
}

impl Seen {
    /// Returns what a revision is called from now on.
    pub(super) fn rename(self, rev: Rev) -> Rev {
        match rev {
            Rev::Hidden { above, place } if above == self.above && place >= self.place => {
                if place == self.place {
                    Rev::Known(self.number)
                } else {
                    Rev::Hidden { above: self.number, place: place - self.place }
                }
            }
            other => other,
        }
    }
}

impl Revisions {
    /// Returns the revision of the object.
    pub(super) fn current(&self) -> Rev {
        match self.hidden {
            0 => Rev::Known(self.floor),
            place => Rev::Hidden { above: self.floor, place },
        }
    }

    /// Returns the lowest number that the revision of the object can have.
    pub(super) fn least(&self) -> u64 {
        self.floor.saturating_add(u64::from(self.hidden))
    }

    /// Gives the object a new revision; none if it cannot be the one that was told.
    pub(super) fn raise(&mut self, told: Option<u64>) -> Option<Rev> {
        match told {
            None => self.hidden += 1,
            Some(number) if number > self.least() => {
                if self.hidden > 0 {
                    self.gaps.push(Gap { above: self.floor, count: self.hidden, below: number });
                }
                (self.floor, self.hidden) = (number, 0);
            }
            Some(_) => return None,
        }
        Some(self.current())
    }

    /// Takes in the number of a hidden revision; none if it cannot have this one.
    pub(super) fn see(&mut self, above: u64, place: u32, number: u64) -> Option<Seen> {
        if number < above.saturating_add(u64::from(place)) {
            return None;
        }
        let seen = Seen { above, place, number };
        let before = |gaps: &mut Vec<Gap>| {
            if place > 1 {
                gaps.push(Gap { above, count: place - 1, below: number });
            }
        };
        if above == self.floor {
            before(&mut self.gaps);
            self.floor = number;
            self.hidden -= place;
            return Some(seen);
        }
        let at = self.gaps.iter().position(|gap| gap.above == above)?;
        let gap = self.gaps.remove(at);
        let rest = gap.count - place;
        if number.saturating_add(u64::from(rest)) >= gap.below {
            return None;
        }
        before(&mut self.gaps);
        if rest > 0 {
            self.gaps.push(Gap { above: number, count: rest, below: gap.below });
        }
        Some(seen)
    }

    /// Forgets gaps of which nobody can see anything any more.
    pub(super) fn keep(&mut self, is_used: impl Fn(u64) -> bool) {
        self.gaps.retain(|gap| is_used(gap.above));
        self.gaps.sort_unstable();
    }

    pub(super) fn has_gaps(&self) -> bool {
        !self.gaps.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_revision_lies_where_there_is_room() {
        let mut line = Revisions::default();
        assert_eq!(line.raise(Some(5)), Some(Rev::Known(5)));
        let hidden = line.raise(None).unwrap();
        assert_eq!(hidden, Rev::Hidden { above: 5, place: 1 });
        assert_eq!(line.clone().raise(Some(6)), None, "there is no room between 5 and 6");
        line.raise(None).unwrap();
        assert_eq!(line.clone().raise(Some(7)), None);
        line.raise(Some(9)).unwrap();
        assert!(line.clone().see(5, 1, 8).is_none(), "the second would have no room");
        assert!(line.clone().see(5, 2, 6).is_none(), "the first would have no room");
        let seen = line.see(5, 1, 7).unwrap();
        assert_eq!(seen.rename(hidden), Rev::Known(7));
        let second = seen.rename(Rev::Hidden { above: 5, place: 2 });
        assert_eq!(second, Rev::Hidden { above: 7, place: 1 });
        assert!(line.see(7, 1, 8).is_some());
        assert!(!line.has_gaps());
    }
}
