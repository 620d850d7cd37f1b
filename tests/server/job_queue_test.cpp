// Order, fairness, batches and bounds of the queue.
#include "server/job_queue.h"

#include <gmock/gmock.h>

#include <thread>

namespace hayate::server {
namespace {

using ::testing::ElementsAre;

struct Asked {
  std::string client = "a", model = "m", lora = "";
  int pictures = 1, width = 256;
  float guidance = 5;
  PromptSyntax syntax = PromptSyntax::diffusers;
};

JobPtr job(const Asked& asked, double deadline = 0) {
  JobSpec spec{.setup = {.pipeline = {.model = asked.model}}, .client = asked.client, .deadline = deadline};
  if (!asked.lora.empty()) spec.setup.loras = {{asked.lora}};
  spec.request.width = asked.width, spec.request.height = 256;
  spec.request.prompt_syntax = asked.syntax;
  spec.request.pictures.resize(size_t(asked.pictures));
  for (Picture& p : spec.request.pictures) p.guidance = asked.guidance;
  return std::make_shared<Job>(spec);
}

class QueueTest : public ::testing::Test {
 protected:
  Pace pace;
  JobQueue queue{{.jobs = 6, .jobs_of_a_client = 4, .pictures_at_once = 4}, pace};
  std::vector<JobPtr> jobs;

  void add(const std::vector<Asked>& all) {
    for (const Asked& asked : all) {
      jobs.push_back(job(asked));
      queue.add(jobs.back());
    }
  }
  size_t index_of(const JobPtr& j) const { return size_t(std::ranges::find(jobs, j) - jobs.begin()); }
  // The jobs of each batch until the queue is empty.
  std::vector<std::vector<size_t>> batches() {
    std::vector<std::vector<size_t>> all;
    std::optional<server::Setup> last;
    while (!queue.empty()) {
      all.emplace_back();
      for (const Part& part : queue.take(last)) all.back().push_back(index_of(part.job)), last = part.job->spec().setup;
    }
    return all;
  }
  int refusal(const JobPtr& j) {
    try {
      queue.add(j);
    } catch (const HttpError& error) { return error.status; }
    return 0;
  }
};

TEST_F(QueueTest, ClientsTakeTurns) {
  add({{.client = "a", .width = 64},
       {.client = "a", .width = 72},
       {.client = "a", .width = 80},
       {.client = "b", .width = 88},
       {.client = "c", .width = 96}});
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(0), ElementsAre(3), ElementsAre(4), ElementsAre(1), ElementsAre(2)));
}

TEST_F(QueueTest, PositionsAreTheOrder) {
  add({{.client = "a", .width = 64}, {.client = "a", .width = 72}, {.client = "b", .width = 88}});
  EXPECT_EQ(jobs[0]->status().position, 1);
  EXPECT_EQ(jobs[1]->status().position, 3);
  EXPECT_EQ(jobs[2]->status().position, 2);
  queue.take(std::nullopt);
  EXPECT_EQ(jobs[1]->status().position, 2);
}

TEST_F(QueueTest, BatchesWhatFitsTogether) {
  add({{.client = "a"}, {.client = "b"}, {.client = "c", .width = 512}, {.client = "d"}, {.client = "e", .guidance = 1}});
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(0, 1, 3), ElementsAre(2), ElementsAre(4)));
}

TEST_F(QueueTest, WhatPadsPromptsIsDrawnAlone) {
  add({{.client = "a", .syntax = PromptSyntax::a1111}, {.client = "b", .syntax = PromptSyntax::a1111}});
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(ShareBatch, OnlyWithTheSamePictureAndMask) {
  const Image white{.width = 2, .height = 1, .rgb = std::vector<uint8_t>(6, 255)}, half{.width = 2, .height = 1, .rgb = {0, 0, 0, 255, 255, 255}};
  const Image upright{.width = 1, .height = 2, .rgb = half.rgb};
  JobSpec a;
  a.request.init_image = half, a.request.mask = half, a.request.strength = 0.5;
  EXPECT_TRUE(share_batch(a, a));
  const std::vector<void (*)(Request&)> changes = {[](Request& r) { r.mask.reset(); },        [](Request& r) { r.init_image.reset(), r.mask.reset(); },
                                                   [](Request& r) { r.strength = 0.6; },      [](Request& r) { r.mask_blur = 1; },
                                                   [](Request& r) { r.mask_area = 0; },       [](Request& r) { r.fit = Fit::crop; },
                                                   [](Request& r) { r.mask_content = MaskContent::fill; },
                                                   [](Request& r) { r.mask->rgb[0] = 255; },  [](Request& r) { r.init_image->rgb[0] = 1; }};
  for (size_t i = 0; i < changes.size(); ++i) {
    JobSpec b = a;
    changes[i](b.request);
    EXPECT_FALSE(share_batch(a, b) || share_batch(b, a)) << i;
  }
  for (auto part : {&Request::init_image, &Request::mask})
    for (const Image& other : {white, upright}) {
      JobSpec b = a;
      b.request.*part = other;
      EXPECT_FALSE(share_batch(a, b));
    }
}

TEST_F(QueueTest, LargeJobsAreTakenInParts) {
  add({{.client = "a", .pictures = 6}, {.client = "b", .pictures = 1, .width = 512}});
  const std::vector<Part> first = queue.take(std::nullopt);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].count, 4u);
  EXPECT_EQ(index_of(queue.take(std::nullopt)[0].job), 1u);  // the other client's turn
  const std::vector<Part> rest = queue.take(std::nullopt);
  EXPECT_EQ(rest[0].first, 4u);
  EXPECT_EQ(rest[0].count, 2u);
  EXPECT_TRUE(queue.empty());
}

