/*
 * Unix stream sockets by folder and name. Both calls go through
 * /proc/self/fd/N/name, so that the length of the path does not matter.
 * All descriptors are close-on-exec and non-blocking.
 */
#ifndef BASE_LOCAL_SOCKET_H
#define BASE_LOCAL_SOCKET_H

#include <sys/types.h>

#include "base/error.h"

/* Binds and listens (mode 0600), replacing a stale file of that name. Returns a descriptor or -1. */
int local_socket_listen(const char *folder, const char *name, struct error *error);
/* Returns a connected descriptor, or -1 (error.code is ENOENT or ECONNREFUSED when nobody listens). */
int local_socket_connect(const char *folder, const char *name, struct error *error);
/* Who is at the other end; SO_PEERCRED. Returns 0 or -1. */
int local_socket_peer(int socket, uid_t *uid, pid_t *pid, struct error *error);
/* Waits until the socket can be read (or written when `writing`), at most timeout_ms (-1: for ever). 1, 0 or
 * -1. */
int local_socket_wait(int socket, int writing, int timeout_ms);

#endif
