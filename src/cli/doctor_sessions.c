#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/name.h"
#include "base/path.h"
#include "cli/doctor.h"
#include "cli/sweep.h"
#include "store/recording.h"
#include "store/retention.h"
#include "store/session_dir.h"
#include "store/session_life.h"
#include "store/session_lost.h"
#include "store/session_mend.h"
#include "store/session_names.h"

struct tally {
    unsigned sessions, alive, faulty, lost;
};

/* ---- one session ---- */

static void append_count(struct buffer *text, unsigned count, const char *one, const char *many)
{
    if (count == 0)
        return;
    buffer_append_string(text, text->length > 0 ? ", " : "");
    if (count == 1)
        buffer_append_string(text, one);
    else
        buffer_printf(text, "%u %s", count, many);
}

static void describe(struct buffer *text, const struct session_faults *faults)
{
    if (faults->no_folder)
        buffer_append_string(text, "a link or a file is in the place of its folder");
    if (faults->no_object)
        buffer_append_string(text, "its session.json is damaged or missing");
    append_count(text, faults->torn, "a file ends in the middle of a line",
                 "files end in the middle of a line");
    append_count(text, faults->temporary, "a temporary file is left over", "temporary files are left over");
    append_count(text, faults->strange, "a link, folder or pipe is in the place of a file",
                 "links, folders or pipes are in the place of files");
    append_count(text, faults->uncompressed, "a complete part of a recording is not compressed",
                 "complete parts of recordings are not compressed");
}

/* What session_mend made of it. */
static const char *what_was_done(const char *state_dir, const char *uuid, const struct session_faults *faults)
{
    struct error error = {0};
    json_t *session = faults->no_object ? session_dir_read(state_dir, uuid, &error) : NULL;
    bool made = json_member_bool(session, "rebuilt", 0) != 0;
    char *path = session_dir_path(state_dir, uuid);
    bool there = access(path, F_OK) == 0;

    free(path);
    json_decref(session);
    return !there ? "nothing of a session was in it; it is in STATE/" SESSION_DAMAGED
           : made ? "made again from its events and recordings"
                  : "mended";
}

static int compress(const char *state_dir, const char *uuid, struct error *error)
{
    int folder = session_dir_open(state_dir, uuid, error), result;

    if (folder < 0)
        return -1;
    result = recording_compress(folder, NULL, error);
    close(folder);
    return result;
}

static void check_faults(struct doctor *doctor, const char *state_dir, const char *uuid, const char *name,
                         struct tally *tally)
{
    struct session_faults faults;
    struct error error = {0};
    struct buffer text;
    int mended = -1;

    if (!session_inspect(state_dir, uuid, &faults, &error) && faults.uncompressed == 0) {
        if (faults.young)
            doctor_note(doctor, "session", HEALTH_WARN, NULL,
                        "%s: its session.json is missing, and its folder is younger than %d s: too young to "
                        "judge, it may be starting",
                        name, SESSION_START_S);
        return;
    }
    tally->faulty++;
    buffer_init(&text);
    if (faults.closed)
        buffer_append_string(&text, error.text);
    else
        describe(&text, &faults);
    if (doctor->mend) {
        mended = session_mend(state_dir, uuid, &error);
        if (mended == 0 && faults.uncompressed > 0)
            mended = compress(state_dir, uuid, &error);
    }
    doctor_fault(doctor, "session", HEALTH_WARN, mended == 0 ? what_was_done(state_dir, uuid, &faults) : NULL,
                 doctor->mend ? &error : NULL, "%s: %s", name, text.bytes);
    buffer_finish(&text);
}

static void note_lost(struct doctor *doctor, const char *name, bool can_resume)
{
    char *fix = can_resume ? xasprintf("ganger resume %s, or ganger rm %s", name, name)
                           : xasprintf("ganger rm %s", name);

    doctor_note(doctor, "session", HEALTH_WARN, fix, "%s is lost: its keeper and host died with it", name);
    free(fix);
}

