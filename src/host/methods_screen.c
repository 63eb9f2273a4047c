#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "host/host.h"
#include "host/methods.h"
#include "rpc/protocol.h"

#define LINES_MAX 1000
#define REPLY_BYTES (900 * 1024)
#define PATTERN_MAX 4096

static const char no_screen[] = "there is no screen: the agent was never started";

/* The params of a frame's line, without the braces. */
static void append_params(struct buffer *out, const struct buffer *frame)
{
    const char *params = strstr(frame->bytes, "\"params\":{") + strlen("\"params\":{");

    buffer_append(out, params, (size_t)(frame->bytes + frame->length - params) - strlen("}}\n"));
}

static void append_frame(struct call *call)
{
    struct buffer frame;

    buffer_init(&frame);
    frames_snapshot(call->host, &frame);
    buffer_append_char(&call->result, '{');
    append_params(&call->result, &frame);
    buffer_append_char(&call->result, '}');
    buffer_finish(&frame);
}

static void append_text(struct call *call, char format)
{
    const struct attempt *attempt = &call->host->attempt;
    struct terminal_cursor cursor = terminal_cursor(attempt->terminal);
    const char *title = terminal_title(attempt->terminal);
    struct buffer text;

    buffer_init(&text);
    if (format == 'a')
        terminal_ansi(attempt->terminal, &text);
    else if (format == 'l')
        transcript_lines_screen(&attempt->transcribed, attempt->terminal,
                                (uint64_t)json_member_integer(call->params, "from", 0), &text);
    else
        terminal_text(attempt->terminal, &text);
    buffer_printf(
        &call->result,
        "{\"attempt\":%u,\"cols\":%d,\"rows\":%d,\"cursor\":[%d,%d,%s,%d,%s],\"title\":", attempt->number,
        terminal_cols(attempt->terminal), terminal_rows(attempt->terminal), cursor.x, cursor.y,
        cursor.visible ? "true" : "false", cursor.shape, cursor.blink ? "true" : "false");
    json_append_quoted(&call->result, title, strlen(title));
    buffer_append_string(&call->result, ",\"text\":");
    json_append_quoted(&call->result, text.bytes == NULL ? "" : text.bytes, text.length);
    buffer_append_char(&call->result, '}');
    buffer_finish(&text);
}

static int get_screen(struct call *call, const char *format)
{
    if (strcmp(format, "frame") == 0)
        append_frame(call);
    else if (strcmp(format, "text") == 0 || strcmp(format, "ansi") == 0 || strcmp(format, "lines") == 0)
        append_text(call, format[0]);
    else
        return call_fail(call, RPC_INVALID_PARAMS, "format: expected frame, text, ansi or lines");
    return 0;
}

int method_screen_get(struct call *call)
{
    struct terminal *terminal = call->host->attempt.terminal;
    struct masked_cells *masked = NULL;
    int code = call_expect(call, "format", JSON_STRING);

    if (code != 0)
        return code;
    if (terminal == NULL)
        return call_fail(call, RPC_NOT_FOUND, no_screen);
    if (json_member_bool(call->params, "masked", 0))
        masked = terminal_mask(terminal, call->host->mask);
    code = get_screen(call, json_member_string(call->params, "format", "frame"));
    terminal_unmask(masked);
    return code;
}

int method_screen_ack(struct call *call)
{
    int64_t frame = json_member_integer(call->params, "frame", -1);

    if (frame < 0)
        return call_fail(call, RPC_INVALID_PARAMS, "frame: expected the number of a frame");
    if (!frame_policy_acknowledge(&call->client->screen.policy, (uint64_t)frame))
        call->client->screen.whole = true;
    frames_update(call->host);
    return 0;
}

/* ---- scrollback ---- */

/* The styles of one answer, numbered from 1. */
struct palette {
    struct style *styles;
    size_t count;
    struct frame_writer *writer;
    const struct terminal *terminal;
    uint32_t last; /* number of the style found last */
    size_t bytes;
};

static bool same_style(const struct style *a, const struct style *b)
{
    return a->foreground == b->foreground && a->background == b->background &&
           a->underline_color == b->underline_color && a->attributes == b->attributes &&
           a->underline == b->underline && a->link == b->link;
}

static uint32_t style_number(struct palette *palette, const struct style *style)
{
    static const struct style plain = {
        .foreground = COLOR_DEFAULT, .background = COLOR_DEFAULT, .underline_color = COLOR_DEFAULT};

    if (same_style(style, &plain))
        return 0;
    if (palette->last > 0 && same_style(style, &palette->styles[palette->last - 1]))
        return palette->last;
    for (size_t i = 0; i < palette->count; i++) {
        if (same_style(style, &palette->styles[i]))
            return palette->last = (uint32_t)i + 1;
    }
    return 0;
}

