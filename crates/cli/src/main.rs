//! `comeback`, the desk shell: checks policies, makes keys, asks a deployment why a message was or was
//! not sent. It reads arguments, files and two environment variables, speaks HTTP to the admin routes,
//! and decides nothing: rules are the pure crates', the truth about a cart is its object's.

mod address;
mod admin;
mod arguments;
mod explain;
mod failure;
mod keys;
mod link;
mod policy;
mod shown;

use std::io::Write;
use std::process::ExitCode;

use arguments::Command;
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
        Command::PolicyCheck { files, json } => policy::check(&files, json, out),
        Command::PolicyShow { name, json } => policy::show(name.as_deref(), json, out),
        Command::KeysNew { json } => keys::new(json, out),
        Command::LinkInspect { token, json } => link::inspect(&token, json, out),
        Command::Explain { cart, shop, address, json } => {
            let text = admin::Client::new(address, environment())?.story(&shop, &cart)?;
            explain::print(&text, json, out)
        }
        Command::Switch { shop, address, stop, json } => {
            let stopped = admin::Client::new(address, environment())?.switch(&shop, stop)?;
            let told = if stopped { "stopped: nothing is sent" } else { "sending" };
            match json {
                true => writeln!(out, "{}", serde_json::json!({ "shop": shop, "stopped": stopped }))?,
                false => writeln!(out, "{shop} is {told}")?,
            }
            Ok(())
        }
    }
}

/// The one place where the environment is read.
#[expect(clippy::disallowed_methods, reason = "the environment is this shell's to read")]
fn environment() -> admin::Environment {
    admin::Environment {
        token: std::env::var("COMEBACK_ADMIN_TOKEN").ok().filter(|t| !t.is_empty()),
        folder: std::env::current_dir().ok(),
    }
}
