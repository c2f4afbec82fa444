-- Everything that travels with a tenant, all tenants in one schema, parted by forced row-level security. `org.current_org()` and
-- `org.protect()` are made by bootstrap.sql; keys, unique constraints, indexes and foreign keys all start with org_id.

-- What people write, sealed under their organisation's key: a byte for the form, a nonce, AES-256-GCM. In files, which are encrypted
-- whole, `sealed_text` is text and `sealed_bytes` are bytes.
CREATE DOMAIN org.sealed_text AS bytea CHECK (octet_length(VALUE) >= 29 AND get_byte(VALUE, 0) = 1);
CREATE DOMAIN org.sealed_bytes AS bytea CHECK (octet_length(VALUE) >= 29 AND get_byte(VALUE, 0) = 1);

-- The file states whose it is, and carries the head of its audit chain. What changes what is found in the knowledge counts `changes`
-- up, so that whoever keeps a copy in memory knows when it is old, and `losses` when passages went with it; `numbers` gives each
-- collection and each passage a number that is never used again.
CREATE TABLE tenant (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  one             bigint NOT NULL CHECK (one = 1),
  PRIMARY KEY (org_id, one),
  id              uuid NOT NULL,
  numbers         bigint NOT NULL DEFAULT 0,
  changes         bigint NOT NULL DEFAULT 0,
  losses          bigint NOT NULL DEFAULT 0,
  moves           bigint NOT NULL DEFAULT 0,
  created_at      bigint NOT NULL
);

CREATE TABLE audit_head (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  one             bigint NOT NULL CHECK (one = 1),
  PRIMARY KEY (org_id, one),
  seq             bigint NOT NULL,
  hash            bytea NOT NULL
);

CREATE TABLE audit (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  seq             bigint NOT NULL,
  PRIMARY KEY (org_id, seq),
  id              uuid NOT NULL,
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
CREATE INDEX audit_action ON audit (org_id, action, seq);
CREATE INDEX audit_actor ON audit (org_id, actor, seq);
CREATE INDEX audit_behalf ON audit (org_id, behalf, seq) WHERE behalf IS NOT NULL;
CREATE INDEX audit_object ON audit (org_id, object, seq);

CREATE TABLE roles (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  id              uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  name         text COLLATE "C"    NOT NULL,
  UNIQUE (org_id, name),
  description  text COLLATE "C"    NOT NULL,
  permissions  text COLLATE "C"    NOT NULL,
  version         bigint NOT NULL DEFAULT 1,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL
);

CREATE TABLE teams (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  id              uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  parent_id       uuid,
  FOREIGN KEY (org_id, parent_id) REFERENCES teams (org_id, id),
  name        text COLLATE "C"    NOT NULL,
  version         bigint NOT NULL DEFAULT 1,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL
);
CREATE UNIQUE INDEX teams_name ON teams (org_id, parent_id, name) NULLS NOT DISTINCT;
CREATE INDEX teams_parent ON teams (org_id, parent_id);

-- Teams that were deleted: what was used in them still counts to the teams above.
CREATE TABLE former_teams (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  id              uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  parent_id       uuid,
  name            text COLLATE "C" NOT NULL,
  deleted_at      bigint NOT NULL
);

CREATE TABLE team_members (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  team_id         uuid NOT NULL,
  FOREIGN KEY (org_id, team_id) REFERENCES teams (org_id, id) ON DELETE CASCADE,
  user_id         uuid NOT NULL,
  membership_id   uuid NOT NULL,
  role           text COLLATE "C"    NOT NULL
    CHECK (role IN ('owner', 'admin', 'member', 'viewer') OR (substr(role, 1, 4) = 'rol_' AND length(role) = 36)),
  created_at      bigint NOT NULL,
  PRIMARY KEY (org_id, team_id, user_id)
);
CREATE INDEX team_members_user ON team_members (org_id, user_id, team_id);

CREATE TABLE projects (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  id              uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  name         text COLLATE "C"    NOT NULL,
  UNIQUE (org_id, name),
  description  text COLLATE "C"    NOT NULL,
  open            boolean NOT NULL,
  archived_at     bigint,
  version         bigint NOT NULL DEFAULT 1,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL
);

CREATE TABLE project_members (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  project_id      uuid NOT NULL,
  FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id) ON DELETE CASCADE,
  user_id         uuid NOT NULL,
  membership_id   uuid NOT NULL,
  role           text COLLATE "C"    NOT NULL
    CHECK (role IN ('owner', 'admin', 'member', 'viewer') OR (substr(role, 1, 4) = 'rol_' AND length(role) = 36)),
  created_at      bigint NOT NULL,
  PRIMARY KEY (org_id, project_id, user_id)
);
CREATE INDEX project_members_user ON project_members (org_id, user_id, project_id);

