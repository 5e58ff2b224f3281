#!/bin/bash
# The standby: a copy of the primary at its first start, then PostgreSQL.
set -euo pipefail
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    PGPASSWORD=$(cat /run/secrets/store_password) pg_basebackup --pgdata="$PGDATA" --write-recovery-conf --checkpoint=fast \
        --dbname="host=db1 user=postgres application_name=db2 keepalives_idle=10 keepalives_interval=5 keepalives_count=3"
    chmod 700 "$PGDATA"
fi
exec postgres
