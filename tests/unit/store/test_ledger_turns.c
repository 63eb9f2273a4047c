#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "scratch.h"
#include "store/ledger_private.h"
#include "test.h"

#define START INT64_C(1800000000000)
#define DAY 86400
#define SESSIONS 26 /* "a" to "z" */

enum act { ASK, ASK_ELSEWHERE, THROUGH, REFUSED, OVER, DIE };

/* Times are seconds; `at` since START, on a clock that may go back. */
struct step {
    int at;
    const char *session;
    enum act act;
    int until; /* of REFUSED; 0: not known */
    enum ledger_wait expect;
    int again; /* with another answer than LEDGER_GO */
};

struct scenario {
    const char *title;
    int jitter, stagger, probe;
    unsigned cap;
    struct step steps[24];
};

static const struct scenario scenarios[] = {
    {"an account in order lets everybody go at once",
     5,
     30,
     120,
     0,
     {{0, "a", ASK, 0, LEDGER_GO, 0}, {0, "b", ASK, 0, LEDGER_GO, 0}, {1, "a", ASK, 0, LEDGER_GO, 0}}},
    {"while it is limited each has its place, and keeps it",
     5,
     30,
     120,
     0,
     {{0, "a", ASK, 0, LEDGER_GO, 0},
      {1, "a", REFUSED, 1000, 0, 0},
      {2, "b", ASK, 0, LEDGER_LIMITED, 1005},
      {3, "c", ASK, 0, LEDGER_LIMITED, 1035},
      {4, "a", ASK, 0, LEDGER_LIMITED, 1065},
      {9, "c", ASK, 0, LEDGER_LIMITED, 1035},
      {999, "b", ASK, 0, LEDGER_LIMITED, 1005},
      {1001, "b", ASK, 0, LEDGER_TURN, 1005}}},
    {"one goes first, and when it gets through the others follow in their order",
     5,
     30,
     120,
     0,
     {{0, "a", REFUSED, 1000, 0, 0},
      {1, "a", ASK, 0, LEDGER_LIMITED, 1005},
      {2, "b", ASK, 0, LEDGER_LIMITED, 1035},
      {3, "c", ASK, 0, LEDGER_LIMITED, 1065},
      {1005, "a", ASK, 0, LEDGER_GO, 0},
      {1006, "d", ASK, 0, LEDGER_PROBE, 1125},
      {1036, "b", ASK, 0, LEDGER_PROBE, 1125},
      {1040, "a", THROUGH, 0, 0, 0},
      {1040, "d", ASK, 0, LEDGER_GO, 0},
      {1040, "b", ASK, 0, LEDGER_TURN, 1070},
      {1040, "c", ASK, 0, LEDGER_TURN, 1100},
      {1041, "e", ASK, 0, LEDGER_GO, 0},
      {1069, "b", ASK, 0, LEDGER_TURN, 1070},
      {1070, "b", ASK, 0, LEDGER_GO, 0},
      {1100, "c", ASK, 0, LEDGER_GO, 0}}},
    {"one that gets through before the reset ends the limit for all",
     5,
     30,
     120,
     0,
     {{0, "a", REFUSED, 10000, 0, 0},
      {1, "b", ASK, 0, LEDGER_LIMITED, 10005},
      {2, "c", ASK, 0, LEDGER_LIMITED, 10035},
      {100, "z", THROUGH, 0, 0, 0},
      {100, "c", ASK, 0, LEDGER_TURN, 130},
      {100, "b", ASK, 0, LEDGER_GO, 0},
      {101, "z", THROUGH, 0, 0, 0},
      {101, "c", ASK, 0, LEDGER_TURN, 130},
      {130, "c", ASK, 0, LEDGER_GO, 0}}},
    {"an answer to a turn that began before the limit says nothing about it",
     5,
     30,
     120,
     0,
     {{0, "a", ASK, 0, LEDGER_GO, 0},
      {0, "b", ASK, 0, LEDGER_GO, 0},
      {1, "a", REFUSED, 1000, 0, 0},
      {2, "b", THROUGH, 0, 0, 0},
      {3, "a", ASK, 0, LEDGER_LIMITED, 1005},
      {1005, "a", ASK, 0, LEDGER_GO, 0},
      {1006, "a", THROUGH, 0, 0, 0},
      {1006, "c", ASK, 0, LEDGER_GO, 0}}},
    {"without word from the first, another goes first",
     0,
     10,
     60,
     0,
     {{0, "a", REFUSED, 100, 0, 0},
      {1, "a", ASK, 0, LEDGER_LIMITED, 100},
      {2, "b", ASK, 0, LEDGER_LIMITED, 110},
      {100, "a", ASK, 0, LEDGER_GO, 0},
      {110, "b", ASK, 0, LEDGER_PROBE, 160},
      {160, "b", ASK, 0, LEDGER_GO, 0},
      {161, "c", ASK, 0, LEDGER_PROBE, 220}}},
    {"the first one's death, refusal or end lets another go first",
     0,
     0,
     600,
     0,
     {{0, "a", REFUSED, 10, 0, 0},
      {11, "a", ASK, 0, LEDGER_GO, 0},
      {12, "b", ASK, 0, LEDGER_PROBE, 611},
      {13, "a", DIE, 0, 0, 0},
      {13, "b", ASK, 0, LEDGER_GO, 0},
      {14, "c", ASK, 0, LEDGER_PROBE, 613},
      {15, "b", REFUSED, 0, 0, 0},
      {15, "c", ASK, 0, LEDGER_GO, 0},
      {16, "d", ASK, 0, LEDGER_PROBE, 615},
      {17, "c", OVER, 0, 0, 0},
      {17, "d", ASK, 0, LEDGER_GO, 0}}},
    {"a limit of unknown length: the next goes first alone",
     5,
     30,
     120,
     0,
     {{0, "a", ASK, 0, LEDGER_GO, 0},
      {1, "a", REFUSED, 0, 0, 0},
      {2, "b", ASK, 0, LEDGER_GO, 0},
      {3, "c", ASK, 0, LEDGER_PROBE, 122},
      {4, "b", REFUSED, 0, 0, 0},
      {4, "c", ASK, 0, LEDGER_TURN, 32},
      {32, "c", ASK, 0, LEDGER_GO, 0},
      {33, "c", THROUGH, 0, 0, 0},
      {33, "a", ASK, 0, LEDGER_GO, 0},
      {33, "b", ASK, 0, LEDGER_GO, 0}}},
    {"a limit of unknown length does not end one that is known",
     0,
     30,
     120,
     0,
     {{0, "a", REFUSED, 500, 0, 0}, {1, "b", REFUSED, 0, 0, 0}, {2, "c", ASK, 0, LEDGER_LIMITED, 500}}},
    {"the newest word wins, earlier or later, and places move along",
     5,
     30,
     120,
     0,
     {{0, "a", REFUSED, 1000, 0, 0},
      {1, "b", ASK, 0, LEDGER_LIMITED, 1005},
      {2, "c", ASK, 0, LEDGER_LIMITED, 1035},
      {3, "d", REFUSED, 600, 0, 0},
      {3, "c", ASK, 0, LEDGER_LIMITED, 635},
      {3, "b", ASK, 0, LEDGER_LIMITED, 605},
      {4, "d", REFUSED, 2000, 0, 0},
      {4, "c", ASK, 0, LEDGER_LIMITED, 2035},
      {4, "b", ASK, 0, LEDGER_LIMITED, 2005},
      {5, "d", ASK, 0, LEDGER_LIMITED, 2065}}},
    {"a place before the present reset is given anew",
     0,
     30,
     120,
     0,
     {{0, "a", REFUSED, 100, 0, 0},
      {1, "b", ASK, 0, LEDGER_LIMITED, 100},
      {2, "c", ASK, 0, LEDGER_LIMITED, 130},
      {101, "a", REFUSED, 500, 0, 0},
      {102, "c", ASK, 0, LEDGER_LIMITED, 500},
      {103, "b", ASK, 0, LEDGER_LIMITED, 530}}},
    {"no more turns than the cap, and the oldest goes first",
     0,
     0,
     120,
     2,
     {{0, "a", ASK, 0, LEDGER_GO, 0},
      {0, "b", ASK, 0, LEDGER_GO, 0},
      {0, "b", ASK, 0, LEDGER_GO, 0},
      {1, "c", ASK, 0, LEDGER_FULL, 61},
      {2, "d", ASK, 0, LEDGER_FULL, 62},
      {3, "a", OVER, 0, 0, 0},
      {3, "d", ASK, 0, LEDGER_FULL, 8},
      {3, "e", ASK, 0, LEDGER_FULL, 8},
      {3, "c", ASK, 0, LEDGER_GO, 0},
      {4, "d", ASK, 0, LEDGER_FULL, 64},
      {5, "b", OVER, 0, 0, 0},
      {5, "c", OVER, 0, 0, 0},
      {5, "e", ASK, 0, LEDGER_GO, 0},
      {5, "d", ASK, 0, LEDGER_GO, 0}}},
    {"one that no more asks, or is dead, holds up nobody",
     0,
     0,
     120,
     1,
     {{0, "a", ASK, 0, LEDGER_GO, 0},
      {1, "b", ASK, 0, LEDGER_FULL, 61},
      {2, "c", ASK, 0, LEDGER_FULL, 62},
      {3, "d", ASK, 0, LEDGER_FULL, 63},
      {4, "b", DIE, 0, 0, 0},
      {5, "a", OVER, 0, 0, 0},
      {5, "d", ASK, 0, LEDGER_FULL, 10},
      {100, "d", ASK, 0, LEDGER_GO, 0},
      {101, "d", DIE, 0, 0, 0},
      {101, "e", ASK, 0, LEDGER_GO, 0}}},
    {"those who waited for a lease go one after the other",
     0,
     30,
     120,
     2,
     {{0, "a", ASK, 0, LEDGER_GO, 0},
      {0, "b", ASK, 0, LEDGER_GO, 0},
      {1, "c", ASK, 0, LEDGER_FULL, 61},
      {2, "d", ASK, 0, LEDGER_FULL, 62},
      {50, "a", OVER, 0, 0, 0},
      {50, "b", OVER, 0, 0, 0},
      {50, "d", ASK, 0, LEDGER_TURN, 80},
      {50, "c", ASK, 0, LEDGER_GO, 0},
      {50, "d", ASK, 0, LEDGER_TURN, 80},
      {51, "e", ASK, 0, LEDGER_FULL, 56},
      {80, "d", ASK, 0, LEDGER_GO, 0},
      {80, "e", ASK, 0, LEDGER_FULL, 140}}},
    {"the cap holds for the one that goes first, too",
     0,
     0,
     120,
     1,
     {{0, "a", ASK, 0, LEDGER_GO, 0},
      {1, "b", REFUSED, 10, 0, 0},
      {11, "c", ASK, 0, LEDGER_FULL, 71},
      {12, "a", OVER, 0, 0, 0},
      {12, "c", ASK, 0, LEDGER_GO, 0}}},
    {"asking for another account gives up the place",
     0,
     0,
     120,
     1,
     {{0, "a", ASK, 0, LEDGER_GO, 0},
      {1, "b", ASK, 0, LEDGER_FULL, 61},
      {2, "b", ASK_ELSEWHERE, 0, LEDGER_GO, 0},
      {3, "c", ASK, 0, LEDGER_FULL, 63},
      {4, "a", ASK_ELSEWHERE, 0, LEDGER_FULL, 64},
      {5, "c", ASK, 0, LEDGER_GO, 0}}},
    {"a probe that changes accounts leaves it to another",
     0,
     0,
     600,
     0,
     {{0, "a", REFUSED, 10, 0, 0},
      {11, "a", ASK, 0, LEDGER_GO, 0},
      {12, "b", ASK, 0, LEDGER_PROBE, 611},
      {13, "a", ASK_ELSEWHERE, 0, LEDGER_GO, 0},
      {13, "b", ASK, 0, LEDGER_GO, 0}}},
    {"a clock set back does not make a limit longer",
     0,
     30,
     120,
     0,
     {{10 * DAY, "a", REFUSED, 10 * DAY + 3600, 0, 0},
      {10 * DAY, "b", ASK, 0, LEDGER_LIMITED, 10 * DAY + 3600},
      {10, "b", ASK, 0, LEDGER_LIMITED, 3610},
      {10, "c", ASK, 0, LEDGER_LIMITED, 3640},
      {3610, "b", ASK, 0, LEDGER_GO, 0}}},
    {"a clock set back while they are released holds nobody",
     0,
     30,
     120,
     1,
     {{10 * DAY, "a", REFUSED, 10 * DAY + 60, 0, 0},
      {10 * DAY, "b", ASK, 0, LEDGER_LIMITED, 10 * DAY + 60},
      {10 * DAY, "c", ASK, 0, LEDGER_LIMITED, 10 * DAY + 90},
      {10 * DAY + 60, "b", ASK, 0, LEDGER_GO, 0},
      {10 * DAY + 61, "b", THROUGH, 0, 0, 0},
      {50, "d", ASK, 0, LEDGER_FULL, 110},
      {50, "b", OVER, 0, 0, 0},
      {50, "c", ASK, 0, LEDGER_TURN, 80},
      {80, "c", ASK, 0, LEDGER_GO, 0}}},
    {"a clock set far forward: one goes first",
     0,
     30,
     120,
     0,
     {{0, "a", REFUSED, 3600, 0, 0},
      {1, "b", ASK, 0, LEDGER_LIMITED, 3600},
      {400 * DAY, "b", ASK, 0, LEDGER_GO, 0},
      {400 * DAY, "a", ASK, 0, LEDGER_PROBE, 400 * DAY + 120}}},
    {"a reset that cannot be is not believed",
     0,
     30,
     120,
     0,
     {{0, "a", REFUSED, 40 * DAY, 0, 0},
      {1, "b", ASK, 0, LEDGER_GO, 0},
      {2, "a", ASK, 0, LEDGER_PROBE, 121}}},
};

