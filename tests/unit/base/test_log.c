#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "test.h"

/* What a call wrote; the caller frees it. */
static size_t logged(const char *message, char *line, size_t size)
{
    int ends[2];
    ssize_t length;

    if (pipe(ends) < 0)
        abort();
    log_open(ends[1]);
    log_warning("%s", message);
    log_open(STDERR_FILENO);
    close(ends[1]);
    length = read(ends[0], line, size - 1);
    close(ends[0]);
    line[length < 0 ? 0 : length] = '\0';
    return length < 0 ? 0 : (size_t)length;
}

TEST(one_line_a_message)
{
    char line[4096], *text;
    size_t length = logged("first\nsecond\033[31m", line, sizeof line);

    text = strchr(line, ' ');
    CHECK_STRING(text, " warning: first second [31m\n");
    CHECK_NUMBER(length, strlen(line));
}

TEST(long_messages_are_cut)
{
    char message[5000], line[8192];
    size_t length;

    memset(message, 'x', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    length = logged(message, line, sizeof line);
    CHECK(length <= 1024 && line[length - 1] == '\n' && line[length - 2] == 'x');
    CHECK(strchr(line, '\n') == line + length - 1);
}

TEST(errors_carry_text_and_code)
{
    struct error error;
    char message[2000];

    CHECK_NUMBER(error_set(&error, "%s: %d", "a", 1), -1);
    CHECK_STRING(error.text, "a: 1");
    CHECK_NUMBER(error.code, 0);
    CHECK_NUMBER(error_set(NULL, "x"), -1);
    CHECK_NUMBER(error_errno(NULL, "x"), -1);
    errno = 2;
    CHECK_NUMBER(error_errno(&error, "cannot open %s", "f"), -1);
    CHECK_STRING(error.text, "cannot open f: No such file or directory");
    CHECK_NUMBER(error.code, 2);
    memset(message, 'x', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    errno = 2;
    CHECK_NUMBER(error_errno(&error, "%s", message), -1);
    CHECK(strlen(error.text) < sizeof error.text);
}

TEST_MAIN
