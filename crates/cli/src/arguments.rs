//! The command line as data, and its one help text (`help.txt`). Runs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use comeback_core::id::{CartId, SendKey, ShopId};
use comeback_sim::broken::Rule;
use lexopt::prelude::*;

use crate::address::Address;
use crate::failure::Failure;
use crate::simulate::{Asked, What};

/// The help.
pub(crate) const USAGE: &str = include_str!("help.txt").trim_ascii_end();

/// A shop of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Which shop.
    pub(crate) shop: ShopId,
    /// Where.
    pub(crate) address: Address,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// This text.
    Help(&'static str),
    /// Check policy files.
    PolicyCheck { files: Vec<String>, catalogue: Option<String>, json: bool },
    /// Print a preset, or their names.
    PolicyShow { name: Option<String>, json: bool },
    /// Compare two policies.
    PolicyDiff { a: String, b: String, target: Option<Target>, json: bool },
    /// Ask for the versions of a shop's policy, or change them.
    Policies { target: Target, act: PolicyAct, who: Option<String>, json: bool },
    /// Simulate a shop.
    Shop { asked: Asked, json: bool },
    /// Run two policies over a log.
    Simulate { asked: Box<Simulation>, json: bool },
    /// Make a master key.
    KeysNew { json: bool },
    /// Take a token apart.
    LinkInspect { token: String, json: bool },
    /// Tell a cart's story.
    Explain { subject: Subject, from: Source, json: bool },
    /// Stop or resume.
    Switch { target: Target, stop: bool, json: bool },
}

/// What is done with the versions of a policy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PolicyAct {
    /// Show them.
    List,
    /// Keep a file's.
    Push { file: String },
    /// Into shadow, or out of it.
    Shadow { version: Option<String> },
    /// In force.
    Activate { version: String, percent: u8, per_hour: Option<u32> },
    /// Back.
    RollBack,
    /// Offers of one.
    Approve { version: String, offers: Vec<String> },
}

/// A replay of a log under two policies.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Simulation {
    /// A file or a preset.
    pub(crate) policy: String,
    /// Another.
    pub(crate) against: String,
    /// The log.
    pub(crate) log: String,
    /// Where the report goes.
    pub(crate) html: Option<String>,
    /// The one cart to tell about.
    pub(crate) cart: Option<CartId>,
    /// `email=0.001,…`.
    pub(crate) cost: Option<String>,
    /// `contact=…,consent=…,price=…`.
    pub(crate) assume: Option<String>,
    /// A broken line is a failure.
    pub(crate) strict: bool,
}

/// What a story is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A cart, all of it.
    Cart(CartId),
    /// One message.
    Send(SendKey),
    /// One decision about it, by its time.
    Decision(SendKey, String),
}

/// Where a story is told from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A deployment.
    Edge(Target),
    /// A file, with the policy to replay it under if it is a journal.
    Log { file: String, policy: Option<String>, assume: Option<String> },
}

/// Options that take a value.
const VALUED: [&str; 18] = [
    "shop",
    "url",
    "who",
    "percent",
    "per-hour",
    "policy",
    "against",
    "log",
    "html",
    "cart",
    "cost",
    "assume",
    "carts",
    "seed",
    "days",
    "out",
    "break",
    "catalogue",
];
/// Options that are there or not.
const FLAGS: [&str; 4] = ["json", "help", "strict", "check"];

/// Options and words, before they are a command. Whoever takes an option removes it; what is left at
/// the end belonged to another command.
#[derive(Default)]
struct Given {
    words: Vec<String>,
    values: BTreeMap<&'static str, String>,
    flags: BTreeSet<&'static str>,
}

