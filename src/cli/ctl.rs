//! `ottla ctl`: the control endpoint of `ottla test` on the command line.

use serde_json::{Map, Value};

use super::CliError;
use super::control::http;

#[derive(clap::Args)]
pub(super) struct CtlArgs {
    /// The control endpoint, as the ready line of `ottla test` has it.
    #[arg(long, env = "OTTLA_CONTROL", value_name = "URL")]
    control: String,
    #[command(subcommand)]
    command: CtlCommand,
}

/// `KEY=VALUE`, as the handbook's page on testing names them.
type Pair = (String, String);

#[derive(clap::Subcommand)]
enum CtlCommand {
    /// Show what the control endpoint can be asked for.
    Operations,
    /// Where the broker is, and how late it is there.
    Status,
    /// Let so many milliseconds pass, and everything that is due by then.
    Advance { ms: u64 },
    /// Wait until the broker is as said: until=records topic=orders count=3 limitMs=5000.
    Wait {
        #[arg(required = true, value_parser = super::settings::parse_override)]
        fields: Vec<Pair>,
    },
    /// Show the requests that came, of api=Produce, topic=…, group=…, clientId=….
    Journal {
        #[arg(value_parser = super::settings::parse_override)]
        fields: Vec<Pair>,
    },
    /// Forget the requests that came.
    ClearJournal,
    /// Show the topics.
    Topics,
    /// Make a topic.
    CreateTopic {
        name: String,
        #[arg(default_value_t = 1)]
        partitions: i32,
        /// One of its settings, such as retention.ms=5. Can be given many times.
        #[arg(long = "config", value_name = "KEY=VALUE", value_parser = super::settings::parse_override)]
        configs: Vec<Pair>,
    },
    /// Delete a topic.
    DeleteTopic { name: String },
    /// Show all records of a topic.
    Records { topic: String },
    /// Put a record into a topic: produce orders "two pears" --key customer-7 --header source=till-4.
    Produce {
        topic: String,
        value: String,
        #[arg(long)]
        key: Option<String>,
        /// The one that the key decides, or any, if none is named.
        #[arg(long)]
        partition: Option<i32>,
        /// Milliseconds since the Unix epoch; now without it.
        #[arg(long)]
        timestamp: Option<i64>,
        /// One header. Can be given many times.
        #[arg(long = "header", value_name = "KEY=VALUE", value_parser = super::settings::parse_override)]
        headers: Vec<Pair>,
    },
    /// Show the groups with their members and offsets.
    Groups,
    /// Show the transactional ids with their producers and transactions.
    Transactions,
    /// Show the connections that are open.
    Connections,
    /// Show what happened to a group, and why: each rebalance, each member that was fenced.
    GroupHistory { group: String },
    /// Show what happened to a transactional id, and why: who has it, and who was fenced.
    TransactionHistory { transactional_id: String },
    /// Show what was refused to a producer because its epoch is over.
    ProducerHistory { producer_id: i64 },
    /// Have requests go wrong: api=Produce topic=orders times=3 answer=NOT_LEADER_OR_FOLLOWER.
    Fault {
        #[arg(required = true, value_parser = super::settings::parse_override)]
        fields: Vec<Pair>,
    },
    /// Show the rules for faults, and how many requests had them.
    Faults,
    /// End one rule for faults, or all of them.
    ClearFaults { id: Option<u64> },
    /// Have the disk fail: sync, write, read, open, rename, remove or another operation that the handbook names,
    /// with=ENOSPC path=orders-0 skip=1 times=1.
    FailDisk {
        operation: String,
        #[arg(value_parser = super::settings::parse_override)]
        fields: Vec<Pair>,
    },
    /// Have operations of the disk take so many milliseconds of the broker's time: path=orders-0 skip=1 times=1.
    DelayDisk {
        operation: String,
        ms: u64,
        #[arg(value_parser = super::settings::parse_override)]
        fields: Vec<Pair>,
    },
    /// Show how the disk fails and how slow it is, and how often it was.
    Disk,
    /// Have the disk work again.
    HealDisk,
    /// Cut the power, and start again with what was synced; with a seed, also with what chance leaves of the rest.
    LosePower { seed: Option<u64> },
    /// Start from nothing, at the same address.
    Reset,
    /// Let clients see a part of the broker only, by an address of its own.
    Namespace { name: String },
    /// Show the namespaces that there are, with their addresses.
    Namespaces,
    /// End a namespace, with its topics, groups and transactional ids.
    EndNamespace { name: String },
    /// Show the brokers that this one is to its clients.
    Nodes,
    /// Have another broker lead a partition, as after an election.
    MoveLeader {
        topic: String,
        #[arg(default_value_t = 0)]
        partition: i32,
        /// The next one, if none is named.
        to: Option<i32>,
    },
    /// Have another broker coordinate a group, or with --transactional-id a transactional id.
    MoveCoordinator {
        id: String,
        to: Option<i32>,
        #[arg(long)]
        transactional_id: bool,
    },
    /// Have another broker be the controller.
    MoveController { to: Option<i32> },
    /// Take one of several brokers down.
    NodeDown { id: i32 },
    /// Bring it up again.
    NodeUp { id: i32 },
    /// Keep the broker as it is now; its number.
    Snapshot,
    /// Make the broker again what it was at a snapshot, at the same address.
    Restore { snapshot: u64 },
    /// Forget a snapshot.
    DropSnapshot { snapshot: u64 },
    /// Start a second broker that goes on from where this one is, or from a snapshot; its addresses.
    Fork { snapshot: Option<u64> },
    /// End a fork.
    EndFork { fork: u64 },
    /// Stop the broker; its address and its data are kept.
    Stop,
    /// Stop the broker, if it runs, and start it again.
    Restart,
    /// Make the broker hang.
    Pause,
    /// Let the broker work again.
    Resume,
}

