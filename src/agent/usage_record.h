/*
 * Usage, answer by answer, out of what agents keep of their conversations: Claude's transcripts, Codex' rollouts, Gemini's
 * and Qwen's chat files, opencode's database. Made to read a gigabyte in seconds: lines without usage are passed over without
 * being parsed.
 */
#ifndef AGENT_USAGE_RECORD_H
#define AGENT_USAGE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Texts are borrowed, valid within the call; NULL when not told. Tokens below 0: not told. */
struct usage_record {
    const char *message, *request; /* what names the answer; message is never NULL */
    const char *conversation;
    const char *model;
    int64_t at_ms;
    bool sidechain;
    int64_t
        input_tokens; /* without those read from or written to a cache, whatever the vendor counts as input */
    int64_t output_tokens; /* reasoning included */
    int64_t cache_read_tokens, cache_write_tokens;
    int64_t cache_write_1h_tokens; /* of cache_write_tokens, those that are kept an hour */
    int64_t web_searches;
    double cost_usd; /* that the agent itself reports; below 0: none */
};

typedef void usage_taker(void *argument, const struct usage_record *record);

/* How one agent keeps usage. Patterns of glob(7) below the agent's folder, whose place is the value of the variable, else
 * `home` below HOME. */
struct usage_source {
    const char *agent;
    const char *variable, *home;
    const char *const *patterns; /* all files; NULL-terminated */
    const char
        *conversation; /* those of one conversation, its id in the place of %s; NULL: all must be read */
    bool database;     /* an SQLite file, read whole; else lines are added to it */
    /* A file of lines: its state, made for each file (`path` as found). NULL: needs none. */
    void *(*create)(const char *path);
    void (*destroy)(void *state);
    /* A line without its \n, not NUL-terminated. */
    void (*line)(void *state, const char *line, size_t length, usage_taker *take, void *argument);
    /* A database: what was written after `since_ms` (0: all). Returns 0 or -1. */
    int (*read)(const char *path, const char *conversation, int64_t since_ms, usage_taker *take,
                void *argument);
};

/* NULL: the agent keeps nothing that is understood. */
const struct usage_source *usage_source_find(const char *agent);

#endif
