//! Rows that point to nothing: foreign keys of both databases, and the references that cross from one database into the other or
//! stand as text, which no foreign key can hold. The ledger holds none: its rows record what was, and outlive what they name.
//!
//! Two databases cannot be read in one moment. What looks like an orphan is looked at a second time; only what was one both times
//! is told.

use std::collections::BTreeSet;

use domain::role::Role;
use domain::{ApiKeyId, MembershipId, OrgId, ProjectId, RoleId, UserId};

use crate::checks::Fault;
use crate::deliveries::{DEPARTURE, Departure};
use crate::sql::{Access, Pair, Transaction};
use crate::{ControlTx, Error, Result, Store};

/// Columns that hold an id, or several, and need no check, with the reason.
pub const UNCHECKED: &[(&str, &str)] = &[
    ("invitations.teams", "names of teams that may be gone by the time somebody accepts"),
    ("invitations.projects", "as above"),
    ("mail_domains.teams", "as above"),
    ("mail_domains.role", "one of the built-in ones"),
    ("refresh_tokens.successor", "the hash of a token that may have been swept before"),
    ("identities.subject", "a name at another party"),
    ("mails.subject", "what a mail is about"),
    ("erasures.subject", "what was erased"),
    ("erasures.requested_by", "may have been erased since"),
    ("throttles.subject", "the hash of an address or of a source"),
    ("audit.request_id", "names a request, not a row"),
    ("refusals.request_id", "as above"),
    ("api_keys.public_id", "the key's own name"),
    ("documents.job_id", "a job that is done is gone"),
    ("embedding.job_id", "as above"),
    ("sources.job_id", "as above"),
    ("shares.shared", "one of the two ids beside it, as the table itself checks"),
    ("jobs.subject", "a document or an archive that may never come, or is gone: whoever claims the job drops it then"),
    ("former_teams.parent_id", "a team that may have been deleted since, and then stands there too"),
];

/// What was found: the column, as `table.column`, and the row or value in question.
type Found = BTreeSet<(String, String)>;

