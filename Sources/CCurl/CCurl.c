#include "CCurl.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct carrel_http {
    CURL *curl;
    const carrel_http_request *request;
    int refused;
};

carrel_http *carrel_http_new(void) {
    carrel_http *http = calloc(1, sizeof *http);
    if (!http) return NULL;
    http->curl = curl_easy_init();
    if (!http->curl) {
        free(http);
        return NULL;
    }
    return http;
}

void carrel_http_free(carrel_http *http) {
    if (!http) return;
    curl_easy_cleanup(http->curl);
    free(http);
}

// The address checked here is the one connect(2) gets. After one refusal no other is tried: a name
// that points inside at all is not trusted.
static curl_socket_t open_checked(void *data, curlsocktype purpose, struct curl_sockaddr *to) {
    carrel_http *http = data;
    const carrel_http_request *request = http->request;
    const uint8_t *bytes = NULL;
    size_t count = 0;
    if (to->family == AF_INET) {
        bytes = (const uint8_t *)&((const struct sockaddr_in *)(const void *)&to->addr)->sin_addr;
        count = 4;
    } else if (to->family == AF_INET6) {
        bytes = (const uint8_t *)&((const struct sockaddr_in6 *)(const void *)&to->addr)->sin6_addr;
        count = 16;
    }
    if (purpose != CURLSOCKTYPE_IPCXN || http->refused || !bytes ||
        !request->allow(request->context, bytes, count)) {
        http->refused = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t on_read(char *bytes, size_t size, size_t count, void *data) {
    const carrel_http_request *request = ((carrel_http *)data)->request;
    size_t given = request->read(request->context, (uint8_t *)bytes, size * count);
    return given == SIZE_MAX ? CURL_READFUNC_ABORT : given;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data) {
    const carrel_http_request *request = ((carrel_http *)data)->request;
    size_t length = size * count;
    return request->header(request->context, (const uint8_t *)bytes, length) ? 0 : length;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *data) {
    const carrel_http_request *request = ((carrel_http *)data)->request;
    size_t length = size * count;
    return request->write(request->context, (const uint8_t *)bytes, length) ? 0 : length;
}

static int on_progress(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    const carrel_http_request *request = ((carrel_http *)data)->request;
    return request->cancelled(request->context);
}

static int outcome(const carrel_http *http, CURLcode code) {
    if (code == CURLE_OK) return CARREL_HTTP_OK;
    if (http->refused) return CARREL_HTTP_REFUSED;
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_WRITE_ERROR:
        return CARREL_HTTP_STOPPED;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return CARREL_HTTP_BAD_URL;
    case CURLE_COULDNT_RESOLVE_HOST:
        return CARREL_HTTP_UNKNOWN_HOST;
    case CURLE_COULDNT_CONNECT:
        return CARREL_HTTP_NO_CONNECTION;
    case CURLE_OPERATION_TIMEDOUT:
        return CARREL_HTTP_TIMED_OUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return CARREL_HTTP_TLS;
    default:
        return CARREL_HTTP_BROKEN;
    }
}

int carrel_http_perform(carrel_http *http, const carrel_http_request *request, long *status) {
    CURL *curl = http->curl;
    http->request = request;
    http->refused = 0;
    *status = 0;

    struct curl_slist *headers = NULL;
    for (const char *const *line = request->headers; *line; line++) {
        struct curl_slist *longer = curl_slist_append(headers, *line);
        if (!longer) {
            curl_slist_free_all(headers);
            return CARREL_HTTP_BROKEN;
        }
        headers = longer;
    }

    // Keeps the connections; everything else is set anew.
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    // No redirect is followed, and no proxy of the environment hides where we connect to.
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    // An object's name may hold "/../", and was signed as it is.
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 128L << 10);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_ms);
    long connect = request->timeout_ms < 10000 ? request->timeout_ms : 10000;
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (request->stall_ms + 999) / 1000);

    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_checked);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, http);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);

    if (request->body_size >= 0) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, http);
    } else if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);

    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    int result = outcome(http, code);
    // Nothing of this exchange stays behind in the handle, its callbacks' context least of all.
    curl_easy_reset(curl);
    curl_slist_free_all(headers);
    http->request = NULL;
    return result;
}
