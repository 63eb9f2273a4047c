#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "test.h"

#include "base/json.h"
#include "host/usage_import.h"
#include "host/usage_lines.h"

#define SESSION "0a7ff1d0-6c1d-4c2f-a8a1-000000000001"

struct place {
    char *folder; /* the agent's */
    struct ledger *ledger;
};

static struct place begin(void)
{
    struct place place = {.folder = scratch_folder()};
    char *state = scratch_folder();
    struct error error = {0};

    place.ledger = ledger_open(state, LEDGER_WRITE, &error);
    if (place.ledger == NULL) {
        (void)printf("# %s\n", error.text);
        abort();
    }
    free(state);
    return place;
}

static void end(struct place *place)
{
    ledger_close(place->ledger);
    free(place->folder);
}

/* Adds text to a file below the agent's folder. */
static void append(const struct place *place, const char *name, const char *text)
{
    char *path = path_join(place->folder, name), *folder = xstrdup(path);
    FILE *file;

    *strrchr(folder, '/') = '\0';
    file = path_make_dirs(folder, 0700, NULL) == 0 ? fopen(path, "ae") : NULL;
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        abort();
    free(folder);
    free(path);
}

static int import(const struct place *place, const char *agent, const char *conversation)
{
    struct usage_import what = {.agent = agent,
                                .folder = place->folder,
                                .conversation = conversation,
                                .session = SESSION,
                                .attempt = 2,
                                .account = "a/b"};
    struct error error = {0};
    int result = usage_import_conversation(&what, place->ledger, &error);

    if (result < 0)
        (void)printf("# %s\n", error.text);
    return result;
}

/* "SESSION output messages" of each session, one a line. */
static const char *known(const struct place *place)
{
    static char text[1024];
    json_t *list =
        ledger_usage_sum(place->ledger, &(struct ledger_usage_query){.by = USAGE_BY_SESSION}, NULL);
    json_t *row;
    size_t index, used = 0;

    text[0] = '\0';
    json_array_foreach(list, index, row)
    {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %lld %lld\n",
                                 json_member_string(row, "session", "-"),
                                 (long long)json_member_integer(row, "output_tokens", -1),
                                 (long long)json_member_integer(row, "messages", -1));
    }
    json_decref(list);
    return text;
}

#define ROW(session, id, output)                                                                             \
    "{\"type\":\"assistant\",\"sessionId\":\"" session "\",\"message\":{\"id\":\"" id                        \
    "\",\"usage\":{\"output_tokens\":" output "}}}\n"

TEST(a_conversation_as_it_grows)
{
    struct place place = begin();

    CHECK_NUMBER(import(&place, "claude", "c1"), 0);
    append(&place, "projects/p[1]/c1.jsonl", ROW("c1", "m1", "5"));
    append(&place, "projects/p[1]/c2.jsonl", ROW("c2", "m2", "100"));
    CHECK_NUMBER(import(&place, "claude", "c1"), 0);
    CHECK_STRING(known(&place), SESSION " 5 1\n");
    append(&place, "projects/p[1]/c1.jsonl", "{\"type\":\"user\"}\n" ROW("c1", "m3", "7"));
    append(&place, "projects/p[1]/c1.jsonl", "{\"type\":\"assis");
    append(&place, "projects/p[1]/c1/subagents/agent-1.jsonl", ROW("c1", "m4", "11"));
    CHECK_NUMBER(import(&place, "claude", "c1"), 0);
    CHECK_STRING(known(&place), SESSION " 23 3\n");
    end(&place);
}

TEST(what_was_copied_is_not_the_sessions)
{
    struct place place = begin();

    append(&place, "projects/p/c1.jsonl", ROW("c0", "m1", "5") ROW("c1", "m2", "7"));
    CHECK_NUMBER(import(&place, "claude", "c1"), 0);
    CHECK_STRING(known(&place), "- 5 1\n" SESSION " 7 1\n");
    end(&place);
}

#define PARENT "01a1fddb-3aa5-73f0-a70c-742a1e99874b"
#define CHILD "01a1fddb-3ce5-7a53-a611-30d6d4673440"
#define META(id, more)                                                                                       \
    "{\"timestamp\":\"2026-11-21T02:00:00.000Z\",\"type\":\"session_meta\",\"payload\":{\"id\":\"" id        \
    "\"" more "}}\n"
