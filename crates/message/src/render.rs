//! Templates in, email out. Checks the model, renders strictly, and looks at the result once more.
//!
//! Three fences keep other people's text inert. The engine never evaluates values. The formatter
//! escapes each value for where it lands and swaps its braces for stand-ins, so that a brace pair
//! left in the output is the template's own and refuses the message. Then the stand-ins return in
//! a form that no provider's merge language reads.

use std::sync::OnceLock;

use comeback_core::id::SendKey;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior};
use serde::{Deserialize, Serialize};

use crate::clean::{self, CLOSE, OPEN};
use crate::error::RenderError;
use crate::model::{Gives, MessageModel, ModelLine, Offer};
use crate::web_url;

/// Lines shown; the rest is "and 3 more". With `web_url::MAX_ITEM` this keeps the HTML of any
/// model under [`MAX_HTML`].
const MAX_SHOWN: usize = 8;
/// Gmail clips at 102 KB and hides what follows, the unsubscribe link first of all.
const MAX_HTML: usize = 102_000;
const MAX_TITLE: usize = 200;
const MAX_VARIANT: usize = 100;
pub(crate) const MAX_NAME: usize = 80;
const MAX_FIRST_NAME: usize = 40;
const MAX_AMOUNT: usize = 40;
const MAX_SENTENCE: usize = 300;
const MAX_CODE: usize = 40;
/// Mail clients show 50 to 70 characters of a subject and about 110 of a preheader.
pub(crate) const MAX_SUBJECT: usize = 150;
const MAX_PREHEADER: usize = 150;

/// A template for email.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmailTemplate {
    /// The cart is kept.
    Reminder,
    /// An offer; without one, a second kind word.
    Incentive,
    /// A day later, to somebody whom a first message did not bring back.
    FollowUp,
    /// To somebody whom checkout would not let through: kept, and what often helps.
    Help,
    /// About what was only looked at: no cart, no total, no promise.
    Looked,
    /// The last message about this cart, and it says so.
    LastCall,
}

impl EmailTemplate {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Reminder, Self::Incentive, Self::FollowUp, Self::Help, Self::Looked, Self::LastCall];

    /// The template that policies call by this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    /// The name used in policies and the folder under `templates/`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::Incentive => "incentive",
            Self::FollowUp => "follow_up",
            Self::Help => "help",
            Self::Looked => "looked",
            Self::LastCall => "last_call",
        }
    }
}

/// One header of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Name.
    pub name: String,
    /// Value: ASCII, one line.
    pub value: String,
}

/// A finished email, to be handed to a provider's API or to [`crate::to_mime`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    /// One line, not encoded.
    pub subject: String,
    /// What an inbox shows after the subject; it is already inside `html`.
    pub preheader: String,
    /// Plain text that stands alone, lines ended by LF.
    pub text: String,
    /// HTML.
    pub html: String,
    /// `Message-ID`, `List-Unsubscribe`, `List-Unsubscribe-Post`.
    pub headers: Vec<Header>,
}

/// What the templates see: [`MessageModel`], checked and cleaned.
#[derive(Serialize)]
pub(crate) struct View {
    pub(crate) shop_name: String,
    home_url: String,
    support_email: Option<String>,
    support_url: Option<String>,
    postal_address: Option<String>,
    pub(crate) lines: Vec<ModelLine>,
    /// Whether any line has a picture; without one there is no column for it.
    pictures: bool,
    /// Lines that are not shown.
    more: usize,
    /// Lines besides the first.
    pub(crate) others: usize,
    total: String,
    resume_url: String,
    unsubscribe_url: String,
    #[serde(skip)]
    one_click_url: String,
    preferences_url: Option<String>,
    why: String,
    offer: Option<OfferView>,
    prices_until: Option<String>,
    first_name: Option<String>,
    subject: String,
    preheader: String,
}

