# Writes the file FONT as C++ into OUTPUT: what embedded_font.h declares.
file(READ ${FONT} content HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," content "${content}")
file(WRITE ${OUTPUT} "// Written by cli/embed_font.cmake.\n#include \"embedded_font.h\"\n\nnamespace hayate::cli {\n
static const unsigned char font[] = {${content}};\n
std::span<const unsigned char> embedded_font() { return font; }\n\n}  // namespace hayate::cli\n")