static void collect_style(void *argument, const struct line_run *run)
{
    struct palette *palette = argument;
    struct frame_style out = {.foreground = run->style.foreground,
                              .background = run->style.background,
                              .underline_color = run->style.underline_color,
                              .attributes = run->style.attributes,
                              .underline = run->style.underline,
                              .link = run->link};
    static const struct style plain = {
        .foreground = COLOR_DEFAULT, .background = COLOR_DEFAULT, .underline_color = COLOR_DEFAULT};

    palette->bytes += run->length + run->length / 4 + 16;
    if (same_style(&run->style, &plain) || style_number(palette, &run->style) != 0)
        return;
    palette->styles = xreallocarray(palette->styles, palette->count + 1, sizeof *palette->styles);
    palette->styles[palette->count++] = run->style;
    out.id = (uint32_t)palette->count;
    palette->bytes += 96 + (run->link == NULL ? 0 : strlen(run->link));
    frame_style(palette->writer, &out);
}

static void write_run(void *argument, const struct line_run *run)
{
    struct palette *palette = argument;

    frames_text(palette->writer, style_number(palette, &run->style), run->text, run->length);
}

/* Lines [from, end): returns the end of what fits into an answer. */
static uint64_t write_lines(const struct terminal *terminal, uint64_t from, uint64_t end,
                            struct frame_writer *writer)
{
    struct palette palette = {.writer = writer, .terminal = terminal};
    uint64_t last = from;

    for (; last < end && palette.bytes < REPLY_BYTES; last++)
        (void)terminal_scrollback_line(terminal, last, collect_style, &palette);
    for (uint64_t line = from; line < last; line++) {
        frame_line_begin(writer, (int64_t)line);
        (void)terminal_scrollback_line(terminal, line, write_run, &palette);
        frame_line_end(writer, false);
    }
    free(palette.styles);
    return last;
}

static int check_attempt(struct call *call)
{
    const struct attempt *attempt = &call->host->attempt;
    int64_t wanted = json_member_integer(call->params, "attempt", (int64_t)attempt->number);
    int code = call_expect(call, "attempt", JSON_INTEGER);

    if (code != 0)
        return code;
    if (attempt->terminal == NULL)
        return call_fail(call, RPC_NOT_FOUND, no_screen);
    if (wanted != (int64_t)attempt->number)
        return call_fail(call, RPC_NOT_FOUND,
                         "only the latest attempt has its scrollback here: see its recording");
    return 0;
}

int method_scrollback_get(struct call *call)
{
    const struct attempt *attempt = &call->host->attempt;
    int64_t from = json_member_integer(call->params, "from", -1),
            count = json_member_integer(call->params, "count", -1);
    struct frame_writer writer;
    struct buffer frame;
    uint64_t first, end, at;
    int code = check_attempt(call);

    if (code != 0)
        return code;
    if (from < 0 || count < 0 || count > LINES_MAX)
        return call_fail(call, RPC_INVALID_PARAMS, "from, count: expected a line and at most 1000 lines");
    first = terminal_scrollback_first(attempt->terminal);
    end = terminal_scrollback_end(attempt->terminal);
    at = (uint64_t)from < first ? first : (uint64_t)from;
    buffer_init(&frame);
    frame_begin(&writer, &frame,
                &(struct frame_head){.attempt = attempt->number,
                                     .cols = terminal_cols(attempt->terminal),
                                     .rows = terminal_rows(attempt->terminal)});
    if (at < end)
        (void)write_lines(attempt->terminal, at, end - at < (uint64_t)count ? end : at + (uint64_t)count,
                          &writer);
    (void)frame_end(&writer);
    buffer_printf(&call->result, "{\"first\":%llu,\"end\":%llu,\"open\":%s,", (unsigned long long)first,
                  (unsigned long long)end, terminal_scrollback_open(attempt->terminal) ? "true" : "false");
    append_params(&call->result, &frame);
    if (strstr(frame.bytes, "\"lines\":[") == NULL)
        buffer_append_string(&call->result, ",\"lines\":[]");
    buffer_append_char(&call->result, '}');
    buffer_finish(&frame);
    if (json_member_bool(call->params, "masked", 0))
        (void)mask_json(call->host->mask, call->result.bytes, call->result.length);
    return 0;
}

int method_scrollback_search(struct call *call)
{
    const struct attempt *attempt = &call->host->attempt;
    const char *pattern = json_member_string(call->params, "pattern", NULL);
    bool forwards = json_member_bool(call->params, "forwards", 0);
    int64_t from;
    int code = check_attempt(call);

    if (code != 0 || (code = call_expect(call, "from", JSON_INTEGER)) != 0 ||
        (code = call_expect(call, "forwards", JSON_TRUE)) != 0)
        return code;
    if (pattern == NULL || *pattern == '\0' || strlen(pattern) > PATTERN_MAX)
        return call_fail(call, RPC_INVALID_PARAMS, "pattern: expected 1 to 4096 bytes of text");
    from = json_member_integer(call->params, "from",
                               forwards ? 0 : (int64_t)terminal_scrollback_end(attempt->terminal));
    from = terminal_scrollback_search(attempt->terminal, pattern, from < 0 ? 0 : (uint64_t)from, forwards);
    if (from < 0)
        buffer_append_string(&call->result, "{\"line\":null}");
    else
        buffer_printf(&call->result, "{\"line\":%lld}", (long long)from);
    return 0;
}
