/* Sockets: non-blocking connect, write with a pending buffer, read into one shared buffer. */
#include "loadgen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void watch(struct conn *c, int how, bool writes)
{
    struct epoll_event event = {.events = EPOLLIN | (writes ? EPOLLOUT : 0u), .data.ptr = c};
    epoll_ctl(g.epoll, how, c->fd, &event);
    c->wants_write = writes;
}

static void append_out(struct conn *c, const void *data, size_t len)
{
    if (c->out_len + len > c->out_cap) {
        c->out_cap = (c->out_len + len) * 2;
        c->out = realloc(c->out, c->out_cap);
        if (!c->out)
            abort();
    }
    memcpy(c->out + c->out_len, data, len);
    c->out_len += len;
}

bool conn_open(struct conn *c, int port, const struct blob *handshake)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) {
        conn_fail(c, strerror(errno), NULL, 0);
        return false;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
        conn_fail(c, strerror(errno), NULL, 0);
        return false;
    }
    c->state = STATE_CONNECTING;
    append_out(c, handshake->data, handshake->len);
    watch(c, EPOLL_CTL_ADD, true);
    return true;
}

void conn_connected(struct conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        conn_fail(c, strerror(error), NULL, 0);
        return;
    }
    c->state = STATE_OPEN;
    if (c->wire == WIRE_H2)
        h2_start(c);
    else
        h1_start(c);
}

void conn_flush(struct conn *c)
{
    while (c->out_len) {
        ssize_t sent = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN && errno != EINTR)
                conn_fail(c, strerror(errno), NULL, 0);
            return;
        }
        c->out_len -= (size_t)sent;
        memmove(c->out, c->out + sent, c->out_len);
    }
    if (c->wants_write)
        watch(c, EPOLL_CTL_MOD, false);
}

void conn_write(struct conn *c, const void *data, size_t len)
{
    if (c->state != STATE_OPEN)
        return;
    if (c->out_len == 0) {
        ssize_t sent = send(c->fd, data, len, MSG_NOSIGNAL);
        if (sent == (ssize_t)len)
            return;
        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            conn_fail(c, strerror(errno), NULL, 0);
            return;
        }
        if (sent > 0) {
            data = (const uint8_t *)data + sent;
            len -= (size_t)sent;
        }
    }
    append_out(c, data, len);
    if (!c->wants_write)
        watch(c, EPOLL_CTL_MOD, true);
}

void conn_close(struct conn *c)
{
    if (c->fd > 0)
        close(c->fd); /* also leaves the epoll set */
    c->fd = -1;
    free(c->out);
    c->out = NULL;
    c->out_len = c->out_cap = 0;
    if (c->wire == WIRE_H1) {
        free(c->in.h1.head);
        c->in.h1.head = NULL;
    }
}

/* Keeps the reason of the first failure; the socket is closed by the reader, never under a parser. */
void conn_fail(struct conn *c, const char *why, const uint8_t *detail, size_t len)
{
    if (c->state == STATE_FAILED)
        return;
    c->state = STATE_FAILED;
    if (!g.failure[0]) {
        snprintf(g.failure, sizeof g.failure, "%s%s", c->publisher ? "publisher: " : "", why);
        g.failure_len = len < CONTROL_BYTES ? len : CONTROL_BYTES;
        if (g.failure_len)
            memcpy(g.failure_bytes, detail, g.failure_len);
    }
    if (!c->publisher)
        g.failed++;
}

void conn_readable(struct conn *c)
{
    static uint8_t buffer[READ_BYTES];
    ssize_t got = recv(c->fd, buffer, sizeof buffer, 0);
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR)
            conn_fail(c, strerror(errno), NULL, 0);
        return;
    }
    if (got == 0) {
        conn_fail(c, "closed by the server", NULL, 0);
        return;
    }
    if (!c->publisher) {
        g.mark.reads++;
        g.total.reads++;
        g.mark.bytes += (uint64_t)got;
        g.total.bytes += (uint64_t)got;
    }
    if (c->wire == WIRE_H2)
        h2_feed(c, buffer, (size_t)got, now_ns());
    else
        h1_feed(c, buffer, (size_t)got, now_ns());
}
