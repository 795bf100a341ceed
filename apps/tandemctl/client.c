/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandemctl/client.h"
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include "apps/tandemctl/text.h"

#define CLIENT_LARGEST (64u << 20) /* bytes of an answer; 4,096 servers make about 2 MiB */

struct client {
	CURL *curl;
	struct curl_slist *headers;
	const char *path;
	long timeout_ms;
};

int client_new(struct client **out, const char *path, long timeout_ms, struct err *e)
{
	struct client *c;

	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(
			e, -ENAMETOOLONG, "the path of the socket is too long: %.120s…", path);
	c = text_zalloc(1, sizeof *c);
	c->path = path;
	c->timeout_ms = timeout_ms;
	c->curl = curl_easy_init();
	c->headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (!c->curl || !c->headers) {
		client_free(c);
		return err_set(e, -ENOMEM, "out of memory");
	}
	*out = c;
	return 0;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	curl_slist_free_all(c->headers);
	curl_easy_cleanup(c->curl);
	free(c);
}

const char *client_socket(const struct client *c)
{
	return c->path;
}

static size_t client_receive(char *bytes, size_t size, size_t n, void *arg)
{
	struct client_reply *r = arg;
	size_t more = size * n;
	char *body;

	if (more > CLIENT_LARGEST - r->length)
		return 0;
	body = realloc(r->body, r->length + more + 1);
	if (!body)
		return 0;
	memcpy(body + r->length, bytes, more);
	r->body = body;
	r->length += more;
	body[r->length] = '\0';
	return more;
}

/* The sentence for a call that got no answer. */
static int client_failure(const struct client *c, CURLcode code, struct err *e)
{
	long os_error = 0;

	curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &os_error);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(e, -ETIMEDOUT, "no answer from %s within %g seconds", c->path,
			(double)c->timeout_ms / 1000);
	if (code == CURLE_COULDNT_CONNECT && (os_error == EACCES || os_error == EPERM))
		return err_set(e, -EACCES,
			"no permission to use %s: be root, or a member of the group that api.group "
			"names in "
			"tandem.conf",
			c->path);
	if (code == CURLE_COULDNT_CONNECT)
		return err_set(e, -ECONNREFUSED, "tandemd does not answer on %s: %s", c->path,
			os_error ? strerror((int)os_error) : curl_easy_strerror(code));
	if (code == CURLE_WRITE_ERROR)
		return err_set(e, -EPROTO, "the answer from %s is larger than this program reads",
			c->path);
	return err_set(
		e, -EPROTO, "no usable answer from %s: %s", c->path, curl_easy_strerror(code));
}

static void client_prepare(struct client *c, const char *method, const char *url, const char *body,
	struct client_reply *out)
{
	CURL *h = c->curl;

	curl_easy_reset(h);
	curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, c->path);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L); /* a name may be ".." and is not to climb */
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, c->timeout_ms);
	curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, client_receive);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, out);
	if (body) {
		curl_easy_setopt(h, CURLOPT_HTTPHEADER, c->headers);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, body);
	}
}

int client_call(struct client *c, const char *method, const char *target, const char *body,
	struct client_reply *out, struct err *e)
{
	char *url = text_printf("http://tandem%s", target);
	CURLcode code;

	*out = (struct client_reply){ 0 };
	client_prepare(c, method, url, body, out);
	code = curl_easy_perform(c->curl);
	free(url);
	if (code != CURLE_OK) {
		client_reply_clear(out);
		return client_failure(c, code, e);
	}
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &out->status);
	return 0;
}

/* A stream in work. */
struct streaming {
	struct client *client;
	const struct client_stream *to;
	struct client_reply *reply; /* what came of the next line, or of an error's text */
	bool enough;
};

/* Gives away all whole lines. */
static void stream_lines(struct streaming *s)
{
	struct client_reply *r = s->reply;
	char *at = r->body, *end;

	while (!s->enough && (end = memchr(at, '\n', r->length - (size_t)(at - r->body)))) {
		s->enough = !s->to->line(s->to->arg, at, (size_t)(end - at));
		at = end + 1;
	}
	r->length -= (size_t)(at - r->body);
	memmove(r->body, at, r->length);
}

static size_t stream_receive(char *bytes, size_t size, size_t n, void *arg)
{
	struct streaming *s = arg;
	long status = 0;

	if (client_receive(bytes, size, n, s->reply) != size * n)
		return 0;
	curl_easy_getinfo(s->client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		stream_lines(s);
	return s->enough ? 0 : size * n;
}

static int stream_progress(
	void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	struct streaming *s = arg;

	(void)down_all;
	(void)down;
	(void)up_all;
	(void)up;
	s->enough |= s->to->stop();
	return s->enough;
}

int client_stream(struct client *c, const char *method, const char *target, const char *body,
	const struct client_stream *to, struct client_reply *out, struct err *e)
{
	char *url = text_printf("http://tandem%s", target);
	struct streaming s = { c, to, out, false };
	CURLcode code;

	*out = (struct client_reply){ 0 };
	client_prepare(c, method, url, body, out);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, 0L);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS, c->timeout_ms);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, stream_receive);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &s);
	curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, stream_progress);
	curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, &s);
	code = curl_easy_perform(c->curl);
	free(url);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &out->status);
	if (s.enough || (code == CURLE_OK && out->status != 200))
		return 0;
	if (out->status == 200) {
		client_reply_clear(out);
		return err_set(e, -ECONNRESET, "tandemd has ended it");
	}
	client_reply_clear(out);
	return client_failure(c, code, e);
}

void client_reply_clear(struct client_reply *r)
{
	free(r->body);
	*r = (struct client_reply){ 0 };
}
