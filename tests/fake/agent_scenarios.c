#include <stdio.h>
#include <string.h>

#include "tests/fake/agent_turn.h"

#define REPORT                                                                                               \
    "The test fails because the reader keeps the first half of a sequence in a buffer that the next read "   \
    "overwrites. "                                                                                           \
    "I moved the rest to the front before reading on, and added a case with a sequence cut in two.\n"

static const struct step think[] = {
    {STEP_THINK, "Pondering", 6000},
    {STEP_TOOL, "Bash(make check)", 3500},
    {STEP_THINK, "Reading the output", 3000},
    {STEP_STREAM, REPORT, 60},
    {STEP_REST, NULL, 6000},
    {STEP_END, NULL, 0},
};

static const struct step stream[] = {
    {STEP_THINK, "Connecting", 1500},
    {STEP_STREAM,
     "Here is the plan.\n\n1. Split the parser from the reader, so that each can be tested alone.\n"
     "2. Give the parser a table instead of the switch: 14 cases are the same but for a number.\n"
     "3. Move the limits into one header, with the reason beside each.\n"
     "4. Fuzz the parser for an hour with the recordings as corpus.\n\n" REPORT
     "Next I will look at the other callers: there are seven, and two of them pass a length that may be "
     "zero.\n",
     90},
    {STEP_REST, NULL, 4000},
    {STEP_END, NULL, 0},
};

static const struct step approve[] = {
    {STEP_THINK, "Looking at the folder", 2000},
    {STEP_ASK, "rm -r build", 0},
    {STEP_TOOL, "Bash(rm -r build)", 800},
    {STEP_STREAM, "Done: the folder build is gone.\n", 60},
    {STEP_END, NULL, 0},
};

static const struct step limit[] = {
    {STEP_THINK, "Connecting", 1000},
    {STEP_LIMIT, NULL, 300000},
    {STEP_STREAM, "The limit is over, going on. " REPORT, 60},
    {STEP_REST, NULL, 4000},
    {STEP_END, NULL, 0},
};

static const struct step fail[] = {
    {STEP_THINK, "Connecting", 2000},
    {STEP_FAIL, "API Error: 401 authentication_error: the key is not valid. Please log in again.", 0},
    {STEP_END, NULL, 0},
};

static const struct step slow[] = {
    {STEP_THINK, "Pondering", 600000},
    {STEP_STREAM, "That took ten minutes.\n", 60},
    {STEP_END, NULL, 0},
};

const struct scenario scenarios[] = {
    {"think", "thinks, runs a tool, answers, and begins again", think, true},
    {"stream", "streams a long answer, again and again", stream, true},
    {"approve", "asks for permission and waits for y, n, Enter or Esc", approve, false},
    {"limit", "has hit its usage limit and counts down to the reset", limit, true},
    {"fail", "fails with an error and ends with 1", fail, false},
    {"idle", "waits for a prompt", NULL, false},
    {"echo", "waits for a prompt and repeats it in the answer", NULL, false},
    {"slow", "thinks for ten minutes", slow, false},
    {NULL, NULL, NULL, false},
};

const struct scenario *scenario_find(const char *name)
{
    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++) {
        if (strcmp(scenario->name, name) == 0)
            return scenario;
    }
    return NULL;
}

const struct step *scenario_answer(const char *prompt)
{
    static char answer[4096];
    static struct step steps[3];

    for (const struct scenario *scenario = scenarios; scenario->name != NULL; scenario++) {
        if (scenario->opening != NULL && strcmp(prompt, scenario->name) == 0)
            return scenario->opening;
    }
    if (strstr(prompt, "slow") != NULL)
        return slow;
    (void)snprintf(answer, sizeof answer, "You said: %.3800s\nEnd of the answer.\n", prompt);
    steps[0] = (struct step){STEP_THINK, "Thinking", 300};
    steps[1] = (struct step){STEP_STREAM, answer, 20};
    steps[2] = (struct step){STEP_END, NULL, 0};
    return steps;
}
