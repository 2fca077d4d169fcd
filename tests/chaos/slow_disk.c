/* A disk that takes its time: fsync and fdatasync return SLOW_DISK_MS milliseconds late.
 *
 * Loaded before the C library with LD_PRELOAD, into a hub that knows nothing of it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static void wait_before(void) {
    const char *given = getenv("SLOW_DISK_MS");
    long ms = given ? strtol(given, NULL, 10) : 0;
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    int before = errno;
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
    errno = before;
}

static int late(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (real == NULL) {
        errno = ENOSYS;
        return -1;
    }
    wait_before();
    return real(fd);
}

int fsync(int fd) { return late("fsync", fd); }

int fdatasync(int fd) { return late("fdatasync", fd); }
