// Preloaded into a server: while the file that READ_ONLY_WHILE names exists, its disk is read-only.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

typedef ssize_t (*write_at)(int, const void *, size_t, off64_t);

static ssize_t write_unless_read_only(const char *name, int file, const void *bytes, size_t count, off64_t at) {
    if (access(getenv("READ_ONLY_WHILE"), F_OK) == 0) {
        errno = EROFS;
        return -1;
    }
    return ((write_at)dlsym(RTLD_NEXT, name))(file, bytes, count, at);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    return write_unless_read_only("pwrite", file, bytes, count, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    return write_unless_read_only("pwrite64", file, bytes, count, at);
}
