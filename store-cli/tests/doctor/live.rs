//! Beside many writers: it harms nobody, and finds nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::{ENGINES, Place, Ran, numbers};

const WRITERS: usize = 6;
const EACH: u64 = 120;

#[test]
fn a_store_in_use_takes_no_harm() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.run(&["append", "bus", "events", "0"]).ok();
        let ended = AtomicBool::new(false);
        let looks = std::thread::scope(|scope| {
            let doctors =
                [&["doctor", "--json"][..], &["doctor", "--json", "--fix", "--adopt"]].map(|args| {
                    let (place, ended) = (&place, &ended);
                    scope.spawn(move || {
                        let mut looks = 0;
                        while !ended.load(Ordering::Acquire) || looks == 0 {
                            let ran = place.run(args);
                            let is_odd = |line: &str| {
                                let of_machine =
                                    line.contains(r#""space""#) || line.contains(r#""filesystem""#);
                                !line.contains(r#""state":"ok""#) && !of_machine
                            };
                            assert!(!ran.out.is_empty() && !ran.out.lines().any(is_odd), "{ran:?}");
                            looks += 1;
                        }
                        looks
                    })
                });
            let writers: Vec<_> = (0..WRITERS)
                .map(|n| {
                    let log = if n % 2 == 0 { "events" } else { "others" };
                    place.start(&["append", "bus", log, "--lines", "--each"], numbers(EACH).as_bytes())
                })
                .collect();
            // The doctors end whatever becomes of the writers.
            let written: Vec<_> = writers.into_iter().map(std::process::Child::wait_with_output).collect();
            ended.store(true, Ordering::Release);
            for output in written {
                let said = Ran::of(&["append"], &output.unwrap()).ok();
                assert_eq!(said.lines().count() as u64, EACH);
            }
            doctors.map(|doctor| doctor.join().unwrap())
        });
        assert!(looks.iter().all(|looks| *looks > 0), "{looks:?}");
        let all = place.run(&["log", "bus", "events"]).ok() + &place.run(&["log", "bus", "others"]).ok();
        assert_eq!(all.lines().count() as u64, 1 + WRITERS as u64 * EACH, "{engine}");
    }
}
