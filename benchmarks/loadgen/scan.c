/* Payload bytes: gRPC message counting (ready, acknowledgements) and the marker scan. */
#include "loadgen.h"

#include <string.h>

static void record_latency(uint64_t *hist, int64_t ns)
{
    uint64_t value = ns < 0 ? 0 : (uint64_t)ns;
    unsigned shift = 0;
    if (value >> HIST_SUB_BITS)
        shift = 63u - (unsigned)__builtin_clzll(value) - HIST_SUB_BITS + 1;
    hist[(shift << HIST_SUB_BITS) + (value >> shift)]++;
}

double percentile_us(const uint64_t *hist, double q)
{
    uint64_t all = 0, sum = 0;
    for (int i = 0; i < HIST_BUCKETS; i++)
        all += hist[i];
    if (!all)
        return 0;
    uint64_t rank = (uint64_t)(q * (double)all);
    for (int i = 0; i < HIST_BUCKETS; i++) {
        sum += hist[i];
        if (sum > rank)
            return (double)((uint64_t)(i & ((1 << HIST_SUB_BITS) - 1)) << (i >> HIST_SUB_BITS)) / 1e3;
    }
    return 0;
}

static bool digits(const uint8_t *p, int n, int64_t *out)
{
    int64_t value = 0;
    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        value = value * 10 + (p[i] - '0');
    }
    *out = value;
    return true;
}

static void count(uint64_t *in_mark, uint64_t *in_total, uint64_t by)
{
    *in_mark += by;
    *in_total += by;
}

/* The sequence must rise by one. A hole counts as lost until the missing number comes late (then it
 * is disorder instead); a number that was seen is a duplicate. The memory is 64 numbers deep, so an
 * event more than 63 places late counts as disorder and stays lost. */
static void check_sequence(struct conn *c, int64_t seq)
{
    int64_t step = seq - c->last_seq;
    if (c->last_seq < 0 || step == 1) {
        c->seen = (c->seen << 1) | 1;
        c->last_seq = seq;
    } else if (step > 1) {
        count(&g.mark.lost, &g.total.lost, (uint64_t)step - 1);
        c->seen = step < 64 ? (c->seen << step) | 1 : 1;
        c->last_seq = seq;
    } else if (step > -64 && (c->seen >> -step) & 1) {
        count(&g.mark.duplicates, &g.total.duplicates, 1);
    } else {
        count(&g.mark.disorder, &g.total.disorder, 1);
        if (step > -64) {
            c->seen |= 1ull << -step;
            g.mark.lost--; /* may wrap when the hole was counted in an earlier window: report.c clamps */
            g.total.lost--;
        }
    }
}

static void delivered(struct conn *c, const uint8_t *marker, int64_t now)
{
    int64_t ts, seq;
    if (!digits(marker + MARKER_TS_AT, TS_DIGITS, &ts) || !digits(marker + MARKER_SEQ_AT, SEQ_DIGITS, &seq))
        return;
    count(&g.mark.deliveries, &g.total.deliveries, 1);
    check_sequence(c, seq);
    int64_t latency = now - ts;
    record_latency(g.hist, latency);
    if (latency > g.max_latency)
        g.max_latency = latency;
}

/* Finds markers in p. Returns where a marker starts that the end of p cuts off; n when none does. */
static size_t scan(struct conn *c, const uint8_t *p, size_t n, int64_t now)
{
    size_t at = 0;
    while (at < n) {
        const uint8_t *hit = memchr(p + at, '@', n - at);
        if (!hit)
            return n;
        at = (size_t)(hit - p);
        size_t left = n - at;
        if (memcmp(hit, "@TS=", left < 4 ? left : 4) != 0) {
            at++;
        } else if (left < MARKER_BYTES) {
            return at;
        } else if (memcmp(hit + 24, "@SEQ=", 5) == 0 && hit[MARKER_BYTES - 1] == ';') {
            delivered(c, hit, now);
            at += MARKER_BYTES;
        } else {
            at++;
        }
    }
    return n;
}

static void scan_stream(struct conn *c, const uint8_t *p, size_t n, int64_t now)
{
    if (c->carry_len) {
        uint8_t joined[2 * MARKER_BYTES];
        size_t take = n < MARKER_BYTES - 1 ? n : MARKER_BYTES - 1, kept = c->carry_len;
        memcpy(joined, c->carry, kept);
        memcpy(joined + kept, p, take);
        size_t cut = scan(c, joined, kept + take, now);
        if (take == n) { /* all of p is in joined; keep what may still become a marker */
            c->carry_len = (uint8_t)(kept + take - cut);
            memcpy(c->carry, joined + cut, c->carry_len);
            return;
        }
        /* A marker that began in the carry is counted now and its rest does not look like the start
         * of one; a marker that begins in p did not fit into joined. So p is scanned from its start. */
        c->carry_len = 0;
    }
    size_t cut = scan(c, p, n, now);
    c->carry_len = (uint8_t)(n - cut);
    memcpy(c->carry, p + cut, n - cut);
}

static void message_start(struct conn *c, uint8_t tag)
{
    if (c->publisher && tag == g.pub.ack_tag) {
        g.pub.acks++;
        count(&g.mark.acks, &g.total.acks, 1);
    }
}

static void message_end(struct conn *c, int64_t now)
{
    if (c->ready || --c->ready_after > 0)
        return;
    c->ready = true;
    if (c->publisher)
        return;
    if (++g.ready == g.count)
        g.connect_ended = now;
}

static void count_messages(struct conn *c, const uint8_t *p, size_t n, int64_t now)
{
    struct grpc_counter *m = &c->grpc;
    while (n) {
        if (m->head_len < 5) {
            m->head[m->head_len++] = *p++;
            n--;
            if (m->head_len < 5)
                continue;
            m->left = (uint32_t)m->head[1] << 24 | (uint32_t)m->head[2] << 16 | (uint32_t)m->head[3] << 8 | m->head[4];
            m->first = true;
        } else {
            if (m->first && m->left)
                message_start(c, *p);
            m->first = false;
            size_t take = n < m->left ? n : m->left;
            p += take;
            n -= take;
            m->left -= (uint32_t)take;
        }
        if (m->left == 0) {
            m->head_len = 0;
            message_end(c, now);
        }
    }
}

static void sample(uint8_t *to, size_t *len, const uint8_t *p, size_t n)
{
    size_t take = SAMPLE_BYTES - *len < n ? SAMPLE_BYTES - *len : n;
    memcpy(to + *len, p, take);
    *len += take;
}

void payload(struct conn *c, const uint8_t *p, size_t n, int64_t now)
{
    if (c->publisher) {
        if (c->ready)
            sample(g.pub.first_ack, &g.pub.first_ack_len, p, n);
        count_messages(c, p, n, now);
        return;
    }
    if (!c->ready) {
        g.connect_first_byte = now;
        count_messages(c, p, n, now);
        if (c == g.subs)
            sample(g.first_payload, &g.first_payload_len, p, n);
    }
    scan_stream(c, p, n, now);
}
