// The measured ladder as a table, JSON, CSV and a chart.
#include "ladder_report.h"

#include <fmt/format.h>

#include "bar_chart.h"
#include "text_table.h"

namespace hayate::cli {

namespace {
using nlohmann::ordered_json;

double tflops(const RungTimes& r) { return r.step > 0 ? r.work.step_flops / r.step * 1e-12 : 0; }

struct Column {  // without a title: for programs only
  const char* name;   // in JSON and CSV
  const char* title;  // for people
  std::string (*cell)(const LadderReport&, size_t);
  double (*value)(const LadderReport&, size_t);
};

#define VALUE(expression)                         \
  [](const LadderReport& l, size_t i) -> double { \
    const RungTimes& r = l.rungs[i];              \
    (void)l, (void)i;                             \
    return expression;                            \
  }
#define CELL(pattern, expression)            \
  [](const LadderReport& l, size_t i) {      \
    const RungTimes& r = l.rungs[i];         \
    (void)l, (void)i;                        \
    return fmt::format(pattern, expression); \
  },                                         \
      VALUE(expression)
constexpr Column kColumns[] = {
    {"seconds_per_image", "s/image", CELL("{:.3f}", r.median)},
    {"seconds_min", "min", CELL("{:.3f}", r.least)},
    {"seconds_max", "max", CELL("{:.3f}", r.most)},
    {"ms_per_step", "ms/step", CELL("{:.2f}", r.step * 1e3)},
    {"ms_text", "text ms", CELL("{:.2f}", r.text * 1e3)},
    {"ms_decode", "decode ms", CELL("{:.2f}", r.decode * 1e3)},
    {"seconds_first_image", "first s", CELL("{:.2f}", r.first)},
    {"speedup", "speed-up", CELL("{:.2f}x", l.rungs[0].median / r.median)},
    {"speedup_over_rung_below", "over last", CELL("{:.2f}x", l.rungs[i ? i - 1 : 0].median / r.median)},
    {"launches_per_step", "launches", CELL("{:.0f}", double(r.work.launches_per_step))},
    {"peak_mib", "peak MiB", CELL("{:.0f}", double(r.peak_memory >> 20))},
    {"tflops", "TFLOP/s", CELL("{:.3g}", tflops(r))},
    {"tflops_ceiling", nullptr, CELL("{:.3g}", r.ceilings.flops * 1e-12)},
    {"tflops_ceiling_8bit", nullptr, CELL("{:.3g}", r.ceilings.narrow_flops * 1e-12)},
    {"gbs_ceiling", nullptr, CELL("{:.3g}", r.ceilings.bytes * 1e-9)},
    {"ms_per_step_floor", "floor ms", CELL("{:.2f}", r.floor * 1e3)},
    {"percent_of_floor", "of floor", CELL("{:.0f}%", r.floor / r.step * 100)},
    {"warmups", nullptr, CELL("{:.0f}", double(r.warmups))},
    {"runs", nullptr, CELL("{:.0f}", double(r.runs))},
    {"latent_distance", "latent off", CELL("{:.1e}", r.latent_distance)},
    {"picture_distance", "pixels off", CELL("{:.2f}", r.picture_distance)},
};
#undef CELL
#undef VALUE
}  // namespace

std::string ladder_text(const LadderReport& report) {
  TextTable table;
  std::vector<std::string> titles{"rung"};
  for (const Column& c : kColumns)
    if (c.title) titles.push_back(c.title);
  table.add(titles);
  for (size_t i = 0; i < report.rungs.size(); ++i) {
    std::vector<std::string> cells{report.rungs[i].rung};
    for (const Column& c : kColumns)
      if (c.title) cells.push_back(c.cell(report, i));
    table.add(cells);
  }
  return fmt::format("{}\n{}, {}\n\n{}", report.machine, report.model, report.request, table.text());
}

std::string ladder_json(const LadderReport& report) {
  ordered_json rungs = ordered_json::array();
  for (size_t i = 0; i < report.rungs.size(); ++i) {
    ordered_json rung{{"rung", report.rungs[i].rung}};
    for (const Column& c : kColumns) rung[c.name] = c.value(report, i);
    rungs.push_back(rung);
  }
  return json_text({{"machine", report.machine},
                    {"version", report.version},
                    {"revision", report.revision},
                    {"model", report.model},
                    {"request", report.request},
                    {"rungs", rungs}});
}

std::string ladder_csv(const LadderReport& report) {
  std::string text = "rung";
  for (const Column& c : kColumns) text += fmt::format(",{}", c.name);
  for (size_t i = 0; i < report.rungs.size(); ++i) {
    text += "\n" + report.rungs[i].rung;
    for (const Column& c : kColumns) text += fmt::format(",{:.6g}", c.value(report, i));
  }
  return text + "\n";
}

std::string ladder_svg(const LadderReport& report) {
  std::vector<Bar> bars;
  for (const RungTimes& r : report.rungs) bars.push_back({r.rung, fmt::format("{:.2f} s  ({:.1f}x)", r.median, report.rungs[0].median / r.median), r.median});
  return bar_chart("Seconds per picture", bars);
}

}  // namespace hayate::cli
