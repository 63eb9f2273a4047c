#include "host/agent_rules.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/agent_data.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/path.h"
#include "host/host.h"
#include "host/rules_file.h"

int agent_rules_load(struct host *host, struct error *error)
{
    host->rules = rules_file_read(host->driver->name, NULL, error);
    if (host->rules != NULL)
        return 0;
    /* Said when clients can hear it. */
    (void)strlcpy(host->rules_problem, error->text, sizeof host->rules_problem);
    host->rules = rules_load(host->driver->name, NULL, NULL, error);
    return host->rules == NULL ? -1 : 0;
}

static void reload(struct host *host)
{
    struct rules *before = host->rules, *rules;
    struct error error;

    rules = rules_file_read(host->driver->name, NULL, &error);
    if (rules == NULL) {
        host_warn(host, "rules", "%s; the rules before stay in force", error.text);
        return;
    }
    host->rules = rules;
    activity_rules(host);
    rules_destroy(before);
    log_note("the detection rules were read again");
}

static void changed(evutil_socket_t descriptor, short what, void *argument)
{
    struct host *host = argument;
    _Alignas(struct inotify_event) char bytes[4096];
    char name[80];
    bool ours = false;
    ssize_t got;

    (void)what;
    (void)snprintf(name, sizeof name, "%s.json", host->driver->name);
    while ((got = read(descriptor, bytes, sizeof bytes)) > 0) {
        for (char *at = bytes; at < bytes + got;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
            ours = ours || (event->len > 0 && strcmp(event->name, name) == 0);
            at += sizeof *event + event->len;
        }
    }
    if (ours)
        reload(host);
}

void agent_rules_watch(struct host *host)
{
    char *file = agent_data_user_path(host->driver->name), *slash;
    int descriptor;

    if (*host->rules_problem != '\0')
        host_warn(host, "rules", "%s; the built-in rules are in force", host->rules_problem);
    if (file == NULL)
        return;
    slash = strrchr(file, '/');
    *slash = '\0';
    descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (descriptor >= 0 &&
        inotify_add_watch(descriptor, file, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM) >= 0) {
        host->rules_watch = event_new(host->loop, descriptor, EV_READ | EV_PERSIST, changed, host);
        event_add(host->rules_watch, NULL);
    } else if (descriptor >= 0) {
        close(descriptor);
    }
    free(file);
}

void agent_rules_finish(struct host *host)
{
    if (host->rules_watch != NULL) {
        close(event_get_fd(host->rules_watch));
        event_free(host->rules_watch);
    }
    rules_destroy(host->rules);
}
