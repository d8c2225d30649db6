/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_KEYFILE_H
#define CLI_KEYFILE_H

#include "cli/passphrase.h"
#include "conf/conf.h"
#include "proto/doc.h"
#include "proto/minisign.h"

/* Key pairs as the files of minisign(1): STEM.key (mode 0600) and STEM.pub. Nothing is ever overwritten. */

/* Where the passphrase of a new key comes from: none at all, a file descriptor, or (fd NULL) the terminal. */
struct keyfile_seal {
	bool none;
	const char *fd;
};

/* Whether neither STEM.key nor STEM.pub is in use (ERR_REFUSED), to be asked before a passphrase is. */
int keyfile_check_free(const char *stem, struct err *e);
/* Writes a key; `pass` NULL: unsealed. Without `with_public` only STEM.key. */
int keyfile_write(const char *stem, const struct minisign_seckey *key, const struct secret_text *pass, bool with_public, struct err *e);
/* Makes a key, asks for its passphrase and writes both files; `pk` gets the public half. */
int keyfile_new(const char *stem, const struct keyfile_seal *seal, uint8_t pk[DOC_KEY_LEN], struct err *e);
/* Reads a secret key into secret memory (secret_free() it); asks for the passphrase only if it is sealed. */
int keyfile_open(struct minisign_seckey **key, const char *path, const char *passphrase_fd, struct err *e);
/* Reads a public key file. */
int keyfile_public(uint8_t pk[DOC_KEY_LEN], const char *path, struct err *e);
/* Makes the master key that opens the state, unless there is one or a passphrase takes its place. */
int keyfile_master(const struct conf *conf, struct err *e);

#endif
