/*
 * Gemini CLI's chats, .gemini/tmp/PROJECT/chats/session-….jsonl: messages, one a line, a message again when it grows;
 * {"$set": {"messages": […]}} begins a file or writes it anew. Older ones are one object with "messages", session-….json.
 * Qwen Code, its descendant, writes rows of its own, .qwen/projects/FOLDER/chats/SESSION.jsonl.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/file_part.h"
#include "agent/json_peek.h"
#include "agent/usage_record.h"
#include "base/memory.h"
#include "base/path.h"

#define FILE_MAX ((size_t)256 * 1024 * 1024)
#define HEAD_MAX ((size_t)64 * 1024)

struct chat {
    char conversation[USAGE_TEXT_MAX];
};

static void note_conversation(struct chat *chat, struct json_view object)
{
    struct json_view id = json_peek_path(object, (const char *const[]){"sessionId", NULL});

    (void)json_peek_text(id, chat->conversation, sizeof chat->conversation);
}

/* What the tools of a prompt hold is counted beside it; what the cache held is part of it. */
static void read_tokens(struct json_view tokens, struct usage_record *record)
{
    struct json_view input, output, cached, thoughts, tool;
    const struct json_wanted wanted[] = {{"input", &input},
                                         {"output", &output},
                                         {"cached", &cached},
                                         {"thoughts", &thoughts},
                                         {"tool", &tool}};
    int64_t beside;

    if (!json_peek_members(tokens, wanted, sizeof wanted / sizeof wanted[0]))
        return;
    record->cache_read_tokens = json_peek_count(cached);
    record->input_tokens = usage_without(json_peek_count(input), record->cache_read_tokens);
    record->output_tokens = json_peek_count(output);
    if ((beside = json_peek_count(tool)) > 0)
        record->input_tokens = beside + (record->input_tokens > 0 ? record->input_tokens : 0);
    if ((beside = json_peek_count(thoughts)) > 0)
        record->output_tokens = beside + (record->output_tokens > 0 ? record->output_tokens : 0);
}

static void message(const struct chat *chat, struct json_view object, usage_taker *take, void *argument)
{
    struct json_view type, id, timestamp, tokens, model;
    const struct json_wanted wanted[] = {
        {"type", &type}, {"id", &id}, {"timestamp", &timestamp}, {"tokens", &tokens}, {"model", &model}};
    char id_text[USAGE_TEXT_MAX], model_text[USAGE_TEXT_MAX];
    struct usage_record record = {USAGE_RECORD_NONE};

    if (!json_peek_members(object, wanted, sizeof wanted / sizeof wanted[0]) || !json_peek_is(type, "gemini"))
        return;
    read_tokens(tokens, &record);
    record.message = json_peek_text(id, id_text, sizeof id_text);
    record.model = json_peek_text(model, model_text, sizeof model_text);
    record.conversation = chat->conversation[0] != '\0' ? chat->conversation : NULL;
    record.at_ms = json_peek_time(timestamp);
    if (record.message != NULL && usage_record_counts(&record))
        take(argument, &record);
}

static void messages(const struct chat *chat, struct json_view list, usage_taker *take, void *argument)
{
    struct json_view element;

    for (const char *at = NULL; json_peek_next(list, &at, NULL, &element);)
        message(chat, element, take, argument);
}

static void line(void *state, const char *bytes, size_t length, usage_taker *take, void *argument)
{
    struct chat *chat = state;
    struct json_view object, list;

    if (chat->conversation[0] == '\0' && memmem(bytes, length, "\"sessionId\"", 11) != NULL)
        note_conversation(chat, json_peek(bytes, length));
    if (memmem(bytes, length, "\"tokens\"", 8) == NULL)
        return;
    object = json_peek(bytes, length);
    list = json_peek_path(object, (const char *const[]){"$set", "messages", NULL});
    if (list.length > 0)
        messages(chat, list, take, argument);
    else
        message(chat, object, take, argument);
}

/* The conversation is named by the first line alone. */
static void *create(const char *path, int64_t offset)
{
    struct chat *chat = xcalloc(1, sizeof *chat);
    size_t length = 0;
    char *head = offset > 0 ? file_part_read(path, 0, HEAD_MAX, &length) : NULL;

    if (head != NULL) {
        const char *end = memchr(head, '\n', length);
        note_conversation(chat, json_peek(head, end == NULL ? length : (size_t)(end - head)));
    }
    free(head);
    return chat;
}

