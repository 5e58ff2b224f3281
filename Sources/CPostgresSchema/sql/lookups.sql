-- What nodes hold of the directory, and look up when the log says that it has changed.

-- The whole of it, as of one moment. Arrays that belong together have the same length.
CREATE OR REPLACE FUNCTION snapshot_1(
  OUT head bigint, OUT directory_version bigint,
  OUT store_from bigint[], OUT store bigint[],
  OUT app integer[], OUT app_key bytea[], OUT app_name bytea[], OUT app_secret bytea[], OUT app_former bytea[], OUT app_used bigint[],
  OUT app_former_used bigint[], OUT app_interfaces integer[], OUT app_scope bytea[], OUT app_disabled boolean[],
  OUT app_hmac boolean[], OUT app_addresses bytea[], OUT app_second integer[], OUT app_day integer[],
  OUT org integer[], OUT org_id bytea[], OUT org_name bytea[], OUT org_parent integer[],
  OUT past_org integer[], OUT past_parent integer[], OUT past_from bigint[], OUT past_to bigint[],
  OUT next_org integer)
  LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  SELECT coalesce((SELECT l.seq FROM log l ORDER BY l.seq DESC LIMIT 1), 0), (SELECT value FROM meta WHERE key = 'directory_version')
    INTO head, directory_version;
  -- Who asks takes it that it has everything up to there.
  IF unconfirmed_from() <= head THEN
    PERFORM await_standby();
  END IF;
  SELECT array_agg(n.from_seq ORDER BY n.from_seq), array_agg(n.store ORDER BY n.from_seq) INTO store_from, store FROM store_number n;
  SELECT array_agg(a.app), array_agg(a.appkey), array_agg(a.name), array_agg(a.secret), array_agg(a.former_secret),
      array_agg(a.secret_used), array_agg(a.former_secret_used), array_agg(a.interfaces::integer), array_agg(a.scope),
      array_agg(a.disabled), array_agg(a.hmac_only), array_agg(a.addresses), array_agg(a.per_second), array_agg(a.per_day)
    INTO app, app_key, app_name, app_secret, app_former, app_used, app_former_used, app_interfaces, app_scope, app_disabled, app_hmac,
      app_addresses, app_second, app_day
    FROM app a WHERE NOT a.removed;
  SELECT array_agg(o.org), array_agg(o.org_id), array_agg(o.name), array_agg(o.parent) INTO org, org_id, org_name, org_parent
    FROM org o WHERE NOT o.removed;
  SELECT array_agg(p.org), array_agg(p.parent), array_agg(p.from_seq), array_agg(p.to_seq)
    INTO past_org, past_parent, past_from, past_to FROM org_parent p;
  next_org := coalesce((SELECT max(o.org) FROM org o), 0) + 1;
END
$$;

-- Apps by their numbers: those that were removed too, which still have tasks.
CREATE OR REPLACE FUNCTION apps_1(p_app integer[],
  OUT app integer, OUT appkey bytea, OUT name bytea, OUT secret bytea, OUT former_secret bytea, OUT secret_used bigint,
  OUT former_secret_used bigint, OUT interfaces integer, OUT scope bytea, OUT disabled boolean, OUT hmac_only boolean,
  OUT addresses bytea, OUT per_second integer, OUT per_day integer, OUT removed boolean)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT a.app, a.appkey, a.name, a.secret, a.former_secret, a.secret_used, a.former_secret_used, a.interfaces::integer,
    a.scope, a.disabled, a.hmac_only, a.addresses, a.per_second, a.per_day, a.removed
  FROM app a WHERE a.app = ANY (p_app);
END
$$;

-- Organisations by their numbers.
CREATE OR REPLACE FUNCTION organisations_1(p_org integer[], OUT org integer, OUT org_id bytea, OUT name bytea, OUT parent integer, OUT removed boolean)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT o.org, o.org_id, o.name, o.parent, o.removed FROM org o WHERE o.org = ANY (p_org);
END
$$;

-- Users' numbers.
CREATE OR REPLACE FUNCTION users_1(p_user bytea[], OUT user_id bytea, OUT holder bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT h.user_id, h.holder FROM holder h WHERE h.user_id = ANY (p_user);
END
$$;

-- How many devices an organisation has of its own.
CREATE OR REPLACE FUNCTION own_devices_1(p_org integer) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT count(*) FROM device WHERE org = p_org AND retired_seq = 9223372036854775807);
END
$$;
