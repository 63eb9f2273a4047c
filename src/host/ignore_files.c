#include "host/ignore_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/path.h"

#define FILE_BYTES (256 * 1024)
#define LINK_BYTES 4096 /* of a file that says where the repository is */
#define LEVELS 64

struct ignore_above {
    struct ignore *files[LEVELS]; /* from the nearest on, the repository's exclude last */
    size_t skipped[LEVELS];       /* bytes of `prefix` above the file's folder */
    size_t count;
    struct buffer prefix; /* from the top of the repository to the root, with a slash at its end */
};

/* Reads a regular file of at most `limit` bytes; never waits for a FIFO. False when there is none. */
static bool read_regular(const char *path, size_t limit, struct buffer *text)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    ssize_t got = -1;

    buffer_init(text);
    if (file < 0)
        return false;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && (uint64_t)status.st_size <= limit) {
        do {
            got = read(file, buffer_reserve(text, limit - text->length), limit - text->length);
            if (got > 0)
                text->length += (size_t)got;
        } while (text->length < limit && (got > 0 || (got < 0 && errno == EINTR)));
    }
    close(file);
    if (got < 0) {
        buffer_finish(text);
        return false;
    }
    buffer_append_char(text, '\0');
    text->length--;
    return true;
}

static struct ignore *read_patterns(const char *path)
{
    struct buffer text;
    struct ignore *ignore;

    if (!read_regular(path, FILE_BYTES, &text))
        return NULL;
    ignore = ignore_parse(text.bytes, text.length);
    buffer_finish(&text);
    return ignore;
}

struct ignore *ignore_file_read(const char *folder)
{
    char *path = path_join(folder, ".gitignore");
    struct ignore *ignore = read_patterns(path);

    free(path);
    return ignore;
}

/* ---- from above ---- */

/* What a one-line file says after `label`, made absolute below `folder`; NULL when it says nothing. */
static char *read_link(const char *path, const char *label, const char *folder)
{
    struct buffer text;
    char *target = NULL;
    size_t length = strlen(label);

    if (!read_regular(path, LINK_BYTES, &text))
        return NULL;
    if (strncmp(text.bytes, label, length) == 0) {
        text.bytes[strcspn(text.bytes, "\r\n")] = '\0';
        target =
            text.bytes[length] == '/' ? xstrdup(text.bytes + length) : path_join(folder, text.bytes + length);
    }
    buffer_finish(&text);
    return target;
}

/* The patterns of info/exclude, which a worktree shares with its repository. `git` is TOP/.git. */
static struct ignore *read_exclude(const char *top, const char *git)
{
    char *folder = read_link(git, "gitdir: ", top), *common, *path;
    struct ignore *ignore;

    if (folder == NULL)
        folder = xstrdup(git);
    path = path_join(folder, "commondir");
    common = read_link(path, "", folder);
    free(path);
    path = path_join(common == NULL ? folder : common, "info/exclude");
    ignore = read_patterns(path);
    free(path);
    free(common);
    free(folder);
    return ignore;
}

/* Length of the path of the repository's top, or 0 when there is none at or above `root`. */
static size_t find_top(const char *root)
{
    char *path = xstrdup(root);
    size_t length = 0;

    for (;;) {
        char *git = path_join(path, ".git"), *slash;
        bool found = access(git, F_OK) == 0;
        free(git);
        if (found) {
            length = strlen(path);
            break;
        }
        slash = strrchr(path, '/');
        if (slash == NULL || slash == path)
            break;
        *slash = '\0';
    }
    free(path);
    return length;
}

static void add(struct ignore_above *above, struct ignore *file, size_t skipped)
{
    if (file == NULL)
        return;
    if (above->count == LEVELS) {
        ignore_destroy(file);
        return;
    }
    above->files[above->count] = file;
    above->skipped[above->count++] = skipped;
}

struct ignore_above *ignore_above_read(const char *root)
{
    size_t top = find_top(root);
    struct ignore_above *above;
    char *path, *git;

    if (top == 0)
        return NULL;
    above = xcalloc(1, sizeof *above);
    buffer_init(&above->prefix);
    path = xstrdup(root);
    if (path[top] != '\0')
        buffer_printf(&above->prefix, "%s/", path + top + 1);
    while (strlen(path) > top) {
        *strrchr(path, '/') = '\0';
        add(above, ignore_file_read(path), strlen(path) > top ? strlen(path) - top : 0);
    }
    git = path_join(path, ".git");
    add(above, read_exclude(path, git), 0);
    free(git);
    free(path);
    if (above->count > 0)
        return above;
    ignore_above_destroy(above);
    return NULL;
}

void ignore_above_destroy(struct ignore_above *above)
{
    if (above == NULL)
        return;
    for (size_t i = 0; i < above->count; i++)
        ignore_destroy(above->files[i]);
    buffer_finish(&above->prefix);
    free(above);
}

enum ignore_verdict ignore_above_match(const struct ignore_above *above, const char *path, bool is_folder)
{
    enum ignore_verdict verdict = IGNORE_UNDECIDED;
    struct buffer whole;

    if (above == NULL)
        return verdict;
    buffer_init(&whole);
    buffer_append(&whole, above->prefix.bytes, above->prefix.length);
    buffer_append_string(&whole, path);
    for (size_t i = 0; i < above->count && verdict == IGNORE_UNDECIDED; i++)
        verdict = ignore_match(above->files[i], whole.bytes + above->skipped[i], is_folder);
    buffer_finish(&whole);
    return verdict;
}
