#include "term/width.h"

#include "base/utf8.h"
#include "test.h"

static const struct {
    uint32_t first, last;
    int width;
} code_points[] = {
    {0x00, 0x1F, -1},        {0x20, 0x7E, 1},          {0x7F, 0x9F, -1},
    {0xA0, 0xFF, 1}, /* U+00AD too */
    {0x300, 0x36F, 0},       {0x483, 0x489, 0},        {0x600, 0x605, 1},
    {0x61C, 0x61C, 0},       {0x9BE, 0x9BE, 1},        {0x1100, 0x115F, 2},
    {0x1160, 0x11FF, 0},     {0xD7B0, 0xD7FB, 0},      {0x200B, 0x200F, 0},
    {0x2028, 0x2029, -1},    {0x2010, 0x2027, 1},      {0x2500, 0x257F, 1},
    {0x2591, 0x2593, 1},     {0x25CF, 0x25CF, 1},      {0x231A, 0x231B, 2},
    {0x2705, 0x2705, 2},     {0x2714, 0x2714, 1},      {0x2733, 0x2733, 1},
    {0x2800, 0x28FF, 1},     {0x3000, 0x3029, 2},      {0x302A, 0x302D, 0},
    {0x3041, 0x3096, 2},     {0x3099, 0x309A, 0},      {0x4DC0, 0x9FFF, 2},
    {0xAC00, 0xD7A3, 2},     {0xD800, 0xDFFF, -1},     {0xE000, 0xF8FF, 1},
    {0xF900, 0xFAFF, 2},     {0xFE00, 0xFE0F, 0},      {0xFEFF, 0xFEFF, 0},
    {0xFF01, 0xFF60, 2},     {0xFF61, 0xFFDC, 1},      {0xFFE0, 0xFFE6, 2},
    {0xFFFD, 0xFFFD, 1},     {0xFFFE, 0xFFFF, -1},     {0x1F1E6, 0x1F1FF, 1},
    {0x1F300, 0x1F320, 2},   {0x1F321, 0x1F321, 1},    {0x1F3FB, 0x1F3FF, 2},
    {0x1F600, 0x1F64F, 2},   {0x1F7E0, 0x1F7EB, 2},    {0x1F90C, 0x1F93A, 2},
    {0x1FA70, 0x1FAFF, 2},   {0x20000, 0x2FFFD, 2},    {0x2FFFE, 0x2FFFF, -1},
    {0x30000, 0x3FFFD, 2},   {0x40000, 0x4FFFD, 1},    {0xE0001, 0xE0001, 0},
    {0xE0020, 0xE007F, 0},   {0xE0100, 0xE01EF, 0},    {0xF0000, 0xFFFFD, 1},
    {0x100000, 0x10FFFD, 1}, {0x10FFFE, 0x110005, -1}, {0xFFFFFFF0, 0xFFFFFFFF, -1},
};

TEST(width_of_code_points)
{
    for (size_t i = 0; i < sizeof code_points / sizeof *code_points; i++)
        for (uint64_t code = code_points[i].first; code <= code_points[i].last; code++)
            if (width_of((uint32_t)code) != code_points[i].width)
                TEST_FAIL("U+%04llX is %d, expected %d", (unsigned long long)code, width_of((uint32_t)code),
                          code_points[i].width);
}

