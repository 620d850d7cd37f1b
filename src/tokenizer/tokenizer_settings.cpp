// Three generations of transformers' files, all of them in use.
#include "tokenizer/tokenizer_settings.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/error.h"
#include "core/json.h"

namespace hayate {
namespace {

JsonObject read_if_present(const std::string& path) {
  Json json = std::filesystem::exists(path) ? read_json_file(path) : Json::object();
  return JsonObject(std::move(json), path, ErrorKind::bad_file);
}

// A string, or an object with the text as "content".
AddedToken read_token(const JsonObject& file, const std::string& key) {
  const Json& value = file.raw(key);
  if (value.is_string()) return {.text = value};
  JsonObject object(value, fmt::format("{}: \"{}\"", file.what(), key), ErrorKind::bad_file);
  for (const char* flag : {"lstrip", "rstrip", "single_word"})
    require(!object.boolean(flag, false), ErrorKind::unsupported, "{}: \"{}\" is true, which hayate does not do", object.what(), flag);
  return {.text = object.string("content"), .normalized = object.boolean("normalized", !object.boolean("special", false))};
}

int64_t parse_id(const std::string& text, const std::string& what) {
  int64_t id = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  require(error == std::errc() && end == text.data() + text.size() && id >= 0, ErrorKind::bad_file, "{}: {} is not a token id", what, excerpt(text));
  return id;
}

// Tokens with ids stated: "added_tokens_decoder" of newer files, added_tokens.json of older ones.
std::vector<AddedToken> read_listed(const JsonObject& config, const JsonObject& added_tokens, const std::vector<std::string>& special) {
  std::vector<AddedToken> listed;
  if (config.has("added_tokens_decoder")) {
    JsonObject decoder(config.raw("added_tokens_decoder"), config.what() + ": \"added_tokens_decoder\"", ErrorKind::bad_file);
    for (const std::string& id : decoder.keys()) {
      listed.push_back(read_token(decoder, id));
      listed.back().id = parse_id(id, decoder.what());
    }
  } else {
    for (const std::string& text : added_tokens.keys()) {
      bool is_special = std::find(special.begin(), special.end(), text) != special.end();
      listed.push_back({.text = text, .normalized = !is_special, .id = added_tokens.integer(text, 0, INT32_MAX)});
    }
  }
  std::sort(listed.begin(), listed.end(), [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return listed;
}

}  // namespace

TokenizerSettings read_tokenizer_settings(const std::string& folder) {
  JsonObject config = read_if_present(folder + "/tokenizer_config.json");
  JsonObject map = read_if_present(folder + "/special_tokens_map.json");
  JsonObject older = read_if_present(folder + "/added_tokens.json");
  TokenizerSettings settings;

  // Whether a token is normalized is decided by the list with ids, else by the last role in this order that has its text.
  const std::pair<const char*, std::string*> roles[] = {
      {"bos_token", &settings.bos}, {"eos_token", &settings.eos}, {"unk_token", &settings.unknown}, {"pad_token", &settings.pad}};
  std::vector<AddedToken> in_roles;
  std::vector<std::string> stated;
  for (auto [key, text] : roles) {
    bool in_map = !config.has("added_tokens_decoder") && map.has(key);
    const JsonObject& source = in_map ? map : config;
    AddedToken token = source.has(key) ? read_token(source, key) : AddedToken{.text = *text};
    if (source.has(key)) stated.push_back(token.text);
    *text = token.text;
    in_roles.push_back(std::move(token));
  }

  settings.added_tokens = read_listed(config, older, stated);
  size_t listed = settings.added_tokens.size();
  for (const AddedToken& token : in_roles) {
    auto& all = settings.added_tokens;
    auto known = std::find_if(all.begin(), all.end(), [&](const AddedToken& t) { return t.text == token.text; });
    if (known == all.end())
      all.push_back(token);
    else if (known >= all.begin() + ptrdiff_t(listed))
      known->normalized = token.normalized;
  }
  for (const AddedToken& token : settings.added_tokens)
    require(!token.text.empty(), ErrorKind::bad_file, "{}: a special token is empty text", config.what());

  for (const char* key : {"additional_special_tokens", "extra_special_tokens"})
    require(!config.has(key) || config.raw(key).empty(), ErrorKind::unsupported, "{}: \"{}\" is not empty, which hayate does not do", config.what(),
            key);

  double max_length = config.number("model_max_length", 3, 1e31, settings.max_length);
  if (max_length <= 1024) settings.max_length = int(max_length);  // 1e30 is written for "unknown"
  return settings;
}

}  // namespace hayate