impl Given {
    fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, lexopt::Error> {
        let mut given = Self::default();
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Short('h') => {
                    given.flags.insert("help");
                }
                Long(name) => {
                    if let Some(known) = FLAGS.iter().find(|f| **f == name) {
                        given.flags.insert(known);
                    } else if let Some(known) = VALUED.iter().find(|v| **v == name) {
                        let value = parser.value()?.string()?;
                        given.values.insert(known, value);
                    } else {
                        return Err(Long(name).unexpected());
                    }
                }
                Value(word) => given.words.push(word.string()?),
                other => return Err(other.unexpected()),
            }
        }
        Ok(given)
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.values.remove(name)
    }

    fn need(&mut self, name: &str) -> Result<String, Failure> {
        self.take(name).ok_or_else(|| Failure::Usage(format!("--{name} is needed")))
    }

    fn number<N: std::str::FromStr>(&mut self, name: &str) -> Result<Option<N>, Failure> {
        let Some(text) = self.take(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Failure::Usage(format!("--{name}: expected a whole number")))
    }

    /// The same within bounds, those that the edge has.
    fn number_in<N: std::str::FromStr + PartialOrd + std::fmt::Display>(
        &mut self,
        name: &str,
        bounds: std::ops::RangeInclusive<N>,
    ) -> Result<Option<N>, Failure> {
        let Some(text) = self.take(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if bounds.contains(&number) => Ok(Some(number)),
            _ => Err(Failure::Usage(format!(
                "--{name}: expected a whole number from {} to {}",
                bounds.start(),
                bounds.end()
            ))),
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        self.flags.remove(name)
    }

    fn target(&mut self) -> Result<Target, Failure> {
        let shop = ShopId::parse(&self.need("shop")?).map_err(|e| Failure::Usage(format!("--shop: {e}")))?;
        let address = self.take("url").map_or_else(|| Ok(Address::demo()), |url| Address::parse(&url))?;
        Ok(Target { shop, address })
    }

    fn nothing_left(&self) -> Result<(), Failure> {
        match self.values.keys().chain(&self.flags).next() {
            None => Ok(()),
            Some(name) => Err(Failure::Usage(format!("--{name} does not belong to this command"))),
        }
    }
}

/// Reads a command line, without the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let mut given = Given::read(arguments).map_err(|e| Failure::Usage(e.to_string()))?;
    if given.flag("help") {
        return Ok(Command::Help(USAGE));
    }
    let words = std::mem::take(&mut given.words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let json = given.flag("json");
    let command = match words.as_slice() {
        ["help"] => Command::Help(USAGE),
        ["policy", rest @ ..] => policy(rest, &mut given, json)?,
        ["simulate"] if given.flags.contains("check") || given.values.contains_key("out") => {
            Command::Shop { asked: shop_run(&mut given)?, json }
        }
        ["simulate"] if given.values.is_empty() => {
            return Err(Failure::Usage(
                "simulate: --check, --out, or --policy, --against and --log?".to_owned(),
            ));
        }
        ["simulate"] if given.values.contains_key("break") => {
            return Err(Failure::Usage("--break belongs to --check".to_owned()));
        }
        ["simulate"] => Command::Simulate { asked: Box::new(simulation(&mut given)?), json },
        ["keys", "new"] => Command::KeysNew { json },
        ["link", "inspect", token] => Command::LinkInspect { token: (*token).to_owned(), json },
        ["explain", subject] => {
            let subject = self::subject(subject)?;
            let from = match given.take("log") {
                Some(file) => {
                    Source::Log { file, policy: given.take("policy"), assume: given.take("assume") }
                }
                None => Source::Edge(given.target()?),
            };
            Command::Explain { subject, from, json }
        }
        ["keys", ..] => return Err(Failure::Usage("keys: only `keys new`".to_owned())),
        ["link", ..] => return Err(Failure::Usage("link: only `link inspect TOKEN`".to_owned())),
        ["explain"] => return Err(Failure::Usage("explain: which cart or send?".to_owned())),
        [act @ ("stop" | "resume")] => {
            Command::Switch { target: given.target()?, stop: *act == "stop", json }
        }
        [] => return Err(Failure::Usage("which command?".to_owned())),
        _ => return Err(Failure::Usage(format!("no such command: {}", words.join(" ")))),
    };
    given.nothing_left()?;
    Ok(command)
}

