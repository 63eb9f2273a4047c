#include "cli/sweep.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "store/session_lost.h"

#define INTERVAL_S 3600.0
#define SECONDS_MAX 600
/* linux/ioprio.h: the class that gets the disk when nobody else wants it. */
#define IOPRIO_IDLE (3 << 13)

struct retention_policy sweep_policy(const struct config *config)
{
    return (struct retention_policy){config_number(config, "limits.ended_age_s"),
                                     (uint64_t)config_number(config, "limits.ended_bytes")};
}

/* Nothing of the caller's stays open but the log, whose lock must go with this process. */
static void let_go(int *log)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int standard = 0; nothing >= 0 && standard <= 2; standard++)
        (void)dup2(nothing, standard);
    if (*log > 3 && dup2(*log, 3) == 3)
        *log = 3;
    closefrom(*log + 1);
    (void)!chdir("/");
    (void)prctl(PR_SET_NAME, "ganger-clean");
    (void)setpriority(PRIO_PROCESS, 0, 19);
    (void)syscall(SYS_ioprio_set, 1, 0, IOPRIO_IDLE);
    (void)alarm(SECONDS_MAX);
}

static _Noreturn void sweep(int log, const char *state_dir, const struct retention_policy *policy)
{
    struct retention_result result;
    sigset_t all;

    (void)setsid();
    (void)sigfillset(&all);
    (void)signal(SIGALRM, SIG_DFL);
    (void)sigprocmask(SIG_UNBLOCK, &all, NULL);
    if (fork() != 0)
        _exit(0);
    let_go(&log);
    (void)session_lost_settle_all(state_dir);
    (void)retention_sweep_locked(log, state_dir, policy, clock_realtime_ms(), &result, NULL);
    _exit(0);
}

void sweep_begin(const struct config *config)
{
    char *state_dir = path_state_dir(NULL);
    int log = state_dir == NULL ? -1 : retention_claim(state_dir, clock_realtime_ms(), INTERVAL_S);
    struct config *own = log < 0 || config != NULL ? NULL : config_load(NULL, NULL);
    pid_t child;

    if (log >= 0 && (config != NULL || own != NULL)) {
        struct retention_policy policy = sweep_policy(config != NULL ? config : own);
        child = fork();
        if (child == 0)
            sweep(log, state_dir, &policy);
        while (child > 0 && waitpid(child, NULL, 0) < 0)
            ;
    }
    if (log >= 0)
        close(log);
    config_destroy(own);
    free(state_dir);
}
