-- Imports: the text of many changes of the directory, kept in parts and applied by one node at a time; whichever lives goes on where another
-- has died. A slice of lines is written by change_directory_1 together with how far the import is, so that each is applied once.

-- Keeps a part. The first one begins the import, and no other: what came before it may be gone, where this node was taken for dead. A
-- part that comes again is kept once.
CREATE OR REPLACE FUNCTION keep_import_2(p_node integer, p_id bytea, p_first_line integer, p_lines integer, p_text bytea, p_is_first boolean)
  RETURNS bigint
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_import bigint;
BEGIN
  SELECT import INTO v_import FROM import WHERE import_id = p_id AND state = 0 FOR UPDATE;
  IF v_import IS NULL THEN
    IF NOT p_is_first THEN
      RAISE EXCEPTION 'the import has lost what came before line %', p_first_line;
    END IF;
    INSERT INTO import (import_id, state, node, started) VALUES (p_id, 0, p_node, wall()) RETURNING import INTO v_import;
  END IF;
  INSERT INTO import_part (import, first_line, lines, text) VALUES (v_import, p_first_line, p_lines, p_text) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    UPDATE import SET lines = lines + p_lines WHERE import = v_import;
  END IF;
  RETURN v_import;
END
$$;

-- Keeps the last part; from now on it goes on by itself. Returns its number.
CREATE OR REPLACE FUNCTION run_import_2(p_now bigint, p_node integer, p_id bytea, p_first_line integer, p_lines integer, p_text bytea,
  p_is_first boolean, p_beginner bigint, p_audit bytea[]) RETURNS bigint
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_import bigint := keep_import_2(p_node, p_id, p_first_line, p_lines, p_text, p_is_first);
BEGIN
  UPDATE import SET state = 1, node = p_node, beginner = p_beginner, started = wall(), place = nextval('import_place') WHERE import = v_import;
  PERFORM check_clock(p_now, 2000);
  PERFORM write_audit(p_audit, NULL, NULL, store_time(p_now));
  RETURN v_import;
END
$$;

-- What is kept of one that will not be run is to go.
CREATE OR REPLACE FUNCTION abandon_import_1(p_id bytea) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  UPDATE import SET state = 4 WHERE import_id = p_id AND state = 0;
END
$$;

-- The first of those that go on, where no other node that lives works on it: it is this node's then, with the first part that is left of it.
-- One whose nodes have ended again and again without coming any further is left, with this failure.
CREATE OR REPLACE FUNCTION take_import_1(p_now bigint, p_node integer, p_code integer, p_chinese bytea, p_english bytea,
  OUT import bigint, OUT beginner bigint, OUT line integer, OUT failed integer, OUT first_line integer, OUT lines integer, OUT text bytea)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  v_import import%ROWTYPE;
BEGIN
  PERFORM check_clock(p_now, 2000);
  SELECT * INTO v_import FROM import i WHERE i.state = 1 ORDER BY i.place LIMIT 1 FOR UPDATE;
  IF v_import.import IS NULL OR v_import.node <> p_node
    AND EXISTS (SELECT 1 FROM node n WHERE n.node = v_import.node AND n.lease > p_now) THEN
    RETURN;
  END IF;
  IF v_import.node IS DISTINCT FROM p_node THEN
    IF v_import.attempts >= 3 THEN
      INSERT INTO import_failure (import, line, code, chinese, english) 
        VALUES (v_import.import, v_import.line + 1, p_code, p_chinese, p_english)
        ON CONFLICT DO NOTHING;
      UPDATE import i SET state = 3, ended = wall() WHERE i.import = v_import.import;
      RETURN;
    END IF;
    UPDATE import i SET node = p_node, attempts = i.attempts + 1 WHERE i.import = v_import.import;
  END IF;
  RETURN QUERY SELECT v_import.import, v_import.beginner, v_import.line, v_import.failed, p.first_line, p.lines, p.text
  FROM (VALUES (v_import.import)) AS i(import)
  LEFT JOIN LATERAL (
    SELECT * FROM import_part p WHERE p.import = i.import ORDER BY p.first_line LIMIT 1) p ON true;
END
$$;

