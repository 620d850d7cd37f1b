// The names of what a request chooses between, as the command line and the HTTP service have them.
#pragma once
#include <map>
#include <string>

#include "hayate/hayate.h"

namespace hayate {

const std::map<std::string, PromptSyntax>& prompt_syntaxes();
const std::map<std::string, Fit>& fits();
const std::map<std::string, MaskContent>& mask_contents();
const std::map<std::string, Upscaler>& upscalers_by_name();  // of upscalers()
std::string default_rung();                                  // what an empty Options::rung means

}  // namespace hayate
