/* Calls that change files below one folder: counted, and one of them goes wrong.

   To be preloaded (LD_PRELOAD): functions of the C library are replaced by ones that look at the
   path, or at that of the file descriptor, before they do the same. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { COUNT, KILL_BEFORE, KILL_AFTER, KILL_HALF, TERMINATE, FAIL_ONCE, FAIL_ON };

static char root[4096];
static int action, code;
static long number;
static atomic_long calls;

/* Begin to count calls below a folder. Of `wanted`, the first is 1; of actions, see above. */
void fault_at(const char *folder, int what, long wanted, int error) {
    snprintf(root, sizeof root, "%s", folder);
    action = what, number = wanted, code = error;
    atomic_store(&calls, 0);
}

long fault_count(void) { return atomic_load(&calls); }

static int below(const char *path) {
    size_t length = strlen(root);
    return length && path && !strncmp(path, root, length) && (!path[length] || path[length] == '/');
}

static int open_below(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = root[0] ? readlink(link, path, sizeof path - 1) : -1;
    path[length > 0 ? length : 0] = 0;
    return below(path);
}

/* Count a call; whether it has to fail. `takes` says whether it needs room on the disk. */
static int hit(int mine, int takes, long *own) {
    *own = mine ? atomic_fetch_add(&calls, 1) + 1 : -1;
    if (*own < 0 || action == COUNT) {
        return 0;
    }
    if (*own == number && action == KILL_BEFORE) {
        kill(getpid(), SIGKILL);
    }
    if (*own == number && action == TERMINATE) {
        kill(getpid(), SIGTERM);
    }
    int fails =
        (action == FAIL_ONCE && *own == number) || (action == FAIL_ON && *own >= number && takes);
    if (fails) {
        errno = code;
    }
    return fails;
}

static void after(long own) {
    if (own == number && action == KILL_AFTER) {
        kill(getpid(), SIGKILL);
    }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define CHANGES(name, parameters, arguments, mine, takes) \
    int name parameters {                                 \
        long own;                                         \
        if (hit(mine, takes, &own)) {                     \
            return -1;                                    \
        }                                                 \
        int result = REAL(name) arguments;                \
        after(own);                                       \
        return result;                                    \
    }

CHANGES(fsync, (int file), (file), open_below(file), 1)
CHANGES(fdatasync, (int file), (file), open_below(file), 1)
CHANGES(syncfs, (int file), (file), open_below(file), 1)
CHANGES(ftruncate, (int file, off_t size), (file, size), open_below(file), 0)
CHANGES(ftruncate64, (int file, off64_t size), (file, size), open_below(file), 0)
CHANGES(rename, (const char *old, const char *new), (old, new), below(new), 0)
CHANGES(renameat, (int a, const char *old, int b, const char *new), (a, old, b, new), below(new), 0)
CHANGES(unlink, (const char *path), (path), below(path), 0)
CHANGES(unlinkat, (int at, const char *path, int flags), (at, path, flags), below(path), 0)
CHANGES(mkdir, (const char *path, mode_t mode), (path, mode), below(path), 1)
CHANGES(symlink, (const char *target, const char *path), (target, path), below(path), 1)
CHANGES(link, (const char *old, const char *new), (old, new), below(new), 1)
CHANGES(chmod, (const char *path, mode_t mode), (path, mode), below(path), 0)
CHANGES(fchmod, (int file, mode_t mode), (file, mode), open_below(file), 0)
CHANGES(utimensat, (int at, const char *path, const struct timespec times[2], int flags),
        (at, path, times, flags), below(path), 0)
CHANGES(futimens, (int file, const struct timespec times[2]), (file, times), open_below(file), 0)

ssize_t write(int file, const void *data, size_t size) {
    long own;
    int mine = open_below(file);
    if (hit(mine, 1, &own)) {
        if (action == FAIL_ON && own == number && size > 1) { /* a full disk takes what it can */
            return REAL(write)(file, data, size / 2);
        }
        return -1;
    }
    if (own == number && action == KILL_HALF) {
        REAL(write)(file, data, size / 2);
        kill(getpid(), SIGKILL);
    }
    ssize_t written = REAL(write)(file, data, size);
    after(own);
    return written;
}

#define OPENS(name)                                          \
    int name(const char *path, int flags, ...) {             \
        mode_t mode = 0;                                     \
        long own;                                            \
        if (flags & O_CREAT) {                               \
            va_list rest;                                    \
            va_start(rest, flags);                           \
            mode = va_arg(rest, mode_t);                     \
            va_end(rest);                                    \
        }                                                    \
        int changes = flags & (O_CREAT | O_WRONLY | O_RDWR); \
        if (hit(changes && below(path), 1, &own)) {          \
            return -1;                                       \
        }                                                    \
        int file = REAL(name)(path, flags, mode);            \
        after(own);                                          \
        return file;                                         \
    }

OPENS(open)
OPENS(open64)