CREATE TABLE project_teams (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  project_id      uuid NOT NULL,
  FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id) ON DELETE CASCADE,
  team_id         uuid NOT NULL,
  FOREIGN KEY (org_id, team_id) REFERENCES teams (org_id, id) ON DELETE CASCADE,
  role        text COLLATE "C"    NOT NULL
    CHECK (role IN ('owner', 'admin', 'member', 'viewer') OR (substr(role, 1, 4) = 'rol_' AND length(role) = 36)),
  created_at      bigint NOT NULL,
  PRIMARY KEY (org_id, project_id, team_id)
);
CREATE INDEX project_teams_team ON project_teams (org_id, team_id, project_id);

-- Each person's configuration in this organisation; the newest version counts, older ones can be listed.
CREATE TABLE configs (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  user_id         uuid NOT NULL,
  version         bigint NOT NULL,
  value       text COLLATE "C"    NOT NULL,
  created_at      bigint NOT NULL,
  PRIMARY KEY (org_id, user_id, version)
);

CREATE TABLE idempotency (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  scope           bytea NOT NULL,
  PRIMARY KEY (org_id, scope),
  request         bytea NOT NULL,
  status          bigint NOT NULL,
  response        bytea NOT NULL,
  created_at      bigint NOT NULL
);
CREATE INDEX idempotency_age ON idempotency (org_id, created_at);

-- Ids of deliveries from the control database that were written here, so that each is written once.
CREATE TABLE delivered (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  id              uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  created_at      bigint NOT NULL
);

-- Providers of models that the organisation, a project or a person brought. `sealed` holds the key and the values of the headers,
-- under the organisation's key; `key_version` says under which one.
CREATE TABLE providers (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  id              uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  name           text COLLATE "C" NOT NULL,
  kind           text COLLATE "C" NOT NULL CHECK (kind IN ('openai', 'anthropic')),
  base_url       text COLLATE "C" NOT NULL,
  project_id      uuid,
  FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id) ON DELETE CASCADE,
  user_id         uuid,
  membership_id   uuid,
  models         text COLLATE "C" NOT NULL,
  headers        text COLLATE "C" NOT NULL,
  key_last4      text COLLATE "C",
  sealed          bytea,
  key_version     bigint NOT NULL,
  expires_at      bigint,
  last_used_at    bigint,
  made_by         uuid NOT NULL,
  version         bigint NOT NULL,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL,
  CHECK (project_id IS NULL OR user_id IS NULL),
  CHECK ((user_id IS NULL) = (membership_id IS NULL))
);
CREATE INDEX providers_user ON providers (org_id, user_id, id);

-- Services outside to which a person has given the organisation's agents a key of their own; it ends with their stay.
CREATE TABLE connections (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  user_id         uuid NOT NULL,
  kind           text COLLATE "C" NOT NULL CHECK (kind IN ('notion')),
  membership_id   uuid NOT NULL,
  account        text COLLATE "C" NOT NULL,
  workspace      text COLLATE "C",
  sealed          bytea NOT NULL,
  key_version     bigint NOT NULL,
  created_at      bigint NOT NULL,
  PRIMARY KEY (org_id, user_id, kind)
);

