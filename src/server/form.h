// Forms with files, as browsers and OpenAI's clients send them: multipart/form-data (RFC 7578).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "server/http.h"

namespace hayate::server {

struct FormPart {
  std::string name{};
  bool is_file = false;  // it came with a file name, which nothing looks at
  std::string_view content{};
};

bool is_form(const HttpRequest&);

// What the body holds, in its order; contents are views of the request's body. HttpError 415 for a body of another type, Error(usage) for a broken form
// and for more than 64 parts.
std::vector<FormPart> form_parts(const HttpRequest&);

// The parts that are no files, as the object that a JSON body would be: texts stay texts where `texts` names them, and others are read as JSON where
// they are JSON. Error(usage) for a name that comes twice.
JsonObject form_fields(const std::vector<FormPart>&, const std::vector<std::string_view>& texts);

}  // namespace hayate::server
