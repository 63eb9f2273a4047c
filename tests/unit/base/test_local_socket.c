#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/local_socket.h"
#include "scratch.h"
#include "test.h"

/* A folder whose path is longer than a socket's address can hold. */
static char *deep_folder(void)
{
    char *path = scratch_folder();

    for (int i = 0; i < 6; i++) {
        char *deeper = xasprintf("%s/%040d", path, i);
        free(path);
        path = deeper;
    }
    if (path_make_dirs(path, 0700, NULL) < 0)
        abort();
    return path;
}

TEST(listening_and_connecting_in_a_deep_folder)
{
    char *folder = deep_folder(), *path = path_join(folder, "s.sock"), byte;
    struct error error;
    struct stat status;
    int listener, connection, accepted;
    uid_t uid;
    pid_t pid;

    CHECK(strlen(folder) > 200);
    listener = local_socket_listen(folder, "s.sock", &error);
    CHECK(listener >= 0);
    CHECK(stat(path, &status) == 0 && S_ISSOCK(status.st_mode) && (status.st_mode & 0777) == 0600);
    CHECK_NUMBER(local_socket_wait(listener, 0, 0), 0);
    connection = local_socket_connect(folder, "s.sock", &error);
    CHECK(connection >= 0);
    CHECK_NUMBER(local_socket_wait(listener, 0, 5000), 1);
    accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(accepted >= 0);
    CHECK_NUMBER(local_socket_peer(accepted, &uid, &pid, &error), 0);
    CHECK_NUMBER(uid, getuid());
    CHECK_NUMBER(pid, getpid());
    CHECK_NUMBER(local_socket_wait(connection, 1, 0), 1);
    CHECK_NUMBER(write(connection, "x", 1), 1);
    CHECK_NUMBER(local_socket_wait(accepted, 0, 5000), 1);
    CHECK_NUMBER(read(accepted, &byte, 1), 1);
    close(accepted);
    close(connection);
    close(listener);
    free(path);
    free(folder);
}

TEST(a_stale_socket_is_replaced)
{
    char *folder = scratch_folder();
    struct error error;
    int first = local_socket_listen(folder, "s", &error), second;

    CHECK(first >= 0);
    close(first);
    CHECK_NUMBER(local_socket_connect(folder, "s", &error), -1);
    CHECK_NUMBER(error.code, ECONNREFUSED);
    second = local_socket_listen(folder, "s", &error);
    CHECK(second >= 0);
    first = local_socket_connect(folder, "s", &error);
    CHECK(first >= 0);
    close(first);
    close(second);
    free(folder);
}

TEST(what_cannot_work_is_said)
{
    char *folder = scratch_folder(), name[120];
    struct error error;

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK_NUMBER(local_socket_connect(folder, "none", &error), -1);
    CHECK_NUMBER(error.code, ENOENT);
    CHECK_NUMBER(local_socket_connect("/nonexistent", "s", &error), -1);
    CHECK_STRING(error.text, "cannot open the folder /nonexistent: No such file or directory");
    CHECK_NUMBER(local_socket_listen(folder, name, &error), -1);
    CHECK(strstr(error.text, " is too long") != NULL);
    free(folder);
}

TEST_MAIN
