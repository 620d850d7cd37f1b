// Linears and errors as a table, JSON and CSV. What was not measured is an empty cell, and null.
#include "quantization_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "text_table.h"

namespace hayate::cli {

namespace {
using nlohmann::ordered_json;

template <class Row>
struct Column {       // without a title: for programs only
  std::string name;   // in JSON and CSV
  std::string title;  // for people
  std::function<ordered_json(const Row&)> value;
  const char* number = "{:.2e}";  // how people see it where it is no whole number
};
template <class Row>
using Columns = std::vector<Column<Row>>;

constexpr const char* kMilliseconds = "{:.4f}";

ordered_json json_of(const std::optional<double>& v, double unit = 1) { return v ? ordered_json(*v * unit) : ordered_json(); }

std::vector<std::string> rungs_of(const std::vector<LinearShape>& linears) {
  std::vector<std::string> rungs;
  if (!linears.empty())
    for (const auto& [rung, form] : linears[0].quantized) rungs.push_back(rung);
  std::ranges::sort(rungs, std::greater());  // int8 before fp8, as on the ladder
  return rungs;
}

Columns<LinearShape> columns_of(const QuantizationReport& report) {
  Columns<LinearShape> columns = {
      {"layer", "", [](const LinearShape& s) { return s.layer; }},
      {"rows", "rows", [](const LinearShape& s) { return s.rows; }},
      {"in", "in", [](const LinearShape& s) { return s.in; }},
      {"out", "out", [](const LinearShape& s) { return s.out; }},
      {"epilogue", "epilogue", [](const LinearShape& s) { return s.epilogue; }},
      {"count", "count", [](const LinearShape& s) { return s.count; }},
      {"flops", "", [](const LinearShape& s) { return s.flops; }},
      {"ms", report.dtype + " ms", [](const LinearShape& s) { return json_of(s.seconds, 1e3); }, kMilliseconds},
      {"error", report.dtype + " error", [](const LinearShape& s) { return json_of(s.error); }},
  };
  for (const std::string& rung : rungs_of(report.linears)) {
    auto add = [&](const char* name, const char* number, auto value) {
      columns.push_back({rung + "_" + name, rung + " " + name, [=](const LinearShape& s) { return value(s.quantized.at(rung)); }, number});
    };
    add("ms", kMilliseconds,
        [](const QuantizedLinear& q) { return q.seconds ? json_of(*q.seconds + q.quantize_seconds.value_or(0), 1e3) : ordered_json(); });
    add("ms_quantize", kMilliseconds, [](const QuantizedLinear& q) { return json_of(q.quantize_seconds, 1e3); });
    add("chosen", "", [](const QuantizedLinear& q) { return q.chosen ? ordered_json(*q.chosen) : ordered_json(); });
    add("error", "{:.2e}", [](const QuantizedLinear& q) { return json_of(q.error); });
  }
  return columns;
}

const Columns<LayersError>& error_columns() {
  static const Columns<LayersError> columns = {
      {"rung", "rung", [](const LayersError& e) { return e.rung; }},
      {"layers", "layers", [](const LayersError& e) { return e.layers; }},
      {"count", "count", [](const LayersError& e) { return e.count; }},
      {"error", "error", [](const LayersError& e) { return ordered_json(e.error); }},
  };
  return columns;
}

std::string cell_of(const ordered_json& value, const char* number) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_integer() ? value.dump() : fmt::format(fmt::runtime(number), value.get<double>());
}

template <class Row>
std::string as_text(const Columns<Row>& columns, const std::vector<Row>& rows) {
  TextTable table;
  auto add = [&](auto cell) {
    std::vector<std::string> cells;
    for (const Column<Row>& c : columns)
      if (!c.title.empty()) cells.push_back(cell(c));
    table.add(std::move(cells));
  };
  add([](const Column<Row>& c) { return c.title; });
  for (const Row& row : rows) add([&](const Column<Row>& c) { return cell_of(c.value(row), c.number); });
  return table.text();
}

template <class Row>
ordered_json as_json(const Columns<Row>& columns, const std::vector<Row>& rows) {
  ordered_json all = ordered_json::array();
  for (const Row& row : rows) {
    ordered_json object = ordered_json::object();
    for (const Column<Row>& c : columns) object[c.name] = c.value(row);
    all.push_back(std::move(object));
  }
  return all;
}

template <class Row>
std::string as_csv(const Columns<Row>& columns, const std::vector<Row>& rows) {
  std::string text;
  auto add = [&](auto cell) {
    for (const Column<Row>& c : columns) text += (&c == &columns[0] ? "" : ",") + cell(c);
    text += "\n";
  };
  add([](const Column<Row>& c) { return c.name; });
  for (const Row& row : rows)
    add([&](const Column<Row>& c) {
      const std::string cell = cell_of(c.value(row), "{:.6g}");
      return cell.find(',') == cell.npos ? cell : "\"" + cell + "\"";
    });
  return text;
}

std::string notes(const QuantizationReport& report) {
  std::string text =
      "\nms: one linear alone, with what quantizes its input, which is also shown apart, and empty where what makes the input does it. chosen: how many of them the rung quantizes. error: of the "
      "result without the residual, to float32.\n";
  if (std::ranges::none_of(report.linears, [](const LinearShape& s) { return s.seconds.has_value(); }))
    text += "This device measures nothing: no times.\n";
  for (const std::string& rung : rungs_of(report.linears))
    if (std::ranges::none_of(report.linears, [&](const LinearShape& s) { return s.quantized.at(rung).chosen.has_value(); }))
      text += fmt::format("{} is not there on this device: its errors are those of the reference backend.\n", rung);
  return text;
}
}  // namespace

std::string quantization_text(const QuantizationReport& report) {
  const std::string head = fmt::format("{}\n{}, {}\n\n", report.machine, report.model, report.request);
  if (report.linears.empty())
    return head + as_text(error_columns(), report.errors) + "\nerror: of the UNet's output with only these layers in 8 bits, to none of them.\n";
  return head + as_text(columns_of(report), report.linears) + notes(report);
}

std::string quantization_json(const QuantizationReport& report) {
  ordered_json all = {{"machine", report.machine}, {"version", report.version}, {"revision", report.revision},
                      {"model", report.model},     {"request", report.request}, {"dtype", report.dtype}};
  if (report.linears.empty())
    all["errors"] = as_json(error_columns(), report.errors);
  else
    all["linears"] = as_json(columns_of(report), report.linears);
  return json_text(all);
}

std::string quantization_csv(const QuantizationReport& report) {
  return report.linears.empty() ? as_csv(error_columns(), report.errors) : as_csv(columns_of(report), report.linears);
}

}  // namespace hayate::cli
