#include "store/recording_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/recording.h"

#define PARTS_MAX 100000
#define TRIES 3 /* to open a part that is being compressed */

/* A number without a leading 0, followed by `end`. */
static bool scan_number(const char **at, const char *end, unsigned *number)
{
    unsigned long value = 0;
    const char *digit = *at;

    if (*digit == '0')
        return false;
    for (; *digit >= '0' && *digit <= '9' && value <= PARTS_MAX * 10UL; digit++)
        value = value * 10 + (unsigned long)(*digit - '0');
    if (digit == *at || strncmp(digit, end, strlen(end)) != 0)
        return false;
    *number = (unsigned)value;
    *at = digit + strlen(end);
    return true;
}

/* The part that a file's name means, 0 when it is none of this attempt. */
static unsigned part_of_name(const char *name, unsigned attempt)
{
    const char *at = name + 8;
    unsigned found, part = 1;

    if (strncmp(name, "attempt-", 8) != 0 || !scan_number(&at, ".", &found) || found != attempt)
        return 0;
    if (*at != 'c' && (!scan_number(&at, ".", &part) || part < 2 || part > PARTS_MAX))
        return 0;
    return strcmp(at, "cast") == 0 || strcmp(at, "cast.zst") == 0 ? part : 0;
}

static int ascending(const void *left, const void *right)
{
    unsigned a = *(const unsigned *)left, b = *(const unsigned *)right;

    return a < b ? -1 : a > b;
}

static void sort(struct recording_parts *parts)
{
    size_t kept = 0;

    if (parts->count > 0)
        qsort(parts->numbers, parts->count, sizeof *parts->numbers, ascending);
    for (size_t i = 0; i < parts->count; i++) {
        if (kept == 0 || parts->numbers[kept - 1] != parts->numbers[i])
            parts->numbers[kept++] = parts->numbers[i];
    }
    parts->count = kept;
}

int recording_parts_list(struct recording_parts *parts, int session_dir, unsigned attempt,
                         struct error *error)
{
    int copy = openat(session_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry;

    *parts = (struct recording_parts){.count = 0};
    if (folder == NULL) {
        error_errno(error, "cannot list the session's folder");
        if (copy >= 0)
            close(copy);
        return -1;
    }
    while ((entry = readdir(folder)) != NULL) {
        unsigned part = part_of_name(entry->d_name, attempt);
        if (part == 0)
            continue;
        parts->numbers = xreallocarray(parts->numbers, parts->count + 1, sizeof *parts->numbers);
        parts->numbers[parts->count++] = part;
    }
    (void)closedir(folder);
    sort(parts);
    return 0;
}

void recording_parts_finish(struct recording_parts *parts)
{
    free(parts->numbers);
    *parts = (struct recording_parts){.count = 0};
}

int recording_parts_open(int session_dir, unsigned attempt, unsigned part, struct error *error)
{
    char plain[RECORDING_NAME_SIZE], packed[RECORDING_NAME_SIZE + 4];
    int file = -1;

    if (part == 1)
        (void)snprintf(plain, sizeof plain, "attempt-%u.cast", attempt);
    else
        (void)snprintf(plain, sizeof plain, "attempt-%u.%u.cast", attempt, part);
    (void)snprintf(packed, sizeof packed, "%s.zst", plain);
    for (int i = 0; i < TRIES && file < 0; i++) {
        file = openat(session_dir, plain, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (file < 0 && errno == ENOENT)
            file = openat(session_dir, packed, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (file < 0 && errno != ENOENT)
            break;
    }
    return file < 0 ? error_errno(error, "cannot open the recording %s", plain) : file;
}
