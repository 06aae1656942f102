//! The state of a store in a search: cheap to copy, to compare and to hash.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::revisions::{Rev, Revisions};

/// What a namespace holds; what it is called, and what its values are, stands elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Space {
    pub(super) revisions: Revisions,
    /// Key, value and revision, in the order of the keys.
    pub(super) keys: Vec<(u32, u32, Rev)>,
    /// In the order of their names.
    pub(super) logs: Vec<Log>,
}

/// A log: the content is a node of the trie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Log {
    pub(super) name: u32,
    pub(super) first: u64,
    pub(super) content: u32,
}

impl Space {
    /// Returns the value and the revision of a key.
    pub(super) fn key(&self, key: u32) -> Option<(u32, Rev)> {
        let at = self.keys.binary_search_by_key(&key, |held| held.0).ok()?;
        self.keys.get(at).map(|held| (held.1, held.2))
    }

    pub(super) fn put(&mut self, key: u32, value: u32, rev: Rev) {
        match self.keys.binary_search_by_key(&key, |held| held.0) {
            Ok(at) => {
                if let Some(held) = self.keys.get_mut(at) {
                    *held = (key, value, rev);
                }
            }
            Err(at) => self.keys.insert(at, (key, value, rev)),
        }
    }

    pub(super) fn log(&self, name: u32) -> Option<Log> {
        self.logs.iter().find(|log| log.name == name).copied()
    }

    pub(super) fn set_log(&mut self, log: Log) {
        if let Some(held) = self.logs.iter_mut().find(|held| held.name == log.name) {
            *held = log;
        } else {
            self.logs.push(log);
            self.logs.sort_unstable_by_key(|log| log.name);
        }
    }

    /// Takes in that a revision has a number; whether it can have it.
    pub(super) fn see(&mut self, rev: Rev, number: u64) -> bool {
        let Rev::Hidden { above, place } = rev else { return rev == Rev::Known(number) };
        let Some(seen) = self.revisions.see(above, place, number) else { return false };
        for held in &mut self.keys {
            held.2 = seen.rename(held.2);
        }
        self.tidy();
        true
    }

    /// Forgets what nobody can see any more, so that states are equal that behave alike.
    pub(super) fn tidy(&mut self) {
        if self.revisions.has_gaps() {
            let keys = &self.keys;
            let is_used =
                |from| keys.iter().any(|k| matches!(k.2, Rev::Hidden { above, .. } if above == from));
            self.revisions.keep(is_used);
        }
    }
}

/// The state of all namespaces of a part.
#[derive(Debug, Clone)]
pub(super) struct State(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    spaces: Vec<Rc<Sealed>>,
    hash: u64,
}

#[derive(Debug)]
struct Sealed {
    space: Space,
    hash: u64,
}

impl Sealed {
    fn new(space: Space) -> Rc<Self> {
        let mut hasher = DefaultHasher::new();
        space.hash(&mut hasher);
        Rc::new(Self { space, hash: hasher.finish() })
    }
}

/// Mixes the hash of a namespace with its place, so that those of a state can be added.
fn mixed(at: usize, hash: u64) -> u64 {
    let at = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash ^ at).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(31).wrapping_mul(0xc4ce_b9fe_1a85_ec53)
}

impl State {
    pub(super) fn new(spaces: Vec<Space>) -> Self {
        let spaces: Vec<_> = spaces.into_iter().map(Sealed::new).collect();
        let hash = (0..).zip(&spaces).fold(0_u64, |sum, (at, space)| sum.wrapping_add(mixed(at, space.hash)));
        Self(Rc::new(Inner { spaces, hash }))
    }

    /// Returns a namespace; a part knows how many it has.
    pub(super) fn space(&self, at: u32) -> Option<&Space> {
        self.0.spaces.get(at as usize).map(|sealed| &sealed.space)
    }

    /// Returns the state with some namespaces in another one.
    pub(super) fn with(&self, changed: Vec<(u32, Space)>) -> Self {
        let (mut spaces, mut hash) = (self.0.spaces.clone(), self.0.hash);
        for (at, space) in changed {
            let at = at as usize;
            if let Some(held) = spaces.get_mut(at) {
                hash = hash.wrapping_sub(mixed(at, held.hash));
                *held = Sealed::new(space);
                hash = hash.wrapping_add(mixed(at, held.hash));
            }
        }
        Self(Rc::new(Inner { spaces, hash }))
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        let same =
            |(a, b): (&Rc<Sealed>, &Rc<Sealed>)| Rc::ptr_eq(a, b) || (a.hash == b.hash && a.space == b.space);
        Rc::ptr_eq(&self.0, &other.0)
            || (self.0.hash == other.0.hash && self.0.spaces.iter().zip(&other.0.spaces).all(same))
    }
}

impl Eq for State {}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.0.hash);
    }
}
