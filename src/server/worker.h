// The thread that draws on a device: it owns the pipelines there, takes batches from the queue, and tells jobs how far they are.
#pragma once
#include <atomic>
#include <future>
#include <semaphore>
#include <thread>

#include "server/job_queue.h"
#include "server/metrics.h"
#include "server/pipeline_pool.h"
#include "server/task_thread.h"

namespace hayate::server {

class Worker {
 public:
  // Opens the default model, and throws what Pipeline throws where that cannot be: so a device that is not there, or has no such rung, is an error at
  // once. `number` among those who take from the queue. `log` gets a line for what went wrong with no request to tell it to.
  Worker(const Catalog&, const std::string& device, size_t number, JobQueue&, Pace&, Metrics&, std::function<void(const std::string&)> log);
  ~Worker();
  void start() { started_.release(); }  // draws until the queue is closed and empty

  bool drawing() const { return drawing_; }
  int64_t memory() const { return memory_; }  // bytes, of open pipelines
  void stop() { stopping_ = true; }           // gives up what it draws within a step

 private:
  void run(std::promise<void> opened);
  void warm_up();
  void draw(const std::vector<Part>&);
  void draw_together(const std::vector<Part>&);
  void deliver(const std::vector<Part>&, Result);
  void account(PooledPipeline&, const Request&, const Result&);

  const Catalog& catalog_;
  const size_t number_;
  JobQueue& queue_;
  Pace& pace_;
  Metrics& metrics_;
  std::function<void(const std::string&)> log_;
  PipelinePool pool_;
  TaskThread encoder_{2};
  std::atomic<bool> drawing_ = false, stopping_ = false;
  std::atomic<int64_t> memory_ = 0;
  std::counting_semaphore<> started_{0};
  std::jthread thread_;
};

}  // namespace hayate::server
