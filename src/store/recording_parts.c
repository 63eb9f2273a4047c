#include "store/recording_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/recording_names.h"

#define TRIES 3 /* to open a part that is being compressed */

int recording_parts_list(struct recording_parts *parts, int session_dir, unsigned attempt,
                         struct error *error)
{
    struct recording_name *names = NULL;
    size_t count = 0;

    *parts = (struct recording_parts){.count = 0};
    if (recording_list(session_dir, &names, &count, error) < 0)
        return -1;
    parts->numbers = xcalloc(count + 1, sizeof *parts->numbers);
    for (size_t i = 0; i < count; i++) {
        bool known = parts->count > 0 && parts->numbers[parts->count - 1] == names[i].part;
        if (names[i].attempt == attempt && !known)
            parts->numbers[parts->count++] = names[i].part;
    }
    free(names);
    return 0;
}

void recording_parts_finish(struct recording_parts *parts)
{
    free(parts->numbers);
    *parts = (struct recording_parts){.count = 0};
}

int recording_parts_open(int session_dir, unsigned attempt, unsigned part, bool *packed, struct error *error)
{
    char plain[RECORDING_NAME_SIZE], other[RECORDING_NAME_SIZE + 4];
    bool compressed = false;
    int file = -1;

    recording_part_name(attempt, part, plain);
    (void)snprintf(other, sizeof other, "%s" RECORDING_ZST, plain);
    for (int i = 0; i < TRIES && file < 0; i++) {
        file = openat(session_dir, plain, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        compressed = file < 0 && errno == ENOENT;
        if (compressed)
            file = openat(session_dir, other, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (file < 0 && errno != ENOENT)
            break;
    }
    if (packed != NULL)
        *packed = compressed;
    return file < 0 ? error_errno(error, "cannot open the recording %s", plain) : file;
}
