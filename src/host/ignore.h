/*
 * The patterns of one .gitignore file, as git's documentation describes them (gitignore(5), "PATTERN FORMAT"): negation with
 * !, folders only with a trailing /, anchored when there is a / elsewhere, **, *, ?, [...] and backslashes. Matching is by
 * bytes and takes time that is polynomial in the lengths, whatever the pattern.
 */
#ifndef HOST_IGNORE_H
#define HOST_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

struct ignore;

enum ignore_verdict {
    IGNORE_UNDECIDED, /* no pattern matches */
    IGNORE_IGNORED,
    IGNORE_INCLUDED, /* the last pattern that matches has a ! */
};

/* Reads the text of a file; NULL when it holds no pattern. Lines above 1 KiB, and what follows the 4,096th pattern, are passed
 * over. */
struct ignore *ignore_parse(const char *text, size_t length);
/* NULL is fine. */
void ignore_destroy(struct ignore *ignore);
/* What the file says of `path`, relative to its folder, without a slash at either end. The folders that lead to the path
 * are the caller's to ask for: what is in an ignored folder is ignored. NULL decides nothing. */
enum ignore_verdict ignore_match(const struct ignore *ignore, const char *path, bool is_folder);

#endif