impl Store {
    /// Rows in the control database that point to nothing there. References into organisations' stores are looked at with those.
    /// # Errors
    /// As the database.
    pub async fn control_orphans(&self) -> Result<Vec<Fault>> {
        let mut tx = self.read_control().await?;
        let found: Vec<(String, i64)> = tx
            .sql(
                "SELECT what, number FROM (
                   SELECT 'identities.user_id' AS what, count(*) AS number FROM identities c
                     WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.user_id)
                   UNION ALL SELECT 'recovery_codes.user_id', count(*) FROM recovery_codes c
                     WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.user_id)
                   UNION ALL SELECT 'plan_overrides.org_id', count(*) FROM plan_overrides c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'memberships.org_id', count(*) FROM memberships c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'memberships.user_id', count(*) FROM memberships c
                     WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.user_id)
                   UNION ALL SELECT 'former_stays.org_id', count(*) FROM former_stays c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'former_stays.user_id', count(*) FROM former_stays c
                     WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.user_id)
                   UNION ALL SELECT 'sessions.user_id', count(*) FROM sessions c
                     WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.user_id)
                   UNION ALL SELECT 'sessions.org_id', count(*) FROM sessions c
                     WHERE c.org_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'refresh_tokens.session_id', count(*) FROM refresh_tokens c
                     WHERE NOT EXISTS (SELECT 1 FROM sessions p WHERE p.id = c.session_id)
                   UNION ALL SELECT 'tickets.user_id', count(*) FROM tickets c
                     WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.user_id)
                   UNION ALL SELECT 'invitations.org_id', count(*) FROM invitations c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'mail_domains.org_id', count(*) FROM mail_domains c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'removals.org_id', count(*) FROM removals c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'removals.user_id', count(*) FROM removals c
                     WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.user_id)
                   UNION ALL SELECT 'removed_mailboxes.org_id', count(*) FROM removed_mailboxes c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'api_keys.org_id', count(*) FROM api_keys c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'api_keys.membership_id', count(*) FROM api_keys c
                     WHERE c.revoked_at IS NULL AND NOT EXISTS (
                       SELECT 1 FROM memberships p WHERE p.id = c.membership_id AND p.org_id = c.org_id AND p.user_id = c.user_id)
                   UNION ALL SELECT 'api_keys.replaced_by', count(*) FROM api_keys c
                     WHERE c.replaced_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM api_keys p WHERE p.id = c.replaced_by)
                   UNION ALL SELECT 'api_keys.made_by_key', count(*) FROM api_keys c
                     WHERE c.made_by_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM api_keys p WHERE p.id = c.made_by_key)
                   UNION ALL SELECT 'organisations.wrapped_by', count(*) FROM organisations c
                     WHERE NOT EXISTS (SELECT 1 FROM master_keys p WHERE p.name = c.wrapped_by)
                   UNION ALL SELECT 'mails.user_id', count(*) FROM mails c
                     WHERE c.user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.user_id)
                   UNION ALL SELECT 'mails.org_id', count(*) FROM mails c
                     WHERE c.org_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'deliveries.org_id', count(*) FROM deliveries c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'frozen.org_id', count(*) FROM frozen c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'jobs.org_id', count(*) FROM jobs c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                   UNION ALL SELECT 'webhook_turns.org_id', count(*) FROM webhook_turns c
                     WHERE NOT EXISTS (SELECT 1 FROM organisations p WHERE p.id = c.org_id)
                 ) counted WHERE number > 0 ORDER BY what",
            )
            .all()
            .await?;
        let mut faults: Vec<Fault> =
            found.into_iter().map(|(what, number)| format!("{number} x {what} points to nothing")).collect();
        // What somebody did keeps their id when they are erased.
        let unknown: Vec<(String, UserId)> = tx
            .sql(
                "SELECT what, user_id FROM (
                   SELECT DISTINCT 'invitations.invited_by' AS what, c.invited_by AS user_id FROM invitations c
                     WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.invited_by)
                   UNION ALL SELECT DISTINCT 'invitations.asked_by', c.asked_by FROM invitations c
                     WHERE c.asked_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.asked_by)
                   UNION ALL SELECT DISTINCT 'api_keys.user_id', c.user_id FROM api_keys c
                     WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.user_id)
                   UNION ALL SELECT DISTINCT 'organisations.made_by', c.made_by FROM organisations c
                     WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.made_by)
                   UNION ALL SELECT DISTINCT 'organisations.closing_by', c.closing_by FROM organisations c
                     WHERE c.closing_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.closing_by)
                   UNION ALL SELECT DISTINCT 'jobs.user_id', c.user_id FROM jobs c
                     WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.user_id)
                   UNION ALL SELECT DISTINCT 'people.ends_by', c.ends_by FROM people c
                     WHERE c.ends_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM people p WHERE p.id = c.ends_by)
                 ) listed ORDER BY what, user_id",
            )
            .all()
            .await?;
        for (what, user) in unknown {
            if !was_erased(&mut tx, user).await? {
                faults.push(format!("{what} points to nothing: {user}"));
            }
        }
        Ok(faults)
    }

    /// Rows of an organisation's store that point to nothing there or in the control database, and rows of the control database
    /// that point to nothing in the organisation's store.
    /// # Errors
    /// As the databases.
    pub async fn org_orphans(&self, org: OrgId) -> Result<Vec<Fault>> {
        let first = self.look_for_orphans(org).await?;
        if first.is_empty() {
            return Ok(Vec::new());
        }
        let second = self.look_for_orphans(org).await?;
        Ok(first.intersection(&second).map(|(what, which)| format!("{what} points to nothing: {which}")).collect())
    }

    async fn look_for_orphans(&self, org: OrgId) -> Result<Found> {
        let mut found = Found::new();
        let mut tx = self.tenant(org, Access::Read).await?;
        inside(&mut tx, &mut found).await?;
        let stays: Vec<(String, MembershipId, UserId)> = tx
            .sql(
                "SELECT DISTINCT 'team_members.membership_id' AS what, membership_id, user_id FROM team_members
                 UNION SELECT DISTINCT 'project_members.membership_id', membership_id, user_id FROM project_members
                 UNION SELECT DISTINCT 'providers.membership_id', membership_id, user_id FROM providers
                   WHERE membership_id IS NOT NULL
                 UNION SELECT DISTINCT 'connections.membership_id', membership_id, user_id FROM connections
                 UNION SELECT DISTINCT 'shares.membership_id', membership_id, subject FROM shares WHERE level = 'user'",
            )
            .all()
            .await?;
        let people = people_named(&mut tx).await?;
        let limited: Vec<(String, ApiKeyId)> = tx
            .sql(
                "SELECT DISTINCT 'budgets.subject' AS what, subject FROM budgets WHERE level = 'key'
                 UNION SELECT DISTINCT 'rate_limits.subject', subject FROM rate_limits WHERE level = 'key'",
            )
            .all()
            .await?;
        let projects: Vec<ProjectId> = tx.sql("SELECT id FROM projects").all().await?;
        let projects: BTreeSet<ProjectId> = projects.into_iter().collect();
        let roles: Vec<RoleId> = tx.sql("SELECT id FROM roles").all().await?;
        let roles: BTreeSet<RoleId> = roles.into_iter().collect();
        drop(tx);

        let mut tx = self.read_control().await?;
        let now = self.ambient().now();
        let here: Vec<(MembershipId, UserId)> =
            tx.sql("SELECT id, user_id FROM memberships WHERE org_id = $1").bind(org).all().await?;
        // What somebody leaves behind is on its way out as long as their departure is.
        let leaving: Vec<String> = tx
            .sql("SELECT payload FROM deliveries WHERE org_id = $1 AND kind = $2")
            .bind(org)
            .bind(DEPARTURE)
            .all()
            .await?;
        let leaving: Vec<Departure> = leaving
            .iter()
            .map(|payload| serde_json::from_str(payload).map_err(|error| Error::bug(error.to_string())))
            .collect::<Result<_>>()?;
        let mut stay: BTreeSet<(MembershipId, UserId)> = here.into_iter().collect();
        stay.extend(leaving.iter().map(|departure| (departure.membership, departure.user)));
        for (what, membership, user) in
            stays.into_iter().filter(|(_, membership, user)| !stay.contains(&(*membership, *user)))
        {
            found.insert((what, format!("{membership} of {user}")));
        }
        for (what, user) in people {
            let known = tx.sql("SELECT EXISTS (SELECT 1 FROM people WHERE id = $1)").bind(user).one::<bool>().await?;
            if !known && !was_erased(&mut tx, user).await? {
                found.insert((what, user.to_string()));
            }
        }
        for (what, key) in limited {
            let known = tx.sql("SELECT EXISTS (SELECT 1 FROM api_keys WHERE org_id = $1 AND id = $2)");
            if !known.bind(org).bind(key).one::<bool>().await? {
                found.insert((what, key.to_string()));
            }
        }
        let of_keys: Vec<ProjectId> = tx
            .sql("SELECT DISTINCT project_id FROM api_keys WHERE org_id = $1 AND project_id IS NOT NULL AND revoked_at IS NULL")
            .bind(org)
            .all()
            .await?;
        found.extend(
            of_keys
                .into_iter()
                .filter(|id| !projects.contains(id))
                .map(|id| ("api_keys.project_id".into(), id.to_string())),
        );
        let held: Vec<(String, Role)> = tx
            .sql(
                "SELECT DISTINCT 'memberships.role' AS what, role FROM memberships WHERE org_id = $1
                 UNION SELECT DISTINCT 'invitations.role', role FROM invitations
                   WHERE org_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2",
            )
            .bind(org)
            .bind(now)
            .all()
            .await?;
        for (what, role) in held {
            if let Role::Custom(id) = role
                && !roles.contains(&id)
            {
                found.insert((what, id.to_string()));
            }
        }
        Ok(found)
    }
}

