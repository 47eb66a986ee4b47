//! The command line as data, and its one help text. Runs nothing.

use std::ffi::OsString;

use comeback_core::id::{CartId, ShopId};
use lexopt::prelude::*;

use crate::address::Address;
use crate::failure::Failure;

/// The help.
pub(crate) const USAGE: &str = "\
comeback: the desk side of Comeback

  comeback policy check FILE...                   say what is wrong with policies, with line and column
  comeback policy show [NAME]                     print a preset, or the presets' names
  comeback keys new                               a fresh master key, for `wrangler secret put COMEBACK_MASTER_KEY`
  comeback explain CART --shop SHOP [--url URL]   why messages of a cart were sent or not
  comeback stop   --shop SHOP [--url URL]         stop every send of a shop, at once
  comeback resume --shop SHOP [--url URL]         let them go again
  comeback link inspect TOKEN                     what a link says of itself, without believing it

  --json   the same for programs, on every command
  --url    the deployment, http://localhost:8787 if left out

The administrator's token comes from COMEBACK_ADMIN_TOKEN; for a run on this machine also from
.comeback/secrets.json, where `cargo xtask demo` keeps it. Exit code: 0 fine, 1 something was found or
could not be done, 2 the command was not understood.";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// This text.
    Help(&'static str),
    /// Check policy files.
    PolicyCheck { files: Vec<String>, json: bool },
    /// Print a preset, or their names.
    PolicyShow { name: Option<String>, json: bool },
    /// Make a master key.
    KeysNew { json: bool },
    /// Take a token apart.
    LinkInspect { token: String, json: bool },
    /// Tell a cart's story.
    Explain { cart: CartId, shop: ShopId, address: Address, json: bool },
    /// Stop or resume.
    Switch { shop: ShopId, address: Address, stop: bool, json: bool },
}

/// Options and words, before they are a command.
#[derive(Default)]
struct Given {
    words: Vec<String>,
    json: bool,
    help: bool,
    shop: Option<String>,
    url: Option<String>,
}

fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Given, lexopt::Error> {
    let mut given = Given::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("json") => given.json = true,
            Long("help") | Short('h') => given.help = true,
            Long("shop") => given.shop = Some(parser.value()?.string()?),
            Long("url") => given.url = Some(parser.value()?.string()?),
            Value(word) => given.words.push(word.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(given)
}

/// Reads a command line, without the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let given = read(arguments).map_err(|e| Failure::Usage(e.to_string()))?;
    if given.help {
        return Ok(Command::Help(USAGE));
    }
    let words: Vec<&str> = given.words.iter().map(String::as_str).collect();
    let json = given.json;
    let asks = matches!(words.first(), Some(&("explain" | "stop" | "resume")));
    if !asks && (given.shop.is_some() || given.url.is_some()) {
        return Err(Failure::Usage("--shop and --url belong to explain, stop and resume".to_owned()));
    }
    match words.as_slice() {
        ["help"] => Ok(Command::Help(USAGE)),
        ["policy", "check"] => Err(Failure::Usage("policy check: which file?".to_owned())),
        ["policy", "check", files @ ..] => {
            Ok(Command::PolicyCheck { files: files.iter().map(|f| (*f).to_owned()).collect(), json })
        }
        ["policy", "show"] => Ok(Command::PolicyShow { name: None, json }),
        ["policy", "show", name] => Ok(Command::PolicyShow { name: Some((*name).to_owned()), json }),
        ["keys", "new"] => Ok(Command::KeysNew { json }),
        ["link", "inspect", token] => Ok(Command::LinkInspect { token: (*token).to_owned(), json }),
        ["explain", cart] => {
            let cart = CartId::parse(cart).map_err(|e| Failure::Usage(e.to_string()))?;
            Ok(Command::Explain { cart, shop: shop(&given)?, address: address(&given)?, json })
        }
        ["explain"] => Err(Failure::Usage("explain: which cart?".to_owned())),
        [act @ ("stop" | "resume")] => {
            Ok(Command::Switch { shop: shop(&given)?, address: address(&given)?, stop: *act == "stop", json })
        }
        [] => Err(Failure::Usage("which command?".to_owned())),
        _ => Err(Failure::Usage(format!("no such command: {}", words.join(" ")))),
    }
}

fn shop(given: &Given) -> Result<ShopId, Failure> {
    let text = given.shop.as_deref().ok_or_else(|| Failure::Usage("--shop is needed".to_owned()))?;
    ShopId::parse(text).map_err(|e| Failure::Usage(format!("--shop: {e}")))
}

fn address(given: &Given) -> Result<Address, Failure> {
    given.url.as_deref().map_or_else(|| Ok(Address::demo()), Address::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Result<Command, Failure> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn commands_are_understood() {
        let shop = ShopId::parse("shop_a").unwrap();
        let cart = CartId::parse("cart_1").unwrap();
        let here = Address::demo();
        let there = Address::parse("https://a.example").unwrap();
        let cases = [
            ("help", Command::Help(USAGE)),
            ("explain --help", Command::Help(USAGE)),
            (
                "policy check a.toml b.toml --json",
                Command::PolicyCheck { files: vec!["a.toml".into(), "b.toml".into()], json: true },
            ),
            ("policy show", Command::PolicyShow { name: None, json: false }),
            ("policy show classic", Command::PolicyShow { name: Some("classic".into()), json: false }),
            ("keys new", Command::KeysNew { json: false }),
            ("link inspect a.b.c", Command::LinkInspect { token: "a.b.c".into(), json: false }),
            (
                "explain cart_1 --shop shop_a",
                Command::Explain { cart, shop: shop.clone(), address: here.clone(), json: false },
            ),
            (
                "stop --shop=shop_a --url https://a.example",
                Command::Switch { shop: shop.clone(), address: there, stop: true, json: false },
            ),
            ("--json resume --shop shop_a", Command::Switch { shop, address: here, stop: false, json: true }),
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
        ] {
            assert_eq!(said(line).err().map(|f| f.code()), Some(2), "{line:?}");
        }
    }
}
