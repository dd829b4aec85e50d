//! What goes wrong between the broker and its clients, by a test's plan.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::request_match::{RequestFacts, RequestMatch};
use super::watch::Watch;
use crate::model::{BrokerId, ErrorCode};
use crate::server::intercept::{AnswerFate, Instead, Move, Ruling};
use crate::sys::{Rng, SeededRng};

/// The rules for faults of a [`TestBroker`](crate::TestBroker): [`TestBroker::faults`](crate::TestBroker::faults).
///
/// A request has all rules at once that mean it; where two want different things, the older one wins. Rules are about
/// requests over the wire: a native producer or consumer has no such faults.
///
/// # Examples
/// ```
/// use ottla::{ApiKey, ErrorCode, RequestMatch, TestBroker};
/// # fn main() -> Result<(), ottla::Error> {
/// let kafka = TestBroker::start()?;
/// // The first three attempts to produce to this topic find no leader, the fourth succeeds.
/// let produces = RequestMatch::of(ApiKey::Produce).topic("orders");
/// let rule = kafka.faults().on(produces).times(3).answer(ErrorCode::NotLeaderOrFollower);
/// // … the program under test runs …
/// assert_eq!(rule.hits(), 0);
/// rule.remove();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Faults {
    watch: Arc<Watch>,
}

impl Faults {
    pub(super) fn new(watch: &Arc<Watch>) -> Self {
        Faults { watch: Arc::clone(watch) }
    }

    /// Begins a rule for these requests.
    pub fn on(&self, requests: impl Into<RequestMatch>) -> FaultRule {
        FaultRule {
            faults: self.clone(),
            requests: requests.into(),
            skip: 0,
            times: u64::MAX,
            probability: 1.0,
        }
    }

    /// Ends all rules. Connections that wait for an answer which a rule has swallowed or dropped are closed.
    pub fn clear(&self) {
        self.watch.clear_faults();
    }

    /// What [`FaultRule::probability`] is drawn from: a test that failed fails again with the same one, given to
    /// [`TestBrokerBuilder::fault_seed`](crate::TestBrokerBuilder::fault_seed), if its requests come in the same order.
    pub fn seed(&self) -> u64 {
        self.watch.rules().seed
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.watch.rules().fmt(f)
    }
}

/// A rule on its way: which of the requests have it, and then, by the call that starts it, what goes wrong.
#[derive(Clone, Debug)]
#[must_use = "a rule starts with what goes wrong"]
pub struct FaultRule {
    faults: Faults,
    requests: RequestMatch,
    skip: u64,
    times: u64,
    probability: f64,
}

impl FaultRule {
    /// Spares the first `count` requests.
    pub fn skip(mut self, count: u64) -> Self {
        self.skip = count;
        self
    }

    /// Ends the rule after so many requests.
    pub fn times(mut self, count: u64) -> Self {
        self.times = count;
        self
    }

    /// Has the rule for each request with this probability only, from 0 to 1. The [seed](Faults::seed) is printed to
    /// stderr.
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// Does no work, and answers with this error: of the whole request where there is a place for it, else of
    /// everything that it asks for. Only DescribeLogDirs has a place for neither, before its version 3; and a produce
    /// with `acks=0` is not answered.
    pub fn answer(self, code: ErrorCode) -> FaultHandle {
        self.start(Effect::Instead(Instead::Error(code)))
    }

    /// Answers with this error for the topic, the partition, the group or the transactional id that the rule names, and
    /// does the work for the others that the request is about. A request that can only go wrong as a whole is answered
    /// as by [`FaultRule::answer`]; of DescribeLogDirs, which has no place for errors of partitions, the directory that
    /// the partition is in says the error.
    pub fn answer_there(self, code: ErrorCode) -> FaultHandle {
        self.start(Effect::There(code))
    }

    /// Ends new connections as soon as they are there, with a reset. What the rule says of requests does not count,
    /// since there are none yet; how often and how probably does. Connections that are there stay. (For a port at which
    /// nobody listens, [`stop`](crate::TestBroker::stop) the broker.)
    pub fn refuse_connections(self) -> FaultHandle {
        self.start(Effect::RefuseConnection)
    }

