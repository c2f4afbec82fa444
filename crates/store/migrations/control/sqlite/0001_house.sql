-- The control database: people, their credentials, the directory of organisations. No tenant content.
-- Times are microseconds since 1970 UTC, ids the 16 bytes of a UUID, lists and maps JSON text.

CREATE TABLE installation (
  name        TEXT    NOT NULL PRIMARY KEY,
  value       TEXT    NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The master keys under which something may be wrapped: one, or two while a new one takes over. Their names alone.
CREATE TABLE master_keys (
  number      INTEGER NOT NULL PRIMARY KEY,
  name        TEXT    NOT NULL UNIQUE,
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE people (
  id             BLOB    NOT NULL PRIMARY KEY,
  email          TEXT    NOT NULL,
  email_key      TEXT    NOT NULL UNIQUE,
  name           TEXT    NOT NULL,
  password_hash  TEXT,
  standing       TEXT    NOT NULL CHECK (standing IN ('active', 'suspended')),
  operator       INTEGER NOT NULL DEFAULT 0 CHECK (operator IN (0, 1)),
  verified_at    INTEGER,
  totp_seed      BLOB,
  totp_on_at     INTEGER,
  totp_step      INTEGER,
  -- Until when the deletion of the account can be undone, and who asked for it.
  ends_at        INTEGER,
  ends_by        BLOB,
  version        INTEGER NOT NULL DEFAULT 1,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  CHECK ((ends_at IS NULL) = (ends_by IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX people_ending ON people (ends_at);
CREATE INDEX people_operators ON people (operator, id);

-- Sign-ins that another party vouches for: the pair of issuer and subject is the identity, never the mail address.
CREATE TABLE identities (
  issuer      TEXT    NOT NULL,
  subject     TEXT    NOT NULL,
  user_id     BLOB    NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE recovery_codes (
  user_id  BLOB    NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  place    INTEGER NOT NULL,
  hash     TEXT    NOT NULL,
  used_at  INTEGER,
  PRIMARY KEY (user_id, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE organisations (
  id           BLOB    NOT NULL PRIMARY KEY,
  name         TEXT    NOT NULL,
  slug         TEXT    NOT NULL,
  plan         TEXT    NOT NULL,
  status       TEXT    NOT NULL CHECK (status IN ('creating', 'active', 'past_due', 'suspended', 'closing', 'erasing')),
  personal     INTEGER NOT NULL CHECK (personal IN (0, 1)),
  time_zone    TEXT    NOT NULL DEFAULT 'UTC',
  -- Its own limits on sign-ins, stricter than the installation's.
  lifetimes    TEXT    NOT NULL DEFAULT '{}',
  wrapped_key  BLOB    NOT NULL,
  wrapped_by   TEXT    NOT NULL REFERENCES master_keys (name),
  closes_at    INTEGER,
  -- What a closing organisation becomes again when the closing is undone.
  reopens_as   TEXT    CHECK (reopens_as IN ('active', 'past_due', 'suspended')),
  closing_at   INTEGER,
  closing_by   BLOB,
  -- Who made it: what one person has made is counted.
  made_by      BLOB    NOT NULL,
  version      INTEGER NOT NULL DEFAULT 1,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX organisations_status ON organisations (status, id);
CREATE INDEX organisations_closing ON organisations (closes_at);
CREATE INDEX organisations_maker ON organisations (made_by);
CREATE INDEX organisations_wrapping ON organisations (wrapped_by, id);

CREATE TABLE plan_overrides (
  id          BLOB    NOT NULL PRIMARY KEY,
  org_id      BLOB    NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  meter       TEXT,
  feature     TEXT,
  amount      INTEGER CHECK (amount >= 0),
  until       INTEGER,
  reason      TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  CHECK ((meter IS NULL) <> (feature IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX plan_overrides_org ON plan_overrides (org_id, created_at);

CREATE TABLE memberships (
  id          BLOB    NOT NULL PRIMARY KEY,
  org_id      BLOB    NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id     BLOB    NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  role        TEXT    NOT NULL
    CHECK (role IN ('owner', 'admin', 'member', 'viewer') OR (substr(role, 1, 4) = 'rol_' AND length(role) = 36)),
  standing    TEXT    NOT NULL CHECK (standing IN ('active', 'suspended')),
  seen_at     INTEGER,
  version     INTEGER NOT NULL DEFAULT 1,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  UNIQUE (org_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_user ON memberships (user_id, org_id);

-- Where a person belonged once: what they kept to themselves there waits for the end of their account.
CREATE TABLE former_stays (
  org_id      BLOB    NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id     BLOB    NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  ended_at    INTEGER NOT NULL,
  PRIMARY KEY (org_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX former_stays_user ON former_stays (user_id);

CREATE TABLE sessions (
  id           BLOB    NOT NULL PRIMARY KEY,
  user_id      BLOB    NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  org_id       BLOB    REFERENCES organisations (id) ON DELETE SET NULL,
  kind         TEXT    NOT NULL CHECK (kind IN ('browser', 'token')),
  secret_hash  BLOB    UNIQUE,
  -- After a change of roles the next request gets a new secret; the one before it holds for a moment.
  renew        INTEGER NOT NULL DEFAULT 0 CHECK (renew IN (0, 1)),
  former_hash  BLOB    UNIQUE,
  former_until INTEGER,
  -- The longest time without use since a factor was shown.
  longest_rest INTEGER NOT NULL DEFAULT 0,
  agent        TEXT    NOT NULL,
  address      TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  seen_at      INTEGER NOT NULL,
  proven_at    INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  revoked_at   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id, created_at);
CREATE INDEX sessions_org ON sessions (org_id, user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
  hash        BLOB    NOT NULL PRIMARY KEY,
  session_id  BLOB    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  successor   BLOB,
  created_at  INTEGER NOT NULL,
  used_at     INTEGER,
  expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id, created_at);

CREATE TABLE signing_keys (
  kid         TEXT    NOT NULL PRIMARY KEY,
  sealed      BLOB    NOT NULL,
  public      BLOB    NOT NULL,
  created_at  INTEGER NOT NULL,
  retired_at  INTEGER
) STRICT, WITHOUT ROWID;

-- Single-use links that go out by mail.
CREATE TABLE tickets (
  id          BLOB    NOT NULL PRIMARY KEY,
  purpose     TEXT    NOT NULL CHECK (purpose IN ('verify', 'reset', 'change_email', 'undo_email', 'keep_account')),
  user_id     BLOB    NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  email       TEXT    NOT NULL,
  hash        BLOB    NOT NULL UNIQUE,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  used_at     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_user ON tickets (user_id, purpose);
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE invitations (
  id           BLOB    NOT NULL PRIMARY KEY,
  org_id       BLOB    NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  email        TEXT    NOT NULL,
  email_key    TEXT    NOT NULL,
  role         TEXT    NOT NULL
    CHECK (role IN ('owner', 'admin', 'member', 'viewer') OR (substr(role, 1, 4) = 'rol_' AND length(role) = 36)),
  teams        TEXT    NOT NULL,
  projects     TEXT    NOT NULL,
  hash         BLOB    NOT NULL UNIQUE,
  invited_by   BLOB    NOT NULL,
  created_at   INTEGER NOT NULL,
  sent_at      INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  accepted_at  INTEGER,
  revoked_at   INTEGER,
  -- Who has opened the link under another address, until the invited mailbox confirms it.
  asked_by     BLOB,
  asked_hash   BLOB    UNIQUE,
  asked_until  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_org ON invitations (org_id, id);

-- Mail domains whose people may join by themselves. Several organisations may claim one; one alone proves it.
CREATE TABLE mail_domains (
  id           BLOB    NOT NULL PRIMARY KEY,
  org_id       BLOB    NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  domain       TEXT    NOT NULL,
  role         TEXT    NOT NULL CHECK (role IN ('member', 'viewer')),
  teams        TEXT    NOT NULL,
  joining      INTEGER NOT NULL CHECK (joining IN (0, 1)),
  hash         BLOB    UNIQUE,
  hash_until   INTEGER,
  verified_at  INTEGER,
  version      INTEGER NOT NULL DEFAULT 1,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  UNIQUE (org_id, domain)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mail_domains_proven ON mail_domains (domain) WHERE verified_at IS NOT NULL;

-- Who was removed from an organisation or left it: they come back by invitation, not by their mail domain.
CREATE TABLE removals (
  org_id      BLOB    NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id     BLOB    NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  removed_at  INTEGER NOT NULL,
  PRIMARY KEY (org_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX removals_user ON removals (user_id);

-- The mailboxes of members, and those that they had when they went, as keyed hashes: with another account for the same one nobody comes in
-- by the domain. These stay when the person is erased.
CREATE TABLE removed_mailboxes (
  org_id      BLOB    NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  mailbox     BLOB    NOT NULL,
  removed_at  INTEGER NOT NULL,
  PRIMARY KEY (org_id, mailbox)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  id             BLOB    NOT NULL PRIMARY KEY,
  public_id      TEXT    NOT NULL UNIQUE,
  org_id         BLOB    NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  project_id     BLOB,
  user_id        BLOB    NOT NULL,
  membership_id  BLOB    NOT NULL,
  name           TEXT    NOT NULL,
  mode           TEXT    NOT NULL CHECK (mode IN ('live', 'test')),
  hash           BLOB    NOT NULL,
  last4          TEXT    NOT NULL,
  scopes         TEXT    NOT NULL,
  addresses      TEXT    NOT NULL,
  rate_per_minute INTEGER CHECK (rate_per_minute > 0),
  calls_per_day  INTEGER CHECK (calls_per_day > 0),
  budget_micros  INTEGER CHECK (budget_micros >= 0),
  currency       TEXT,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  expires_at     INTEGER,
  warned_at      INTEGER,
  seen_at        INTEGER,
  revoked_at     INTEGER,
  replaced_by    BLOB,
  -- The key that made this one; it ends with that one.
  made_by_key    BLOB,
  version        INTEGER NOT NULL DEFAULT 1,
  CHECK (length(currency) = 3),
  CHECK ((budget_micros IS NULL) = (currency IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_org ON api_keys (org_id, id);
CREATE INDEX api_keys_member ON api_keys (membership_id);
CREATE INDEX api_keys_expiry ON api_keys (expires_at);
CREATE INDEX api_keys_made_by ON api_keys (made_by_key);

CREATE TABLE mails (
  id          BLOB    NOT NULL PRIMARY KEY,
  recipient   TEXT    NOT NULL,
  -- Whom and which organisation it is about, so that it goes when they go.
  user_id     BLOB,
  org_id      BLOB,
  subject     TEXT    NOT NULL,
  body        BLOB    NOT NULL,
  created_at  INTEGER NOT NULL,
  due_at      INTEGER NOT NULL,
  tries       INTEGER NOT NULL DEFAULT 0,
  sent_at     INTEGER,
  failed_at   INTEGER,
  error       TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX mails_age ON mails (created_at);
CREATE INDEX mails_user ON mails (user_id);
CREATE INDEX mails_org ON mails (org_id, created_at);
CREATE INDEX mails_due ON mails (due_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX mails_turn ON mails (org_id, due_at) WHERE sent_at IS NULL AND failed_at IS NULL;

-- What was decided here and must still be written into an organisation's own store: audit entries, presets of invitations.
CREATE TABLE deliveries (
  id          BLOB    NOT NULL PRIMARY KEY,
  org_id      BLOB    NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  kind        TEXT    NOT NULL,
  payload     TEXT    NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_org ON deliveries (org_id, id);

-- Work that waits: what is to be done stands in the organisation's own store, here only when and for whom. Claimed with a lease; the
-- epoch counts claims, so that one that outlived its lease writes nothing.
CREATE TABLE jobs (
  id          BLOB    NOT NULL PRIMARY KEY,
  org_id      BLOB    NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  kind        TEXT    NOT NULL,
  subject     BLOB    NOT NULL,
  user_id     BLOB    NOT NULL,
  due_at      INTEGER NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0,
  epoch       INTEGER NOT NULL DEFAULT 0,
  leased_until  INTEGER,
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX jobs_subject ON jobs (org_id, kind, subject);
CREATE INDEX jobs_due ON jobs (kind, due_at);
CREATE INDEX jobs_waiting ON jobs (kind, org_id, due_at, id);
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE leased_until IS NOT NULL;
-- Organisations whose file lies in the bucket, or is on its way there or back. Which place counts the data folder says itself.
CREATE TABLE frozen (
  org_id      BLOB    NOT NULL PRIMARY KEY REFERENCES organisations (id) ON DELETE CASCADE,
  hash        TEXT    NOT NULL,
  bytes       INTEGER NOT NULL CHECK (bytes >= 0),
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Organisations that have something to tell a webhook, and when to look for it: a mark, so that nobody opens all stores to find those
-- few. What is to be told stands in the organisation's own store.
CREATE TABLE webhook_turns (
  org_id      BLOB    NOT NULL PRIMARY KEY REFERENCES organisations (id) ON DELETE CASCADE,
  due_at      INTEGER NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_turns_due ON webhook_turns (due_at);

-- What was erased, or is being erased: ids and numbers, nothing of what it was. These rows outlive what they are about.
CREATE TABLE erasures (
  id            BLOB    NOT NULL PRIMARY KEY,
  subject       TEXT    NOT NULL UNIQUE,
  requested_by  TEXT    NOT NULL,
  requested_at  INTEGER NOT NULL,
  begun_at      INTEGER NOT NULL,
  counts        TEXT,
  erased_at     INTEGER,
  hash          BLOB,
  signature     BLOB,
  CHECK ((erased_at IS NULL) = (hash IS NULL)),
  CHECK ((erased_at IS NULL) = (signature IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  scope       BLOB    NOT NULL PRIMARY KEY,
  request     BLOB    NOT NULL,
  status      INTEGER NOT NULL,
  response    BLOB    NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_at);

-- Failed sign-ins by account and by source, for the growing delay.
CREATE TABLE throttles (
  subject     BLOB    NOT NULL PRIMARY KEY,
  failures    INTEGER NOT NULL,
  since       INTEGER NOT NULL,
  blocked_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX throttles_age ON throttles (since);

-- Which check refused a request, for `rowhouse auth explain`; the last ten thousand.
CREATE TABLE refusals (
  request_id  TEXT    NOT NULL PRIMARY KEY,
  at          INTEGER NOT NULL,
  stage       TEXT    NOT NULL,
  detail      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refusals_age ON refusals (at);

-- The installation's own audit chain: operators, sign-ups, key rotation.
CREATE TABLE audit_head (
  one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  seq   INTEGER NOT NULL,
  hash  BLOB    NOT NULL
) STRICT;
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, zeroblob(32));

CREATE TABLE audit (
  seq         INTEGER NOT NULL PRIMARY KEY,
  id          BLOB    NOT NULL UNIQUE,
  at          INTEGER NOT NULL,
  actor       TEXT    NOT NULL,
  behalf      TEXT,
  action      TEXT    NOT NULL,
  object      TEXT    NOT NULL,
  before      BLOB,
  after       BLOB,
  address     TEXT    NOT NULL,
  request_id  TEXT    NOT NULL,
  detail      TEXT    NOT NULL,
  hash        BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_action ON audit (action, seq);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_behalf ON audit (behalf, seq) WHERE behalf IS NOT NULL;
CREATE INDEX audit_object ON audit (object, seq);