static bool dead[SESSIONS];

static bool alive(void *argument, const char *session)
{
    (void)argument;
    return !dead[session[0] - 'a'];
}

static int take_step(struct ledger *ledger, const struct scenario *scenario, const struct step *step,
                     struct ledger_permission *permission, struct error *error)
{
    const struct ledger_turn turn = {.account = step->act == ASK_ELSEWHERE ? "claude/other" : "claude/",
                                     .session = step->session,
                                     .now_ms = START + step->at * INT64_C(1000),
                                     .jitter_ms = scenario->jitter * INT64_C(1000),
                                     .stagger_ms = scenario->stagger * INT64_C(1000),
                                     .probe_ms = scenario->probe * INT64_C(1000),
                                     .cap = scenario->cap,
                                     .alive = alive};

    switch (step->act) {
    case ASK:
    case ASK_ELSEWHERE:
        return ledger_turn_ask(ledger, &turn, permission, error);
    case THROUGH:
        return ledger_turn_through(ledger, &turn, error);
    case REFUSED:
        return ledger_turn_refused(ledger, &turn, step->until == 0 ? 0 : START + step->until * INT64_C(1000),
                                   error);
    case OVER:
        return ledger_turn_over(ledger, &turn, error);
    case DIE:
        break;
    }
    dead[step->session[0] - 'a'] = true;
    return 0;
}

