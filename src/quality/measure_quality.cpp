// Draws pictures in batches, at the rung and at the reference rung, and keeps only sums.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/stopwatch.h"
#include "hayate/quality.h"
#include "pipeline/installed_files.h"
#include "quality/attribute_reader.h"
#include "quality/attribute_score.h"
#include "quality/quality_list.h"

namespace hayate {

namespace {

// Prompts of one size that follow each other, at most `most`.
std::span<const QualityPrompt> next_batch(std::span<const QualityPrompt> left, size_t most) {
  size_t n = 1;
  while (n < std::min(most, left.size()) && left[n].width == left[0].width && left[n].height == left[0].height) ++n;
  return left.first(n);
}

Request request_for(std::span<const QualityPrompt> prompts, const QualityRequest& q) {
  Request r = q.settings;
  r.width = prompts[0].width;
  r.height = prompts[0].height;
  r.pictures.clear();
  for (const QualityPrompt& p : prompts) {
    Picture picture;
    picture.prompt = p.prompt;
    picture.seed = p.seed;
    picture.guidance = q.guidance;
    r.pictures.push_back(picture);
  }
  return r;
}

class ReferenceDistance {
 public:
  void add(const Image& image, const Image& reference) {
    double ratio = psnr(image, reference);
    identical_ += std::isinf(ratio);
    errors_ += std::pow(10, -ratio / 10);
    similarity_ += ssim(image, reference);
    ++pictures_;
  }
  QualityReport::Distance distance() const {
    double psnr = errors_ == 0 ? std::numeric_limits<double>::infinity() : -10 * std::log10(errors_ / pictures_);
    return {.psnr = psnr, .ssim = similarity_ / pictures_, .identical = identical_};
  }

 private:
  double errors_ = 0, similarity_ = 0;
  int pictures_ = 0, identical_ = 0;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  size_t n = values.size();
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

}  // namespace

QualityReport measure_quality(const Options& options, const QualityRequest& q) {
  require(q.batch >= 1, ErrorKind::usage, "batch is {}; expected at least 1", q.batch);
  const std::string folder = q.list.empty() ? quality_list_folder() : q.list;
  AttributeReader reader(folder);
  const std::vector<QualityPrompt> list = read_quality_list(folder + "/prompts.json", reader.groups());
  require(q.prompts >= 1 && size_t(q.prompts) <= list.size(), ErrorKind::usage, "prompts is {}; expected 1 to {}, as {} has", q.prompts, list.size(),
          folder + "/prompts.json");

  Pipeline pipeline(options);
  std::optional<Pipeline> reference;
  if (!q.reference_rung.empty()) {
    Options lower = options;
    lower.rung = q.reference_rung;
    reference.emplace(lower);
  }

  AttributeTally all;
  std::vector<AttributeTally> of_group(reader.groups().size());
  ReferenceDistance distance;
  std::vector<double> seconds;
  QualityReport report{.rung = pipeline.rung()};
  auto tally = [&](const QualityPrompt& prompt, const Image& image) {
    std::vector<size_t> seen = reader.read(image);
    int right = 0;
    for (auto [group, wanted] : prompt.asked) {
      right += seen[group] == wanted;
      of_group[group].add_picture(seen[group] == wanted, 1);
    }
    all.add_picture(right, int(prompt.asked.size()));
  };

  std::span<const QualityPrompt> left(list.data(), size_t(q.prompts));
  while (!left.empty()) {
    std::span<const QualityPrompt> batch = next_batch(left, size_t(q.batch));
    Request request = request_for(batch, q);
    Result result = pipeline.generate(request);
    const Timings& t = result.timings;
    for (size_t i = 0; i < batch.size(); ++i) {
      tally(batch[i], result.images[i]);
      seconds.push_back((t.text + t.denoise + t.decode) / double(batch.size()));
    }
    if (reference) {
      Result expected = reference->generate(request);
      for (size_t i = 0; i < batch.size(); ++i) distance.add(result.images[i], expected.images[i]);
    }
    left = left.subspan(batch.size());
    for (size_t i = 0; i < batch.size(); ++i)
      if (++report.pictures; q.on_picture && !q.on_picture(report.pictures, q.prompts))
        fail(ErrorKind::cancelled, "cancelled after {} of {} pictures", report.pictures, q.prompts);
  }

  report.seconds_per_picture = median(seconds);
  report.attributes = all.score();
  for (size_t g = 0; g < of_group.size(); ++g)
    if (AttributeScore s = of_group[g].score(); s.asked) report.groups.emplace_back(reader.groups()[g].name, s);
  if (reference) report.to_reference = distance.distance();
  return report;
}

}  // namespace hayate