/* The mark is the time of its last change. */
static int read_whole(const char *path, const char *conversation, int64_t *mark, usage_taker *take,
                      void *argument)
{
    struct chat chat = {""};
    struct stat status;
    struct json_view object;
    char *bytes;
    size_t length;
    int64_t changed;

    (void)conversation;
    if (stat(path, &status) < 0)
        return -1;
    changed = (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
    if (changed == *mark)
        return 0;
    if (path_read_file(path, FILE_MAX, &bytes, &length, NULL) < 0)
        return -1;
    object = json_peek(bytes, length);
    note_conversation(&chat, object);
    messages(&chat, json_peek_path(object, (const char *const[]){"messages", NULL}), take, argument);
    free(bytes);
    *mark = changed;
    return 0;
}

/* ---- Qwen ---- */

/* With some vendors the thoughts are part of the answer, with others beside it: the sum tells. */
static void read_metadata(struct json_view metadata, struct usage_record *record)
{
    struct json_view prompt, answer, thoughts, cached, total;
    const struct json_wanted wanted[] = {{"promptTokenCount", &prompt},
                                         {"candidatesTokenCount", &answer},
                                         {"thoughtsTokenCount", &thoughts},
                                         {"cachedContentTokenCount", &cached},
                                         {"totalTokenCount", &total}};
    int64_t asked, thought, sum;

    if (!json_peek_members(metadata, wanted, sizeof wanted / sizeof wanted[0]))
        return;
    asked = json_peek_count(prompt);
    thought = json_peek_count(thoughts);
    sum = json_peek_count(total);
    record->cache_read_tokens = json_peek_count(cached);
    record->input_tokens = usage_without(asked, record->cache_read_tokens);
    record->output_tokens = json_peek_count(answer);
    if (thought > 0 && (record->output_tokens < 0 || sum != asked + record->output_tokens))
        record->output_tokens = thought + (record->output_tokens > 0 ? record->output_tokens : 0);
}

static void qwen_line(void *state, const char *bytes, size_t length, usage_taker *take, void *argument)
{
    struct json_view type, id, timestamp, session, model, metadata;
    const struct json_wanted wanted[] = {{"type", &type},         {"uuid", &id},
                                         {"sessionId", &session}, {"timestamp", &timestamp},
                                         {"model", &model},       {"usageMetadata", &metadata}};
    char id_text[USAGE_TEXT_MAX], session_text[USAGE_TEXT_MAX], model_text[USAGE_TEXT_MAX];
    struct usage_record record = {USAGE_RECORD_NONE};

    (void)state;
    if (memmem(bytes, length, "\"usageMetadata\"", 15) == NULL ||
        !json_peek_members(json_peek(bytes, length), wanted, sizeof wanted / sizeof wanted[0]) ||
        !json_peek_is(type, "assistant"))
        return;
    read_metadata(metadata, &record);
    record.message = json_peek_text(id, id_text, sizeof id_text);
    record.conversation = json_peek_text(session, session_text, sizeof session_text);
    record.model = json_peek_text(model, model_text, sizeof model_text);
    record.at_ms = json_peek_time(timestamp);
    if (record.message != NULL && usage_record_counts(&record))
        take(argument, &record);
}

const struct usage_source usage_gemini = {
    .agent = "gemini",
    .variable = "GEMINI_CLI_HOME",
    .home = "",
    .patterns =
        (const char *const[]){".gemini/tmp/*/chats/session-*.json*", ".gemini/tmp/*/chats/*/*.jsonl", NULL},
    .conversation = (const char *const[]){".gemini/tmp/*/chats/session-*-%.8s.json*",
                                          ".gemini/tmp/*/chats/%s/*.jsonl", NULL},
    .create = create,
    .destroy = free,
    .line = line,
    .read = read_whole,
};

const struct usage_source usage_qwen = {
    .agent = "qwen",
    .variable = "QWEN_HOME",
    .home = ".qwen",
    .patterns = (const char *const[]){"projects/*/chats/*.jsonl", ".qwen/projects/*/chats/*.jsonl", NULL},
    .conversation =
        (const char *const[]){"projects/*/chats/%s.jsonl", ".qwen/projects/*/chats/%s.jsonl", NULL},
    .line = qwen_line,
};
