// hayate grid: what one setting does, or two, side by side.
#include <fmt/format.h>

#include <chrono>
#include <ctime>

#include "exit_code.h"
#include "grid_cells.h"
#include "grid_sheet.h"
#include "interrupt.h"
#include "output.h"
#include "output_names.h"
#include "progress.h"
#include "subcommands.h"
#include "text_table.h"

namespace hayate::cli {

namespace {

using nlohmann::ordered_json;

struct GridForm {
  GenerateForm all;  // what holds for all cells, and where the grid goes
  std::string x, y;
};

struct Cell {
  size_t pipeline = 0;  // index
  std::array<int, 2> size{};
  int steps = 0;
  std::string infotext;
  double seconds = 0;
};

// Whatever goes wrong in a cell is told with its values.
template <class Do>
auto in_cell(const GridCells& cells, size_t cell, const Do& what) {
  try {
    return what();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled) throw;
    throw Error(error.kind(), fmt::format("{}: {}", cells.name(cell), error.what()));
  }
}

class GridRun {
 public:
  GridRun(const GridForm& form, const CLI::App& app)
      : cells_(app, form.x, form.y), to_(form.all.command), display_(!to_.quiet && !to_.json), drawn_(cells_.count()) {}

  void run() {
    const auto begin = std::chrono::steady_clock::now();
    check_pattern(to_.output);
    display_.phase("loading");
    prepare();
    GridSheet sheet = empty_sheet();
    infotext_ = drawn_[0].infotext + ", Script: X/Y plot" + axis_text("X", cells_.x()) + axis_text("Y", cells_.y());
    check_image(file_, sheet.width(), sheet.height(), infotext_);
    check_writable(file_);
    draw_all(sheet);
    make_folder(file_);
    write_image(file_, sheet.image(), infotext_, to_.quality);
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (to_.json) return print_result(as_json(sheet));
    print_result(file_ + "\n");
    display_.message(fmt::format("{} pictures, {}x{}, total {:.2f} s", drawn_.size(), sheet.width(), sheet.height(), seconds_));
  }

 private:
  // Everything that would keep a cell from being drawn and can be known is found before the first is.
  void prepare() {
    std::vector<std::string> keys;
    for (size_t i = 0; i < drawn_.size(); ++i)
      in_cell(cells_, i, [&] {
        const GenerateCommand command = cells_.command(i);
        const std::string key = cells_.pipeline(i);
        drawn_[i].pipeline = size_t(std::ranges::find(keys, key) - keys.begin());
        if (drawn_[i].pipeline == keys.size()) keys.push_back(key), pipelines_.push_back(std::make_unique<Pipeline>(with_warnings(command.options)));
        Pipeline& pipeline = *pipelines_[drawn_[i].pipeline];
        pipeline.set_loras(command.options.loras);
        drawn_[i].size = pipeline.picture_size(command.request);
        drawn_[i].steps = command.request.steps;
        drawn_[i].infotext = pipeline.infotext(command.request)[0];
        steps_ += command.request.steps;
        if (i == 0) file_ = file_name(command.request, pipeline);
      });
  }

  // After the first cell.
  std::string file_name(const Request& request, const Pipeline& pipeline) const {
    return output_names(
        to_.output, request.pictures,
        {.width = drawn_[0].size[0], .height = drawn_[0].size[1], .steps = request.steps, .model = pipeline.model(), .now = std::time(nullptr)})[0];
  }

  Options with_warnings(Options options) {
    options.warn = [this](const std::string& text) {
      if (std::ranges::find(warnings_, text) != warnings_.end()) return;  // of another cell
      display_.message("warning: " + text);
      warnings_.push_back(text);
    };
    return options;
  }

  GridSheet empty_sheet() const {
    std::vector<int> widths(cells_.x().values.size()), heights(cells_.y().values.size());
    for (size_t i = 0; i < drawn_.size(); ++i) {
      widths[cells_.column(i)] = std::max(widths[cells_.column(i)], drawn_[i].size[0]);
      heights[cells_.row(i)] = std::max(heights[cells_.row(i)], drawn_[i].size[1]);
    }
    auto labels = [](const Axis& axis) {
      std::vector<std::string> texts;
      for (const std::string& value : axis.values) texts.push_back(label(axis, value));
      return texts;
    };
    return {widths, heights, labels(cells_.x()), labels(cells_.y())};
  }

