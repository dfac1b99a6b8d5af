// Preloaded into a server, so that its disk fails at a chosen moment.
//
// READ_ONLY_WHILE=FILE: while the file exists, nothing can be written.
//
// KILL_ARMED=FILE: once the file exists, each commit of the journal is counted in it by one byte.
// With KILL_AT=N KILL_WHEN=..., the process dies by SIGKILL at the N-th of these commits:
//   begun    before anything of it is written
//   torn     when a part of it is written
//   written  when all of it is written, but not on the disk yet
//   durable  when it is on the disk, but nobody knows of it yet
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef ssize_t (*write_at)(int, const void *, size_t, off64_t);
typedef int (*sync_file)(int);

static atomic_int commits;
static atomic_int writes;

static int exists(const char *variable) {
    const char *file = getenv(variable);
    return file != NULL && access(file, F_OK) == 0;
}

static int is_counted(int file) {
    char link[64], path[4096];
    if (!exists("KILL_ARMED")) {
        return 0;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return 0;
    }
    path[length] = 0;
    return strstr(path, "/pitwall.db-wal") != NULL;
}

static void moment(int commit, const char *when) {
    const char *at = getenv("KILL_AT"), *chosen = getenv("KILL_WHEN");
    if (at != NULL && chosen != NULL && atoi(at) == commit && strcmp(chosen, when) == 0) {
        kill(getpid(), SIGKILL);
        pause();
    }
}

static ssize_t write_here(const char *name, int file, const void *bytes, size_t count, off64_t at) {
    if (exists("READ_ONLY_WHILE")) {
        errno = EROFS;
        return -1;
    }
    if (is_counted(file)) {
        int written = atomic_fetch_add(&writes, 1);
        if (written == 0) {
            moment(commits + 1, "begun");
        } else if (written == 2) {
            moment(commits + 1, "torn");
        }
    }
    return ((write_at)dlsym(RTLD_NEXT, name))(file, bytes, count, at);
}

static int sync_here(const char *name, int file) {
    sync_file synchronise = (sync_file)dlsym(RTLD_NEXT, name);
    if (!is_counted(file)) {
        return synchronise(file);
    }
    moment(commits + 1, "written");
    int result = synchronise(file);
    int commit = atomic_fetch_add(&commits, 1) + 1;
    writes = 0;
    int counted = open(getenv("KILL_ARMED"), O_WRONLY | O_APPEND);
    if (counted < 0 || write(counted, ".", 1) != 1) {
        abort();
    }
    close(counted);
    moment(commit, "durable");
    return result;
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    return write_here("pwrite", file, bytes, count, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    return write_here("pwrite64", file, bytes, count, at);
}

int fsync(int file) {
    return sync_here("fsync", file);
}

int fdatasync(int file) {
    return sync_here("fdatasync", file);
}
