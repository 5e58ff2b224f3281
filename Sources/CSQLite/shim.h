#pragma once
#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift cannot import.
static inline int psp_bind_text(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}
static inline int psp_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length) {
    return length == 0 ? sqlite3_bind_zeroblob(statement, index, 0) : sqlite3_bind_blob(statement, index, bytes, length, SQLITE_TRANSIENT);
}

// Extended codes are expressions, which Swift does not import either.
static const int PSP_SQLITE_IOERR_SHMSIZE = SQLITE_IOERR_SHMSIZE;

// sqlite3_config is variadic. Too late, it changes nothing: the statistics are then kept as ever.
static inline void psp_sqlite_without_statistics(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
