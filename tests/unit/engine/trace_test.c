/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets that are traced: what is told of their way, and that nothing comes of them. (That counters and records stay
 * as they are is looked at by tests/packets with every case.) Needs root. */
#include "tests/unit/test.h"
#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include "tests/unit/engine/bed.h"

static unsigned used;

static void on_used(void *arg, uint32_t ifindex, const struct addr *a)
{
	(void)arg;
	(void)ifindex;
	(void)a;
	used++;
}

/* What the loop and the sweep over neighbours have seen since the last call. */
static void look(void)
{
	bed_wanted = used = 0;
	event_base_loop(base, EVLOOP_NONBLOCK);
	engine_each_used_neighbour(engine, on_used, NULL);
}

static void trace(uint8_t port, struct l4_way *way)
{
	uint8_t frame[54], out[256];
	size_t len = sizeof out;
	struct err e = { "" };

	bed_syn(frame, port);
	assert_int_equal(engine_trace(engine, BED_PORT, frame, 54, out, &len, way, &e), 0);
	assert_int_equal(len, 54);
	assert_int_equal(out[22], way->end.verdict == L4_V_FORWARDED ? 63 : 64);
}

static void run(uint8_t port, enum l4_verdict verdict)
{
	uint8_t frame[54], out[256];
	size_t len = sizeof out;
	struct l4_trace t;

	bed_syn(frame, port);
	assert_int_equal(engine_run(engine, BED_PORT, frame, 54, out, &len, &t), 0);
	assert_int_equal(t.verdict, verdict);
}

static const struct l4_step *find(const struct l4_way *way, enum l4_step_kind kind)
{
	for (uint32_t i = 0; i < way->n; i++)
		if (way->steps[i].kind == kind)
			return &way->steps[i];
	return NULL;
}

static void test_no_neighbour_is_used(void **state)
{
	struct l4_way way;

	(void)state;
	look();
	trace(BED_KNOWN, &way);
	assert_int_equal(way.end.verdict, L4_V_FORWARDED);
	look();
	assert_int_equal(used, 0);
	run(BED_KNOWN, L4_V_FORWARDED);
	look();
	assert_int_equal(used, 1);
}

static void test_no_neighbour_is_asked_for(void **state)
{
	struct l4_way way;

	(void)state;
	trace(BED_UNKNOWN, &way);
	assert_int_equal(way.end.verdict, L4_V_NO_NEIGHBOUR);
	assert_int_equal(way.end.vip_id, 1);
	look();
	assert_int_equal(bed_wanted, 0);
	run(BED_UNKNOWN, L4_V_NO_NEIGHBOUR);
	look();
	assert_int_equal(bed_wanted, 1);
}

static void test_rows_are_named(void **state)
{
	const struct l4_step *s;
	struct l4_neighbour n = { 0 };
	struct l4_service service = { 0 };
	struct l4_member member = { 0 };
	struct l4_way way;

	(void)state;
	trace(BED_KNOWN, &way);
	assert_int_equal(way.packet.flow.dport, BED_KNOWN << 8);
	s = find(&way, L4_STEP_FIND);
	assert_non_null(s);
	assert_true(engine_line(engine, (uint32_t)s->b, &service));
	assert_int_equal(service.id, 1);
	s = find(&way, L4_STEP_SERVER);
	assert_true(s && engine_line(engine, (uint32_t)s->a, &member));
	assert_int_equal(member.id, 1);
	s = find(&way, L4_STEP_HOP);
	assert_true(s && engine_neighbour_row(engine, (uint32_t)s->a, &n));
	assert_memory_equal(n.address, bed_servers[0].bytes, 4);
	assert_false(engine_line(engine, UINT32_MAX, &member));
	assert_false(engine_neighbour_row(engine, UINT32_MAX, &n));
}

static void test_what_is_no_frame(void **state)
{
	static uint8_t frame[ENGINE_FRAME_MAX + 1], out[ENGINE_FRAME_MAX + 64];
	size_t len = sizeof out;
	struct l4_way way;
	struct err e = { "" };

	(void)state;
	assert_int_equal(engine_trace(engine, BED_PORT, frame, 13, out, &len, &way, &e), -EMSGSIZE);
	assert_non_null(strstr(e.text, "a frame of 13 bytes cannot be traced"));
	assert_int_equal(engine_trace(engine, BED_PORT, frame, sizeof frame, out, &len, &way, &e),
		-EMSGSIZE);
	assert_non_null(strstr(e.text, "a frame of 3501 bytes cannot be traced"));
	len = sizeof out;
	assert_int_equal(
		engine_trace(engine, BED_PORT, frame, ENGINE_FRAME_MAX, out, &len, &way, &e), 0);
	assert_int_equal(way.end.verdict, L4_V_NOT_OURS);
	assert_int_equal(len, ENGINE_FRAME_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_neighbour_is_used),
		cmocka_unit_test(test_no_neighbour_is_asked_for),
		cmocka_unit_test(test_rows_are_named),
		cmocka_unit_test(test_what_is_no_frame),
	};

	return cmocka_run_group_tests(tests, bed_open, bed_close);
}
