//! What all participants of a round come to, and what all rounds do.

use std::time::Duration;

use crate::Result;
use crate::memory::Memory;
use crate::meter::{Tally, histogram};
use crate::plan::{Case, Part, Subject};
use crate::worker::Report;

/// One round of one subject.
#[derive(Debug, Clone)]
pub(crate) struct Summary {
    /// Successes a second, of all participants.
    pub(crate) rate: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) p999: Duration,
    /// What the slowest participant did, as a share of what one did on average.
    pub(crate) slowest: f64,
    /// The longest that a participant went without a success.
    pub(crate) longest_gap: Duration,
    /// Participants without a single success.
    pub(crate) silent: usize,
    /// Operations that did not end within their timeout.
    pub(crate) errors: u64,
    /// That of the process that has most after its work.
    pub(crate) memory: Option<Memory>,
}

impl Summary {
    pub(crate) fn of(reports: &[Report], time: Duration) -> Result<Self> {
        let tallies: Vec<&Tally> = reports.iter().flat_map(|report| &report.tallies).collect();
        let mut latencies = histogram()?;
        for &(nanos, count) in tallies.iter().flat_map(|tally| &tally.latencies) {
            latencies.saturating_record_n(nanos, count);
        }
        let quantile = |q| Duration::from_nanos(latencies.value_at_quantile(q));
        let done: u64 = tallies.iter().map(|tally| tally.done).sum();
        let least = tallies.iter().map(|tally| tally.done).min().unwrap_or(0);
        Ok(Self {
            rate: float(done) / time.as_secs_f64(),
            p50: quantile(0.5),
            p99: quantile(0.99),
            p999: quantile(0.999),
            slowest: float(least) * float(tallies.len() as u64) / float(done.max(1)),
            longest_gap: tallies.iter().map(|tally| tally.longest_gap).max().unwrap_or_default(),
            silent: tallies.iter().filter(|tally| tally.done == 0).count(),
            errors: tallies.iter().map(|tally| tally.errors).sum(),
            memory: reports.iter().filter_map(|report| report.memory).max_by_key(|memory| memory.after),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
fn float(count: u64) -> f64 {
    count as f64
}

/// A round with its place in the run.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) case: Case,
    pub(crate) subject: Subject,
    pub(crate) number: usize,
    pub(crate) summary: Summary,
}

/// All rounds.
#[derive(Debug, Default)]
pub(crate) struct Results {
    rounds: Vec<Round>,
}

impl Results {
    pub(crate) fn add(&mut self, round: Round) {
        self.rounds.push(round);
    }

    pub(crate) fn rounds(&self) -> &[Round] {
        &self.rounds
    }

    /// Returns the cases of a part in the order in which they were measured.
    pub(crate) fn cases(&self, part: Part) -> Vec<Case> {
        let cases = self.rounds.iter().map(|round| round.case).filter(|case| case.part == part);
        let mut cases: Vec<_> = cases.collect();
        cases.dedup();
        cases
    }

    /// Returns the round of the median rate; of an even number the lower one.
    pub(crate) fn median(&self, case: Case, subject: Subject) -> Option<&Summary> {
        let mut rounds: Vec<_> = self.of(case, subject).map(|round| &round.summary).collect();
        rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        rounds.get(rounds.len().saturating_sub(1) / 2).copied()
    }

    /// Returns a subject's rate as a multiple of its peer's: the median of the rounds, each of which measured
    /// both next to each other; none if the peer never had a success.
    pub(crate) fn ratio(&self, case: Case, subject: Subject, peer: Subject) -> Option<f64> {
        let mut ratios: Vec<_> = (self.of(case, subject))
            .filter_map(|round| {
                let peer = self.of(case, peer).find(|other| other.number == round.number)?;
                (peer.summary.rate > 0.0).then(|| round.summary.rate / peer.summary.rate)
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len().saturating_sub(1) / 2).copied()
    }

    fn of(&self, case: Case, subject: Subject) -> impl Iterator<Item = &Round> {
        self.rounds.iter().filter(move |round| round.case == case && round.subject == subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Crowd, Engine, Operation, Safety};

    fn report(tallies: Vec<Tally>, after: u64) -> Report {
        Report { tallies, memory: Some(Memory { before: 1, after, peak: after }) }
    }

    #[test]
    fn shares_gaps_and_the_silent() {
        let of = |done, millis| Tally {
            done,
            longest_gap: Duration::from_millis(millis),
            latencies: vec![(1000, done.max(1))],
            ..Tally::default()
        };
        let reports = [report(vec![of(30, 5), of(10, 70)], 9), report(vec![of(0, 2000)], 4)];
        let summary = Summary::of(&reports, Duration::from_secs(2)).unwrap();
        assert!((summary.rate - 20.0).abs() < 1e-9 && summary.slowest.abs() < 1e-9);
        assert_eq!((summary.silent, summary.longest_gap), (1, Duration::from_secs(2)));
        assert_eq!(summary.memory.unwrap().after, 9);
    }

    #[test]
    fn the_median_round_and_ratios_within_rounds() {
        let case = Case {
            part: Part::Throughput,
            engine: Engine::Redb,
            operation: Operation::Get,
            safety: Safety::Power,
            crowd: Crowd::Processes(1),
            size: 10,
        };
        let mut results = Results::default();
        // The whole machine is slow in the second round.
        for (number, (store, bare)) in [(10, 20), (2, 4), (12, 30)].into_iter().enumerate() {
            for (subject, done) in [(Subject::Store, store), (Subject::Bare, bare)] {
                let tally = Tally { done, ..Tally::default() };
                let summary = Summary::of(&[report(vec![tally], 1)], Duration::from_secs(1)).unwrap();
                results.add(Round { case, subject, number, summary });
            }
        }
        assert_eq!((results.cases(Part::Throughput), results.cases(Part::Size)), (vec![case], vec![]));
        assert!((results.median(case, Subject::Store).unwrap().rate - 10.0).abs() < 1e-9);
        assert!((results.ratio(case, Subject::Store, Subject::Bare).unwrap() - 0.5).abs() < 1e-9);
    }
}
