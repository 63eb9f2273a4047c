#include "agent/detector.h"

#include <string.h>

#include "test.h"

#define BOX                                                                                                                                                                                                      \
    "────────────────────────────────\n❯ \n────────────────────────────────\n" \
    "  ⏸ manual mode on\n"
#define SPINNER "✽ Reticulating… (1s · ↓ 67 tokens)\n"

static struct rules *rules_of(const char *agent)
{
    struct error error;

    return rules_load(agent, NULL, NULL, &error);
}

/* Output at `at`, looked at when it is due; then time passes to `until`. */
static void show(struct detector *detector, const char *screen, int64_t at, int64_t until)
{
    int64_t next;

    (void)detector_output(detector, at);
    for (int64_t now = at; now <= until; now += 10) {
        if (detector_wants_screen(detector, now))
            (void)detector_screen(detector, screen, true, now, 1000000 + now);
        (void)detector_tick(detector, now, &next);
    }
}

TEST(a_screen_is_looked_at_when_it_rests)
{
    struct rules *rules = rules_of("claude");
    struct detector detector;

    detector_init(&detector, rules, 1);
    (void)detector_output(&detector, 1000);
    CHECK(!detector_wants_screen(&detector, 1000));
    (void)detector_output(&detector, 1020);
    CHECK(!detector_wants_screen(&detector, 1000 + DETECTOR_LOOK_MS));
    CHECK(detector_wants_screen(&detector, 1020 + DETECTOR_LOOK_MS));
    for (int64_t now = 1020; now < 1000 + DETECTOR_INTERVAL_MS; now += 10)
        (void)detector_output(&detector, now);
    CHECK(detector_wants_screen(&detector, 1000 + DETECTOR_INTERVAL_MS));
    /* A frame that is still being drawn is looked at later. */
    CHECK(!detector_screen(&detector, BOX, false, 1100, 1100));
    CHECK(!detector_wants_screen(&detector, 1100));
    detector_finish(&detector);
    rules_destroy(rules);
}

TEST(it_starts_until_its_box_is_there)
{
    struct rules *rules = rules_of("claude");
    struct detector detector;

    detector_init(&detector, rules, 1);
    show(&detector, "loading\n", 100, 1000);
    CHECK_NUMBER(detector.phase.phase, PHASE_INITIALIZING);
    show(&detector, BOX, 1100, 2000);
    CHECK_NUMBER(detector.phase.phase, PHASE_IDLE);
    detector_finish(&detector);
    rules_destroy(rules);
}

TEST(a_command_that_prints_nothing_does_not_start_for_ever)
{
    struct detector detector;
    struct rules *rules = rules_of("command");
    int64_t next;

    detector_init(&detector, rules, 1);
    CHECK(!detector_tick(&detector, 5000, &next));
    detector_started(&detector, 6000);
    CHECK(!detector_tick(&detector, 6000, &next));
    CHECK_NUMBER(next, 7000);
    CHECK(detector_tick(&detector, 7000, &next));
    CHECK_NUMBER(detector.phase.phase, PHASE_UNKNOWN);
    CHECK_NUMBER(next, 0);
    detector_finish(&detector);
    rules_destroy(rules);
}

TEST(an_agent_whose_box_is_known_starts_until_then)
{
    struct detector detector;
    struct rules *rules = rules_of("claude");
    int64_t next;

    detector_init(&detector, rules, 1);
    detector_started(&detector, 1);
    CHECK(!detector_tick(&detector, 9000, &next));
    CHECK_NUMBER(detector.phase.phase, PHASE_INITIALIZING);
    detector_finish(&detector);
    rules_destroy(rules);
}

TEST(what_shows_nothing_known_is_unknown)
{
    struct rules *rules = rules_of("claude");
    struct detector detector;

    detector_init(&detector, rules, 1);
    show(&detector, "Welcome to something else\n", 100, 30000);
    CHECK_NUMBER(detector.phase.phase, PHASE_UNKNOWN);
    CHECK(detector.strange);
    detector_finish(&detector);
    rules_destroy(rules);
}

TEST(a_screen_drawn_in_steps_changes_nothing)
{
    struct rules *rules = rules_of("claude");
    struct detector detector;

    detector_init(&detector, rules, 1);
    show(&detector, SPINNER BOX, 100, 1000);
    CHECK(phase_is_working(detector.phase.phase));
    show(&detector, "half of a frame\n", 1100, 1300);
    CHECK(phase_is_working(detector.phase.phase));
    show(&detector, SPINNER BOX, 1310, 2000);
    CHECK(phase_is_working(detector.phase.phase));
    detector_finish(&detector);
    rules_destroy(rules);
}

TEST(keys_count)
{
    struct rules *rules = rules_of("claude");
    struct detector detector;
    int64_t next;

    detector_init(&detector, rules, 1);
    CHECK(!detector_entered(&detector, 50));
    show(&detector, BOX, 100, 1000);
    CHECK(detector_entered(&detector, 1100));
    CHECK_NUMBER(detector.phase.phase, PHASE_CONNECTING);
    show(&detector, SPINNER BOX, 1200, 2000);
    (void)detector_interrupted(&detector, "Escape", 2100);
    (void)detector_tick(&detector, 2500, &next);
    CHECK_NUMBER(detector.phase.phase, PHASE_IDLE);
    /* The agent did not listen. */
    show(&detector, "✻ Reticulating… (3s · ↓ 99 tokens)\n" BOX, 3200, 4000);
    CHECK(phase_is_working(detector.phase.phase));
    detector_finish(&detector);
    rules_destroy(rules);
}

TEST(progress_speaks_while_no_title_does)
{
    struct rules *rules = rules_of("codex");
    struct detector detector;
    int64_t next;

    detector_init(&detector, rules, 1);
    (void)detector_progress(&detector, 3, 100);
    (void)detector_tick(&detector, 300, &next);
    CHECK_NUMBER(detector.phase.phase, PHASE_THINKING);
    (void)detector_progress(&detector, 0, 400);
    (void)detector_tick(&detector, 1000, &next);
    CHECK(detector.phase.phase != PHASE_THINKING);
    (void)detector_title(&detector, "proj", 1100);
    (void)detector_progress(&detector, 3, 1200);
    (void)detector_tick(&detector, 2000, &next);
    CHECK_NUMBER(detector.phase.phase, PHASE_IDLE);
    detector_finish(&detector);
    rules_destroy(rules);
}

TEST(what_is_ignored_says_nothing)
{
    static const char report[] = "state=blocked:app=x";
    struct rules *rules = rules_of("claude");
    struct detector detector;

    detector_init(&detector, rules, 1);
    detector.ignored = 1u << EVIDENCE_STATUS;
    CHECK(!detector_status(&detector, report, strlen(report), 100));
    CHECK_NUMBER(detector.phase.phase, PHASE_INITIALIZING);
    detector.ignored = 0;
    CHECK(detector_status(&detector, report, strlen(report), 200));
    CHECK_NUMBER(detector.phase.phase, PHASE_APPROVAL);
    detector_finish(&detector);
    rules_destroy(rules);
}

TEST_MAIN
