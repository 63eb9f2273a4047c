#include "cli/crew_start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/resume.h"
#include "store/session_dir.h"

#define SLOTS 16
#define SLOTS_LEAST 4
#define POLL_MS 50
/* How long an agent's beginning is waited for; some never say that they are ready. */
#define SETTLE_MS 2000

struct slot {
    struct crew_start *start; /* NULL: free */
    pid_t pid;                /* of the starter; 0: it has answered */
    int answer;
    int64_t settled_at; /* monotonic, ns */
};

struct answer {
    bool interrupted;
    struct error error;
};

/* In the starter: one write, of less than PIPE_BUF bytes. */
static _Noreturn void begin(const struct crew_start *start, int out)
{
    struct answer answer = {0};
    json_t *session = start->resume ? resume_session(start->uuid, &answer.error)
                                    : launch_start(&start->launch, start->uuid, &answer.error);

    if (session != NULL) {
        answer.error = (struct error){0};
        answer.interrupted =
            json_is_object(json_object_get(json_object_get(session, "resumed"), "interrupted"));
    } else if (answer.error.text[0] == '\0') {
        (void)error_set(&answer.error, "it could not be started");
    }
    _exit(write(out, &answer, sizeof answer) == (ssize_t)sizeof answer ? 0 : 1);
}

/* Sessions stand in the order in which they were made, everywhere: here, one after another, and no two in one millisecond. */
static int create(struct crew_start *start, const struct config *config)
{
    int64_t now = clock_realtime_ms();
    json_t *session = launch_create(&start->launch, config, start->uuid, &start->error);

    if (session == NULL) {
        start->uuid[0] = '\0';
        return -1;
    }
    json_decref(session);
    while (clock_realtime_ms() == now)
        (void)poll(NULL, 0, 1);
    start->error = (struct error){0};
    return 0;
}

static int spawn(struct slot *slot, struct crew_start *start, const struct config *config)
{
    int ends[2];
    pid_t pid;

    if (!start->resume && create(start, config) < 0)
        return -1;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(&start->error, "cannot make a pipe");
    pid = fork();
    if (pid == 0)
        begin(start, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return error_errno(&start->error, "cannot start a process");
    }
    *slot = (struct slot){.start = start, .pid = pid, .answer = ends[0]};
    return 0;
}

static void take_answer(struct slot *slot)
{
    struct answer answer;
    ssize_t got;

    do
        got = read(slot->answer, &answer, sizeof answer);
    while (got < 0 && errno == EINTR);
    close(slot->answer);
    while (waitpid(slot->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    slot->pid = 0;
    if (got == (ssize_t)sizeof answer) {
        slot->start->interrupted = answer.interrupted;
        slot->start->error = answer.error;
    } else {
        (void)error_set(&slot->start->error, "its starter ended unexpectedly");
    }
    slot->settled_at =
        clock_monotonic_ns() + (slot->start->error.text[0] == '\0' ? SETTLE_MS : 0) * 1000000LL;
}

static bool settled(const struct slot *slot)
{
    json_t *session;
    bool begun;

    if (clock_monotonic_ns() >= slot->settled_at)
        return true;
    session = session_dir_read(cli_state_dir(), slot->start->uuid, NULL);
    begun = strcmp(json_member_string(session, "phase", ""), "initializing") != 0;
    json_decref(session);
    return begun;
}

/* Waits until a starter answers, or a moment; returns how many starters are at work. */
static size_t look(struct slot *slots, size_t count, void (*told)(void *, const struct crew_start *),
                   void *context)
{
    struct pollfd watched[SLOTS];
    size_t working = 0;

    for (size_t i = 0; i < count; i++) {
        bool works = slots[i].start != NULL && slots[i].pid > 0;
        watched[i] = (struct pollfd){.fd = works ? slots[i].answer : -1, .events = POLLIN};
        working += works;
    }
    (void)poll(watched, (nfds_t)count, POLL_MS);
    for (size_t i = 0; i < count; i++) {
        if (watched[i].fd >= 0 && watched[i].revents != 0) {
            take_answer(&slots[i]);
            told(context, slots[i].start);
            working--;
        }
        if (slots[i].start != NULL && slots[i].pid == 0 && settled(&slots[i]))
            slots[i].start = NULL;
    }
    return working;
}

void crew_start_all(struct crew_start *starts, size_t count, const struct config *config,
                    void (*told)(void *context, const struct crew_start *start), void *context)
{
    struct slot slots[SLOTS] = {0};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t slot_count = processors < SLOTS_LEAST ? SLOTS_LEAST
                        : processors > SLOTS     ? SLOTS
                                                 : (size_t)processors;
    size_t next = 0, working = 0;

    (void)fflush(NULL);
    while (next < count || working > 0) {
        for (size_t i = 0; i < slot_count && next < count; i++) {
            if (slots[i].start != NULL)
                continue;
            if (spawn(&slots[i], &starts[next], config) < 0)
                told(context, &starts[next]);
            next++;
        }
        working = look(slots, slot_count, told, context);
    }
}
