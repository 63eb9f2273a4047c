/*
 * The files that a headless run writes itself: what happens to them is no work of an agent.
 */
#ifndef CLI_HEADLESS_OWN_H
#define CLI_HEADLESS_OWN_H

/* Absolute paths of `files` (NULL at its end; they exist) and of what this process prints into, as far as that is files. NULL is
 * the last. For launch.own_files; headless_own_free frees it. */
char **headless_own_files(const char *const files[]);
void headless_own_free(char **paths);

#endif