    /// Does no work and never answers. (A connection gets its answers in order: those behind it wait as well.)
    pub fn swallow(self) -> FaultHandle {
        self.start(Effect::Instead(Instead::Swallow))
    }

    /// Does no work and closes the connection.
    pub fn disconnect(self) -> FaultHandle {
        self.start(Effect::Instead(Instead::Disconnect))
    }

    /// Does the work, and answers so much later, on the broker's clock.
    pub fn delay(self, by: Duration) -> FaultHandle {
        self.start(Effect::Delay(by))
    }

    /// Does the work and never answers.
    pub fn drop_answer(self) -> FaultHandle {
        self.start(Effect::Answer(AnswerFate::Drop))
    }

    /// Does the work and closes the connection in place of an answer.
    pub fn disconnect_after(self) -> FaultHandle {
        self.start(Effect::Answer(AnswerFate::Disconnect))
    }

    /// Does the work, sends so many bytes of the answer behind its size, and closes the connection.
    pub fn cut_answer(self, size_bytes: usize) -> FaultHandle {
        self.start(Effect::Answer(AnswerFate::Cut(size_bytes)))
    }

    /// Tells the client in the answer to be quiet for so long, as a quota does. It is not held to it.
    pub fn throttle(self, by: Duration) -> FaultHandle {
        self.start(Effect::Throttle(by))
    }

    /// Damages the checksum of the first batch of each partition in the answer to a Fetch. What is on the disk stays
    /// whole.
    pub fn corrupt_crc(self) -> FaultHandle {
        self.start(Effect::CorruptCrc)
    }

    /// Has another broker lead the partitions that the rule and the request name, before the request is served: `to`, or
    /// the next one that is up. For a [broker that is several](crate::TestBrokerBuilder::nodes).
    ///
    /// # Panics
    /// If there is one broker only, or none with this id: the rule would never do anything.
    pub fn move_leader(self, to: impl Into<Option<BrokerId>>) -> FaultHandle {
        self.start_move(to.into(), Effect::MoveLeaders)
    }

    /// Has another broker coordinate the group, or the transactional id, that the request names, before it is served.
    ///
    /// # Panics
    /// As [`FaultRule::move_leader`].
    pub fn move_coordinator(self, to: impl Into<Option<BrokerId>>) -> FaultHandle {
        self.start_move(to.into(), Effect::MoveCoordinators)
    }

    /// Has another broker be the controller before the request is served.
    ///
    /// # Panics
    /// As [`FaultRule::move_leader`].
    pub fn move_controller(self, to: impl Into<Option<BrokerId>>) -> FaultHandle {
        self.start_move(to.into(), Effect::MoveController)
    }

    fn start_move(
        self,
        to: Option<BrokerId>,
        effect: impl FnOnce(Option<BrokerId>) -> Effect,
    ) -> FaultHandle {
        let nodes = self.faults.watch.node_ids();
        assert!(nodes.len() > 1, "nothing can move: there is one broker only");
        assert!(to.is_none_or(|to| nodes.contains(&to)), "nothing can move to {to:?}: there is {nodes:?}");
        self.start(effect(to))
    }

    fn start(self, effect: Effect) -> FaultHandle {
        let FaultRule { faults, requests, skip, times, probability } = self;
        let mut rules = faults.watch.rules();
        let id = rules.next_id;
        rules.next_id += 1;
        if probability < 1.0 && !std::mem::replace(&mut rules.seed_is_printed, true) {
            eprintln!("ottla: faults by chance, seed {}", rules.seed);
        }
        rules.rules.push(Rule { id, requests, effect, skip, left: times, probability, hits: 0 });
        drop(rules);
        FaultHandle { faults, id }
    }
}

/// A rule at work. Dropping the handle leaves it so.
#[derive(Clone, Debug)]
pub struct FaultHandle {
    faults: Faults,
    id: u64,
}

