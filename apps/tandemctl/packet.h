/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame, from words, hexadecimal digits or a capture file. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "controlplane/base/err.h"

enum { PACKET_MAX = 3500 }; /* bytes that the API takes */

struct packet {
	uint8_t bytes[PACKET_MAX];
	size_t n;
};

/* PROTOCOL SOURCE DESTINATION [WORD [VALUE]]..., ended by NULL. mac: of the interface, which the frame is for unless the
 * words say otherwise. Returns 0, or -EINVAL and a sentence. */
int packet_from_words(struct packet *p, char **words, const uint8_t mac[6], struct err *e);

/* Digits, with blanks, colons and line ends anywhere between bytes. Likewise. */
int packet_from_hex(struct packet *p, const char *text, struct err *e);

/* Frame number `number`, from 1, of a pcap or pcapng file. Returns 0; -ENOENT (no such file or frame), -EINVAL
 * (it is no such file, or not of Ethernet), and a sentence. */
int packet_from_file(struct packet *p, const char *path, unsigned long number, struct err *e);

/* Reads "02:00:00:00:00:01". Returns 0 or -EINVAL. */
int packet_read_mac(const char *text, uint8_t mac[6]);
