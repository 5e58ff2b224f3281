// What the system offers and Swift's own module of the C library hides: GNU extensions, calls that have no wrapper, the process's arguments.
#pragma once

#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// Declared here: with _GNU_SOURCE the system's headers would differ from the ones that Swift's own module has read.
extern int pthread_setname_np(pthread_t thread, const char *name);

static inline void psp_name_thread(const char *name) {
    // 15 bytes and a NUL at most, or the kernel refuses the whole name.
    char cut[16];
    strncpy(cut, name, sizeof cut - 1);
    cut[sizeof cut - 1] = 0;
    pthread_setname_np(pthread_self(), cut);
}

// Linux: the calling thread alone gives way to others on the processor (nice 19). By the call's number, as <sys/resource.h> means something else to
// the platform's module without _GNU_SOURCE: PRIO_PROCESS, this thread.
static inline void psp_yield_processor(void) { syscall(SYS_setpriority, 0, 0, 19); }

// Linux: what the calling thread writes gives way to others' writes: IOPRIO_WHO_PROCESS, this thread, IOPRIO_CLASS_IDLE.
static inline void psp_yield_disk(void) { syscall(SYS_ioprio_set, 1, 0, 3 << 13); }

// Linux 6.12: asks for slices of 0.1 ms instead of 3. <linux/sched/types.h> has the struct, which clashes with <sched.h>; policy 0 is SCHED_OTHER.
static inline void psp_prefer_short_slices(void) {
    struct {
        unsigned size, policy;
        unsigned long long flags;
        int nice;
        unsigned priority;
        unsigned long long runtime, deadline, period;
    } attributes = {0};
    if (syscall(SYS_sched_getattr, 0, &attributes, (unsigned)sizeof attributes, 0) != 0 || attributes.policy != 0) return;
    attributes.runtime = 100000;
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

/// How many arguments the process was started with, its name first; 0 where the C library does not tell.
int psp_argument_count(void);

/// The argument with that index.
const char *psp_argument(int index);

/// Whether somebody keeps the wall clock right, as far as the kernel knows; 0 where it does not tell.
int psp_clock_is_synchronised(void);
