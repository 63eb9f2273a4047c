#include "test.h"
#include "tui/field.h"

static void press(struct field *field, const char *names)
{
    char name[32];
    int used;

    while (sscanf(names, "%31s%n", name, &used) == 1) {
        struct key key;
        if (key_parse(name, &key) == 0)
            (void)field_key(field, key);
        names += used;
    }
}

TEST(editing)
{
    struct field field;

    field_init(&field, 100, false, "one two");
    press(&field, "C-w d r e i");
    CHECK_STRING(field_text(&field), "one drei");
    press(&field, "Home DC DC ü Right Right BSpace");
    CHECK_STRING(field_text(&field), "üedrei");
    press(&field, "End Left Left C-k");
    CHECK_STRING(field_text(&field), "üedr");
    press(&field, "C-u x");
    CHECK_STRING(field_text(&field), "x");
    field_finish(&field);
}

TEST(lines)
{
    struct field field;

    field_init(&field, 100, true, NULL);
    field_insert(&field, "ab\ncdef", 7);
    press(&field, "Up Z Down Y M-Enter e");
    CHECK_STRING(field_text(&field), "abZ\ncdeY\nef");
    field_finish(&field);
}

TEST(what_may_not_be_in_a_line_is_left_out)
{
    struct field field;

    field_init(&field, 8, false, NULL);
    field_insert(&field, "a\033[31m\0b\n\xff\xc3", 11);
    CHECK_STRING(field_text(&field), "a[31mb ");
    field_insert(&field, "漢", 3);
    CHECK_STRING(field_text(&field), "a[31mb ");
    field_insert(&field, "x", 1);
    CHECK_STRING(field_text(&field), "a[31mb x");
    field_finish(&field);
}

TEST_MAIN
