// The names of schedulers and spacings in other programs, and what is said to a wrong one.
#include <gtest/gtest.h>

#include "core/expect_error.h"
#include "core/file_reader.h"
#include "schedule/scheduler_table.h"

namespace hayate {
namespace {

TEST(Names, EachNameInTheTablesIsFound) {
  for (const Scheduler& s : scheduler_table())
    for (const char* name : {s.name, s.a1111, s.comfyui, s.sd_cpp}) {
      if (!*name) continue;
      EXPECT_EQ(find_scheduler(name).scheduler, &s) << name;
      EXPECT_EQ(find_scheduler(name).spacing, nullptr) << name;
    }
  for (const Spacing& s : spacing_table())
    for (const char* name : {s.name, s.label, s.comfyui, s.sd_cpp}) {
      if (!*name) continue;
      EXPECT_EQ(&spacing_named(name), &s) << name;
    }
}

TEST(Names, AsOtherProgramsWriteThem) {
  const struct {
    const char *given, *scheduler, *spacing;
  } cases[] = {
      {"dpmpp_2m", "dpmpp_2m", ""},
      {"DPM++ 2M", "dpmpp_2m", ""},
      {"dpm++2m", "dpmpp_2m", ""},
      {"DPM++ 2M Karras", "dpmpp_2m", "karras"},
      {"dpm++ 2m sde karras", "dpmpp_2m_sde", "karras"},
      {"DPM++ 2M SDE Exponential", "dpmpp_2m_sde", "exponential"},
      {"DPMSolverMultistepScheduler", "dpmpp_2m", ""},
      {"euler_a", "euler_ancestral", ""},
      {"Euler a", "euler_ancestral", ""},
      {"EULER A", "euler_ancestral", ""},
      {"EulerAncestralDiscreteScheduler", "euler_ancestral", ""},
      {"Euler SGM Uniform", "euler", "sgm_uniform"},
      {"euler_align_your_steps", "euler", "ays"},
      {"ddim_trailing", "ddim", "trailing"},
      {"DPM2 a Karras", "dpm2_ancestral", "karras"},
      {"dpm_2_ancestral", "dpm2_ancestral", ""},
      {"uni_pc", "unipc", ""},
      {"UniPCMultistepScheduler", "unipc", ""},
      {"DPM++ 3M SDE Exponential", "dpmpp_3m_sde", "exponential"},
      {"PLMS", "pndm", ""},
  };
  for (const auto& c : cases) {
    const NamedScheduler found = find_scheduler(c.given);
    EXPECT_STREQ(found.scheduler->name, c.scheduler) << c.given;
    EXPECT_STREQ(found.spacing ? found.spacing->name : "", c.spacing) << c.given;
  }
}

TEST(Names, AWrongOneIsAnsweredWithTheRightOne) {
  expect_error(ErrorKind::usage, {"\"dpmp_2m\"", "did you mean dpmpp_2m?", "There are: euler, "}, [] { find_scheduler("dpmp_2m"); });
  expect_error(ErrorKind::usage, {"\"Euler b\"", "did you mean euler"}, [] { find_scheduler("Euler b"); });
  expect_error(ErrorKind::usage, {"\"kerras\"", "did you mean karras?"}, [] { spacing_named("kerras"); });
  for (const std::string& name : {std::string(), std::string("+-\xff"), std::string(1 << 20, 'x'), std::string("karras"), std::string("eulereuler")})
    EXPECT_THROW(find_scheduler(name), Error);
}

// A row of docs/schedulers.md is "| `ours` | AUTOMATIC1111 | `comfyui` | `stable-diffusion.cpp` | ...".
TEST(Names, AreInTheDocumentation) {
  const std::string path = HAYATE_SOURCE_DIR "/docs/schedulers.md", page = read_text_file(path, 1 << 20);
  auto row_of = [&](const std::string& name) {
    const size_t at = page.find("\n| `" + name + "` |");
    return at == page.npos ? std::string() : page.substr(at + 1, page.find('\n', at + 1) - at);
  };
  for (const Scheduler& s : scheduler_table())
    for (const char* name : {s.name, s.comfyui, s.sd_cpp}) EXPECT_NE(row_of(s.name).find(name), std::string::npos) << s.name << " " << name;
  for (const Spacing& s : spacing_table())
    for (const char* name : {s.name, s.comfyui, s.sd_cpp}) EXPECT_NE(row_of(s.name).find(name), std::string::npos) << s.name << " " << name;
}

}  // namespace
}  // namespace hayate
