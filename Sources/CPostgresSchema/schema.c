#include "CPostgresSchema.h"

// The compiler knows the files for dependencies: a change of one builds this anew.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char tables_1[] = {
#embed "sql/tables-1.sql"
};
static const unsigned char tables_2[] = {
#embed "sql/tables-2.sql"
};
static const unsigned char time_sql[] = {
#embed "sql/time.sql"
};
static const unsigned char nodes_sql[] = {
#embed "sql/nodes.sql"
};
static const unsigned char nonces_sql[] = {
#embed "sql/nonces.sql"
};
static const unsigned char append_sql[] = {
#embed "sql/append.sql"
};
static const unsigned char tail_sql[] = {
#embed "sql/tail.sql"
};
static const unsigned char sessions_sql[] = {
#embed "sql/sessions.sql"
};
static const unsigned char takeover_sql[] = {
#embed "sql/takeover.sql"
};
static const unsigned char facts_sql[] = {
#embed "sql/facts.sql"
};
static const unsigned char pages_sql[] = {
#embed "sql/pages.sql"
};
static const unsigned char tasks_sql[] = {
#embed "sql/tasks.sql"
};
static const unsigned char lookups_sql[] = {
#embed "sql/lookups.sql"
};
static const unsigned char lists_sql[] = {
#embed "sql/lists.sql"
};
static const unsigned char totals_sql[] = {
#embed "sql/totals.sql"
};
static const unsigned char inquiries_sql[] = {
#embed "sql/inquiries.sql"
};
static const unsigned char directory_sql[] = {
#embed "sql/directory.sql"
};
static const unsigned char bitmaps_sql[] = {
#embed "sql/bitmaps.sql"
};
static const unsigned char jobs_sql[] = {
#embed "sql/jobs.sql"
};
static const unsigned char events_sql[] = {
#embed "sql/events.sql"
};
static const unsigned char folding_sql[] = {
#embed "sql/folding.sql"
};
static const unsigned char retention_sql[] = {
#embed "sql/retention.sql"
};
static const unsigned char partitions_sql[] = {
#embed "sql/partitions.sql"
};
static const unsigned char operators_sql[] = {
#embed "sql/operators.sql"
};
static const unsigned char audit_sql[] = {
#embed "sql/audit.sql"
};
static const unsigned char imports_sql[] = {
#embed "sql/imports.sql"
};
static const unsigned char secure_sql[] = {
#embed "sql/secure.sql"
};

#define SCRIPT(name, array) {name, array, sizeof array}

static const struct psp_script steps[] = {SCRIPT("tables-1", tables_1), SCRIPT("tables-2", tables_2)};

static const struct psp_script functions[] = {
    SCRIPT("time", time_sql),
    SCRIPT("nodes", nodes_sql),
    SCRIPT("nonces", nonces_sql),
    SCRIPT("append", append_sql),
    SCRIPT("tail", tail_sql),
    SCRIPT("sessions", sessions_sql),
    SCRIPT("takeover", takeover_sql),
    SCRIPT("facts", facts_sql),
    SCRIPT("pages", pages_sql),
    SCRIPT("tasks", tasks_sql),
    SCRIPT("lookups", lookups_sql),
    SCRIPT("lists", lists_sql),
    SCRIPT("totals", totals_sql),
    SCRIPT("inquiries", inquiries_sql),
    SCRIPT("directory", directory_sql),
    SCRIPT("bitmaps", bitmaps_sql),
    SCRIPT("jobs", jobs_sql),
    SCRIPT("events", events_sql),
    SCRIPT("folding", folding_sql),
    SCRIPT("retention", retention_sql),
    SCRIPT("partitions", partitions_sql),
    SCRIPT("operators", operators_sql),
    SCRIPT("audit", audit_sql),
    SCRIPT("imports", imports_sql),
    SCRIPT("secure", secure_sql),
};

const struct psp_script *psp_schema_steps(size_t *count) {
    *count = sizeof steps / sizeof *steps;
    return steps;
}

const struct psp_script *psp_schema_functions(size_t *count) {
    *count = sizeof functions / sizeof *functions;
    return functions;
}
