// Loaded into the server (LD_PRELOAD): makes the writes and syncs of files below FAULT_DIR fail or wait, as the first word of the
// file FAULT_FILE says at that moment: "full" (ENOSPC on write), "quota" (EDQUOT on write), "write" (EIO on write), "sync" (EIO on
// sync), "hold" (sync waits).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int concerned(int fd) {
    const char *directory = getenv("FAULT_DIR");
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!directory || length < 0) return 0;
    path[length] = 0;
    return strncmp(path, directory, strlen(directory)) == 0;
}

static int fault(const char *word, int fd) {
    char found[16] = {0};
    const char *file = getenv("FAULT_FILE");
    int saved = errno;
    int control = file ? (int)syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC) : -1;
    if (control >= 0) {
        if (syscall(SYS_read, control, found, sizeof found - 1) < 0) found[0] = 0;
        close(control);
    }
    errno = saved;
    return strncmp(found, word, strlen(word)) == 0 && concerned(fd);
}

static int fails_to_write(int fd) {
    if (fault("full", fd)) return ENOSPC;
    if (fault("quota", fd)) return EDQUOT;
    return fault("write", fd) ? EIO : 0;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRITING(fd, call)                    \
    do {                                     \
        int error = fails_to_write(fd);      \
        if (error) {                         \
            errno = error;                   \
            return -1;                       \
        }                                    \
        return call;                         \
    } while (0)

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { WRITING(fd, NEXT(pwrite)(fd, data, size, offset)); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { WRITING(fd, NEXT(pwrite64)(fd, data, size, offset)); }
ssize_t write(int fd, const void *data, size_t size) { WRITING(fd, NEXT(write)(fd, data, size)); }

static int syncing(int fd) {
    while (fault("hold", fd)) usleep(1000);
    return fault("sync", fd);
}

int fsync(int fd) {
    if (syncing(fd)) { errno = EIO; return -1; }
    return NEXT(fsync)(fd);
}

int fdatasync(int fd) {
    if (syncing(fd)) { errno = EIO; return -1; }
    return NEXT(fdatasync)(fd);
}
