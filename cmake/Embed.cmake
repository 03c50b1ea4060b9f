# SPDX-License-Identifier: GPL-2.0-or-later
# cmake -DOUT=FILE.c -DBASE=DIR -P Embed.cmake -- FILE...: the files as rows of scenario_files[], named by their path below BASE.
set(rows "")
set(arrays "")
set(n 0)
set(files OFF)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(files)
    file(RELATIVE_PATH name ${BASE} ${CMAKE_ARGV${i}})
    file(READ ${CMAKE_ARGV${i}} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
    string(APPEND arrays "static const unsigned char f${n}[] = {${hex}0};\n")
    string(APPEND rows "    {\"${name}\", (const char *)f${n}, sizeof(f${n}) - 1},\n")
    math(EXPR n "${n} + 1")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(files ON)
  endif()
endforeach()
file(WRITE ${OUT} "/* Made from the shipped scenarios at build time. */
#include \"scenario/scenario_files.h\"

${arrays}
const struct scenario_file scenario_files[] = {
${rows}};
const size_t scenario_n_files = ${n};
")
