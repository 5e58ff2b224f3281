#include "CFaultVFS.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A write that was not synced yet; `bytes` is NULL for a truncation to `offset`.
typedef struct pending_write {
    struct pending_write *next;
    sqlite3_int64 offset;
    int count;
    unsigned char *bytes;
} pending_write;

// What is certain of one file.
typedef struct shadow {
    struct shadow *next;
    char *path;
    unsigned char *content;
    sqlite3_int64 size;
    int exists;
    pending_write *first;
    pending_write **last;
} shadow;

struct fault_disk {
    fault_disk *next;
    char *prefix;
    pthread_mutex_t mutex;
    pthread_cond_t released;
    int held;
    int waiting;
    int64_t syncs;
    enum fault_operation operation;
    enum fault_result result;
    int64_t after;
    int64_t times;
    int has_failed;
    fault_observer *observer;
    void *context;
    shadow *shadows;
};

typedef struct {
    sqlite3_file base;
    fault_disk *disk;
    shadow *shadow;
    sqlite3_file *real;
    int is_log;
} fault_file;

static pthread_mutex_t disks_mutex = PTHREAD_MUTEX_INITIALIZER;
static fault_disk *disks;
static sqlite3_vfs *original;
static sqlite3_vfs wrapper;

// MARK: Shadows; all under the disk's mutex.

static void set_size(shadow *file, sqlite3_int64 size) {
    if (size > file->size) {
        file->content = realloc(file->content, (size_t)size);
        memset(file->content + file->size, 0, (size_t)(size - file->size));
    }
    file->size = size;
}

static void apply(shadow *file, const pending_write *write) {
    if (!write->bytes) {
        if (write->offset < file->size) set_size(file, write->offset);
        return;
    }
    if (write->offset + write->count > file->size) set_size(file, write->offset + write->count);
    memcpy(file->content + write->offset, write->bytes, (size_t)write->count);
}

static void forget_pending(shadow *file) {
    while (file->first) {
        pending_write *write = file->first;
        file->first = write->next;
        free(write->bytes);
        free(write);
    }
    file->last = &file->first;
}

static void remember(shadow *file, sqlite3_int64 offset, const void *bytes, int count) {
    pending_write *write = calloc(1, sizeof *write);
    write->offset = offset;
    write->count = count;
    if (bytes) {
        write->bytes = malloc((size_t)count);
        memcpy(write->bytes, bytes, (size_t)count);
    }
    *file->last = write;
    file->last = &write->next;
}

static shadow *find_shadow(fault_disk *disk, const char *path) {
    for (shadow *file = disk->shadows; file; file = file->next)
        if (strcmp(file->path, path) == 0) return file;
    shadow *file = calloc(1, sizeof *file);
    file->path = strdup(path);
    file->last = &file->first;
    file->next = disk->shadows;
    disk->shadows = file;
    return file;
}

// Whether this operation fails.
static enum fault_result due(fault_disk *disk, enum fault_operation operation, int grows) {
    int matches = disk->operation == operation || (operation == FAULT_WRITE && grows && disk->operation == FAULT_GROW);
    if (!matches || disk->result == FAULT_NONE || disk->times == 0) return FAULT_NONE;
    if (disk->after > 0) {
        disk->after--;
        return FAULT_NONE;
    }
    if (disk->times > 0) disk->times--;
    disk->has_failed = 1;
    return disk->result;
}

static void tell(const fault_file *file, enum fault_moment moment) {
    pthread_mutex_lock(&file->disk->mutex);
    fault_observer *observer = file->disk->observer;
    void *context = file->disk->context;
    pthread_mutex_unlock(&file->disk->mutex);
    if (observer) observer(context, moment);
}

// MARK: Methods of a file

static sqlite3_file *real(sqlite3_file *file) { return ((fault_file *)file)->real; }

static int file_close(sqlite3_file *file) {
    int code = real(file)->pMethods->xClose(real(file));
    return code;
}

static int file_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    fault_file *file = (fault_file *)base;
    if (file->shadow) {
        pthread_mutex_lock(&file->disk->mutex);
        enum fault_result fault = due(file->disk, FAULT_READ, 0);
        pthread_mutex_unlock(&file->disk->mutex);
        if (fault != FAULT_NONE) return SQLITE_IOERR_READ;
    }
    return file->real->pMethods->xRead(file->real, bytes, count, offset);
}

