#include "cli/headless_stop.h"

#include <jansson.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"

#define TURN_MS 3000 /* for the agent to end its turn */
#define AGAIN_MS 200

static int64_t now_ms(void)
{
    return clock_monotonic_ns() / 1000000;
}

int headless_stop_watch(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action;
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            (void)sigaddset(&set, numbers[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

unsigned headless_stop_signals(int descriptor)
{
    struct signalfd_siginfo signal;
    unsigned count = 0;

    while (descriptor >= 0 && read(descriptor, &signal, sizeof signal) == (ssize_t)sizeof signal)
        count++;
    return count;
}

static void ask(struct headless_stop *stop, struct client *client, enum stop_stage stage)
{
    if (stage == STOP_KILL)
        (void)client_send(client, "session.kill", NULL);
    else
        (void)client_send(client, "session.cancel",
                          json_pack("{s:s}", "scope", stage == STOP_TURN ? "turn" : "session"));
    (void)client_flush(client);
    stop->sent = stage;
    stop->at_ms = now_ms();
}

void headless_stop_go_on(struct headless_stop *stop, struct client *client, bool turn)
{
    bool patient = stop->sent == STOP_TURN && turn && now_ms() - stop->at_ms < TURN_MS;

    /* A host that follows does not know what the one before it was asked. */
    if (client == NULL)
        stop->sent = STOP_NONE;
    if (stop->wanted == STOP_NONE || client == NULL)
        return;
    if (stop->wanted == STOP_KILL) {
        if (stop->sent != STOP_KILL)
            ask(stop, client, STOP_KILL);
    } else if (stop->sent == STOP_NONE && turn) {
        ask(stop, client, STOP_TURN);
    } else if (stop->sent < STOP_SESSION && !patient) {
        ask(stop, client, STOP_SESSION);
    }
}

int headless_stop_due(const struct headless_stop *stop)
{
    return stop->wanted == STOP_NONE || stop->sent == STOP_KILL || stop->sent == stop->wanted ? -1 : AGAIN_MS;
}
