/* SPDX-License-Identifier: BSD-2-Clause */
/* MAC addresses as text. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define MAC_TEXT 18 /* bytes of "00:00:5e:00:01:0a", its NUL included */

/* Reads six bytes of two hexadecimal digits each, with colons between them. Returns 0, or -EINVAL and leaves mac alone. */
int mac_parse(const char *text, uint8_t mac[6]);

/* Writes it in small digits into buf and returns that. */
const char *mac_text(const uint8_t mac[6], char buf[MAC_TEXT]);

/* Whether one station can have it: neither a group's nor zero. */
bool mac_is_unicast(const uint8_t mac[6]);
