/* SPDX-License-Identifier: BSD-2-Clause */
/* POST /v1/trace over a real socket: what is asked of the engine, and how a packet's way is told. */
#include "tests/unit/test.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controlplane/api/api.h"
#include "tests/unit/api/client.h"
#include "tests/unit/pools/fake_engine.h"
#include "tests/unit/pools/site_fixture.h"

static struct site_fixture f;
static struct api *api;
static char sock[64];
static struct answer answer;

static int setup(void **state)
{
	struct api_options o = { .path = sock, .group = "" };

	(void)state;
	fixture_open(&f);
	snprintf(sock, sizeof sock, "%s/api.sock", f.dir);
	return fixture_start(&f) || api_new(&api, f.base, f.site, &o, &f.e) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	answer_free(&answer);
	answer = (struct answer){ 0 };
	api_free(api);
	fixture_close(&f);
	return 0;
}

static json_t *ask(const char *body, int status)
{
	answer_free(&answer);
	answer = client_request(f.base, sock, "POST", "/v1/trace", body);
	if (answer.status != status)
		fail_msg("status %d, wanted %d: %s", answer.status, status, answer.text);
	return answer.json;
}

static void step(enum l4_step_kind kind, uint64_t a, uint64_t b)
{
	l4_way_add(&fake.way, kind, a, b);
}