static bool play(struct ledger *ledger, const struct scenario *scenario)
{
    memset(dead, 0, sizeof dead);
    for (size_t i = 0; scenario->steps[i].session != NULL; i++) {
        const struct step *step = &scenario->steps[i];
        struct ledger_permission permission = {LEDGER_GO, 0, false};
        struct error error = {0};
        long long again;

        if (take_step(ledger, scenario, step, &permission, &error) < 0) {
            printf("# %s, step %zu: %s\n", scenario->title, i + 1, error.text);
            return false;
        }
        again = permission.again_ms == 0 ? 0 : (long long)(permission.again_ms - START) / 1000;
        if (step->act <= ASK_ELSEWHERE && (permission.wait != step->expect || again != step->again)) {
            printf("# %s, step %zu (%s at %d): %d until %lld, expected %d until %d\n", scenario->title, i + 1,
                   step->session, step->at, permission.wait, again, step->expect, step->again);
            return false;
        }
    }
    return true;
}

TEST(the_order_of_turns)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        char *folder = scratch_folder();
        struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, NULL);
        CHECK(ledger != NULL);
        if (!play(ledger, &scenarios[i]))
            test_failed = true;
        ledger_close(ledger);
        free(folder);
    }
}

TEST(the_first_after_a_limit_is_told_so)
{
    char *folder = scratch_folder();
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, NULL);
    struct ledger_turn turn = {.account = "codex/", .session = "a", .now_ms = START, .probe_ms = 1000};
    struct ledger_permission permission;

    CHECK_NUMBER(ledger_turn_ask(ledger, &turn, &permission, NULL), 0);
    CHECK(!permission.probes);
    CHECK_NUMBER(ledger_limited_until(ledger, "codex/", START, NULL), 0);
    CHECK_NUMBER(ledger_turn_refused(ledger, &turn, START + 5000, NULL), 0);
    CHECK_NUMBER(ledger_limited_until(ledger, "codex/", START, NULL), START + 5000);
    CHECK_NUMBER(ledger_limited_until(ledger, "codex/", START + 5000, NULL), 0);
    turn.now_ms += 5000;
    CHECK_NUMBER(ledger_turn_ask(ledger, &turn, &permission, NULL), 0);
    CHECK_NUMBER(permission.wait, LEDGER_GO);
    CHECK(permission.probes);
    ledger_close(ledger);
    free(folder);
}