static void check_session(struct doctor *doctor, const char *state_dir, const char *uuid, struct tally *tally)
{
    struct error error = {0};
    json_t *session = session_dir_read(state_dir, uuid, &error);
    const char *phase = json_member_string(session, "phase", ""),
               *name = json_member_string(session, "name", "");
    bool ended = session_phase_ended(phase), lost = strcmp(phase, "lost") == 0;
    int life = session_life(state_dir, uuid, session, NULL);

    tally->sessions++;
    if (!name_valid(name))
        name = uuid;
    if (life == SESSION_ALIVE || life == SESSION_STARTING) {
        tally->alive++;
        if (session == NULL && error.code != ENOENT)
            doctor_note(doctor, "session", HEALTH_WARN, NULL,
                        "%s runs, and its session.json cannot be read: %s", name, error.text);
    } else if (session == NULL || session_lost_is_here(session)) {
        /* One of another machine, whose state folder this one shares, is not for us to judge. */
        if (session != NULL && !ended && doctor->mend && session_lost_settle(state_dir, uuid))
            doctor_fault(doctor, "session", HEALTH_WARN, "its end was written", NULL,
                         "%s was taken for a running one", name);
        if (session == NULL && strstr(error.text, "install a newer ganger") != NULL)
            doctor_note(doctor, "session", HEALTH_WARN, NULL, "%s", error.text);
        check_faults(doctor, state_dir, uuid, name, tally);
        if (session != NULL && (lost || !ended)) {
            tally->lost++;
            note_lost(doctor, name, json_is_object(json_object_get(session, "start")));
        }
    }
    json_decref(session);
}

/* ---- all of them ---- */

/* What is in the sessions' folder and can be none, but for what is hidden. */
static void check_stranger(struct doctor *doctor, const char *state_dir, const char *entry)
{
    struct error error = {0};
    int mended = doctor->mend ? session_set_aside(state_dir, entry, &error) : -1;

    doctor_fault(doctor, "session", HEALTH_WARN, mended == 0 ? "it is in STATE/" SESSION_DAMAGED : NULL,
                 doctor->mend ? &error : NULL, "sessions/%s cannot be a session: its name is no UUID", entry);
}

static void check_leftovers(struct doctor *doctor, const char *state_dir)
{
    struct error error = {0};
    unsigned failed = 0, found = doctor->mend ? retention_remove_leftovers(state_dir, &failed, &error)
                                              : retention_count_leftovers(state_dir);

    if (found > 0)
        doctor_fault(doctor, "sessions", HEALTH_WARN, doctor->mend ? "removed" : NULL, NULL,
                     "%u deleted folder%s only half gone", found, found == 1 ? " was" : "s were");
    if (failed > 0)
        doctor_fault(doctor, "sessions", HEALTH_BAD, NULL, &error, "%u deleted folder%s only half gone",
                     failed, failed == 1 ? " is" : "s are");
}

static void check_names(struct doctor *doctor, const char *state_dir)
{
    struct session_names names;
    struct error error;
    unsigned found, failed;

    if (session_names_open(&names, state_dir, doctor->mend, &error) < 0) {
        doctor_note(doctor, "names", HEALTH_BAD, NULL, "%s", error.text);
        return;
    }
    found = session_names_mend(&names, state_dir, &failed);
    session_names_close(&names);
    if (found == 0)
        return;
    (void)error_set(&error, "%u are left", failed);
    doctor_fault(doctor, "names", HEALTH_WARN, doctor->mend && failed == 0 ? "removed" : NULL,
                 doctor->mend ? &error : NULL, "%u name%s to no session", found,
                 found == 1 ? " leads" : "s lead");
}

