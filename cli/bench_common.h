// What the measurements of hayate bench that draw one picture over and over have in common.
#pragma once
#include "hayate/hayate.h"
#include "table.h"

namespace hayate::cli {

struct BenchPicture {
  Options options;
  Request request;
  int runs = 5;
  float guidance = 5;
};

void add_bench_picture(Table, BenchPicture&);
void add_bench_runs(Table, BenchPicture&);
Request request_of(const BenchPicture&);

}  // namespace hayate::cli
