#!/bin/bash
# Run once, when the primary's data is made: the standby may follow, and from the next start on each commit waits for it.
set -euo pipefail
echo "hostnossl replication postgres samenet scram-sha-256" >>"$PGDATA/pg_hba.conf"
psql -v ON_ERROR_STOP=1 -U postgres -c "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (db2)'"