-- Names that the organisation or a project gives to models: whom to ask, in order.
CREATE TABLE aliases (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  id              uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  project_id      uuid,
  FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id) ON DELETE CASCADE,
  name           text COLLATE "C" NOT NULL,
  targets        text COLLATE "C" NOT NULL,
  made_by         uuid NOT NULL,
  version         bigint NOT NULL,
  created_at      bigint NOT NULL,
  updated_at      bigint NOT NULL
);
CREATE UNIQUE INDEX aliases_name ON aliases (org_id, name, project_id) NULLS NOT DISTINCT;

CREATE TABLE budgets (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  id               uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  level            text COLLATE "C" NOT NULL CHECK (level IN ('organization', 'team', 'project', 'user', 'key', 'agent')),
  subject          uuid,
  period           text COLLATE "C" NOT NULL CHECK (period IN ('day', 'week', 'month', 'total')),
  amount_micros    bigint NOT NULL CHECK (amount_micros >= 0),
  currency         text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
  kind             text COLLATE "C" NOT NULL CHECK (kind IN ('hard', 'soft')),
  alerts           text COLLATE "C" NOT NULL,
  increase_micros  bigint NOT NULL CHECK (increase_micros >= 0),
  increase_until   bigint,
  increase_by      uuid,
  made_by          uuid NOT NULL,
  version          bigint NOT NULL,
  created_at       bigint NOT NULL,
  updated_at       bigint NOT NULL,
  CHECK ((level = 'organization') = (subject IS NULL))
);

CREATE TABLE rate_limits (
  org_id               uuid NOT NULL DEFAULT org.current_org(),
  id                   uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  level                text COLLATE "C" NOT NULL CHECK (level IN ('organization', 'project', 'user', 'key')),
  subject              uuid,
  operation            text COLLATE "C",
  requests_per_minute  bigint CHECK (requests_per_minute > 0),
  tokens_per_minute    bigint CHECK (tokens_per_minute > 0),
  concurrency          bigint CHECK (concurrency > 0),
  made_by              uuid NOT NULL,
  version              bigint NOT NULL,
  created_at           bigint NOT NULL,
  updated_at           bigint NOT NULL,
  CHECK (level <> 'organization' OR subject IS NULL)
);

-- Knowledge: collections of documents. `number` is what their passages carry. Of one with `retain_days` the documents go that came
-- or changed longer ago (`documents.fresh_at`), the next time at `due_at`. One that is `within` another holds what a source brought for it
-- that has readers of its own (`circles`).
CREATE TABLE collections (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  id               uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  number           bigint NOT NULL,
  project_id       uuid,
  FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id) ON DELETE CASCADE,
  name             text COLLATE "C" NOT NULL,
  description      text COLLATE "C" NOT NULL,
  access           text COLLATE "C" NOT NULL CHECK (access IN ('private', 'shared', 'project')),
  made_by          uuid NOT NULL,
  version          bigint NOT NULL,
  created_at       bigint NOT NULL,
  updated_at       bigint NOT NULL,
  retain_days      bigint CHECK (retain_days > 0),
  due_at           bigint,
  within           uuid,
  FOREIGN KEY (org_id, within) REFERENCES collections (org_id, id) ON DELETE CASCADE,
  CHECK ((retain_days IS NULL) = (due_at IS NULL)),
  CHECK (within IS NULL OR access = 'shared')
);
CREATE INDEX collections_within ON collections (org_id, within, id);