static const char *member(json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

/* The sentence of a step must be this. */
static void assert_step(json_t *reply, size_t i, const char *stage, const char *text)
{
	json_t *s = json_array_get(json_object_get(reply, "steps"), i);

	assert_string_equal(member(s, "stage"), stage);
	assert_string_equal(member(s, "text"), text);
}

/* Rows as the first services, servers and addresses of the fixture have them. */
static void lay_rows(void)
{
	struct l4_service service = { .id = site_service_id(f.site, 0),
		.ring_mask = 511,
		.member_base = 3,
		.forward = L4_FORWARD_NAT };
	struct l4_member m = { .id = site_server_id(f.site, 0), .port = L4_BE16(8080) };
	const uint8_t server[4] = { 198, 51, 100, 11 };

	memcpy(m.address, server, 4);
	memcpy(&fake.lines[2], &service, sizeof service);
	memcpy(&fake.lines[3], &m, sizeof m);
	fake.row = (struct l4_neighbour){ .ifindex = fake.ports[0].ifindex,
		.mtu = 1500,
		.mac = { 2, 0, 0, 0, 0, 9 },
		.usable = 1 };
	memcpy(fake.row.address, server, 4);
}

static void test_a_forwarded_packet(void **state)
{
	const uint8_t client[4] = { 203, 0, 113, 7 }, vip[4] = { 192, 0, 2, 10 };
	struct l4_packet *p = &fake.way.packet;
	json_t *j;

	(void)state;
	lay_rows();
	memcpy(p->flow.src, client, 4);
	memcpy(p->flow.dst, vip, 4);
	p->flow.sport = L4_BE16(4711);
	p->flow.dport = L4_BE16(80);
	p->flow.protocol = L4_PROTO_TCP;
	p->tags[0] = l4_tag(L4_BE16(L4_ETH_VLAN), L4_BE16(10));
	step(L4_STEP_LINK, L4_ETH_IP4, 18);
	step(L4_STEP_ADDRESSES, 64, 6);
	step(L4_STEP_FILTER, 1, 0);
	step(L4_STEP_PORT, fake.ports[0].ifindex, 1);
	step(L4_STEP_TRANSPORT, L4_PARSED_PORTS, 0);
	step(L4_STEP_FIND, l4_key_tail(L4_BE16(80), 6, L4_KIND_SERVICE), 2);
	step(L4_STEP_SLOT, 0x1234, 0x34 << 16 | L4_SLOT_TRACKED);
	step(L4_STEP_RECORD, 0, 0);
	step(L4_STEP_SIDES, site_server_id(f.site, 0), 0);
	step(L4_STEP_CHOICE, site_server_id(f.site, 0), L4_RECORD_EMBRYONIC << 8);
	step(L4_STEP_WRITE, 0,
		l4_record_what(
			0, L4_RECORD_EMBRYONIC, false, 0, (uint16_t)site_server_id(f.site, 0)));
	step(L4_STEP_SERVER, 3, 0);
	step(L4_STEP_HOP, 0, 20);
	fake.way.end = (struct l4_trace){ L4_V_FORWARDED, fake.ports[0].ifindex,
		site_vip_id(f.site, 0), site_service_id(f.site, 0), site_server_id(f.site, 0) };
	j = ask("{\"interface\": \"front\", \"frame\": \"00fFa5\"}", 200);
	assert_int_equal(fake.traced_len, 3);
	assert_memory_equal(fake.traced, "\x00\xff\xa5", 3);
	assert_string_equal(member(j, "frame"), "00ffa5");
	assert_string_equal(member(j, "verdict"), "forwarded");
	assert_string_equal(member(j, "action"), "send");
	assert_string_equal(member(j, "vip"), "web");
	assert_string_equal(member(j, "service"), "web");
	assert_string_equal(member(j, "server"), "web/web1");
	assert_string_equal(member(j, "out"), "front");
	assert_step(j, 0, "link", "IPv4 on VLAN 10");
	assert_step(j, 1, "addresses", "203.0.113.7 to 192.0.2.10, TTL 64, protocol 6");
	assert_step(
		j, 2, "filter", "the destination may be one of ours, the source is not a server's");
	assert_step(j, 3, "port", "interface front, and the frame is for its MAC address");
	assert_step(j, 4, "transport", "TCP, port 4711 to 80");
	assert_step(j, 5, "find", "service web, forward nat");
	assert_step(j, 6, "slot",
		"hash 0000000000001234, slot 52 of 512, owner web/web1, tracked: the flow's record decides");
	assert_step(j, 7, "record", "the flow has no record");
	assert_step(j, 8, "sides", "the slot's owner is web/web1, its base none");
	assert_step(j, 9, "choice", "web/web1, by the slot");
	assert_step(j, 10, "write", "the record would be made: embryonic, server web/web1");
	assert_step(j, 11, "server", "web/web1, 198.51.100.11 port 8080");
	assert_step(j, 12, "hop",
		"198.51.100.11 on front, MAC 02:00:00:00:00:09, MTU 1500, 20 bytes of a tunnel's header are added");
}

static void test_a_dropped_packet(void **state)
{
	json_t *j;

	(void)state;
	step(L4_STEP_LINK, 0x88cc, 14);
	step(L4_STEP_RARE, 0, 0);
	step(L4_STEP_FIND, l4_key_tail(0, 0, L4_KIND_ADDRESS), 0);
	step(L4_STEP_ROUTE, L4_ROUTE_LINK << 8 | 24, fake.ports[0].ifindex);
	step(L4_STEP_REFUSAL, L4_REFUSE_TOO_BIG, 1280);
	fake.way.end = (struct l4_trace){ .verdict = L4_V_NO_SERVICE };
	j = ask("{\"interface\": \"lo\", \"frame\": \"00\"}", 200);
	assert_string_equal(member(j, "action"), "drop");
	assert_true(json_is_null(json_object_get(j, "out")));
	assert_true(json_is_null(json_object_get(j, "vip")));
	assert_true(json_is_null(json_object_get(j, "server")));
	assert_step(j, 0, "link", "EtherType 0x88cc, which is not looked at");
	assert_step(j, 1, "rare", "left to the stages for ARP, ND, ICMP and our own addresses");
	assert_step(j, 2, "find", "no address of ours");
	assert_step(j, 3, "route", "the destination's route of /24: link on front");
	assert_step(
		j, 4, "refusal", "the packet is to be answered: packet too big, 1280 bytes fit");
}

/* An interface on two VLANs of a trunk: frames are run there, and belong to it with just these tags. */
static void test_vlans(void **state)
{
	const uint32_t tags[L4_MAX_TAGS] = { l4_tag(L4_BE16(L4_ETH_QINQ), L4_BE16(7)),
		l4_tag(L4_BE16(L4_ETH_VLAN), L4_BE16(10)) };
	struct l4_port port = { .ifindex = fake.ports[0].ifindex, .device = 77 };
	json_t *j;

	(void)state;
	fake.ports[0].real_ifindex = 77;
	memcpy(fake.ports[0].tags, tags, sizeof tags);
	memcpy(&fake.lines[4], &port, sizeof port);
	memcpy(fake.way.packet.tags, tags, sizeof tags);
	step(L4_STEP_LINK, L4_ETH_IP6, 22);
	step(L4_STEP_FIND, l4_key_tail(0, 0, L4_KIND_PORT), 4);
	step(L4_STEP_PORT, fake.ports[0].ifindex, 0);
	step(L4_STEP_FIND, l4_key_tail(0, 0, L4_KIND_PORT), 0);
	step(L4_STEP_PORT, 0, 0);
	step(L4_STEP_TAGS, tags[1], 0);
	step(L4_STEP_TAGS, 0, 0);
	step(L4_STEP_PORT, fake.ports[0].ifindex, L4_FOR_VIRTUAL_MAC);
	step(L4_STEP_HOST, fake.ports[0].ifindex, 0);
	fake.way.end = (struct l4_trace){ L4_V_FORWARDED, 77, 0, 0, 0 };
	j = ask("{\"interface\": \"front\", \"frame\": "
		"\"02000000000102000000000288a860078100a00a0800\"}",
		200);
	assert_int_equal(fake.traced_ifindex, 77);
	assert_string_equal(member(j, "interface"), "front");
	assert_string_equal(member(j, "out"), "front");
	assert_step(j, 0, "link", "IPv6 on VLANs 7 and 10");
	assert_step(j, 1, "find", "the VLAN's interface front");
	assert_step(j, 2, "port", "interface front, but the frame is not for its MAC address");
	assert_step(j, 3, "find", "no interface of the configuration is on that VLAN");
	assert_step(j, 4, "port", "no interface of the engine takes frames that come in so");
	assert_step(j, 5, "tags", "the packet leaves on VLAN 10");
	assert_step(j, 6, "tags", "the packet leaves without a tag");
	assert_step(
		j, 7, "port", "interface front, and the frame is for a virtual MAC address of it");
	assert_step(j, 8, "host", "the host gets it under the own MAC address of interface front");
	j = ask("{\"interface\": \"front\", \"frame\": "
		"\"02000000000102000000000288a860088100a00a0800\"}",
		200);
	assert_true(json_is_null(json_object_get(j, "out")));
	fake.ports[0].n_parts = 1;
	fake.ports[0].parts[0] = fake.way.end.ifindex = 78;
	j = ask("{\"interface\": \"front\", \"frame\": "
		"\"02000000000102000000000288a860078100a00a0800\"}",
		200);
	assert_string_equal(member(j, "out"), "front");
}

static void test_a_guarded_packet(void **state)
{
	struct l4_service service = {
		.id = site_service_id(f.site, 0), .guard = 5, .forward = L4_FORWARD_LOCAL
	};
	struct l4_guard guard = { .lists = { 20, 30 } };
	json_t *j;

	(void)state;
	memcpy(&fake.lines[5], &guard, sizeof guard);
	memcpy(&fake.lines[2], &service, sizeof service);
	step(L4_STEP_GUARD, L4_V_DENIED, 5);
	step(L4_STEP_FIND, l4_key_tail(L4_BE16(80), 6, L4_KIND_SERVICE), 2);
	step(L4_STEP_LIST, 20, 0);
	step(L4_STEP_LIST, 30, 1);
	step(L4_STEP_GUARD, L4_V_DENIED, 5);
	step(L4_STEP_RATE, 12ull << 32 | 3, 100ull << 32);
	step(L4_STEP_GUARD, L4_V_FORWARDED, 5);
	fake.way.end = (struct l4_trace){ .verdict = L4_V_DENIED };
	j = ask("{\"interface\": \"front\", \"frame\": \"00\"}", 200);
	assert_string_equal(member(j, "action"), "drop");
	assert_step(j, 0, "guard",
		"the service's guard drops the packet: denied, the source is on no allow list");
	assert_step(j, 1, "find", "service web, forward local");
	assert_step(j, 2, "list", "the list of all services admits the source");
	assert_step(j, 3, "list", "the service's own list of sources denies the source");
	assert_step(j, 4, "guard", "the service's guard drops the packet: denied");
	assert_step(j, 5, "rate",
		"the source has sent 12 of 100 packets and 3 SYNs to the service in this second");
	assert_step(j, 6, "guard", "the service's guard lets the packet go on");
}

static void test_an_icmp_error(void **state)
{
	const uint8_t client[4] = { 203, 0, 113, 7 }, vip[4] = { 192, 0, 2, 10 };
	struct l4_packet *q = &fake.way.quoted;
	json_t *j;

	(void)state;
	memcpy(q->flow.src, vip, 4);
	memcpy(q->flow.dst, client, 4);
	q->flow.sport = L4_BE16(80);
	q->flow.dport = L4_BE16(4711);
	q->flow.protocol = L4_PROTO_TCP;
	step(L4_STEP_QUOTE, L4_ICMP_UNREACHABLE << 8 | 4, true);
	step(L4_STEP_QUOTE, L4_ICMP_UNREACHABLE << 8 | 1, false);
	step(L4_STEP_PATH_MTU, 1400, 0);
	step(L4_STEP_REFUSAL, L4_REFUSE_EXPIRED, 0);
	fake.way.end = (struct l4_trace){ .verdict = L4_V_NOT_OURS };
	j = ask("{\"interface\": \"front\", \"frame\": \"00\"}", 200);
	assert_step(j, 0, "quote",
		"an ICMP error, type 3 code 4, about a packet from 192.0.2.10 port 80 to "
		"203.0.113.7 port 4711, protocol 6");
	assert_step(j, 1, "quote", "an ICMP error, type 3 code 1, that quotes no packet of a flow");
	assert_step(j, 2, "path_mtu",
		"the error is about a tunnel: 1400 bytes fit, which the control plane would be told");
	assert_step(j, 3, "refusal", "the packet is to be answered: time exceeded");
}

static void refused(const char *body, int status, const char *sentence)
{
	assert_non_null(strstr(member(ask(body, status), "detail"), sentence));
}

static void test_refused(void **state)
{
	char body[2 * ENGINE_FRAME_MAX + 100];

	(void)state;
	refused("{}", 422, "\"interface\" must be");
	refused("{\"interface\": \"front\"}", 422, "\"frame\" must be");
	refused("{\"interface\": \"front\", \"frame\": \"0\"}", 422, "\"frame\" must be");
	refused("{\"interface\": \"front\", \"frame\": \"0g\"}", 422, "\"frame\" must be");
	snprintf(body, sizeof body, "{\"interface\": \"front\", \"frame\": \"%0*d\"}",
		2 * ENGINE_FRAME_MAX + 2, 0);
	refused(body, 422, "at most 3500");
	refused("{\"interface\": \"side\", \"frame\": \"00\"}", 404, "no interface \"side\"");
	fake.trace_error = -EMSGSIZE;
	refused("{\"interface\": \"front\", \"frame\": \"00\"}", 422, "traces nothing");
	fake.trace_error = -EIO;
	refused("{\"interface\": \"front\", \"frame\": \"00\"}", 500, "traces nothing");
}

static void test_nothing_to_trace_by(void **state)
{
	(void)state;
	fake.generation = 0;
	refused("{\"interface\": \"front\", \"frame\": \"00\"}", 409,
		"no snapshot has been published");
	site_detach(f.site, &f.e);
	refused("{\"interface\": \"front\", \"frame\": \"00\"}", 409, "detached");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_forwarded_packet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_dropped_packet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vlans, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_guarded_packet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_icmp_error, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_to_trace_by, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