-- An import has come further: written with what its lines do. False where it is another node's by now, or is elsewhere.
CREATE OR REPLACE FUNCTION advance_import(p_import bigint, p_node integer, p_from integer, p_to integer, p_created integer, p_updated integer,
  p_failed integer, p_took bigint, p_part integer,
  p_line integer[], p_code integer[], p_field bytea[], p_chinese bytea[], p_english bytea[]) RETURNS boolean
  LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  UPDATE import SET line = p_to, created = created + p_created, updated = updated + p_updated, failed = failed + p_failed,
    took = took + p_took, attempts = 0
  WHERE import = p_import AND node = p_node AND line = p_from AND state = 1;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM import_part WHERE import = p_import AND first_line = p_part;
  INSERT INTO import_failure (import, line, code, field, chinese, english)
  SELECT p_import, u.line, u.code, u.field, u.chinese, u.english FROM unnest(p_line, p_code, p_field, p_chinese, p_english)
    AS u(line, code, field, chinese, english);
  RETURN true;
END
$$;

-- Every line was applied, and every node has heard of it.
CREATE OR REPLACE FUNCTION end_import_1(p_import bigint, p_node integer) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  UPDATE import SET state = 2, ended = wall() WHERE import = p_import AND node = p_node AND state = 1;
END
$$;

-- Who waited for it was told of its end: nobody else knows its number.
CREATE OR REPLACE FUNCTION drop_import_1(p_import bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  UPDATE import SET state = 4 WHERE import = p_import AND state IN (2, 3);
END
$$;

-- Removes some of what is to go: of imports that were abandoned, or whose text was still coming when its node died, and of those that ended
-- before the last `p_kept`. Returns whether there was anything.
CREATE OR REPLACE FUNCTION clear_imports_1(p_now bigint, p_kept integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  v_import bigint := (
    SELECT i.import FROM import i
    WHERE i.state = 4 OR i.state = 0 AND NOT EXISTS (SELECT 1 FROM node n WHERE n.node = i.node AND n.lease > p_now)
      OR i.import IN (SELECT e.import FROM import e WHERE e.state IN (2, 3) ORDER BY e.ended DESC, e.import DESC OFFSET p_kept)
    ORDER BY i.import LIMIT 1);
BEGIN
  IF v_import IS NULL THEN
    RETURN false;
  END IF;
  -- From now on nothing more of it is kept; or it has begun meanwhile, and stays.
  UPDATE import SET state = 4 WHERE import = v_import AND state = 0;
  IF EXISTS (SELECT 1 FROM import WHERE import = v_import AND state = 1) THEN
    RETURN true;
  END IF;
  DELETE FROM import_part WHERE import = v_import
    AND first_line IN (SELECT first_line FROM import_part WHERE import = v_import ORDER BY first_line LIMIT 4);
  IF NOT FOUND THEN
    DELETE FROM import_failure WHERE import = v_import;
    DELETE FROM import WHERE import = v_import;
  END IF;
  RETURN true;
END
$$;

-- Imports that have begun, newest first: of a name, of a number, or before one. `p_beginner`: who must have begun it; NULL: whoever.
CREATE OR REPLACE FUNCTION imports_1(p_id bytea, p_import bigint, p_before bigint, p_beginner bigint, p_limit integer,
  OUT import bigint, OUT import_id bytea, OUT state integer, OUT lines integer, OUT created integer, OUT updated integer, OUT failed integer,
  OUT started bigint, OUT ended bigint, OUT took bigint)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT i.import, i.import_id, i.state::integer, i.lines, i.created, i.updated, i.failed, i.started, i.ended, i.took
  FROM import i WHERE i.state IN (1, 2, 3) AND (p_id IS NULL OR i.import_id = p_id) AND (p_import IS NULL OR i.import = p_import)
    AND i.import < p_before AND (p_beginner IS NULL OR i.beginner = p_beginner)
  ORDER BY i.import DESC LIMIT p_limit;
END
$$;

-- The first lines of an import that failed.
CREATE OR REPLACE FUNCTION import_failures_1(p_import bigint,
  OUT line integer, OUT code integer, OUT field bytea, OUT chinese bytea, OUT english bytea)
  RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT f.line, f.code, f.field, f.chinese, f.english FROM import_failure f WHERE f.import = p_import ORDER BY f.line;
END
$$;
