-- Batches of pushes that were committed without waiting for the standby, by their positions; `since` is of the wall clock.
CREATE UNLOGGED TABLE unconfirmed (last bigint PRIMARY KEY, first bigint NOT NULL, since bigint NOT NULL);

-- How far the log is at the standby, as those tell who have waited for it: what they write is seen when they have. Whatever was committed
-- before is there then, too, and a batch that lies before the greatest of these is hidden no more (see unconfirmed_from).
--
-- Both get rows and lose them, and none is changed: so a reading is one look at an index, however long old versions have to be kept, and
-- nobody waits for a row of somebody who waits for the standby. A crash empties both.
CREATE UNLOGGED TABLE confirmed (last bigint NOT NULL);
CREATE INDEX confirmed_last ON confirmed (last);
