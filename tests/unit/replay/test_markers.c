#include "replay/markers.h"

#include <stdlib.h>

#include "test.h"

static struct markers some(void)
{
    static const struct {
        uint64_t event;
        double seconds;
        const char *label;
    } all[] = {{0, 0, "phase: working"},    {10, 1, "prompt: fix it"}, {20, 2, "approval: Bash"},
               {21, 2.1, "phase: working"}, {50, 9, "approval: Edit"}, {60, 12, "my own\nmark \033[31m"}};
    struct markers markers = {0};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        markers_add(&markers, all[i].event, all[i].seconds, all[i].label, strlen(all[i].label));
    return markers;
}

static const char *label(const struct marker *marker)
{
    return marker == NULL ? "none" : marker->label;
}

TEST(next_and_last_by_kind)
{
    struct markers markers = some();

    CHECK_STRING(label(markers_find(&markers, MARKER_APPROVAL, 0, 0, 1, 0)), "approval: Bash");
    CHECK_STRING(label(markers_find(&markers, MARKER_APPROVAL, 21, 2, 1, 0)), "approval: Edit");
    CHECK_STRING(label(markers_find(&markers, MARKER_APPROVAL, 51, 9, 1, 0)), "none");
    CHECK_STRING(label(markers_find(&markers, MARKER_ANY, 51, 9, 1, 0)), "my own mark ?[31m");
    CHECK_STRING(label(markers_find(&markers, MARKER_APPROVAL, 51, 9, -1, 0)), "approval: Bash");
    CHECK_STRING(label(markers_find(&markers, MARKER_APPROVAL, 52, 9.5, -1, 0)), "approval: Edit");
    CHECK_STRING(label(markers_find(&markers, MARKER_APPROVAL, 52, 9.5, -1, 1)), "approval: Bash");
    CHECK_STRING(label(markers_find(&markers, MARKER_PROMPT, 5, 0.5, -1, 0)), "none");
    CHECK_STRING(label(markers_find(&markers, MARKER_ANY, 22, 2.1, -1, 0)), "approval: Bash");
    markers_finish(&markers);
}

TEST(the_last_one_that_was_passed)
{
    struct markers markers = some();

    CHECK_STRING(label(markers_passed(&markers, 0)), "none");
    CHECK_STRING(label(markers_passed(&markers, 1)), "phase: working");
    CHECK_STRING(label(markers_passed(&markers, 20)), "prompt: fix it");
    CHECK_STRING(label(markers_passed(&markers, 21)), "approval: Bash");
    CHECK_STRING(label(markers_passed(&markers, 999)), "my own mark ?[31m");
    markers_finish(&markers);
}

TEST(labels_are_cleaned_cut_and_not_without_end)
{
    struct markers markers = {0};
    static char endless[100000];
    char *text;

    memset(endless, 'x', sizeof endless);
    for (size_t i = 0; i < MARKERS_MAX + 3; i++)
        markers_add(&markers, i, 0, "phase: x", 8);
    CHECK_NUMBER(markers.count, MARKERS_MAX);
    CHECK_NUMBER(markers.left_out, 3);
    markers_finish(&markers);
    markers_add(&markers, 0, 0, endless, sizeof endless);
    CHECK(strlen(markers.entries[0].label) <= MARKER_LABEL_MAX);
    markers_finish(&markers);
    text = marker_clean("a\0b\xff\xe2\x80\xae\xe4\xb8\x80\xe4", 11, 100);
    CHECK_STRING(text, "a?b??\xe4\xb8\x80?");
    free(text);
}

TEST_MAIN
