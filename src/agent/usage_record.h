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

#define USAGE_TEXT_MAX 160 /* bytes of a text with its NUL; longer ones are cut */

/* Texts are borrowed, valid within the call; NULL when not told. Tokens below 0: not told. */
struct usage_record {
    const char *message, *request; /* what names the answer; message is never NULL */
    const char *conversation;
    const char *model;
    int64_t at_ms;
    bool sidechain;
    bool copied; /* out of another conversation, `conversation`, at whose time it was counted */
    int64_t
        input_tokens; /* without those read from or written to a cache, whatever the vendor counts as input */
    int64_t output_tokens; /* reasoning included */
    int64_t cache_read_tokens, cache_write_tokens;
    int64_t cache_write_1h_tokens; /* of cache_write_tokens, those that are kept an hour */
    int64_t web_searches;
    double cost_usd;   /* that the agent itself reports; below 0: none */
    bool subscription; /* the agent says that it is not billed by the token */
    bool us_only;      /* answered within the United States, which some vendors bill dearer */
};

typedef void usage_taker(void *argument, const struct usage_record *record);

/* How one agent keeps usage. Patterns of glob(7) below the agent's folder, whose place is the value of the variable, else
 * `home` below HOME. A file that ends in ".jsonl" has lines added to it (also ".jsonl.zst", a whole one made small);
 * all others are read by `read`. */
struct usage_source {
    const char *agent;
    const char *variable, *home;
    const char *const *patterns; /* all files; NULL-terminated */
    /* Those of one conversation, its id in the place of %s; NULL-terminated. */
    const char *const *conversation;
    /* Others that may be its subagents', if belongs() says so. NULL: there are none. */
    const char *const *related;
    bool (*belongs)(const char *path, const char *conversation);
    /* What a file of lines needs to be remembered of its part before `offset`, from where its lines are read. NULL: nothing. */
    void *(*create)(const char *path, int64_t offset);
    void (*destroy)(void *state);
    /* A line without its \n, not NUL-terminated. */
    void (*line)(void *state, const char *line, size_t length, usage_taker *take, void *argument);
    /* Another file: what was written after `*mark` (0: all), which becomes what to ask with the next time. `conversation` may
     * be NULL. Returns 0 or -1. NULL: there are none. */
    int (*read)(const char *path, const char *conversation, int64_t *mark, usage_taker *take, void *argument);
};

/* NULL: the agent keeps nothing that is understood. */
const struct usage_source *usage_source_find(const char *agent);
/* All of them, one after the other; NULL after the last. */
const struct usage_source *usage_source_at(size_t index);

extern const struct usage_source usage_claude, usage_codex, usage_gemini, usage_qwen, usage_opencode;
/* A record of which nothing is known but its message. */
#define USAGE_RECORD_NONE                                                                                    \
    .input_tokens = -1, .output_tokens = -1, .cache_read_tokens = -1, .cache_write_tokens = -1,              \
    .cache_write_1h_tokens = -1, .web_searches = -1, .cost_usd = -1
/* Whether a record says anything: an answer that was not given uses nothing. */
bool usage_record_counts(const struct usage_record *record);
/* What remains of a total without its part; neither is below 0 then. -1 stays -1. */
int64_t usage_without(int64_t total, int64_t part);

#endif
