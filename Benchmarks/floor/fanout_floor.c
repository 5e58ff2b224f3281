/*
 * The least that a broadcast can cost on libevent: as many bufferevents as there are connections, one frame to each, and the 4-byte
 * acknowledgement read back. It answers CONNECT by CONNACK and looks at nothing, so that any MQTT client can be its receiver.
 *
 *   fanout_floor direct|buffered
 *
 * direct: send() on the descriptor while the output buffer is empty, else bufferevent_write; buffered: always bufferevent_write.
 * Prints `ready mqtt=127.0.0.1:PORT`. Standard input: `fanout PAYLOAD ROUNDS` sends ROUNDS frames to all, each when all have
 * acknowledged the one before, and prints `done ACKNOWLEDGED`; `quit` ends it.
 */
#include "common.h"

struct peer {
    struct bufferevent *stream;
    int fd;
    int greeted;
};

static struct event_base *base;
static struct peer **peers;
static size_t peer_count, peer_room;
static int direct;

static unsigned char frame[65536];
static size_t frame_size;
static size_t id_offset;
static uint16_t next_id = 1;
static long rounds_left;
static size_t awaited;
static unsigned long acknowledged;

static void send_round(void);

static void drop(struct peer *peer) {
    for (size_t i = 0; i < peer_count; i++)
        if (peers[i] == peer) {
            peers[i] = peers[--peer_count];
            break;
        }
    bufferevent_free(peer->stream);
    free(peer);
}

static void on_read(struct bufferevent *stream, void *context) {
    struct peer *peer = context;
    struct evbuffer *input = bufferevent_get_input(stream);
    if (!peer->greeted) {
        unsigned char head[2];
        if (evbuffer_copyout(input, head, 2) < 2) return;
        /* A CONNECT of at most 127 bytes, or of two length bytes. */
        size_t length = head[1] & 0x80 ? 0 : 2 + (size_t)head[1];
        if (!length) {
            unsigned char more[3];
            if (evbuffer_copyout(input, more, 3) < 3) return;
            length = 3 + (more[1] & 0x7f) + ((size_t)more[2] << 7);
        }
        if (evbuffer_get_length(input) < length) return;
        evbuffer_drain(input, length);
        peer->greeted = 1;
        static const unsigned char connack[] = {0x20, 0x02, 0x00, 0x00};
        send(peer->fd, connack, sizeof connack, MSG_NOSIGNAL);
        return;
    }
    size_t length = evbuffer_get_length(input);
    size_t acks = length / 4;
    evbuffer_drain(input, acks * 4);
    acknowledged += acks;
    if (awaited) {
        awaited -= acks < awaited ? acks : awaited;
        if (!awaited) {
            if (rounds_left) {
                send_round();
            } else {
                printf("done %lu\n", acknowledged);
                fflush(stdout);
            }
        }
    }
}

static void on_event(struct bufferevent *stream, short what, void *context) {
    (void)stream;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) drop(context);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int length, void *context) {
    (void)listener, (void)address, (void)length, (void)context;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct peer *peer = calloc(1, sizeof *peer);
    peer->fd = fd;
    peer->stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(peer->stream, on_read, NULL, on_event, peer);
    bufferevent_setwatermark(peer->stream, EV_READ, 0, 32 * 1024);
    bufferevent_enable(peer->stream, EV_READ);
    if (peer_count == peer_room) {
        peer_room = peer_room ? peer_room * 2 : 1024;
        peers = realloc(peers, peer_room * sizeof *peers);
    }
    peers[peer_count++] = peer;
}

/* A PUBLISH at QoS 1 with the server's own topic. */
static void make_frame(size_t payload) {
    static const char topic[] = "psp/push/msg";
    size_t remaining = 2 + sizeof topic - 1 + 2 + payload;
    size_t at = 0;
    frame[at++] = 0x32;
    for (size_t rest = remaining;;) {
        unsigned char byte = rest & 0x7f;
        rest >>= 7;
        frame[at++] = rest ? byte | 0x80 : byte;
        if (!rest) break;
    }
    frame[at++] = 0;
    frame[at++] = sizeof topic - 1;
    memcpy(frame + at, topic, sizeof topic - 1);
    at += sizeof topic - 1;
    id_offset = at;
    at += 2;
    memset(frame + at, 'x', payload);
    frame_size = at + payload;
}

static void send_round(void) {
    rounds_left--;
    awaited = peer_count;
    uint16_t id = next_id++;
    if (!next_id) next_id = 1;
    for (size_t i = 0; i < peer_count; i++) {
        struct peer *peer = peers[i];
        /* Each receiver has its own packet identifier in a real server. */
        frame[id_offset] = id >> 8;
        frame[id_offset + 1] = id & 0xff;
        size_t sent = 0;
        if (direct && evbuffer_get_length(bufferevent_get_output(peer->stream)) == 0) {
            ssize_t result = send(peer->fd, frame, frame_size, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (result > 0) sent = (size_t)result;
        }
        if (sent < frame_size) bufferevent_write(peer->stream, frame + sent, frame_size - sent);
    }
}

static void on_order(struct bufferevent *stream, void *context) {
    (void)context;
    char *line;
    while ((line = evbuffer_readln(bufferevent_get_input(stream), NULL, EVBUFFER_EOL_LF))) {
        size_t payload;
        long rounds;
        if (strcmp(line, "quit") == 0) event_base_loopexit(base, NULL);
        else if (sscanf(line, "fanout %zu %ld", &payload, &rounds) == 2 && payload < 60000 && rounds > 0 && peer_count > 0) {
            make_frame(payload);
            acknowledged = 0;
            rounds_left = rounds;
            send_round();
        } else {
            printf("error\n");
            fflush(stdout);
        }
        free(line);
    }
}

static void on_order_end(struct bufferevent *stream, short what, void *context) {
    (void)stream, (void)what, (void)context;
    event_base_loopexit(base, NULL);
}

int main(int count, char **arguments) {
    if (count != 2 || (strcmp(arguments[1], "direct") && strcmp(arguments[1], "buffered"))) {
        fprintf(stderr, "usage: fanout_floor direct|buffered\n");
        return 2;
    }
    direct = strcmp(arguments[1], "direct") == 0;
    base = make_base();
    struct sockaddr_in address = loopback();
    struct evconnlistener *listener = evconnlistener_new_bind(
        base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 4096, (struct sockaddr *)&address,
        sizeof address);
    if (!listener) {
        fprintf(stderr, "cannot listen\n");
        return 2;
    }
    /* The orders come by a pipe, which bufferevent reads as it would a socket. */
    evutil_make_socket_nonblocking(0);
    struct bufferevent *orders = bufferevent_socket_new(base, 0, 0);
    bufferevent_setcb(orders, on_order, NULL, on_order_end, NULL);
    bufferevent_enable(orders, EV_READ);
    printf("ready mqtt=127.0.0.1:%d\n", port_of(evconnlistener_get_fd(listener)));
    fflush(stdout);
    event_base_dispatch(base);
    return 0;
}
