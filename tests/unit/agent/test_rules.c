#include "agent/rules.h"

#include <stdio.h>
#include <string.h>

#include "base/agent_data.h"
#include "test.h"

#define HEADER "{\"version\": 2, \"agent\": \"x\", "

static struct rules *rules_of(const char *text)
{
    struct error error;
    struct rules *rules = rules_load("x", text, "x.json", &error);

    if (rules == NULL)
        printf("# %s\n", error.text);
    return rules;
}

static struct rules *built_in(const char *agent)
{
    struct error error;
    struct rules *rules = rules_load(agent, NULL, NULL, &error);

    if (rules == NULL)
        printf("# %s\n", error.text);
    return rules;
}

TEST(every_built_in_file_is_right)
{
    const char *agent;

    for (size_t i = 0; (agent = agent_data_name(i)) != NULL; i++) {
        struct rules *rules = built_in(agent);
        CHECK(rules != NULL);
        rules_destroy(rules);
    }
}

TEST(a_wrong_file_says_where_and_what)
{
    static const char *const cases[][2] = {
        {"{\"version\": 1}", "x.json: version: expected 2"},
        {HEADER "\"screens\": []}", "x.json: screens: there is no such key"},
        {HEADER "\"screen\": [{\"phase\": \"idle\", \"any\": [\"a\"]}, {\"phase\": \"sleepy\"}]}",
         "x.json: screen[1].phase: expected initializing, idle"},
        {HEADER "\"screen\": [{\"phase\": \"idle\", \"any\": [\"/[/\"]}]}", "x.json: screen[0].any: "},
        {HEADER "\"screen\": [{\"phase\": \"idle\", \"any\": [\"\"]}]}",
         "x.json: screen[0].any: an empty pattern"},
        {HEADER "\"screen\": [{\"phase\": \"idle\", \"last\": 1000}]}", "x.json: screen[0].last: expected"},
        {HEADER "\"screen\": [{\"phase\": \"working\", \"then\": [{\"phase\": 3}]}]}",
         "x.json: screen[0].then[0].phase"},
        {HEADER "\"titles\": {}}", "x.json: titles: expected a list of rules"},
        {"[", "x.json:1: "},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error;
        CHECK(rules_load("x", cases[i][0], "x.json", &error) == NULL);
        if (strstr(error.text, cases[i][1]) == NULL)
            CHECK_STRING(error.text, cases[i][1]);
    }
}

TEST(the_first_rule_that_speaks_decides)
{
    struct rules *rules =
        rules_of(HEADER "\"screen\": [{\"phase\": \"tool\", \"last\": 2, \"any\": [\"run\"]},"
                        "{\"phase\": \"idle\", \"any\": [\"^>\"]}]}");
    struct rules_seen seen = {.growing = false};

    CHECK_NUMBER(rules_screen(rules, "running\n>\n", seen).phase, PHASE_TOOL);
    CHECK_NUMBER(rules_screen(rules, "running\nelse\n│ >\n\n", seen).phase, PHASE_IDLE);
    CHECK_NUMBER(rules_screen(rules, "nothing\n", seen).phase, PHASE_COUNT);
    CHECK_NUMBER(rules_screen(rules, "", seen).phase, PHASE_COUNT);
    rules_destroy(rules);
}

TEST(a_wait_is_read_from_the_line)
{
    struct rules *rules = rules_of(
        HEADER "\"screen\": [{\"phase\": \"retrying\", \"any\": [\"retry\"], \"wait\": \"retrying in \"}]}");
    struct rules_seen seen = {.growing = false};

    CHECK_NUMBER(rules_screen(rules, "x retrying in 3s · attempt 1/10\n", seen).wait_ms, 3000);
    CHECK_NUMBER(rules_screen(rules, "retrying in 1h 5m\n", seen).wait_ms, 3900000);
    CHECK_NUMBER(rules_screen(rules, "retrying in a while\n", seen).wait_ms, -1);
    CHECK_NUMBER(rules_screen(rules, "retry\n", seen).wait_ms, -1);
    rules_destroy(rules);
}

TEST(a_time_of_day_is_read_from_the_line)
{
    static const struct {
        const char *line;
        int minutes;
    } times[] = {{"limit resets 4:19am", 4 * 60 + 19},
                 {"resets 3:45 PM.", 15 * 60 + 45},
                 {"resets 12:05am", 5},
                 {"resets 12:05 pm", 12 * 60 + 5},
                 {"resets 16:05", 16 * 60 + 5},
                 {"resets 25:00", -1},
                 {"resets Mon 4:19am", -1},
                 {"resets 4", -1},
                 {"resets", -1}};
    struct rules *rules = rules_of(
        HEADER "\"screen\": [{\"phase\": \"limited\", \"any\": [\"resets\"], \"clock\": \"resets \"}]}");

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        CHECK_NUMBER(rules_screen(rules, times[i].line, (struct rules_seen){.growing = false}).clock,
                     times[i].minutes);
    rules_destroy(rules);
}

/* ---- dialogs ---- */

