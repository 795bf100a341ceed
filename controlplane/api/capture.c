/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets as they pass: an answer that goes on, a JSON object a line, until its client goes away. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/api/nouns.h"
#include "controlplane/api/trace_steps.h"
#include "controlplane/api/values.h"

enum {
	BACKLOG_MAX =
		8 << 20, /* bytes that the client has not taken yet; what comes then is lost */
	SILENCE_S = 30 * 86400, /* packets may be rare */
	LOST_EVERY_S = 1,
};

/* Belongs to its connection: ends with it. */
struct capture {
	const struct site *site;
	struct engine_capture *engine;
	struct evhttp_request *req;
	struct event *tick;
	uint64_t late; /* legs that the client was too slow for */
	uint64_t told; /* losses that it knows of */
};

static void send_line(struct capture *c, json_t *line)
{
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	struct evbuffer *out = evbuffer_new();

	if (text && out) {
		evbuffer_add_printf(out, "%s\n", text);
		evhttp_send_reply_chunk(c->req, out);
	}
	if (out)
		evbuffer_free(out);
	free(text);
	json_decref(line);
}

static size_t backlog(const struct capture *c)
{
	struct evhttp_connection *conn = evhttp_request_get_connection(c->req);

	return evbuffer_get_length(bufferevent_get_output(evhttp_connection_get_bufferevent(conn)));
}

static void on_leg(void *arg, const struct l4_captured *leg, int64_t real_ns)
{
	const struct l4_trace *end = &leg->end;
	enum l4_verdict v = end->verdict;
	struct capture *c = arg;

	if (v >= L4_V_COUNT)
		return;
	if (backlog(c) > BACKLOG_MAX) {
		c->late++;
		return;
	}
	send_line(c, json_pack("{s:I, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:I, s:o}", "time_ns",
			     (json_int_t)real_ns, "leg", leg->leg == L4_LEG_IN ? "in" : "out",
			     "interface", trace_interface(c->site, leg->ifindex), "verdict",
			     verdict_name(v), "action", action_name(verdict_action(v)), "vip",
			     trace_vip(c->site, end->vip_id), "service",
			     trace_service(c->site, end->service_id), "server",
			     trace_server(c->site, end->server_id), "length", (json_int_t)leg->len,
			     "frame", value_hex(leg->bytes, leg->captured)));
}

/* Tells of losses, at the latest when no packet comes any more. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct capture *c = arg;
	uint64_t lost = engine_capture_lost(c->engine) + c->late;

	(void)fd;
	(void)what;
	if (lost == c->told || backlog(c) > BACKLOG_MAX)
		return;
	c->told = lost;
	send_line(c, json_pack("{s:I}", "lost", (json_int_t)lost));
}

static void capture_free(struct capture *c)
{
	engine_capture_free(c->engine);
	if (c->tick)
		event_free(c->tick);
	free(c);
}

/* evhttp leaves a request of which the answer has not ended to its owner, unless all of it goes. */
static void on_close(struct evhttp_connection *conn, void *arg)
{
	struct capture *c = arg;
	struct evhttp_request *req = c->req;

	(void)conn;
	capture_free(c);
	if (!evhttp_request_get_connection(req))
		evhttp_send_reply_end(req);
}

/* Takes over c, whether or not it returns an error. */
static int begin(
	struct capture *c, struct call *call, const struct l4_capture_filter *filter, struct err *e)
{
	static const struct timeval every = { .tv_sec = LOST_EVERY_S };
	struct evhttp_connection *conn = evhttp_request_get_connection(call->req);
	struct event_base *base = evhttp_connection_get_base(conn);
	int rc;

	c->site = call->site;
	c->req = call->req;
	c->tick = event_new(base, -1, EV_PERSIST, on_tick, c);
	rc = c->tick && !event_add(c->tick, &every)
		     ? engine_capture_new(
			       &c->engine, site_engine_look(call->site), base, filter, on_leg, c, e)
		     : err_set(e, -ENOMEM, "out of memory");
	if (rc) {
		capture_free(c);
		return rc;
	}
	evhttp_connection_set_timeout(conn, SILENCE_S);
	evhttp_connection_set_closecb(conn, on_close, c);
	evhttp_add_header(evhttp_request_get_output_headers(call->req), "Content-Type",
		"application/x-ndjson");
	evhttp_send_reply_start(call->req, 200, "OK");
	return 0;
}

/* VIPs and gateways. Returns 0 where there is none of that name. */
static uint32_t vip_id(const struct site *s, const char *name)
{
	const struct conf *c = site_conf(s);

	for (unsigned i = 0; i < c->n_vips; i++)
		if (!strcmp(c->vips[i].name, name))
			return site_vip_id(s, i);
	for (unsigned i = 0; i < c->n_gateways; i++)
		if (!strcmp(c->gateways[i].name, name))
			return site_gateway_id(s, i);
	return 0;
}

/* POOL/SERVER; an index into the configuration's servers, or -1. */
static int server_index(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->n_servers; i++) {
		const char *pool = c->pools[c->servers[i].pool].name;
		size_t n = strlen(pool);

		if (!strncmp(name, pool, n) && name[n] == '/' &&
			!strcmp(name + n + 1, c->servers[i].name))
			return (int)i;
	}
	return -1;
}

/* What the body asks for; false: it has answered. */
static bool read_filter(struct call *c, json_t *body, struct l4_capture_filter *f)
{
	const char *vip = json_string_value(json_object_get(body, "vip"));
	const char *server = json_string_value(json_object_get(body, "server"));
	const struct conf *conf = site_conf(c->site);
	int i;

	*f = (struct l4_capture_filter){ 0 };
	if (!vip == !server || json_object_size(body) != 1) {
		call_problem(c, 422,
			"one of \"vip\" (a name) and \"server\" (\"POOL/SERVER\") must be given");
		return false;
	}
	if (vip) {
		f->vip_id = vip_id(c->site, vip);
		if (!f->vip_id)
			call_not_found(c, "vip", vip);
		return f->vip_id;
	}
	i = server_index(conf, server);
	if (i < 0) {
		call_not_found(c, "server", server);
		return false;
	}
	f->server_id = site_server_id(c->site, (unsigned)i);
	f->is6 = conf->servers[i].address.af == 6;
	memcpy(f->address, conf->servers[i].address.bytes, addr_size(&conf->servers[i].address));
	return true;
}

void api_capture_post(struct call *c)
{
	static const char *const members[] = { "vip", "server", NULL };
	json_t *body = call_body(c, members);
	struct l4_capture_filter filter;
	struct err e = { "" };
	struct capture *capture;
	bool good;
	int rc;

	if (!body)
		return;
	good = read_filter(c, body, &filter);
	json_decref(body);
	if (!good || !call_can_look(c))
		return;
	capture = calloc(1, sizeof *capture);
	rc = capture ? begin(capture, c, &filter, &e) : err_set(&e, -ENOMEM, "out of memory");
	if (rc)
		call_problem(c, call_status(rc), "%s", e.text);
}
