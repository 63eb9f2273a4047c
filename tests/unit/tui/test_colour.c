#include "rpc/frame.h"
#include "test.h"
#include "tui/colour.h"

static int rgb(uint32_t value, enum colour_depth depth)
{
    return colour_reduce(FRAME_COLOR_RGB | value, depth);
}

TEST(default_stays_default)
{
    for (int depth = COLOUR_MONO; depth <= COLOUR_DIRECT; depth++)
        CHECK_NUMBER(colour_reduce(FRAME_COLOR_DEFAULT, (enum colour_depth)depth), -1);
    CHECK_NUMBER(rgb(0xFF0000, COLOUR_MONO), -1);
}

TEST(direct_colours_are_never_taken_for_an_index)
{
    CHECK_NUMBER(rgb(0x102030, COLOUR_DIRECT), 0x102030);
    CHECK_NUMBER(colour_reduce(200, COLOUR_DIRECT), 200);
    for (uint32_t blue = 0; blue < 256; blue++)
        CHECK(rgb(blue, COLOUR_DIRECT) >= 256);
}

TEST(nearest_of_256)
{
    CHECK_NUMBER(rgb(0xFF0000, COLOUR_256), 196);
    CHECK_NUMBER(rgb(0x000000, COLOUR_256), 16);
    CHECK_NUMBER(rgb(0xFFFFFF, COLOUR_256), 231);
    CHECK_NUMBER(rgb(0x808080, COLOUR_256), 244);
    CHECK_NUMBER(colour_reduce(77, COLOUR_256), 77);
}

TEST(nearest_of_few)
{
    CHECK_NUMBER(rgb(0xF01010, COLOUR_16), 9);
    CHECK_NUMBER(rgb(0xC80000, COLOUR_8), 1);
    CHECK_NUMBER(colour_reduce(12, COLOUR_16), 12);
    CHECK_NUMBER(colour_reduce(12, COLOUR_8), 4);
    CHECK_NUMBER(colour_reduce(196, COLOUR_16), 9);
}

TEST_MAIN
