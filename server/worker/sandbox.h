/*
 * sandbox.h - how a process gives up every right, for good, before it meets hostile bytes.
 *
 * Afterwards it can compute, read and write the descriptors it has, and take memory up to its bound: no file,
 * no socket, no program, no other process. Two walls, Landlock and seccomp, each denies alone. Knows nothing
 * of mail.
 */
#pragma once

#include <glib.h>

#define SANDBOX_FD 3 /* the one descriptor that stays open, besides 0, 1 (both /dev/null) and 2 */

struct sandbox_limits {
	guint64 memory; /* bytes of address space, or 0 for no bound; not kept under sanitizers, which take
			   terabytes */
	guint64
	    cpu; /* seconds of processor time that one document may cost; a process gets three times as many, and no more */
};

/*
 * Enter. As root: become nobody (65534) first. Fails closed: RUAD_ERROR_SYSTEM says what could not be set up,
 * and the caller must exit. Where the kernel has no Landlock, *landlock becomes FALSE and seccomp stands
 * alone.
 */
gboolean sandbox_enter(
    const struct sandbox_limits *limits, gboolean *landlock, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Inside: grant limits->cpu seconds from now on; SIGXCPU ends the process when they are used up. */
gboolean sandbox_renew_cpu(const struct sandbox_limits *limits, GError **error) G_GNUC_WARN_UNUSED_RESULT;
