/* Answers to the parent: one JSON object per line. */
#include "loadgen.h"

#include <stdio.h>
#include <string.h>

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

static void hex(const char *name, const uint8_t *p, size_t n)
{
    printf(",\"%s\":\"", name);
    for (size_t i = 0; i < n; i++)
        printf("%02x", p[i]);
    printf("\"");
}

static void counters(const struct counters *c, const uint64_t *hist, int64_t max)
{
    double cpu = cpu_seconds() - c->cpu_start;
    int64_t lost = (int64_t)c->lost;
    printf("\"seconds\":%.6f,\"deliveries\":%llu,\"received_bytes\":%llu,\"reads\":%llu,\"published\":%llu,\"acks\":%llu",
           seconds(now_ns() - c->started), (unsigned long long)c->deliveries, (unsigned long long)c->bytes,
           (unsigned long long)c->reads, (unsigned long long)c->published, (unsigned long long)c->acks);
    printf(",\"lost\":%lld,\"duplicates\":%llu,\"disorder\":%llu,\"failed\":%zu", (long long)(lost < 0 ? 0 : lost),
           (unsigned long long)c->duplicates, (unsigned long long)c->disorder, g.failed);
    printf(",\"cpu_seconds\":%.6f,\"cpu_us_per_delivery\":%.4f", cpu,
           c->deliveries ? cpu * 1e6 / (double)c->deliveries : 0.0);
    printf(",\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f", percentile_us(hist, 0.50), percentile_us(hist, 0.99),
           (double)max / 1e3);
}

static void end_line(void)
{
    if (g.failure[0]) {
        printf(",\"failure\":\"%s\"", g.failure);
        hex("failure_bytes", g.failure_bytes, g.failure_len);
    }
    printf("}\n");
    fflush(stdout);
}

void counters_reset(void)
{
    for (int i = 0; i < HIST_BUCKETS; i++)
        g.hist_total[i] += g.hist[i];
    if (g.max_latency > g.max_latency_total)
        g.max_latency_total = g.max_latency;
    memset(g.hist, 0, HIST_BUCKETS * sizeof *g.hist);
    memset(&g.mark, 0, sizeof g.mark);
    g.max_latency = 0;
    g.mark.started = now_ns();
    g.mark.cpu_start = cpu_seconds();
}

void report_window(void)
{
    printf("{\"answer\":\"window\",");
    counters(&g.mark, g.hist, g.max_latency);
    end_line();
    counters_reset();
}

void report_total(const char *what, bool complete)
{
    uint64_t hist[HIST_BUCKETS];
    for (int i = 0; i < HIST_BUCKETS; i++)
        hist[i] = g.hist_total[i] + g.hist[i];
    int64_t max = g.max_latency > g.max_latency_total ? g.max_latency : g.max_latency_total;
    printf("{\"answer\":\"%s\",\"complete\":%s,", what, complete ? "true" : "false");
    counters(&g.total, hist, max);
    printf(",\"in_flight\":%llu", (unsigned long long)publish_in_flight());
    hex("first_ack", g.pub.first_ack, g.pub.first_ack_len);
    end_line();
}

void report_connect(void)
{
    int64_t ended = g.connect_ended ? g.connect_ended : now_ns();
    printf("{\"answer\":\"connected\",\"connections\":%zu,\"ready\":%zu,\"failed\":%zu,\"seconds\":%.6f", g.count,
           g.ready, g.failed, seconds(ended - g.connect_started));
    printf(",\"last_first_byte_seconds\":%.6f,\"cpu_seconds\":%.6f",
           seconds(g.connect_first_byte - g.connect_started), cpu_seconds() - g.mark.cpu_start);
    hex("first_payload", g.first_payload, g.first_payload_len);
    end_line();
}

void report_error(const char *what)
{
    printf("{\"answer\":\"error\",\"error\":\"%s\"", what);
    end_line();
}