fn policy(words: &[&str], given: &mut Given, json: bool) -> Result<Command, Failure> {
    let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
    let act = match words {
        ["check"] => return usage("policy check: which policies?"),
        ["check", files @ ..] => {
            let files = files.iter().map(|f| (*f).to_owned()).collect();
            return Ok(Command::PolicyCheck { files, catalogue: given.take("catalogue"), json });
        }
        ["show"] => return Ok(Command::PolicyShow { name: None, json }),
        ["show", name] => return Ok(Command::PolicyShow { name: Some((*name).to_owned()), json }),
        ["diff", a, b] => {
            let target = if given.values.contains_key("shop") { Some(given.target()?) } else { None };
            return Ok(Command::PolicyDiff { a: (*a).to_owned(), b: (*b).to_owned(), target, json });
        }
        ["diff", ..] => return usage("policy diff: which two?"),
        ["list"] => PolicyAct::List,
        ["push", file] => PolicyAct::Push { file: (*file).to_owned() },
        ["push", ..] => return usage("policy push: which file? One at a time"),
        ["shadow", "off"] => PolicyAct::Shadow { version: None },
        ["shadow", version] => PolicyAct::Shadow { version: Some((*version).to_owned()) },
        ["activate", version] => PolicyAct::Activate {
            version: (*version).to_owned(),
            percent: given.number_in("percent", 1..=100)?.unwrap_or(100),
            per_hour: given.number_in("per-hour", 1..=1_000)?,
        },
        ["shadow" | "activate", ..] => return usage("which version? `comeback policy list` names them"),
        ["rollback"] => PolicyAct::RollBack,
        ["approve", version, offers @ ..] if !offers.is_empty() => PolicyAct::Approve {
            version: (*version).to_owned(),
            offers: offers.iter().map(|o| (*o).to_owned()).collect(),
        },
        ["approve", ..] => return usage("policy approve: which offers of which version?"),
        [] => return usage("policy: check, show, diff, push, list, shadow, activate, rollback or approve?"),
        _ => return Err(Failure::Usage(format!("no such command: policy {}", words.join(" ")))),
    };
    let who = if act == PolicyAct::List { None } else { given.take("who") };
    Ok(Command::Policies { target: given.target()?, act, who, json })
}

fn shop_run(given: &mut Given) -> Result<Asked, Failure> {
    let what = match (given.flag("check"), given.take("out"), given.take("break")) {
        (true, Some(_), _) => return Err(Failure::Usage("--check and --out are two commands".to_owned())),
        (_, Some(out), None) => What::Log { days: given.number("days")?.unwrap_or(30), out },
        (_, Some(_), Some(_)) => return Err(Failure::Usage("--break belongs to --check".to_owned())),
        (_, None, None) => What::Check,
        (_, None, Some(word)) if word == "list" => What::Rules,
        (_, None, Some(word)) if word == "all" => What::Trials,
        (_, None, Some(word)) => What::Without(Rule::parse(&word).ok_or_else(|| {
            Failure::Usage(format!("--break {word}: no such rule; `--break list` prints them"))
        })?),
    };
    let carts = given.number("carts")?.unwrap_or(crate::simulate::DEFAULT_CARTS);
    if carts == 0 {
        return Err(Failure::Usage("--carts: at least 1".to_owned()));
    }
    if matches!(what, What::Log { days: 0, .. }) {
        return Err(Failure::Usage("--days: at least 1".to_owned()));
    }
    Ok(Asked { carts, seed: given.number("seed")?.unwrap_or(1), policy: given.take("policy"), what })
}

fn simulation(given: &mut Given) -> Result<Simulation, Failure> {
    let cart = given.take("cart");
    Ok(Simulation {
        policy: given.need("policy")?,
        against: given.need("against")?,
        log: given.need("log")?,
        html: given.take("html"),
        cart: cart
            .map(|c| CartId::parse(&c))
            .transpose()
            .map_err(|e| Failure::Usage(format!("--cart: {e}")))?,
        cost: given.take("cost"),
        assume: given.take("assume"),
        strict: given.flag("strict"),
    })
}

