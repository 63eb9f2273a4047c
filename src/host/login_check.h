/* After an authentication failure the agent's own CLI is asked once whether its login is good (again), in a thread. */
#ifndef HOST_LOGIN_CHECK_H
#define HOST_LOGIN_CHECK_H

#include <stdbool.h>

struct host;
struct login_check;

/* Asks; then the failed turn goes on, or is given up with the hint how to log in. An agent that cannot be asked is taken to
 * be logged out. */
void login_check(struct host *host);
bool login_check_runs(const struct host *host);
void login_check_finish(struct host *host);

#endif
