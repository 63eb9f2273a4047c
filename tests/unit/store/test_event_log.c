#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "scratch.h"
#include "store/event_log.h"
#include "test.h"

struct seen {
    uint64_t first, last;
    unsigned count, stop_after;
};

static int see(void *argument, uint64_t seq, const char *text, size_t length)
{
    struct seen *seen = argument;

    if (seen->count++ == 0)
        seen->first = seq;
    seen->last = seq;
    return text[length] != '\0' || seen->count == seen->stop_after;
}

static int folder_with(const char *text, size_t length)
{
    char *folder = scratch_folder();
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    free(scratch_file(folder, "events.jsonl", text, length));
    free(folder);
    return directory;
}

static struct seen read_since(int directory, uint64_t since)
{
    struct seen seen = {0};
    struct error error;

    if (event_log_read(directory, since, see, &seen, &error) < 0)
        seen.count = 999999;
    return seen;
}

TEST(end_of_a_log)
{
    static const struct {
        const char *text;
        uint64_t seq, offset, size;
        uint32_t attempt;
    } cases[] = {
        {"", 0, 0, 0, 0},
        {"{\"seq\":1", 0, 0, 0, 0},
        {"{\"seq\":1,\"attempt\":2,\"off\":77}\n", 1, 77, 31, 2},
        {"{\"seq\":1,\"attempt\":1,\"off\":77}\n{\"seq\":2,\"att", 1, 77, 31, 1},
        {"{\"seq\":4}\ngarbage\n{\"x\":1}\n", 4, 0, 26, 0},
        {"garbage\n", 0, 0, 8, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct event_log_end end;
        struct error error;
        int directory = folder_with(cases[i].text, strlen(cases[i].text));
        int file = event_log_open(directory, &end, &error);
        CHECK(file >= 0);
        CHECK_NUMBER(end.seq, cases[i].seq);
        CHECK_NUMBER(end.offset, cases[i].offset);
        CHECK_NUMBER(end.attempt, cases[i].attempt);
        CHECK_NUMBER(lseek(file, 0, SEEK_END), cases[i].size);
        CHECK_NUMBER(write(file, "{\"seq\":9}\n", 10), 10);
        close(file);
        CHECK_NUMBER(read_since(directory, 8).first, 9);
        close(directory);
    }
}

TEST(zeros_after_a_power_cut_are_cut)
{
    char text[9000] = "{\"seq\":3}\n";
    struct event_log_end end;
    struct error error;
    int directory = folder_with(text, sizeof text), file = event_log_open(directory, &end, &error);

    CHECK_NUMBER(end.seq, 3);
    CHECK_NUMBER(lseek(file, 0, SEEK_END), 10);
    close(file);
    close(directory);
}

/* 3,000 events of different lengths, some lines garbage, numbers from 101 on. */
static void fill(struct buffer *text)
{
    for (unsigned i = 101; i <= 3100; i++) {
        buffer_printf(text, "{%s\"seq\":%u,\"text\":\"", i % 50 == 0 ? " " : "", i);
        for (unsigned k = 0; k < i * 37 % 400; k++)
            buffer_append_char(text, 'x');
        buffer_append_string(text, "\"}\n");
        if (i % 97 == 0)
            buffer_append_string(text, "not an event\n\n");
    }
}

TEST(reading_since_any_event)
{
    struct buffer text = {0};
    int directory;

    fill(&text);
    buffer_append_string(&text, "{\"seq\":9999,\"torn");
    directory = folder_with(text.bytes, text.length);
    buffer_finish(&text);
    for (uint64_t since = 0; since < 3200; since += since < 3090 ? 29 : 1) {
        struct seen seen = read_since(directory, since);
        uint64_t first = since < 101 ? 101 : since + 1;
        CHECK_NUMBER(seen.count, first > 3100 ? 0 : 3100 - first + 1);
        if (seen.count > 0) {
            CHECK_NUMBER(seen.first, first);
            CHECK_NUMBER(seen.last, 3100);
        }
    }
    close(directory);
}

TEST(reading_stops_when_asked_and_no_log_is_no_error)
{
    struct seen seen = {.stop_after = 2};
    struct error error;
    int directory = folder_with("{\"seq\":1}\n{\"seq\":2}\n{\"seq\":3}\n", 30);

    CHECK_NUMBER(event_log_read(directory, 0, see, &seen, &error), 0);
    CHECK_NUMBER(seen.count, 2);
    CHECK_NUMBER(unlinkat(directory, "events.jsonl", 0), 0);
    CHECK_NUMBER(read_since(directory, 0).count, 0);
    close(directory);
}

TEST_MAIN