static int file_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    fault_file *file = (fault_file *)base;
    if (!file->shadow) return file->real->pMethods->xWrite(file->real, bytes, count, offset);
    fault_disk *disk = file->disk;
    tell(file, !file->is_log ? FAULT_FILE_WRITE : offset == 0 ? FAULT_LOG_RESTART : FAULT_LOG_WRITE);
    sqlite3_int64 size = 0;
    file->real->pMethods->xFileSize(file->real, &size);
    pthread_mutex_lock(&disk->mutex);
    enum fault_result fault = due(disk, FAULT_WRITE, offset + count > size);
    int written = fault == FAULT_NONE ? count : count / 2;
    int code = written > 0 ? file->real->pMethods->xWrite(file->real, bytes, written, offset) : SQLITE_OK;
    if (code == SQLITE_OK && written > 0) remember(file->shadow, offset, bytes, written);
    pthread_mutex_unlock(&disk->mutex);
    if (fault == FAULT_FULL) return SQLITE_FULL;
    if (fault == FAULT_IO) return SQLITE_IOERR_WRITE;
    return code;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    fault_file *file = (fault_file *)base;
    if (!file->shadow) return file->real->pMethods->xTruncate(file->real, size);
    pthread_mutex_lock(&file->disk->mutex);
    int code = file->real->pMethods->xTruncate(file->real, size);
    if (code == SQLITE_OK) remember(file->shadow, size, NULL, 0);
    pthread_mutex_unlock(&file->disk->mutex);
    return code;
}

static int file_sync(sqlite3_file *base, int flags) {
    fault_file *file = (fault_file *)base;
    if (!file->shadow) return file->real->pMethods->xSync(file->real, flags);
    fault_disk *disk = file->disk;
    tell(file, file->is_log ? FAULT_LOG_SYNC : FAULT_FILE_SYNC);
    pthread_mutex_lock(&disk->mutex);
    disk->waiting++;
    while (disk->held) pthread_cond_wait(&disk->released, &disk->mutex);
    disk->waiting--;
    int code = SQLITE_OK;
    enum fault_result fault = due(disk, FAULT_SYNC, 0);
    if (fault != FAULT_NONE) {
        code = fault == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR_FSYNC;
    } else {
        // The real sync is left out: what counts as synced is the shadow.
        for (pending_write *write = file->shadow->first; write; write = write->next) apply(file->shadow, write);
        forget_pending(file->shadow);
        file->shadow->exists = 1;
        disk->syncs++;
    }
    pthread_mutex_unlock(&disk->mutex);
    return code;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) { return real(file)->pMethods->xFileSize(real(file), size); }
static int file_lock(sqlite3_file *file, int lock) { return real(file)->pMethods->xLock(real(file), lock); }
static int file_unlock(sqlite3_file *file, int lock) { return real(file)->pMethods->xUnlock(real(file), lock); }
static int file_reserved(sqlite3_file *file, int *is) { return real(file)->pMethods->xCheckReservedLock(real(file), is); }
static int file_control(sqlite3_file *file, int op, void *arg) { return real(file)->pMethods->xFileControl(real(file), op, arg); }
static int file_sector(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }
static int file_traits(sqlite3_file *file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }
static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **at) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, at);
}
static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
static void file_shm_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }
static int file_shm_unmap(sqlite3_file *file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); }

// Version 2: with shared memory, without memory-mapped pages, which would bypass the shadow.
static const sqlite3_io_methods methods = {
    2, file_close, file_read, file_write, file_truncate, file_sync, file_size, file_lock, file_unlock, file_reserved,
    file_control, file_sector, file_traits, file_shm_map, file_shm_lock, file_shm_barrier, file_shm_unmap, NULL, NULL,
};

// MARK: Methods of the file system

static fault_disk *find_disk(const char *path) {
    if (!path) return NULL;
    pthread_mutex_lock(&disks_mutex);
    fault_disk *disk = disks;
    while (disk && strncmp(path, disk->prefix, strlen(disk->prefix)) != 0) disk = disk->next;
    pthread_mutex_unlock(&disks_mutex);
    return disk;
}

// What a file holds when it is first seen counts as synced.
static void take_content(shadow *file, sqlite3_file *from) {
    sqlite3_int64 size = 0;
    if (from->pMethods->xFileSize(from, &size) != SQLITE_OK || size == 0) return;
    set_size(file, size);
    from->pMethods->xRead(from, file->content, (int)size, 0);
    file->exists = 1;
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out) {
    fault_file *file = (fault_file *)base;
    memset(file, 0, sizeof *file);
    file->disk = find_disk(path);
    if (file->disk) {
        pthread_mutex_lock(&file->disk->mutex);
        enum fault_result fault = due(file->disk, FAULT_OPEN, 0);
        pthread_mutex_unlock(&file->disk->mutex);
        if (fault != FAULT_NONE) return SQLITE_CANTOPEN;
    }
    file->real = (sqlite3_file *)(file + 1);
    int code = original->xOpen(original, path, file->real, flags, out);
    if (!file->real->pMethods) return code;
    base->pMethods = &methods;
    if (code == SQLITE_OK && file->disk && flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) {
        file->is_log = (flags & SQLITE_OPEN_WAL) != 0;
        pthread_mutex_lock(&file->disk->mutex);
        file->shadow = find_shadow(file->disk, path);
        if (!file->shadow->exists && !file->shadow->first) take_content(file->shadow, file->real);
        pthread_mutex_unlock(&file->disk->mutex);
    }
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync) {
    fault_disk *disk = find_disk(path);
    if (disk) {
        pthread_mutex_lock(&disk->mutex);
        shadow *file = find_shadow(disk, path);
        forget_pending(file);
        file->exists = 0;
        file->size = 0;
        pthread_mutex_unlock(&disk->mutex);
    }
    return original->xDelete(original, path, sync);
}

