#include "term/scrollback.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <zstd.h>

#include "base/memory.h"

#define CHUNK_SIZE ((size_t)64 * 1024)
/* An open line is cut when its text is longer: a file without line breaks is many lines. */
#define LINE_BYTES_MAX ((size_t)16 * 1024)
#define BYTES_PER_LINE 1024
#define BYTES_MIN ((size_t)1 << 20)

struct chunk {
    TAILQ_ENTRY(chunk) link;
    uint64_t first;     /* number of its first line */
    uint64_t lines;     /* how many */
    size_t used;        /* bytes of records */
    size_t packed_size; /* of `bytes` when compressed, else 0 */
    char *bytes;
    size_t capacity;
};

TAILQ_HEAD(chunks, chunk);

struct scrollback {
    size_t limit;
    uint64_t first, end; /* closed lines [first, end) */
    struct chunks chunks;
    size_t bytes;
    struct line_builder open;
    bool is_open;
};

/* The chunk decompressed last, of whichever scrollback. */
static struct {
    const struct chunk *chunk;
    char *bytes;
    size_t capacity;
} scratch;

/* Where the line found last begins: reading line after line goes on from there. */
static struct {
    const struct chunk *chunk;
    uint64_t index;
    size_t offset;
} place;

static void scratch_forget(const struct chunk *chunk)
{
    if (scratch.chunk == chunk)
        scratch.chunk = NULL;
    if (place.chunk == chunk)
        place.chunk = NULL;
}

static void scratch_reserve(size_t size)
{
    scratch.chunk = NULL;
    if (scratch.capacity >= size)
        return;
    scratch.bytes = xreallocarray(scratch.bytes, size, 1);
    scratch.capacity = size;
}

struct scrollback *scrollback_create(size_t limit)
{
    struct scrollback *scrollback = xcalloc(1, sizeof *scrollback);

    scrollback->limit = limit;
    TAILQ_INIT(&scrollback->chunks);
    line_builder_clear(&scrollback->open);
    return scrollback;
}

static size_t chunk_bytes(const struct chunk *chunk)
{
    return sizeof *chunk + (chunk->packed_size > 0 ? chunk->packed_size : chunk->capacity);
}

/* Whole pages, not the heap: a chunk that goes leaves no hole in it. */
static char *records_allocate(size_t capacity)
{
    void *bytes = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (bytes == MAP_FAILED)
        abort();
    return bytes;
}

static void chunk_free_bytes(struct chunk *chunk)
{
    if (chunk->packed_size > 0)
        free(chunk->bytes);
    else
        (void)munmap(chunk->bytes, chunk->capacity);
}

static void chunk_remove(struct scrollback *scrollback, struct chunk *chunk)
{
    TAILQ_REMOVE(&scrollback->chunks, chunk, link);
    scrollback->bytes -= chunk_bytes(chunk);
    scratch_forget(chunk);
    chunk_free_bytes(chunk);
    free(chunk);
}

static void remove_all(struct scrollback *scrollback)
{
    while (!TAILQ_EMPTY(&scrollback->chunks))
        chunk_remove(scrollback, TAILQ_FIRST(&scrollback->chunks));
}

void scrollback_destroy(struct scrollback *scrollback)
{
    if (scrollback == NULL)
        return;
    remove_all(scrollback);
    line_builder_finish(&scrollback->open);
    free(scrollback);
}

uint64_t scrollback_first(const struct scrollback *scrollback)
{
    return scrollback->first;
}

uint64_t scrollback_end(const struct scrollback *scrollback)
{
    return scrollback->end + scrollback->is_open;
}

bool scrollback_is_open(const struct scrollback *scrollback)
{
    return scrollback->is_open;
}

/* ---- chunks ---- */

static size_t byte_limit(const struct scrollback *scrollback)
{
    size_t limit = scrollback->limit * BYTES_PER_LINE;

    return limit < BYTES_MIN ? BYTES_MIN : limit;
}

static void drop_old(struct scrollback *scrollback)
{
    struct chunk *chunk;

    if (scrollback->end - scrollback->first > scrollback->limit)
        scrollback->first = scrollback->end - scrollback->limit;
    while ((chunk = TAILQ_FIRST(&scrollback->chunks)) != NULL) {
        bool over = scrollback->bytes > byte_limit(scrollback) && TAILQ_NEXT(chunk, link) != NULL;
        if (!over && chunk->first + chunk->lines > scrollback->first)
            break;
        if (scrollback->first < chunk->first + chunk->lines)
            scrollback->first = chunk->first + chunk->lines;
        chunk_remove(scrollback, chunk);
    }
}

