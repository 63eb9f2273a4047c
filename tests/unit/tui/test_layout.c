#include "test.h"
#include "tui/layout.h"

static const struct rectangle areas[] = {{0, 0, 53, 23}, {0, 1, 40, 10}, {3, 2, 164, 49},
                                         {0, 0, 24, 6},  {0, 0, 1, 1},   {0, 0, 999, 500}};

/* Every cell of the area is in exactly one pane. */
static bool covers(struct rectangle area, const struct rectangle *panes, size_t count)
{
    long cells = 0;

    for (size_t i = 0; i < count; i++) {
        if (panes[i].x < area.x || panes[i].y < area.y || panes[i].x + panes[i].cols > area.x + area.cols ||
            panes[i].y + panes[i].rows > area.y + area.rows || panes[i].cols < 1 || panes[i].rows < 1)
            return false;
        cells += (long)panes[i].cols * panes[i].rows;
        for (size_t k = 0; k < i; k++) {
            if (panes[i].x < panes[k].x + panes[k].cols && panes[k].x < panes[i].x + panes[i].cols &&
                panes[i].y < panes[k].y + panes[k].rows && panes[k].y < panes[i].y + panes[i].rows)
                return false;
        }
    }
    return cells == (long)area.cols * area.rows;
}

TEST(panes_cover_the_area)
{
    struct rectangle panes[LAYOUT_PANES_MAX];

    for (size_t a = 0; a < sizeof areas / sizeof areas[0]; a++) {
        for (int kind = 0; kind < LAYOUT_COUNT; kind++) {
            size_t capacity = layout_capacity((enum layout_kind)kind, areas[a]);
            CHECK(capacity >= 1 && capacity <= LAYOUT_PANES_MAX);
            for (size_t count = 1; count <= capacity; count++) {
                layout_arrange((enum layout_kind)kind, areas[a], count, panes);
                CHECK(covers(areas[a], panes, count));
            }
        }
    }
}

TEST(tiles_are_wide_rather_than_high)
{
    struct rectangle panes[LAYOUT_PANES_MAX];

    layout_arrange(LAYOUT_TILED, areas[0], 2, panes);
    CHECK_NUMBER(panes[0].cols, 53);
    layout_arrange(LAYOUT_TILED, areas[2], 4, panes);
    CHECK_NUMBER(panes[0].cols, 82);
    CHECK_NUMBER(panes[3].y, 2 + 24);
}

TEST(parts_of_a_usual_terminal)
{
    struct layout_parts parts = layout_divide(80, 24, true);

    CHECK_NUMBER(parts.panel.cols, 27);
    CHECK_NUMBER(parts.panes.cols, 53);
    CHECK_NUMBER(parts.status.y, 23);
    CHECK_NUMBER(parts.strip.rows, 0);
    parts = layout_divide(80, 24, false);
    CHECK_NUMBER(parts.panes.cols, 80);
}

TEST(parts_of_a_narrow_terminal)
{
    struct layout_parts parts = layout_divide(40, 12, true);

    CHECK_NUMBER(parts.panel.cols, 0);
    CHECK_NUMBER(parts.strip.rows, 1);
    CHECK_NUMBER(parts.panes.rows, 10);
    parts = layout_divide(1, 1, true);
    CHECK_NUMBER(parts.panes.rows, 1);
    CHECK_NUMBER(parts.status.rows, 0);
}

TEST(the_cursor_stays_in_sight)
{
    CHECK_NUMBER(layout_clip(24, 30, 10, 5), 0);
    CHECK_NUMBER(layout_clip(40, 10, 0, 0), 0);
    CHECK_NUMBER(layout_clip(40, 10, 9, 0), 0);
    CHECK_NUMBER(layout_clip(40, 10, 10, 0), 1);
    CHECK_NUMBER(layout_clip(40, 10, 3, 20), 3);
    CHECK_NUMBER(layout_clip(40, 10, 25, 20), 20);
    CHECK_NUMBER(layout_clip(20, 10, 15, 35), 10);
}

TEST(names)
{
    CHECK_NUMBER(layout_find("tiled"), LAYOUT_TILED);
    CHECK_NUMBER(layout_find("main-and-stack"), LAYOUT_MAIN);
    CHECK_NUMBER(layout_find("zoomed"), LAYOUT_ZOOMED);
    CHECK_NUMBER(layout_find("spiral"), -1);
}

TEST_MAIN
