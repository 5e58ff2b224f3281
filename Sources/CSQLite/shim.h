#pragma once
#define _GNU_SOURCE
#include <pthread.h>
#include <sqlite3.h>
#include <sys/syscall.h>
#include <unistd.h>

// SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift cannot import.
static inline int psp_bind_text(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}
static inline int psp_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length) {
    return length == 0 ? sqlite3_bind_zeroblob(statement, index, 0) : sqlite3_bind_blob(statement, index, bytes, length, SQLITE_TRANSIENT);
}

// Extended codes are expressions, which Swift does not import either.
static const int PSP_SQLITE_IOERR_SHMSIZE = SQLITE_IOERR_SHMSIZE;

// A GNU extension that the platform's module hides.
static inline void psp_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

// Linux: the calling thread alone gives way to others on the processor (nice 19). By the call's number, as <sys/resource.h> means something else to
// the platform's module without _GNU_SOURCE: PRIO_PROCESS, this thread.
static inline void psp_yield_processor(void) { syscall(SYS_setpriority, 0, 0, 19); }

// Linux: what the calling thread writes gives way to others' writes: IOPRIO_WHO_PROCESS, this thread, IOPRIO_CLASS_IDLE.
static inline void psp_yield_disk(void) { syscall(SYS_ioprio_set, 1, 0, 3 << 13); }

// sqlite3_config is variadic. Too late, it changes nothing: the statistics are then kept as ever.
static inline void psp_sqlite_without_statistics(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
