-- What several nodes share. The embedded store keeps the same things under the same names; see docs/architecture.md.
--
-- Every write is one call, which takes the lane's lock first: so the order of commits is the order of positions,
-- and who asks for what lies beyond a position misses nothing. Texts that callers wrote are bytea: they may hold U+0000.
-- Times are milliseconds of store time unless a comment says otherwise. An interval holds for from_seq < seq < to_seq, and until
-- `forever` (2^63 - 1) where it still holds.

-- The schema's version, and what there is one of.
CREATE TABLE meta (key text PRIMARY KEY, value bigint NOT NULL);

-- Store time is the database's clock and `shift`, which makes up for its steps: there were so many, the last one at `set_at`. It never is
-- less than that of the log's last row. `lowest` and `highest` are the least and the greatest shift that there was: by them rows are
-- found that were made at a time of day.
CREATE TABLE clock (
  id smallint PRIMARY KEY CHECK (id = 0),
  shift bigint NOT NULL,
  lowest bigint NOT NULL DEFAULT 0,
  highest bigint NOT NULL DEFAULT 0,
  steps integer NOT NULL DEFAULT 0,
  set_at bigint,
  timeline bigint NOT NULL);

-- Which part of the log has which number in its tasks' ids.
CREATE TABLE store_number (from_seq bigint PRIMARY KEY, store bigint NOT NULL);

CREATE TABLE app (
  app integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  appkey bytea NOT NULL,
  name bytea NOT NULL,
  secret bytea NOT NULL,
  former_secret bytea,
  secret_used bigint,
  former_secret_used bigint,
  interfaces smallint NOT NULL,
  scope bytea,
  disabled boolean NOT NULL,
  hmac_only boolean NOT NULL DEFAULT false,
  addresses bytea,
  per_second integer,
  per_day integer,
  removed boolean NOT NULL DEFAULT false);
CREATE UNIQUE INDEX app_by_key ON app (appkey) WHERE NOT removed;
CREATE INDEX app_by_scope ON app (scope) WHERE scope IS NOT NULL AND NOT removed;

-- What an app has left of a second, in thousandths of a push, and what it has pushed on a day of the wall clock.
CREATE TABLE app_rate (
  app integer PRIMARY KEY,
  level bigint NOT NULL,
  filled bigint NOT NULL,
  day bigint NOT NULL,
  pushes bigint NOT NULL)
  WITH (fillfactor = 50);

-- `path` is the organisation and everything above it, the nearest first. The four sums are of its whole subtree.
CREATE TABLE org (
  org integer PRIMARY KEY,
  org_id bytea NOT NULL,
  name bytea NOT NULL,
  parent integer,
  path integer[] NOT NULL,
  android integer NOT NULL DEFAULT 0,
  ios integer NOT NULL DEFAULT 0,
  test_android integer NOT NULL DEFAULT 0,
  test_ios integer NOT NULL DEFAULT 0,
  removed boolean NOT NULL DEFAULT false)
  WITH (fillfactor = 80);
CREATE UNIQUE INDEX org_by_id ON org (org_id) WHERE NOT removed;
CREATE INDEX org_ever ON org (org_id);
CREATE INDEX org_by_parent ON org (parent) WHERE NOT removed;

-- What each organisation was directly below, and when; a `parent` of NULL: it was a root.
CREATE TABLE org_parent (
  org integer NOT NULL,
  from_seq bigint NOT NULL,
  to_seq bigint NOT NULL,
  parent integer,
  PRIMARY KEY (org, from_seq));
CREATE INDEX org_parent_down ON org_parent (parent, org);

-- Users, by the number that a device's row has.
CREATE TABLE holder (
  holder bigint PRIMARY KEY,
  user_id bytea NOT NULL UNIQUE);

-- A device in the hands of one holder: another holder makes another row. `platform`: 0 Android, 1 iOS.
CREATE TABLE device (
  ordinal bigint PRIMARY KEY,
  token bytea NOT NULL,
  token_hash bigint NOT NULL,
  platform smallint NOT NULL,
  org integer NOT NULL,
  org_since bigint NOT NULL,
  holder bigint,
  holder_since bigint NOT NULL,
  test boolean NOT NULL,
  test_since bigint NOT NULL,
  created_seq bigint NOT NULL,
  retired_seq bigint NOT NULL,
  salt bytea NOT NULL,
  hash bytea NOT NULL,
  certificate bytea);
