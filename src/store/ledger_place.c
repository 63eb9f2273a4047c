#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/path.h"
#include "store/ledger_private.h"

#define LOCK_FILE "ledger.lock"
#define LOCK_PAUSE_MS 4
#define FUSE_MAGIC 0x65735546

/* From linux/magic.h and the file systems' own sources: not all are in every version of the header. */
static const struct {
    uint64_t magic;
    const char *name;
} network_magics[] = {
    {0x6969, "NFS"},        {0x517B, "SMB"},        {0xFF534D42, "CIFS"}, {0xFE534D42, "SMB"},
    {0x01021997, "9p"},     {0x5346414F, "AFS"},    {0x6B414653, "AFS"},  {0x73757245, "Coda"},
    {0x00C36400, "Ceph"},   {0x0BD00BD0, "Lustre"}, {0x47504653, "GPFS"}, {0x564C, "NCP"},
    {0x19830326, "BeeGFS"}, {0x7461636F, "OCFS2"},  {0x01161970, "GFS2"},
};

static const char *const network_types[] = {
    "fuse.sshfs",     "fuse.rclone",    "fuse.s3fs",      "fuse.gcsfuse",
    "fuse.glusterfs", "fuse.ceph",      "fuse.ceph-fuse", "fuse.davfs",
    "fuse.davfs2",    "fuse.curlftpfs", "fuse.smbnetfs",  "fuse.nfs",
    "fuse.moosefs",   "fuse.mfs",       "fuse.juicefs",   "fuse.google-drive-ocamlfuse",
    "fuse.goofys",    "fuse.blobfuse",  "fuse.blobfuse2", "fuse.gvfsd-fuse",
    "fuse.JuiceFS",   "fuse.afp",
};

const char *ledger_network_file_system(uint64_t magic, const char *type)
{
    for (size_t i = 0; i < sizeof network_magics / sizeof network_magics[0]; i++) {
        if (network_magics[i].magic == (magic & 0xFFFFFFFF))
            return network_magics[i].name;
    }
    if (type == NULL || magic != FUSE_MAGIC)
        return NULL;
    for (size_t i = 0; i < sizeof network_types / sizeof network_types[0]; i++) {
        if (strcmp(type, network_types[i]) == 0)
            return network_types[i];
    }
    return NULL;
}

/* The type of the mount on which a device is, from mountinfo ("36 35 98:0 /a /b rw - ext3 …"). False: not found. */
static bool mount_type(dev_t device, char *type, size_t size)
{
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char line[4096];
    bool found = false;

    while (!found && mounts != NULL && fgets(line, sizeof line, mounts) != NULL) {
        unsigned major_number, minor_number;
        const char *dash = strstr(line, " - ");
        if (dash == NULL || sscanf(line, "%*d %*d %u:%u", &major_number, &minor_number) != 2 ||
            major_number != major(device) || minor_number != minor(device))
            continue;
        (void)snprintf(type, size, "%.*s", (int)strcspn(dash + 3, " \n"), dash + 3);
        found = true;
    }
    if (mounts != NULL)
        (void)fclose(mounts);
    return found;
}

int ledger_place_check(const char *state_dir, struct error *error)
{
    struct statfs system;
    struct stat status;
    char type[64];
    const char *name;

    /* What is wrong with the folder shows when the file is opened. */
    if (statfs(state_dir, &system) < 0 || stat(state_dir, &status) < 0)
        return 0;
    name = ledger_network_file_system(
        (uint64_t)(unsigned long)system.f_type,
        (unsigned long)system.f_type == FUSE_MAGIC && mount_type(status.st_dev, type, sizeof type) ? type
                                                                                                   : NULL);
    if (name == NULL)
        return 0;
    error_set(error,
              "the ledger cannot be kept in %s, which is on a network (%s): set GANGER_STATE_DIR to a "
              "folder on a local disk",
              state_dir, name);
    if (error != NULL)
        error->code = ENOTSUP;
    return -1;
}

static const char *advice(int code)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        return " (free some space there, or set GANGER_STATE_DIR to a folder on another disk)";
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOTDIR:
        return " (set GANGER_STATE_DIR to a folder that you can write)";
    case EBUSY:
        return " (try again; `fuser` on the file names the processes that use it)";
    case EIO:
        return " (look at the disk; the kernel's log may say more)";
    default:
        return "";
    }
}

