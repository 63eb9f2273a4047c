#include "store/leftover_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The process in ".NAME.PID.tmp", or 0 for another name. */
static pid_t writer_of(const char *name)
{
    size_t length = strlen(name), digits = 0;

    if (name[0] != '.' || length < 6 || strcmp(name + length - 4, ".tmp") != 0)
        return 0;
    while (digits < length - 4 && name[length - 5 - digits] >= '0' && name[length - 5 - digits] <= '9')
        digits++;
    if (digits == 0 || digits > 9 || name[length - 5 - digits] != '.')
        return 0;
    return (pid_t)strtol(name + length - 4 - digits, NULL, 10);
}

unsigned leftover_files_remove(int folder)
{
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = again < 0 ? NULL : fdopendir(again);
    unsigned removed = 0;

    if (entries == NULL) {
        if (again >= 0)
            close(again);
        return 0;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        pid_t writer = writer_of(entry->d_name);
        if (writer > 0 && kill(writer, 0) < 0 && errno == ESRCH && unlinkat(folder, entry->d_name, 0) == 0)
            removed++;
    }
    closedir(entries);
    return removed;
}
