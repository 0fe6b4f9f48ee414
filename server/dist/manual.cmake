# manual.cmake - puts the list of keys into the manual page: cmake -D IN= -D KEYS= -D OUT= -D VERSION= -P manual.cmake
cmake_minimum_required(VERSION 3.25)

file(READ ${IN} page)
file(READ ${KEYS} keys)
string(REPLACE "@KEYS@\n" "${keys}" page "${page}")
string(REPLACE "@PROJECT_VERSION@" "${VERSION}" page "${page}")
file(WRITE ${OUT} "${page}")
