//! The processes of one way: started, listened to, and gone when this is dropped.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::part::{Part, Role, Said};
use super::tally::Tally;
use crate::exit::{Code, Failure};

/// How long all processes may be silent before they are taken for hung.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often signals are looked for while nobody says anything.
const PULSE: Duration = Duration::from_millis(100);

/// What the main process hears: the signals sent to it.
#[derive(Debug)]
pub(super) struct Stage {
    signals: Receiver<u8>,
}

impl Stage {
    /// Makes a stage that ends with a signal.
    pub(super) fn new(signals: Receiver<u8>) -> Self {
        Self { signals }
    }

    /// Prefers a signal to the failure that it may have caused: Ctrl-C reaches all processes at once.
    fn or_interrupted(&self, failure: Failure) -> Failure {
        self.signals.recv_timeout(PULSE).map_or(failure, Failure::Interrupted)
    }
}

/// What became known of a process.
enum News {
    Said(Said),
    Ended,
}

/// A process, and what it has said so far.
struct Member {
    name: String,
    role: Role,
    process: Child,
    stdin: Option<ChildStdin>,
    ready: bool,
    sent: u64,
    refused: Option<String>,
    done: Option<Tally>,
    ended: bool,
}

/// The processes. Dropping it kills those that still run, each by its own id, and waits for them.
pub(super) struct Crew<'a> {
    stage: &'a Stage,
    members: Vec<Member>,
    news: Receiver<(usize, News)>,
}

impl<'a> Crew<'a> {
    /// Starts a process for each part.
    pub(super) fn start(stage: &'a Stage, parts: Vec<Part>) -> Result<Self, Failure> {
        let (sender, news) = channel();
        let mut crew = Self { stage, members: Vec::new(), news };
        for part in parts {
            let member = Member::start(&part, crew.members.len(), &sender)?;
            crew.members.push(member);
            if let Some(member) = crew.members.last_mut() {
                member.tell(
                    &serde_json::to_string(&part).map_err(|e| Failure::told(Code::Other, e.to_string()))?,
                )?;
            }
        }
        Ok(crew)
    }

    /// Waits until all have opened what they work on.
    pub(super) fn wait_until_ready(&mut self) -> Result<(), Failure> {
        self.listen_until(|members| members.iter().all(|member| member.ready))
    }

    /// Waits until all have said whether they can be who they should be; returns why one cannot.
    pub(super) fn refusal(mut self) -> Result<Option<String>, Failure> {
        self.listen_until(|members| members.iter().all(|member| member.ready || member.refused.is_some()))?;
        Ok(self.members.iter_mut().find_map(|member| member.refused.take()))
    }

    /// Lets all go at once.
    pub(super) fn go(&mut self) -> Result<(), Failure> {
        self.members.iter_mut().try_for_each(|member| member.tell("go"))
    }

    /// Waits until all writers have done their part; shows how far they are.
    pub(super) fn wait_for_writers(&mut self, name: &str, all: u64) -> Result<(), Failure> {
        let bar = spinner();
        self.listen_until(|members| {
            let writers = || members.iter().filter(|member| member.role == Role::Write);
            let sent: u64 = writers().map(|member| member.sent).sum();
            bar.set_message(format!("{name}: {sent} of {all} events"));
            writers().all(|member| member.done.is_some())
        })?;
        bar.finish_and_clear();
        Ok(())
    }

    /// Tells all to stop, and returns what they have counted.
    pub(super) fn finish(mut self) -> Result<Tally, Failure> {
        for member in &mut self.members {
            member.stdin = None;
        }
        self.listen_until(|members| members.iter().all(|member| member.ended))?;
        let mut sum = Tally::default();
        self.members.iter_mut().filter_map(|member| member.done.take()).for_each(|tally| sum.add(tally));
        Ok(sum)
    }

