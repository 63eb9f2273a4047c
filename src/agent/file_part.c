#include "agent/file_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/memory.h"

static ssize_t read_all(int file, char *bytes, size_t most, int64_t offset)
{
    size_t length = 0;

    while (length < most) {
        ssize_t got = pread(file, bytes + length, most - length, offset + (int64_t)length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

char *file_part_read(const char *path, int64_t offset, size_t most, size_t *length)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *bytes;
    ssize_t got;

    if (file < 0)
        return NULL;
    bytes = xmalloc(most + 1);
    got = read_all(file, bytes, most, offset);
    close(file);
    if (got < 0) {
        free(bytes);
        return NULL;
    }
    bytes[got] = '\0';
    *length = (size_t)got;
    return bytes;
}