/* Whether ledger.notify was touched since it was made to look old. */
static bool was_told(const char *folder)
{
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    char *path = path_join(folder, LEDGER_NOTIFY);
    struct stat status;
    bool told = stat(path, &status) == 0 && status.st_mtim.tv_sec != 1000;

    (void)utimensat(AT_FDCWD, path, old, 0);
    free(path);
    return told;
}

TEST(others_are_told_what_they_wait_for)
{
    char *folder = scratch_folder();
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, NULL);
    struct ledger_turn turn = {.account = "codex/", .session = "a", .now_ms = START, .cap = 1}, other = turn;
    struct ledger_permission permission;

    other.session = "b";
    (void)was_told(folder);
    (void)ledger_turn_ask(ledger, &turn, &permission, NULL);
    (void)ledger_turn_through(ledger, &turn, NULL);
    (void)ledger_turn_over(ledger, &turn, NULL);
    (void)ledger_turn_over(ledger, &turn, NULL);
    CHECK(!was_told(folder));
    (void)ledger_turn_ask(ledger, &turn, &permission, NULL);
    (void)ledger_turn_ask(ledger, &other, &permission, NULL);
    CHECK(!was_told(folder));
    (void)ledger_turn_over(ledger, &turn, NULL);
    CHECK(was_told(folder));
    (void)ledger_turn_refused(ledger, &turn, 0, NULL);
    CHECK(was_told(folder));
    (void)ledger_turn_through(ledger, &turn, NULL);
    CHECK(was_told(folder));
    ledger_close(ledger);
    free(folder);
}

