#include "replay/export_page.h"

#include <sha2.h>
#include <string.h>
#include <time.h>

#include "base/embed.h"
#include "base/json.h"
#include "base/utf8.h"

EMBED(page_template, "src/replay/html/page.html");
EMBED(page_style, "src/replay/html/page.css");
EMBED(page_script, "src/replay/html/page.js");
EMBED(player_style, "src/replay/html/asciinema-player.css");
EMBED(player_script, "src/replay/html/asciinema-player.min.js");
EMBED(player_licence, "src/replay/html/LICENSE.asciinema-player");

static const char recording_slot[] = "{recording}";

void export_page_escape(struct buffer *out, const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t code;
        int used = utf8_decode(text + at, length - at, &code);
        size_t taken = used > 0 ? (size_t)used : used < 0 ? (size_t)-used : length - at;
        if (used <= 0 || (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7F && code < 0xA0) ||
            code == 0x2028 || code == 0x2029 || utf8_reorders(code))
            buffer_append_string(out, "\xEF\xBF\xBD");
        else if (strchr("&<>\"'`", (int)code) != NULL && code < 0x80)
            buffer_printf(out, "&#%u;", (unsigned)code);
        else
            buffer_append(out, text + at, taken);
        at += taken;
    }
}

static void put_name(struct buffer *out, const struct timeline_facts *facts)
{
    const char *name = facts->title != NULL ? facts->title : facts->name;

    export_page_escape(out, name, strlen(name));
}

static void put_title(struct buffer *out, const struct timeline_facts *facts)
{
    put_name(out, facts);
    buffer_append_string(out, " · ganger");
}

/* "claude · 2026-11-21 13:05 UTC · 2 attempts" */
static void put_facts(struct buffer *out, const struct timeline_facts *facts)
{
    time_t started = (time_t)facts->started_s;
    struct tm parts;
    char machine[32], person[32];

    if (facts->agent != NULL) {
        export_page_escape(out, facts->agent, strlen(facts->agent));
        buffer_append_string(out, " · ");
    }
    if (started > 0 && facts->started_s < INT64_C(253402300800) && gmtime_r(&started, &parts) != NULL) {
        (void)strftime(machine, sizeof machine, "%Y-%m-%dT%H:%M:%SZ", &parts);
        (void)strftime(person, sizeof person, "%Y-%m-%d %H:%M UTC", &parts);
        buffer_printf(out, "<time datetime=\"%s\">%s</time> · ", machine, person);
    }
    if (facts->attempts > 1)
        buffer_printf(out, "%u attempts · ", facts->attempts);
    buffer_printf(out, "%d×%d", facts->cols, facts->rows);
}

/* The source expression of Content Security Policy, section 2.3.1. */
static void put_hash(struct buffer *out, const char *script)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA2_CTX context;

    SHA256Init(&context);
    SHA256Update(&context, (const uint8_t *)script, strlen(script));
    SHA256Final(digest, &context);
    buffer_append_string(out, "sha256-");
    base64_append(out, digest, sizeof digest);
}

static void put_player_hash(struct buffer *out, const struct timeline_facts *facts)
{
    (void)facts;
    put_hash(out, player_script);
}

static void put_page_hash(struct buffer *out, const struct timeline_facts *facts)
{
    (void)facts;
    put_hash(out, page_script);
}

static void put_licence(struct buffer *out, const struct timeline_facts *facts)
{
    (void)facts;
    export_page_escape(out, player_licence, strlen(player_licence));
}

/* What the words of the template stand for: text as it is, or what is made of the facts. */
static const struct slot {
    const char *word, *text;
    void (*put)(struct buffer *out, const struct timeline_facts *facts);
} slots[] = {
    {"{title}", NULL, put_title},
    {"{name}", NULL, put_name},
    {"{facts}", NULL, put_facts},
    {"{player-hash}", NULL, put_player_hash},
    {"{page-hash}", NULL, put_page_hash},
    {"{player-licence}", NULL, put_licence},
    {"{player-style}", player_style, NULL},
    {"{page-style}", page_style, NULL},
    {"{player-script}", player_script, NULL},
    {"{page-script}", page_script, NULL},
    {"{version}", GANGER_VERSION, NULL},
};

static const struct slot *slot_at(const char *text)
{
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        if (strncmp(text, slots[i].word, strlen(slots[i].word)) == 0)
            return &slots[i];
    return NULL;
}

/* Only the template is looked through for words, never what was put in. */
static void fill(struct buffer *out, const char *from, const char *end, const struct timeline_facts *facts)
{
    while (from < end) {
        const char *brace = memchr(from, '{', (size_t)(end - from));
        const struct slot *slot = brace == NULL ? NULL : slot_at(brace);
        const char *stop = brace == NULL ? end : brace;
        buffer_append(out, from, (size_t)(stop - from));
        from = stop;
        if (slot == NULL) {
            if (brace != NULL)
                buffer_append_char(out, *from++);
            continue;
        }
        if (slot->put != NULL)
            slot->put(out, facts);
        else
            buffer_append_string(out, slot->text);
        from += strlen(slot->word);
    }
}

void export_page_begin(struct buffer *out, const struct timeline_facts *facts)
{
    fill(out, page_template, strstr(page_template, recording_slot), facts);
}

void export_page_end(struct buffer *out, bool torn)
{
    const char *rest = strstr(page_template, recording_slot) + strlen(recording_slot);

    buffer_printf(out, "<script id=\"about\" type=\"application/json\">{\"torn\":%s}</script>",
                  torn ? "true" : "false");
    fill(out, rest, rest + strlen(rest), NULL);
}
