// libevent as Swift sees it: the public headers, and inline functions only for what Swift cannot call (macros, variadics, GNU
// extensions, the walk along a TAILQ). No libevent struct is laid open here but `evkeyval`, which the macro of the header list
// needs; everything else stays an opaque pointer.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <event2/thread.h>
#include <event2/util.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

// A GNU extension, declared here: with _GNU_SOURCE the system's headers would differ from the ones that Swift's own Glibc module
// has read.
extern int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);

static inline void ps_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

/// An eventfd that the loop sleeps on. Returns -1 with `errno` set.
static inline int ps_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

static inline int ps_eventfd_wake(int descriptor) { return eventfd_write(descriptor, 1); }

/// The epoll instance that watches a descriptor for reading, as libevent does; it is watched by one at most. Asks each: nothing
/// changes where it is watched, and nothing is done where it is not. Returns -1 with `errno` set when there is none.
static inline int ps_epoll_that_watches(int descriptor) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    for (int candidate = 0; (rlim_t)candidate < limit.rlim_cur; candidate++) {
        struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};
        if (epoll_ctl(candidate, EPOLL_CTL_MOD, descriptor, &event) == 0) return candidate;
    }
    errno = ENOENT;
    return -1;
}

// Sockets.

static inline int ps_socket(int family) { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP); }

static inline int ps_accept(int listener, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    return accept4(listener, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline ssize_t ps_send(int descriptor, const void *bytes, size_t count) {
    return send(descriptor, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static inline int ps_set_option(int descriptor, int level, int name, int value) {
    return setsockopt(descriptor, level, name, &value, sizeof value);
}

/// 1: a socket that listens.
static inline int ps_is_listening(int descriptor) {
    int listens = 0;
    socklen_t length = sizeof listens;
    return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens;
}

/// What `ps_socket` does from the beginning. Returns -1 with `errno` set.
static inline int ps_prepare_inherited(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) return -1;
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

static inline int ps_shutdown_write(int descriptor) { return shutdown(descriptor, SHUT_WR); }

static inline int ps_bind(int descriptor, const struct sockaddr_storage *address, socklen_t length) {
    return bind(descriptor, (const struct sockaddr *)address, length);
}

static inline int ps_connect(int descriptor, const struct sockaddr_storage *address, socklen_t length) {
    return connect(descriptor, (const struct sockaddr *)address, length);
}

/// What has become of a connection that was begun: 0 where it stands, else an `errno`.
static inline int ps_socket_error(int descriptor) {
    int code = 0;
    socklen_t length = sizeof code;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno;
}

static inline int ps_local_address(int descriptor, struct sockaddr_storage *address) {
    socklen_t length = sizeof *address;
    return getsockname(descriptor, (struct sockaddr *)address, &length);
}

static inline int ps_peer_address(int descriptor, struct sockaddr_storage *address) {
    socklen_t length = sizeof *address;
    return getpeername(descriptor, (struct sockaddr *)address, &length);
}

/// 1: something can be read, or a connection waits in the listener's queue.
static inline int ps_is_readable(int descriptor) {
    struct pollfd poll_descriptor = {descriptor, POLLIN, 0};
    return poll(&poll_descriptor, 1, 0) == 1 && (poll_descriptor.revents & POLLIN) != 0;
}

/// 1: the other end has closed its side, or reset the connection; something that it sent before may still wait to be read.
static inline int ps_is_ended(int descriptor) {
    // POLLRDHUP, which <poll.h> names only for _GNU_SOURCE.
    const short hung_up = 0x2000;
    struct pollfd poll_descriptor = {descriptor, hung_up, 0};
    return poll(&poll_descriptor, 1, 0) == 1 && (poll_descriptor.revents & (hung_up | POLLHUP | POLLERR)) != 0;
}

// libevent's macros.

static inline short ps_ev_read(void) { return EV_READ; }
static inline short ps_ev_write(void) { return EV_WRITE; }
static inline short ps_ev_persist(void) { return EV_PERSIST; }
static inline short ps_ev_edge(void) { return EV_ET; }

// evhttp's header list: the accessor knows only the first header of a name.

static inline struct evkeyval *ps_first_header(const struct evkeyvalq *headers) { return headers ? headers->tqh_first : NULL; }
static inline struct evkeyval *ps_next_header(const struct evkeyval *header) { return header->next.tqe_next; }
static inline const char *ps_header_name(const struct evkeyval *header) { return header->key; }
static inline const char *ps_header_value(const struct evkeyval *header) { return header->value; }
