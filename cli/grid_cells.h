// The cells of a grid: each is what `hayate generate` would be told, with the values of its axes.
#pragma once
#include <array>
#include <map>

#include "axis.h"
#include "generate_options.h"

namespace hayate::cli {

// For --help.
std::string axes_help();

class GridCells {
 public:
  // `grid` has been parsed: what was given to it beside the axes holds for all cells. Throws Error(usage) for an axis that there is none of.
  GridCells(const CLI::App& grid, const std::string& x, const std::string& y);

  const Axis& x() const { return axes_[0]; }
  const Axis& y() const { return axes_[1]; }
  size_t count() const { return x().values.size() * y().values.size(); }  // row by row
  size_t column(size_t cell) const { return cell % x().values.size(); }
  size_t row(size_t cell) const { return cell / x().values.size(); }

  // Throws Error(usage) as the command line of `hayate generate` does. Reads the pictures that it names, and so is not kept.
  GenerateCommand command(size_t cell) const;
  // Two cells are drawn by one pipeline, with other LoRAs perhaps, if this is the same.
  std::string pipeline(size_t cell) const;
  std::string name(size_t cell) const;  // for errors: "steps: 4, scheduler: euler"

 private:
  std::array<Axis, 2> axes_;
  std::map<std::string, std::vector<std::string>> given_;  // values by the name of their option
  std::array<std::string, 2> values(size_t cell) const { return {x().values[column(cell)], y().values[row(cell)]}; }
};

// What is written beside a column or a row.
std::string label(const Axis&, const std::string& value);

}  // namespace hayate::cli
