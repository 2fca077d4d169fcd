/* HTTP/2, the receiving half of one stream: SETTINGS and PING are answered, windows kept open, the
 * peer's windows obeyed, and everything that ends the stream is a failure. Header blocks are not decoded. */
#include "loadgen.h"

#include <string.h>

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
enum { END_STREAM = 0x1, ACK = 0x1, PADDED = 0x8 };
enum { SETTING_INITIAL_WINDOW = 4, SETTING_MAX_FRAME = 5, DEFAULT_WINDOW = 65535, DEFAULT_FRAME = 16384 };
static const uint64_t REOPEN_AFTER = 1u << 30; /* windows start at 2^31-1: give back each half */

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

void h2_start(struct conn *c)
{
    memset(&c->in.h2, 0, sizeof c->in.h2);
    c->in.h2.window = c->in.h2.stream_window = c->in.h2.initial_window = DEFAULT_WINDOW;
    c->in.h2.max_frame = DEFAULT_FRAME;
}

static void send_control(struct conn *c, uint8_t type, uint8_t flags, uint32_t stream, const uint8_t *body, uint8_t len)
{
    uint8_t frame[9 + 8] = {0, 0, len, type, flags};
    put_u32(frame + 5, stream);
    if (len)
        memcpy(frame + 9, body, len);
    conn_write(c, frame, 9u + len);
}

static void reopen_windows(struct conn *c)
{
    uint8_t body[4];
    put_u32(body, (uint32_t)c->in.h2.unacknowledged);
    send_control(c, WINDOW_UPDATE, 0, 0, body, 4);
    send_control(c, WINDOW_UPDATE, 0, 1, body, 4);
    c->in.h2.unacknowledged = 0;
}

static void settings(struct conn *c, struct h2_parser *h)
{
    if (h->flags & ACK)
        return;
    for (uint32_t i = 0; i + 6 <= h->control_len; i += 6) {
        unsigned id = (unsigned)h->control[i] << 8 | h->control[i + 1];
        int64_t value = u32(h->control + i + 2);
        if (id == SETTING_INITIAL_WINDOW) {
            h->stream_window += value - h->initial_window;
            h->initial_window = value;
        } else if (id == SETTING_MAX_FRAME) {
            h->max_frame = value;
        }
    }
    send_control(c, SETTINGS, ACK, 0, NULL, 0);
}

static void window_update(struct h2_parser *h)
{
    int64_t by = u32(h->control) & 0x7fffffff;
    if (h->stream == 0)
        h->window += by;
    else
        h->stream_window += by;
}

static void frame_end(struct conn *c, struct h2_parser *h)
{
    switch (h->type) {
    case DATA:
        if (h->flags & END_STREAM)
            conn_fail(c, "END_STREAM on DATA", NULL, 0);
        break;
    case HEADERS:
        if (h->flags & END_STREAM)
            conn_fail(c, "stream ended by trailers", h->control, h->control_len);
        break;
    case RST_STREAM:
        conn_fail(c, "RST_STREAM", h->control, h->control_len);
        break;
    case GOAWAY:
        conn_fail(c, "GOAWAY", h->control, h->control_len);
        break;
    case SETTINGS:
        settings(c, h);
        break;
    case PING:
        if (!(h->flags & ACK) && h->control_len == 8)
            send_control(c, PING, ACK, 0, h->control, 8);
        break;
    case WINDOW_UPDATE:
        if (h->control_len == 4)
            window_update(h);
        break;
    default: /* CONTINUATION, PRIORITY and unknown types carry nothing we need */
        break;
    }
    h->head_len = 0;
}

static void frame_start(struct h2_parser *h)
{
    h->left = (uint32_t)h->head[0] << 16 | (uint32_t)h->head[1] << 8 | h->head[2];
    h->type = h->head[3];
    h->flags = h->head[4];
    h->stream = u32(h->head + 5) & 0x7fffffff;
    h->control_len = 0;
    h->pad = 0;
    h->pad_known = !(h->type == DATA && (h->flags & PADDED));
    if (h->type == DATA)
        h->unacknowledged += h->left;
}

static size_t data(struct conn *c, struct h2_parser *h, const uint8_t *p, size_t n, int64_t now)
{
    if (!h->pad_known) {
        h->pad = *p;
        h->pad_known = true;
        return 1;
    }
    if (h->left <= h->pad)
        return n;
    size_t bytes = n < h->left - h->pad ? n : h->left - h->pad;
    payload(c, p, bytes, now);
    return bytes;
}

static size_t body(struct conn *c, struct h2_parser *h, const uint8_t *p, size_t n, int64_t now)
{
    if (h->type == DATA)
        return data(c, h, p, n, now);
    size_t room = CONTROL_BYTES - h->control_len, take = n < room ? n : room;
    memcpy(h->control + h->control_len, p, take);
    h->control_len += (uint32_t)take;
    return n;
}

void h2_feed(struct conn *c, const uint8_t *p, size_t n, int64_t now)
{
    struct h2_parser *h = &c->in.h2;
    while (n && c->state == STATE_OPEN) {
        size_t take;
        if (h->head_len < 9) {
            take = n < 9u - h->head_len ? n : 9u - h->head_len;
            memcpy(h->head + h->head_len, p, take);
            h->head_len += (uint8_t)take;
            if (h->head_len == 9)
                frame_start(h);
        } else {
            take = body(c, h, p, n < h->left ? n : h->left, now);
            h->left -= (uint32_t)take;
        }
        p += take;
        n -= take;
        if (h->head_len == 9 && h->left == 0)
            frame_end(c, h);
    }
    if (h->unacknowledged >= REOPEN_AFTER && c->state == STATE_OPEN)
        reopen_windows(c);
}