CREATE INDEX device_by_token ON device (token_hash) WHERE retired_seq = 9223372036854775807;
CREATE INDEX device_by_org ON device (org, ordinal);
CREATE INDEX device_by_holder ON device (holder, ordinal) WHERE holder IS NOT NULL;
CREATE INDEX device_retired ON device (retired_seq) WHERE retired_seq < 9223372036854775807;

-- Where devices were, and when they were test devices.
CREATE TABLE past_org (
  ordinal bigint NOT NULL, from_seq bigint NOT NULL, to_seq bigint NOT NULL, org integer NOT NULL,
  PRIMARY KEY (ordinal, from_seq));
CREATE INDEX past_org_by_org ON past_org (org, ordinal);
CREATE INDEX past_org_by_end ON past_org (to_seq);
CREATE TABLE past_test (
  ordinal bigint NOT NULL, from_seq bigint NOT NULL, to_seq bigint NOT NULL,
  PRIMARY KEY (ordinal, from_seq));
CREATE INDEX past_test_by_end ON past_test (to_seq);

-- The log: one row for each position. `kind`: 0 a message, 1 a configuration, 2 a reference to one for who joined its target; and
-- what is told to loops and is no message: 3 a task has ended (`ref`), 4 a device's membership (`within` its organisation, `version` its holder, `flags` 1 a test device and 2 iOS), 5 an organisation's parent,
-- 6 a connection is to be closed (`version` is its session, `status` why: 0 taken over, 1 withdrawn, 2 requested), 7 a connection that
-- waited has its device, 8 one that waited is refused, 9 an app, 10 an operator, 11 an operator's session, 12 an inquiry (by session, as
-- 6 to 8), 13 positions have jumped: whatever a loop knows it reads again; 14 nothing. Of 6, 7, 8 and 12 `app` is the node that it concerns. `target` is the kind of what is addressed (1 a device, 2 a user, 3 an organisation) in the
-- highest byte and its number below.
CREATE TABLE log (
  seq bigint NOT NULL,
  target bigint NOT NULL,
  created bigint NOT NULL,
  expires bigint,
  wall_offset bigint NOT NULL DEFAULT 0,
  biz_hash bigint,
  tag_hash bigint,
  version bigint,
  ref bigint,
  ended_at bigint,
  app integer,
  within integer,
  body_start integer,
  body_end integer,
  targeted integer NOT NULL DEFAULT 0,
  skipped integer NOT NULL DEFAULT 0,
  kind smallint NOT NULL,
  flags smallint NOT NULL DEFAULT 0,
  display smallint,
  status smallint NOT NULL DEFAULT 0,
  payload bytea,
  tag bytea,
  description bytea,
  biz bytea,
  fingerprint bytea,
  client bytea,
  request_id bytea,
  operator bytea,
  PRIMARY KEY (seq))
  PARTITION BY RANGE (seq);
CREATE INDEX log_by_target ON log (target, seq) WHERE kind <= 2;
CREATE INDEX log_by_tag ON log (tag_hash, seq) WHERE tag_hash IS NOT NULL;
CREATE INDEX log_by_biz ON log (biz_hash) WHERE biz_hash IS NOT NULL;
CREATE INDEX log_configurations ON log (seq) WHERE kind IN (1, 2);
-- What has outlived its partition, under its own position.
CREATE TABLE log_kept PARTITION OF log FOR VALUES FROM (0) TO (1);
-- The others, by their first positions. The last one has no end, as a jump of positions must find a partition, and is empty: so another one
-- can be made before it (see partitions.sql).
CREATE TABLE log_part (first bigint PRIMARY KEY);
INSERT INTO log_part (first) VALUES (1), (16777217);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (1) TO (16777217) WITH (fillfactor = 95);
CREATE TABLE log_16777217 PARTITION OF log FOR VALUES FROM (16777217) TO (MAXVALUE) WITH (fillfactor = 95);

-- The configuration that counts of each app, target, tag and mode. `slot` is a hash of these four.
CREATE TABLE current_config (
  slot bigint NOT NULL,
  seq bigint NOT NULL,
  target bytea NOT NULL,
  target_kind smallint NOT NULL,
  app integer NOT NULL,
  tag bytea NOT NULL,
  test boolean NOT NULL,
  within integer);