/// The people that rows of the store name, by column.
async fn people_named(tx: &mut Transaction) -> Result<Vec<(String, UserId)>> {
    tx.sql(
        "SELECT DISTINCT 'configs.user_id' AS what, user_id FROM configs
         UNION SELECT DISTINCT 'budgets.made_by', made_by FROM budgets
         UNION SELECT DISTINCT 'providers.made_by', made_by FROM providers
         UNION SELECT DISTINCT 'aliases.made_by', made_by FROM aliases
         UNION SELECT DISTINCT 'webhooks.made_by', made_by FROM webhooks
         UNION SELECT DISTINCT 'budgets.increase_by', increase_by FROM budgets WHERE increase_by IS NOT NULL
         UNION SELECT DISTINCT 'budgets.subject', subject FROM budgets WHERE level = 'user'
         UNION SELECT DISTINCT 'collections.made_by', made_by FROM collections
         UNION SELECT DISTINCT 'documents.made_by', made_by FROM documents
         UNION SELECT DISTINCT 'versions.made_by', made_by FROM versions
         UNION SELECT DISTINCT 'imports.made_by', made_by FROM imports
         UNION SELECT DISTINCT 'embedding.made_by', made_by FROM embedding
         UNION SELECT DISTINCT 'sources.made_by', made_by FROM sources
         UNION SELECT DISTINCT 'threads.user_id', user_id FROM threads
         UNION SELECT DISTINCT 'rate_limits.made_by', made_by FROM rate_limits
         UNION SELECT DISTINCT 'rate_limits.subject', subject FROM rate_limits WHERE level = 'user'",
    )
    .all()
    .await
}

