/* SPDX-License-Identifier: BSD-2-Clause */
/* A frame in one line, for people. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "203.0.113.7:4711 > 192.0.2.10:80 tcp S": as much as the first n bytes of the frame tell. */
void summary_print(FILE *out, const uint8_t *frame, size_t n);