static void install(void) {
    original = sqlite3_vfs_find(NULL);
    wrapper = *original;
    wrapper.pNext = NULL;
    wrapper.zName = "fault";
    wrapper.szOsFile = (int)sizeof(fault_file) + original->szOsFile;
    wrapper.xOpen = vfs_open;
    wrapper.xDelete = vfs_delete;
    sqlite3_vfs_register(&wrapper, 1);
}

// MARK: Disks

fault_disk *fault_disk_create(const char *prefix) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    fault_disk *disk = calloc(1, sizeof *disk);
    disk->prefix = strdup(prefix);
    pthread_mutex_init(&disk->mutex, NULL);
    pthread_cond_init(&disk->released, NULL);
    pthread_mutex_lock(&disks_mutex);
    disk->next = disks;
    disks = disk;
    pthread_mutex_unlock(&disks_mutex);
    return disk;
}

void fault_disk_free(fault_disk *disk) {
    pthread_mutex_lock(&disks_mutex);
    for (fault_disk **link = &disks; *link; link = &(*link)->next)
        if (*link == disk) {
            *link = disk->next;
            break;
        }
    pthread_mutex_unlock(&disks_mutex);
    while (disk->shadows) {
        shadow *file = disk->shadows;
        disk->shadows = file->next;
        forget_pending(file);
        free(file->content);
        free(file->path);
        free(file);
    }
    pthread_mutex_destroy(&disk->mutex);
    pthread_cond_destroy(&disk->released);
    free(disk->prefix);
    free(disk);
}

void fault_disk_hold_syncs(fault_disk *disk, int held) {
    pthread_mutex_lock(&disk->mutex);
    disk->held = held;
    pthread_cond_broadcast(&disk->released);
    pthread_mutex_unlock(&disk->mutex);
}

int fault_disk_waiting_syncs(fault_disk *disk) {
    pthread_mutex_lock(&disk->mutex);
    int waiting = disk->held ? disk->waiting : 0;
    pthread_mutex_unlock(&disk->mutex);
    return waiting;
}

int64_t fault_disk_syncs(fault_disk *disk) {
    pthread_mutex_lock(&disk->mutex);
    int64_t syncs = disk->syncs;
    pthread_mutex_unlock(&disk->mutex);
    return syncs;
}

void fault_disk_observe(fault_disk *disk, fault_observer *observer, void *context) {
    pthread_mutex_lock(&disk->mutex);
    disk->observer = observer;
    disk->context = context;
    pthread_mutex_unlock(&disk->mutex);
}

void fault_disk_fail(fault_disk *disk, enum fault_operation operation, enum fault_result result, int64_t after, int64_t times) {
    pthread_mutex_lock(&disk->mutex);
    disk->operation = operation;
    disk->result = result;
    disk->after = after;
    disk->times = times;
    disk->has_failed = 0;
    pthread_mutex_unlock(&disk->mutex);
}

int fault_disk_has_failed(fault_disk *disk) {
    pthread_mutex_lock(&disk->mutex);
    int failed = disk->has_failed;
    pthread_mutex_unlock(&disk->mutex);
    return failed;
}

static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

// A copy of what is left of one file.
static int leave(const shadow *file, const char *directory, int percent, uint64_t *random) {
    shadow copy = {.size = 0};
    set_size(&copy, file->size);
    if (file->size > 0) memcpy(copy.content, file->content, (size_t)file->size);
    int exists = file->exists;
    for (const pending_write *write = file->first; write; write = write->next)
        if ((int)(next_random(random) % 100) < percent) {
            apply(&copy, write);
            exists = 1;
        }
    int code = 0;
    if (exists) {
        const char *name = strrchr(file->path, '/');
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", directory, name ? name + 1 : file->path);
        FILE *out = fopen(path, "wb");
        if (!out || (copy.size > 0 && fwrite(copy.content, 1, (size_t)copy.size, out) != (size_t)copy.size)) code = errno;
        if (out && fclose(out) != 0) code = errno;
    }
    free(copy.content);
    return code;
}

int fault_disk_power_failure(fault_disk *disk, const char *directory, int percent, uint64_t seed) {
    int code = 0;
    pthread_mutex_lock(&disk->mutex);
    for (shadow *file = disk->shadows; file && code == 0; file = file->next) code = leave(file, directory, percent, &seed);
    pthread_mutex_unlock(&disk->mutex);
    return code;
}
