/* Within the recorder: its state, and the carrying out of jobs in the writer thread (recorder_jobs.c). */
#ifndef HOST_RECORDER_JOBS_H
#define HOST_RECORDER_JOBS_H

#include <pthread.h>
#include <sys/queue.h>

#include "base/buffer.h"
#include "base/mask.h"
#include "host/recorder.h"
#include "host/transcript.h"

enum job_type {
    JOB_BEGIN,
    JOB_HEADER,
    JOB_OUTPUT,
    JOB_RESIZE,
    JOB_MARKER,
    JOB_END,
    JOB_EVENT,
    JOB_FILE,
    JOB_TRANSCRIPT,
    JOB_CHECKPOINT,
    JOB_STREAM_BEGIN,
    JOB_STREAM,
    JOB_STREAM_END,
};

struct job {
    STAILQ_ENTRY(job) entries;
    enum job_type type;
    uint32_t attempt;
    uint64_t number; /* stream position, event number, line or length of the file */
    int64_t at;      /* ns since the attempt's start; of a header: ms since 1970 */
    int cols, rows;
    int file;
    struct ring *ring;
    char *text;
    size_t length;
    char name[32];
};

STAILQ_HEAD(jobs, job);

struct recorder {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t work, idle;
    int notice; /* eventfd to the loop */
    int session_dir;

    /* Under the mutex. */
    struct jobs jobs;
    struct job *newest;    /* the last of them; NULL: none waits */
    size_t bytes;          /* of texts that wait */
    uint64_t last_output;  /* position of the newest JOB_OUTPUT */
    uint64_t output_bytes; /* of output that waits */
    bool flush, busy, quit;
    bool await_room;
    int64_t operation_since; /* monotonic ns, when the file operation in work began; 0: none */
    struct recorder_news news;
    uint64_t missing;      /* bytes of output lost that no marker in the recording speaks of */
    uint64_t tail;         /* of the ring */
    uint64_t stream_tail;  /* of the ring of a program's standard output */
    uint64_t last_stream;  /* position of the newest JOB_STREAM */
    uint64_t length;       /* of the recording */
    struct mask *new_mask; /* for what is done next; NULL: the same as before */

    /* The thread's own. */
    struct ring *ring;
    int file;          /* the recording, or -1 */
    struct buffer out; /* encoded, not written */
    uint64_t out_to;   /* stream position that `out` reaches */
    struct buffer event_out;
    uint64_t event_seq; /* of the newest event in event_out */
    int events;
    off_t events_length;
    struct transcript_file transcript;
    bool transcript_torn;     /* its last write failed */
    bool failing;             /* a write failed, and none worked since long enough */
    int64_t failed_at;        /* monotonic ns, of the last failure */
    struct buffer head;       /* the recording's first line, until it is written */
    int cols, rows;           /* of the recording, once known */
    int64_t at;               /* of the newest job */
    struct ring *stream_ring; /* of a program's standard output; NULL: none */
    int stream_file;          /* or -1 */
    struct mask *mask;        /* NULL: nothing is known that must not be written */
    struct mask_stream masked, stream_masked;
    uint64_t marked; /* bytes that a gap marker in `out` speaks of */
};

/* On the loop: makes a job, and appends it; `wake`: it is done now, else when more has gathered. */
struct job *recorder_job(enum job_type type);
void recorder_give(struct recorder *recorder, struct job *job, bool wake);

/* Within the thread, around an operation on a file (recorder_jobs.c); the end leaves the mutex held. */
void recorder_operation_begin(struct recorder *recorder);
void recorder_operation_end_locked(struct recorder *recorder);
void recorder_report_locked(struct recorder *recorder, const char *what, int result);
void recorder_tell_room_locked(struct recorder *recorder);
void recorder_notify(const struct recorder *recorder);
/* The jobs of a stream (recorder_stream.c). */
void recorder_carry_out_stream(struct recorder *recorder, struct job *job);

/* In the thread, without the mutex: carries out the jobs and frees them. */
void recorder_carry_out(struct recorder *recorder, struct jobs *jobs);

#endif