-- `titled` says that a person gave the title, which the document's own then does not replace; `job_id` names the work on the newest version;
-- `text_bytes` is what its passages take. By `name_key` and `tag_keys` documents are found: what stands there for the name and the tags,
-- which are sealed on PostgreSQL.
CREATE TABLE documents (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  id               uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  collection_id    uuid NOT NULL,
  FOREIGN KEY (org_id, collection_id) REFERENCES collections (org_id, id) ON DELETE CASCADE,
  title            sealed_text NOT NULL,
  titled           boolean NOT NULL,
  name             sealed_text NOT NULL,
  name_key         text COLLATE "C" NOT NULL,
  source           text COLLATE "C" NOT NULL,
  kind             text COLLATE "C" NOT NULL,
  tags             sealed_text NOT NULL,
  tag_keys         text COLLATE "C" NOT NULL,
  status           text COLLATE "C" NOT NULL CHECK (status IN ('queued', 'processing', 'ready', 'failed')),
  fault            sealed_text,
  content_hash     text COLLATE "C" NOT NULL,
  size             bigint NOT NULL CHECK (size >= 0),
  latest           bigint NOT NULL CHECK (latest >= 1),
  shown            bigint NOT NULL CHECK (shown >= 0),
  passages         bigint NOT NULL CHECK (passages >= 0),
  embedded         bigint NOT NULL CHECK (embedded >= 0),
  job_id           uuid NOT NULL,
  made_by          uuid NOT NULL,
  version          bigint NOT NULL,
  created_at       bigint NOT NULL,
  updated_at       bigint NOT NULL,
  text_bytes       bigint NOT NULL CHECK (text_bytes >= 0),
  fresh_at         bigint NOT NULL
);
CREATE INDEX documents_collection ON documents (org_id, collection_id, id);
CREATE INDEX documents_name ON documents (org_id, collection_id, name_key);
CREATE INDEX documents_updated ON documents (org_id, collection_id, updated_at, id);
CREATE INDEX documents_fresh ON documents (org_id, collection_id, fresh_at, id);
CREATE INDEX documents_job ON documents (org_id, job_id);
CREATE INDEX documents_open ON documents (org_id, job_id) WHERE status IN ('queued', 'processing') OR embedded < passages;
CREATE INDEX documents_failed ON documents (org_id, job_id, collection_id) WHERE status = 'failed';

-- What a document was: each version with its original, which lies in the blobs, and what was read from it.
CREATE TABLE versions (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  document_id      uuid NOT NULL,
  FOREIGN KEY (org_id, document_id) REFERENCES documents (org_id, id) ON DELETE CASCADE,
  number           bigint NOT NULL CHECK (number >= 1),
  name             sealed_text NOT NULL,
  content_hash     text COLLATE "C" NOT NULL,
  size             bigint NOT NULL CHECK (size >= 0),
  content          sealed_bytes,
  made_by          uuid NOT NULL,
  created_at       bigint NOT NULL,
  text_bytes       bigint NOT NULL CHECK (text_bytes >= 0),
  PRIMARY KEY (org_id, document_id, number)
);
CREATE INDEX versions_content ON versions (org_id, content_hash, size);

-- Passages of the version that is shown. No index over their words: row security lets no operator that might tell of a row look into
-- one before the organisation is known, and the one for words is such an operator.
CREATE TABLE chunks (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  number           bigint NOT NULL,
  PRIMARY KEY (org_id, number),
  id               uuid NOT NULL,
  UNIQUE (org_id, id),
  document_id      uuid NOT NULL,
  FOREIGN KEY (org_id, document_id) REFERENCES documents (org_id, id) ON DELETE CASCADE,
  collection       bigint NOT NULL,
  place            bigint NOT NULL CHECK (place >= 0),
  heading          sealed_text NOT NULL,
  text             sealed_text NOT NULL,
  page             bigint,
  starts           bigint NOT NULL CHECK (starts >= 0),
  ends             bigint NOT NULL CHECK (ends >= 0),
  -- Its words, each as a keyed hash with the places where it stands, and how many they are: in files a table of its own.
  words            tsvector NOT NULL,
  length           bigint NOT NULL
);
-- What is sealed cannot be pressed; words are looked at by every search, and stay with the row.
ALTER TABLE chunks ALTER COLUMN heading SET STORAGE EXTERNAL, ALTER COLUMN text SET STORAGE EXTERNAL, ALTER COLUMN words SET STORAGE MAIN;
CREATE UNIQUE INDEX chunks_document ON chunks (org_id, document_id, place);
CREATE INDEX chunks_collection ON chunks (org_id, number, collection);

