/*
 * Unit tests in one file: each TEST runs in order, prints one TAP line, and fails at its first false CHECK.
 *
 *     TEST(buffer_grows) { CHECK_NUMBER(buffer.length, 3); }
 *     TEST_MAIN
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

static struct test *test_first, **test_last = &test_first;
static bool test_failed;

#define TEST(title)                                                                                          \
    static void test_run_##title(void);                                                                      \
    __attribute__((constructor)) static void test_register_##title(void)                                     \
    {                                                                                                        \
        static struct test test = {.name = #title, .run = test_run_##title};                                 \
        *test_last = &test;                                                                                  \
        test_last = &test.next;                                                                              \
    }                                                                                                        \
    static void test_run_##title(void)

#define TEST_FAIL(...)                                                                                       \
    do {                                                                                                     \
        printf("# %s:%d: ", __FILE__, __LINE__);                                                             \
        printf(__VA_ARGS__);                                                                                 \
        printf("\n");                                                                                        \
        test_failed = true;                                                                                  \
        return;                                                                                              \
    } while (0)

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            TEST_FAIL("%s is false", #condition);                                                            \
    } while (0)

#define CHECK_NUMBER(actual, expected)                                                                       \
    do {                                                                                                     \
        long long test_a = (long long)(actual), test_b = (long long)(expected);                              \
        if (test_a != test_b)                                                                                \
            TEST_FAIL("%s is %lld, expected %lld", #actual, test_a, test_b);                                 \
    } while (0)

#define CHECK_STRING(actual, expected)                                                                       \
    do {                                                                                                     \
        const char *test_a = (actual), *test_b = (expected);                                                 \
        if (test_a == NULL || strcmp(test_a, test_b) != 0)                                                   \
            TEST_FAIL("%s is \"%s\", expected \"%s\"", #actual, test_a == NULL ? "(null)" : test_a, test_b); \
    } while (0)

#define TEST_MAIN                                                                                            \
    int main(void)                                                                                           \
    {                                                                                                        \
        int number = 0, failures = 0;                                                                        \
        for (struct test *test = test_first; test != NULL; test = test->next) {                              \
            test_failed = false;                                                                             \
            test->run();                                                                                     \
            printf("%s %d - %s\n", test_failed ? "not ok" : "ok", ++number, test->name);                     \
            (void)fflush(stdout);                                                                            \
            failures += test_failed;                                                                         \
        }                                                                                                    \
        printf("1..%d\n", number);                                                                           \
        return failures > 0;                                                                                 \
    }

#endif
