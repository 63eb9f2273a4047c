#include "test.h"
#include "tui/phase.h"

TEST(names)
{
    CHECK_NUMBER(phase_find("approval"), PHASE_APPROVAL);
    CHECK_NUMBER(phase_find("initializing"), PHASE_INITIALIZING);
    CHECK_NUMBER(phase_find("no such phase"), PHASE_UNKNOWN);
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        CHECK(phase_look((enum phase)phase)->name != NULL && phase_look((enum phase)phase)->glyph != NULL);
}

TEST(times)
{
    char text[24];

    phase_time(PHASE_THINKING, 1000, 0, 13500, text, sizeof text);
    CHECK_STRING(text, "12s");
    phase_time(PHASE_LIMITED, 1000, 246000, 1000, text, sizeof text);
    CHECK_STRING(text, "4:05");
    phase_time(PHASE_LIMITED, 1000, 500, 1000, text, sizeof text);
    CHECK_STRING(text, "0:00");
    phase_time(PHASE_IDLE, 1000, 0, 99000, text, sizeof text);
    CHECK_STRING(text, "");
    phase_time(PHASE_TOOL, 5000, 0, 1000, text, sizeof text);
    CHECK_STRING(text, "0s");
}

TEST_MAIN
