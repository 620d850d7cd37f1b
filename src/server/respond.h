// Responses from values and from errors.
#pragma once
#include "core/json.h"
#include "hayate/error.h"
#include "server/http.h"

namespace hayate::server {

HttpResponse json_response(const Json& body, int status = 200);
HttpResponse text_response(std::string text, int status = 200);

const char* reason_of(int status);  // "Not Found"
int status_of(ErrorKind);           // of an error while a request is checked or drawn
std::string code_of(ErrorKind);     // "out_of_memory"
HttpResponse error_response(const HttpError&, ErrorShape);

// The error that is being handled, whatever it is. Call in a catch block.
HttpError current_error();

}  // namespace hayate::server
