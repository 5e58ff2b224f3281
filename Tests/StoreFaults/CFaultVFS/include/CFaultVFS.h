#pragma once
#include <stdint.h>

// A file system for SQLite that fails on demand. It wraps the default one and passes everything through, except for files below
// a path for which there is a disk: those may run full, fail, hold their syncs, and lose what was not synced.

typedef struct fault_disk fault_disk;

// Makes a disk of every file whose path begins with `prefix` and that is opened from now on. The first call registers the file
// system as the process's default.
fault_disk *fault_disk_create(const char *prefix);

// Ends it; every file of it has been closed.
void fault_disk_free(fault_disk *disk);

// While held, no sync returns. Releasing lets all go on.
void fault_disk_hold_syncs(fault_disk *disk, int held);
// How many syncs wait now.
int fault_disk_waiting_syncs(fault_disk *disk);
// How many syncs have returned well.
int64_t fault_disk_syncs(fault_disk *disk);

// What an operation is answered with, from the `after`-th from now on (0: the next). `times` of them fail; -1: all.
enum fault_operation { FAULT_WRITE, FAULT_SYNC, FAULT_GROW, FAULT_READ, FAULT_OPEN };
enum fault_result { FAULT_NONE, FAULT_FULL, FAULT_IO };
// FAULT_GROW: only writes that make a file longer. FAULT_OPEN: no descriptor is left, whatever the result.
void fault_disk_fail(fault_disk *disk, enum fault_operation operation, enum fault_result result, int64_t after, int64_t times);
// Whether an operation has failed since the last call of `fault_disk_fail`.
int fault_disk_has_failed(fault_disk *disk);

// What a disk is about to do: write the database's file or its log, begin the log anew (its header is written), sync either.
enum fault_moment { FAULT_FILE_WRITE, FAULT_FILE_SYNC, FAULT_LOG_WRITE, FAULT_LOG_RESTART, FAULT_LOG_SYNC };
typedef void fault_observer(void *context, enum fault_moment moment);
// From now on `observer` is called before each of these, on the thread that does it and without a lock: it may let the power
// fail. NULL: nobody is called. Files must not be in use when it changes.
void fault_disk_observe(fault_disk *disk, fault_observer *observer, void *context);

// What a power failure at this moment leaves: the disk's files are written below `directory` as they were synced. Each write that
// was not synced is kept with a chance of `percent`, by the numbers that follow from `seed`.
// Returns 0, or errno.
int fault_disk_power_failure(fault_disk *disk, const char *directory, int percent, uint64_t seed);
