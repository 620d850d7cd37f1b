// Names of groups and classes become numbers here, once.
#include "quality/quality_list.h"

#include <algorithm>

#include "core/error.h"
#include "core/json.h"

namespace hayate {

namespace {
constexpr int kMaxSide = 2048;
constexpr size_t kMaxPrompts = 100000;

std::map<size_t, size_t> parse_attributes(const JsonObject& attributes, const std::vector<AttributeGroup>& groups) {
  std::map<size_t, size_t> asked;
  for (const std::string& key : attributes.keys()) {
    auto group = std::ranges::find(groups, key, &AttributeGroup::name);
    require(group != groups.end(), ErrorKind::bad_file, "{}: the classifier has no group \"{}\"", attributes.what(), key);
    std::string name = attributes.string(key);
    auto found = std::ranges::find(group->classes, name);
    require(found != group->classes.end(), ErrorKind::bad_file, "{}: {} is \"{}\"; the classifier knows {}", attributes.what(), key, name,
            fmt::join(group->classes, ", "));
    asked[size_t(group - groups.begin())] = size_t(found - group->classes.begin());
  }
  return asked;
}
}  // namespace

std::vector<QualityPrompt> read_quality_list(const std::string& file, const std::vector<AttributeGroup>& groups) {
  JsonObject json(read_json_file(file), file, ErrorKind::bad_file);
  const bool is_list = json.has("prompts") && json.raw("prompts").is_array();
  require(is_list && !json.raw("prompts").empty() && json.raw("prompts").size() <= kMaxPrompts, ErrorKind::bad_file,
          "{}: expected \"prompts\" to be a list of 1 to {} objects", file, kMaxPrompts);
  std::vector<QualityPrompt> list;
  for (const Json& entry : json.raw("prompts")) {
    JsonObject prompt(entry, fmt::format("{}: prompt {}", file, list.size() + 1), ErrorKind::bad_file);
    require(prompt.has("attributes"), ErrorKind::bad_file, "{}: has no \"attributes\"", prompt.what());
    JsonObject attributes(prompt.raw("attributes"), prompt.what() + ": attributes", ErrorKind::bad_file);
    list.push_back({.prompt = prompt.string("prompt"),
                    .seed = uint64_t(prompt.integer("seed", 0, UINT32_MAX)),
                    .width = int(prompt.integer("width", 8, kMaxSide)),
                    .height = int(prompt.integer("height", 8, kMaxSide)),
                    .asked = parse_attributes(attributes, groups)});
  }
  return list;
}

}  // namespace hayate
