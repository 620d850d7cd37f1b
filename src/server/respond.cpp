// Which status an error gets, and the three shapes of error bodies.
#include "server/respond.h"

#include <exception>
#include <new>

namespace hayate::server {

HttpResponse json_response(const Json& body, int status) {
  return {.status = status, .body = body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

HttpResponse text_response(std::string text, int status) { return {.status = status, .type = "text/plain; charset=utf-8", .body = std::move(text)}; }

const char* reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Payload Too Large";
    case 415: return "Unsupported Media Type";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Client Closed Request";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return status < 500 ? "Error" : "Internal Server Error";
  }
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
    case ErrorKind::bad_file:
    case ErrorKind::unsupported:
    case ErrorKind::out_of_memory: return 400;  // refused by the forecast: asking for less helps, waiting does not
    case ErrorKind::not_found: return 404;
    case ErrorKind::cancelled: return 499;
    case ErrorKind::bad_model:
    case ErrorKind::io:
    case ErrorKind::not_finite:
    case ErrorKind::internal: return 500;
  }
  return 500;
}

std::string code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "invalid_value";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::bad_file: return "bad_input";
    case ErrorKind::bad_model: return "bad_model";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::out_of_memory: return "out_of_memory";
    case ErrorKind::io: return "io";
    case ErrorKind::not_finite: return "not_finite";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::internal: return "internal";
  }
  return "internal";
}

HttpError current_error() {
  try {
    throw;
  } catch (const HttpError& error) { return error; } catch (const Error& error) {
    return {status_of(error.kind()), error.what(), code_of(error.kind())};
  } catch (const std::bad_alloc&) { return {503, "out of memory", "out_of_memory"}; } catch (const std::exception& error) {
    return {500, error.what(), "internal"};
  }
}

HttpResponse error_response(const HttpError& e, ErrorShape shape) {
  Json body;
  switch (shape) {
    case ErrorShape::openai: {
      const char* type = e.status == 401 || e.status == 403  ? "authentication_error"
                         : e.status == 429                   ? "rate_limit_error"
                         : e.status < 500 || e.status == 501 ? "invalid_request_error"
                                                             : "server_error";
      body = {{"error", {{"message", e.message}, {"type", type}, {"param", nullptr}, {"code", e.code}}}};
      break;
    }
    case ErrorShape::a1111: body = {{"error", e.code}, {"detail", e.message}, {"body", ""}, {"errors", e.message}}; break;
    case ErrorShape::inference: body = {{"error", e.message}}; break;
  }
  HttpResponse response = json_response(body, e.status);
  response.headers = e.headers;
  return response;
}

}  // namespace hayate::server
