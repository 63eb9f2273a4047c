#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/process_tree.h"
#include "host/process_use.h"
#include "test.h"

TEST(a_line_of_proc)
{
    struct process_use use = {0};
    char text[256];
    long tick = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);

    (void)snprintf(text, sizeof text,
                   "7 (a) b ( c) S 1 7 7 0 -1 4194560 1 2 3 4 %ld %ld %ld 0 20 0 1 0 5 6 25 0", tick * 3,
                   tick, tick * 2);
    CHECK_NUMBER(process_use_add(&use, text), 0);
    CHECK_NUMBER(process_use_add(&use, text), 0);
    CHECK_NUMBER(use.cpu_ms, 12000);
    CHECK_NUMBER(use.rss_bytes, 50 * page);
    CHECK_NUMBER(use.processes, 2);
    CHECK_NUMBER(process_use_add(&use, ""), -1);
    CHECK_NUMBER(process_use_add(&use, "7 (x) S 1"), -1);
    CHECK_NUMBER(process_use_add(&use, "7 (x) S 1 7 7 0 -1 4194560 1 2 3 4 x"), -1);
    CHECK_NUMBER(use.processes, 2);
}

TEST(processes_that_are_there)
{
    pid_t child = fork(), pids[16];
    size_t count;
    struct process_use use;

    if (child == 0) {
        (void)pause();
        _exit(0);
    }
    count = process_tree_list(getpid(), pids, 16);
    use = process_use_of(pids, count);
    CHECK_NUMBER(use.processes, 2);
    CHECK(use.rss_bytes > 4096);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK_NUMBER(waitpid(child, NULL, 0), child);
    use = process_use_of(&child, 1);
    CHECK_NUMBER(use.processes, 0);
    CHECK_NUMBER(use.rss_bytes, 0);
}

TEST_MAIN
