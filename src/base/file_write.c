#include "base/file_write.h"

#include <errno.h>
#include <unistd.h>

/* At `offset`, or where the file stands when it is below 0. */
static int write_all(int file, const char *bytes, size_t length, off_t offset)
{
    for (size_t done = 0; done < length;) {
        ssize_t wrote = offset < 0 ? write(file, bytes + done, length - done)
                                   : pwrite(file, bytes + done, length - done, offset + (off_t)done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            errno = wrote == 0 ? ENOSPC : errno;
            return -1;
        }
        done += (size_t)wrote;
    }
    return 0;
}

int file_write(int file, const void *bytes, size_t length)
{
    return write_all(file, bytes, length, -1);
}

int file_write_at(int file, const void *bytes, size_t length, off_t offset)
{
    return write_all(file, bytes, length, offset);
}
