/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* MAC addresses in frames. */
#pragma once
#include "dataplane/l4/cursor.h"

/* A MAC address in two pieces; bytes one by one would be read and written one by one. */
#ifdef __bpf__
typedef uint32_t __attribute__((may_alias)) l4_mac_head;
typedef uint16_t __attribute__((may_alias)) l4_mac_tail;
#else
typedef uint32_t __attribute__((may_alias, aligned(1))) l4_mac_head;
typedef uint16_t __attribute__((may_alias, aligned(1))) l4_mac_tail;
#endif

L4_INLINE void l4_mac_copy(uint8_t to[6], const uint8_t from[6])
{
	*(l4_mac_head *)to = *(const l4_mac_head *)from;
	*(l4_mac_tail *)(to + 4) = *(const l4_mac_tail *)(from + 4);
}

L4_INLINE bool l4_mac_is(const uint8_t a[6], const uint8_t b[6])
{
	return !((*(const l4_mac_head *)a ^ *(const l4_mac_head *)b) |
		 (uint32_t)(*(const l4_mac_tail *)(a + 4) ^ *(const l4_mac_tail *)(b + 4)));
}

L4_INLINE bool l4_mac_is_broadcast(const uint8_t a[6])
{
	return (a[0] & a[1] & a[2] & a[3] & a[4] & a[5]) == 0xff;
}

/* As a number, the first byte the lowest. */
L4_INLINE uint64_t l4_mac_number(const uint8_t mac[6])
{
	uint64_t tail = *(const l4_mac_tail *)(mac + 4);

	return *(const l4_mac_head *)mac | tail << 32;
}
