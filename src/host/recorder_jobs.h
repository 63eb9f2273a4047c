/* Within the recorder: its state, and the carrying out of jobs in the writer thread (recorder_jobs.c). */
#ifndef HOST_RECORDER_JOBS_H
#define HOST_RECORDER_JOBS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "base/buffer.h"
#include "base/mask.h"
#include "host/recorder.h"
#include "host/transcript.h"

enum job_type {
    JOB_BEGIN,
    JOB_OUTPUT,
    JOB_INPUT,
    JOB_ROTATE,
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
    int64_t at;      /* ns since the attempt's start */
    int cols, rows;
    int file;
    struct ring *ring;
    struct recorder_recording recording; /* of JOB_BEGIN */
    char *text;
    size_t length;
    char name[32];
};

STAILQ_HEAD(jobs, job);

/* What waits to be made durable. */
enum unsynced {
    UNSYNCED_RECORDING,
    UNSYNCED_PART,
    UNSYNCED_EVENTS,
    UNSYNCED_TRANSCRIPT,
    UNSYNCED_MARK,
    UNSYNCED_FOLDER,
    UNSYNCED_COUNT
};

/* A thread that is started when there is something to do, and ends when there is nothing. */
struct errand {
    pthread_t thread;
    pthread_cond_t wake; /* by the monotonic clock */
    bool running;
    bool begun; /* it is to be joined */
    bool quit;
};

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
    uint64_t gap_before;  /* what a host before could not record and not say; marked with the next event */
    uint64_t missing;     /* bytes of output lost that no marker in the recording speaks of */
    uint64_t tail;        /* of the ring */
    uint64_t stream_tail; /* of the ring of a program's standard output */
    uint64_t last_stream; /* position of the newest JOB_STREAM */
    uint64_t length;      /* of the recording */
    unsigned part;        /* that is written */
    uint64_t part_from;   /* length after which the part was begun */
    uint64_t rotate_from; /* length from which a rotation is tried again */
    uint64_t part_bytes;  /* of a part that is complete */
    bool rotating;
    int unsynced[UNSYNCED_COUNT]; /* copies of descriptors, or -1 */
    bool unsynced_all;            /* more than fits there */
    struct errand sync, compress;
    bool compress_again;
    struct mask *new_mask; /* for what is done next; NULL: the same as before */

    /* The thread's own. */
    struct ring *ring;
    struct recorder_recording recording; /* its file is the part's, or -1 */
    int64_t opened_at;                   /* monotonic ns, when a part was last tried to be opened */
    int open_code;                       /* errno of that */
    uint64_t checkpoint_offset;          /* of the recording, in the last checkpoint written */
    struct buffer out;                   /* encoded, not written */
    uint64_t out_to;                     /* stream position that `out` reaches */
    struct buffer event_out;
    uint64_t event_first, event_seq; /* of the oldest and the newest event in event_out */
    int events;
    off_t events_length;
    struct transcript_file transcript;
    bool transcript_torn;     /* its last write failed */
    bool failing;             /* a write failed, and none worked since long enough */
    int64_t failed_at;        /* monotonic ns, of the last failure */
    struct buffer head;       /* the part's first line, until it is written */
    int cols, rows;           /* of the recording */
    int64_t at;               /* of the newest job */
    struct ring *stream_ring; /* of a program's standard output; NULL: none */
    int stream_file;          /* or -1 */
    struct mask *mask;        /* NULL: nothing is known that must not be written */
    struct mask_stream masked, stream_masked, input_masked;
    struct buffer input; /* what was typed and may be the beginning of a secret */
    uint64_t marked;     /* bytes that a gap marker in `out` speaks of */

    atomic_bool compress_stop;
};

/* On the loop: makes a job, and appends it; `wake`: it is done now, else when more has gathered. */
struct job *recorder_job(enum job_type type);
void recorder_give(struct recorder *recorder, struct job *job, bool wake);

/* Within the thread, around an operation on a file (recorder_jobs.c); the end leaves the mutex held. */
void recorder_operation_begin(struct recorder *recorder);
void recorder_operation_end_locked(struct recorder *recorder);
void recorder_report_locked(struct recorder *recorder, const char *what, int result);
void recorder_tell_room_locked(struct recorder *recorder);
void recorder_lose_events_locked(struct recorder *recorder, uint64_t from, uint64_t to);
void recorder_notify(const struct recorder *recorder);
/* Writes all at the offset. Returns 0, or -1 with errno; what was written in part is cut off again. */
int recorder_write_at(int file, const char *bytes, size_t length, off_t offset);

/* Of the recording (recorder_recording.c). How long it is as a whole, when it begins. */
uint64_t recorder_recorded(const struct recorder_recording *recording);
void recorder_begin_recording(struct recorder *recorder, struct job *job);
void recorder_rotate_recording(struct recorder *recorder, struct job *job);
void recorder_end_recording(struct recorder *recorder, struct job *job);
void recorder_encode_output(struct recorder *recorder, uint64_t to, int64_t at, int last);
void recorder_encode_input(struct recorder *recorder, const struct job *job, bool last);
/* Says what was missing already when this host began to record. */
void recorder_mark_gap_before(struct recorder *recorder);
/* The time within the part. */
int64_t recorder_part_time(const struct recorder *recorder, int64_t at);
/* Writes what was encoded. */
void recorder_write_recording(struct recorder *recorder);

/* What was written to the descriptor is to be made durable (recorder_errands.c). */
void recorder_unsynced_locked(struct recorder *recorder, enum unsynced what, int file);
void recorder_compress_locked(struct recorder *recorder);
void recorder_errands_init(struct recorder *recorder);
/* Ends both threads, what is written is durable then. False when one hangs in the disk. */
bool recorder_errands_finish(struct recorder *recorder, int wait_ms);

/* The jobs of a stream (recorder_stream.c). */
void recorder_carry_out_stream(struct recorder *recorder, struct job *job);

/* In the thread, without the mutex: carries out the jobs and frees them. */
void recorder_carry_out(struct recorder *recorder, struct jobs *jobs);

#endif