-- Their vectors: 8 bits a dimension, times a scale in billionths.
CREATE TABLE vectors (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  model            text COLLATE "C" NOT NULL,
  chunk            bigint NOT NULL,
  FOREIGN KEY (org_id, chunk) REFERENCES chunks (org_id, number) ON DELETE CASCADE,
  collection       bigint NOT NULL,
  scale            bigint NOT NULL,
  value            sealed_bytes NOT NULL,
  PRIMARY KEY (org_id, chunk, model)
);

-- By which model passages are embedded, once that was chosen: `current` names the one whose vectors answer, as it stands on each of
-- them, `coming` the one that takes its place when it has as many. `version` counts choices.
CREATE TABLE embedding (
  org_id         uuid NOT NULL DEFAULT org.current_org(),
  one            bigint NOT NULL CHECK (one = 1),
  PRIMARY KEY (org_id, one),
  choice         text COLLATE "C",
  current        text COLLATE "C" NOT NULL,
  size           bigint CHECK (size > 0),
  coming         text COLLATE "C",
  coming_size    bigint CHECK (coming_size > 0),
  fault          text COLLATE "C",
  failing_since  bigint,
  job_id         uuid NOT NULL,
  made_by        uuid NOT NULL,
  version        bigint NOT NULL,
  created_at     bigint NOT NULL,
  updated_at     bigint NOT NULL,
  CHECK (coming <> current),
  CHECK ((fault IS NULL) = (failing_since IS NULL))
);

-- Conversations: private to the person unless shared with people and teams, or for the whole project.
CREATE TABLE threads (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  id               uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  project_id       uuid,
  FOREIGN KEY (org_id, project_id) REFERENCES projects (org_id, id) ON DELETE CASCADE,
  user_id          uuid NOT NULL,
  title            sealed_text NOT NULL,
  access           text COLLATE "C" NOT NULL CHECK (access IN ('private', 'shared', 'project')),
  version          bigint NOT NULL,
  created_at       bigint NOT NULL,
  updated_at       bigint NOT NULL
);
CREATE INDEX threads_user ON threads (org_id, user_id, id);
CREATE INDEX threads_shared ON threads (org_id, id) WHERE access <> 'private';

-- With whom a collection or a conversation is shared, which `shared` is, too. A person's share ends with their stay.
CREATE TABLE shares (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  shared           uuid NOT NULL,
  collection_id    uuid,
  FOREIGN KEY (org_id, collection_id) REFERENCES collections (org_id, id) ON DELETE CASCADE,
  thread_id        uuid,
  FOREIGN KEY (org_id, thread_id) REFERENCES threads (org_id, id) ON DELETE CASCADE,
  level            text COLLATE "C" NOT NULL CHECK (level IN ('user', 'team')),
  subject          uuid NOT NULL,
  membership_id    uuid,
  created_at       bigint NOT NULL,
  PRIMARY KEY (org_id, shared, level, subject),
  CHECK ((collection_id IS NULL) <> (thread_id IS NULL)),
  CHECK (shared = coalesce(collection_id, thread_id)),
  CHECK ((level = 'user') = (membership_id IS NOT NULL))
);
CREATE INDEX shares_subject ON shares (org_id, level, subject);

