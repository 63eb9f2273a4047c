#include "base/mask.h"

#include <stdlib.h>

#include "base/json.h"
#include "test.h"

#define KEY "sk-ant-0123456789abcdef"
#define STARS "***********************"

static struct mask *mask_of(const char *first, const char *second)
{
    struct mask *mask = mask_create();

    (void)mask_add(mask, first, strlen(first));
    if (second != NULL)
        (void)mask_add(mask, second, strlen(second));
    return mask;
}

/* The text, given in pieces that begin at `cuts`, as a recording takes it: what is not taken is given again. */
static void stream(const struct mask *mask, const char *text, const size_t *cuts, size_t count,
                   size_t most_taken, struct buffer *out)
{
    struct mask_stream pieces;
    size_t done = 0, length = strlen(text);

    mask_stream_init(&pieces);
    for (size_t i = 0; i <= count; i++) {
        size_t end = i < count ? cuts[i] : length;
        while (done < end) {
            size_t whole = end - done, piece = whole;
            const char *bytes = mask_stream_piece(&pieces, mask, text + done, &piece, end == length);
            piece = piece > most_taken ? most_taken : piece;
            buffer_append(out, bytes, piece);
            mask_stream_taken(&pieces, mask, text + done, whole, piece);
            done += piece;
            if (piece == 0)
                break;
        }
    }
    mask_stream_finish(&pieces);
}

/* Cut at every two places. Returns how many results are not as expected. */
static int wrong_cuts(const struct mask *mask, const char *text, const char *expected)
{
    size_t length = strlen(text);
    int wrong = 0;

    for (size_t first = 0; first <= length; first++) {
        for (size_t second = first; second <= length; second++) {
            const size_t cuts[] = {first, second};
            struct buffer out = {0};
            stream(mask, text, cuts, 2, 1 + (first + second) % 40, &out);
            wrong += out.bytes == NULL || strcmp(out.bytes, expected) != 0;
            buffer_finish(&out);
        }
    }
    return wrong;
}

TEST(nothing_known)
{
    char text[] = "as it is " KEY;

    CHECK(!mask_text(NULL, text, strlen(text)));
    CHECK(!mask_json(NULL, text, strlen(text)));
    CHECK_NUMBER(mask_pending(NULL, text, strlen(text)), 0);
    CHECK(mask_copy(NULL) == NULL);
    CHECK_NUMBER(wrong_cuts(NULL, "as it is", "as it is"), 0);
    mask_destroy(NULL);
}

TEST(short_values_are_no_secrets)
{
    struct mask *mask = mask_create();

    CHECK(!mask_add(mask, "1234567", 7));
    CHECK(mask_add(mask, "12345678", 8));
    CHECK(!mask_add(mask, "12345678", 8));
    mask_destroy(mask);
}

TEST(text_and_copies)
{
    struct mask *mask = mask_of(KEY, NULL), *copy = mask_copy(mask);
    char text[] = "a " KEY KEY " b " KEY;

    mask_destroy(mask);
    CHECK(mask_text(copy, text, strlen(text)));
    CHECK_STRING(text, "a " STARS STARS " b " STARS);
    CHECK(!mask_text(copy, text, strlen(text)));
    mask_destroy(copy);
}

TEST(cuts_at_every_place)
{
    struct mask *mask = mask_of(KEY, "password1");

    CHECK_NUMBER(wrong_cuts(mask, "x" KEY "y", "x" STARS "y"), 0);
    CHECK_NUMBER(wrong_cuts(mask, KEY "password1" KEY, STARS "*********" STARS), 0);
    CHECK_NUMBER(wrong_cuts(mask, "sk-ant-sk-" KEY "s", "sk-ant-sk-" STARS "s"), 0);
    CHECK_NUMBER(wrong_cuts(mask, "sk-ant-0123", "sk-ant-0123"), 0);
    mask_destroy(mask);
}

TEST(secrets_that_overlap)
{
    struct mask *mask = mask_of("abcdabcd", "cdabcdef");

    CHECK_NUMBER(wrong_cuts(mask, ".abcdabcdabcdef.", ".**************."), 0);
    CHECK_NUMBER(wrong_cuts(mask, "abcdabcda", "********a"), 0);
    mask_destroy(mask);
    mask = mask_of("aaaaaaaa", "0123456789");
    CHECK_NUMBER(wrong_cuts(mask, "aaaaaaaaaaaab", "************b"), 0);
    mask_destroy(mask);
    mask = mask_of("01234567", "0123456789");
    CHECK_NUMBER(wrong_cuts(mask, "0123456789 012345678", "********** ********8"), 0);
    mask_destroy(mask);
}

