// Fuzz target: infotext is taken apart whatever it is.
#include "input.h"
#include "hayate/hayate.h"

std::string hayate::version() { return "0"; }  // the rest of the pipeline's folder is not linked

using namespace hayate;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Infotext info = parse_infotext(std::string(fuzz::text_of(data, size)));
  if (info.prompt.size() + info.negative_prompt.size() > size) fail(ErrorKind::internal, "prompts longer than the text");
  return 0;
}
