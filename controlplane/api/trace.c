/* SPDX-License-Identifier: BSD-2-Clause */
/* What would become of a frame. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/api/nouns.h"
#include "controlplane/api/trace_steps.h"
#include "controlplane/api/values.h"

enum { OUT_MAX = ENGINE_FRAME_MAX + 256 }; /* what an answer or a tunnel adds is less */

/* By its name or its device; NULL: there is no such interface. */
static const struct engine_port *find_port(const struct site *s, const char *name)
{
	const struct conf *c = site_conf(s);
	const struct engine_port *ports;
	unsigned n;

	ports = engine_ports(site_engine(s), &n);
	for (unsigned i = 0; i < n; i++) {
		if (!strcmp(ports[i].device, name))
			return &ports[i];
		for (unsigned j = 0; j < c->n_interfaces; j++)
			if (!strcmp(c->interfaces[j].name, name) &&
				!strcmp(c->interfaces[j].device, ports[i].device))
				return &ports[i];
	}
	return NULL;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* How many bytes the text has, or -1: it is no hexadecimal, or more than ENGINE_FRAME_MAX. */
static int read_hex(const char *text, uint8_t *out)
{
	int n = 0;

	for (; text[0]; text += 2, n++) {
		int high = digit(text[0]), low = digit(text[1]);

		if (high < 0 || low < 0 || n == ENGINE_FRAME_MAX)
			return -1;
		out[n] = (uint8_t)(high << 4 | low);
	}
	return n;
}

static void trace(struct call *c, const struct engine_port *port, const uint8_t *frame, size_t len)
{
	const struct site *s = c->site;
	static uint8_t out[OUT_MAX];
	size_t out_len = sizeof out;
	struct err e = { "" };
	struct l4_way way;
	enum l4_verdict v;
	int rc = engine_trace(site_engine(s), port->ifindex, frame, len, out, &out_len, &way, &e);

	if (rc) {
		call_problem(c, rc == -EMSGSIZE ? 422 : 500, "%s", e.text);
		return;
	}
	v = way.end.verdict;
	call_reply(c, json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "interface",
			      trace_interface(s, port->ifindex), "verdict", verdict_name(v),
			      "action", action_name(verdict_action(v)), "help", verdict_help(v),
			      "vip", trace_vip(s, way.end.vip_id), "service",
			      trace_service(s, way.end.service_id), "server",
			      trace_server(s, way.end.server_id), "out",
			      verdict_action(v) == L4_SEND ? trace_interface(s, way.end.ifindex)
							   : json_null(),
			      "steps", trace_steps(s, &way), "frame", value_hex(out, out_len)));
}

void api_trace_post(struct call *c)
{
	static const char *const members[] = { "interface", "frame", NULL };
	static uint8_t frame[ENGINE_FRAME_MAX];
	const char *name, *hex;
	const struct engine_port *port;
	json_t *body = call_body(c, members);
	int len;

	if (!body)
		return;
	name = json_string_value(json_object_get(body, "interface"));
	hex = json_string_value(json_object_get(body, "frame"));
	port = name ? find_port(c->site, name) : NULL;
	len = hex ? read_hex(hex, frame) : -1;
	if (!name)
		call_problem(c, 422, "\"interface\" must be the name of an interface");
	else if (len < 0)
		call_problem(c, 422,
			"\"frame\" must be the bytes of an Ethernet frame in hexadecimal, at most "
			"%d of them",
			ENGINE_FRAME_MAX);
	else if (!port)
		call_not_found(c, "interface", name);
	else if (call_can_look(c))
		trace(c, port, frame, (size_t)len);
	json_decref(body);
}
