/*
 * The credentials that the host knows: values of environment variables that the configuration gives the agent or one of its
 * accounts from a file or a command, those whose names look like secrets, and the keys of the known agents among what the
 * session inherits. They stay in memory; what is written (recordings, logs, events, the session's files) has '*' instead.
 * The path of a file is no credential.
 */
#ifndef HOST_SECRETS_H
#define HOST_SECRETS_H

#include <stddef.h>
#include <sys/types.h>

struct host;

/* What can be known without running a command. After the configuration, the agent and the recorder exist. */
void secrets_init(struct host *host);
/* After the recorder ended. */
void secrets_finish(struct host *host);
/* An attempt's variables, NAME=VALUE. */
void secrets_learn(struct host *host, char *const *variables, size_t count);
/* The variables with which an agent was started by a host before this one. */
void secrets_recover(struct host *host, pid_t agent);

#endif
