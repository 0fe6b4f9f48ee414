/*
 * sockets.h - the listening sockets of ruad serve: those that systemd passes, or else those of the settings.
 */
#pragma once

#include "server/common/settings.h"

/* A program that serves sockets. */
enum service {
	SERVICE_INGEST,
	SERVICE_WEB,
	SERVICES /* their number */
};

struct sockets;

/* Reject sockets of systemd that no service takes: they would hold their clients forever. */
gboolean sockets_check_activation(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Open all sockets, and give those of the file system their owner and group. Waits a few seconds for those of
 * a ruad serve that was killed. settings are borrowed until sockets_close().
 *
 * RUAD_ERROR_SYNTAX  an invalid address, or a service without a socket
 */
struct sockets *sockets_open(const struct settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Close those that we opened, and remove them from the file system; not those of systemd. NULL is allowed. */
void sockets_close(struct sockets *sockets);

/* A descriptor on which the service listens, borrowed. */
int sockets_first(const struct sockets *sockets, enum service service);

/* supervisor_pass() each socket of the service, with the option of its program. */
void sockets_pass(const struct sockets *sockets, enum service service, GArray *fds, GStrvBuilder *words);
