//! Debian packages: waits for another apt instead of fighting it, and says the command when it may not run it.

use crate::place::Place;
use crate::run::{self, Error, Outcome};
use std::process::Command;
use std::time::Duration;

/// Long enough for another apt to finish a large installation.
const LOCK_PATIENCE: Duration = Duration::from_secs(600);
const INSTALL_LIMIT: Duration = Duration::from_secs(1_800);

/// Installs packages, as root; otherwise the error says what to run.
pub(crate) fn install(place: &Place, packages: &[&str]) -> Outcome {
    let wanted = packages.join(" ");
    let by_hand = format!("sudo apt-get update && sudo apt-get install -y --no-install-recommends {wanted}");
    if run::in_path("apt-get").is_none() {
        return Err(Error::new(format!("no apt on this machine; install what Debian calls `{wanted}`")));
    }
    let user = run::stdout_of(Command::new("id").arg("-u"))?;
    if user.trim() != "0" {
        return Err(Error::new(format!(
            "the Debian packages {wanted} are missing and only root can install them"
        ))
        .by_hand(by_hand));
    }
    update(place).map_err(|error| error.by_hand(&by_hand))?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt(place, &arguments, INSTALL_LIMIT).map_err(|error| error.by_hand(by_hand))
}

/// `apt-get update`. Its lock on the package lists has no time-out option, so it is tried again while another apt holds it.
fn update(place: &Place) -> Outcome {
    let until = std::time::Instant::now() + LOCK_PATIENCE;
    loop {
        match apt(place, &["update"], INSTALL_LIMIT) {
            Err(error)
                if error.to_string().contains("Could not get lock") && std::time::Instant::now() < until =>
            {
                std::thread::sleep(Duration::from_secs(3));
            }
            other => return other,
        }
    }
}

fn apt(place: &Place, arguments: &[&str], limit: Duration) -> Outcome {
    let mut command = Command::new("apt-get");
    command
        .arg("-q")
        .arg(format!("-oDPkg::Lock::Timeout={}", LOCK_PATIENCE.as_secs()))
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // apt takes a .deb lying in the working folder for a package name.
        .current_dir("/");
    let what = arguments.first().copied().unwrap_or("apt");
    run::run_quietly(&mut command, &place.scratch().join(format!("log/apt-{what}.log")), limit)
}
