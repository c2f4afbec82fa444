-- The books of all organisations in one file: one flush serves every call that waits. Amounts and ids only. Here the file is not the
-- tenant, so every key starts with the organisation and every statement names it.

-- Calls under way. A hold is taken before anything is spent and ends as one entry. Nobody renews the lease of a program that died;
-- whoever looks next ends its holds.
CREATE TABLE holds (
  org_id         BLOB    NOT NULL,
  id             BLOB    NOT NULL,
  attempt        INTEGER NOT NULL CHECK (attempt >= 1),
  at             INTEGER NOT NULL,
  holder         BLOB    NOT NULL,
  expires_at     INTEGER NOT NULL,
  operation      TEXT    NOT NULL,
  model          TEXT    NOT NULL,
  upstream       TEXT    NOT NULL,
  price          TEXT    NOT NULL,
  user_id        BLOB,
  key_id         BLOB,
  project_id     BLOB,
  team_id        BLOB,
  agent_id       BLOB,
  run_id         BLOB,
  request_id     TEXT    NOT NULL,
  exchange       TEXT,
  cost_micros    INTEGER NOT NULL CHECK (cost_micros >= 0),
  requests       INTEGER NOT NULL CHECK (requests >= 0),
  tokens         INTEGER NOT NULL CHECK (tokens >= 0),
  documents      INTEGER NOT NULL CHECK (documents >= 0),
  storage        INTEGER NOT NULL CHECK (storage >= 0),
  prospects      INTEGER NOT NULL CHECK (prospects >= 0),
  mails          INTEGER NOT NULL CHECK (mails >= 0),
  -- Whether the past counts differently since it was taken: then the limits it was taken from may be others by now.
  moved          INTEGER NOT NULL DEFAULT 0 CHECK (moved IN (0, 1)),
  PRIMARY KEY (org_id, id, attempt)
) STRICT, WITHOUT ROWID;

-- What was used, one row per attempt, never changed: the usage log, and what every balance is derived from.
CREATE TABLE entries (
  org_id         BLOB    NOT NULL,
  id             BLOB    NOT NULL,
  attempt        INTEGER NOT NULL CHECK (attempt >= 1),
  at             INTEGER NOT NULL,
  ended_at       INTEGER NOT NULL,
  operation      TEXT    NOT NULL,
  model          TEXT    NOT NULL,
  upstream       TEXT    NOT NULL,
  price          TEXT    NOT NULL,
  user_id        BLOB,
  key_id         BLOB,
  project_id     BLOB,
  team_id        BLOB,
  agent_id       BLOB,
  run_id         BLOB,
  request_id     TEXT    NOT NULL,
  exchange       TEXT,
  outcome        TEXT    NOT NULL CHECK (outcome IN ('ok', 'error', 'cancelled', 'lost')),
  held_micros    INTEGER NOT NULL CHECK (held_micros >= 0),
  held_tokens    INTEGER NOT NULL CHECK (held_tokens >= 0),
  input_tokens   INTEGER NOT NULL CHECK (input_tokens >= 0),
  cached_tokens  INTEGER NOT NULL CHECK (cached_tokens >= 0),
  -- Of those read, into the upstream's cache.
  written_tokens INTEGER NOT NULL CHECK (written_tokens >= 0),
  written_long_tokens INTEGER NOT NULL CHECK (written_long_tokens >= 0),
  output_tokens  INTEGER NOT NULL CHECK (output_tokens >= 0),
  -- Percent of the price at the call's service tier.
  percent        INTEGER NOT NULL CHECK (percent >= 0),
  estimated      INTEGER NOT NULL CHECK (estimated IN (0, 1)),
  cost_micros    INTEGER NOT NULL CHECK (cost_micros >= 0),
  requests       INTEGER NOT NULL,
  tokens         INTEGER NOT NULL,
  documents      INTEGER NOT NULL,
  storage        INTEGER NOT NULL,
  prospects      INTEGER NOT NULL,
  mails          INTEGER NOT NULL,
  latency_micros INTEGER NOT NULL CHECK (latency_micros >= 0),
  PRIMARY KEY (org_id, id, attempt)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- Whoever may see their own rows alone, and limits of one person: not looked for among everybody's.
CREATE INDEX entries_user ON entries (org_id, user_id, id, attempt);

-- What is held and settled against a limit in one period; can be thrown away and derived anew from entries and holds.
CREATE TABLE balances (
  org_id     BLOB    NOT NULL,
  limit_id   BLOB    NOT NULL,
  counted    TEXT    NOT NULL,
  starts_at  INTEGER NOT NULL,
  held       INTEGER NOT NULL CHECK (held >= 0),
  settled    INTEGER NOT NULL,
  PRIMARY KEY (org_id, limit_id, counted, starts_at)
) STRICT, WITHOUT ROWID;

-- Which thresholds of a limit were passed in a period: each is told once.
CREATE TABLE alerts (
  org_id     BLOB    NOT NULL,
  limit_id   BLOB    NOT NULL,
  counted    TEXT    NOT NULL,
  starts_at  INTEGER NOT NULL,
  percent    INTEGER NOT NULL CHECK (percent >= 1),
  at         INTEGER NOT NULL,
  told_at    INTEGER,
  PRIMARY KEY (org_id, limit_id, counted, starts_at, percent)
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_untold ON alerts (org_id, at) WHERE told_at IS NULL;

-- How many calls the rate limits let in and turned away in a quarter of a minute, kept for an hour, for people to look at: nothing is decided
-- by it. Ids are nil where there is none; refused_by is empty for what was let in.
CREATE TABLE admissions (
  org_id     BLOB    NOT NULL,
  starts_at  INTEGER NOT NULL,
  user_id    BLOB    NOT NULL,
  key_id     BLOB    NOT NULL,
  project_id BLOB    NOT NULL,
  operation  TEXT    NOT NULL,
  refused_by TEXT    NOT NULL,
  times      INTEGER NOT NULL CHECK (times >= 1),
  PRIMARY KEY (org_id, starts_at, user_id, key_id, project_id, operation, refused_by)
) STRICT, WITHOUT ROWID;
