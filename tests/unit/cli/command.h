/*
 * Runs a command of the command line in a child process, with private folders, and catches what it prints.
 */
#ifndef TESTS_UNIT_CLI_COMMAND_H
#define TESTS_UNIT_CLI_COMMAND_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "scratch.h"

static char command_output[65536]; /* standard output, then standard error */

static inline int command_dashboard(const char *session, bool read_only, bool raw)
{
    printf("dashboard %s %d %d\n", session == NULL ? "-" : session, read_only, raw);
    return 0;
}

/* The state folder is FOLDER/state. */
static inline void command_folders(const char *folder)
{
    static const char *const variables[] = {"STATE", "RUNTIME", "CONFIG"};

    for (size_t i = 0; i < 3; i++) {
        char *name = xasprintf("GANGER_%s_DIR", variables[i]),
             *path = xasprintf("%s/%s", folder, variables[i]);
        (void)setenv(name, path, 1);
        free(name);
        free(path);
    }
}

static inline size_t command_take(FILE *from, size_t at)
{
    rewind(from);
    at += fread(command_output + at, 1, sizeof command_output - 1 - at, from);
    command_output[at] = '\0';
    (void)fclose(from);
    return at;
}

/* Arguments end with NULL. Returns the exit code, or -1 after a signal. */
static inline int run_words(const char *const words[])
{
    FILE *out = tmpfile(), *error = tmpfile();
    int status = 0, count = 0;
    const char *argv[16] = {NULL}; /* getopt puts them in another order */
    pid_t child;

    while (words[count] != NULL && count < 15)
        count++;
    memcpy(argv, words, (size_t)count * sizeof words[0]);
    (void)fflush(NULL);
    child = fork();
    if (child == 0) {
        scratch_root[0] = '\0'; /* the parent's to remove */
        (void)dup2(fileno(out), STDOUT_FILENO);
        (void)dup2(fileno(error), STDERR_FILENO);
        exit(cli_main(count, (char **)(uintptr_t)argv, command_dashboard));
    }
    (void)waitpid(child, &status, 0);
    (void)command_take(error, command_take(out, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define COMMAND(...) run_words((const char *const[]){"ganger", __VA_ARGS__, NULL})

#endif