CREATE INDEX current_config_by_slot ON current_config (slot);
CREATE UNIQUE INDEX current_config_by_seq ON current_config (seq);
CREATE INDEX current_config_by_target ON current_config (target_kind, target, seq);
CREATE INDEX current_config_within ON current_config (within, seq) WHERE within IS NOT NULL;

-- What devices acknowledged, as each node that was told counts it: rows of a node are written by that node alone. `mark`:
-- 0 delivered, 1 left out as too large, 4 rejected. The device of a unicast has no bitmap: `bits` is NULL, and `chunk` -1.
CREATE TABLE receipt (
  seq bigint NOT NULL,
  mark smallint NOT NULL,
  chunk integer NOT NULL,
  node integer NOT NULL,
  bits bytea,
  PRIMARY KEY (seq, mark, chunk, node))
  WITH (fillfactor = 70);

-- What the store itself marks: 1 left out where it joined, 2 withdrawn, 3 joined. Of the device of a unicast as above.
CREATE TABLE mark (
  seq bigint NOT NULL,
  mark smallint NOT NULL,
  chunk integer NOT NULL,
  bits bytea,
  PRIMARY KEY (seq, mark, chunk));

-- What a device told of a task: 1 opened, 2 applied, 3 failed, 4 why it rejected it.
CREATE TABLE event (
  seq bigint NOT NULL, event smallint NOT NULL, ordinal bigint NOT NULL, detail bytea,
  PRIMARY KEY (seq, event, ordinal));

-- How far each device is, and which node has its connection (`session`). `beyond`: positions acknowledged beyond the cursor.
-- A device whose connection is to give way has the one that waits for it in `successor`. `version` changes with everything by
-- which a device may be let in no more: a claim names the one for which the secret was compared. `doubtful_to`: a connection before was
-- not ended, so up to there the device may have acknowledged more than `cursor` and `beyond` tell.
CREATE TABLE session (
  ordinal bigint PRIMARY KEY,
  cursor bigint NOT NULL,
  seen bigint,
  session bigint,
  successor bigint,
  node integer,
  successor_node integer,
  version integer NOT NULL DEFAULT 0,
  beyond bigint[],
  doubtful_to bigint)
  WITH (fillfactor = 60);

-- Who lives: a lease ends at a time of the store, and was renewed when the log ended at `head`. `applied` is how far all of a
-- node's loops have followed the log, and `sessions` how many devices it had at its last renewal. Each process of a node is another row,
-- so that none writes rows of another's.
CREATE TABLE node (
  node integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  lease bigint NOT NULL,
  head bigint NOT NULL,
  applied bigint NOT NULL,
  sessions integer NOT NULL DEFAULT 0,
  draining boolean NOT NULL DEFAULT false,
  version text NOT NULL,
  started bigint NOT NULL)
  WITH (fillfactor = 30);
CREATE INDEX node_living ON node (name) WHERE lease > 0;

-- How many devices of each organisation and of everything below it are connected to a node, as the node told it last.
CREATE TABLE online (
  org integer NOT NULL,
  node integer NOT NULL,
  devices integer NOT NULL,
  PRIMARY KEY (org, node))
  WITH (fillfactor = 50);

-- What a connection's loop has answered to an inquiry, for a minute. It may be lost with the server: who has asked waits no longer
-- than it wanted to.
CREATE UNLOGGED TABLE reply (
  inquiry bigint PRIMARY KEY,
  made bigint NOT NULL,
  positions bigint[] NOT NULL,
  ages bigint[] NOT NULL,
  acknowledged boolean[] NOT NULL);

-- What changes of the directory have still to do, in slices: `place` is how far it has come. `kind`: 1 an organisation (`subject`) has come
-- below others, and was below `object` before; 2 all below an organisation join a configuration (`object`), 3 a user's devices there,
-- 5 a device; 4 a device joins all that is for it, and was not for what it was before (`object`, 0: it is new); what was pending for a
-- device is withdrawn, 6 all of it, 7 what was for test devices; 8 an organisation's configurations are cancelled.
CREATE TABLE job (
  number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  position bigint NOT NULL,
  kind smallint NOT NULL,
  subject bigint NOT NULL,
  object bigint NOT NULL,
  place bigint NOT NULL);

-- Signed requests that have come, as long as a repeat would pass.
CREATE TABLE nonce (time bigint NOT NULL, hash bigint NOT NULL, PRIMARY KEY (time, hash));
CREATE TABLE nonce_forgotten (first bigint PRIMARY KEY, last bigint NOT NULL);

