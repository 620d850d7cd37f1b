// Every backend against `reference` on the table of op_cases.h, with weights as they are and packed as the backend wants them.
#include <gtest/gtest.h>

#include "backend/candidates.h"
#include "backend/op_cases.h"
#include "passes/passes.h"
#include "backend/run_case.h"

namespace hayate::testing {
namespace {

// float32: the order of sums. Narrow types: one or two roundings of 2^-9 (bf16) or 2^-12 (fp16) at most each.
double bound_of(Dtype t) { return t == Dtype::f32 ? 1e-5 : t == Dtype::bf16 ? 3e-3 : 5e-4; }

// Relative L2 error at most `bound`, and no element off by more than 20 times that of the typical magnitude. Equal infinities agree.
::testing::AssertionResult close(const std::vector<float>& result, const std::vector<float>& expected, double bound) {
  if (result.size() != expected.size()) return ::testing::AssertionFailure() << result.size() << " elements, expected " << expected.size();
  double error = 0, norm = 0, worst = 0;
  size_t worst_at = 0, finite = 0;
  for (size_t i = 0; i < result.size(); ++i) {
    if (std::isinf(expected[i]) && result[i] == expected[i]) continue;
    double difference = std::abs(double(result[i]) - double(expected[i]));
    if (!(difference <= worst)) worst = difference, worst_at = i;
    error += difference * difference;
    norm += double(expected[i]) * double(expected[i]);
    ++finite;
  }
  double relative = error == 0 ? 0 : std::sqrt(error / norm), typical = std::sqrt(norm / double(std::max<size_t>(finite, 1)));
  if (relative <= bound && worst <= 20 * bound * typical) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "relative error " << relative << ", bound " << bound << "; element " << worst_at << " is "
                                       << result[worst_at] << ", expected " << expected[worst_at];
}

struct SweepCase {
  Candidate candidate;
  Dtype dtype;
  OpCase op;
};
void PrintTo(const SweepCase& c, std::ostream* out) { *out << c.candidate.name << " " << name_of(c.dtype) << " " << c.op.name; }

std::vector<SweepCase> sweep() {
  std::vector<SweepCase> all;
  for (const Candidate& candidate : candidates())
    for (Dtype dtype : candidate.dtypes)
      for (const OpCase& op : op_cases())
        if (dtype == Dtype::f32 || precision_of(op.op) != Precision::exact || op.op == Op::group_statistics) all.push_back({candidate, dtype, op});
  // Where products of bf16 are staged in float32: in pieces of which even these small cases have several.
  Candidate in_pieces{"cpu_in_pieces", make_cpu_backend(cpu::best_isa(), 3000)};
  for (const OpCase& op : op_cases())
    if (op.op == Op::linear || op.op == Op::conv2d) all.push_back({in_pieces, Dtype::bf16, op});
  return all;
}
std::string test_name(const ::testing::TestParamInfo<SweepCase>& info) {
  std::string name = fmt::format("{}_{}_{}", info.param.candidate.name, name_of(info.param.dtype), info.param.op.name);
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

// cuBLASLt takes a bias in the type of the result: as in PyTorch, it is rounded once more.
double bound_of(const SweepCase& c) {
  if (c.op.coarse) return 1e-2;  // a few numbers fall on the other side of a rounding to eight bits
  return c.candidate.name.starts_with("cuda") && c.op.op == Op::linear && c.dtype != Dtype::f32 ? 1.5 * bound_of(c.dtype) : bound_of(c.dtype);
}

class OpSweep : public ::testing::TestWithParam<SweepCase> {};

TEST_P(OpSweep, EqualsReference) {
  const auto& [candidate, dtype, op] = GetParam();
  const double bound = bound_of(GetParam());
  Program program = op.record(dtype);
  if (!supports_all(*candidate.backend, program)) GTEST_SKIP() << candidate.name << " does not support " << name_of(dtype) << " " << op.name;

  CaseValues values(program, op.fills);
  std::vector<float> expected = run_case(*make_reference_backend(), op.record(op.coarse ? dtype : Dtype::f32), values);
  std::vector<float> result = run_case(*candidate.backend, program, values);
  EXPECT_TRUE(close(result, expected, bound));
  EXPECT_EQ(run_case(*candidate.backend, program, values), result) << "a second run differs";

  Program packed = pack_weights(program, {*candidate.backend, dtype});
  if (packed.size() == program.size()) return;
  EXPECT_TRUE(close(run_case(*candidate.backend, packed, values), expected, bound)) << "with packed weights";
}
INSTANTIATE_TEST_SUITE_P(All, OpSweep, ::testing::ValuesIn(sweep()), test_name);

const OpCase& case_named(const std::vector<OpCase>& all, const std::string& name) {
  for (const OpCase& c : all)
    if (c.name == name) return c;
  fail(ErrorKind::internal, "no case is named {}", name);
}

// Records a case with one attribute changed.
template <class Attr, class Change>
Program with_fault(const OpCase& c, Dtype t, Change change) {
  Program p = c.record(t);
  return rewrite(p, [&](Program& out, Value, Node n) {
    if (n.name == "y") change(std::get<Attr>(n.attr));
    return out.add(std::move(n));
  });
}

// A bound that a plausible mistake does not break would prove nothing.
TEST(OpSweepBounds, BreakWithPlantedFaults) {
  std::vector<OpCase> all = op_cases();
  auto expect_broken = [&](const std::string& name, auto record_fault) {
    for (const Candidate& candidate : candidates())
      for (Dtype t : candidate.dtypes) {
        const OpCase& c = case_named(all, name);
        CaseValues values(c.record(t), c.fills);
        std::vector<float> expected = run_case(*make_reference_backend(), c.record(Dtype::f32), values);
        EXPECT_FALSE(close(run_case(*candidate.backend, record_fault(c, t), values), expected, bound_of(t))) << name << " " << candidate.name;
      }
  };
  expect_broken("group_norm 1x6x6x40 in 8 silu", [](auto& c, Dtype t) { return with_fault<NormAttr>(c, t, [](NormAttr& a) { a.eps = 1e-6f; }); });
  expect_broken("group_norm 2x8x8x320 in 32 silu",
                [](auto& c, Dtype t) { return with_fault<NormAttr>(c, t, [](NormAttr& a) { a.activation = Activation::gelu; }); });
  expect_broken("group_norm 2x8x8x320 in 32 none", [](auto& c, Dtype t) { return with_fault<NormAttr>(c, t, [](NormAttr& a) { a.groups = 16; }); });
  expect_broken("group_norm 2x8x8x320 in 32 silu with given statistics", [](auto& c, Dtype t) {  // their own instead
    return rewrite(c.record(t), [](Program& out, Value, Node n) {
      if (n.name == "y") n.in[3] = none;
      return out.add(std::move(n));
    });
  });
  expect_broken("linear 2x1x77x96 to 384 quick_gelu bias",
                [](auto& c, Dtype t) { return with_fault<LinearAttr>(c, t, [](LinearAttr& a) { a.activation = Activation::gelu; }); });
  expect_broken("attention causal", [](auto& c, Dtype t) { return with_fault<AttentionAttr>(c, t, [](AttentionAttr& a) { a.causal = false; }); });
  expect_broken("attention self 64", [](auto& c, Dtype t) { return with_fault<AttentionAttr>(c, t, [](AttentionAttr& a) { a.heads = 10; }); });
  expect_broken("attention self 64", [](auto& c, Dtype t) { return with_fault<AttentionAttr>(c, t, [](AttentionAttr& a) { a.scale *= 1.05f; }); });
}

TEST(OpSweepBounds, NanFails) {
  EXPECT_FALSE(close({1, NAN}, {1, 2}, 1));
  EXPECT_FALSE(close({1, 2}, {1, NAN}, 1));
  EXPECT_FALSE(close({1, INFINITY}, {1, 2}, 1));
  EXPECT_FALSE(close({1}, {1, 2}, 1));
  EXPECT_TRUE(close({1, -INFINITY}, {1, -INFINITY}, 0));
}

// What shares the batch with a picture does not change a bit of it.
TEST(OpSweep, PicturesAreIndependent) {
  std::vector<OpCase> all = op_cases();
  for (const char* name : {"group_norm 2x8x8x320 in 32 silu", "linear 2x8x8x320 to 320 none bias residual", "linear 2x1x1x320 to 1280 silu bias",
                           "conv2d 2x8x8x64 to 96 kernel 3 stride 1 pad 1,1 none row", "attention self 64", "attention stacked projections"})
    for (const Candidate& candidate : candidates())
      for (Dtype t : candidate.dtypes) {
        const OpCase& c = case_named(all, name);
        CaseValues values(c.record(t), c.fills);
        std::vector<float> before = run_case(*candidate.backend, c.record(t), values);
        values.negate_first_half_of_inputs();
        std::vector<float> after = run_case(*candidate.backend, c.record(t), values);
        auto half = std::ptrdiff_t(before.size() / 2);
        EXPECT_TRUE(std::equal(before.begin() + half, before.end(), after.begin() + half)) << name << " " << candidate.name << " " << name_of(t);
        EXPECT_FALSE(std::equal(before.begin(), before.begin() + half, after.begin())) << name << " " << candidate.name << " " << name_of(t);
      }
}

// What is lost in eight bits must not hide in them: the scale is not a number, and so is all that comes from the row.
TEST(OpSweep, QuantizedNotANumberShows) {
  for (const char* name : {"linear i8 1x3x11x1280 to 40 none", "conv2d i8 2x7x5x64 to 96 residual"})
    for (float bad : {NAN, INFINITY}) {
      OpCase c = case_named(op_cases(), name);
      c.fills["x"] = {.mean = bad, .deviation = 0};
      for (const Candidate& candidate : candidates())
        for (Dtype t : {Dtype::f32, Dtype::bf16}) {
          const Program p = c.record(t);
          if (!supports_all(*candidate.backend, p)) continue;
          for (float y : run_case(*candidate.backend, p, CaseValues(p, c.fills))) ASSERT_FALSE(std::isfinite(y)) << name << " " << candidate.name << " " << name_of(t);
        }
    }
}

TEST(OpSweep, RegionOutsideTheImageIsAnError) {
  OpCase c = case_named(op_cases(), "group_statistics 1x24x20x64 in 32 region 0,3,22,17");
  for (std::vector<int64_t> region : {std::vector<int64_t>{0, 4, 22, 17}, {3, 0, 22, 1}, {-1, 0, 2, 2}, {0, -1, 2, 2}, {0, 0, 0, 3}, {0, 0, 3, 0},
                                      {1, 0, 2147483647, 1}, {0, 0, 1, -1}}) {
    c.fills["region"].integers = region;
    for (const Candidate& candidate : candidates()) {
      Program p = c.record(Dtype::f32);
      CaseValues values(p, c.fills);
      EXPECT_THROW(run_case(*candidate.backend, p, values), Error) << candidate.name << " " << fmt::format("{}", fmt::join(region, ","));
    }
  }
}

TEST(OpSweep, IndexOutsideTheTableIsAnError) {
  const std::vector<OpCase> all = op_cases();
  OpCase c = case_named(all, "embedding of 49 rows");
  c.fills["ids"] = {.mean = 49, .deviation = 0};
  for (const Candidate& candidate : candidates()) {
    Program p = c.record(Dtype::f32);
    CaseValues values(p, c.fills);
    EXPECT_THROW(run_case(*candidate.backend, p, values), Error);
  }
}

}  // namespace
}  // namespace hayate::testing