/// Whether a person was here once, and a receipt says so.
async fn was_erased(tx: &mut ControlTx, user: UserId) -> Result<bool> {
    tx.sql("SELECT EXISTS (SELECT 1 FROM erasures WHERE subject = $1)").bind(user.to_string()).one().await
}

/// How many rows point to no row, by table and column.
async fn dangling(tx: &mut Transaction) -> Result<Vec<(String, i64)>> {
    tx.sql(
        "SELECT what, number FROM (
       SELECT 'teams.parent_id' AS what, count(*) AS number FROM teams c
         WHERE c.parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM teams p WHERE p.id = c.parent_id)
       UNION ALL SELECT 'team_members.team_id', count(*) FROM team_members c
         WHERE NOT EXISTS (SELECT 1 FROM teams p WHERE p.id = c.team_id)
       UNION ALL SELECT 'project_members.project_id', count(*) FROM project_members c
         WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = c.project_id)
       UNION ALL SELECT 'project_teams.project_id', count(*) FROM project_teams c
         WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = c.project_id)
       UNION ALL SELECT 'project_teams.team_id', count(*) FROM project_teams c
         WHERE NOT EXISTS (SELECT 1 FROM teams p WHERE p.id = c.team_id)
       UNION ALL SELECT 'providers.project_id', count(*) FROM providers c
         WHERE c.project_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = c.project_id)
       UNION ALL SELECT 'aliases.project_id', count(*) FROM aliases c
         WHERE c.project_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = c.project_id)
       UNION ALL SELECT 'webhook_messages.webhook_id', count(*) FROM webhook_messages c
         WHERE NOT EXISTS (SELECT 1 FROM webhooks p WHERE p.id = c.webhook_id)
       UNION ALL SELECT 'budgets.subject', count(*) FROM budgets c
         WHERE (c.level = 'team' AND NOT EXISTS (SELECT 1 FROM teams p WHERE p.id = c.subject))
            OR (c.level = 'project' AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = c.subject))
       UNION ALL SELECT 'rate_limits.subject', count(*) FROM rate_limits c
         WHERE c.level = 'project' AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = c.subject)
       UNION ALL SELECT 'collections.project_id', count(*) FROM collections c
         WHERE c.project_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = c.project_id)
       UNION ALL SELECT 'collections.within', count(*) FROM collections c
         WHERE c.within IS NOT NULL AND NOT EXISTS (SELECT 1 FROM circles p WHERE p.collection_id = c.id)
       UNION ALL SELECT 'circles.collection_id', count(*) FROM circles c
         WHERE NOT EXISTS (SELECT 1 FROM collections p JOIN sources s ON s.collection_id = p.within
                           WHERE p.id = c.collection_id AND s.id = c.source_id)
       UNION ALL SELECT 'circles.source_id', count(*) FROM circles c
         WHERE NOT EXISTS (SELECT 1 FROM sources p WHERE p.id = c.source_id)
       UNION ALL SELECT 'circle_readers.collection_id', count(*) FROM circle_readers c
         WHERE NOT EXISTS (SELECT 1 FROM circles p WHERE p.collection_id = c.collection_id)
       UNION ALL SELECT 'group_members.source_id', count(*) FROM group_members c
         WHERE NOT EXISTS (SELECT 1 FROM sources p WHERE p.id = c.source_id)
       UNION ALL SELECT 'shares.collection_id', count(*) FROM shares c
         WHERE c.collection_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM collections p WHERE p.id = c.collection_id)
       UNION ALL SELECT 'shares.subject', count(*) FROM shares c
         WHERE c.level = 'team' AND NOT EXISTS (SELECT 1 FROM teams p WHERE p.id = c.subject)
       UNION ALL SELECT 'documents.collection_id', count(*) FROM documents c
         WHERE NOT EXISTS (SELECT 1 FROM collections p WHERE p.id = c.collection_id)
       UNION ALL SELECT 'versions.document_id', count(*) FROM versions c
         WHERE NOT EXISTS (SELECT 1 FROM documents p WHERE p.id = c.document_id)
       UNION ALL SELECT 'imports.collection_id', count(*) FROM imports c
         WHERE NOT EXISTS (SELECT 1 FROM collections p WHERE p.id = c.collection_id)
       UNION ALL SELECT 'import_files.import_id', count(*) FROM import_files c
         WHERE NOT EXISTS (SELECT 1 FROM imports p WHERE p.id = c.import_id)
       UNION ALL SELECT 'import_files.document_id', count(*) FROM import_files c
         WHERE c.document_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM documents p WHERE p.id = c.document_id)
       UNION ALL SELECT 'sources.collection_id', count(*) FROM sources c
         WHERE NOT EXISTS (SELECT 1 FROM collections p WHERE p.id = c.collection_id)
       UNION ALL SELECT 'source_items.source_id', count(*) FROM source_items c
         WHERE NOT EXISTS (SELECT 1 FROM sources p WHERE p.id = c.source_id)
       UNION ALL SELECT 'source_items.document_id', count(*) FROM source_items c
         WHERE NOT EXISTS (SELECT 1 FROM documents p WHERE p.id = c.document_id)
       UNION ALL SELECT 'chunks.document_id', count(*) FROM chunks c
         WHERE NOT EXISTS (SELECT 1 FROM documents p WHERE p.id = c.document_id)
       UNION ALL SELECT 'chunks.collection', count(*) FROM chunks c WHERE NOT EXISTS (
         SELECT 1 FROM documents d JOIN collections p ON p.id = d.collection_id WHERE d.id = c.document_id AND p.number = c.collection)
       UNION ALL SELECT 'vectors.chunk', count(*) FROM vectors c
         WHERE NOT EXISTS (SELECT 1 FROM chunks p WHERE p.number = c.chunk AND p.collection = c.collection)
       UNION ALL SELECT 'threads.project_id', count(*) FROM threads c
         WHERE c.project_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = c.project_id)
       UNION ALL SELECT 'shares.thread_id', count(*) FROM shares c
         WHERE c.thread_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM threads p WHERE p.id = c.thread_id)
       UNION ALL SELECT 'messages.thread_id', count(*) FROM messages c
         WHERE NOT EXISTS (SELECT 1 FROM threads p WHERE p.id = c.thread_id)
       UNION ALL SELECT 'citings.message_id', count(*) FROM citings c
         WHERE NOT EXISTS (SELECT 1 FROM messages p WHERE p.id = c.message_id)
       UNION ALL SELECT 'citings.document_id', count(*) FROM citings c
         WHERE NOT EXISTS (SELECT 1 FROM documents p WHERE p.id = c.document_id)
       UNION ALL SELECT 'kept_citings.document_id', count(*) FROM kept_citings c
         WHERE NOT EXISTS (SELECT 1 FROM documents p WHERE p.id = c.document_id)
       UNION ALL SELECT 'kept_citings.scope', count(*) FROM kept_citings c
         WHERE NOT EXISTS (SELECT 1 FROM idempotency p WHERE p.scope = c.scope)
     ) counted WHERE number > 0",
    )
    .all()
    .await
}

