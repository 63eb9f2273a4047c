#include "agent/driver.h"
#include "observed.h"
#include "test.h"

#define CAPTURES "tests/captures/side/codex/hooks-"
#define COMMAND "touch /home/dev/code/made-by-agent && echo tool-output-line && sleep 1"

TEST(a_permission_is_asked_and_given)
{
    char *text = observed_file(&codex_hooks, CAPTURES "approve.jsonl");

    CHECK_STRING(text, "session 01a1fbeb-e82e-7a01-a5d4-727b8f6ed62f gpt-5.5-codex\n"
                       "approval call_item_21c2d219923546b4 permission Bash Bash: " COMMAND
                       "\nNeed to create a file outside the sandbox {\"command\":\"" COMMAND
                       "\",\"description\":\"Need to create a file outside the sandbox\"}\n"
                       "phase approval\n"
                       "approval_resolved call_item_21c2d219923546b4 approved\n"
                       "phase thinking\n");
    free(text);
}

TEST(what_is_refused_is_gone_at_the_end)
{
    char *text = observed_file(&codex_hooks, CAPTURES "deny.jsonl");

    CHECK(strstr(text, "phase approval\napproval_resolved call_item_deb0a163893d4dc3 gone\n") != NULL);
    free(text);
}

TEST(a_patch_is_shown_whole)
{
    char *text = observed_file(&codex_hooks, CAPTURES "write.jsonl");

    CHECK(strstr(text, " permission apply_patch apply_patch: *** Begin Patch\n*** Add File: ") != NULL);
    CHECK(strstr(text, "\n+hello\n*** End Patch") != NULL);
    CHECK(strstr(text, " approved\nphase thinking\n") != NULL);
    CHECK(strstr(text, "approval request-") == NULL);
    free(text);
}

TEST(a_question_has_its_choices)
{
    char *text = observed_file(&codex_hooks, CAPTURES "plan-question.jsonl");

    CHECK(strstr(text, " question request_user_input Which colour do you want? {") != NULL);
    CHECK(strstr(text, " [\"Red\",\"Blue\"]\nphase approval\n") != NULL);
    CHECK(strstr(text, " answered\nphase thinking\n") != NULL);
    free(text);
}

TEST(nonsense_is_ignored)
{
    void *state = codex_hooks.create();
    struct buffer out;

    buffer_init(&out);
    buffer_append_string(&out, "");
    observed_feed(
        &codex_hooks, state,
        "{}\n[]\n{\"hook_event_name\":1}\n{\"hook_event_name\":\"PermissionRequest\",\"tool_input\":1}\n"
        "{\"hook_event_name\":\"PostToolUse\"}\n{\"hook_event_name\":\"Rolled\"}\n",
        &out);
    CHECK(strstr(out.bytes, "approval request-1 permission tool ") != NULL);
    codex_hooks.destroy(state);
    buffer_finish(&out);
}

/* ---- injection ---- */

static const char *no_variable(void *argument, const char *name)
{
    (void)argument;
    (void)name;
    return NULL;
}

static size_t injected(const char *first, struct arguments *argv)
{
    struct arguments set;
    const struct agent_side side = {.hook = "'/a b/ganger' hook codex",
                                    .folder = "/tmp",
                                    .variable = no_variable,
                                    .argv = argv,
                                    .set = &set};

    arguments_init(argv);
    arguments_init(&set);
    arguments_add(argv, "codex");
    arguments_add(argv, first);
    codex_inject(&side);
    arguments_finish(&set);
    return argv->count;
}

TEST(hooks_and_their_digests_are_options)
{
    struct arguments argv;

    CHECK_NUMBER(injected("--no-daemon", &argv), 2 + 2 * 11);
    CHECK_STRING(argv.items[2], "-c");
    CHECK_STRING(argv.items[3], "hooks.SessionStart=[{hooks=[{type=\"command\",command=\"'/a b/ganger' hook "
                                "codex\",timeout=3}]}]");
    CHECK(
        strncmp(
            argv.items[23],
            "hooks.state={\"/<session-flags>/config.toml:session_start:0:0\"={trusted_hash=\"sha256:",
            strlen(
                "hooks.state={\"/<session-flags>/config.toml:session_start:0:0\"={trusted_hash=\"sha256:")) ==
        0);
    CHECK(strstr(argv.items[23],
                 "config.toml:stop:0:0\"={trusted_hash=\"sha256:"
                 "e11d1440376065ae99244376a07fc68c941874263675dd1070a9db597bab1aa8\"}") != NULL);
    arguments_finish(&argv);
}

TEST(hooks_of_the_person_on_the_command_line_stay)
{
    struct arguments argv;

    CHECK_NUMBER(injected("hooks.Stop=[]", &argv), 2);
    arguments_finish(&argv);
}

TEST_MAIN
