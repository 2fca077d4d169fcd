/* The epoll loop and the commands. The parent writes one command a line on stdin and reads one JSON
 * object a line from stdout; a command that waits (CONNECT, WAIT, STOP) answers when it is done.
 *
 *   SUBSCRIBERS wire=h2|h1 port=P count=N inflight=K ready=M first=S hex=...   stores; answers at once
 *   PUBLISHER port=P ready=M ack=TAG hex=...    opens the publishing stream; answers when it is ready
 *   TEMPLATE id=OFFSET width=W marker=OFFSET hex=...   one publish as one frame, patched for each event
 *   CONNECT timeout_ms=T     opens the subscribers, at most K between connect() and ready
 *   START window=W [count=C] | START interval_ns=I [count=C]   closed loop, or paced by intended send times
 *   MARK                     counters since the last MARK (or since START), and a new window
 *   STOP timeout_ms=T        stops, waits for what is in flight, answers with the totals
 *   WAIT deliveries=D timeout_ms=T              for publishers outside this process
 *   REPORT, QUIT */
#include "loadgen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 1 << 17, EVENTS = 512, WAITING_TICK_MS = 20 };
/* While deliveries trickle in, one wake-up a delivery costs more than reading it. So after a small
 * batch the loop pauses this long and takes more at once; latencies read up to this much too high. */
enum { PAUSE_NS = 250000, SMALL_BATCH = 32 };
enum waiting { NOTHING, FOR_CONNECT, FOR_PUBLISHER, FOR_DRAIN, FOR_DELIVERIES };

struct loadgen g;
static enum waiting waiting;
static int64_t deadline;
static uint64_t wanted_deliveries;

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static long long number(const char *line, const char *key, long long otherwise)
{
    const char *at = strstr(line, key);
    return at ? strtoll(at + strlen(key), NULL, 10) : otherwise;
}

