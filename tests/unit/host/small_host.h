/*
 * A host that has little more than a loop, its events and a folder: for what emits events. Whoever tests a module with an
 * init of its own calls it.
 */
#ifndef TESTS_UNIT_HOST_SMALL_HOST_H
#define TESTS_UNIT_HOST_SMALL_HOST_H

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "host/host.h"
#include "scratch.h"
#include "store/event_log.h"
#include "test.h"

static struct host *host_open(void)
{
    struct host *host = xcalloc(1, sizeof *host);
    struct event_log_end end;
    char *folder = scratch_folder();

    host->loop = event_base_new();
    host->session.object = json_pack("{ss}", "name", "test");
    host->session_dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    host->recorder = recorder_create(host->session_dir, event_log_open(host->session_dir, &end, NULL), NULL);
    events_init(&host->events, 0);
    coalesce_init(host);
    free(folder);
    return host;
}

static void host_close(struct host *host)
{
    coalesce_finish(host);
    recorder_destroy(host->recorder, 10000);
    events_finish(&host->events);
    json_decref(host->session.object);
    event_base_free(host->loop);
    close(host->session_dir);
    free(host);
}

/* An event, the caller's; NULL when there is none of that number. */
static json_t *told(const struct host *host, uint64_t seq)
{
    const struct stored_event *event = event_memory_get(&host->events.memory, seq);

    return event == NULL ? NULL : json_loads(event->text, 0, NULL);
}

#endif