CREATE TABLE messages (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  id               uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  thread_id        uuid NOT NULL,
  FOREIGN KEY (org_id, thread_id) REFERENCES threads (org_id, id) ON DELETE CASCADE,
  author           text COLLATE "C" NOT NULL CHECK (author IN ('user', 'assistant')),
  content          sealed_text NOT NULL,
  citations        sealed_text NOT NULL,
  detail           sealed_text NOT NULL,
  rating           bigint,
  comment          sealed_text,
  correction       sealed_text,
  created_at       bigint NOT NULL
);
CREATE INDEX messages_thread ON messages (org_id, thread_id, id);
-- Addresses that are told of events. `sealed` holds the secret that signs, under the organisation's key; `former_sealed` the one
-- before it, which signs too until `former_until`.
CREATE TABLE webhooks (
  org_id            uuid NOT NULL DEFAULT org.current_org(),
  id                uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  url               text COLLATE "C" NOT NULL,
  description       text COLLATE "C" NOT NULL,
  events            text COLLATE "C" NOT NULL,
  sealed            bytea NOT NULL,
  former_sealed     bytea,
  former_until      bigint,
  key_version       bigint NOT NULL,
  disabled_at       bigint,
  disabled_because  text COLLATE "C" CHECK (disabled_because IN ('asked', 'failing', 'gone')),
  made_by           uuid NOT NULL,
  version           bigint NOT NULL,
  created_at        bigint NOT NULL,
  updated_at        bigint NOT NULL,
  CHECK ((former_sealed IS NULL) = (former_until IS NULL)),
  CHECK ((disabled_at IS NULL) = (disabled_because IS NULL))
);

-- What webhooks are told, a row for each address: written with its cause, sent later, kept for a while.
CREATE TABLE webhook_messages (
  org_id        uuid NOT NULL DEFAULT org.current_org(),
  id            uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  webhook_id    uuid NOT NULL,
  FOREIGN KEY (org_id, webhook_id) REFERENCES webhooks (org_id, id) ON DELETE CASCADE,
  event         text COLLATE "C" NOT NULL,
  body          text COLLATE "C" NOT NULL,
  created_at    bigint NOT NULL,
  due_at        bigint NOT NULL,
  tries         bigint NOT NULL CHECK (tries >= 0),
  tried_at      bigint,
  status        bigint,
  error         text COLLATE "C",
  delivered_at  bigint,
  failed_at     bigint,
  CHECK (delivered_at IS NULL OR failed_at IS NULL)
);
CREATE INDEX webhook_messages_webhook ON webhook_messages (org_id, webhook_id, id);
CREATE INDEX webhook_messages_age ON webhook_messages (org_id, created_at);
CREATE INDEX webhook_messages_due ON webhook_messages (org_id, due_at) WHERE delivered_at IS NULL AND failed_at IS NULL;

-- Which documents an answer cites: with a document its words go out of the answers.
CREATE TABLE citings (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  document_id      uuid NOT NULL,
  message_id       uuid NOT NULL,
  FOREIGN KEY (org_id, message_id) REFERENCES messages (org_id, id) ON DELETE CASCADE,
  created_at       bigint NOT NULL,
  PRIMARY KEY (org_id, document_id, message_id)
);
CREATE INDEX citings_message ON citings (org_id, message_id);

-- Which documents an answer tells of that is kept for who repeats the request: with one of them it is forgotten.
CREATE TABLE kept_citings (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  scope            bytea NOT NULL,
  FOREIGN KEY (org_id, scope) REFERENCES idempotency (org_id, scope) ON DELETE CASCADE,
  document_id      uuid NOT NULL,
  created_at       bigint NOT NULL,
  PRIMARY KEY (org_id, scope, document_id)
);