int ledger_place_error(struct error *error, int code, const char *what, const char *path, const char *why)
{
    error_set(error, "cannot %s the ledger %s: %s%s", what, path, why != NULL ? why : strerror(code),
              advice(code));
    if (error != NULL)
        error->code = code;
    return -1;
}

int ledger_place_lock(const char *state_dir, bool exclusive, struct error *error)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
    char *path = path_join(state_dir, LOCK_FILE);
    int64_t deadline = clock_monotonic_ns() + LEDGER_BUSY_MS * INT64_C(1000000);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (lock < 0) {
        int code = errno;
        ledger_place_error(error, code, "lock", path, NULL);
        free(path);
        return code == EACCES || code == EROFS || code == EPERM ? -2 : -1;
    }
    while (flock(lock, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0) {
        if (errno != EINTR && (errno != EWOULDBLOCK || clock_monotonic_ns() > deadline)) {
            ledger_place_error(error, errno == EWOULDBLOCK ? EBUSY : errno, "lock", path, NULL);
            close(lock);
            lock = -1;
            break;
        }
        (void)nanosleep(&pause, NULL);
    }
    free(path);
    return lock;
}

int ledger_place_look(const char *path, struct error *error)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : ledger_place_error(error, errno, "open", path, NULL);
    if (!S_ISREG(status.st_mode))
        return ledger_place_error(error, EACCES, "open", path, "it is not a plain file: move it away");
    if (status.st_uid != geteuid())
        return ledger_place_error(error, EACCES, "open", path, "it belongs to another user");
    if ((status.st_mode & 077) != 0)
        (void)chmod(path, 0600);
    return status.st_size > 0;
}

/* "PATH.KIND-20261121T105251Z", followed by a number when that is taken. Allocated. */
static char *aside_name(const char *path, const char *kind)
{
    time_t now = (time_t)(clock_realtime_ms() / 1000);
    struct tm moment;
    char stamp[32], *name;

    (void)gmtime_r(&now, &moment);
    (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &moment);
    name = xasprintf("%s.%s-%s", path, kind, stamp);
    for (int number = 2; access(name, F_OK) == 0 && number < 1000; number++) {
        free(name);
        name = xasprintf("%s.%s-%s-%d", path, kind, stamp, number);
    }
    return name;
}

/* Renames FROM+SUFFIX; that it is missing is fine. */
static int move(const char *from, const char *to, const char *suffix)
{
    char *source = xasprintf("%s%s", from, suffix), *target = xasprintf("%s%s", to, suffix);
    int result = rename(source, target) < 0 && errno != ENOENT ? -1 : 0;

    free(source);
    free(target);
    return result;
}

int ledger_place_set_aside(const char *path, const char *kind, const char *reason, struct error *error)
{
    char *aside = aside_name(path, kind);

    /* The database first: without it the other two are of no use to anybody. */
    if (move(path, aside, "") < 0 || move(path, aside, "-wal") < 0 || move(path, aside, "-shm") < 0) {
        int code = errno;
        error_set(error, "the ledger %s cannot be used (%s), nor be set aside: %s%s", path, reason,
                  strerror(code), advice(code));
        if (error != NULL)
            error->code = code;
    } else {
        error_set(error, "the ledger could not be used (%s); it was set aside as %s, and another is begun",
                  reason, aside);
        if (error != NULL)
            error->code = EUCLEAN;
    }
    free(aside);
    return -1;
}

/* Old pages in a -wal would be read into the database that is made. */
int ledger_place_clear(const char *path, struct error *error)
{
    char *wal = xasprintf("%s-wal", path), *shm = xasprintf("%s-shm", path);
    char *aside = aside_name(path, "damaged");
    struct stat status;
    int result = 0;

    if (lstat(wal, &status) == 0 &&
        (status.st_size > 0 ? move(path, aside, "-wal") < 0 : unlink(wal) < 0 && errno != ENOENT))
        result = ledger_place_error(error, errno, "begin", path, NULL);
    if (result == 0 && unlink(shm) < 0 && errno != ENOENT)
        result = ledger_place_error(error, errno, "begin", path, NULL);
    free(wal);
    free(shm);
    free(aside);
    return result;
}

void ledger_place_notify_file(const char *state_dir)
{
    char *path = path_join(state_dir, LEDGER_NOTIFY);
    /* Opened for reading, so that those who watch it see no change. */
    int file = access(path, F_OK) == 0
                   ? -1
                   : open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

    if (file >= 0)
        close(file);
    free(path);
}
