// Numbers for Prometheus, in its text format (version 0.0.4). Safe for use by many threads.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace hayate::server {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Metrics {
 public:
  // Declared first, so that what never happened shows as zero or not at all, but with its help.
  void declare_counter(const std::string& name, const std::string& help);
  void declare_histogram(const std::string& name, const std::string& help, std::vector<double> bounds);
  void declare_gauge(const std::string& name, const std::string& help, std::function<double()> value);  // asked when it is read

  void count(const std::string& name, const Labels& = {}, double by = 1);
  void observe(const std::string& name, double value, const Labels& = {});

  std::string text() const;

 private:
  struct Series {
    double sum = 0;
    std::vector<uint64_t> buckets{};  // not cumulative; the last is beyond all bounds
  };
  struct Family {
    std::string type, help;
    std::vector<double> bounds{};
    std::function<double()> value{};
    std::map<std::string, Series> series{};  // by labels as text: a="b",c="d"
  };
  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
};

}  // namespace hayate::server