static struct chunk *chunk_add(struct scrollback *scrollback, size_t least)
{
    struct chunk *chunk = xcalloc(1, sizeof *chunk);

    chunk->first = scrollback->end;
    chunk->capacity = least > CHUNK_SIZE ? least : CHUNK_SIZE;
    chunk->bytes = records_allocate(chunk->capacity);
    TAILQ_INSERT_TAIL(&scrollback->chunks, chunk, link);
    scrollback->bytes += chunk_bytes(chunk);
    return chunk;
}

static size_t number_put(char *out, size_t number)
{
    size_t length = 0;

    while (number >= 0x80) {
        out[length++] = (char)(number | 0x80);
        number >>= 7;
    }
    out[length++] = (char)number;
    return length;
}

static void add_line(struct scrollback *scrollback, const struct packed_line *line)
{
    char header[20];
    size_t header_length = number_put(header, line->text_length), length;
    struct chunk *chunk = TAILQ_LAST(&scrollback->chunks, chunks);
    char *out;

    header_length += number_put(header + header_length, line->runs_length);
    length = header_length + line->text_length + line->runs_length;
    if (chunk == NULL || chunk->packed_size > 0 || chunk->capacity - chunk->used < length)
        chunk = chunk_add(scrollback, length);
    out = chunk->bytes + chunk->used;
    memcpy(out, header, header_length);
    if (line->text_length > 0)
        memcpy(out + header_length, line->text, line->text_length);
    if (line->runs_length > 0)
        memcpy(out + header_length + line->text_length, line->runs, line->runs_length);
    chunk->used += length;
    chunk->lines++;
    scrollback->end++;
    drop_old(scrollback);
}

static void close_open(struct scrollback *scrollback)
{
    struct packed_line line = line_builder_line(&scrollback->open);

    add_line(scrollback, &line);
    line_builder_clear(&scrollback->open);
    scrollback->is_open = false;
}

void scrollback_push(struct scrollback *scrollback, const struct cell *cells, int count, bool wrapped,
                     const struct intern *intern)
{
    if (scrollback->limit == 0)
        return;
    line_builder_append(&scrollback->open, cells, count, intern);
    scrollback->is_open = true;
    if (!wrapped || scrollback->open.text.length > LINE_BYTES_MAX ||
        scrollback->open.runs.length > LINE_BYTES_MAX)
        close_open(scrollback);
}

/* The records of a chunk, decompressed if need be. NULL when that fails. */
static const char *chunk_records(const struct chunk *chunk)
{
    size_t size;

    if (chunk->packed_size == 0)
        return chunk->bytes;
    if (scratch.chunk == chunk)
        return scratch.bytes;
    scratch_reserve(chunk->used);
    size = ZSTD_decompress(scratch.bytes, scratch.capacity, chunk->bytes, chunk->packed_size);
    if (ZSTD_isError(size) || size != chunk->used)
        return NULL;
    scratch.chunk = chunk;
    return scratch.bytes;
}

static bool record_read(const char **at, const char *end, struct packed_line *line)
{
    uint64_t text, runs;

    if (!number_read(at, end, &text) || !number_read(at, end, &runs) || text > (uint64_t)(end - *at) ||
        runs > (uint64_t)(end - *at) - text)
        return false;
    *line = (struct packed_line){.text = *at, .text_length = text, .runs = *at + text, .runs_length = runs};
    *at += text + runs;
    return true;
}

/* Finds line `index` of a chunk; *offset is where its record begins. */
static bool chunk_find(const struct chunk *chunk, uint64_t index, struct packed_line *line, size_t *offset)
{
    const char *start = chunk_records(chunk), *at = start;
    uint64_t i = 0;

    if (start == NULL)
        return false;
    if (place.chunk == chunk && place.index <= index && place.offset <= chunk->used) {
        i = place.index;
        at += place.offset;
    }
    for (; i <= index; i++) {
        *offset = (size_t)(at - start);
        if (!record_read(&at, start + chunk->used, line))
            return false;
    }
    place.chunk = chunk;
    place.index = index;
    place.offset = *offset;
    return true;
}