    fn listen_until(&mut self, enough: impl Fn(&[Member]) -> bool) -> Result<(), Failure> {
        let mut silent_since = Instant::now();
        while !enough(&self.members) {
            if let Ok(signal) = self.stage.signals.try_recv() {
                return Err(Failure::Interrupted(signal));
            }
            match self.news.recv_timeout(PULSE) {
                Ok((number, news)) => {
                    silent_since = Instant::now();
                    let learned = self.members.get_mut(number).map_or(Ok(()), |member| member.learn(news));
                    learned.map_err(|failure| self.stage.or_interrupted(failure))?;
                }
                Err(RecvTimeoutError::Timeout) if silent_since.elapsed() < PATIENCE => {}
                Err(_) => {
                    let why = format!("no process of the demo has said anything for {PATIENCE:?}");
                    return Err(Failure::told(Code::Other, why));
                }
            }
        }
        Ok(())
    }
}

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        for member in self.members.iter_mut().filter(|member| !member.ended) {
            let _ = member.process.kill();
        }
        for member in &mut self.members {
            let _ = member.process.wait();
        }
    }
}

impl Member {
    fn start(part: &Part, number: usize, news: &Sender<(usize, News)>) -> Result<Self, Failure> {
        let failed = |why: String| Failure::told(Code::Other, format!("cannot start a process: {why}"));
        let mut process = Command::new(myself().map_err(|e| failed(e.to_string()))?)
            .arg("demo-part")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| failed(e.to_string()))?;
        let stdin = process.stdin.take();
        let stdout = process.stdout.take().ok_or_else(|| failed("it has no stdout".into()))?;
        let news = news.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let said = serde_json::from_str(&line);
                let said = said.unwrap_or_else(|e| Said::Failed(Code::Other, format!("{e} in {line:?}")));
                let _ = news.send((number, News::Said(said)));
            }
            let _ = news.send((number, News::Ended));
        });
        let (kind, role) = (part.kind.as_str(), part.role);
        let user = part.user.map_or(String::new(), |user| format!(" of user {user}"));
        let name = match role {
            Role::Read => format!("{kind}: reader {}{user}", part.number),
            Role::Write => format!("{kind}: writer {}{user}", part.number),
            Role::Probe => format!("a process{user}"),
        };
        Ok(Self {
            name,
            role,
            process,
            stdin,
            ready: false,
            sent: 0,
            refused: None,
            done: None,
            ended: false,
        })
    }

    fn tell(&mut self, line: &str) -> Result<(), Failure> {
        let Some(stdin) = &mut self.stdin else { return Ok(()) };
        match writeln!(stdin, "{line}").and_then(|()| stdin.flush()) {
            // It has ended; why is among the news.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::told(Code::Other, format!("{}: cannot be told what to do: {error}", self.name)))
            }
            _ => Ok(()),
        }
    }

    fn learn(&mut self, news: News) -> Result<(), Failure> {
        match news {
            News::Said(Said::Ready) => self.ready = true,
            News::Said(Said::Refused(why)) => self.refused = Some(why),
            News::Said(Said::Sent(sent)) => self.sent = sent,
            News::Said(Said::Done(tally)) => self.done = Some(tally),
            News::Said(Said::Failed(code, why)) if self.role == Role::Probe => {
                return Err(Failure::told(code, why));
            }
            News::Said(Said::Failed(code, why)) => {
                return Err(Failure::told(code, format!("{}: {why}", self.name)));
            }
            News::Ended => {
                self.ended = true;
                if self.done.is_none() && self.role != Role::Probe {
                    let status =
                        self.process.wait().map_or_else(|e| e.to_string(), |status| status.to_string());
                    let why = format!("{}: ended before its part was done: {status}", self.name);
                    return Err(Failure::told(Code::Other, why));
                }
            }
        }
        Ok(())
    }
}

/// Returns this program: by a path that another user can execute whatever the rights of its folder.
fn myself() -> std::io::Result<std::path::PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// Makes a spinner; it shows on a terminal only.
fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