-- Who operates the installation. Numbers are given once: a name may be given to another person later.
CREATE TABLE operator (
  number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  name bytea NOT NULL UNIQUE,
  display_name bytea NOT NULL,
  role smallint NOT NULL,
  scope bytea,
  disabled boolean NOT NULL,
  password bytea NOT NULL,
  created bigint NOT NULL,
  last_login bigint);

-- That an operator has logged in. `created` is of the wall clock, `expires` of store time.
CREATE TABLE operator_session (
  key bytea PRIMARY KEY,
  holder bigint NOT NULL,
  created bigint NOT NULL,
  expires bigint NOT NULL,
  client bytea);
CREATE INDEX operator_session_by_time ON operator_session (expires);

-- What operators did, in the order of store time; what people see is `ahead` of it. `orgs`: where the target was. `seq`: the task, where it
-- is one of this store's. Of entries with the same `seen` there is one a minute. `node`: the name of the one that has taken the call.
CREATE SEQUENCE audit_number;
CREATE TABLE audit (
  at bigint NOT NULL,
  number bigint NOT NULL,
  ahead bigint NOT NULL,
  seen bigint NOT NULL,
  operator bigint,
  seq bigint,
  scope integer,
  code integer NOT NULL,
  caller bytea NOT NULL,
  name bytea,
  client bytea,
  request_id bytea,
  action bytea NOT NULL,
  kind bytea,
  target bytea,
  task bytea,
  details bytea,
  node bytea,
  orgs integer[],
  PRIMARY KEY (at, number));
CREATE UNIQUE INDEX audit_seen ON audit (seen, (at / 60000));
CREATE INDEX audit_by_target ON audit (target, at, number) WHERE target IS NOT NULL;
CREATE INDEX audit_by_task ON audit (task) WHERE task IS NOT NULL;
CREATE INDEX audit_by_seq ON audit (seq) WHERE seq IS NOT NULL;
-- Each `ahead` that there may be: the clock was set that often.
CREATE TABLE audit_ahead (ahead bigint PRIMARY KEY);

-- How often whom was refused, by the minute of store time. What is not known is 0 or empty.
CREATE TABLE refusal (
  minute bigint NOT NULL, listener smallint NOT NULL, name bytea NOT NULL, client bytea NOT NULL, code integer NOT NULL,
  ahead bigint NOT NULL, count bigint NOT NULL,
  PRIMARY KEY (minute, listener, name, client, code));

-- Imports. `state`: 0 the text is still coming, 1 it goes on, 2 it is done, 3 it was left, 4 it is to go. `node`: which keeps its text, or
-- works on it. `place` is its turn among those that go on; `line` the last one that was applied; `took` is in microseconds.
CREATE SEQUENCE import_place;
CREATE TABLE import (
  import bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  import_id bytea NOT NULL,
  state smallint NOT NULL,
  attempts smallint NOT NULL DEFAULT 0,
  node integer NOT NULL,
  lines integer NOT NULL DEFAULT 0,
  line integer NOT NULL DEFAULT 0,
  created integer NOT NULL DEFAULT 0,
  updated integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  started bigint NOT NULL,
  ended bigint,
  took bigint NOT NULL DEFAULT 0,
  place bigint,
  beginner bigint)
  WITH (fillfactor = 50);
CREATE INDEX import_by_id ON import (import_id);
-- The text that is still to be applied. Lines bring secrets: it goes when it is applied.
CREATE TABLE import_part (
  import bigint NOT NULL, first_line integer NOT NULL, lines integer NOT NULL, text bytea NOT NULL, PRIMARY KEY (import, first_line));
CREATE TABLE import_failure (
  import bigint NOT NULL, line integer NOT NULL, code integer NOT NULL, field bytea, chinese bytea NOT NULL, english bytea NOT NULL,
  PRIMARY KEY (import, line));

-- Where everything begins. The number of the tasks' ids is drawn, so that an id of another installation is not taken for one of this.
INSERT INTO meta (key, value) VALUES ('configuration_version', 0), ('biz_from', 0), ('directory_version', 0),
  ('ordinal', 0), ('holder', 0), ('swept', 0), ('sweep_place', 0), ('keeping', 0), ('folded', 0);
INSERT INTO store_number (from_seq, store) VALUES (0, ('x' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 8))::bit(32)::bigint);
INSERT INTO clock (id, shift, timeline) VALUES (0, 0, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint);