/* A copy is closed: the open line itself must go on in the same run. */
static struct packed_line open_line(const struct line_builder *open)
{
    static struct line_builder copy;

    buffer_clear(&copy.text);
    buffer_clear(&copy.runs);
    buffer_append(&copy.text, open->text.bytes, open->text.length);
    buffer_append(&copy.runs, open->runs.bytes, open->runs.length);
    copy.style = open->style;
    copy.run_start = open->run_start;
    return line_builder_line(&copy);
}

bool scrollback_line(const struct scrollback *scrollback, uint64_t number, struct packed_line *line)
{
    const struct chunk *chunk;
    size_t offset;

    if (number < scrollback->first || number >= scrollback_end(scrollback))
        return false;
    if (number == scrollback->end) {
        *line = open_line(&scrollback->open);
        return true;
    }
    TAILQ_FOREACH_REVERSE(chunk, &scrollback->chunks, chunks, link)
    {
        if (number >= chunk->first)
            return chunk_find(chunk, number - chunk->first, line, &offset);
    }
    return false;
}

static void chunk_unpack(struct scrollback *scrollback, struct chunk *chunk)
{
    const char *records;
    char *bytes;

    if (chunk->packed_size == 0)
        return;
    records = chunk_records(chunk);
    scrollback->bytes -= chunk_bytes(chunk);
    bytes = records_allocate(chunk->capacity);
    if (records != NULL)
        memcpy(bytes, records, chunk->used);
    else
        chunk->used = 0;
    chunk_free_bytes(chunk);
    chunk->bytes = bytes;
    chunk->packed_size = 0;
    scratch_forget(chunk);
    scrollback->bytes += chunk_bytes(chunk);
}

bool scrollback_pop(struct scrollback *scrollback, struct intern *intern, struct cells *out)
{
    struct chunk *chunk = TAILQ_LAST(&scrollback->chunks, chunks);
    struct packed_line line;
    size_t offset;

    if (scrollback->is_open) {
        line = line_builder_line(&scrollback->open);
        line_unpack(&line, intern, out);
        line_builder_clear(&scrollback->open);
        scrollback->is_open = false;
        return true;
    }
    if (chunk == NULL || scrollback->first == scrollback->end)
        return false;
    chunk_unpack(scrollback, chunk);
    if (!chunk_find(chunk, chunk->lines - 1, &line, &offset))
        return false;
    line_unpack(&line, intern, out);
    chunk->used = offset;
    chunk->lines--;
    scrollback->end--;
    if (chunk->lines == 0)
        chunk_remove(scrollback, chunk);
    return true;
}

void scrollback_clear(struct scrollback *scrollback)
{
    remove_all(scrollback);
    scrollback->end += scrollback->is_open;
    scrollback->first = scrollback->end;
    line_builder_clear(&scrollback->open);
    scrollback->is_open = false;
}

/* ---- compression ---- */

static void chunk_compress(struct scrollback *scrollback, struct chunk *chunk, ZSTD_CCtx *context)
{
    size_t bound = ZSTD_compressBound(chunk->used), size;

    scratch_reserve(bound);
    size = ZSTD_compress2(context, scratch.bytes, bound, chunk->bytes, chunk->used);
    if (ZSTD_isError(size) || size >= chunk->used)
        return;
    scrollback->bytes -= chunk_bytes(chunk);
    chunk_free_bytes(chunk);
    chunk->bytes = xmalloc(size);
    memcpy(chunk->bytes, scratch.bytes, size);
    chunk->packed_size = size;
    scrollback->bytes += chunk_bytes(chunk);
}

void scrollback_compact(struct scrollback *scrollback)
{
    struct chunk *chunk = NULL, *last = TAILQ_LAST(&scrollback->chunks, chunks);
    ZSTD_CCtx *context = NULL;

    TAILQ_FOREACH(chunk, &scrollback->chunks, link)
    {
        if (chunk == last || chunk->packed_size > 0)
            continue;
        if (context == NULL) {
            context = ZSTD_createCCtx();
            if (context == NULL)
                return;
            (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1);
            (void)ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 16);
        }
        chunk_compress(scrollback, chunk, context);
    }
    ZSTD_freeCCtx(context);
}

