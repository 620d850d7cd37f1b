// Where the vocabulary of a model is that comes without one.
#pragma once
#include <string>

namespace hayate {

// `tokenizers`/`name`. Error(not_found) if the published vocabulary was not installed there: it says for which model, `what`, and how
// to get it.
std::string installed_tokenizer(const std::string& tokenizers, const std::string& name, const std::string& what);

}  // namespace hayate
