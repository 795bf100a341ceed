/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/api/client.h"
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "controlplane/pools/clock.h"

enum { ANSWER_MAX = 4 << 20, ANSWER_MS = 5000 };

int client_connect(const char *socket_path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof sun.sun_path, "%s", socket_path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void turn(struct event_base *base)
{
	const struct timeval pause = { .tv_usec = 1000 };

	event_base_loopexit(base, &pause);
	event_base_dispatch(base);
}

static void parse(struct answer *a)
{
	char *end = strstr(a->text, "\r\n\r\n");

	if (sscanf(a->text, "HTTP/1.%*d %d", &a->status) != 1)
		a->status = 0;
	a->body = end ? end + 4 : a->text + strlen(a->text);
	a->json = json_loads(a->body, 0, NULL);
}

struct answer client_send(
	struct event_base *base, const char *socket_path, const char *bytes, size_t len)
{
	struct answer a = { .text = malloc(ANSWER_MAX + 1) };
	int fd = client_connect(socket_path);
	uint64_t end = clock_ms() + ANSWER_MS;
	size_t sent = 0, got = 0;
	ssize_t n;

	assert_non_null(a.text);
	for (;;) {
		assert_true(clock_ms() < end);
		if (sent < len) {
			n = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);
			/* A server that has refused does not read on. */
			sent = n >= 0 ? sent + (size_t)n : errno == EAGAIN ? sent : len;
		}
		turn(base);
		n = recv(fd, a.text + got, ANSWER_MAX - got, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		got += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	a.text[got] = '\0';
	parse(&a);
	return a;
}

struct answer client_request(struct event_base *base, const char *socket_path, const char *method,
	const char *path, const char *body)
{
	struct answer a;
	char *bytes;
	int len = asprintf(&bytes,
		"%s %s HTTP/1.1\r\nHost: tandem\r\nConnection: close\r\nContent-Length: "
		"%zu\r\n\r\n%s",
		method, path, body ? strlen(body) : 0, body ? body : "");

	assert_true(len > 0);
	a = client_send(base, socket_path, bytes, (size_t)len);
	free(bytes);
	return a;
}

void answer_free(struct answer *a)
{
	json_decref(a->json);
	free(a->text);
	*a = (struct answer){ 0 };
}