impl View {
    fn of(model: &MessageModel) -> Result<Self, RenderError> {
        let mut lines = lines(model)?;
        let count = lines.len();
        lines.truncate(MAX_SHOWN);
        Ok(Self {
            shop_name: needed(&model.shop_name, MAX_NAME, "shop_name")?,
            home_url: link(&model.home_url, "home_url")?,
            support_email: model.support_email.clone().filter(|a| crate::mime::is_address(a)),
            support_url: model.support_url.as_deref().and_then(|u| web_url::parse(u, web_url::MAX_ITEM)),
            postal_address: optional(model.postal_address.as_deref(), MAX_SENTENCE),
            pictures: lines.iter().any(|l| l.image_url.is_some()),
            more: count - lines.len(),
            others: count - 1,
            lines,
            total: needed(&model.total, MAX_AMOUNT, "total")?,
            resume_url: link(&model.resume_url, "resume_url")?,
            unsubscribe_url: link(&model.unsubscribe_url, "unsubscribe_url")?,
            one_click_url: link(&model.one_click_url, "one_click_url")?,
            preferences_url: model
                .preferences_url
                .as_deref()
                .map(|u| link(u, "preferences_url"))
                .transpose()?,
            why: needed(&model.why, MAX_SENTENCE, "why")?,
            offer: model.offer.as_ref().map(offer).transpose()?,
            prices_until: optional(model.prices_until.as_deref(), MAX_NAME),
            first_name: first_name(model.first_name.as_deref()),
            subject: String::new(),
            preheader: String::new(),
        })
    }
}

