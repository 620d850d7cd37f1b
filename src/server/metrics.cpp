// Writing of the text format.
#include "server/metrics.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace hayate::server {

namespace {

std::string escaped(const std::string& value) {
  std::string text;
  for (char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? ' ' : c;
  }
  return text;
}

std::string labels_text(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, escaped(value));
  return text;
}

std::string in_braces(const std::string& labels, const std::string& more = "") {
  const std::string all = labels + (labels.empty() || more.empty() ? "" : ",") + more;
  return all.empty() ? "" : "{" + all + "}";
}

}  // namespace

void Metrics::declare_counter(const std::string& name, const std::string& help) { families_[name] = {.type = "counter", .help = help}; }
void Metrics::declare_histogram(const std::string& name, const std::string& help, std::vector<double> bounds) {
  families_[name] = {.type = "histogram", .help = help, .bounds = std::move(bounds)};
}
void Metrics::declare_gauge(const std::string& name, const std::string& help, std::function<double()> value) {
  families_[name] = {.type = "gauge", .help = help, .value = std::move(value)};
}

void Metrics::count(const std::string& name, const Labels& labels, double by) {
  std::lock_guard lock(mutex_);
  families_.at(name).series[labels_text(labels)].sum += by;
}

void Metrics::observe(const std::string& name, double value, const Labels& labels) {
  std::lock_guard lock(mutex_);
  Family& family = families_.at(name);
  Series& series = family.series[labels_text(labels)];
  series.buckets.resize(family.bounds.size() + 1);
  series.sum += value;
  ++series.buckets[size_t(std::ranges::lower_bound(family.bounds, value) - family.bounds.begin())];
}

std::string Metrics::text() const {
  std::lock_guard lock(mutex_);
  std::string text;
  for (const auto& [name, family] : families_) {
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
    if (family.value) text += fmt::format("{} {}\n", name, family.value());
    for (const auto& [labels, series] : family.series) {
      if (family.type == "counter") text += fmt::format("{}{} {}\n", name, in_braces(labels), series.sum);
      if (family.type != "histogram") continue;
      uint64_t below = 0;
      for (size_t i = 0; i < series.buckets.size(); ++i) {
        below += series.buckets[i];
        const std::string bound = i < family.bounds.size() ? fmt::format("le=\"{}\"", family.bounds[i]) : "le=\"+Inf\"";
        text += fmt::format("{}_bucket{} {}\n", name, in_braces(labels, bound), below);
      }
      text += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, in_braces(labels), series.sum, name, in_braces(labels), below);
    }
  }
  return text;
}

}  // namespace hayate::server