void doctor_check_sessions(struct doctor *doctor, const char *state_dir)
{
    struct tally tally = {0};
    struct error error = {0};
    char *root = session_dir_root(state_dir, &error);
    DIR *entries = root == NULL ? NULL : opendir(root);

    if (entries == NULL) {
        doctor_note(doctor, "sessions", HEALTH_BAD, NULL, "%s",
                    root == NULL ? error.text : "their folder cannot be read");
        free(root);
        return;
    }
    free(root);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (uuid_valid(entry->d_name))
            check_session(doctor, state_dir, entry->d_name, &tally);
        else if (entry->d_name[0] != '.')
            check_stranger(doctor, state_dir, entry->d_name);
    }
    (void)closedir(entries);
    if (tally.faulty == 0 && tally.lost == 0)
        doctor_note(doctor, "sessions", HEALTH_OK, NULL, "%u, %u of them running, none of them lost",
                    tally.sessions, tally.alive);
    check_leftovers(doctor, state_dir);
    check_names(doctor, state_dir);
}

/* ---- retention ---- */

static void note_last(struct doctor *doctor, const char *state_dir, const struct retention_policy *policy)
{
    int64_t looked_ms, now_ms = clock_realtime_ms();
    json_t *last = retention_last(state_dir, &looked_ms);
    char rule[96] = "until they are deleted", ago[16], looked[64] = "", *removed = NULL;

    if (policy->age_s > 0)
        (void)snprintf(rule, sizeof rule, "for %.4g days", policy->age_s / 86400);
    if (policy->bytes > 0)
        (void)snprintf(rule + strlen(rule), sizeof rule - strlen(rule), ", at most %.4g MB",
                       (double)policy->bytes / 1e6);
    if (looked_ms > 0) {
        clock_format_duration((now_ms - looked_ms) / 1000, ago, sizeof ago);
        (void)snprintf(looked, sizeof looked, "; looked at %s ago", ago);
    }
    if (last != NULL)
        removed = xasprintf("; last deleted: %s at %s", json_member_string(last, "name", "?"),
                            json_member_string(last, "at", "?"));
    doctor_note(doctor, "clean-up", HEALTH_OK, NULL, "ended sessions are kept %s%s%s", rule, looked,
                removed != NULL ? removed : "");
    free(removed);
    json_decref(last);
}

static void sweep(struct doctor *doctor, const char *state_dir, const struct retention_policy *policy)
{
    struct retention_result result;
    struct error error;

    if (retention_sweep(state_dir, policy, clock_realtime_ms(), &result, &error) < 0) {
        doctor_note(doctor, "clean-up", HEALTH_WARN, NULL, "%s", error.text);
        return;
    }
    if (result.removed > 0)
        doctor_fault(doctor, "clean-up", HEALTH_WARN, "deleted", NULL,
                     "%u ended sessions (%.1f MB) were beyond the limits", result.removed,
                     (double)result.bytes / 1e6);
    if (result.failed > 0)
        doctor_fault(doctor, "clean-up", HEALTH_BAD, NULL, &result.error,
                     "%u ended sessions are beyond the limits", result.failed);
}

void doctor_check_retention(struct doctor *doctor, const char *state_dir, const struct config *config)
{
    struct retention_policy policy;
    struct ended_list list;
    size_t beyond;

    if (config == NULL)
        return;
    policy = sweep_policy(config);
    if (ended_list_fill(&list, state_dir, policy.bytes > 0, NULL) < 0)
        return;
    beyond = retention_choose(&list, &policy, clock_realtime_ms());
    ended_list_finish(&list);
    if (beyond > 0 && doctor->mend)
        sweep(doctor, state_dir, &policy);
    else if (beyond > 0)
        doctor_fault(doctor, "clean-up", HEALTH_WARN, NULL, NULL,
                     "%zu ended session%s beyond limits.ended_age_s or ended_bytes; the next start of a "
                     "session deletes %s",
                     beyond, beyond == 1 ? " is" : "s are", beyond == 1 ? "it" : "them");
    note_last(doctor, state_dir, &policy);
}
