/*
 * try.h - tries what the sandbox must forbid, for the tests that show that it does.
 */
#pragma once

/*
 * what: "open", "write-file", "socket", "connect", "exec", "fork", "ptrace", ... (see try.c).
 * Returns the exit status: 0 and "refused: ERRNO" on standard error when it was refused, 1 and "done" when it
 * was possible, 2 when nothing has that name. Does not return when the kernel kills for it.
 */
int try_forbidden(const char *what);
