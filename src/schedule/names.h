// Things that go by several names: "DPM++ 2M", "dpmpp_2m" and "dpm++2m" are one.
#pragma once
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hayate {

// Small letters and digits only, "+" as "p": equal for names that differ in nothing else.
std::string name_key(std::string_view name);

class Names {
 public:
  // Of the next thing: first ours, then those of others, of which empty ones are left out. A name that an earlier thing has stays with that one.
  void add(std::initializer_list<const char*> names);

  std::optional<size_t> find(std::string_view name) const;  // in the order of add()
  std::string hint(std::string_view unknown) const;         // "did you mean euler? There are: euler, heun"

 private:
  std::map<std::string, size_t> by_key_;
  std::vector<std::string> ours_;
};

}  // namespace hayate
