/*
 * sandbox.h - drops all rights of a process permanently, before it reads untrusted bytes.
 *
 * Afterwards it can compute, read and write its open descriptors, and use memory up to its limit: no files,
 * no sockets, no programs, no other processes. seccomp denies all of this alone; Landlock, where the kernel
 * has it, also denies files, TCP, abstract Unix sockets and signals to other processes. Knows nothing of
 * mail.
 */
#pragma once

#include <glib.h>

#define SANDBOX_FD 3 /* stays open, besides 0, 1 (both /dev/null) and 2 */

struct sandbox_limits {
	/* bytes of address space, 0 for no limit; ignored with sanitizers, which need terabytes */
	guint64 memory;
	/* seconds of processor time for one document; the process gets three times as many in total */
	guint64 cpu;
};

/*
 * Enter the sandbox. As root: become nobody (65534) first. Fails closed: RUAD_ERROR_SYSTEM says what could
 * not be set up, and the caller must exit. If the kernel has no Landlock, *landlock becomes FALSE and only
 * seccomp is used.
 */
gboolean sandbox_enter(
    const struct sandbox_limits *limits, gboolean *landlock, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* In the sandbox: grant limits->cpu seconds from now on; SIGXCPU ends the process when they are used up. The
 * kernel counts full seconds; *since is the second in which the limit was last set, at first 0. */
gboolean sandbox_renew_cpu(
    const struct sandbox_limits *limits, guint64 *since, GError **error) G_GNUC_WARN_UNUSED_RESULT;
