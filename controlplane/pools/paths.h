/* SPDX-License-Identifier: BSD-2-Clause */
/* How large packets may be on the paths that tunnels take, as ICMP tells (RFC 1191; RFC 8201). Pure: times are milliseconds
 * of one clock, in arguments. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/base/addr.h"

struct build;
struct paths;

enum {
	PATHS_MIN4 =
		576, /* no path is believed to be narrower: what every host takes (RFC 791, section 3.1) */
	PATHS_MIN6 = 1280, /* RFC 8200, section 5 */
	PATHS_AGE_MS =
		10 * 60 * 1000, /* then larger packets are tried again (RFC 1191, section 6.3) */
};

/* NULL when out of memory. */
struct paths *paths_new(void);
void paths_free(struct paths *p);

/* Whether packets from `from` to `to`, by UDP to a port (host order) or without (0), are tunnels that the engine makes by b;
 * NULL: it makes none. */
bool paths_are_ours(
	const struct build *b, const struct addr *from, const struct addr *to, uint16_t port);

/* Takes note that packets to `to` may be `mtu` bytes long and no longer, which is for addresses of servers only. What is
 * wider than is known counts for nothing. Returns whether anything has changed; without memory nothing has. */
bool paths_told(struct paths *p, const struct addr *to, uint32_t mtu, uint64_t now);

/* 0: nothing is known of it. */
uint16_t paths_mtu(const struct paths *p, const struct addr *to);

/* Forgets what was told too long ago. Returns whether that was anything. */
bool paths_expire(struct paths *p, uint64_t now);

/* When there is something to be forgotten next; 0: never. */
uint64_t paths_next(const struct paths *p);