#define COUNT(output)                                                                                        \
    "{\"timestamp\":\"2026-11-21T02:00:09.000Z\",\"type\":\"event_msg\",\"payload\":{\"type\":"              \
    "\"token_count\",\"info\":{\"total_token_usage\":{\"output_tokens\":" output ",\"total_tokens\":" output \
    "},\"last_token_usage\":{\"output_tokens\":1}}}}\n"

TEST(subagents_of_codex)
{
    struct place place = begin();
    const char *child = "sessions/2026/11/22/rollout-2026-11-22T00-00-00-" CHILD ".jsonl";

    append(&place, "sessions/2026/11/21/rollout-2026-11-21T02-00-00-" PARENT ".jsonl",
           META(PARENT, "") COUNT("5") COUNT("6"));
    append(&place, child, META(CHILD, ",\"parent_thread_id\":\"" PARENT "\"") COUNT("9"));
    CHECK_NUMBER(import(&place, "codex", CHILD), 0);
    CHECK_STRING(known(&place), SESSION " 1 1\n");
    append(&place, child, COUNT("10"));
    CHECK_NUMBER(import(&place, "codex", PARENT), 0);
    CHECK_STRING(known(&place), SESSION " 4 4\n");
    end(&place);
}

TEST(ids_that_are_none)
{
    struct place place = begin();

    append(&place, "projects/p/c1.jsonl", ROW("c1", "m1", "5"));
    CHECK_NUMBER(import(&place, "claude", "*"), 0);
    CHECK_NUMBER(import(&place, "claude", "../p/c1"), 0);
    CHECK_NUMBER(import(&place, "claude", ""), 0);
    CHECK_NUMBER(import(&place, "command", "c1"), 0);
    CHECK_STRING(known(&place), "");
    end(&place);
}

static const char *lookup(void *argument, const char *name)
{
    return strcmp(name, argument) == 0 ? "/there" : strcmp(name, "HOME") == 0 ? "/home/me" : NULL;
}

static bool folder_is(const char *agent, const char *variable, const char *expected)
{
    char name[32], *folder;
    bool same;

    (void)snprintf(name, sizeof name, "%s", variable);
    folder = usage_import_folder(agent, lookup, name);
    same = folder == NULL ? expected == NULL : expected != NULL && strcmp(folder, expected) == 0;
    free(folder);
    return same;
}

TEST(where_agents_keep_their_files)
{
    CHECK(folder_is("claude", "", "/home/me/.claude"));
    CHECK(folder_is("claude", "CLAUDE_CONFIG_DIR", "/there"));
    CHECK(folder_is("codex", "CODEX_HOME", "/there"));
    CHECK(folder_is("gemini", "", "/home/me"));
    CHECK(folder_is("opencode", "", "/home/me/.local/share"));
    CHECK(folder_is("command", "", NULL));
}

/* ---- lines ---- */

struct seen {
    size_t count, longest, stop;
};

static bool see(void *argument, const char *line, size_t length)
{
    struct seen *seen = argument;

    (void)line;
    seen->count++;
    seen->longest = length > seen->longest ? length : seen->longest;
    return seen->count != seen->stop;
}

TEST(lines_of_any_length)
{
    size_t size = (size_t)3 * 1024 * 1024;
    char *folder = scratch_folder(), *text = malloc(size + 20), *path;
    struct seen seen = {0, 0, 0}, few = {0, 0, 2};
    FILE *file;

    memset(text, 'x', size + 20);
    memcpy(text, "one\n\ntwo\n", 9);
    memcpy(text + 9 + size, "\nlast", 5);
    path = scratch_file(folder, "lines", text, size + 14);
    file = fopen(path, "re");
    CHECK_NUMBER(usage_lines_read(fileno(file), false, 0, see, &seen), size + 10);
    CHECK_NUMBER(seen.count, 3);
    CHECK_NUMBER(seen.longest, size);
    CHECK_NUMBER(usage_lines_read(fileno(file), false, 4, see, &few), 9 + size + 1);
    CHECK_NUMBER(few.count, 2);
    CHECK_NUMBER(usage_lines_read(fileno(file), false, (int64_t)size + 10, see, &seen), size + 10);
    CHECK_NUMBER(usage_lines_read(fileno(file), true, 0, see, &seen), -1);
    CHECK_NUMBER(usage_lines_read(-1, false, 0, see, &seen), -1);
    (void)fclose(file);
    free(path);
    free(text);
    free(folder);
}

TEST_MAIN
