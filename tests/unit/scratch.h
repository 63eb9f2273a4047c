/*
 * A folder of a test's own, gone when the program ends. Needs base/path.h's functions.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"

static char scratch_root[64];

__attribute__((destructor)) static void scratch_remove(void)
{
    if (scratch_root[0] != '\0')
        (void)path_remove_tree(scratch_root, NULL);
}

/* A fresh, empty folder; the caller frees the path. */
__attribute__((unused)) static char *scratch_folder(void)
{
    static int count;
    char *path;

    if (scratch_root[0] == '\0') {
        (void)snprintf(scratch_root, sizeof scratch_root, "/tmp/ganger-unit-XXXXXX");
        if (mkdtemp(scratch_root) == NULL)
            abort();
    }
    path = xasprintf("%s/%d", scratch_root, ++count);
    if (path_make_dirs(path, 0700, NULL) < 0)
        abort();
    return path;
}

/* Writes a file in a folder; returns its path, which the caller frees. */
__attribute__((unused)) static char *scratch_file(const char *folder, const char *name, const void *bytes,
                                                  size_t length)
{
    char *path = path_join(folder, name);
    FILE *file = fopen(path, "we");

    if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        abort();
    return path;
}

#endif
