/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer: one frame through the native engine in the world of most packet cases. The first byte chooses
 * the interface. Besides what the sanitizers see, a frame that is not sent must stay as it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/packets/case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world_file *world;
static struct body *body;

static void open_once(void)
{
	struct err e;

	if (body)
		return;
	if (world_open(&world, WORLD_FILE, &e) || body_native.open(&body, &world->world, &e)) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct body_result result;
	uint32_t ifindex;

	open_once();
	if (!size || size - 1 > BODY_FRAME_MAX)
		return -1;
	ifindex = world->links[data[0] % world->world.n_links].ifindex;
	if (body_native.inject(body, ifindex, data + 1, size - 1, &result))
		abort();
	if (verdict_action(result.verdict) == L4_SEND)
		return 0;
	if (result.ifindex || result.len != size - 1 ||
		memcmp(result.frame, data + 1, size - 1) != 0)
		abort();
	return 0;
}
