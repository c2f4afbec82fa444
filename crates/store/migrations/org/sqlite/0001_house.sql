-- One organisation's own file: everything that travels with the tenant.

-- The file states whose it is, and carries the head of its audit chain. What changes what is found in the knowledge counts `changes`
-- up, so that whoever keeps a copy in memory knows when it is old, and `losses` when passages went with it; `numbers` gives each
-- collection and each passage a number that is never used again.
CREATE TABLE tenant (
  one         INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  id          BLOB    NOT NULL,
  numbers     INTEGER NOT NULL DEFAULT 0,
  changes     INTEGER NOT NULL DEFAULT 0,
  losses      INTEGER NOT NULL DEFAULT 0,
  moves       INTEGER NOT NULL DEFAULT 0,
  created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_head (
  one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  seq   INTEGER NOT NULL,
  hash  BLOB    NOT NULL
) STRICT;

CREATE TABLE audit (
  seq         INTEGER NOT NULL PRIMARY KEY,
  id          BLOB    NOT NULL,
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
CREATE INDEX providers_user ON providers (user_id, id);

-- Services outside to which a person has given the organisation's agents a key of their own; it ends with their stay.
CREATE TABLE connections (
  user_id        BLOB    NOT NULL,
  kind           TEXT    NOT NULL CHECK (kind IN ('notion')),
  membership_id  BLOB    NOT NULL,
  account        TEXT    NOT NULL,
  workspace      TEXT,
  sealed         BLOB    NOT NULL,
  key_version    INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  PRIMARY KEY (user_id, kind)
) STRICT, WITHOUT ROWID;

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
CREATE UNIQUE INDEX aliases_name ON aliases (name, ifnull(project_id, x''));

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

-- Knowledge: collections of documents. `number` is what their passages carry. Of one with `retain_days` the documents go that came
-- or changed longer ago (`documents.fresh_at`), the next time at `due_at`. One that is `within` another holds what a source brought for it
-- that has readers of its own (`circles`).
CREATE TABLE collections (
  id           BLOB    NOT NULL PRIMARY KEY,
  number       INTEGER NOT NULL,
  project_id   BLOB    REFERENCES projects (id) ON DELETE CASCADE,
  name         TEXT    NOT NULL,
  description  TEXT    NOT NULL,
  access       TEXT    NOT NULL CHECK (access IN ('private', 'shared', 'project')),
  made_by      BLOB    NOT NULL,
  version      INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  retain_days  INTEGER CHECK (retain_days > 0),
  due_at       INTEGER,
  within       BLOB    REFERENCES collections (id) ON DELETE CASCADE,
  CHECK ((retain_days IS NULL) = (due_at IS NULL)),
  CHECK (within IS NULL OR access = 'shared')
) STRICT, WITHOUT ROWID;
CREATE INDEX collections_within ON collections (within, id);

-- `titled` says that a person gave the title, which the document's own then does not replace; `job_id` names the work on the newest version;
-- `text_bytes` is what its passages take. By `name_key` and `tag_keys` documents are found: what stands there for the name and the tags,
-- which are sealed on PostgreSQL.
CREATE TABLE documents (
  id             BLOB    NOT NULL PRIMARY KEY,
  collection_id  BLOB    NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
  title          TEXT    NOT NULL,
  titled         INTEGER NOT NULL CHECK (titled IN (0, 1)),
  name           TEXT    NOT NULL,
  name_key       TEXT    NOT NULL,
  source         TEXT    NOT NULL,
  kind           TEXT    NOT NULL,
  tags           TEXT    NOT NULL,
  tag_keys       TEXT    NOT NULL,
  status         TEXT    NOT NULL CHECK (status IN ('queued', 'processing', 'ready', 'failed')),
  fault          TEXT,
  content_hash   TEXT    NOT NULL,
  size           INTEGER NOT NULL CHECK (size >= 0),
  latest         INTEGER NOT NULL CHECK (latest >= 1),
  shown          INTEGER NOT NULL CHECK (shown >= 0),
  passages       INTEGER NOT NULL CHECK (passages >= 0),
  embedded       INTEGER NOT NULL CHECK (embedded >= 0),
  job_id         BLOB    NOT NULL,
  made_by        BLOB    NOT NULL,
  version        INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  text_bytes     INTEGER NOT NULL CHECK (text_bytes >= 0),
  fresh_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX documents_collection ON documents (collection_id, id);
CREATE INDEX documents_name ON documents (collection_id, name_key);
CREATE INDEX documents_updated ON documents (collection_id, updated_at, id);
CREATE INDEX documents_fresh ON documents (collection_id, fresh_at, id);
CREATE INDEX documents_job ON documents (job_id);
CREATE INDEX documents_open ON documents (job_id) WHERE status IN ('queued', 'processing') OR embedded < passages;
CREATE INDEX documents_failed ON documents (job_id, collection_id) WHERE status = 'failed';

-- What a document was: each version with its original, which lies in the blobs, and what was read from it.
CREATE TABLE versions (
  document_id   BLOB    NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  number        INTEGER NOT NULL CHECK (number >= 1),
  name          TEXT    NOT NULL,
  content_hash  TEXT    NOT NULL,
  size          INTEGER NOT NULL CHECK (size >= 0),
  content       BLOB,
  made_by       BLOB    NOT NULL,
  created_at    INTEGER NOT NULL,
  text_bytes    INTEGER NOT NULL CHECK (text_bytes >= 0),
  PRIMARY KEY (document_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX versions_content ON versions (content_hash, size);

-- Passages of the version that is shown.
CREATE TABLE chunks (
  number         INTEGER NOT NULL PRIMARY KEY,
  id             BLOB    NOT NULL UNIQUE,
  document_id    BLOB    NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  collection     INTEGER NOT NULL,
  place          INTEGER NOT NULL CHECK (place >= 0),
  heading        TEXT    NOT NULL,
  text           TEXT    NOT NULL,
  page           INTEGER,
  starts         INTEGER NOT NULL CHECK (starts >= 0),
  ends           INTEGER NOT NULL CHECK (ends >= 0)
) STRICT;
CREATE UNIQUE INDEX chunks_document ON chunks (document_id, place);
-- Where a passage is, without reading its text.
CREATE INDEX chunks_collection ON chunks (number, collection);

-- Their words. Whoever deletes has its parts merged, so that what is deleted is overwritten here, too. A page of the index fits into one of the file beside its seal.
CREATE VIRTUAL TABLE chunk_words USING fts5 (heading, text, content = 'chunks', content_rowid = 'number',
  tokenize = 'porter unicode61 remove_diacritics 2');
INSERT INTO chunk_words (chunk_words, rank) VALUES ('pgsz', 1850);
-- The passages of each word, once for each place where it stands: a view of that index, which keeps nothing itself.
CREATE VIRTUAL TABLE chunk_terms USING fts5vocab (chunk_words, instance);
CREATE TRIGGER chunks_come AFTER INSERT ON chunks BEGIN
  INSERT INTO chunk_words (rowid, heading, text) VALUES (new.number, new.heading, new.text);
END;
CREATE TRIGGER chunks_go AFTER DELETE ON chunks BEGIN
  INSERT INTO chunk_words (chunk_words, rowid, heading, text) VALUES ('delete', old.number, old.heading, old.text);
END;

-- Their vectors: 8 bits a dimension, times a scale in billionths.
CREATE TABLE vectors (
  model       TEXT    NOT NULL,
  chunk       INTEGER NOT NULL REFERENCES chunks (number) ON DELETE CASCADE,
  collection  INTEGER NOT NULL,
  scale       INTEGER NOT NULL,
  value       BLOB    NOT NULL,
  PRIMARY KEY (chunk, model)
) STRICT, WITHOUT ROWID;

-- By which model passages are embedded, once that was chosen: `current` names the one whose vectors answer, as it stands on each of
-- them, `coming` the one that takes its place when it has as many. `version` counts choices.
CREATE TABLE embedding (
  one            INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  choice         TEXT,
  current        TEXT    NOT NULL,
  size           INTEGER CHECK (size > 0),
  coming         TEXT,
  coming_size    INTEGER CHECK (coming_size > 0),
  fault          TEXT,
  failing_since  INTEGER,
  job_id         BLOB    NOT NULL,
  made_by        BLOB    NOT NULL,
  version        INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  CHECK (coming <> current),
  CHECK ((fault IS NULL) = (failing_since IS NULL))
) STRICT;

-- Conversations: private to the person unless shared with people and teams, or for the whole project.
CREATE TABLE threads (
  id          BLOB    NOT NULL PRIMARY KEY,
  project_id  BLOB    REFERENCES projects (id) ON DELETE CASCADE,
  user_id     BLOB    NOT NULL,
  title       TEXT    NOT NULL,
  access      TEXT    NOT NULL CHECK (access IN ('private', 'shared', 'project')),
  version     INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX threads_user ON threads (user_id, id);
CREATE INDEX threads_shared ON threads (id) WHERE access <> 'private';

-- With whom a collection or a conversation is shared, which `shared` is, too. A person's share ends with their stay.
CREATE TABLE shares (
  shared         BLOB    NOT NULL,
  collection_id  BLOB    REFERENCES collections (id) ON DELETE CASCADE,
  thread_id      BLOB    REFERENCES threads (id) ON DELETE CASCADE,
  level          TEXT    NOT NULL CHECK (level IN ('user', 'team')),
  subject        BLOB    NOT NULL,
  membership_id  BLOB,
  created_at     INTEGER NOT NULL,
  PRIMARY KEY (shared, level, subject),
  CHECK ((collection_id IS NULL) <> (thread_id IS NULL)),
  CHECK (shared = coalesce(collection_id, thread_id)),
  CHECK ((level = 'user') = (membership_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX shares_subject ON shares (level, subject);

CREATE TABLE messages (
  id          BLOB    NOT NULL PRIMARY KEY,
  thread_id   BLOB    NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
  author      TEXT    NOT NULL CHECK (author IN ('user', 'assistant')),
  content     TEXT    NOT NULL,
  citations   TEXT    NOT NULL,
  detail      TEXT    NOT NULL,
  rating      INTEGER,
  comment     TEXT,
  correction  TEXT,
  created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_thread ON messages (thread_id, id);
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

-- Which documents an answer cites: with a document its words go out of the answers.
CREATE TABLE citings (
  document_id  BLOB    NOT NULL,
  message_id   BLOB    NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (document_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX citings_message ON citings (message_id);

-- Which documents an answer tells of that is kept for who repeats the request: with one of them it is forgotten.
CREATE TABLE kept_citings (
  scope        BLOB    NOT NULL REFERENCES idempotency (scope) ON DELETE CASCADE,
  document_id  BLOB    NOT NULL,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (scope, document_id)
) STRICT, WITHOUT ROWID;

-- Archives of many files that came at once, and what became of each file. The original is kept until all its files are out.
CREATE TABLE imports (
  id             BLOB    NOT NULL PRIMARY KEY,
  collection_id  BLOB    NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
  name           TEXT    NOT NULL,
  tags           TEXT    NOT NULL,
  status         TEXT    NOT NULL CHECK (status IN ('queued', 'processing', 'done', 'failed')),
  fault          TEXT,
  content_hash   TEXT    NOT NULL,
  size           INTEGER NOT NULL CHECK (size >= 0),
  done           INTEGER NOT NULL CHECK (done >= 0),
  total          INTEGER NOT NULL CHECK (total >= 0),
  made_by        BLOB    NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX imports_collection ON imports (collection_id, updated_at);
CREATE INDEX imports_content ON imports (content_hash);

CREATE TABLE import_files (
  import_id    BLOB    NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
  place        INTEGER NOT NULL CHECK (place >= 0),
  name         TEXT    NOT NULL,
  outcome      TEXT    NOT NULL CHECK (outcome IN ('added', 'changed', 'unchanged', 'refused')),
  fault        TEXT,
  document_id  BLOB    REFERENCES documents (id) ON DELETE CASCADE,
  created_at   INTEGER NOT NULL,
  PRIMARY KEY (import_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_files_document ON import_files (document_id);

-- Thresholds of what the plan has room for that were passed, each told once: forgotten when there is less than `rearms_below` again.
CREATE TABLE quota_alerts (
  counted       TEXT    NOT NULL CHECK (counted IN ('documents', 'storage')),
  percent       INTEGER NOT NULL CHECK (percent > 0),
  cap           INTEGER NOT NULL CHECK (cap > 0),
  used          INTEGER NOT NULL CHECK (used >= 0),
  rearms_below  INTEGER NOT NULL,
  at            INTEGER NOT NULL,
  told_at       INTEGER,
  PRIMARY KEY (counted, percent)
) STRICT, WITHOUT ROWID;

-- Sources of documents elsewhere, which are asked in rounds; `cursor` is how far the round is, or where the next one begins.
CREATE TABLE sources (
  id             BLOB    NOT NULL PRIMARY KEY,
  collection_id  BLOB    NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
  name           TEXT    NOT NULL,
  settings       TEXT    NOT NULL,
  status         TEXT    NOT NULL CHECK (status IN ('queued', 'syncing', 'done', 'failed')),
  fault          TEXT,
  cursor         TEXT,
  round          INTEGER NOT NULL CHECK (round >= 0),
  counts         TEXT    NOT NULL,
  job_id         BLOB    NOT NULL,
  made_by        BLOB    NOT NULL,
  synced_at      INTEGER,
  every_hours    INTEGER CHECK (every_hours BETWEEN 1 AND 720),
  next_sync_at   INTEGER,
  failures       INTEGER NOT NULL CHECK (failures >= 0),
  version        INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sources_collection ON sources (collection_id, id);

-- What a source has: the document that each item is, its mark there, and the round in which it was last seen. On PostgreSQL `key` is what
-- stands for the item's own.
CREATE TABLE source_items (
  source_id    BLOB    NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
  key          TEXT    NOT NULL,
  document_id  BLOB    NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  mark         TEXT,
  round        INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  PRIMARY KEY (source_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX source_items_document ON source_items (document_id);

-- What a source brings that is not for everybody who sees its collection lies in collections within that: one for each set of readers.
-- They are mail addresses, and groups of the source; on PostgreSQL what stands for them.
CREATE TABLE circles (
  collection_id  BLOB    NOT NULL PRIMARY KEY REFERENCES collections (id) ON DELETE CASCADE,
  source_id      BLOB    NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
  readers        TEXT    NOT NULL,
  created_at     INTEGER NOT NULL,
  UNIQUE (source_id, readers)
) STRICT, WITHOUT ROWID;

CREATE TABLE circle_readers (
  collection_id  BLOB    NOT NULL REFERENCES circles (collection_id) ON DELETE CASCADE,
  kind           TEXT    NOT NULL CHECK (kind IN ('address', 'group')),
  reader         TEXT    NOT NULL,
  created_at     INTEGER NOT NULL,
  PRIMARY KEY (collection_id, kind, reader)
) STRICT, WITHOUT ROWID;
CREATE INDEX circle_readers_reader ON circle_readers (kind, reader);

-- Who is in the groups of a source, by mail address, as it last said.
CREATE TABLE group_members (
  source_id   BLOB    NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
  name        TEXT    NOT NULL,
  address     TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (source_id, name, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_address ON group_members (address);
