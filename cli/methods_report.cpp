// The measured methods as a table, JSON, CSV and a chart.
#include "methods_report.h"

#include <fmt/format.h>

#include "bar_chart.h"
#include "text_table.h"

namespace hayate::cli {

namespace {
using nlohmann::ordered_json;

ordered_json as_json(const MethodTimes& r) {
  ordered_json row = {{"method", r.method},
                      {"steps", r.steps},
                      {"rung", r.rung},
                      {"seconds_per_image", r.seconds},
                      {"ms_per_step", r.step * 1e3},
                      {"latent_distance", r.latent_distance},
                      {"picture_distance", r.picture_distance},
                      {"attribute_score", nullptr}};
  if (r.attribute_score) row["attribute_score"] = *r.attribute_score;
  return row;
}
}  // namespace

std::string methods_text(const MethodsReport& report) {
  TextTable table;
  table.add({"method", "steps", "rung", "s/image", "ms/step", "latent off", "pixels off", "attributes"});
  for (const MethodTimes& r : report.rows)
    table.add({r.method, std::to_string(r.steps), r.rung, fmt::format("{:.3f}", r.seconds), fmt::format("{:.2f}", r.step * 1e3),
               fmt::format("{:.1e}", r.latent_distance), fmt::format("{:.2f}", r.picture_distance),
               r.attribute_score ? fmt::format("{:.1f} %", 100 * *r.attribute_score) : ""});
  return fmt::format("{}\n{}, {}\n\n{}", report.machine, report.model, report.request, table.text());
}

std::string methods_json(const MethodsReport& report) {
  ordered_json rows = ordered_json::array();
  for (const MethodTimes& r : report.rows) rows.push_back(as_json(r));
  return json_text({{"machine", report.machine},
                    {"version", report.version},
                    {"revision", report.revision},
                    {"model", report.model},
                    {"request", report.request},
                    {"methods", rows}});
}

std::string methods_csv(const MethodsReport& report) {
  std::string text;
  for (const MethodTimes& r : report.rows) {
    std::string titles, cells;
    const ordered_json row = as_json(r);  // outlives its items
    for (const auto& [name, value] : row.items()) {
      titles += (titles.empty() ? "" : ",") + name;
      cells += (cells.empty() ? "" : ",") + (value.is_null() ? "" : value.is_string() ? value.get<std::string>() : fmt::format("{:.6g}", value.get<double>()));
    }
    text += (text.empty() ? titles + "\n" : "") + cells + "\n";
  }
  return text;
}

std::string methods_svg(const MethodsReport& report) {
  std::vector<Bar> bars;
  for (const MethodTimes& r : report.rows)
    bars.push_back({fmt::format("{}, {}", r.method, r.rung), fmt::format("{:.2f} s  ({:.1f} pixels off)", r.seconds, r.picture_distance), r.seconds});
  return bar_chart("Seconds per picture", bars);
}

}  // namespace hayate::cli