static const struct {
    const char *text;
    int columns;
    int clusters;
} texts[] = {
    {"", 0, 0},
    {"plain", 5, 5},
    {"a\tb\x1b\x7f", 2, 5},
    {"\xc3\xa9", 1, 1},
    {"e\xcc\x81x", 2, 2},
    {"\xcc\x81", 0, 1},
    {"\n\xcc\x81", 0, 2},
    {"\xe4\xb8\xad\xe6\x96\x87", 4, 2},
    {"\xe2\x9d\xa4", 1, 1},                                 /* heart */
    {"\xe2\x9d\xa4\xef\xb8\x8f", 2, 1},                     /* with VS16 */
    {"\xe2\x9d\xa4\xef\xb8\x8e", 1, 1},                     /* with VS15 */
    {"a\xef\xb8\x8f", 1, 1},                                /* VS16 on no emoji */
    {"1\xef\xb8\x8f\xe2\x83\xa3", 2, 1},                    /* keycap */
    {"\xf0\x9f\x9f\xa2", 2, 1},                             /* U+1F7E2 */
    {"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", 2, 1},             /* thumbs up, skin tone */
    {"\xe2\x98\x9d\xf0\x9f\x8f\xbd", 2, 1},                 /* narrow base, skin tone */
    {"a\xf0\x9f\x8f\xbd", 3, 2},                            /* skin tone on a letter */
    {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", 2, 1}, /* woman technologist */
    {"\xf0\x9f\x91\xa9\xf0\x9f\x8f\xbd\xe2\x80\x8d\xf0\x9f\x92\xbb", 2, 1},
    {"\xe2\x9d\xa4\xef\xb8\x8f\xe2\x80\x8d\xf0\x9f\x94\xa5", 2, 1}, /* heart on fire */
    {"a\xe2\x80\x8d\xf0\x9f\x94\xa5", 3, 2},                        /* joiner after a letter */
    {"\xf0\x9f\x94\xa5\xe2\x80\x8dz", 3, 2},                        /* letter after a joiner */
    {"\xf0\x9f\x94\xa5\xe2\x80\x8c\xf0\x9f\x94\xa5", 4, 2},         /* non-joiner */
    {"\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", 2, 1},                     /* flag */
    {"\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa\xf0\x9f\x87\xa9", 3, 2},     /* flag and a half */
    {"\xf0\x9f\x87\xa9x\xf0\x9f\x87\xaa", 3, 3},
    {"\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xa2\xf3\xa0\x81\xbf", 2, 1}, /* tag sequence */
    {"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 2, 1},                             /* conjoining Hangul */
    {"\xe0\xa4\x95\xe0\xa5\x8d\xe0\xa4\xb7", 2, 2}, /* virama joins, the next consonant does not */
    {"\xff\xc3", 2, 2},
    {"\xe4\xb8", 1, 1},
    {"\xc2\xad", 1, 1},
};

static int count_clusters(const char *text)
{
    struct cluster_state state = {0};
    size_t length = strlen(text);
    int clusters = 0;

    while (length > 0) {
        uint32_t code = UTF8_REPLACEMENT;
        int width, used = utf8_decode(text, length, &code);
        size_t bytes = used > 0 ? (size_t)used : used == 0 ? length : (size_t)-used;
        clusters += !cluster_extend(&state, code, &width);
        text += bytes;
        length -= bytes;
    }
    return clusters;
}

TEST(width_of_texts)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int columns = width_of_text(texts[i].text, strlen(texts[i].text));
        int clusters = count_clusters(texts[i].text);
        if (columns != texts[i].columns || clusters != texts[i].clusters)
            TEST_FAIL("text %zu: %d columns, %d clusters", i, columns, clusters);
    }
}

TEST(width_cut_never_splits)
{
    /* a, heart with VS16, wide, flag, e with acute in two code points */
    const char *text = "a\xe2\x9d\xa4\xef\xb8\x8f\xe4\xb8\xad\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa"
                       "e\xcc\x81";
    static const struct {
        int columns, used;
        size_t bytes;
    } cuts[] = {{-1, 0, 0}, {0, 0, 0},  {1, 1, 1},  {2, 1, 1},  {3, 3, 7},  {4, 3, 7},
                {5, 5, 10}, {6, 5, 10}, {7, 7, 18}, {8, 8, 21}, {9, 8, 21}, {500, 8, 21}};

    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        int used;
        size_t bytes = width_cut(text, strlen(text), cuts[i].columns, &used);
        if (bytes != cuts[i].bytes || used != cuts[i].used)
            TEST_FAIL("%d columns: %zu bytes, %d used", cuts[i].columns, bytes, used);
    }
}

TEST(width_grows_with_the_cluster)
{
    struct cluster_state state = {0};
    int width;

    CHECK(!cluster_extend(&state, 0x2764, &width));
    CHECK_NUMBER(width, 1);
    CHECK(cluster_extend(&state, 0x301, &width));
    CHECK_NUMBER(width, 1);
    CHECK(!cluster_extend(&state, 0x2764, &width));
    CHECK(cluster_extend(&state, 0xFE0F, &width));
    CHECK_NUMBER(width, 2);
    CHECK(cluster_extend(&state, 0x200D, &width));
    CHECK(cluster_extend(&state, 0x1F525, &width));
    CHECK_NUMBER(width, 2);
    CHECK(!cluster_extend(&state, '\n', &width));
    CHECK_NUMBER(width, -1);
    CHECK(!cluster_extend(&state, 0x301, &width));
    CHECK_NUMBER(width, 0);
}

TEST_MAIN
