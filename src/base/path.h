/*
 * Where ganger keeps its files (design, "Files"). Each function returns an
 * allocated path that the caller frees, or NULL with the error filled.
 * GANGER_RUNTIME_DIR, GANGER_STATE_DIR and GANGER_CONFIG_DIR override.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stddef.h>

#include "base/error.h"

/*
 * The folder of the sockets: $XDG_RUNTIME_DIR/ganger, or /tmp/ganger-UID. It is made (0700) when missing and
 * refused when it is a symbolic link, belongs to somebody else or is open to others.
 */
char *path_runtime_dir(struct error *error);
/* The same path, neither made nor checked. */
char *path_runtime_name(void);
/* $XDG_STATE_HOME/ganger or ~/.local/state/ganger, made (0700) when missing. */
char *path_state_dir(struct error *error);
/* $XDG_CONFIG_HOME/ganger or ~/.config/ganger; not made. */
char *path_config_dir(struct error *error);

/* "A/B", allocated. */
char *path_join(const char *folder, const char *name);
/* The folder of a ganger executable or data file, beside the running program: "ganger-host" is looked for in
 * the running program's folder, then in ../libexec/ganger, "themes" and "terminfo" also in ../share/ganger.
 */
char *path_installed(const char *name, struct error *error);

/* Like mkdir -p; existing folders are fine. Returns 0 or -1. */
int path_make_dirs(const char *path, unsigned mode, struct error *error);
/* Reads a whole file of at most `limit` bytes. Returns 0 or -1; *bytes is allocated and NUL-terminated. */
int path_read_file(const char *path, size_t limit, char **bytes, size_t *length, struct error *error);
/* The same for a file in a folder, when it is no symbolic link. */
int path_read_at(int folder, const char *name, size_t limit, char **bytes, size_t *length,
                 struct error *error);
/* Writes a temporary file beside it, fsyncs and renames: readers see the old or the new file, never a part.
 */
int path_write_atomic(int folder, const char *name, const void *bytes, size_t length, struct error *error);
/* Removes a folder and what is in it, without following links; folders in it that are closed to their owner
 * are opened. Several processes may remove the same one at once. */
int path_remove_tree(const char *path, struct error *error);

#endif
