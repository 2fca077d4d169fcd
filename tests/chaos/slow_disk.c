/* A disk that takes its time: fsync and fdatasync return late, by as many milliseconds as stand in
 * the file that SLOW_DISK_FILE names. Without the file the disk is as fast as it is.
 *
 * Loaded before the C library with LD_PRELOAD, into a hub that knows nothing of it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long late_ms(void) {
    const char *name = getenv("SLOW_DISK_FILE");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    char text[32];
    ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    if (size <= 0) return 0;
    text[size] = 0;
    return strtol(text, NULL, 10);
}

static void wait_before(void) {
    int before = errno;
    long ms = late_ms();
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
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
