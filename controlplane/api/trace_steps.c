/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/api/trace_steps.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "controlplane/api/values.h"
#include "dataplane/l4/datagram.h"
#include "dataplane/l4/parse.h"
#include "dataplane/l4/proxied.h"

enum { TEXT_BYTES = 320 };

/* What is told of one step, and what the steps before it have left. */
struct teller {
	const struct site *site;
	const struct l4_way *way;
	struct l4_service service; /* that was found; all zero before */
	struct l4_guard guard;	   /* the service's, likewise */
	bool listed;		   /* a list of sources has been told of */
	json_t *out;
	char text[TEXT_BYTES];
};

static void say(struct teller *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends to the sentence. */
static void say(struct teller *t, const char *fmt, ...)
{
	size_t used = strlen(t->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->text + used, sizeof t->text - used, fmt, ap);
	va_end(ap);
}

json_t *trace_vip(const struct site *s, uint32_t id)
{
	const struct conf *c = site_conf(s);

	for (unsigned i = 0; id && i < c->n_vips; i++)
		if (site_vip_id(s, i) == id)
			return json_string(c->vips[i].name);
	for (unsigned i = 0; id && i < c->n_gateways; i++)
		if (site_gateway_id(s, i) == id)
			return json_string(c->gateways[i].name);
	return json_null();
}

json_t *trace_service(const struct site *s, uint32_t id)
{
	const struct conf *c = site_conf(s);

	for (unsigned i = 0; id && i < c->n_services; i++)
		if (site_service_id(s, i) == id)
			return json_string(c->services[i].name);
	return json_null();
}

json_t *trace_server(const struct site *s, uint32_t id)
{
	const struct conf *c = site_conf(s);

	for (unsigned i = 0; id && i < c->n_servers; i++)
		if (site_server_id(s, i) == id)
			return json_sprintf(
				"%s/%s", c->pools[c->servers[i].pool].name, c->servers[i].name);
	return json_null();
}

static json_t *port_name(const struct site *s, const struct engine_port *port)
{
	const struct conf *c = site_conf(s);

	for (unsigned i = 0; i < c->n_interfaces; i++)
		if (!strcmp(c->interfaces[i].device, port->device))
			return json_string(c->interfaces[i].name);
	return json_null();
}

json_t *trace_interface(const struct site *s, uint32_t ifindex)
{
	const struct engine_port *ports;
	unsigned n;

	ports = engine_ports(site_engine(s), &n);
	for (unsigned i = 0; i < n; i++)
		if (ports[i].ifindex == ifindex)
			return port_name(s, &ports[i]);
	return json_null();
}

/* Whether frames on the device with these tags are the port's. */
static bool is_of_port(
	const struct engine_port *port, uint32_t device, const uint32_t tags[L4_MAX_TAGS])
{
	bool there = port->real_ifindex == device;

	for (unsigned i = 0; i < port->n_parts; i++)
		there |= port->parts[i] == device;
	return there && !memcmp(port->tags, tags, sizeof port->tags);
}

json_t *trace_frame_interface(
	const struct site *s, uint32_t device, const uint8_t *frame, size_t len)
{
	const struct l4_frame f = { (uint8_t *)frame, (uint8_t *)frame + len, (uint32_t)len };
	const struct engine_port *ports;
	struct l4_packet p = { 0 };
	unsigned n;

	l4_parse_link(&f, &p);
	ports = engine_ports(site_engine(s), &n);
	for (unsigned i = 0; i < n; i++)
		if (is_of_port(&ports[i], device, p.tags))
			return port_name(s, &ports[i]);
	return json_null();
}

/* Enters a name (a reference that is taken) and says it. */
static void tell_name(struct teller *t, const char *member, json_t *name)
{
	const char *text = json_string_value(name);

	say(t, "%s", text ? text : "none");
	json_object_set_new(t->out, member, name);
}

static void tell_server_name(struct teller *t, const char *member, uint32_t id)
{
	tell_name(t, member, trace_server(t->site, id));
}

static struct addr address_of(const uint32_t words[4], bool is6)
{
	struct addr a = { .af = is6 ? 6 : 4 };

	memcpy(a.bytes, words, addr_size(&a));
	return a;
}

static void tell_address(struct teller *t, const char *member, const uint32_t words[4], bool is6)
{
	struct addr a = address_of(words, is6);
	char text[ADDR_TEXT];

	say(t, "%s", addr_text(&a, text));
	json_object_set_new(t->out, member, value_addr(&a));
}

/* " on VLAN 10" or " on VLANs 10 and 20", the outer one first; tags that carry only a priority are none. */
static void tell_vlans(struct teller *t, const uint32_t tags[L4_MAX_TAGS])
{
	for (unsigned i = 0; i < L4_MAX_TAGS && tags[i]; i++) {
		unsigned id = __builtin_bswap16(l4_tag_id(tags[i]));

		if (i)
			say(t, " and %u", id);
		else
			say(t, " on VLAN%s %u", tags[1] ? "s" : "", id);
	}
	json_object_set_new(t->out, "vlans", value_vlans(tags));
}

static void tell_link(struct teller *t, const struct l4_step *s)
{
	unsigned tags = ((unsigned)s->b - (unsigned)sizeof(struct l4_eth)) / sizeof(struct l4_vlan);

	if (s->a == L4_ETH_IP4 || s->a == L4_ETH_IP6)
		say(t, "IPv%d", s->a == L4_ETH_IP4 ? 4 : 6);
	else if (s->a == L4_ETH_ARP)
		say(t, "ARP");
	else
		say(t, "EtherType 0x%04x, which is not looked at", (unsigned)s->a);
	tell_vlans(t, t->way->packet.tags);
	if (tags && !t->way->packet.tags[0])
		say(t, " behind a priority tag");
	json_object_set_new(t->out, "ethertype", json_integer((json_int_t)s->a));
	json_object_set_new(t->out, "vlan_tags", json_integer(tags));
}

static void tell_addresses(struct teller *t, const struct l4_step *s)
{
	const struct l4_flow *f = &t->way->packet.flow;

	tell_address(t, "source", f->src, f->is6);
	say(t, " to ");
	tell_address(t, "destination", f->dst, f->is6);
	say(t, ", %s %u, %s %u", f->is6 ? "hop limit" : "TTL", (unsigned)s->a,
		f->is6 ? "next header" : "protocol", (unsigned)s->b);
	json_object_set_new(t->out, "ttl", json_integer((json_int_t)s->a));
	json_object_set_new(t->out, "protocol", json_integer((json_int_t)s->b));
}

static void tell_filter(struct teller *t, const struct l4_step *s)
{
	say(t, "the destination %s one of ours, the source %s a server's",
		s->a ? "may be" : "is not", s->b ? "may be" : "is not");
	json_object_set_new(t->out, "destination", json_boolean(s->a));
	json_object_set_new(t->out, "source", json_boolean(s->b));
}

static void tell_port(struct teller *t, const struct l4_step *s)
{
	static const char *const words[] = {
		[L4_FOR_OTHERS] = ", but the frame is not for its MAC address",
		[L4_FOR_OWN_MAC] = ", and the frame is for its MAC address",
		[L4_FOR_VIRTUAL_MAC] = ", and the frame is for a virtual MAC address of it",
	};

	if (s->a) {
		say(t, "interface ");
		tell_name(t, "interface", trace_interface(t->site, (uint32_t)s->a));
		say(t, "%s", s->b < sizeof words / sizeof *words ? words[s->b] : "");
	} else {
		say(t, "no interface of the engine takes frames that come in so");
	}
	json_object_set_new(t->out, "for_us", json_boolean(s->b));
}

/* The names that follow have no default: the compiler misses what is new. */
static const char *parsed_text(enum l4_parsed parsed)
{
	switch (parsed) {
	case L4_PARSED_PORTS:
		return "TCP or UDP";
	case L4_PARSED_ICMP:
		return "ICMP";
	case L4_PARSED_OTHER:
		return "a protocol without ports";
	case L4_PARSED_MALFORMED:
		return "a header contradicts itself or the length of the packet";
	case L4_PARSED_FRAGMENT:
		return "a fragment";
	case L4_PARSED_EXTENSION:
		return "extension headers that cannot be followed";
	}
	return "unknown";
}

static const char *forward_name(enum l4_forward forward)
{
	switch (forward) {
	case L4_FORWARD_DSR:
		return "dsr";
	case L4_FORWARD_NAT:
		return "nat";
	case L4_FORWARD_TUNNEL:
		return "tunnel";
	case L4_FORWARD_LOCAL:
		return "local";
	}
	return "unknown";
}

static const char *record_state_name(enum l4_record_state state)
{
	switch (state) {
	case L4_RECORD_EMPTY:
		return "empty";
	case L4_RECORD_BUSY:
		return "busy";
	case L4_RECORD_EMBRYONIC:
		return "embryonic";
	case L4_RECORD_LIVE:
		return "live";
	case L4_RECORD_CLOSING:
		return "closing";
	}
	return "unknown";
}

static const char *route_kind_name(enum l4_route_kind kind)
{
	switch (kind) {
	case L4_ROUTE_DISCARD:
		return "discard";
	case L4_ROUTE_LOCAL:
		return "local";
	case L4_ROUTE_LINK:
		return "link";
	case L4_ROUTE_GATEWAY:
		return "gateway";
	}
	return "unknown";
}

static const char *refusal_name(enum l4_refusal_kind kind)
{
	switch (kind) {
	case L4_REFUSE_NONE:
		return "none";
	case L4_REFUSE_TOO_BIG:
		return "packet too big";
	case L4_REFUSE_EXPIRED:
		return "time exceeded";
	case L4_REFUSE_NO_PORT:
		return "port unreachable";
	case L4_REFUSE_RESET:
		return "reset";
	}
	return "unknown";
}

static void tell_transport(struct teller *t, const struct l4_step *s)
{
	const struct l4_flow *f = &t->way->packet.flow;

	if (s->a != L4_PARSED_PORTS) {
		say(t, "%s", parsed_text((enum l4_parsed)s->a));
		return;
	}
	say(t, "%s, port %u to %u", f->protocol == L4_PROTO_TCP ? "TCP" : "UDP",
		__builtin_bswap16(f->sport), __builtin_bswap16(f->dport));
	json_object_set_new(t->out, "source_port", json_integer(__builtin_bswap16(f->sport)));
	json_object_set_new(t->out, "destination_port", json_integer(__builtin_bswap16(f->dport)));
}

static void tell_found_service(struct teller *t)
{
	const char *name = forward_name((enum l4_forward)t->service.forward);

	say(t, "service ");
	tell_name(t, "service", trace_service(t->site, t->service.id));
	say(t, ", forward %s", name);
	if (t->service.guard)
		engine_line(site_engine(t->site), t->service.guard, &t->guard);
	json_object_set_new(t->out, "forward", json_string(name));
}

/* Rows of all kinds begin with their key. */
static void tell_find(struct teller *t, const struct l4_step *s)
{
	static const char *const none[] = {
		[L4_KIND_SERVICE] = "no service on this address, protocol and port",
		[L4_KIND_ADDRESS] = "no address of ours",
		[L4_KIND_REVERSE] = "no server of a nat service sends from there",
		[L4_KIND_PORT & ~L4_KIND_IS6] = "no interface of the configuration is on that VLAN",
		[L4_KIND_QUIC & ~L4_KIND_IS6] =
			"the QUIC connection id names no server of the pool",
	};
	uint8_t kind = s->a >> 24 & ~(unsigned)L4_KIND_IS6 & 0xff;
	struct l4_address address;
	struct l4_reverse reverse;
	struct l4_quic quic;
	struct l4_port port;

	json_object_set_new(t->out, "found", json_boolean(s->b));
	if (!s->b) {
		say(t, "%s", kind < sizeof none / sizeof *none ? none[kind] : "nothing");
	} else if (kind == L4_KIND_SERVICE &&
		   engine_line(site_engine(t->site), (uint32_t)s->b, &t->service)) {
		tell_found_service(t);
	} else if (kind == L4_KIND_ADDRESS &&
		   engine_line(site_engine(t->site), (uint32_t)s->b, &address)) {
		say(t, "the address of ");
		tell_name(t, "vip", trace_vip(t->site, address.id));
	} else if (kind == (L4_KIND_PORT & ~L4_KIND_IS6) &&
		   engine_line(site_engine(t->site), (uint32_t)s->b, &port)) {
		say(t, "the VLAN's interface ");
		tell_name(t, "interface", trace_interface(t->site, port.ifindex));
	} else if (kind == (L4_KIND_QUIC & ~L4_KIND_IS6) &&
		   engine_line(site_engine(t->site), (uint32_t)s->b, &quic)) {
		say(t, "the QUIC connection id names server ");
		tell_server_name(t, "server", quic.server);
	} else if (kind == L4_KIND_REPLIES) {
		say(t, "ranges of ports that the server may reply from");
	} else if (kind == L4_KIND_REVERSE &&
		   engine_line(site_engine(t->site), (uint32_t)s->b, &reverse)) {
		say(t, "a server's reply, of VIP ");
		tell_name(t, "vip", trace_vip(t->site, reverse.vip_id));
		say(t, " port %u", __builtin_bswap16(reverse.vip_port));
	}
}

static void tell_list(struct teller *t, const struct l4_step *s)
{
	bool all = s->a == t->guard.lists[L4_GUARD_ALL];

	t->listed = true;
	say(t, "%s %s the source",
		all ? "the list of all services" : "the service's own list of sources",
		s->b ? "denies" : "admits");
	json_object_set_new(t->out, "list", json_string(all ? "guard" : "service"));
	json_object_set_new(t->out, "denies", json_boolean(s->b));
}

/* `n` of what a source may send in a unit of coarse time. */
static void tell_count(
	struct teller *t, const char *member, const char *what, uint32_t n, uint32_t of)
{
	say(t, "%u", n);
	if (of)
		say(t, " of %u", of);
	say(t, " %s", what);
	json_object_set_new(t->out, member,
		json_pack("{s:I, s:o}", "sent", (json_int_t)n, "limit",
			of ? json_integer(of) : json_null()));
}

static void tell_rate(struct teller *t, const struct l4_step *s)
{
	say(t, "the source has sent ");
	tell_count(t, "packets", "packets", (uint32_t)(s->a >> 32), (uint32_t)(s->b >> 32));
	say(t, " and ");
	tell_count(t, "syns", "SYNs", (uint32_t)s->a, (uint32_t)s->b);
	say(t, " to the service in this second");
}

static void tell_guard(struct teller *t, const struct l4_step *s)
{
	const char *name = s->a < L4_V_COUNT ? verdict_name((enum l4_verdict)s->a) : "unknown";

	json_object_set_new(t->out, "passes", json_boolean(s->a == L4_V_FORWARDED));
	if (s->a == L4_V_FORWARDED) {
		say(t, "the service's guard lets the packet go on");
		return;
	}
	say(t, "the service's guard drops the packet: %s", name);
	if (s->a == L4_V_DENIED && !t->listed)
		say(t, ", the source is on no allow list");
	json_object_set_new(t->out, "drop", json_string(name));
}

/* The member row's server; 0 where there is none. */
static uint32_t member_id(const struct teller *t, uint32_t line, struct l4_member *m)
{
	return line && engine_line(site_engine(t->site), line, m) ? m->id : 0;
}

static void tell_slot(struct teller *t, const struct l4_step *s)
{
	uint32_t slot = s->b & 0xffff, index = slot & L4_SLOT_NONE;
	bool tracked = slot & L4_SLOT_TRACKED || t->service.flags & L4_SERVICE_TRACK_ALL;
	struct l4_member m;

	say(t, "hash %016llx, slot %u of %u, owner ", (unsigned long long)s->a,
		(unsigned)(s->b >> 16), t->service.ring_mask + 1);
	tell_server_name(t, "owner",
		index == L4_SLOT_NONE ? 0 : member_id(t, t->service.member_base + index, &m));
	say(t, ", %s",
		tracked ? "tracked: the flow's record decides" : "settled: the owner takes it");
	json_object_set_new(t->out, "hash", json_sprintf("%016llx", (unsigned long long)s->a));
	json_object_set_new(t->out, "slot", json_integer((json_int_t)(s->b >> 16)));
	json_object_set_new(t->out, "tracked", json_boolean(tracked));
}

static void tell_record_state(struct teller *t, uint8_t state)
{
	const char *name = record_state_name((enum l4_record_state)state);

	say(t, "%s", name);
	json_object_set_new(t->out, "state", json_string(name));
}

static void tell_record(struct teller *t, const struct l4_step *s)
{
	json_object_set_new(t->out, "found", json_boolean(s->b));
	if (!s->b) {
		say(t, "the flow has no record");
		return;
	}
	say(t, "the flow's record is ");
	tell_record_state(t, l4_record_state(s->b));
	say(t, ", server ");
	tell_server_name(t, "server", l4_record_server(s->b));
}

static void tell_sides(struct teller *t, const struct l4_step *s)
{
	say(t, "the slot's owner is ");
	tell_server_name(t, "owner", (uint32_t)s->a);
	say(t, ", its base ");
	tell_server_name(t, "base", (uint32_t)s->b);
}

static void tell_choice(struct teller *t, const struct l4_step *s)
{
	bool by_record = s->b & 1;

	tell_server_name(t, "server", (uint32_t)s->a);
	say(t, ", by the %s", by_record ? "record" : "slot");
	json_object_set_new(t->out, "by", json_string(by_record ? "record" : "slot"));
}

static void tell_write(struct teller *t, const struct l4_step *s)
{
	say(t, "the record would be %s: ", s->a ? "changed" : "made");
	tell_record_state(t, l4_record_state(s->b));
	say(t, ", server ");
	tell_server_name(t, "server", l4_record_server(s->b));
}

static void tell_server(struct teller *t, const struct l4_step *s)
{
	uint32_t id;
	struct l4_member m;

	id = member_id(t, (uint32_t)s->a, &m);
	if (!id) {
		say(t, "no server takes the packet");
		json_object_set_new(t->out, "server", json_null());
		return;
	}
	tell_server_name(t, "server", id);
	say(t, ", ");
	tell_address(t, "address", m.address, t->way->packet.flow.is6);
	if (m.port)
		say(t, " port %u", __builtin_bswap16(m.port));
	if (m.neighbour == L4_NO_NEIGHBOUR)
		say(t, ", to which there is no route");
}

static void tell_route(struct teller *t, const struct l4_step *s)
{
	const char *name = route_kind_name((enum l4_route_kind)(s->a >> 8));

	say(t, "the destination's route of /%u: %s", (unsigned)(s->a & 0xff), name);
	if (s->b) {
		say(t, " on ");
		tell_name(t, "interface", trace_interface(t->site, (uint32_t)s->b));
	}
	json_object_set_new(t->out, "kind", json_string(name));
	json_object_set_new(t->out, "prefix_length", json_integer((json_int_t)(s->a & 0xff)));
}

static void tell_hop(struct teller *t, const struct l4_step *s)
{
	struct l4_neighbour n;
	json_t *mac;

	if (!engine_neighbour_row(site_engine(t->site), (uint32_t)s->a, &n))
		return;
	tell_address(t, "address", n.address, n.is6);
	say(t, " on ");
	tell_name(t, "interface", trace_interface(t->site, n.ifindex));
	mac = n.usable ? value_mac(n.mac) : json_null();
	say(t, ", MAC %s, MTU %u", n.usable ? json_string_value(mac) : "not known", n.mtu);
	if (s->b)
		say(t, ", %u bytes of a tunnel's header are added", (unsigned)s->b);
	json_object_set_new(t->out, "mac", mac);
	json_object_set_new(t->out, "mtu", json_integer(n.mtu));
	json_object_set_new(t->out, "added_bytes", json_integer((json_int_t)s->b));
}

static void tell_refusal(struct teller *t, const struct l4_step *s)
{
	const char *name = refusal_name((enum l4_refusal_kind)s->a);

	say(t, "the packet is to be answered: %s", name);
	if (s->a == L4_REFUSE_TOO_BIG)
		say(t, ", %u bytes fit", (unsigned)s->b);
	json_object_set_new(t->out, "answer", json_string(name));
}

static void tell_tags(struct teller *t, const struct l4_step *s)
{
	const uint32_t tags[L4_MAX_TAGS] = { (uint32_t)s->a, (uint32_t)s->b };

	say(t, "the packet leaves");
	if (!tags[0])
		say(t, " without a tag");
	tell_vlans(t, tags);
}

static void tell_rare(struct teller *t, const struct l4_step *s)
{
	(void)s;
	say(t, "left to the stages for ARP, ND, ICMP and our own addresses");
}

static void tell_quote(struct teller *t, const struct l4_step *s)
{
	const struct l4_flow *f = &t->way->quoted.flow;

	say(t, "an ICMP error, type %u code %u, ", (unsigned)(s->a >> 8 & 0xff),
		(unsigned)(s->a & 0xff));
	json_object_set_new(t->out, "type", json_integer((json_int_t)(s->a >> 8 & 0xff)));
	json_object_set_new(t->out, "code", json_integer((json_int_t)(s->a & 0xff)));
	json_object_set_new(t->out, "read", json_boolean(s->b));
	if (!s->b) {
		say(t, "that quotes no packet of a flow");
		return;
	}
	say(t, "about a packet from ");
	tell_address(t, "source", f->src, f->is6);
	say(t, " port %u to ", __builtin_bswap16(f->sport));
	tell_address(t, "destination", f->dst, f->is6);
	say(t, " port %u, protocol %u", __builtin_bswap16(f->dport), f->protocol);
	json_object_set_new(t->out, "source_port", json_integer(__builtin_bswap16(f->sport)));
	json_object_set_new(t->out, "destination_port", json_integer(__builtin_bswap16(f->dport)));
	json_object_set_new(t->out, "protocol", json_integer(f->protocol));
}

static void tell_path_mtu(struct teller *t, const struct l4_step *s)
{
	say(t, "the error is about a tunnel: %u bytes fit, which the control plane would be told",
		(unsigned)s->a);
	json_object_set_new(t->out, "mtu", json_integer((json_int_t)s->a));
}

static void tell_fragment(struct teller *t, const struct l4_step *s)
{
	unsigned from = (uint16_t)(s->a >> 16), bytes = (uint16_t)s->a;
	const struct l4_packet *p = &t->way->packet;
	uint32_t id = (uint32_t)(s->a >> 32);

	/* Of IPv4 it is a word of 16 bits, in network order as the other one. */
	id = p->flow.is6 ? __builtin_bswap32(id) : __builtin_bswap16((uint16_t)id);
	say(t, "bytes %u to %u of packet %u%s", from, from + bytes - 1, id,
		s->b ? "; more follow" : ", its last");
	json_object_set_new(t->out, "identification", json_integer(id));
	json_object_set_new(t->out, "offset", json_integer(from));
	json_object_set_new(t->out, "bytes", json_integer(bytes));
	json_object_set_new(t->out, "more", json_boolean(s->b));
}

static const char *proxied_state_name(uint8_t state)
{
	switch (state) {
	case L4_PROXIED_ASKED:
		return "asked";
	case L4_PROXIED_OPENING:
		return "opening";
	case L4_PROXIED_OPEN:
		return "open";
	default:
		return "closing";
	}
}

static void tell_proxied(struct teller *t, const struct l4_step *s)
{
	const char *state = proxied_state_name(l4_proxied_state(s->a));

	json_object_set_new(t->out, "found", json_boolean(s->a));
	if (!s->a) {
		say(t, "no SYN cookie began the connection");
		return;
	}
	say(t, "a SYN cookie began the connection, which is %s", state);
	json_object_set_new(t->out, "state", json_string(state));
}

static void tell_synproxy(struct teller *t, const struct l4_step *s)
{
	static const struct {
		const char *name, *sentence;
	} acts[] = {
		[L4_PROXY_ANSWERS] = { "answers",
			"in a flood of SYNs: answered with a SYN cookie" },
		[L4_PROXY_ASKS] = { "asks", "the cookie came back: becomes the server's SYN" },
		[L4_PROXY_OPENS] = { "opens",
			"the server has answered: opens the client's window" },
		[L4_PROXY_FORGETS] = { "forgets", "the server does not know of the connection" },
		[L4_PROXY_TRANSLATES] = { "translates", "sequence numbers are translated" },
		[L4_PROXY_LEAVES] = { "leaves",
			"in a flood of SYNs: left to this host's own stack, which takes no cookies yet" },
	};

	if (s->a >= sizeof acts / sizeof *acts)
		return;
	say(t, "%s", acts[s->a].sentence);
	json_object_set_new(t->out, "act", json_string(acts[s->a].name));
}

static void tell_datagram(struct teller *t, const struct l4_step *s)
{
	uint64_t what = s->a ? s->a : s->b;
	unsigned sport = __builtin_bswap16((uint16_t)(what >> L4_DATAGRAM_SPORT_AT)),
		 dport = __builtin_bswap16((uint16_t)(what >> L4_DATAGRAM_DPORT_AT));

	json_object_set_new(t->out, "known", json_boolean(s->a));
	if (!what) {
		say(t, "the first fragment has not come in the last two seconds");
		return;
	}
	say(t, "%s %u to %u",
		s->a ? "the first fragment had port" : "its ports are those of all, port", sport,
		dport);
	json_object_set_new(t->out, "source_port", json_integer(sport));
	json_object_set_new(t->out, "destination_port", json_integer(dport));
}

static void tell_host(struct teller *t, const struct l4_step *s)
{
	say(t, "the host gets it under the own MAC address of interface ");
	tell_name(t, "interface", trace_interface(t->site, (uint32_t)s->a));
}

typedef void tell_fn(struct teller *t, const struct l4_step *s);

static const struct {
	const char *name;
	tell_fn *tell;
} stages[L4_STEP_COUNT] = {
#define X(symbol, name, holds) [L4_STEP_##symbol] = { #name, tell_##name },
	L4_STEPS(X)
#undef X
};

json_t *trace_steps(const struct site *s, const struct l4_way *way)
{
	struct teller t = { .site = s, .way = way };
	json_t *list = json_array();

	for (uint32_t i = 0; i < way->n && i < L4_WAY_STEPS; i++) {
		const struct l4_step *step = &way->steps[i];

		if (step->kind >= L4_STEP_COUNT)
			continue;
		t.out = json_pack("{s:s}", "stage", stages[step->kind].name);
		t.text[0] = '\0';
		stages[step->kind].tell(&t, step);
		json_object_set_new(t.out, "text", value_text(t.text));
		json_array_append_new(list, t.out);
	}
	return list;
}
