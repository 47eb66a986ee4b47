//! `comeback policy push|list|shadow|activate|rollback|approve`: the versions of a shop's policy at a
//! running edge. Sends texts and asks; what may be done is the edge's to say.

use std::io::Write;

use comeback_core::id::ShopId;
use comeback_core::release::{Act, Live, Releases, Version};
use comeback_core::time::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::admin::Client;
use crate::arguments::PolicyAct;
use crate::failure::Failure;
use crate::shown;

/// What a push is answered with.
#[derive(Deserialize)]
struct Pushed {
    version: String,
    name: String,
    new: bool,
    warnings: Vec<String>,
}

/// Does it, and shows how the versions stand then.
pub(crate) fn run(
    client: &Client,
    shop: &ShopId,
    act: PolicyAct,
    who: &str,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let (route, body) = match act {
        PolicyAct::Push { file } => return push(client, shop, &file, who, json, out),
        PolicyAct::List => return show(&client.get(shop, "policies")?, client, shop, json, out),
        PolicyAct::Shadow { version } => ("policies/shadow", json!({ "version": version, "who": who })),
        PolicyAct::Activate { version, percent, per_hour } => (
            "policies/activate",
            json!({ "version": version, "percent": percent, "per_hour": per_hour, "who": who }),
        ),
        PolicyAct::RollBack => ("policies/rollback", json!({ "who": who })),
        PolicyAct::Approve { version, offers } => {
            ("policies/approve", json!({ "version": version, "offers": offers, "who": who }))
        }
    };
    let answer = client.post(shop, route, &body)?;
    if json {
        return show(&answer, client, shop, true, out);
    }
    let releases: Releases = client.understood(&answer)?;
    Ok(writeln!(out, "{}", standing(shop, &releases))?)
}

fn push(
    client: &Client,
    shop: &ShopId,
    file: &str,
    who: &str,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let text = super::text_of(file)?;
    let answer = client.post(shop, "policies", &json!({ "toml": text, "file": file, "who": who }))?;
    let pushed: Pushed = client.understood(&answer)?;
    if json {
        let value: serde_json::Value = client.understood(&answer)?;
        return Ok(writeln!(out, "{value:#}")?);
    }
    for warning in &pushed.warnings {
        writeln!(out, "{}\n", shown::lines(warning))?;
    }
    let Pushed { version, name, new, .. } = &pushed;
    let (version, name) = (shown::line(version), shown::line(name));
    match new {
        true => writeln!(out, "{shop} keeps `{name}` as {version}; what is in force has not changed")?,
        false => writeln!(out, "{shop} keeps `{name}` already, as {version}")?,
    }
    Ok(())
}

fn show(
    answer: &str,
    client: &Client,
    shop: &ShopId,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if json {
        let value: serde_json::Value = client.understood(answer)?;
        return Ok(writeln!(out, "{value:#}")?);
    }
    let releases: Releases = client.understood(answer)?;
    Ok(write!(out, "{}", tell(shop, &releases))?)
}

/// One line: what is in force, what runs beside it.
fn standing(shop: &ShopId, releases: &Releases) -> String {
    let named = |version: &str| match releases.find(version) {
        Ok(found) => format!("`{}` {}", shown::line(&found.name), shown::line(version)),
        Err(_) => shown::line(version),
    };
    let mut text = match &releases.live {
        None => format!("{shop} follows no policy"),
        Some(live) => {
            let bounds = bounds(live);
            let since = when(live.at);
            format!("{shop} follows {} since {since}{bounds}", named(&live.version))
        }
    };
    if let (Some(live), Some(before)) = (&releases.live, releases.before.last())
        && live.percent < 100
    {
        text.push_str(&format!("; the others follow {}", named(&before.version)));
    }
    if let Some(shadow) = &releases.shadow {
        text.push_str(&format!("\nin shadow: {}, which decides and sends nothing", named(shadow)));
    }
    text
}

fn bounds(live: &Live) -> String {
    let share =
        if live.percent < 100 { format!(", for {} % of people", live.percent) } else { String::new() };
    let hour = live.per_hour.map(|n| format!(", at most {n} messages an hour")).unwrap_or_default();
    format!("{share}{hour}")
}

fn when(at: Timestamp) -> String {
    if at == Timestamp::default() { "before versions were kept".to_owned() } else { at.to_rfc3339() }
}

