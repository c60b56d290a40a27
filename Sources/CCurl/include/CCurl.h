// One HTTP exchange at a time on a libcurl handle that keeps its connections.
//
// Why libcurl itself: Foundation's URLSession on Linux is this very library, but hides the one
// callback that matters here, `CURLOPT_OPENSOCKETFUNCTION`: it is handed the address curl is about
// to connect to, so what was checked is what is connected to, whatever the name resolves to next.
#ifndef CCURL_H
#define CCURL_H

#include <stddef.h>
#include <stdint.h>

enum {
    CARREL_HTTP_OK = 0,
    // An address was refused by `allow`, and no other was tried.
    CARREL_HTTP_REFUSED = 1,
    // A callback asked to stop.
    CARREL_HTTP_STOPPED = 2,
    CARREL_HTTP_BAD_URL = 3,
    CARREL_HTTP_UNKNOWN_HOST = 4,
    CARREL_HTTP_NO_CONNECTION = 5,
    CARREL_HTTP_TIMED_OUT = 6,
    CARREL_HTTP_TLS = 7,
    // The answer broke off, or is not HTTP.
    CARREL_HTTP_BROKEN = 8,
};

typedef struct {
    const char *method;
    const char *url;
    // Lines "Name: value", ended by NULL.
    const char *const *headers;
    // Bytes `read` will give; negative without a body.
    int64_t body_size;
    // No answer after so long, whatever is under way; and less than 1 KiB/s for so long.
    long timeout_ms, stall_ms;

    void *context;
    // Whether this address (4 or 16 bytes, network order) may be connected to.
    int (*allow)(void *context, const uint8_t *address, size_t count);
    // Fills at most `count` bytes; SIZE_MAX stops.
    size_t (*read)(void *context, uint8_t *bytes, size_t count);
    // A header line, the status line included, and a piece of the body; nonzero stops.
    int (*header)(void *context, const uint8_t *bytes, size_t count);
    int (*write)(void *context, const uint8_t *bytes, size_t count);
    // Asked now and then; nonzero stops.
    int (*cancelled)(void *context);
} carrel_http_request;

typedef struct carrel_http carrel_http;

// NULL without memory.
carrel_http *carrel_http_new(void);
void carrel_http_free(carrel_http *http);

// Blocks. `status` is the answer's, 0 without one.
int carrel_http_perform(carrel_http *http, const carrel_http_request *request, long *status);

#endif
