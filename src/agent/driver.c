#include "agent/driver.h"

#include <stdlib.h>
#include <string.h>

#include "base/agent_catalogue.h"
#include "base/agent_data.h"
#include "base/json.h"
#include "base/memory.h"

#define DATA_ENTER_DELAY_MS 100

void arguments_init(struct arguments *arguments)
{
    arguments->items = xcalloc(1, sizeof *arguments->items);
    arguments->count = 0;
}

void arguments_finish(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->count; i++)
        free(arguments->items[i]);
    free(arguments->items);
    *arguments = (struct arguments){0};
}

void arguments_add(struct arguments *arguments, const char *text)
{
    arguments->items = xreallocarray(arguments->items, arguments->count + 2, sizeof *arguments->items);
    arguments->items[arguments->count++] = xstrdup(text);
    arguments->items[arguments->count] = NULL;
}

static void add_two(struct arguments *out, const char *option, const char *value)
{
    arguments_add(out, option);
    arguments_add(out, value);
}

/* A prompt as the last argument; "--" keeps one that begins with a dash from being read as an option. */
static void add_last(struct arguments *out, const char *prompt)
{
    if (prompt == NULL)
        return;
    if (prompt[0] == '-')
        arguments_add(out, "--");
    arguments_add(out, prompt);
}

/* JSON both ways; without the last option nobody is asked for permission. */
static const char *const claude_stream_options[] = {"-p",
                                                    "--input-format",
                                                    "stream-json",
                                                    "--output-format",
                                                    "stream-json",
                                                    "--verbose",
                                                    "--include-partial-messages",
                                                    "--permission-prompt-tool",
                                                    "stdio",
                                                    NULL};

static void claude_arguments(const struct agent_start *start, struct arguments *out)
{
    for (size_t i = 0; start->mode == AGENT_MODE_STREAM && claude_stream_options[i] != NULL; i++)
        arguments_add(out, claude_stream_options[i]);
    if (start->resume_id != NULL && *start->resume_id != '\0')
        add_two(out, "--resume", start->resume_id);
    else if (start->resume_id != NULL)
        arguments_add(out, "--continue");
    else if (start->session_id != NULL)
        add_two(out, "--session-id", start->session_id);
    add_last(out, start->prompt);
}

static void codex_arguments(const struct agent_start *start, struct arguments *out)
{
    /* The channel resumes. */
    if (start->mode == AGENT_MODE_STREAM) {
        arguments_add(out, "app-server");
        return;
    }
    if (start->resume_id != NULL)
        add_two(out, "resume", *start->resume_id != '\0' ? start->resume_id : "--last");
    add_last(out, start->prompt);
}

static void gemini_arguments(const struct agent_start *start, struct arguments *out)
{
    if (start->mode == AGENT_MODE_STREAM) {
        arguments_add(out, "--acp");
        return;
    }
    if (start->resume_id != NULL)
        add_two(out, "--resume", *start->resume_id != '\0' ? start->resume_id : "latest");
    else if (start->session_id != NULL)
        add_two(out, "--session-id", start->session_id);
    if (start->prompt != NULL)
        arguments_add(out, "--prompt-interactive");
    if (start->prompt != NULL)
        arguments_add(out, start->prompt);
}

static void opencode_arguments(const struct agent_start *start, struct arguments *out)
{
    if (start->mode == AGENT_MODE_STREAM) {
        arguments_add(out, "acp");
        return;
    }
    if (start->resume_id != NULL && *start->resume_id != '\0')
        add_two(out, "--session", start->resume_id);
    else if (start->resume_id != NULL)
        arguments_add(out, "--continue");
    else if (start->prompt != NULL)
        add_two(out, "--prompt", start->prompt);
}

static void command_arguments(const struct agent_start *start, struct arguments *out)
{
    (void)start;
    (void)out;
}

/* opencode keeps all conversations in one database. */
static const char *const claude_carried[] = {"projects/*/%s.jsonl", "projects/*/%s", NULL};
static const char *const codex_carried[] = {"sessions/*/*/*/rollout-*-%s.jsonl",
                                            "sessions/*/*/*/rollout-*-%s.jsonl.zst", NULL};
static const char *const gemini_carried[] = {"tmp/*/chats/session-*-%8.jsonl", "tmp/*/chats/%s", NULL};
static const struct agent_carry claude_carry = {.files = claude_carried};
static const struct agent_carry codex_carry = {.files = codex_carried};
static const struct agent_carry gemini_carry = {.files = gemini_carried, .marker = ".project_root"};

static const struct agent_driver drivers[] = {
    {.name = "claude",
     .takes_session_id = true,
     .names_stream = true,
     .can_resume = true,
     .takes_prompt = true,
     .resumes_with_prompt = true,
     .interrupt = "Escape",
     .arguments = claude_arguments,
     .inject = claude_inject,
     .hooks = &claude_hooks,
     .file = &claude_session_file,
     .carry = &claude_carry,
     .transcript = &claude_transcript,
     .stream = &claude_stream},
    {.name = "codex",
     .can_resume = true,
     .takes_prompt = true,
     .resumes_with_prompt = true,
     .enter_delay_ms = 120,
     .interrupt = "Escape",
     .stream = &codex_stream,
     .arguments = codex_arguments,
     .inject = codex_inject,
     .hooks = &codex_hooks,
     .carry = &codex_carry,
     .file = &codex_rollout_file},
    {.name = "gemini",
     .takes_session_id = true,
     .forgets_refused = true,
     .can_resume = true,
     .takes_prompt = true,
     .resumes_with_prompt = true,
     .enter_delay_ms = 250,
     .interrupt = "Escape",
     .stream = &gemini_stream,
     .arguments = gemini_arguments,
     .hooks = &gemini_hooks,
     .carry = &gemini_carry,
     .transcript = &gemini_transcript},
    {.name = "opencode",
     .can_resume = true,
     .takes_prompt = true,
     .enter_delay_ms = 60,
     .interrupt = "Escape Escape",
     .stream = &opencode_stream,
     .arguments = opencode_arguments,
     .inject = opencode_inject,
     .hooks = &opencode_hooks},
    {.name = "command", .interrupt = "C-c", .arguments = command_arguments},
};

/* An agent that is data only is driven through its terminal: its prompts are typed. */
static const struct agent_driver *data_driver(const char *name)
{
    static struct agent_driver driver;
    const json_t *data = agent_data(name);

    if (agent_catalogue_find(name) == NULL)
        return NULL;
    driver = (struct agent_driver){.name = agent_catalogue_find(name)->name,
                                   .interrupt = json_member_string(data, "interrupt", "Escape"),
                                   .enter_delay_ms =
                                       (int)json_member_integer(data, "enter_delay_ms", DATA_ENTER_DELAY_MS),
                                   .arguments = command_arguments};
    return &driver;
}

const struct agent_driver *agent_driver_find(const char *name)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++) {
        if (strcmp(drivers[i].name, name) == 0)
            return &drivers[i];
    }
    return data_driver(name);
}