-- Archives of many files that came at once, and what became of each file. The original is kept until all its files are out.
CREATE TABLE imports (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  id               uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  collection_id    uuid NOT NULL,
  FOREIGN KEY (org_id, collection_id) REFERENCES collections (org_id, id) ON DELETE CASCADE,
  name             sealed_text NOT NULL,
  tags             sealed_text NOT NULL,
  status           text COLLATE "C" NOT NULL CHECK (status IN ('queued', 'processing', 'done', 'failed')),
  fault            sealed_text,
  content_hash     text COLLATE "C" NOT NULL,
  size             bigint NOT NULL CHECK (size >= 0),
  done             bigint NOT NULL CHECK (done >= 0),
  total            bigint NOT NULL CHECK (total >= 0),
  made_by          uuid NOT NULL,
  created_at       bigint NOT NULL,
  updated_at       bigint NOT NULL
);
CREATE INDEX imports_collection ON imports (org_id, collection_id, updated_at);
CREATE INDEX imports_content ON imports (org_id, content_hash);

CREATE TABLE import_files (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  import_id        uuid NOT NULL,
  FOREIGN KEY (org_id, import_id) REFERENCES imports (org_id, id) ON DELETE CASCADE,
  place            bigint NOT NULL CHECK (place >= 0),
  name             sealed_text NOT NULL,
  outcome          text COLLATE "C" NOT NULL CHECK (outcome IN ('added', 'changed', 'unchanged', 'refused')),
  fault            sealed_text,
  document_id      uuid,
  FOREIGN KEY (org_id, document_id) REFERENCES documents (org_id, id) ON DELETE CASCADE,
  created_at       bigint NOT NULL,
  PRIMARY KEY (org_id, import_id, place)
);
CREATE INDEX import_files_document ON import_files (org_id, document_id);

-- Thresholds of what the plan has room for that were passed, each told once: forgotten when there is less than `rearms_below` again.
CREATE TABLE quota_alerts (
  org_id           uuid NOT NULL DEFAULT org.current_org(),
  counted          text COLLATE "C" NOT NULL CHECK (counted IN ('documents', 'storage')),
  percent          bigint NOT NULL CHECK (percent > 0),
  cap              bigint NOT NULL CHECK (cap > 0),
  used             bigint NOT NULL CHECK (used >= 0),
  rearms_below     bigint NOT NULL,
  at               bigint NOT NULL,
  told_at          bigint,
  PRIMARY KEY (org_id, counted, percent)
);

-- Sources of documents elsewhere, which are asked in rounds; `cursor` is how far the round is, or where the next one begins.
CREATE TABLE sources (
  org_id         uuid NOT NULL DEFAULT org.current_org(),
  id             uuid NOT NULL,
  PRIMARY KEY (org_id, id),
  collection_id  uuid NOT NULL,
  FOREIGN KEY (org_id, collection_id) REFERENCES collections (org_id, id) ON DELETE CASCADE,
  name           sealed_text NOT NULL,
  settings       sealed_text NOT NULL,
  status         text COLLATE "C" NOT NULL CHECK (status IN ('queued', 'syncing', 'done', 'failed')),
  fault          sealed_text,
  cursor         sealed_text,
  round          bigint NOT NULL CHECK (round >= 0),
  counts         text COLLATE "C" NOT NULL,
  job_id         uuid NOT NULL,
  made_by        uuid NOT NULL,
  synced_at      bigint,
  every_hours    bigint CHECK (every_hours BETWEEN 1 AND 720),
  next_sync_at   bigint,
  failures       bigint NOT NULL CHECK (failures >= 0),
  version        bigint NOT NULL,
  created_at     bigint NOT NULL,
  updated_at     bigint NOT NULL
);
CREATE INDEX sources_collection ON sources (org_id, collection_id, id);

