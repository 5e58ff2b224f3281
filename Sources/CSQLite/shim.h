#pragma once
#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

// SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift cannot import.
static inline int psp_bind_text(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}
static inline int psp_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length) {
    if (length == 0) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob(statement, index, bytes, length, SQLITE_TRANSIENT);
}

// Extended codes are expressions, which Swift does not import either.
static const int PSP_SQLITE_IOERR_READ = SQLITE_IOERR_READ;
static const int PSP_SQLITE_IOERR_NOMEM = SQLITE_IOERR_NOMEM;
static const int PSP_SQLITE_IOERR_ACCESS = SQLITE_IOERR_ACCESS;
static const int PSP_SQLITE_IOERR_FSTAT = SQLITE_IOERR_FSTAT;
static const int PSP_SQLITE_IOERR_LOCK = SQLITE_IOERR_LOCK;
static const int PSP_SQLITE_IOERR_RDLOCK = SQLITE_IOERR_RDLOCK;
static const int PSP_SQLITE_IOERR_UNLOCK = SQLITE_IOERR_UNLOCK;
static const int PSP_SQLITE_IOERR_SHMOPEN = SQLITE_IOERR_SHMOPEN;
static const int PSP_SQLITE_IOERR_SHMSIZE = SQLITE_IOERR_SHMSIZE;
static const int PSP_SQLITE_IOERR_SHMMAP = SQLITE_IOERR_SHMMAP;
static const int PSP_SQLITE_IOERR_SHMLOCK = SQLITE_IOERR_SHMLOCK;

// SQLite takes ENOSPC alone for a full disk. To a user whose quota is used up the disk is as full.
static inline ssize_t psp_sqlite_pwrite(int file, const void *bytes, size_t count, off_t offset) {
    ssize_t written = pwrite(file, bytes, count, offset);
    if (written < 0 && errno == EDQUOT) errno = ENOSPC;
    return written;
}
_Static_assert(sizeof(off_t) == 8, "pwrite takes the place of pwrite64");

// What holds for the whole process, before SQLite's first use. sqlite3_config is variadic; too late, it changes nothing.
static inline void psp_sqlite_configure(void) {
    // SQLite keeps count of its memory under one mutex for all threads, at each allocation, unless it is told not to.
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    // What a statement may have to undo stays in memory: a file for it would need a descriptor, and room, in the middle of a
    // transaction.
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
    sqlite3_vfs *files = sqlite3_vfs_find("unix");
    if (files && files->iVersion >= 3) {
        files->xSetSystemCall(files, "pwrite", (sqlite3_syscall_ptr)psp_sqlite_pwrite);
        files->xSetSystemCall(files, "pwrite64", (sqlite3_syscall_ptr)psp_sqlite_pwrite);
    }
}

// sqlite3_db_config is variadic, too. Unless it is left alone, the last connection that closes moves the log into the file and
// deletes it, whatever has happened to either.
static inline int psp_sqlite_leave_log_at_close(sqlite3 *database, int leave) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave, NULL);
}
