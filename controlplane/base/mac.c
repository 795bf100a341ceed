/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/base/mac.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_byte(const char *text)
{
	return isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]);
}

int mac_parse(const char *text, uint8_t mac[6])
{
	uint8_t out[6];

	for (unsigned i = 0; i < 6; i++, text += 3) {
		if (!is_byte(text) || text[2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
		out[i] = (uint8_t)strtoul(text, NULL, 16);
	}
	memcpy(mac, out, sizeof out);
	return 0;
}

const char *mac_text(const uint8_t mac[6], char buf[MAC_TEXT])
{
	snprintf(buf, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		mac[4], mac[5]);
	return buf;
}

bool mac_is_unicast(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return !(mac[0] & 1) && memcmp(mac, zero, sizeof zero) != 0;
}
