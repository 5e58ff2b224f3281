#pragma once
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
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

// Linux 6.12: the calling thread asks for slices of 0.1 ms (the shortest) instead of 3: it gets the same share of the processor as ever, but when it wakes it does
// not wait for another thread's slice. An older kernel has one slice for all and ignores it. <linux/sched/types.h> has the struct, which clashes with <sched.h>.
static inline void psp_prefer_short_slices(void) {
    struct {
        unsigned size, policy;
        unsigned long long flags;
        int nice;
        unsigned priority;
        unsigned long long runtime, deadline, period;
    } attributes = {0};
    if (syscall(SYS_sched_getattr, 0, &attributes, (unsigned)sizeof attributes, 0) != 0 || attributes.policy != SCHED_OTHER) return;
    attributes.runtime = 100000;
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

// Linux: what the calling thread writes gives way to others' writes: IOPRIO_WHO_PROCESS, this thread, IOPRIO_CLASS_IDLE.
static inline void psp_yield_disk(void) { syscall(SYS_ioprio_set, 1, 0, 3 << 13); }

// sqlite3_config is variadic. Too late, it changes nothing: the statistics are then kept as ever.
static inline void psp_sqlite_without_statistics(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
