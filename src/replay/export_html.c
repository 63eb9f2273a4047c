/* One page that plays the recording in a browser, without a network. What was typed is left out: it is not shown. */
#include "base/buffer.h"
#include "base/json.h"
#include "replay/export_cast.h"
#include "replay/export_gzip.h"
#include "replay/export_page.h"

/* Above this the browser's memory would not do. */
#define HTML_MOST (UINT64_C(256) * 1024 * 1024)
/* Of an element, compressed: without padding within, and far below what a text may have in a browser. */
#define CHUNK ((size_t)3 * 256 * 1024)
#define BATCH ((size_t)64 * 1024)

struct html_export {
    struct export_file *file;
    struct gzip *gzip;
    struct buffer lines;      /* of the asciicast, not compressed yet */
    struct buffer compressed; /* not written yet */
    struct buffer out;
};

static int flush(struct html_export *html, struct error *error)
{
    int result = export_file_write(html->file, html->out.bytes, html->out.length, error);

    buffer_clear(&html->out);
    return result;
}

static int put_chunk(struct html_export *html, size_t length, struct error *error)
{
    buffer_append_string(&html->out, "<script class=\"recording\" type=\"text/plain\">");
    base64_append(&html->out, html->compressed.bytes, length);
    buffer_append_string(&html->out, "</script>\n");
    buffer_consume(&html->compressed, length);
    return flush(html, error);
}

static int compress_lines(struct html_export *html, int last, struct error *error)
{
    gzip_add(html->gzip, html->lines.bytes, html->lines.length, last, &html->compressed);
    buffer_clear(&html->lines);
    while (html->compressed.length >= CHUNK)
        if (put_chunk(html, CHUNK, error) < 0)
            return -1;
    return last && html->compressed.length > 0 ? put_chunk(html, html->compressed.length, error) : 0;
}

static int put_recording(struct html_export *html, struct timeline *timeline, struct error *error)
{
    const struct timeline_facts *facts = timeline_facts(timeline);
    struct timeline_event event;
    int got;

    export_cast_header(&html->lines, facts);
    while ((got = timeline_next(timeline, &event, error)) == 1) {
        if (timeline_read(timeline) > HTML_MOST)
            return export_too_long(&export_html, timeline_read(timeline), error);
        if (event.type != 'i')
            export_cast_event(&html->lines, facts, &event);
        if (html->lines.length >= BATCH && compress_lines(html, 0, error) < 0)
            return -1;
    }
    return got < 0 ? -1 : compress_lines(html, 1, error);
}

static int write_html(struct timeline *timeline, struct export_file *file, struct error *error)
{
    struct html_export html = {.file = file, .gzip = gzip_create()};
    int result;

    buffer_init(&html.lines);
    buffer_init(&html.compressed);
    buffer_init(&html.out);
    export_page_begin(&html.out, timeline_facts(timeline));
    result = flush(&html, error);
    if (result == 0)
        result = put_recording(&html, timeline, error);
    if (result == 0) {
        export_page_end(&html.out, timeline_torn(timeline));
        result = flush(&html, error);
    }
    gzip_destroy(html.gzip);
    buffer_finish(&html.lines);
    buffer_finish(&html.compressed);
    buffer_finish(&html.out);
    return result;
}

const struct export_format export_html = {
    .name = "html", .suffixes = ".html .htm", .most = HTML_MOST, .write = write_html};