fn tell(shop: &ShopId, releases: &Releases) -> String {
    let mut text = standing(shop, releases);
    text.push_str("\n\n");
    let width = releases.versions.iter().map(|v| v.name.chars().count()).max().unwrap_or(0);
    // The newest first: that is what one looks for.
    for version in releases.versions.iter().rev() {
        let (id, name) = (shown::line(&version.version), shown::line(&version.name));
        let by = shown::line(&version.pushed_by);
        let state = state(version, releases);
        text.push_str(&format!("{id}  {name:<width$}  pushed {} by {by}{state}\n", when(version.pushed_at)));
    }
    text.push('\n');
    for change in &releases.changes {
        let (who, version) = (shown::line(&change.who), shown::line(&change.version));
        text.push_str(&format!(
            "{}  {who} {} {version}{}\n",
            when(change.at),
            verb(&change.act),
            more(&change.act)
        ));
    }
    text
}

fn state(version: &Version, releases: &Releases) -> String {
    let mut said = vec![];
    let is = |v: &str| v == version.version;
    if releases.live.as_ref().is_some_and(|l| is(&l.version)) {
        said.push("IN FORCE".to_owned());
    } else if releases.before.last().is_some_and(|l| is(&l.version)) {
        said.push("before it".to_owned());
    }
    if releases.shadow.as_deref().is_some_and(is) {
        said.push("in shadow".to_owned());
    }
    if version.withdrawn {
        said.push("withdrawn".to_owned());
    }
    if !version.approved.is_empty() {
        said.push(format!("approved: {}", shown::line(&version.approved.join(", "))));
    }
    if said.is_empty() { String::new() } else { format!("; {}", said.join("; ")) }
}

const fn verb(act: &Act) -> &'static str {
    match act {
        Act::Pushed => "pushed",
        Act::Shadowed => "put into shadow",
        Act::ShadowEnded => "took out of shadow",
        Act::Activated { .. } => "activated",
        Act::RolledBack { .. } => "went back to",
        Act::Approved { .. } => "approved offers of",
    }
}

fn more(act: &Act) -> String {
    match act {
        Act::Activated { percent: 100, per_hour: None } => String::new(),
        Act::Activated { percent, per_hour } => {
            let hour = per_hour.map(|n| format!(", at most {n} an hour")).unwrap_or_default();
            format!(" for {percent} %{hour}")
        }
        Act::RolledBack { withdrawn } => format!(", {} is withdrawn", shown::line(withdrawn)),
        Act::Approved { offers } => format!(": {}", shown::line(&offers.join(", "))),
        Act::Pushed | Act::Shadowed | Act::ShadowEnded => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_force_and_what_was_done_is_told() {
        let at = |h: i64| Timestamp::from_millis(1_780_000_000_000 + h * 3_600_000);
        let mut releases = Releases::default();
        releases.push(at(0), "pol_aaaaaaaa", "classic", "ada");
        releases.push(at(1), "pol_bbbbbbbb", "multi\u{1b}[2J", "bob");
        releases.activate(at(0), "pol_aaaaaaaa", 100, None, "ada").unwrap();
        releases.shadow(at(2), Some("pol_bbbbbbbb"), "bob").unwrap();
        let shop = ShopId::parse("shop_a").unwrap();
        let told = tell(&shop, &releases);
        assert!(told.starts_with("shop_a follows `classic` pol_aaaaaaaa since 2026-05-28T"), "{told}");
        assert!(
            told.contains("in shadow: `multi [2J` pol_bbbbbbbb, which decides and sends nothing"),
            "{told}"
        );
        releases.activate(at(3), "pol_bbbbbbbb", 25, Some(40), "bob").unwrap();
        let told = tell(&shop, &releases);
        assert!(
            told.contains("for 25 % of people, at most 40 messages an hour; the others follow `classic`"),
            "{told}"
        );
        assert!(told.contains("bob activated pol_bbbbbbbb for 25 %, at most 40 an hour"), "{told}");
        releases.roll_back(at(4), "ada").unwrap();
        let told = tell(&shop, &releases);
        assert!(told.contains("ada went back to pol_aaaaaaaa, pol_bbbbbbbb is withdrawn"), "{told}");
        assert!(told.contains("by ada; IN FORCE\n"), "{told}");
    }
}