/// What points to nothing within the store itself.
async fn inside(tx: &mut Transaction, found: &mut Found) -> Result<()> {
    let rows = dangling(tx).await?;
    found.extend(rows.into_iter().map(|(what, number)| (what, format!("{number} rows"))));
    // Each passage stands in the index of words, and nothing else does; on PostgreSQL its words are a part of it.
    let words: i64 = tx
        .sql(Pair {
            sqlite: "SELECT (SELECT count(*) FROM chunks WHERE number NOT IN (SELECT id FROM chunk_words_docsize))
                + (SELECT count(*) FROM chunk_words_docsize WHERE id NOT IN (SELECT number FROM chunks))",
            postgres: "SELECT count(*) FROM chunks WHERE (length > 0) <> (length(words) > 0)",
        })
        .one()
        .await?;
    if words > 0 {
        found.insert(("chunk_words.rowid".into(), format!("{words} rows")));
    }
    let held: Vec<(String, Role)> = tx
        .sql(
            "SELECT DISTINCT 'team_members.role' AS what, role FROM team_members
             UNION SELECT DISTINCT 'project_members.role', role FROM project_members
             UNION SELECT DISTINCT 'project_teams.role', role FROM project_teams",
        )
        .all()
        .await?;
    for (what, role) in held {
        if let Role::Custom(id) = role
            && !tx.sql("SELECT EXISTS (SELECT 1 FROM roles WHERE id = $1)").bind(id).one::<bool>().await?
        {
            found.insert((what, id.to_string()));
        }
    }
    Ok(())
}
