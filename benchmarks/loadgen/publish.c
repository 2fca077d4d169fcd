/* The publisher: one stream, one event per publish, closed loop or paced.
 *
 * It lives in this process because a closed loop has to close on deliveries: a hub answers a publish
 * before its fan-out is over, so a loop closed on answers alone would keep many events in flight. */
#include "loadgen.h"

#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void write_digits(uint8_t *to, size_t width, uint64_t value)
{
    while (width--) {
        to[width] = (uint8_t)('0' + value % 10);
        value /= 10;
    }
}

uint64_t publish_in_flight(void)
{
    uint64_t done = g.count ? g.total.deliveries / g.count : g.pub.published;
    if (g.pub.ack_tag && g.pub.acks < done)
        done = g.pub.acks;
    return g.pub.published > done ? g.pub.published - done : 0;
}

static bool may_send(const struct publisher *p)
{
    const struct h2_parser *h = &p->conn.in.h2;
    int64_t bytes = (int64_t)p->template.len - 9; /* flow control counts the payload only */
    if (p->next_seq >= p->limit)
        return false;
    return p->conn.state == STATE_OPEN && p->conn.out_len == 0 && h->window >= bytes && h->stream_window >= bytes;
}

static void publish_one(struct publisher *p, int64_t intended)
{
    uint8_t *bytes = p->template.data;
    write_digits(bytes + p->id_at, p->id_width, p->next_seq);
    write_digits(bytes + p->marker_at + MARKER_TS_AT, TS_DIGITS, (uint64_t)intended);
    write_digits(bytes + p->marker_at + MARKER_SEQ_AT, SEQ_DIGITS, p->next_seq);
    p->next_seq++;
    p->published++;
    g.mark.published++;
    g.total.published++;
    p->conn.in.h2.window -= (int64_t)p->template.len - 9;
    p->conn.in.h2.stream_window -= (int64_t)p->template.len - 9;
    conn_write(&p->conn, bytes, p->template.len);
}

static void pump_paced(struct publisher *p)
{
    int64_t due = (now_ns() - p->started) / p->interval + 1;
    while ((int64_t)p->ticks < due && may_send(p))
        publish_one(p, p->started + (int64_t)p->ticks++ * p->interval);
}

void publish_pump(void)
{
    struct publisher *p = &g.pub;
    if (!p->running)
        return;
    if (p->interval) {
        pump_paced(p);
        return;
    }
    while (publish_in_flight() < p->window && may_send(p))
        publish_one(p, now_ns());
}

void publish_tick(void)
{
    uint64_t expirations;
    if (read(g.timer, &expirations, sizeof expirations) == sizeof expirations)
        publish_pump();
}

bool publish_drained(void)
{
    return publish_in_flight() == 0 && g.total.deliveries >= g.pub.published * g.count;
}
