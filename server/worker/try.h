/*
 * try.h - attempts what the sandbox must forbid, for tests.
 */
#pragma once

/*
 * what: "open", "write-file", "socket", "connect", "exec", "fork", "ptrace", ... (see try.c). Returns the
 * exit status: 0 and "refused: ERRNO" on standard error if it was refused, 1 and "done" if it was possible, 2
 * if nothing has that name. Does not return if the kernel kills the process.
 */
int try_forbidden(const char *what);
