/*
 * The files with patterns that git reads: .gitignore of a folder, those above a folder up to the top of its repository, and the
 * repository's info/exclude.
 */
#ifndef HOST_IGNORE_FILES_H
#define HOST_IGNORE_FILES_H

#include "host/ignore.h"

/* FOLDER/.gitignore; NULL when there is none, when it is no regular file or larger than 256 KiB. As in git, a symbolic link is
 * not followed. */
struct ignore *ignore_file_read(const char *folder);

/* What applies to a folder from above. */
struct ignore_above;
/* `root` is absolute. NULL when nothing applies. */
struct ignore_above *ignore_above_read(const char *root);
void ignore_above_destroy(struct ignore_above *above);
/* `path` is relative to that root. NULL decides nothing. */
enum ignore_verdict ignore_above_match(const struct ignore_above *above, const char *path, bool is_folder);

#endif