static bool hex_blob(const char *line, struct blob *out)
{
    const char *at = strstr(line, "hex=");
    if (!at)
        return false;
    at += 4;
    size_t len = strspn(at, "0123456789abcdef") / 2;
    free(out->data);
    out->data = malloc(len ? len : 1);
    out->len = len;
    for (size_t i = 0; i < len; i++) {
        char pair[3] = {at[2 * i], at[2 * i + 1], 0};
        out->data[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return len > 0;
}

static void ok(void)
{
    printf("{\"answer\":\"ok\"}\n");
    fflush(stdout);
}

static void wait_for(enum waiting what, const char *line)
{
    waiting = what;
    deadline = now_ns() + number(line, "timeout_ms=", 10000) * 1000000;
}

static void subscribers(const char *line)
{
    if (g.subs || !hex_blob(line, &g.handshake)) {
        report_error("SUBSCRIBERS comes once and needs hex=");
        return;
    }
    g.wire = strstr(line, "wire=h1") ? WIRE_H1 : WIRE_H2;
    g.port = (int)number(line, "port=", 0);
    g.count = (size_t)number(line, "count=", 1);
    g.inflight = (size_t)number(line, "inflight=", 64);
    g.ready_after = (unsigned)number(line, "ready=", 2);
    g.first_seq = number(line, "first=", -1);
    g.subs = calloc(g.count, sizeof *g.subs);
    ok();
}

static void publisher(const char *line)
{
    struct blob handshake = {0};
    struct publisher *p = &g.pub;
    if (p->configured || !hex_blob(line, &handshake)) {
        report_error("PUBLISHER comes once and needs hex=");
        return;
    }
    p->configured = true;
    p->ack_tag = (uint8_t)number(line, "ack=", 0);
    p->conn = (struct conn){.wire = WIRE_H2, .publisher = true, .last_seq = -1};
    p->conn.ready_after = (unsigned)number(line, "ready=", 1);
    conn_open(&p->conn, (int)number(line, "port=", 0), &handshake);
    free(handshake.data);
    wait_for(FOR_PUBLISHER, line);
}

static void template(const char *line)
{
    struct publisher *p = &g.pub;
    p->id_at = (size_t)number(line, "id=", 0);
    p->id_width = (size_t)number(line, "width=", 0);
    p->marker_at = (size_t)number(line, "marker=", 0);
    if (!hex_blob(line, &p->template) || p->id_at + p->id_width > p->template.len ||
        p->marker_at + MARKER_BYTES > p->template.len) {
        report_error("TEMPLATE is too short for its offsets");
        return;
    }
    ok();
}

static void open_more(void)
{
    size_t settled = g.ready + g.failed;
    while (g.opened < g.count && g.opened - (settled < g.opened ? settled : g.opened) < g.inflight) {
        struct conn *c = &g.subs[g.opened++];
        c->wire = g.wire;
        c->ready_after = g.ready_after;
        c->last_seq = g.first_seq < 0 ? -1 : g.first_seq - 1;
        conn_open(c, g.port, &g.handshake);
        settled = g.ready + g.failed;
    }
}

static void start(const char *line)
{
    struct publisher *p = &g.pub;
    if (p->conn.state != STATE_OPEN || !p->template.len) {
        report_error("START needs an open PUBLISHER and a TEMPLATE");
        return;
    }
    for (size_t i = 0; i < g.count; i++)
        if (g.subs[i].last_seq < 0)
            g.subs[i].last_seq = (int64_t)p->next_seq - 1;
    p->window = (uint64_t)number(line, "window=", 1);
    p->interval = number(line, "interval_ns=", 0);
    p->limit = p->next_seq + (uint64_t)number(line, "count=", INT64_MAX);
    p->started = now_ns();
    p->ticks = 0;
    p->running = true;
    struct itimerspec every = {.it_interval = {p->interval / 1000000000, p->interval % 1000000000},
                               .it_value = {p->interval / 1000000000, p->interval % 1000000000}};
    timerfd_settime(g.timer, 0, &every, NULL);
    counters_reset();
    ok();
    publish_pump();
}

static void stop(const char *line)
{
    struct itimerspec never = {0};
    timerfd_settime(g.timer, 0, &never, NULL);
    g.pub.running = false;
    wait_for(FOR_DRAIN, line);
}

static void quit(void)
{
    for (size_t i = 0; i < g.count; i++)
        conn_close(&g.subs[i]);
    conn_close(&g.pub.conn);
    free(g.subs);
    exit(0);
}

static void command(const char *line)
{
    if (waiting != NOTHING)
        report_error("a command is still waiting");
    else if (strncmp(line, "SUBSCRIBERS ", 12) == 0)
        subscribers(line);
    else if (strncmp(line, "PUBLISHER ", 10) == 0)
        publisher(line);
    else if (strncmp(line, "TEMPLATE ", 9) == 0)
        template(line);
    else if (strncmp(line, "CONNECT", 7) == 0) {
        wait_for(FOR_CONNECT, line);
        counters_reset();
        g.connect_started = now_ns();
        open_more();
    } else if (strncmp(line, "START ", 6) == 0)
        start(line);
    else if (strncmp(line, "MARK", 4) == 0)
        report_window();
    else if (strncmp(line, "STOP", 4) == 0)
        stop(line);
    else if (strncmp(line, "WAIT ", 5) == 0) {
        wait_for(FOR_DELIVERIES, line);
        wanted_deliveries = (uint64_t)number(line, "deliveries=", 0);
    } else if (strncmp(line, "REPORT", 6) == 0)
        report_total("total", true);
    else if (strncmp(line, "QUIT", 4) == 0)
        quit();
    else
        report_error("unknown command");
}

static void read_commands(void)
{
    static char lines[LINE_BYTES];
    static size_t held;
    ssize_t got = read(STDIN_FILENO, lines + held, sizeof lines - held - 1);
    if (got <= 0)
        quit(); /* the parent is gone */
    held += (size_t)got;
    lines[held] = 0;
    char *line = lines, *end;
    while ((end = strchr(line, '\n'))) {
        *end = 0;
        command(line);
        line = end + 1;
    }
    held -= (size_t)(line - lines);
    memmove(lines, line, held);
    if (held == sizeof lines - 1) {
        report_error("command line too long");
        quit();
    }
}

/* Answers the waiting command when it is done or late. */
static void settle(void)
{
    bool late = now_ns() >= deadline, done = false;
    const struct conn *p = &g.pub.conn;
    switch (waiting) {
    case NOTHING:
        return;
    case FOR_CONNECT:
        open_more();
        done = g.ready + g.failed >= g.count;
        if (done || late)
            report_connect();
        break;
    case FOR_PUBLISHER:
        done = p->ready || p->state == STATE_FAILED;
        if (done && p->state == STATE_OPEN)
            ok();
        else if (done || late)
            report_error(late ? "publisher not ready in time" : "publisher failed");
        break;
    case FOR_DRAIN:
        done = publish_drained() || p->state == STATE_FAILED || (g.count && g.failed == g.count);
        if (done || late)
            report_total("stopped", publish_drained());
        break;
    case FOR_DELIVERIES:
        done = g.total.deliveries >= wanted_deliveries;
        if (done || late)
            report_total("waited", done);
        break;
    }
    if (done || late)
        waiting = NOTHING;
}

static void serve_socket(struct conn *c, uint32_t events)
{
    if (c->state == STATE_CONNECTING && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
        conn_connected(c);
    if (c->state == STATE_OPEN && events & EPOLLOUT)
        conn_flush(c);
    if (c->state == STATE_OPEN && events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        conn_readable(c);
    if (c->state == STATE_FAILED)
        conn_close(c);
}

static void watch_plain(int fd, void *mark)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = mark};
    epoll_ctl(g.epoll, EPOLL_CTL_ADD, fd, &event);
}

static void setup(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    g.epoll = epoll_create1(EPOLL_CLOEXEC);
    g.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    g.hist = calloc(HIST_BUCKETS, sizeof *g.hist);
    g.hist_total = calloc(HIST_BUCKETS, sizeof *g.hist_total);
    prctl(PR_SET_TIMERSLACK, 1);
    g.total.started = now_ns();
    counters_reset();
    watch_plain(STDIN_FILENO, &waiting);
    watch_plain(g.timer, &deadline);
}

static void pause_after(int batch, uint64_t delivered)
{
    const struct timespec pause = {0, PAUSE_NS};
    if (delivered && batch < SMALL_BATCH)
        nanosleep(&pause, NULL);
}

int main(void)
{
    struct epoll_event events[EVENTS];
    setup();
    for (;;) {
        uint64_t before = g.total.deliveries;
        int n = epoll_wait(g.epoll, events, EVENTS, waiting == NOTHING ? -1 : WAITING_TICK_MS);
        if (n < 0 && errno != EINTR)
            return 1;
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &waiting)
                read_commands();
            else if (events[i].data.ptr == &deadline)
                publish_tick();
            else
                serve_socket(events[i].data.ptr, events[i].events);
        }
        publish_pump();
        settle();
        pause_after(n, g.total.deliveries - before);
    }
}