TEST_F(QueueTest, OtherPipelinesWaitALittle) {
  add({{.client = "a", .model = "m"},
       {.client = "b", .model = "n"},
       {.client = "c", .model = "m", .width = 512},
       {.client = "d", .model = "n", .width = 512}});
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(0), ElementsAre(2), ElementsAre(1), ElementsAre(3)));
}

TEST_F(QueueTest, OtherLorasWaitALittleButLessThanOtherPipelines) {
  add({{.client = "a", .model = "m", .lora = "x"},
       {.client = "b", .model = "n"},
       {.client = "c", .model = "m", .lora = "y"},
       {.client = "d", .model = "m", .lora = "x", .width = 512},
       {.client = "e", .model = "n", .width = 512}});
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(0), ElementsAre(3), ElementsAre(2), ElementsAre(1), ElementsAre(4)));
}

TEST_F(QueueTest, OtherLorasAreOtherBatches) {
  add({{.client = "a", .lora = "x"}, {.client = "b", .lora = "y"}, {.client = "c", .lora = "x"}});
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(0, 2), ElementsAre(1)));
}

TEST_F(QueueTest, ButNotForEver) {
  const std::optional<server::Setup> last = server::Setup{.pipeline = {.model = "m"}};
  for (const Asked& asked : {Asked{.client = "z", .model = "n"}, Asked{.client = "z", .model = "m", .lora = "x"}}) {
    const JobPtr other = job(asked);
    queue.add(other);
    bool had_its_turn = false;
    for (int taken = 0; taken < 5 && !had_its_turn; ++taken) {
      queue.add(job({.client = "a", .width = 64 + 8 * taken}));
      had_its_turn = queue.take(last)[0].job == other;
    }
    EXPECT_TRUE(had_its_turn) << asked.model;
    while (!queue.empty()) queue.take(last);
  }
}

// One that asks again and again gets every other turn, however much it has waiting.
TEST_F(QueueTest, ABusyClientLeavesTurnsToOthers) {
  const JobPtr other = job({.client = "quiet", .width = 512});
  for (int i = 0; i < 4; ++i) queue.add(job({.client = "busy", .width = 64 + 8 * i}));
  queue.add(other);
  EXPECT_NE(queue.take(std::nullopt)[0].job, other);
  queue.add(job({.client = "busy", .width = 128}));
  EXPECT_EQ(queue.take(std::nullopt)[0].job, other);
}

TEST_F(QueueTest, IsBounded) {
  add({{.client = "a"}, {.client = "a"}, {.client = "a"}, {.client = "a"}});
  EXPECT_EQ(refusal(job({.client = "a"})), 429);  // of one client
  add({{.client = "b"}, {.client = "c"}});
  EXPECT_EQ(refusal(job({.client = "d"})), 429);  // of all
  jobs[0]->cancel("");
  EXPECT_EQ(refusal(job({.client = "d"})), 0);
  queue.close();
  EXPECT_EQ(refusal(job({.client = "e"})), 503);
}

TEST_F(QueueTest, TellsWhenToComeBack) {
  add({{}, {}, {}, {}});
  queue.running_left(12.3);
  try {
    queue.add(job({}));
    FAIL();
  } catch (const HttpError& error) { EXPECT_THAT(error.headers, ElementsAre(std::pair<std::string, std::string>("Retry-After", "13"))); }
}

TEST_F(QueueTest, DropsWhatEndedOrIsTooLate) {
  add({{.client = "a", .width = 64}, {.client = "a", .width = 72}});
  const JobPtr late = job({.client = "b"}, 1e-6);
  queue.add(late);
  jobs[0]->cancel("no more");
  std::this_thread::sleep_until(late->deadline());
  queue.sweep();
  ASSERT_TRUE(late->status().error);
  EXPECT_EQ(late->status().error->status, 504);
  EXPECT_EQ(jobs[1]->status().position, 1);
  EXPECT_THAT(batches(), ElementsAre(ElementsAre(1)));
}

TEST_F(QueueTest, ClosingEndsTheWait) {
  std::thread closer([&] { queue.close(); });
  EXPECT_TRUE(queue.take(std::nullopt).empty());
  closer.join();
}

TEST(JobTest, EndsOnceAndTellsWatchers) {
  int ended = 0, changes = 0;
  JobSpec spec;
  spec.request.pictures.resize(2);
  Job job(spec, [&](const Job&) { ++ended; });
  const int watcher = job.watch([&] { ++changes; });
  job.start("bf16");
  job.add(0, {.file = "x"});
  EXPECT_EQ(job.status().progress, 0.5);
  job.add(1, {.file = "y"});
  job.cancel("late");
  job.fail({500, "late"});
  EXPECT_EQ(job.status().state, JobState::done);
  EXPECT_FALSE(job.status().error);
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(changes, 3);
  job.unwatch(watcher);
}

TEST(JobTest, IdsCannotBeGuessed) {
  const Job a({}), b({});
  EXPECT_EQ(a.id().size(), 32u);
  EXPECT_NE(a.id(), b.id());
}

TEST(PaceTest, LearnsAndForgets) {
  Pace pace;
  const PipelineKey key{.model = "m"}, other{.model = "n"};
  EXPECT_EQ(pace.seconds(key, 100), std::nullopt);
  pace.learn(key, 100, 10);
  EXPECT_DOUBLE_EQ(*pace.seconds(key, 50), 5);
  EXPECT_DOUBLE_EQ(*pace.seconds(other, 50), 5);  // better than nothing
  for (int i = 0; i < 50; ++i) pace.learn(key, 100, 1);
  EXPECT_NEAR(*pace.seconds(key, 100), 1, 1e-3);
}

}  // namespace
}  // namespace hayate::server
