/* Shared types of the load generator: one process, one epoll loop, many subscriber connections and
 * at most one publisher connection. Everything about the contract (frames, tags, tokens) arrives as
 * bytes from the parent, so a change of the contract never touches this program. */
#ifndef LOADGEN_H
#define LOADGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "@TS=" 20 digits "@SEQ=" 12 digits ";": CLOCK_MONOTONIC nanoseconds of the intended send, and a
 * sequence number that rises by one per event. */
enum { MARKER_BYTES = 42, MARKER_TS_AT = 4, MARKER_SEQ_AT = 29, TS_DIGITS = 20, SEQ_DIGITS = 12 };
enum { READ_BYTES = 1 << 18, CONTROL_BYTES = 256, HEAD_BYTES = 4096, SAMPLE_BYTES = 512 };
enum { HIST_SUB_BITS = 6, HIST_BUCKETS = (64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS };

enum wire { WIRE_H2, WIRE_H1 };
enum state { STATE_IDLE, STATE_CONNECTING, STATE_OPEN, STATE_FAILED };

/* Bytes handed over by the parent. */
struct blob {
    uint8_t *data;
    size_t len;
};

struct h2_parser {
    uint8_t head[9];
    uint8_t head_len;
    uint8_t type, flags;
    bool pad_known;
    uint32_t stream, left, pad;
    uint8_t control[CONTROL_BYTES]; /* payload of anything that is not DATA, cut at this size */
    uint32_t control_len;
    uint64_t unacknowledged;               /* DATA bytes not yet given back by WINDOW_UPDATE */
    int64_t window, stream_window;         /* what we may still send */
    int64_t initial_window, max_frame;     /* the peer's settings */
};

struct h1_parser {
    uint8_t *head; /* response head until its blank line; NULL afterwards */
    uint32_t head_len;
    enum { H1_HEAD, H1_SIZE, H1_SIZE_EXT, H1_DATA, H1_DATA_END } at;
    uint64_t left;
    uint8_t digits, line_ends;
};

/* Splits a byte stream into gRPC messages; runs only until a subscriber is ready, and on publishers. */
struct grpc_counter {
    uint8_t head[5];
    uint8_t head_len;
    bool first;
    uint32_t left;
};

struct conn {
    int fd;
    enum wire wire;
    enum state state;
    bool publisher, ready, wants_write;
    unsigned ready_after; /* gRPC messages still to come before the connection counts as ready */
    struct grpc_counter grpc;
    union {
        struct h2_parser h2;
        struct h1_parser h1;
    } in;
    uint8_t *out; /* bytes the socket did not take yet */
    size_t out_len, out_cap;
    uint8_t carry[MARKER_BYTES]; /* start of a marker cut by the end of the last bytes */
    uint8_t carry_len;
    int64_t last_seq; /* -1 until the first marker when no start was announced */
    uint64_t seen;    /* bit i: last_seq - i has arrived */
};

/* Counters since a point in time; kept twice, for the window between two MARKs and for the whole run. */
struct counters {
    uint64_t deliveries, bytes, reads, published, acks, lost, duplicates, disorder;
    double cpu_start;
    int64_t started;
};

struct publisher {
    struct conn conn;
    struct blob template; /* one complete transport frame that carries one publish */
    size_t id_at, id_width, marker_at;
    uint8_t ack_tag;
    bool configured, running;
    uint64_t window;  /* closed loop: publishes not yet delivered everywhere and acknowledged */
    uint64_t next_seq, limit; /* limit: the first number not to publish */
    uint64_t published, acks; /* since the publisher was made */
    int64_t started, interval; /* paced: nanoseconds between intended sends; 0 = closed loop */
    uint64_t ticks;
    uint8_t first_ack[SAMPLE_BYTES];
    size_t first_ack_len;
};

struct loadgen {
    int epoll, timer;
    struct conn *subs;
    size_t count, opened, connecting, ready, failed, inflight;
    enum wire wire;
    int port;
    unsigned ready_after;
    int64_t first_seq;
    struct blob handshake;
    int64_t connect_started, connect_ended, connect_first_byte;
    struct counters mark, total;
    uint64_t *hist, *hist_total;
    int64_t max_latency, max_latency_total;
    struct publisher pub;
    char failure[64]; /* why the first failed connection failed */
    uint8_t failure_bytes[CONTROL_BYTES];
    size_t failure_len;
    uint8_t first_payload[SAMPLE_BYTES]; /* first bytes subscriber 0 got */
    size_t first_payload_len;
};

extern struct loadgen g;

int64_t now_ns(void);
double cpu_seconds(void);

/* conn.c: sockets */
bool conn_open(struct conn *c, int port, const struct blob *handshake);
void conn_write(struct conn *c, const void *data, size_t len);
void conn_flush(struct conn *c);
void conn_fail(struct conn *c, const char *why, const uint8_t *detail, size_t len);
void conn_close(struct conn *c);
void conn_readable(struct conn *c);
void conn_connected(struct conn *c);

/* h2.c, h1.c: transport framing; both hand payload bytes to payload() */
void h2_start(struct conn *c);
void h2_feed(struct conn *c, const uint8_t *p, size_t n, int64_t now);
void h1_start(struct conn *c);
void h1_feed(struct conn *c, const uint8_t *p, size_t n, int64_t now);

/* scan.c: what is inside the payload */
void payload(struct conn *c, const uint8_t *p, size_t n, int64_t now);
double percentile_us(const uint64_t *hist, double q);

/* publish.c */
void publish_pump(void);
void publish_tick(void);
bool publish_drained(void);
uint64_t publish_in_flight(void);

/* report.c: one JSON line per answer */
void report_window(void);
void report_total(const char *what, bool complete);
void report_connect(void);
void report_error(const char *what);
void counters_reset(void);

#endif
