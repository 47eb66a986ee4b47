//! `comeback`, the desk shell: checks policies, makes keys, asks a deployment why a message was or was
//! not sent. It reads arguments, files and three environment variables, speaks HTTP to the admin routes,
//! and decides nothing: rules are the pure crates', the truth about a cart is its object's.

mod address;
mod admin;
mod arguments;
mod explain;
mod failure;
mod keys;
mod link;
mod policy;
mod replay;
mod shown;
mod simulate;

use std::io::Write;
use std::process::ExitCode;

use arguments::{Command, Source};
use failure::Failure;

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let done = arguments::parse(std::env::args_os().skip(1)).and_then(|command| run(command, &mut out));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has read enough: `comeback explain … | head`.
        Err(Failure::Output(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(text) = failure.text() {
                // There is nobody left to tell when stderr is closed as well.
                let _ = writeln!(std::io::stderr(), "{}", shown::lines(&text));
            }
            ExitCode::from(failure.code())
        }
    }
}

fn run(command: Command, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        Command::Help(text) => Ok(writeln!(out, "{text}")?),
        Command::PolicyCheck { files, catalogue, json } => {
            policy::check(&files, catalogue.as_deref(), json, out)
        }
        Command::PolicyShow { name, json } => policy::show(name.as_deref(), json, out),
        Command::KeysNew { json } => keys::new(json, out),
        Command::LinkInspect { token, json } => link::inspect(&token, json, out),
        Command::PolicyDiff { a, b, target, json } => {
            let client = target.map(|t| client(t.address, environment()).map(|c| (c, t.shop))).transpose()?;
            policy::diff(&a, &b, client.as_ref().map(|(c, s)| (c, s)), json, out)
        }
        Command::Policies { target, act, who, json } => {
            let environment = environment();
            let who = who.or_else(|| environment.user.clone()).unwrap_or_else(|| "somebody".to_owned());
            let client = client(target.address, environment)?;
            policy::release::run(&client, &target.shop, act, &who, json, out)
        }
        Command::Explain { subject, from: Source::Edge(target), json } => {
            let client = client(target.address, environment())?;
            explain::from_edge(&client, &target.shop, &subject, json, out)
        }
        Command::Switch { target, stop, json } => {
            let shop = target.shop;
            let stopped = client(target.address, environment())?.switch(&shop, stop)?;
            let told = if stopped { "stopped: nothing is sent" } else { "sending" };
            match json {
                true => writeln!(out, "{}", serde_json::json!({ "shop": shop, "stopped": stopped }))?,
                false => writeln!(out, "{shop} is {told}")?,
            }
            Ok(())
        }
        Command::Explain { subject, from: Source::Log { file, policy, assume }, json } => {
            explain::from_log(&file, policy.as_deref(), assume.as_deref(), &subject, json, out)
        }
        Command::Shop { asked, json } => simulate::run(&asked, json, out),
        Command::Simulate { asked, json } => replay::run(&asked, json, out),
    }
}

fn client(address: address::Address, environment: admin::Environment) -> Result<admin::Client, Failure> {
    admin::Client::new(address, environment)
}

/// The one place where the environment is read.
#[expect(clippy::disallowed_methods, reason = "the environment is this shell's to read")]
fn environment() -> admin::Environment {
    admin::Environment {
        token: std::env::var("COMEBACK_ADMIN_TOKEN").ok().filter(|t| !t.is_empty()),
        folder: std::env::current_dir().ok(),
        user: std::env::var("USER").ok().filter(|u| !u.is_empty()),
    }
}