impl FaultHandle {
    /// Names the rule among those of its broker.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// How many requests had it; 0 after it was removed.
    pub fn hits(&self) -> u64 {
        let rules = self.faults.watch.rules();
        rules.rules.iter().find(|rule| rule.id == self.id).map_or(0, |rule| rule.hits)
    }

    /// Ends the rule.
    pub fn remove(&self) {
        self.faults.watch.rules().rules.retain(|rule| rule.id != self.id);
    }
}

#[derive(Clone, Copy, Debug)]
enum Effect {
    Instead(Instead),
    Delay(Duration),
    Answer(AnswerFate),
    Throttle(Duration),
    CorruptCrc,
    There(ErrorCode),
    MoveLeaders(Option<BrokerId>),
    MoveCoordinators(Option<BrokerId>),
    MoveController(Option<BrokerId>),
    RefuseConnection,
}

#[derive(Debug)]
struct Rule {
    id: u64,
    requests: RequestMatch,
    effect: Effect,
    skip: u64,
    left: u64,
    probability: f64,
    hits: u64,
}

/// A number from 0 up to 1, with as many digits as it can have.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what fits")]
fn fraction(chance: &SeededRng) -> f64 {
    (chance.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// The rules of one broker.
#[derive(Debug)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    next_id: u64,
    seed: u64,
    seed_is_printed: bool,
    chance: SeededRng,
}

impl Rules {
    pub(super) fn new(seed: u64) -> Self {
        Rules { rules: Vec::new(), next_id: 0, seed, seed_is_printed: false, chance: SeededRng::new(seed) }
    }

    /// What comes by chance begins with the seed again, so that a test meets the same whatever came before it.
    pub(super) fn clear(&mut self) {
        *self = Rules { next_id: self.next_id, ..Rules::new(self.seed) };
    }

    /// Whether a new connection may stay.
    pub(super) fn admits(&mut self) -> bool {
        let Rules { rules, chance, .. } = self;
        // All of them count it, as all rules for a request do.
        let refusing = rules.iter_mut().filter(|rule| matches!(rule.effect, Effect::RefuseConnection));
        refusing.filter_map(|rule| rule.hit(chance).then_some(())).count() == 0
    }

    /// What the rules want for a request.
    pub(super) fn rule(&mut self, request: &RequestFacts<'_>) -> Ruling {
        let mut ruling = Ruling::default();
        let Rules { rules, chance, .. } = self;
        let is_meant = |rule: &&mut Rule| {
            !matches!(rule.effect, Effect::RefuseConnection) && rule.requests.matches(request)
        };
        for rule in rules.iter_mut().filter(is_meant) {
            if !rule.hit(chance) {
                continue;
            }
            match rule.effect {
                Effect::Instead(instead) => {
                    ruling.instead.get_or_insert(instead);
                }
                Effect::Delay(delay) => ruling.delay = ruling.delay.saturating_add(delay),
                Effect::Answer(fate) if ruling.answer == AnswerFate::Send => ruling.answer = fate,
                Effect::Answer(_) => {}
                Effect::Throttle(by) => {
                    ruling.throttle_ms.get_or_insert(i32::try_from(by.as_millis()).unwrap_or(i32::MAX));
                }
                Effect::CorruptCrc => ruling.corrupt_crc = true,
                Effect::There(code) => {
                    ruling.part.get_or_insert_with(|| rule.requests.part(code));
                }
                Effect::MoveLeaders(to) => ruling.moves.push(rule.requests.leaders(to)),
                Effect::MoveCoordinators(to) => ruling.moves.push(Move::Coordinators { to }),
                Effect::MoveController(to) => ruling.moves.push(Move::Controller { to }),
                Effect::RefuseConnection => {}
            }
        }
        ruling
    }
}

impl Rule {
    /// Whether what it is for has it now, which then counts.
    fn hit(&mut self, chance: &SeededRng) -> bool {
        if self.left == 0 {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if self.probability < 1.0 && fraction(chance) >= self.probability {
            return false;
        }
        self.left -= 1;
        self.hits += 1;
        true
    }
}