TEST(secrets_in_utf8)
{
    struct mask *mask = mask_of("schlüssel-ß😀", NULL);

    CHECK_NUMBER(wrong_cuts(mask, "ü schlüssel-ß😀ß", "ü *****************ß"), 0);
    mask_destroy(mask);
}

/* As in a JSON string, with quotes; freed by the caller. */
static char *in_json(const char *text, size_t flags)
{
    json_t *string = json_string(text);
    char *out = json_dumps(string, JSON_ENCODE_ANY | flags);

    json_decref(string);
    return out;
}

static bool masked_in_json(const struct mask *mask, const char *secret, size_t flags, int depth)
{
    char *text = in_json(secret, flags);
    bool good;

    for (int i = 1; i < depth; i++) {
        char *outer = in_json(text, 0);
        free(text);
        text = outer;
    }
    good = mask_json(mask, text, strlen(text)) && text[strspn(text, "\\\"*")] == '\0';
    if (!good)
        printf("# %s\n", text);
    free(text);
    return good;
}

TEST(json_forms)
{
    const char *secrets[] = {KEY, "a\"quoted\\one", "slashes/in/it", "two\nlines\nof it",
                             "schl\xC3\xBCssel-1"};

    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        struct mask *mask = mask_of(secrets[i], NULL);
        CHECK(masked_in_json(mask, secrets[i], 0, 1));
        CHECK(masked_in_json(mask, secrets[i], 0, 2));
        CHECK(masked_in_json(mask, secrets[i], JSON_ESCAPE_SLASH, 1));
        mask_destroy(mask);
    }
}

TEST(json_to_ascii)
{
    struct mask *mask = mask_of("schl\xC3\xBCssel-1", NULL);
    char text[] = "{\"a\":\"schl\\u00fcssel-1\"}";

    CHECK(mask_json(mask, text, strlen(text)));
    CHECK_STRING(text, "{\"a\":\"****************\"}");
    mask_destroy(mask);
}

TEST(json_stays_json)
{
    struct mask *mask = mask_of("recording", "null-secret\\");
    char text[] = "{\"recording\":\"recording\",\"b\":\"\\nrecording\",\"c\":\"null-secret\\\\\",\"d\":"
                  "\"null-secret\\\"\"}";

    CHECK(mask_json(mask, text, strlen(text)));
    CHECK_STRING(text, "{\"recording\":\"*********\",\"b\":\"\\n*********\",\"c\":\"*************\",\"d\":"
                       "\"null-secret\\\"\"}");
    mask_destroy(mask);
    mask = mask_of("newlines", NULL);
    {
        char other[] = "\"\\newlines\"";
        CHECK(!mask_json(mask, other, strlen(other)));
    }
    mask_destroy(mask);
}

TEST(lines_of_a_terminal)
{
    struct mask *mask = mask_of("-----BEGIN\nabc\n", NULL);
    char text[] = "> -----BEGIN\r\nabc\r\n.";

    CHECK(mask_text(mask, text, strlen(text)));
    CHECK_STRING(text, "> *****************.");
    mask_destroy(mask);
}

TEST(long_secrets_in_pieces)
{
    struct buffer secret = {0}, text = {0};
    struct mask *mask = mask_create();

    for (int i = 0; i < 700; i++)
        buffer_printf(&secret, "%d,", i);
    CHECK(mask_add(mask, secret.bytes, secret.length));
    buffer_printf(&text, "<%s>", secret.bytes);
    CHECK(mask_text(mask, text.bytes, text.length));
    CHECK_NUMBER(strspn(text.bytes + 1, "*"), secret.length);
    CHECK_NUMBER(text.bytes[text.length - 1], '>');
    buffer_finish(&secret);
    buffer_finish(&text);
    mask_destroy(mask);
}

TEST(pending_ends)
{
    struct mask *mask = mask_of(KEY, NULL);

    CHECK_NUMBER(mask_pending(mask, "text s", 6), 1);
    CHECK_NUMBER(mask_pending(mask, "text sk-an", 10), 5);
    CHECK_NUMBER(mask_pending(mask, "text sk-anx", 11), 0);
    CHECK_NUMBER(mask_pending(mask, KEY, strlen(KEY)), 0);
    CHECK_NUMBER(mask_pending(mask, "", 0), 0);
    mask_destroy(mask);
}

TEST_MAIN