/// The cleaned lines, all of them; never none.
pub(crate) fn lines(model: &MessageModel) -> Result<Vec<ModelLine>, RenderError> {
    let lines = model
        .lines
        .iter()
        .filter(|l| l.quantity > 0)
        .map(|l| {
            Ok(ModelLine {
                title: needed(&l.title, MAX_TITLE, "lines.title")?,
                variant: optional(l.variant.as_deref(), MAX_VARIANT),
                quantity: l.quantity,
                unit_price: needed(&l.unit_price, MAX_AMOUNT, "lines.unit_price")?,
                line_total: needed(&l.line_total, MAX_AMOUNT, "lines.line_total")?,
                image_url: l.image_url.as_deref().and_then(|u| web_url::parse(u, web_url::MAX_ITEM)),
                item_url: l.item_url.as_deref().and_then(|u| web_url::parse(u, web_url::MAX_ITEM)),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if lines.is_empty() {
        return Err(RenderError::Missing { field: "lines" });
    }
    Ok(lines)
}

/// The shop's name, cleaned.
pub(crate) fn shop_name(model: &MessageModel) -> Result<String, RenderError> {
    needed(&model.shop_name, MAX_NAME, "shop_name")
}

/// A link that the message cannot do without.
pub(crate) fn link(url: &str, field: &'static str) -> Result<String, RenderError> {
    web_url::parse(url, web_url::MAX_LINK).ok_or(RenderError::Url { field })
}

fn needed(text: &str, max: usize, field: &'static str) -> Result<String, RenderError> {
    optional(Some(text), max).ok_or(RenderError::Missing { field })
}

fn optional(text: Option<&str>, max: usize) -> Option<String> {
    text.map(|t| clean::line(t, max)).filter(|t| !t.is_empty())
}

fn first_name(text: Option<&str>) -> Option<String> {
    let name = clean::line(text?, MAX_FIRST_NAME + 1);
    (name.chars().count() <= MAX_FIRST_NAME && clean::looks_like_a_name(&name)).then_some(name)
}

/// An offer as templates say it.
#[derive(Debug, Clone, Serialize)]
struct OfferView {
    code: String,
    /// "10% off", "5.00 EUR off", "free shipping".
    gives: String,
    /// The same at the beginning of a line.
    opens: String,
    /// What joins it to "your cart".
    on: &'static str,
    valid_until: String,
}

fn offer(offer: &Offer) -> Result<OfferView, RenderError> {
    let gives = match &offer.gives {
        Gives::Percent(percent) if !(1..=100).contains(percent) => {
            return Err(RenderError::Offer { percent: *percent });
        }
        Gives::Percent(percent) => format!("{percent}% off"),
        Gives::Amount(amount) => format!("{} off", needed(amount, MAX_NAME, "offer.amount")?),
        Gives::FreeShipping => "free shipping".to_owned(),
    };
    let (opens, on) = match &offer.gives {
        Gives::FreeShipping => ("Free shipping".to_owned(), " for"),
        _ => (gives.clone(), ""),
    };
    Ok(OfferView {
        code: needed(&offer.code, MAX_CODE, "offer.code")?,
        gives,
        opens,
        on,
        valid_until: needed(&offer.valid_until, MAX_NAME, "offer.valid_until")?,
    })
}

/// Renders an email. `send` becomes the left side of the `Message-ID`: the same send has the same
/// id however often it is rendered, so a receiving server can drop a repetition.
pub fn render_email(
    template: EmailTemplate,
    model: &MessageModel,
    send: &SendKey,
) -> Result<Email, RenderError> {
    let name = template.name();
    let mut view = View::of(model)?;
    // A header value: whatever the template's file ends with, one clean line leaves.
    view.subject = clean::header(&render(&format!("{name}/subject.txt"), &view)?, MAX_SUBJECT);
    view.preheader = clean::line(&render(&format!("{name}/preheader.txt"), &view)?, MAX_PREHEADER);
    let text = tidy(&render(&format!("{name}/body.txt"), &view)?);
    let html = render(&format!("{name}/body.html"), &view)?;
    if html.len() > MAX_HTML {
        return Err(RenderError::TooLarge { bytes: html.len() });
    }
    let host = web_url::host(&view.home_url).ok_or(RenderError::Url { field: "home_url" })?;
    let header = |name: &str, value: String| Header { name: name.to_owned(), value };
    let headers = vec![
        header("Message-ID", format!("<{send}@{host}>")),
        header("List-Unsubscribe", format!("<{}>", view.one_click_url)),
        header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
    ];
    Ok(Email { subject: view.subject, preheader: view.preheader, text, html, headers })
}

/// Ends lines without trailing spaces and the text with one line break; keeps no two empty lines.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.trim().lines().map(|l| l.trim_end_matches([' ', '\t'])) {
        if !line.is_empty() || !out.ends_with("\n\n") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// Renders one file of `templates/`.
pub(crate) fn render(file: &str, view: &impl Serialize) -> Result<String, RenderError> {
    static ENVIRONMENT: OnceLock<Result<Environment<'static>, RenderError>> = OnceLock::new();
    let environment = ENVIRONMENT.get_or_init(environment).as_ref().map_err(Clone::clone)?;
    render_with(environment, file, view)
}

fn render_with(
    environment: &Environment<'_>,
    file: &str,
    view: &impl Serialize,
) -> Result<String, RenderError> {
    let rendered =
        environment.get_template(file).and_then(|t| t.render(Serde(view))).map_err(|e| fault(file, &e))?;
    if clean::has_tag(&rendered) {
        return Err(RenderError::MergeTag { template: file.to_owned() });
    }
    let is_html = file.ends_with(".html");
    Ok(if is_html { clean::restore_html(&rendered) } else { clean::restore_text(&rendered) })
}

/// The engine's own message may quote a value, so only its kind is kept.
fn fault(file: &str, error: &minijinja::Error) -> RenderError {
    RenderError::Template {
        template: error.name().unwrap_or(file).to_owned(),
        line: error.line().unwrap_or(0),
        kind: error.kind().to_string(),
    }
}

macro_rules! templates {
    ($($file:literal),* $(,)?) => {
        /// Every file of `templates/`, by its path there.
        const TEMPLATES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../templates/", $file)))),*];
    };
}

templates![
    "layout/body.txt",
    "layout/body.html",
    "layout/offer.html",
    "reminder/subject.txt",
    "reminder/preheader.txt",
    "reminder/body.txt",
    "reminder/body.html",
    "incentive/subject.txt",
    "incentive/preheader.txt",
    "incentive/body.txt",
    "incentive/body.html",
    "last_call/subject.txt",
    "last_call/preheader.txt",
    "last_call/body.txt",
    "last_call/body.html",
    "follow_up/subject.txt",
    "follow_up/preheader.txt",
    "follow_up/body.txt",
    "follow_up/body.html",
    "help/subject.txt",
    "help/preheader.txt",
    "help/body.txt",
    "help/body.html",
    "looked/subject.txt",
    "looked/preheader.txt",
    "looked/body.txt",
    "looked/body.html",
    "sms_reminder/body.txt",
    "sms_follow_up/body.txt",
];

fn environment() -> Result<Environment<'static>, RenderError> {
    let mut environment = empty_environment()?;
    for (file, source) in TEMPLATES {
        environment.add_template(file, source).map_err(|e| fault(file, &e))?;
    }
    Ok(environment)
}

fn empty_environment() -> Result<Environment<'static>, RenderError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|file| {
        if file.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
    });
    // A tag alone on its line leaves no line behind.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|e| fault("syntax", &e))?);
    environment.set_formatter(write_value);
    Ok(environment)
}