/// `cart_…`, `snd_…`, or `snd_…@2026-06-01T20:00:00Z`.
fn subject(text: &str) -> Result<Subject, Failure> {
    let wrong = |e: &dyn std::fmt::Display| Failure::Usage(format!("explain: {e}"));
    if !text.starts_with(SendKey::PREFIX) {
        return CartId::parse(text).map(Subject::Cart).map_err(|e| wrong(&e));
    }
    let (key, at) = text.split_once('@').map_or((text, None), |(key, at)| (key, Some(at)));
    let key = SendKey::parse(key).map_err(|e| wrong(&e))?;
    Ok(at.map_or(Subject::Send(key.clone()), |at| Subject::Decision(key, at.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(address: &Address) -> Target {
        Target { shop: ShopId::parse("shop_a").unwrap(), address: address.clone() }
    }

    fn said(line: &str) -> Result<Command, Failure> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn commands_are_understood() {
        let cart = CartId::parse("cart_1").unwrap();
        let here = Address::demo();
        let there = Address::parse("https://a.example").unwrap();
        let cases = [
            ("help", Command::Help(USAGE)),
            ("explain --help", Command::Help(USAGE)),
            (
                "policy check a.toml b.toml --json",
                Command::PolicyCheck {
                    files: vec!["a.toml".into(), "b.toml".into()],
                    catalogue: None,
                    json: true,
                },
            ),
            (
                "policy check a.toml --catalogue shop.json",
                Command::PolicyCheck {
                    files: vec!["a.toml".into()],
                    catalogue: Some("shop.json".into()),
                    json: false,
                },
            ),
            ("policy show", Command::PolicyShow { name: None, json: false }),
            ("policy show classic", Command::PolicyShow { name: Some("classic".into()), json: false }),
            (
                "simulate --check --carts 7 --break lease --json",
                Command::Shop {
                    asked: Asked { carts: 7, seed: 1, policy: None, what: What::Without(Rule::Lease) },
                    json: true,
                },
            ),
            (
                "simulate --out log --seed 3 --policy gentle",
                Command::Shop {
                    asked: Asked {
                        carts: crate::simulate::DEFAULT_CARTS,
                        seed: 3,
                        policy: Some("gentle".into()),
                        what: What::Log { days: 30, out: "log".into() },
                    },
                    json: false,
                },
            ),
            ("keys new", Command::KeysNew { json: false }),
            ("link inspect a.b.c", Command::LinkInspect { token: "a.b.c".into(), json: false }),
            (
                "explain cart_1 --shop shop_a",
                Command::Explain {
                    subject: Subject::Cart(cart),
                    from: Source::Edge(target(&here)),
                    json: false,
                },
            ),
            (
                "explain snd_1@2026-06-01T20:00:00Z --log a.ndjson --json",
                Command::Explain {
                    subject: Subject::Decision(
                        SendKey::parse("snd_1").unwrap(),
                        "2026-06-01T20:00:00Z".to_owned(),
                    ),
                    from: Source::Log { file: "a.ndjson".to_owned(), policy: None, assume: None },
                    json: true,
                },
            ),
            (
                "policy activate pol_1 --shop shop_a --percent 10 --per-hour 50 --who ada",
                Command::Policies {
                    target: target(&here),
                    act: PolicyAct::Activate { version: "pol_1".into(), percent: 10, per_hour: Some(50) },
                    who: Some("ada".into()),
                    json: false,
                },
            ),
            (
                "policy shadow off --shop shop_a",
                Command::Policies {
                    target: target(&here),
                    act: PolicyAct::Shadow { version: None },
                    who: None,
                    json: false,
                },
            ),
            (
                "policy diff a.toml classic",
                Command::PolicyDiff { a: "a.toml".into(), b: "classic".into(), target: None, json: false },
            ),
            (
                "stop --shop=shop_a --url https://a.example",
                Command::Switch { target: target(&there), stop: true, json: false },
            ),
            (
                "--json resume --shop shop_a",
                Command::Switch { target: target(&here), stop: false, json: true },
            ),
        ];
        for (line, expect) in cases {
            assert_eq!(said(line).unwrap(), expect, "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_a_usage_error() {
        for line in [
            "",
            "polcy check a",
            "policy check",
            "policy show a b",
            "policy check a --shop shop_a",
            "explain",
            "explain cart_1",
            "explain shop_1 --shop shop_a",
            "explain cart_1 --shop a/b",
            "explain cart_1 --shop shop_a --url http://far.example",
            "stop",
            "stop now --shop shop_a",
            "keys new --fast",
            "keys new --strict",
            "policy push --shop shop_a",
            "policy push a.toml",
            "policy activate pol_1 --shop shop_a --percent many",
            "policy activate pol_1 --shop shop_a --percent 0",
            "policy activate pol_1 --shop shop_a --percent 300",
            "policy activate pol_1 --shop shop_a --per-hour 1001",
            "policy rollback pol_1 --shop shop_a",
            "policy diff a",
            "simulate",
            "simulate --policy a --against b",
            "simulate --policy a --against b --log c --cart per_1",
            "simulate --check --out f",
            "simulate --check --break gravity",
            "simulate --check --carts many",
            "simulate --check --carts 0",
            "simulate --check --log f",
            "simulate --out f --days 0",
            "simulate --out f --break lease",
            "simulate --break lease",
        ] {
            assert_eq!(said(line).err().map(|f| f.code()), Some(2), "{line:?}");
        }
    }
}
