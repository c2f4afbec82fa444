-- One organisation's own file: everything that travels with the tenant.

-- The file states whose it is, and carries the head of its audit chain.
CREATE TABLE tenant (
  one         INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  id          BLOB    NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_head (
  one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  seq   INTEGER NOT NULL,
  hash  BLOB    NOT NULL
) STRICT;

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

CREATE TABLE roles (
  id           BLOB    NOT NULL PRIMARY KEY,
  name         TEXT    NOT NULL UNIQUE,
  description  TEXT    NOT NULL,
  permissions  TEXT    NOT NULL,
  version      INTEGER NOT NULL DEFAULT 1,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE teams (
  id          BLOB    NOT NULL PRIMARY KEY,
  parent_id   BLOB    REFERENCES teams (id),
  name        TEXT    NOT NULL,
  version     INTEGER NOT NULL DEFAULT 1,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX teams_name ON teams (ifnull(parent_id, x''), name);
CREATE INDEX teams_parent ON teams (parent_id);

-- Teams that were deleted: what was used in them still counts to the teams above.
CREATE TABLE former_teams (
  id          BLOB    NOT NULL PRIMARY KEY,
  parent_id   BLOB,
  name        TEXT    NOT NULL,
  deleted_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE team_members (
  team_id        BLOB    NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
  user_id        BLOB    NOT NULL,
  membership_id  BLOB    NOT NULL,
  role           TEXT    NOT NULL
    CHECK (role IN ('owner', 'admin', 'member', 'viewer') OR (substr(role, 1, 4) = 'rol_' AND length(role) = 36)),
  created_at     INTEGER NOT NULL,
  PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_members_user ON team_members (user_id, team_id);

CREATE TABLE projects (
  id           BLOB    NOT NULL PRIMARY KEY,
  name         TEXT    NOT NULL UNIQUE,
  description  TEXT    NOT NULL,
  open         INTEGER NOT NULL CHECK (open IN (0, 1)),
  archived_at  INTEGER,
  version      INTEGER NOT NULL DEFAULT 1,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE project_members (
  project_id     BLOB    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  user_id        BLOB    NOT NULL,
  membership_id  BLOB    NOT NULL,
  role           TEXT    NOT NULL
    CHECK (role IN ('owner', 'admin', 'member', 'viewer') OR (substr(role, 1, 4) = 'rol_' AND length(role) = 36)),
  created_at     INTEGER NOT NULL,
  PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_members_user ON project_members (user_id, project_id);

CREATE TABLE project_teams (
  project_id  BLOB    NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  team_id     BLOB    NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
  role        TEXT    NOT NULL
    CHECK (role IN ('owner', 'admin', 'member', 'viewer') OR (substr(role, 1, 4) = 'rol_' AND length(role) = 36)),
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (project_id, team_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_teams_team ON project_teams (team_id, project_id);

-- Each person's configuration in this organisation; the newest version counts, older ones can be listed.
CREATE TABLE configs (
  user_id     BLOB    NOT NULL,
  version     INTEGER NOT NULL,
  value       TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (user_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  scope       BLOB    NOT NULL PRIMARY KEY,
  request     BLOB    NOT NULL,
  status      INTEGER NOT NULL,
  response    BLOB    NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_age ON idempotency (created_at);

-- Ids of deliveries from the control database that were written here, so that each is written once.
CREATE TABLE delivered (
  id          BLOB    NOT NULL PRIMARY KEY,
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Providers of models that the organisation, a project or a person brought. `sealed` holds the key and the values of the headers,
-- under the organisation's key; `key_version` says under which one.
CREATE TABLE providers (
  id             BLOB    NOT NULL PRIMARY KEY,
  name           TEXT    NOT NULL,
  kind           TEXT    NOT NULL CHECK (kind IN ('openai', 'anthropic')),
  base_url       TEXT    NOT NULL,
  project_id     BLOB    REFERENCES projects (id) ON DELETE CASCADE,
  user_id        BLOB,
  membership_id  BLOB,
  models         TEXT    NOT NULL,
  headers        TEXT    NOT NULL,
  key_last4      TEXT,
  sealed         BLOB,
  key_version    INTEGER NOT NULL,
  expires_at     INTEGER,
  last_used_at   INTEGER,
  made_by        BLOB    NOT NULL,
  version        INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  CHECK (project_id IS NULL OR user_id IS NULL),
  CHECK ((user_id IS NULL) = (membership_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX providers_project ON providers (project_id, id);
CREATE INDEX providers_user ON providers (user_id, id);

-- Names that the organisation or a project gives to models: whom to ask, in order.
CREATE TABLE aliases (
  id          BLOB    NOT NULL PRIMARY KEY,
  project_id  BLOB    REFERENCES projects (id) ON DELETE CASCADE,
  name        TEXT    NOT NULL,
  targets     TEXT    NOT NULL,
  made_by     BLOB    NOT NULL,
  version     INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX aliases_name ON aliases (ifnull(project_id, x''), name);
CREATE INDEX aliases_project ON aliases (project_id);

CREATE TABLE budgets (
  id               BLOB    NOT NULL PRIMARY KEY,
  level            TEXT    NOT NULL CHECK (level IN ('organization', 'team', 'project', 'user', 'key', 'agent')),
  subject          BLOB,
  period           TEXT    NOT NULL CHECK (period IN ('day', 'week', 'month', 'total')),
  amount_micros    INTEGER NOT NULL CHECK (amount_micros >= 0),
  currency         TEXT    NOT NULL CHECK (length(currency) = 3),
  kind             TEXT    NOT NULL CHECK (kind IN ('hard', 'soft')),
  alerts           TEXT    NOT NULL,
  increase_micros  INTEGER NOT NULL CHECK (increase_micros >= 0),
  increase_until   INTEGER,
  increase_by      BLOB,
  made_by          BLOB    NOT NULL,
  version          INTEGER NOT NULL,
  created_at       INTEGER NOT NULL,
  updated_at       INTEGER NOT NULL,
  CHECK ((level = 'organization') = (subject IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE rate_limits (
  id                   BLOB    NOT NULL PRIMARY KEY,
  level                TEXT    NOT NULL CHECK (level IN ('organization', 'project', 'user', 'key')),
  subject              BLOB,
  operation            TEXT,
  requests_per_minute  INTEGER CHECK (requests_per_minute > 0),
  tokens_per_minute    INTEGER CHECK (tokens_per_minute > 0),
  concurrency          INTEGER CHECK (concurrency > 0),
  made_by              BLOB    NOT NULL,
  version              INTEGER NOT NULL,
  created_at           INTEGER NOT NULL,
  updated_at           INTEGER NOT NULL,
  CHECK (level <> 'organization' OR subject IS NULL)
) STRICT, WITHOUT ROWID;

-- Addresses that are told of events. `sealed` holds the secret that signs, under the organisation's key; `former_sealed` the one
-- before it, which signs too until `former_until`.
CREATE TABLE webhooks (
  id                BLOB    NOT NULL PRIMARY KEY,
  url               TEXT    NOT NULL,
  description       TEXT    NOT NULL,
  events            TEXT    NOT NULL,
  sealed            BLOB    NOT NULL,
  former_sealed     BLOB,
  former_until      INTEGER,
  key_version       INTEGER NOT NULL,
  disabled_at       INTEGER,
  disabled_because  TEXT    CHECK (disabled_because IN ('asked', 'failing', 'gone')),
  made_by           BLOB    NOT NULL,
  version           INTEGER NOT NULL,
  created_at        INTEGER NOT NULL,
  updated_at        INTEGER NOT NULL,
  CHECK ((former_sealed IS NULL) = (former_until IS NULL)),
  CHECK ((disabled_at IS NULL) = (disabled_because IS NULL))
) STRICT, WITHOUT ROWID;

-- What webhooks are told, a row for each address: written with its cause, sent later, kept for a while.
CREATE TABLE webhook_messages (
  id            BLOB    NOT NULL PRIMARY KEY,
  webhook_id    BLOB    NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  event         TEXT    NOT NULL,
  body          TEXT    NOT NULL,
  created_at    INTEGER NOT NULL,
  due_at        INTEGER NOT NULL,
  tries         INTEGER NOT NULL CHECK (tries >= 0),
  tried_at      INTEGER,
  status        INTEGER,
  error         TEXT,
  delivered_at  INTEGER,
  failed_at     INTEGER,
  CHECK (delivered_at IS NULL OR failed_at IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_messages_webhook ON webhook_messages (webhook_id, id);
CREATE INDEX webhook_messages_age ON webhook_messages (created_at);
CREATE INDEX webhook_messages_due ON webhook_messages (due_at) WHERE delivered_at IS NULL AND failed_at IS NULL;