/// Writes a value for where it lands. A value that is not there is a fault, even where the
/// template names it: "Hello none" is as broken as a raw merge tag.
fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    if value.is_none() || value.is_undefined() {
        return Err(minijinja::Error::new(minijinja::ErrorKind::UndefinedError, "a value that is not there"));
    }
    if value.is_safe() {
        // Output of a block, whose values came by here on their own.
        return out.write_str(value.as_str().unwrap_or_default()).map_err(minijinja::Error::from);
    }
    let html = matches!(state.auto_escape(), AutoEscape::Html);
    let text = value.to_string();
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '{' => escaped.push(OPEN),
            '}' => escaped.push(CLOSE),
            // The engine's own escaping also turns `/` into a reference, which link checkers trip over.
            '&' if html => escaped.push_str("&amp;"),
            '<' if html => escaped.push_str("&lt;"),
            '>' if html => escaped.push_str("&gt;"),
            '"' if html => escaped.push_str("&quot;"),
            '\'' if html => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    out.write_str(&escaped).map_err(minijinja::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Small {
        title: &'static str,
        nothing: Option<&'static str>,
    }

    fn small(file: &'static str, source: &'static str, title: &'static str) -> Result<String, RenderError> {
        let mut environment = empty_environment()?;
        environment.add_template(file, source).unwrap();
        render_with(&environment, file, &Small { title, nothing: None })
    }

    #[test]
    fn templates_are_strict() {
        for source in [
            "{{ titel }}",
            "{{ title.name.first }}",
            "{% if titel %}x{% endif %}",
            "{{ nothing }}",
            "{% for x in titel %}{% endfor %}",
        ] {
            let error = small("t.txt", source, "x").unwrap_err();
            assert!(matches!(error, RenderError::Template { .. }), "{source}: {error:?}");
        }
    }

    #[test]
    fn a_merge_tag_of_the_template_is_refused_and_one_of_data_is_inert() {
        for source in [
            "Hello {{ '{{' }}",
            "{% raw %}Hello {{ first_name }}{% endraw %}",
            "{% raw %}{% if x %}{% endraw %}",
            "{% raw %}a #}{% endraw %}",
        ] {
            // A brace that an expression of the template writes counts as data and is broken apart.
            match small("t.txt", source, "x") {
                Ok(text) => assert!(!clean::has_tag(&text), "{text}"),
                Err(error) => assert_eq!(error, RenderError::MergeTag { template: "t.txt".to_owned() }),
            }
        }
        assert!(matches!(
            small("t.html", "{% raw %}{{ x }}{% endraw %}", "x"),
            Err(RenderError::MergeTag { .. })
        ));
        assert_eq!(small("t.txt", "<{{ title }}>", "{{ 7 * 7 }}").unwrap(), "<{ { 7 * 7 } }>");
        assert_eq!(
            small("t.html", "<b>{{ title }}</b>", "{{7*7}}{%x%}").unwrap(),
            "<b>&#123;&#123;7*7&#125;&#125;&#123;%x%&#125;</b>"
        );
        // Two harmless halves do not make a whole, neither do a template's brace and a value's.
        assert_eq!(small("t.txt", "{{ title }}{{ title }}", "{").unwrap(), "{ {");
        assert_eq!(small("t.txt", "{ {{ title }}", "%").unwrap(), "{ %");
    }

    #[test]
    fn html_is_escaped_and_text_is_not() {
        assert_eq!(
            small("t.html", "{{ title }}", "<a href=\"x\" b='y'>&/").unwrap(),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;/"
        );
        assert_eq!(small("t.txt", "{{ title }}", "a < b & c").unwrap(), "a < b & c");
    }

    #[test]
    fn every_template_names_itself() {
        for template in EmailTemplate::ALL {
            assert_eq!(EmailTemplate::from_name(template.name()), Some(template));
        }
        assert_eq!(EmailTemplate::from_name("layout"), None);
    }
}
