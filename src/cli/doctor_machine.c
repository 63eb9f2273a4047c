#include <dirent.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/path.h"
#include "cli/doctor.h"

#define FILE_MAX (256 * 1024)

/* The last KillUserProcesses= of one of logind's files; `before` when it says nothing. */
static bool kills_by_file(const char *path, bool before)
{
    char *text = NULL, *rest;
    size_t length;

    if (path_read_file(path, FILE_MAX, &text, &length, NULL) < 0)
        return before;
    rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        line += strspn(line, " \t");
        if (strncmp(line, "KillUserProcesses=", 18) == 0) {
            line += 18;
            before = strncasecmp(line, "yes", 3) == 0 || strncasecmp(line, "true", 4) == 0 ||
                     strncasecmp(line, "on", 2) == 0 || *line == '1';
        }
    }
    free(text);
    return before;
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

static bool kills_by_folder(const char *folder, bool before)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, by_name);

    for (int i = 0; i < count; i++) {
        size_t length = strlen(entries[i]->d_name);
        if (length > 5 && strcmp(entries[i]->d_name + length - 5, ".conf") == 0) {
            char *path = path_join(folder, entries[i]->d_name);
            before = kills_by_file(path, before);
            free(path);
        }
        free(entries[i]);
    }
    free(entries);
    return before;
}

/* systemd-logind(8): with KillUserProcesses=yes a log-out ends what it began, but in sessions of users who linger. */
void doctor_check_machine(struct doctor *doctor)
{
    static const char *const folders[] = {"/usr/lib/systemd/logind.conf.d", "/etc/systemd/logind.conf.d"};
    bool kills = false;

    if (access("/run/systemd/system", F_OK) < 0)
        return;
    kills = kills_by_file("/etc/systemd/logind.conf", kills);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        kills = kills_by_folder(folders[i], kills);
    if (kills && geteuid() != 0)
        doctor_note(doctor, "log-out", HEALTH_WARN,
                    "loginctl enable-linger, then systemd-run --user --scope ganger",
                    "systemd ends all processes when you log out (KillUserProcesses=yes in logind.conf), "
                    "sessions too");
}
