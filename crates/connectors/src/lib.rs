//! The outside world: mail today; egress, Notion, webhooks and object storage later.
