-- Pushes that are in the log and may not be at the standby yet: from `seq` on, where that is beyond what any node has had confirmed. A
-- batch writes the first when it is committed, and the second when it has waited for the standby, as everything before it is there then,
-- too; `since` is of the wall clock. A crash empties the table, and ends whoever waited.
CREATE UNLOGGED TABLE unconfirmed (node integer PRIMARY KEY, seq bigint NOT NULL, confirmed bigint NOT NULL, since bigint NOT NULL)
  WITH (fillfactor = 10);
