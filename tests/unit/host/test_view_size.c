#include "host/view_size.h"

#include "test.h"

TEST(no_view_no_size)
{
    struct view views[2] = {{0}, {0}};
    int cols, rows;

    CHECK(!view_choose(views, 2, &cols, &rows));
    CHECK(!view_choose(views, 0, &cols, &rows));
}

TEST(newest_view_without_typing)
{
    struct view views[2] = {{.cols = 80, .rows = 24, .viewed = 1}, {.cols = 100, .rows = 30, .viewed = 2}};
    int cols, rows;

    CHECK(view_choose(views, 2, &cols, &rows));
    CHECK_NUMBER(cols, 100);
    CHECK_NUMBER(rows, 30);
}

TEST(who_typed_last_wins)
{
    struct view views[3] = {{.cols = 80, .rows = 24, .viewed = 1, .typed = 5},
                            {.cols = 100, .rows = 30, .viewed = 9, .typed = 4},
                            {.cols = 0, .rows = 0, .viewed = 0, .typed = 8}};
    int cols, rows;

    CHECK(view_choose(views, 3, &cols, &rows));
    CHECK_NUMBER(cols, 80);
}

TEST(sizes_are_clamped)
{
    int cols = 1, rows = 100000;

    view_clamp(&cols, &rows);
    CHECK_NUMBER(cols, 2);
    CHECK_NUMBER(rows, 500);
}

TEST_MAIN
