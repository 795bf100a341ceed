/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/frame.h"
#include <ctype.h>
#include <string.h>
#include "tests/packets/lines.h"

#define LINE_BYTES 32

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool add_byte(struct frame *f, const char *digits, uint64_t times)
{
	int high = digit(digits[0]), low = high < 0 ? -1 : digit(digits[1]);

	if (low < 0 || times > sizeof f->bytes - f->len)
		return false;
	memset(f->bytes + f->len, high << 4 | low, times);
	f->len += times;
	return true;
}

bool frame_add(struct frame *f, const char *word)
{
	uint64_t times;

	if (strlen(word) > 3 && word[2] == '*')
		return words_number(word + 3, sizeof f->bytes, &times) && add_byte(f, word, times);
	for (; *word; word += 2)
		if (!add_byte(f, word, 1))
			return false;
	return true;
}

void frame_print(FILE *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fprintf(out, "%02x", bytes[i]);
	if (!len)
		fputc('-', out);
}

static void print_line(FILE *out, const char *what, const uint8_t *bytes, size_t len, size_t at)
{
	fprintf(out, "    %-4s %04zx:", what, at);
	for (size_t i = at; i < at + LINE_BYTES && i < len; i++)
		fprintf(out, "%s%02x", i % 2 ? "" : " ", bytes[i]);
	fputc('\n', out);
}

void frame_print_diff(FILE *out, const struct frame *want, const uint8_t *got, size_t got_len)
{
	size_t len = want->len > got_len ? want->len : got_len;

	for (size_t at = 0; at < len; at += LINE_BYTES) {
		bool differs[LINE_BYTES] = { false }, any = false;

		for (size_t i = at; i < at + LINE_BYTES && i < len; i++) {
			differs[i - at] = i >= want->len || i >= got_len ||
					  want->bytes[i] != got[i];
			any |= differs[i - at];
		}
		if (!any)
			continue;
		print_line(out, "want", want->bytes, want->len, at);
		print_line(out, "got", got, got_len, at);
		fprintf(out, "%14s", "");
		for (size_t i = 0; i < LINE_BYTES && at + i < len; i++)
			fprintf(out, "%s%s", i % 2 ? "" : " ", differs[i] ? "^^" : "  ");
		fputc('\n', out);
	}
}
