#include "host/process_use.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int process_use_add(struct process_use *use, const char *stat)
{
    /* The command's name may hold anything, ")" too. */
    const char *rest = strrchr(stat, ')');
    uint64_t user, system;
    int64_t user_below, system_below, pages;
    uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK), page = (uint64_t)sysconf(_SC_PAGESIZE);

    if (rest == NULL || sscanf(rest + 1,
                               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNd64
                               " %" SCNd64 " %*d %*d %*d %*d %*u %*u %" SCNd64,
                               &user, &system, &user_below, &system_below, &pages) != 5)
        return -1;
    use->cpu_ms += (user + system + (uint64_t)user_below + (uint64_t)system_below) * 1000 / per_second;
    use->rss_bytes += pages > 0 ? (uint64_t)pages * page : 0;
    use->processes++;
    return 0;
}

struct process_use process_use_of(const pid_t *pids, size_t count)
{
    struct process_use use = {0};

    for (size_t i = 0; i < count; i++) {
        char path[64], text[1024];
        ssize_t got;
        int file;
        (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pids[i]);
        file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0)
            continue;
        got = read(file, text, sizeof text - 1);
        close(file);
        text[got > 0 ? got : 0] = '\0';
        (void)process_use_add(&use, text);
    }
    return use;
}