  static std::string axis_text(const char* which, const Axis& axis) {
    if (axis.name.empty()) return "";
    const nlohmann::json values = fmt::format("{}", fmt::join(axis.values, ","));
    return fmt::format(", {0} Type: {1}, {0} Values: {2}", which, axis.name, values.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }

  // One pipeline has its weights loaded at a time.
  void draw_all(GridSheet& sheet) {
    for (size_t p = 0; p < pipelines_.size(); ++p) {
      for (size_t i = 0; i < drawn_.size(); ++i)
        if (drawn_[i].pipeline == p) in_cell(cells_, i, [&] { sheet.place(cells_.column(i), cells_.row(i), draw(i)); });
      pipelines_[p].reset();
    }
  }

  Image draw(size_t i) {
    GenerateCommand command = cells_.command(i);
    command.request.on_step = [&](const Progress& progress) {
      display_.step(steps_done_ + progress.step * command.request.steps / progress.steps, steps_);  // strength may leave fewer
      return !interrupted();
    };
    command.request.on_decode = [](int, int) { return !interrupted(); };
    Pipeline& pipeline = *pipelines_[drawn_[i].pipeline];
    pipeline.set_loras(command.options.loras);
    Result result = pipeline.generate(command.request);
    if (interrupted()) throw Error(ErrorKind::cancelled, "interrupted");
    steps_done_ += command.request.steps;
    drawn_[i].seconds = result.timings.total;
    return std::move(result.images[0]);
  }

  std::string as_json(const GridSheet& sheet) const {
    auto axis = [](const Axis& a) { return a.name.empty() ? ordered_json() : ordered_json{{"axis", a.name}, {"values", a.values}}; };
    ordered_json pictures = ordered_json::array();
    for (size_t i = 0; i < drawn_.size(); ++i) {
      const size_t column = cells_.column(i), row = cells_.row(i);
      const Cell& cell = drawn_[i];
      pictures.push_back({{"column", column},
                          {"row", row},
                          {"left", sheet.left(column)},
                          {"top", sheet.top(row)},
                          {"width", cell.size[0]},
                          {"height", cell.size[1]},
                          {"infotext", cell.infotext},
                          {"seconds", cell.seconds}});
    }
    return json_text({{"file", file_},
                      {"width", sheet.width()},
                      {"height", sheet.height()},
                      {"x", axis(cells_.x())},
                      {"y", axis(cells_.y())},
                      {"infotext", infotext_},
                      {"pictures", pictures},
                      {"seconds", seconds_},
                      {"warnings", warnings_}});
  }

  GridCells cells_;
  const GenerateCommand& to_;
  ProgressDisplay display_;
  std::vector<Cell> drawn_;
  std::vector<std::unique_ptr<Pipeline>> pipelines_;
  std::vector<std::string> warnings_;
  std::string file_, infotext_;
  int steps_ = 0, steps_done_ = 0;
  double seconds_ = 0;
};

}  // namespace

Subcommand add_grid(CLI::App& parent) {
  CLI::App* app = declare(
      parent, "grid",
      "Draws a grid of pictures that differ in one setting or two.\n\n"
      "  hayate grid \"a castle\" --x steps=4,10,30 --y scheduler=euler,dpmpp_2m\n"
      "  hayate grid \"a castle by day\" --x words=day,night --y seed=1-3 -o day.webp\n"
      "  hayate grid \"a castle\" --lora style.safetensors --x lora-weight=0-1:0.25",
      axes_help() + "\nAll cells have the same seed unless that is an axis. The picture keeps the settings of its first cell, and the axes.\n\n" +
          exit_code_help());
  auto form = std::make_shared<GridForm>();
  form->all.command.output = "grid.png";
  Table t{app, "Prompt"};
  add_prompt(t, "what the pictures should show", form->all);
  t.group = "Grid";
  t.text("--x", "AXIS", "what differs from column to column: steps=4,10,30", form->x);
  t.text("--y", "AXIS", "what differs from row to row", form->y);
  add_drawing(t, form->all);
  add_result(t, form->all.command);
  return {app, [form, app] { return GridRun(*form, *app).run(), exit_ok; }};
}

}  // namespace hayate::cli
