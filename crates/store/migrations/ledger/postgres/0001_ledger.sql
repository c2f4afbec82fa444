-- The books of all organisations, parted by forced row-level security as their stores are; every statement names the organisation besides.

-- Calls under way. A hold is taken before anything is spent and ends as one entry. Nobody renews the lease of a program that died;
-- whoever looks next ends its holds.
CREATE TABLE holds (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  id              uuid NOT NULL,
  attempt         bigint NOT NULL CHECK (attempt >= 1),
  at              bigint NOT NULL,
  holder          uuid NOT NULL,
  expires_at      bigint NOT NULL,
  operation       text COLLATE "C" NOT NULL,
  model           text COLLATE "C" NOT NULL,
  upstream        text COLLATE "C" NOT NULL,
  price           text COLLATE "C" NOT NULL,
  user_id         uuid,
  key_id          uuid,
  project_id      uuid,
  team_id         uuid,
  agent_id        uuid,
  run_id          uuid,
  request_id      text COLLATE "C" NOT NULL,
  exchange        text COLLATE "C",
  cost_micros     bigint NOT NULL CHECK (cost_micros >= 0),
  requests        bigint NOT NULL CHECK (requests >= 0),
  tokens          bigint NOT NULL CHECK (tokens >= 0),
  documents       bigint NOT NULL CHECK (documents >= 0),
  storage         bigint NOT NULL CHECK (storage >= 0),
  prospects       bigint NOT NULL CHECK (prospects >= 0),
  mails           bigint NOT NULL CHECK (mails >= 0),
  -- Whether the past counts differently since it was taken: then the limits it was taken from may be others by now.
  moved           bigint NOT NULL DEFAULT 0 CHECK (moved IN (0, 1)),
  PRIMARY KEY (org_id, id, attempt)
);
SELECT org.protect('holds');

-- What was used, one row per attempt, never changed: the usage log, and what every balance is derived from.
CREATE TABLE entries (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  id              uuid NOT NULL,
  attempt         bigint NOT NULL CHECK (attempt >= 1),
  at              bigint NOT NULL,
  ended_at        bigint NOT NULL,
  operation       text COLLATE "C" NOT NULL,
  model           text COLLATE "C" NOT NULL,
  upstream        text COLLATE "C" NOT NULL,
  price           text COLLATE "C" NOT NULL,
  user_id         uuid,
  key_id          uuid,
  project_id      uuid,
  team_id         uuid,
  agent_id        uuid,
  run_id          uuid,
  request_id      text COLLATE "C" NOT NULL,
  exchange        text COLLATE "C",
  outcome         text COLLATE "C" NOT NULL CHECK (outcome IN ('ok', 'error', 'cancelled', 'lost')),
  held_micros     bigint NOT NULL CHECK (held_micros >= 0),
  held_tokens     bigint NOT NULL CHECK (held_tokens >= 0),
  input_tokens    bigint NOT NULL CHECK (input_tokens >= 0),
  cached_tokens   bigint NOT NULL CHECK (cached_tokens >= 0),
  -- Of those read, into the upstream's cache.
  written_tokens  bigint NOT NULL CHECK (written_tokens >= 0),
  written_long_tokens bigint NOT NULL CHECK (written_long_tokens >= 0),
  output_tokens   bigint NOT NULL CHECK (output_tokens >= 0),
  -- Percent of the price at the call's service tier.
  percent         bigint NOT NULL CHECK (percent >= 0),
  estimated       bigint NOT NULL CHECK (estimated IN (0, 1)),
  cost_micros     bigint NOT NULL CHECK (cost_micros >= 0),
  requests        bigint NOT NULL,
  tokens          bigint NOT NULL,
  documents       bigint NOT NULL,
  storage         bigint NOT NULL,
  prospects       bigint NOT NULL,
  mails           bigint NOT NULL,
  latency_micros  bigint NOT NULL CHECK (latency_micros >= 0),
  PRIMARY KEY (org_id, id, attempt)
);
SELECT org.protect('entries');
SELECT org.append_only('entries');
-- Whoever may see their own rows alone, and limits of one person: not looked for among everybody's.
CREATE INDEX entries_user ON entries (org_id, user_id, id, attempt);

-- What is held and settled against a limit in one period; can be thrown away and derived anew from entries and holds.
CREATE TABLE balances (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  limit_id        uuid NOT NULL,
  counted         text COLLATE "C" NOT NULL,
  starts_at       bigint NOT NULL,
  held            bigint NOT NULL CHECK (held >= 0),
  settled         bigint NOT NULL,
  PRIMARY KEY (org_id, limit_id, counted, starts_at)
);
SELECT org.protect('balances');

-- Which thresholds of a limit were passed in a period: each is told once.
CREATE TABLE alerts (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  limit_id        uuid NOT NULL,
  counted         text COLLATE "C" NOT NULL,
  starts_at       bigint NOT NULL,
  percent         bigint NOT NULL CHECK (percent >= 1),
  at              bigint NOT NULL,
  told_at         bigint,
  PRIMARY KEY (org_id, limit_id, counted, starts_at, percent)
);
CREATE INDEX alerts_untold ON alerts (org_id, at) WHERE told_at IS NULL;
SELECT org.protect('alerts');

-- How many calls the rate limits let in and turned away in a quarter of a minute, kept for an hour, for people to look at: nothing is decided
-- by it. Ids are nil where there is none; refused_by is empty for what was let in.
CREATE TABLE admissions (
  org_id          uuid NOT NULL DEFAULT org.current_org(),
  starts_at       bigint NOT NULL,
  user_id         uuid NOT NULL,
  key_id          uuid NOT NULL,
  project_id      uuid NOT NULL,
  operation       text COLLATE "C" NOT NULL,
  refused_by      text COLLATE "C" NOT NULL,
  times           bigint NOT NULL CHECK (times >= 1),
  PRIMARY KEY (org_id, starts_at, user_id, key_id, project_id, operation, refused_by)
);
SELECT org.protect('admissions');
