//! What all rounds come to.

use super::errand::Carried;
use super::plan::{Case, Subject, Work};
use crate::summary::Summary;

/// One round of one subject, with its place in the run.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) case: Case,
    pub(super) subject: Subject,
    pub(super) number: usize,
    pub(super) figures: Figures,
}

/// What a round has measured.
#[derive(Debug, Clone)]
pub(super) enum Figures {
    /// One export or import.
    Carried(Carried),
    /// Writers, and the backups meanwhile, each of which is an operation.
    Written { writers: Summary, backups: Option<Summary> },
}

impl Figures {
    /// Returns entries, or writes, a second.
    pub(super) fn rate(&self) -> f64 {
        match self {
            Self::Carried(carried) => carried.records_a_second(),
            Self::Written { writers, .. } => writers.rate,
        }
    }

    /// Returns what writers waited at most in 99 of 100 writes, in seconds.
    pub(super) fn p99(&self) -> f64 {
        match self {
            Self::Carried(carried) => carried.time.as_secs_f64(),
            Self::Written { writers, .. } => writers.p99.as_secs_f64(),
        }
    }
}

impl Carried {
    pub(super) fn records_a_second(&self) -> f64 {
        float(self.records) / self.time.as_secs_f64()
    }

    /// Returns millions of bytes a second.
    pub(super) fn megabytes_a_second(&self) -> f64 {
        float(self.bytes) / 1e6 / self.time.as_secs_f64()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

/// All rounds.
#[derive(Debug, Default)]
pub(super) struct Results {
    rounds: Vec<Round>,
}

impl Results {
    pub(super) fn add(&mut self, round: Round) {
        self.rounds.push(round);
    }

    pub(super) fn rounds(&self) -> &[Round] {
        &self.rounds
    }

    /// Returns the cases of some works in the order in which they were measured.
    pub(super) fn cases(&self, of: impl Fn(Work) -> bool) -> Vec<Case> {
        let mut cases: Vec<_> =
            self.rounds.iter().map(|round| round.case).filter(|case| of(case.work)).collect();
        cases.dedup();
        cases
    }

    /// Returns the round of the median rate; of an even number the lower one.
    pub(super) fn median(&self, case: Case, subject: Subject) -> Option<&Figures> {
        let mut rounds: Vec<_> = self.of(case, subject).map(|round| &round.figures).collect();
        rounds.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
        rounds.get(rounds.len().saturating_sub(1) / 2).copied()
    }

    /// Returns a figure of a subject as a multiple of that of the case's last subject: the median of the rounds, each
    /// of which measured both next to each other.
    pub(super) fn ratio(&self, case: Case, subject: Subject, figure: fn(&Figures) -> f64) -> Option<f64> {
        let peer = *case.subjects().last().filter(|peer| **peer != subject)?;
        let mut ratios: Vec<_> = (self.of(case, subject))
            .filter_map(|round| {
                let peer = self.of(case, peer).find(|other| other.number == round.number)?;
                let of_peer = figure(&peer.figures);
                (of_peer > 0.0).then(|| figure(&round.figures) / of_peer)
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len().saturating_sub(1) / 2).copied()
    }

    /// Returns the most that a process of a subject had in memory in any round, in KiB.
    pub(super) fn peak(&self, case: Case, subject: Subject) -> Option<u64> {
        let peaks = self.of(case, subject).filter_map(|round| match &round.figures {
            Figures::Carried(carried) => carried.memory,
            Figures::Written { backups, .. } => backups.as_ref()?.memory,
        });
        peaks.map(|memory| memory.peak).max()
    }

    fn of(&self, case: Case, subject: Subject) -> impl Iterator<Item = &Round> {
        self.rounds.iter().filter(move |round| round.case == case && round.subject == subject)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::memory::Memory;
    use crate::plan::Engine;

    #[test]
    fn ratios_are_within_rounds_and_the_peak_is_of_all() {
        let case = Case { work: Work::Export, engine: Engine::Redb, processes: 1, size: 10 };
        let mut results = Results::default();
        // The whole machine is slow in the second round.
        for (number, (store, bare)) in [(20, 10), (400, 200), (30, 12)].into_iter().enumerate() {
            for (subject, millis) in [(Subject::Store, store), (Subject::Bare, bare)] {
                let memory = Some(Memory { peak: millis, ..Memory::default() });
                let time = Duration::from_millis(millis);
                let carried = Carried { time, bytes: 4000, records: 100, memory };
                results.add(Round { case, subject, number, figures: Figures::Carried(carried) });
            }
        }
        assert_eq!(results.cases(Work::carries), [case]);
        let ratio = results.ratio(case, Subject::Store, Figures::rate).unwrap();
        assert!((ratio - 0.5).abs() < 1e-9, "{ratio}");
        assert!((results.median(case, Subject::Store).unwrap().rate() - 100.0 / 0.03).abs() < 1e-6);
        assert_eq!(results.peak(case, Subject::Store), Some(400));
        assert_eq!(results.ratio(case, Subject::Bare, Figures::rate), None);
    }
}
