-- The control database: people, their credentials, the directory of organisations. No tenant content.
-- Times are microseconds since 1970 UTC, ids the 16 bytes of a UUID, lists and maps JSON text.

CREATE TABLE installation (
  name        text COLLATE "C"    NOT NULL PRIMARY KEY,
  value       text COLLATE "C"    NOT NULL,
  updated_at      bigint NOT NULL
);

-- The master keys under which something may be wrapped: one, or two while a new one takes over. Their names alone.
CREATE TABLE master_keys (
  number          bigint NOT NULL PRIMARY KEY,
  name        text COLLATE "C"    NOT NULL UNIQUE,
  created_at      bigint NOT NULL
);

CREATE TABLE people (
  id              uuid NOT NULL PRIMARY KEY,
  email          text COLLATE "C"    NOT NULL,
  email_key      text COLLATE "C"    NOT NULL UNIQUE,
  name           text COLLATE "C"    NOT NULL,
  password_hash  text COLLATE "C",
  standing       text COLLATE "C"    NOT NULL CHECK (standing IN ('active', 'suspended')),
  operator        boolean NOT NULL DEFAULT false,
  verified_at     bigint,
  totp_seed       bytea,
  totp_on_at      bigint,
  totp_step       bigint,
  -- Until when the deletion of the account can be undone, and who asked for it.
  ends_at         bigint,
  ends_by         uuid,
  version         bigint NOT NULL DEFAULT 1,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL,
  CHECK ((ends_at IS NULL) = (ends_by IS NULL))
);
CREATE INDEX people_ending ON people (ends_at);
CREATE INDEX people_operators ON people (operator, id);

