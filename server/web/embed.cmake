# embed.cmake - embeds the files of a folder as C, in the form of assets.h.
#
#   cmake -D FOLDER=page -D OUT=assets.c -P embed.cmake
#
# The bytes are included by .incbin (no supported compiler has #embed yet), unchanged and in gzip form by zopfli.
# The output is only written if its content has changed; it contains the hash of all included files.
cmake_minimum_required(VERSION 3.25)

function(type_of path out)
	set(types
		html "text/html\; charset=utf-8"
		js "text/javascript\; charset=utf-8"
		css "text/css\; charset=utf-8"
		svg "image/svg+xml"
		png "image/png"
		ico "image/x-icon"
		woff2 "font/woff2"
		json "application/json"
		map "application/json"
		txt "text/plain\; charset=utf-8"
		webmanifest "application/manifest+json")
	get_filename_component(extension ${path} LAST_EXT)
	string(SUBSTRING "${extension}" 1 -1 extension)
	list(FIND types "${extension}" at)
	if(at EQUAL -1)
		message(FATAL_ERROR "${path}: no media type is known for it; add it to embed.cmake")
	endif()
	math(EXPR at "${at} + 1")
	list(GET types ${at} type)
	set(${out} "${type}" PARENT_SCOPE)
endfunction()

# Appends to body: the symbols name and name_end around the bytes of file.
macro(include_bytes name file)
	string(APPEND body
		"__asm__(\".section .rodata\\n.balign 16\\n\"\n"
		"        \".hidden ${name}\\n.hidden ${name}_end\\n.globl ${name}\\n.globl ${name}_end\\n\"\n"
		"        \"${name}:\\n.incbin \\\"${file}\\\"\\n${name}_end:\\n.byte 0\\n.previous\\n\");\n"
		"extern const guint8 ${name}[], ${name}_end[];\n")
endmacro()

get_filename_component(packed_folder ${OUT} DIRECTORY)
string(APPEND packed_folder /packed)
file(REMOVE_RECURSE ${packed_folder})
file(MAKE_DIRECTORY ${packed_folder})
file(GLOB_RECURSE paths RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT paths)
set(body "")
set(rows "")
set(n 0)
foreach(path ${paths})
	type_of(${path} type)
	file(SHA256 ${FOLDER}/${path} sha256)
	file(SIZE ${FOLDER}/${path} size)
	execute_process(COMMAND zopfli -c ${FOLDER}/${path} OUTPUT_FILE ${packed_folder}/${n}.gz COMMAND_ERROR_IS_FATAL ANY)
	file(SIZE ${packed_folder}/${n}.gz packed_size)

	string(APPEND body "\n/* ${path} ${sha256} */\n")
	include_bytes(asset_${n} ${FOLDER}/${path})
	set(packed "NULL, NULL")
	if(packed_size LESS size)
		include_bytes(asset_${n}_gzip ${packed_folder}/${n}.gz)
		set(packed "asset_${n}_gzip, asset_${n}_gzip_end")
	endif()
	set(immutable FALSE)
	if(path MATCHES "\\.[0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z]\\.[a-z0-9]+$")
		set(immutable TRUE)
	endif()
	string(APPEND rows "\t{ \"${path}\", \"${type}\", \"\\\"${sha256}\\\"\", ${immutable}, "
		"asset_${n}, asset_${n}_end, ${packed} },\n")
	math(EXPR n "${n} + 1")
endforeach()
if(n EQUAL 0)
	message(FATAL_ERROR "${FOLDER}: no file to embed")
endif()

string(CONCAT text "/* made by embed.cmake */\n#include \"server/web/assets.h\"\n${body}\n"
	"const struct asset assets[] = {\n${rows}};\nconst gsize n_assets = ${n};\n")
set(before "")
if(EXISTS ${OUT})
	file(READ ${OUT} before)
endif()
if(NOT text STREQUAL before)
	file(WRITE ${OUT} "${text}")
endif()