static const char bash_dialog[] = "● I will run a command.\n"
                                  "────────────────────────────────────────────────────────────\n"
                                  " Bash command\n"
                                  "╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌\n"
                                  " rm -rf build\n"
                                  "╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌\n"
                                  " Do you want to proceed?\n"
                                  " ❯ 1. Yes\n"
                                  "   2. Yes, and always allow access to /x from this project\n"
                                  "   3. No\n"
                                  "\n"
                                  " Esc to cancel · Tab to amend\n";

TEST(a_dialog_is_read_and_answered)
{
    struct rules *rules = built_in("claude");
    struct rules_match match = rules_screen(rules, bash_dialog, (struct rules_seen){.growing = false});
    struct rules_question question;

    CHECK_NUMBER(match.phase, PHASE_APPROVAL);
    CHECK_STRING(match.kind, "permission");
    CHECK_NUMBER(rules_question(rules, &match, bash_dialog, &question), 0);
    CHECK_STRING(question.tool, "Bash");
    CHECK_STRING(question.input, "Bash command\nrm -rf build\nDo you want to proceed?");
    CHECK_NUMBER(question.choice_count, 3);
    CHECK_STRING(question.choices[0], "Yes");
    CHECK_STRING(question.choices[2], "No");
    CHECK_NUMBER(question.approve, 1);
    CHECK_NUMBER(question.deny, 3);
    CHECK_STRING(question.keys[2], "3");
    rules_question_finish(&question);
    rules_destroy(rules);
}

TEST(choices_in_a_row_and_with_letters)
{
    static const char row[] =
        "  ┃  △ Permission required\n  ┃    # Shell command\n  ┃\n  ┃  $ ls\n  ┃\n"
        "  ┃   Allow once   Allow always   Reject             ctrl+f fullscreen  enter confirm\n  ┃\n";
    static const char letters[] =
        "• Running ls\n\n  Would you like to run the following command?\n\n  $ ls\n\n"
        "› 1. Yes, proceed (y)\n  2. Yes, and don't ask again (p)\n"
        "  3. No, and tell Codex what to do differently (esc)\n\n"
        "  Press enter to confirm or esc to cancel\n";
    struct rules *opencode = built_in("opencode"), *codex = built_in("codex");
    struct rules_seen seen = {.growing = false};
    struct rules_match match = rules_screen(opencode, row, seen);
    struct rules_question question;

    CHECK_NUMBER(rules_question(opencode, &match, row, &question), 0);
    CHECK_NUMBER(question.choice_count, 3);
    CHECK_STRING(question.choices[1], "Allow always");
    CHECK_STRING(question.keys[0], "Enter");
    CHECK_STRING(question.keys[2], "Right Right Enter");
    CHECK_NUMBER(question.deny, 3);
    rules_question_finish(&question);
    match = rules_screen(codex, letters, seen);
    CHECK_NUMBER(rules_question(codex, &match, letters, &question), 0);
    CHECK_STRING(question.keys[0], "y");
    CHECK_STRING(question.keys[2], "Escape");
    CHECK_STRING(question.tool, "shell");
    rules_question_finish(&question);
    rules_destroy(opencode);
    rules_destroy(codex);
}

/* What an agent shows of another's screen, or of its own, is text above its prompt box. */
TEST(a_quoted_dialog_is_no_dialog)
{
    static const char claude_box[] = "\n"
                                     "────────────────────────────────────────────────────────────\n"
                                     "❯ \n"
                                     "────────────────────────────────────────────────────────────\n"
                                     "  ⏸ manual mode on · ? for shortcuts\n";
    static const char *const quoted[] = {
        bash_dialog,
        "  │ ● 1. Allow once   │\n  │   2. No, suggest changes (esc) │\n",
        "  ┃   Allow once   Allow always   Reject             enter confirm\n",
        "› 1. Yes, proceed (y)\n  Press enter to confirm or esc to cancel\n",
    };
    struct rules *rules = built_in("claude");

    for (size_t i = 0; i < sizeof quoted / sizeof quoted[0]; i++) {
        char screen[4096];
        (void)snprintf(screen, sizeof screen, "● Here it is:\n%s%s", quoted[i], claude_box);
        CHECK_NUMBER(rules_screen(rules, screen, (struct rules_seen){.growing = false}).phase, PHASE_IDLE);
    }
    rules_destroy(rules);
}

TEST(hostile_screens_are_only_text)
{
    static char long_line[300000];
    const char *agent;

    memset(long_line, 'x', sizeof long_line - 1);
    for (size_t i = 0; (agent = agent_data_name(i)) != NULL; i++) {
        struct rules *rules = built_in(agent);
        struct rules_match match =
            rules_screen(rules, long_line, (struct rules_seen){.growing = true, .working = true});
        struct rules_question question;
        CHECK(match.phase != PHASE_APPROVAL);
        match = (struct rules_match){.phase = PHASE_APPROVAL, .line = 400, .rule = 99};
        CHECK_NUMBER(rules_question(rules, &match, "one line\n", &question), -1);
        (void)rules_screen(rules, "❯ 1.\n❯ 99999999999. x\nEsc to cancel · Tab to amend\n",
                           (struct rules_seen){.growing = false});
        rules_destroy(rules);
    }
}

TEST_MAIN
