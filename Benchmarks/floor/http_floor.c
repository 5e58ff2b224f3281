/* The least that a POST can cost on evhttp: reads a request and gives one fixed reply. Prints `ready http=127.0.0.1:PORT`. */
#include "common.h"

static const char reply[] = "{\"ret\":\"SUCCESS\",\"data\":{\"task_id\":\"0123456789abcdef0123456789abcdef\"}}";

static void answer(struct evhttp_request *request, void *context) {
    (void)context;
    struct evbuffer *body = evbuffer_new();
    evbuffer_add(body, reply, sizeof reply - 1);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json; charset=utf-8");
    evhttp_send_reply(request, 200, NULL, body);
    evbuffer_free(body);
}

int main(void) {
    struct event_base *base = make_base();
    struct evhttp *http = evhttp_new(base);
    evhttp_set_max_headers_size(http, 32 * 1024);
    evhttp_set_max_body_size(http, 128 * 1024);
    evhttp_set_timeout(http, 60);
    evhttp_set_gencb(http, answer, NULL);
    struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
    if (!bound) {
        fprintf(stderr, "cannot listen\n");
        return 2;
    }
    printf("ready http=127.0.0.1:%d\n", port_of(evhttp_bound_socket_get_fd(bound)));
    fflush(stdout);
    event_base_dispatch(base);
    return 0;
}
