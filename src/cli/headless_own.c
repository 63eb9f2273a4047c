#include "cli/headless_own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* A path to what a descriptor is, when that is a file that has one. */
static char *file_of(int descriptor)
{
    struct stat here, there;
    char *link = xasprintf("/proc/self/fd/%d", descriptor), *path = realpath(link, NULL);
    bool same = path != NULL && fstat(descriptor, &here) == 0 && S_ISREG(here.st_mode) &&
                stat(path, &there) == 0 && here.st_ino == there.st_ino && here.st_dev == there.st_dev;

    free(link);
    if (same)
        return path;
    free(path);
    return NULL;
}

char **headless_own_files(const char *const files[])
{
    size_t count = 0, used = 0;
    char **paths;

    while (files[count] != NULL)
        count++;
    paths = xcalloc(count + 3, sizeof *paths);
    for (size_t i = 0; i < count + 2; i++) {
        char *path =
            i < count ? realpath(files[i], NULL) : file_of(i == count ? STDOUT_FILENO : STDERR_FILENO);
        if (path != NULL)
            paths[used++] = path;
    }
    return paths;
}

void headless_own_free(char **paths)
{
    for (size_t i = 0; paths != NULL && paths[i] != NULL; i++)
        free(paths[i]);
    free((void *)paths);
}
