#!/bin/bash
# pure.sh LIBRARY - fails when the library calls, by itself, anything that reaches out of its memory.
set -euo pipefail
undefined=$(nm -u "${1:?usage: pure.sh LIBRARY}" | awk '$1 == "U" { sub(/@.*/, "", $2); print $2 }' | sort -u)
grep -q '^xmlParseChunk$' <<<"$undefined" || { echo "$1: not the parser"; exit 1; }
forbidden='^_*(open|openat|creat|fopen|freopen|fdopen|opendir|stat|lstat|access|unlink|rename|mkdir|mmap|read|write|pread|pwrite|'
forbidden+='socket|connect|bind|listen|accept|send|sendto|sendmsg|recv|recvfrom|recvmsg|getaddrinfo|gethostbyname|'
forbidden+='time|gettimeofday|clock_gettime|localtime|gmtime|getenv|secure_getenv|setenv|setlocale|'
forbidden+='v?f?printf|v?dprintf|puts|fputs|fputc|putchar|fwrite|perror|syslog|'
forbidden+='exit|_Exit|abort|fork|vfork|exec[lv]p?e?|system|popen|kill|raise|signal|sigaction|'
forbidden+='pthread_create|sleep|usleep|nanosleep)(64)?(_chk|_2)?$'
glib='^(g_log|g_logv|g_log_.*|g_print|g_printerr|g_message|g_warning|g_getenv|g_setenv|g_listenv|g_file_.*|g_open|g_fopen|'
glib+='g_dir_.*|g_stat|g_spawn_.*|g_get_real_time|g_get_monotonic_time|g_get_current_time|g_date_time_new_now.*|g_socket_.*|'
glib+='g_return_if_fail_warning|g_warn_message|g_thread_.*|xmlParseFile|xmlReadFile|xmlCtxtReadFile|xmlNanoHTTP.*|'
glib+='archive_read_open_filename.*|archive_read_open_fd|archive_read_open_FILE|archive_read_extract.*|archive_write_.*|'
glib+='g_mime_stream_file_.*|g_mime_stream_fs_.*|g_mime_stream_pipe_.*|'
# these two may loop for ever (parser/mail.h)
glib+='g_mime_content_type_encode|g_mime_multipart_get_boundary)$'
if grep -E "$forbidden|$glib" <<<"$undefined"; then
	echo "$1 calls the above"
	exit 1
fi
echo "$(wc -l <<<"$undefined") functions called, none of them reaches out"
