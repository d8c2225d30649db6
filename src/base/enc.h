/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_ENC_H
#define BASE_ENC_H

#include <stddef.h>
#include <stdint.h>

/*
 * Hex, base32 and base64, strict in one direction: a decoder accepts exactly
 * what the encoder makes (lower-case hex, lower-case unpadded base32 with zero
 * spare bits, padded standard base64 with zero spare bits) and exactly `n`
 * bytes of output. Encoders write a NUL. All return 0 or -1.
 */
#define HEX_LEN(n) ((size_t)(n) * 2)
#define B32_LEN(n) (((size_t)(n) * 8 + 4) / 5)
#define B64_LEN(n) (((size_t)(n) + 2) / 3 * 4)

/* `out` has HEX_LEN(n) + 1 bytes. */
void hex_encode(char *out, const uint8_t *p, size_t n);
/* `s` has `len` characters, not necessarily NUL-ended; len must be HEX_LEN(n). */
int hex_decode(uint8_t *out, size_t n, const char *s, size_t len);
/* As above, upper and lower case accepted (tor prints upper case). */
int hex_decode_any(uint8_t *out, size_t n, const char *s, size_t len);

/* RFC 4648 base32 alphabet in lower case. `out` has B32_LEN(n) + 1 bytes. */
void b32_encode(char *out, const uint8_t *p, size_t n);
int b32_decode(uint8_t *out, size_t n, const char *s, size_t len);

/* `out` has B64_LEN(n) + 1 bytes. */
void b64_encode(char *out, const uint8_t *p, size_t n);
int b64_decode(uint8_t *out, size_t n, const char *s, size_t len);

/*
 * Text of others for people, a log line or JSON: printable ASCII as it is, every
 * other byte as \xNN. Cut at `size` bytes (> 5), never within an escape; NUL-ended.
 */
void text_escape(char *out, size_t size, const char *in);

#endif
