/* HTTP/1.1: one response with status 200 and a chunked body that is not meant to end. */
#include "loadgen.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void h1_start(struct conn *c)
{
    memset(&c->in.h1, 0, sizeof c->in.h1);
    c->in.h1.head = malloc(HEAD_BYTES);
}

static bool is_chunked(const char *head)
{
    for (const char *line = strchr(head, '\n'); line; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, "transfer-encoding: chunked", 26) == 0)
            return true;
    }
    return false;
}

static size_t head(struct conn *c, struct h1_parser *h, const uint8_t *p)
{
    if (h->head_len + 1 >= HEAD_BYTES) {
        conn_fail(c, "response head too long", h->head, CONTROL_BYTES);
        return 1;
    }
    h->head[h->head_len++] = *p;
    if (h->head_len < 4 || memcmp(h->head + h->head_len - 4, "\r\n\r\n", 4) != 0)
        return 1;
    h->head[h->head_len] = 0;
    if (strncmp((char *)h->head, "HTTP/1.1 200", 12) != 0)
        conn_fail(c, "status is not 200", h->head, h->head_len);
    else if (!is_chunked((char *)h->head))
        conn_fail(c, "response is not chunked", h->head, h->head_len);
    free(h->head);
    h->head = NULL;
    h->at = H1_SIZE;
    return 1;
}

static int hex_digit(uint8_t b)
{
    if (b >= '0' && b <= '9')
        return b - '0';
    b |= 0x20;
    return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

static void size_byte(struct conn *c, struct h1_parser *h, uint8_t b)
{
    int digit = hex_digit(b);
    if (h->at == H1_SIZE && digit >= 0 && h->digits < 8) {
        h->left = h->left << 4 | (unsigned)digit;
        h->digits++;
    } else if (b == '\n' && h->digits) {
        if (h->left == 0)
            conn_fail(c, "response ended", NULL, 0);
        h->at = H1_DATA;
        h->digits = 0;
    } else if (b == '\r' || b == ';' || h->at == H1_SIZE_EXT) {
        h->at = H1_SIZE_EXT;
    } else {
        conn_fail(c, "bad chunk size", &b, 1);
    }
}

static size_t chunk(struct conn *c, struct h1_parser *h, const uint8_t *p, size_t n, int64_t now)
{
    size_t take = n < h->left ? n : h->left;
    payload(c, p, take, now);
    h->left -= take;
    if (h->left == 0)
        h->at = H1_DATA_END;
    return take;
}

void h1_feed(struct conn *c, const uint8_t *p, size_t n, int64_t now)
{
    struct h1_parser *h = &c->in.h1;
    while (n && c->state == STATE_OPEN) {
        size_t take = 1;
        switch (h->at) {
        case H1_HEAD:
            take = head(c, h, p);
            break;
        case H1_SIZE:
        case H1_SIZE_EXT:
            size_byte(c, h, *p);
            break;
        case H1_DATA:
            take = chunk(c, h, p, n, now);
            break;
        case H1_DATA_END:
            if (*p == '\n')
                h->at = H1_SIZE;
            break;
        }
        p += take;
        n -= take;
    }
}