size_t scrollback_memory(const struct scrollback *scrollback)
{
    return sizeof *scrollback + scrollback->bytes + scrollback->open.text.capacity +
           scrollback->open.runs.capacity;
}

/* ---- checkpoint ---- */

static void append_bytes(struct buffer *out, const char *bytes, size_t length)
{
    number_append(out, length);
    buffer_append(out, bytes, length);
}

/* A line's text is in one piece: it can be masked among the records. */
static bool save_masked(const struct chunk *chunk, const struct mask *mask, struct buffer *out)
{
    const char *records = mask == NULL ? NULL : chunk_records(chunk);
    size_t start = out->length;

    if (records == NULL)
        return false;
    number_append(out, chunk->used);
    number_append(out, 0);
    buffer_append(out, records, chunk->used);
    if (mask_text(mask, out->bytes + out->length - chunk->used, chunk->used))
        return true;
    out->length = start;
    return false;
}

void scrollback_save(const struct scrollback *scrollback, const struct mask *mask, struct buffer *out)
{
    size_t open;
    const struct chunk *chunk = NULL;
    struct packed_line line = {0};

    number_append(out, scrollback->first);
    number_append(out, scrollback->end);
    TAILQ_FOREACH(chunk, &scrollback->chunks, link)
    {
        number_append(out, chunk->lines);
        number_append(out, chunk->first);
        if (save_masked(chunk, mask, out))
            continue;
        number_append(out, chunk->used);
        number_append(out, chunk->packed_size);
        buffer_append(out, chunk->bytes, chunk->packed_size > 0 ? chunk->packed_size : chunk->used);
    }
    number_append(out, 0);
    number_append(out, scrollback->is_open);
    if (scrollback->is_open && scrollback_line(scrollback, scrollback->end, &line)) {
        append_bytes(out, line.text, line.text_length);
        open = out->length - line.text_length;
        (void)mask_text(mask, out->bytes + open, line.text_length);
        append_bytes(out, line.runs, line.runs_length);
    }
}

static bool chunk_load(struct scrollback *scrollback, uint64_t lines, const char **at, const char *end)
{
    uint64_t first, used, packed;
    struct chunk *chunk;
    size_t stored;

    if (!number_read(at, end, &first) || !number_read(at, end, &used) || !number_read(at, end, &packed))
        return false;
    stored = packed > 0 ? packed : used;
    if (stored > (size_t)(end - *at) || used > (uint64_t)1 << 28)
        return false;
    chunk = xcalloc(1, sizeof *chunk);
    chunk->first = first;
    chunk->lines = lines;
    chunk->used = used;
    chunk->packed_size = packed;
    chunk->capacity = used > CHUNK_SIZE ? used : CHUNK_SIZE;
    chunk->bytes = packed > 0 ? xmalloc(packed) : records_allocate(chunk->capacity);
    memcpy(chunk->bytes, *at, stored);
    *at += stored;
    TAILQ_INSERT_TAIL(&scrollback->chunks, chunk, link);
    scrollback->bytes += chunk_bytes(chunk);
    return true;
}

static bool open_load(struct scrollback *scrollback, const char **at, const char *end)
{
    struct packed_line line;
    uint64_t text, runs;

    if (!number_read(at, end, &text) || text > (uint64_t)(end - *at))
        return false;
    line.text = *at;
    line.text_length = text;
    *at += text;
    if (!number_read(at, end, &runs) || runs > (uint64_t)(end - *at))
        return false;
    line.runs = *at;
    line.runs_length = runs;
    *at += runs;
    line_builder_resume(&scrollback->open, &line);
    scrollback->is_open = true;
    return true;
}

struct scrollback *scrollback_load(size_t limit, const char **at, const char *end)
{
    struct scrollback *scrollback = scrollback_create(limit);
    uint64_t lines, open;

    if (!number_read(at, end, &scrollback->first) || !number_read(at, end, &scrollback->end) ||
        scrollback->first > scrollback->end)
        goto damaged;
    for (;;) {
        if (!number_read(at, end, &lines))
            goto damaged;
        if (lines == 0)
            break;
        if (!chunk_load(scrollback, lines, at, end))
            goto damaged;
    }
    if (!number_read(at, end, &open) || (open != 0 && !open_load(scrollback, at, end)))
        goto damaged;
    drop_old(scrollback);
    return scrollback;
damaged:
    scrollback_destroy(scrollback);
    return NULL;
}