static bool parent_lives(void *argument, const char *session)
{
    (void)argument;
    (void)session;
    return true;
}

/* Asks, and holds what it gets to the end. Exit code 0: it may go, 1: not, 2: an error. */
static int ask_once(const char *folder, int number)
{
    struct error error = {0};
    struct ledger *ledger = ledger_open(folder, LEDGER_WRITE, &error);
    char session[32];
    const struct ledger_turn turn = {.account = "claude/",
                                     .session = session,
                                     .now_ms = START + number,
                                     .stagger_ms = 1000,
                                     .probe_ms = 60000,
                                     .cap = 7,
                                     .alive = parent_lives};
    struct ledger_permission permission;

    (void)snprintf(session, sizeof session, "session-%d", number);
    if (ledger == NULL || ledger_turn_ask(ledger, &turn, &permission, &error) < 0) {
        (void)fprintf(stderr, "# %s\n", error.text);
        return 2;
    }
    ledger_close(ledger);
    return permission.wait == LEDGER_GO ? 0 : 1;
}

TEST(many_that_ask_at_once_do_not_pass_the_cap)
{
    char *folder = scratch_folder();
    pid_t children[50];
    int results[3] = {0};

    (void)fflush(stdout);
    for (int i = 0; i < 50; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(ask_once(folder, i));
    }
    for (int i = 0; i < 50; i++) {
        int status;
        CHECK(children[i] > 0 && waitpid(children[i], &status, 0) == children[i]);
        results[WIFEXITED(status) && WEXITSTATUS(status) < 2 ? WEXITSTATUS(status) : 2]++;
    }
    CHECK_NUMBER(results[0], 7);
    CHECK_NUMBER(results[1], 43);
    free(folder);
}

TEST_MAIN