-- Sign-ins that another party vouches for: the pair of issuer and subject is the identity, never the mail address.
CREATE TABLE identities (
  issuer      text COLLATE "C"    NOT NULL,
  subject     text COLLATE "C"    NOT NULL,
  user_id         uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  created_at      bigint NOT NULL,
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE recovery_codes (
  user_id         uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  place           bigint NOT NULL,
  hash     text COLLATE "C"    NOT NULL,
  used_at         bigint,
  PRIMARY KEY (user_id, place)
);

CREATE TABLE organisations (
  id              uuid NOT NULL PRIMARY KEY,
  name         text COLLATE "C"    NOT NULL,
  slug         text COLLATE "C"    NOT NULL,
  plan         text COLLATE "C"    NOT NULL,
  status       text COLLATE "C"    NOT NULL CHECK (status IN ('creating', 'active', 'past_due', 'suspended', 'closing', 'erasing')),
  personal        boolean NOT NULL,
  time_zone    text COLLATE "C"    NOT NULL DEFAULT 'UTC',
  -- Its own limits on sign-ins, stricter than the installation's.
  lifetimes       text COLLATE "C" NOT NULL DEFAULT '{}',
  wrapped_key     bytea NOT NULL,
  wrapped_by   text COLLATE "C"    NOT NULL REFERENCES master_keys (name),
  closes_at       bigint,
  -- What a closing organisation becomes again when the closing is undone.
  reopens_as   text COLLATE "C"    CHECK (reopens_as IN ('active', 'past_due', 'suspended')),
  closing_at      bigint,
  closing_by      uuid,
  -- Who made it: what one person has made is counted.
  made_by         uuid NOT NULL,
  version         bigint NOT NULL DEFAULT 1,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL
);
CREATE INDEX organisations_status ON organisations (status, id);
CREATE INDEX organisations_closing ON organisations (closes_at);
CREATE INDEX organisations_maker ON organisations (made_by);
CREATE INDEX organisations_wrapping ON organisations (wrapped_by, id);

CREATE TABLE plan_overrides (
  id              uuid NOT NULL PRIMARY KEY,
  org_id          uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  meter       text COLLATE "C",
  feature     text COLLATE "C",
  amount          bigint CHECK (amount >= 0),
  until           bigint,
  reason      text COLLATE "C"    NOT NULL,
  created_at      bigint NOT NULL,
  CHECK ((meter IS NULL) <> (feature IS NULL))
);
CREATE INDEX plan_overrides_org ON plan_overrides (org_id, created_at);

CREATE TABLE memberships (
  id              uuid NOT NULL PRIMARY KEY,
  org_id          uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id         uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  role        text COLLATE "C"    NOT NULL
    CHECK (role IN ('owner', 'admin', 'member', 'viewer') OR (substr(role, 1, 4) = 'rol_' AND length(role) = 36)),
  standing    text COLLATE "C"    NOT NULL CHECK (standing IN ('active', 'suspended')),
  seen_at         bigint,
  version         bigint NOT NULL DEFAULT 1,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL,
  UNIQUE (org_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id, org_id);

-- Where a person belonged once: what they kept to themselves there waits for the end of their account.
CREATE TABLE former_stays (
  org_id          uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id         uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  ended_at        bigint NOT NULL,
  PRIMARY KEY (org_id, user_id)
);
CREATE INDEX former_stays_user ON former_stays (user_id);

CREATE TABLE sessions (
  id              uuid NOT NULL PRIMARY KEY,
  user_id         uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  org_id          uuid REFERENCES organisations (id) ON DELETE SET NULL,
  kind         text COLLATE "C"    NOT NULL CHECK (kind IN ('browser', 'token')),
  secret_hash     bytea UNIQUE,
  -- After a change of roles the next request gets a new secret; the one before it holds for a moment.
  renew           boolean NOT NULL DEFAULT false,
  former_hash     bytea UNIQUE,
  former_until    bigint,
  -- The longest time without use since a factor was shown.
  longest_rest    bigint NOT NULL DEFAULT 0,
  agent        text COLLATE "C"    NOT NULL,
  address      text COLLATE "C"    NOT NULL,
  created_at      bigint NOT NULL,
  seen_at         bigint NOT NULL,
  proven_at       bigint NOT NULL,
  expires_at      bigint NOT NULL,
  revoked_at      bigint
);
CREATE INDEX sessions_user ON sessions (user_id, created_at);
CREATE INDEX sessions_org ON sessions (org_id, user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
  hash            bytea NOT NULL PRIMARY KEY,
  session_id      uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  successor       bytea,
  created_at      bigint NOT NULL,
  used_at         bigint,
  expires_at      bigint NOT NULL
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id, created_at);

CREATE TABLE signing_keys (
  kid         text COLLATE "C"    NOT NULL PRIMARY KEY,
  sealed          bytea NOT NULL,
  public          bytea NOT NULL,
  created_at      bigint NOT NULL,
  retired_at      bigint
);

-- Single-use links that go out by mail.
CREATE TABLE tickets (
  id              uuid NOT NULL PRIMARY KEY,
  purpose     text COLLATE "C"    NOT NULL CHECK (purpose IN ('verify', 'reset', 'change_email', 'undo_email', 'keep_account')),
  user_id         uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  email       text COLLATE "C"    NOT NULL,
  hash            bytea NOT NULL UNIQUE,
  created_at      bigint NOT NULL,
  expires_at      bigint NOT NULL,
  used_at         bigint
);
CREATE INDEX tickets_user ON tickets (user_id, purpose);
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE invitations (
  id              uuid NOT NULL PRIMARY KEY,
  org_id          uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  email        text COLLATE "C"    NOT NULL,
  email_key    text COLLATE "C"    NOT NULL,
  role         text COLLATE "C"    NOT NULL
    CHECK (role IN ('owner', 'admin', 'member', 'viewer') OR (substr(role, 1, 4) = 'rol_' AND length(role) = 36)),
  teams        text COLLATE "C"    NOT NULL,
  projects     text COLLATE "C"    NOT NULL,
  hash            bytea NOT NULL UNIQUE,
  invited_by      uuid NOT NULL,
  created_at      bigint NOT NULL,
  sent_at         bigint NOT NULL,
  expires_at      bigint NOT NULL,
  accepted_at     bigint,
  revoked_at      bigint,
  -- Who has opened the link under another address, until the invited mailbox confirms it.
  asked_by        uuid,
  asked_hash      bytea UNIQUE,
  asked_until     bigint
);
CREATE INDEX invitations_org ON invitations (org_id, id);

-- Mail domains whose people may join by themselves. Several organisations may claim one; one alone proves it.
CREATE TABLE mail_domains (
  id              uuid NOT NULL PRIMARY KEY,
  org_id          uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  domain       text COLLATE "C"    NOT NULL,
  role         text COLLATE "C"    NOT NULL CHECK (role IN ('member', 'viewer')),
  teams        text COLLATE "C"    NOT NULL,
  joining         boolean NOT NULL,
  hash            bytea UNIQUE,
  hash_until      bigint,
  verified_at     bigint,
  version         bigint NOT NULL DEFAULT 1,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL,
  UNIQUE (org_id, domain)
);
CREATE UNIQUE INDEX mail_domains_proven ON mail_domains (domain) WHERE verified_at IS NOT NULL;

-- Who was removed from an organisation or left it: they come back by invitation, not by their mail domain.
CREATE TABLE removals (
  org_id          uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  user_id         uuid NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  removed_at      bigint NOT NULL,
  PRIMARY KEY (org_id, user_id)
);
CREATE INDEX removals_user ON removals (user_id);

-- The mailboxes of members, and those that they had when they went, as keyed hashes: with another account for the same one nobody comes in
-- by the domain. These stay when the person is erased.
CREATE TABLE removed_mailboxes (
  org_id          uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  mailbox         bytea NOT NULL,
  removed_at      bigint NOT NULL,
  PRIMARY KEY (org_id, mailbox)
);

CREATE TABLE api_keys (
  id              uuid NOT NULL PRIMARY KEY,
  public_id      text COLLATE "C"    NOT NULL UNIQUE,
  org_id          uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  project_id      uuid,
  user_id         uuid NOT NULL,
  membership_id   uuid NOT NULL,
  name           text COLLATE "C"    NOT NULL,
  mode           text COLLATE "C"    NOT NULL CHECK (mode IN ('live', 'test')),
  hash            bytea NOT NULL,
  last4          text COLLATE "C"    NOT NULL,
  scopes         text COLLATE "C"    NOT NULL,
  addresses      text COLLATE "C"    NOT NULL,
  rate_per_minute bigint CHECK (rate_per_minute > 0),
  calls_per_day   bigint CHECK (calls_per_day > 0),
  budget_micros   bigint CHECK (budget_micros >= 0),
  currency       text COLLATE "C",
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL,
  expires_at      bigint,
  warned_at       bigint,
  seen_at         bigint,
  revoked_at      bigint,
  replaced_by     uuid,
  -- The key that made this one; it ends with that one.
  made_by_key     uuid,
  version         bigint NOT NULL DEFAULT 1,
  CHECK (length(currency) = 3),
  CHECK ((budget_micros IS NULL) = (currency IS NULL))
);
CREATE INDEX api_keys_org ON api_keys (org_id, id);
CREATE INDEX api_keys_member ON api_keys (membership_id);
CREATE INDEX api_keys_expiry ON api_keys (expires_at);
CREATE INDEX api_keys_made_by ON api_keys (made_by_key);

CREATE TABLE mails (
  id              uuid NOT NULL PRIMARY KEY,
  recipient   text COLLATE "C"    NOT NULL,
  -- Whom and which organisation it is about, so that it goes when they go.
  user_id         uuid,
  org_id          uuid,
  subject     text COLLATE "C"    NOT NULL,
  body            bytea NOT NULL,
  created_at      bigint NOT NULL,
  due_at          bigint NOT NULL,
  tries           bigint NOT NULL DEFAULT 0,
  sent_at         bigint,
  failed_at       bigint,
  error       text COLLATE "C"
);
CREATE INDEX mails_age ON mails (created_at);
CREATE INDEX mails_user ON mails (user_id);
CREATE INDEX mails_org ON mails (org_id, created_at);
CREATE INDEX mails_due ON mails (due_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX mails_turn ON mails (org_id, due_at) WHERE sent_at IS NULL AND failed_at IS NULL;

-- What was decided here and must still be written into an organisation's own store: audit entries, presets of invitations.
CREATE TABLE deliveries (
  id              uuid NOT NULL PRIMARY KEY,
  org_id          uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  kind        text COLLATE "C"    NOT NULL,
  payload     text COLLATE "C"    NOT NULL,
  created_at      bigint NOT NULL
);
CREATE INDEX deliveries_org ON deliveries (org_id, id);

-- Work that waits: what is to be done stands in the organisation's own store, here only when and for whom. Claimed with a lease; the
-- epoch counts claims, so that one that outlived its lease writes nothing.
CREATE TABLE jobs (
  id              uuid NOT NULL PRIMARY KEY,
  org_id          uuid NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
  kind            text COLLATE "C" NOT NULL,
  subject         uuid NOT NULL,
  user_id         uuid NOT NULL,
  due_at          bigint NOT NULL,
  attempts        bigint NOT NULL DEFAULT 0,
  epoch           bigint NOT NULL DEFAULT 0,
  leased_until    bigint,
  created_at      bigint NOT NULL
);
CREATE UNIQUE INDEX jobs_subject ON jobs (org_id, kind, subject);
CREATE INDEX jobs_due ON jobs (kind, due_at);
CREATE INDEX jobs_waiting ON jobs (kind, org_id, due_at, id);
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE leased_until IS NOT NULL;
-- Organisations whose file lies in the bucket, or is on its way there or back. Which place counts the data folder says itself.
CREATE TABLE frozen (
  org_id      uuid    NOT NULL PRIMARY KEY REFERENCES organisations (id) ON DELETE CASCADE,
  hash        text COLLATE "C" NOT NULL,
  bytes       bigint  NOT NULL CHECK (bytes >= 0),
  created_at  bigint  NOT NULL
);

-- Organisations that have something to tell a webhook, and when to look for it: a mark, so that nobody opens all stores to find those
-- few. What is to be told stands in the organisation's own store.
CREATE TABLE webhook_turns (
  org_id      uuid    NOT NULL PRIMARY KEY REFERENCES organisations (id) ON DELETE CASCADE,
  due_at      bigint  NOT NULL,
  created_at  bigint  NOT NULL
);
CREATE INDEX webhook_turns_due ON webhook_turns (due_at);

-- What was erased, or is being erased: ids and numbers, nothing of what it was. These rows outlive what they are about.
CREATE TABLE erasures (
  id              uuid NOT NULL PRIMARY KEY,
  subject         text COLLATE "C"    NOT NULL UNIQUE,
  requested_by    text COLLATE "C"    NOT NULL,
  requested_at    bigint NOT NULL,
  begun_at        bigint NOT NULL,
  counts          text COLLATE "C",
  erased_at       bigint,
  hash            bytea,
  signature       bytea,
  CHECK ((erased_at IS NULL) = (hash IS NULL)),
  CHECK ((erased_at IS NULL) = (signature IS NULL))
);

CREATE TABLE idempotency (
  scope           bytea NOT NULL PRIMARY KEY,
  request         bytea NOT NULL,
  status          bigint NOT NULL,
  response        bytea NOT NULL,
  created_at      bigint NOT NULL
);
CREATE INDEX idempotency_age ON idempotency (created_at);

-- Failed sign-ins by account and by source, for the growing delay.
CREATE TABLE throttles (
  subject         bytea NOT NULL PRIMARY KEY,
  failures        bigint NOT NULL,
  since           bigint NOT NULL,
  blocked_until   bigint NOT NULL
);
CREATE INDEX throttles_age ON throttles (since);

-- Which check refused a request, for `rowhouse auth explain`; the last ten thousand.
CREATE TABLE refusals (
  request_id  text COLLATE "C"    NOT NULL PRIMARY KEY,
  at              bigint NOT NULL,
  stage       text COLLATE "C"    NOT NULL,
  detail      text COLLATE "C"    NOT NULL
);
CREATE INDEX refusals_age ON refusals (at);

-- The installation's own audit chain: operators, sign-ups, key rotation.
CREATE TABLE audit_head (
  one             bigint NOT NULL PRIMARY KEY CHECK (one = 1),
  seq             bigint NOT NULL,
  hash            bytea NOT NULL
);
INSERT INTO audit_head (one, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

CREATE TABLE audit (
  seq             bigint NOT NULL PRIMARY KEY,
  id              uuid NOT NULL UNIQUE,
  at              bigint NOT NULL,
  actor       text COLLATE "C"    NOT NULL,
  behalf      text COLLATE "C",
  action      text COLLATE "C"    NOT NULL,
  object      text COLLATE "C"    NOT NULL,
  before          bytea,
  after           bytea,
  address     text COLLATE "C"    NOT NULL,
  request_id  text COLLATE "C"    NOT NULL,
  detail      text COLLATE "C"    NOT NULL,
  hash            bytea NOT NULL
);
CREATE INDEX audit_action ON audit (action, seq);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_behalf ON audit (behalf, seq) WHERE behalf IS NOT NULL;
CREATE INDEX audit_object ON audit (object, seq);
-- The chain is append-only for the server too.
SELECT control.append_only('audit');
