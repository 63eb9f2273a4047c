/* The recorder's threads that come and go: what was written is made durable, complete parts are compressed. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "host/recorder_jobs.h"
#include "store/session_dir.h"

#define SYNC_STACK ((size_t)32 * 1024)
#define COMPRESS_STACK ((size_t)256 * 1024)
#define LINGER_NS 3000000000 /* without anything to do */

static const char *const names[UNSYNCED_COUNT] = {
    [UNSYNCED_RECORDING] = "the recording", [UNSYNCED_PART] = "the recording",
    [UNSYNCED_EVENTS] = SESSION_EVENTS,     [UNSYNCED_TRANSCRIPT] = SESSION_TRANSCRIPT,
    [UNSYNCED_MARK] = SESSION_TRANSCRIPT,   [UNSYNCED_FOLDER] = "the session's folder",
};

static void init_errand(struct errand *errand)
{
    pthread_condattr_t clock;

    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&errand->wake, &clock);
    pthread_condattr_destroy(&clock);
}

void recorder_errands_init(struct recorder *recorder)
{
    for (int i = 0; i < UNSYNCED_COUNT; i++)
        recorder->unsynced[i] = -1;
    init_errand(&recorder->sync);
    init_errand(&recorder->compress);
}

/* Returns 0 or an error number. */
static int start_locked(struct recorder *recorder, struct errand *errand, void *(*run)(void *), size_t stack)
{
    pthread_attr_t attributes;
    sigset_t all, old;
    int result;

    if (errand->begun)
        (void)pthread_join(errand->thread, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    result = pthread_create(&errand->thread, &attributes, run, recorder);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attributes);
    errand->running = errand->begun = result == 0;
    return result;
}

static struct timespec moment(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

/* ---- durable ---- */

static bool is_unsynced(const struct recorder *recorder)
{
    bool found = recorder->unsynced_all;

    for (int i = 0; i < UNSYNCED_COUNT; i++)
        found = found || recorder->unsynced[i] >= 0;
    return found;
}

/* Some files have nothing to be made durable. */
static int sync_file(int file, bool whole)
{
    int result = whole ? fsync(file) : fdatasync(file);

    return result < 0 && (errno == EINVAL || errno == EROFS || errno == ENOTSUP) ? 0 : result;
}

static void sync_all_locked(struct recorder *recorder)
{
    int files[UNSYNCED_COUNT];
    bool all = recorder->unsynced_all;

    memcpy(files, recorder->unsynced, sizeof files);
    for (int i = 0; i < UNSYNCED_COUNT; i++)
        recorder->unsynced[i] = -1;
    recorder->unsynced_all = false;
    pthread_mutex_unlock(&recorder->mutex);
    if (all)
        (void)syncfs(recorder->session_dir);
    for (int i = 0; i < UNSYNCED_COUNT; i++) {
        int result = files[i] < 0 ? 0 : sync_file(files[i], i == UNSYNCED_FOLDER), code = errno;
        if (files[i] >= 0)
            close(files[i]);
        if (result == 0)
            continue;
        pthread_mutex_lock(&recorder->mutex);
        errno = code;
        recorder_report_locked(recorder, names[i], result);
        pthread_mutex_unlock(&recorder->mutex);
    }
    pthread_mutex_lock(&recorder->mutex);
}

/* Waits, but not when the thread is to end. Returns whether it was woken. */
static bool wait_locked(struct recorder *recorder, struct errand *errand, int64_t ns)
{
    struct timespec until = moment(clock_monotonic_ns() + ns);

    return errand->quit || pthread_cond_timedwait(&errand->wake, &recorder->mutex, &until) == 0;
}

static void *run_sync(void *argument)
{
    struct recorder *recorder = argument;
    struct errand *errand = &recorder->sync;

    pthread_mutex_lock(&recorder->mutex);
    for (;;) {
        bool woken = true;
        while (!is_unsynced(recorder) && woken && !errand->quit)
            woken = wait_locked(recorder, errand, LINGER_NS);
        if (!is_unsynced(recorder))
            break;
        for (int64_t until = clock_monotonic_ns() + RECORDER_SYNC_MS * 1000000LL, now = 0; !errand->quit;) {
            now = clock_monotonic_ns();
            if (now >= until || !wait_locked(recorder, errand, until - now))
                break;
        }
        sync_all_locked(recorder);
    }
    errand->running = false;
    pthread_mutex_unlock(&recorder->mutex);
    return NULL;
}

/* Another part follows: the one that was written keeps its place. */
static void set_aside(struct recorder *recorder)
{
    int *old = &recorder->unsynced[UNSYNCED_PART], *file = &recorder->unsynced[UNSYNCED_RECORDING];

    if (*file < 0)
        return;
    if (*old < 0) {
        *old = *file;
    } else {
        recorder->unsynced_all = true;
        close(*file);
    }
    *file = -1;
}

void recorder_unsynced_locked(struct recorder *recorder, enum unsynced what, int file)
{
    bool waiting = is_unsynced(recorder);

    if (what == UNSYNCED_PART) {
        set_aside(recorder);
        return;
    }
    if (recorder->unsynced[what] >= 0)
        return;
    recorder->unsynced[what] = fcntl(file, F_DUPFD_CLOEXEC, 3);
    if (recorder->unsynced[what] < 0)
        recorder->unsynced_all = true;
    if (!recorder->sync.running && start_locked(recorder, &recorder->sync, run_sync, SYNC_STACK) != 0)
        sync_all_locked(recorder);
    else if (!waiting)
        pthread_cond_signal(&recorder->sync.wake);
}

/* ---- compressed ---- */

static void *run_compress(void *argument)
{
    static const struct sched_param param = {0};
    struct recorder *recorder = argument;
    struct error error;
    bool again = true;

    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
    (void)sched_setscheduler(0, SCHED_IDLE, &param);
    while (again) {
        /* What failed is tried again with the next part or attempt; nothing is lost meanwhile. */
        if (recording_compress(recorder->session_dir, &recorder->compress_stop, &error) < 0)
            log_warning("%s", error.text);
        pthread_mutex_lock(&recorder->mutex);
        again = recorder->compress_again && !recorder->compress.quit;
        recorder->compress_again = false;
        recorder->compress.running = again;
        pthread_mutex_unlock(&recorder->mutex);
    }
    return NULL;
}

void recorder_compress_locked(struct recorder *recorder)
{
    if (recorder->compress.quit)
        return;
    if (recorder->compress.running)
        recorder->compress_again = true;
    else
        (void)start_locked(recorder, &recorder->compress, run_compress, COMPRESS_STACK);
}

/* ---- the end ---- */

static bool join_errand(struct errand *errand, int64_t until_ns)
{
    int64_t left = until_ns - clock_monotonic_ns();
    int64_t real = clock_realtime_ms() * 1000000 + (left > 0 ? left : 0);
    struct timespec until = moment(real);

    if (errand->begun && pthread_timedjoin_np(errand->thread, NULL, &until) != 0)
        return false;
    errand->begun = false;
    pthread_cond_destroy(&errand->wake);
    return true;
}

bool recorder_errands_finish(struct recorder *recorder, int wait_ms)
{
    int64_t until = clock_monotonic_ns() + (int64_t)wait_ms * 1000000;
    bool done;

    atomic_store(&recorder->compress_stop, true);
    pthread_mutex_lock(&recorder->mutex);
    recorder->sync.quit = recorder->compress.quit = true;
    pthread_cond_broadcast(&recorder->sync.wake);
    pthread_mutex_unlock(&recorder->mutex);
    done = join_errand(&recorder->sync, until);
    return join_errand(&recorder->compress, until) && done;
}