pub(super) fn run(args: &CtlArgs) -> Result<(), CliError> {
    let address = args.control.trim_start_matches("http://").trim_end_matches('/');
    let (method, target, body) = request(&args.command);
    let failed = |source| CliError::Control { address: address.to_owned(), source };
    let (status, answer) = http::call(address, method, &target, body.as_ref()).map_err(failed)?;
    if status != 200 {
        let error = &answer["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        return Err(CliError::Refused { code: text("code"), message: text("message") });
    }
    super::print(&format!("{answer:#}"))
}

fn request(command: &CtlCommand) -> (&'static str, String, Option<Value>) {
    let to = |parts: &[&str]| http::path_of(&[&["v1"], parts].concat());
    match command {
        CtlCommand::Operations => ("GET", to(&[]), None),
        CtlCommand::Status => ("GET", to(&["status"]), None),
        CtlCommand::Advance { ms } => ("POST", to(&["advance"]), Some(object(&[("ms", Value::from(*ms))]))),
        CtlCommand::Wait { fields } => ("POST", to(&["wait"]), Some(json(fields))),
        CtlCommand::Journal { fields } => ("GET", to(&["journal"]) + &http::query_of(fields), None),
        CtlCommand::ClearJournal => ("DELETE", to(&["journal"]), None),
        CtlCommand::Topics => ("GET", to(&["topics"]), None),
        CtlCommand::CreateTopic { name, partitions, configs } => {
            let configs = configs.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
            let fields = [
                ("name", Value::from(name.as_str())),
                ("partitions", Value::from(*partitions)),
                ("configs", Value::from(configs.collect::<Map<_, _>>())),
            ];
            ("POST", to(&["topics"]), Some(object(&fields)))
        }
        CtlCommand::DeleteTopic { name } => ("DELETE", to(&["topics", name]), None),
        CtlCommand::Records { topic } => ("GET", to(&["topics", topic, "records"]), None),
        CtlCommand::Produce { topic, value, key, partition, timestamp, headers } => {
            let header = |(key, value): &Pair| {
                object(&[("key", Value::from(key.as_str())), ("value", Value::from(value.as_str()))])
            };
            let record = object(&[
                ("value", Value::from(value.as_str())),
                ("key", Value::from(key.as_deref())),
                ("partition", Value::from(*partition)),
                ("timestamp", Value::from(*timestamp)),
                ("headers", headers.iter().map(header).collect()),
            ]);
            ("POST", to(&["topics", topic, "records"]), Some(object(&[("records", vec![record].into())])))
        }
        CtlCommand::Groups => ("GET", to(&["groups"]), None),
        CtlCommand::Transactions => ("GET", to(&["transactions"]), None),
        CtlCommand::Connections => ("GET", to(&["connections"]), None),
        CtlCommand::GroupHistory { group } => ("GET", to(&["groups", group, "history"]), None),
        CtlCommand::TransactionHistory { transactional_id } => {
            ("GET", to(&["transactions", transactional_id, "history"]), None)
        }
        CtlCommand::ProducerHistory { producer_id } => {
            ("GET", to(&["producers", &producer_id.to_string(), "history"]), None)
        }
        CtlCommand::Fault { fields } => ("POST", to(&["faults"]), Some(json(fields))),
        CtlCommand::Faults => ("GET", to(&["faults"]), None),
        CtlCommand::ClearFaults { id: None } => ("DELETE", to(&["faults"]), None),
        CtlCommand::ClearFaults { id: Some(id) } => ("DELETE", to(&["faults", &id.to_string()]), None),
        CtlCommand::FailDisk { operation, fields } => {
            let mut body = json(fields);
            body["fail"] = Value::from(operation.as_str());
            ("POST", to(&["disk"]), Some(body))
        }
        CtlCommand::DelayDisk { operation, ms, fields } => {
            let mut body = json(fields);
            body["delay"] = Value::from(operation.as_str());
            body["ms"] = Value::from(*ms);
            ("POST", to(&["disk"]), Some(body))
        }
        CtlCommand::Disk => ("GET", to(&["disk"]), None),
        CtlCommand::HealDisk => ("DELETE", to(&["disk"]), None),
        CtlCommand::LosePower { seed } => {
            let fields = seed.map(|seed| object(&[("seed", Value::from(seed))]));
            ("POST", to(&["power-loss"]), fields)
        }
        CtlCommand::Reset => ("POST", to(&["reset"]), None),
        CtlCommand::Namespace { name } => {
            ("POST", to(&["namespaces"]), Some(object(&[("name", Value::from(name.as_str()))])))
        }
        CtlCommand::Namespaces => ("GET", to(&["namespaces"]), None),
        CtlCommand::EndNamespace { name } => ("DELETE", to(&["namespaces", name]), None),
        CtlCommand::Nodes => ("GET", to(&["nodes"]), None),
        CtlCommand::MoveLeader { topic, partition, to: node } => {
            let fields = [("topic", Value::from(topic.as_str())), ("partition", Value::from(*partition))];
            ("POST", to(&["move"]), Some(moving("leader", &fields, *node)))
        }
        CtlCommand::MoveCoordinator { id, to: node, transactional_id } => {
            let kind = if *transactional_id { "transactionalId" } else { "group" };
            let fields = [(kind, Value::from(id.as_str()))];
            ("POST", to(&["move"]), Some(moving("coordinator", &fields, *node)))
        }
        CtlCommand::MoveController { to: node } => {
            ("POST", to(&["move"]), Some(moving("controller", &[], *node)))
        }
        CtlCommand::NodeDown { id } => ("POST", to(&["nodes", &id.to_string(), "down"]), None),
        CtlCommand::NodeUp { id } => ("POST", to(&["nodes", &id.to_string(), "up"]), None),
        CtlCommand::Snapshot => ("POST", to(&["snapshots"]), None),
        CtlCommand::Restore { snapshot } => {
            ("POST", to(&["snapshots", &snapshot.to_string(), "restore"]), None)
        }
        CtlCommand::DropSnapshot { snapshot } => ("DELETE", to(&["snapshots", &snapshot.to_string()]), None),
        CtlCommand::Fork { snapshot } => {
            let from = snapshot.map(|id| object(&[("snapshot", Value::from(id))]));
            ("POST", to(&["forks"]), from)
        }
        CtlCommand::EndFork { fork } => ("DELETE", to(&["forks", &fork.to_string()]), None),
        CtlCommand::Stop => ("POST", to(&["stop"]), None),
        CtlCommand::Restart => ("POST", to(&["restart"]), None),
        CtlCommand::Pause => ("POST", to(&["pause"]), None),
        CtlCommand::Resume => ("POST", to(&["resume"]), None),
    }
}

/// What moves, and where to; without a number to the next broker.
fn moving(what: &str, fields: &[(&str, Value)], to: Option<i32>) -> Value {
    object(&[&[("what", Value::from(what)), ("to", Value::from(to))], fields].concat())
}

fn object(fields: &[(&str, Value)]) -> Value {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Map<_, _>>().into()
}

/// Numbers as numbers, true and false as these, everything else as text: `007` is a name.
fn json(fields: &[Pair]) -> Value {
    let typed = |(key, value): &Pair| {
        let parsed = serde_json::from_str::<Value>(value).ok();
        let plain = parsed.filter(|parsed| {
            (parsed.is_number() || parsed.is_boolean()) && parsed.to_string().as_str() == value
        });
        (key.clone(), plain.unwrap_or_else(|| Value::from(value.as_str())))
    };
    fields.iter().map(typed).collect::<Map<_, _>>().into()
}
