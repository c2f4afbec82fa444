//! `rowhouse mail`: the mails of the outbox, which stay here when no mail server is set.

use domain::MailId;
use serde_json::json;
use store::control::mails::{self, Heading};

use super::on_store;
use crate::output::{Columns, print, print_json};
use crate::settings::Settings;
use crate::{Failed, Outcome};

/// Mails that a list shows.
const NEWEST: i64 = 50;

pub(crate) fn list(settings: &Settings, as_json: bool) -> Outcome {
    on_store(settings, async |store| {
        let mut tx = store.read_control().await?;
        let headings = mails::list(&mut tx, None, NEWEST).await?;
        if as_json {
            print_json(&json!({ "data": headings }));
            return Ok(());
        }
        if headings.is_empty() {
            print("There are no mails.\n");
            return Ok(());
        }
        let kept = settings.smtp_url.is_none();
        let mut columns = Columns::default();
        for heading in &headings {
            let to = heading.recipient.to_string();
            let id = heading.id.to_string();
            columns.row([&id, &heading.created_at.to_string(), &state(heading, kept), &to, &heading.subject]);
        }
        print(columns);
        Ok(())
    })
}

fn state(heading: &Heading, kept: bool) -> String {
    match (heading.sent_at, heading.failed_at) {
        (Some(_), _) => "sent".into(),
        (_, Some(_)) => "given up".into(),
        _ if kept => "kept".into(),
        _ if heading.tries > 0 => format!("tried {} x", heading.tries),
        _ => "waiting".into(),
    }
}

pub(crate) fn show(settings: &Settings, id: &str, as_json: bool) -> Outcome {
    let id: MailId = id.parse().map_err(|error| Failed::Settings(vec![format!("the mail's id {error}")]))?;
    on_store(settings, async |store| {
        let mut tx = store.read_control().await?;
        let mail = mails::get(&mut tx, id).await?;
        if as_json {
            print_json(&json!({
                "id": mail.id, "recipient": mail.recipient, "subject": mail.subject, "body": mail.body, "created_at": mail.created_at,
            }));
            return Ok(());
        }
        print(format!(
            "To:      {}\nSubject: {}\nDate:    {}\n\n{}\n",
            mail.recipient,
            mail.subject,
            mail.created_at,
            mail.body.trim_end()
        ));
        Ok(())
    })
}