-- What a source has: the document that each item is, its mark there, and the round in which it was last seen. On PostgreSQL `key` is what
-- stands for the item's own.
CREATE TABLE source_items (
  org_id       uuid NOT NULL DEFAULT org.current_org(),
  source_id    uuid NOT NULL,
  FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id) ON DELETE CASCADE,
  key          text COLLATE "C" NOT NULL,
  document_id  uuid NOT NULL,
  FOREIGN KEY (org_id, document_id) REFERENCES documents (org_id, id) ON DELETE CASCADE,
  mark         text COLLATE "C",
  round        bigint NOT NULL,
  created_at   bigint NOT NULL,
  updated_at   bigint NOT NULL,
  PRIMARY KEY (org_id, source_id, key)
);
CREATE INDEX source_items_document ON source_items (org_id, document_id);

-- What a source brings that is not for everybody who sees its collection lies in collections within that: one for each set of readers.
-- They are mail addresses, and groups of the source; on PostgreSQL what stands for them.
CREATE TABLE circles (
  org_id         uuid NOT NULL DEFAULT org.current_org(),
  collection_id  uuid NOT NULL,
  PRIMARY KEY (org_id, collection_id),
  FOREIGN KEY (org_id, collection_id) REFERENCES collections (org_id, id) ON DELETE CASCADE,
  source_id      uuid NOT NULL,
  FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id) ON DELETE CASCADE,
  readers        text COLLATE "C" NOT NULL,
  created_at     bigint NOT NULL,
  UNIQUE (org_id, source_id, readers)
);

CREATE TABLE circle_readers (
  org_id         uuid NOT NULL DEFAULT org.current_org(),
  collection_id  uuid NOT NULL,
  FOREIGN KEY (org_id, collection_id) REFERENCES circles (org_id, collection_id) ON DELETE CASCADE,
  kind           text COLLATE "C" NOT NULL CHECK (kind IN ('address', 'group')),
  reader         text COLLATE "C" NOT NULL,
  created_at     bigint NOT NULL,
  PRIMARY KEY (org_id, collection_id, kind, reader)
);
CREATE INDEX circle_readers_reader ON circle_readers (org_id, kind, reader);

-- Who is in the groups of a source, by mail address, as it last said.
CREATE TABLE group_members (
  org_id      uuid NOT NULL DEFAULT org.current_org(),
  source_id   uuid NOT NULL,
  FOREIGN KEY (org_id, source_id) REFERENCES sources (org_id, id) ON DELETE CASCADE,
  name        text COLLATE "C" NOT NULL,
  address     text COLLATE "C" NOT NULL,
  created_at  bigint NOT NULL,
  PRIMARY KEY (org_id, source_id, name, address)
);
CREATE INDEX group_members_address ON group_members (org_id, address);

SELECT org.protect('tenant');
SELECT org.protect('audit_head');
SELECT org.protect('audit');
SELECT org.protect('roles');
SELECT org.protect('teams');
SELECT org.protect('former_teams');
SELECT org.protect('team_members');
SELECT org.protect('projects');
SELECT org.protect('project_members');
SELECT org.protect('project_teams');
SELECT org.protect('configs');
SELECT org.protect('idempotency');
SELECT org.protect('delivered');
SELECT org.protect('budgets');
SELECT org.protect('providers');
SELECT org.protect('connections');
SELECT org.protect('aliases');
SELECT org.protect('rate_limits');
SELECT org.protect('collections');
SELECT org.protect('shares');
SELECT org.protect('documents');
SELECT org.protect('versions');
SELECT org.protect('chunks');
SELECT org.protect('vectors');
SELECT org.protect('embedding');
SELECT org.protect('threads');
SELECT org.protect('messages');
SELECT org.protect('webhooks');
SELECT org.protect('quota_alerts');
SELECT org.protect('webhook_messages');
SELECT org.protect('citings');
SELECT org.protect('kept_citings');
SELECT org.protect('imports');
SELECT org.protect('import_files');
SELECT org.protect('sources');
SELECT org.protect('source_items');
SELECT org.protect('circles');
SELECT org.protect('circle_readers');
SELECT org.protect('group_members');
-- The chain is append-only for the server too.
SELECT org.append_only('audit');
