/*
 * What processes use, as /proc shows it.
 */
#ifndef HOST_PROCESS_USE_H
#define HOST_PROCESS_USE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_use {
    uint64_t cpu_ms;    /* that they and their reaped children ran since they began */
    uint64_t rss_bytes; /* resident memory; what several of them share counts for each */
    size_t processes;   /* that were there */
};

/* The sum over these processes. */
struct process_use process_use_of(const pid_t *pids, size_t count);
/* Adds what the text of /proc/PID/stat says. Returns 0, or -1 when it is not such a text. */
int process_use_add(struct process_use *use, const char *stat);

#endif
