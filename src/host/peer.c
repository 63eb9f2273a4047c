#include "host/peer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/json.h"
#include "base/local_socket.h"
#include "base/name.h"
#include "host/host.h"
#include "rpc/protocol.h"
#include "store/session_dir.h"

#define ANCESTORS_MAX 64

static bool read_proc(pid_t pid, const char *file, char *out, size_t size, size_t *length)
{
    char path[64];
    int descriptor;
    ssize_t got;

    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    got = read(descriptor, out, size - 1);
    close(descriptor);
    if (got < 0)
        return false;
    out[got] = '\0';
    *length = (size_t)got;
    return true;
}

/* "PID (NAME) STATE PPID …"; the name may hold any byte. */
static pid_t read_stat(pid_t pid, char name[32])
{
    char text[512];
    size_t length;
    const char *open, *close;
    int parent;

    if (!read_proc(pid, "stat", text, sizeof text, &length))
        return 0;
    open = strchr(text, '(');
    close = strrchr(text, ')');
    if (open == NULL || close == NULL || sscanf(close + 1, " %*c %d", &parent) != 1)
        return 0;
    length = (size_t)(close - open - 1);
    (void)strlcpy(name, open + 1, length + 1 < 32 ? length + 1 : 32);
    return (pid_t)parent;
}

/* The session a keeper serves is among its arguments. */
static bool keeper_session(pid_t keeper, char uuid[UUID_SIZE])
{
    char arguments[1024];
    size_t length;

    if (!read_proc(keeper, "cmdline", arguments, sizeof arguments, &length))
        return false;
    for (size_t at = 0; at < length; at += strlen(arguments + at) + 1) {
        if (uuid_valid(arguments + at)) {
            (void)strlcpy(uuid, arguments + at, UUID_SIZE);
            return true;
        }
    }
    return false;
}

static bool agent_may_control(const struct host *host, const char *agent)
{
    return json_member_bool(config_agent(host->config, agent), "control", 0);
}

static bool session_may_control(const struct host *host, pid_t keeper)
{
    char uuid[UUID_SIZE];
    struct error error;
    json_t *session;
    bool allowed;

    if (keeper == getppid())
        return agent_may_control(host, host->driver->name);
    if (!keeper_session(keeper, uuid))
        return false;
    session = session_dir_read(host->state_dir, uuid, &error);
    allowed = session != NULL && agent_may_control(host, json_member_string(session, "agent", ""));
    json_decref(session);
    return allowed;
}

int peer_check(const struct host *host, int socket, struct error *error)
{
    char name[32];
    uid_t uid;
    pid_t pid;

    if (local_socket_peer(socket, &uid, &pid, error) < 0) {
        error->code = RPC_NOT_ALLOWED;
        return -1;
    }
    if (uid != geteuid()) {
        error_set(error, "this session belongs to user %u", (unsigned)geteuid());
        error->code = RPC_NOT_ALLOWED;
        return -1;
    }
    for (int i = 0; pid > 1 && i < ANCESTORS_MAX; i++) {
        pid_t parent = read_stat(pid, name);
        if ((pid == getppid() || strcmp(name, "ganger-keeper") == 0) && !session_may_control(host, pid)) {
            error_set(error, "a program inside a session may not control sessions; "
                             "agents.NAME.control in the configuration allows it");
            error->code = RPC_NOT_ALLOWED;
            return -1;
        }
        pid = parent;
    }
    return 0;
}
