/*
 * Processes as /proc shows them. Ids of processes that ended meanwhile may be among the results; what belongs to another
 * user cannot be read.
 */
#ifndef HOST_PROCESS_TREE_H
#define HOST_PROCESS_TREE_H

#include <stddef.h>
#include <sys/types.h>

/* Lists `root` and what descends from it, parents before children. Returns how many, at most `max`. */
size_t process_tree_list(pid_t root, pid_t *pids, size_t max);
/* A variable of the environment with which the process began, allocated; NULL: it has none, or it cannot be read. */
char *process_variable(pid_t pid, const char *name);
/* Calls `visit` with the path of each regular file that the process has open (links to them, as the kernel shows), until it
 * returns non-zero. Returns that, or 0. */
int process_files(pid_t pid, int (*visit)(void *argument, const char *path), void *argument);

#endif
