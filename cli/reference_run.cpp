// The request is a JSON object in the metadata of the .safetensors file.
#include "reference_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "hayate/inspect.h"
#include "interrupt.h"

namespace hayate::cli {

namespace {

using nlohmann::json;

const std::map<std::string, std::function<void(Request&, const json&)>> fields = {
    {"prompt", [](Request& r, const json& v) { v.get_to(r.pictures[0].prompt); }},
    {"negative_prompt", [](Request& r, const json& v) { v.get_to(r.pictures[0].negative_prompt); }},
    {"seed", [](Request& r, const json& v) { v.get_to(r.pictures[0].seed); }},
    {"guidance", [](Request& r, const json& v) { v.get_to(r.pictures[0].guidance); }},
    {"width", [](Request& r, const json& v) { v.get_to(r.width); }},
    {"height", [](Request& r, const json& v) { v.get_to(r.height); }},
    {"steps", [](Request& r, const json& v) { v.get_to(r.steps); }},
};

Request request_of(const std::string& reference) {
  const auto metadata = inspect_safetensors(reference).metadata;
  auto found = metadata.find("request");
  if (found == metadata.end())
    throw Error(ErrorKind::bad_file, fmt::format("{}: its metadata has no request; expected a dump of tools/dump_reference.py request", reference));
  Request request{.pictures = {{}}};
  const json object = json::parse(found->second, nullptr, false);
  if (!object.is_object()) throw Error(ErrorKind::bad_file, fmt::format("{}: the request in its metadata is not a JSON object", reference));
  for (const auto& [key, value] : object.items()) {
    auto field = fields.find(key);
    if (field == fields.end()) throw Error(ErrorKind::bad_file, fmt::format("{}: the request has a field \"{}\", which is unknown", reference, key));
    try {
      field->second(request, value);
    } catch (const json::exception&) {
      throw Error(ErrorKind::bad_file, fmt::format("{}: the request has a {} of another type than expected", reference, key));
    }
  }
  return request;
}

// The path of a file to be, removed in the end.
class TemporaryFile {
 public:
  TemporaryFile() : path_(std::filesystem::temp_directory_path() / fmt::format("hayate-compare-{}.safetensors", getpid())) {}
  TemporaryFile(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::vector<Difference> run_against(const std::string& reference, const Options& options) {
  Request request = request_of(reference);
  const TemporaryFile dump;
  request.dump_pattern = "*";
  request.dump_file = dump.path();
  request.on_step = [](const Progress&) { return !interrupted(); };
  Pipeline(options).generate(request);
  return compare_dumps(dump.path(), reference);
}

}  // namespace hayate::cli
