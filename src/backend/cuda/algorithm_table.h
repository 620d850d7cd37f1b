// Which of a library's algorithms is fastest for a shape on this GPU: measured once, remembered in a file.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace hayate::cuda {

class AlgorithmTable {
 public:
  // `file` may be empty: measured afresh in each process. `machine` names GPU, driver and library versions; a file that was
  // written for another machine, or that does not read well, is as good as none. Without `measure` every choice is 0: the
  // library's own first suggestion, the same on every machine of a kind.
  AlgorithmTable(std::string file, std::string machine, bool measure);

  // Index of the fastest of `count` candidates; `seconds` runs one, given the best time so far, and returns infinity if it does not run.
  int choose(const std::string& key, int count, const std::function<double(int, double rival)>& seconds);

  // A number that `measure` finds out, once. 0 where nothing is measured.
  int remember(const std::string& key, const std::function<int()>& measure);

  // Writes the file if there is something new. Failure to write is not an error: the table is never required.
  void save();

 private:
  void load();

  std::string file_, machine_;
  bool measure_;
  std::recursive_mutex mutex_;  // measuring one choice may need another
  std::map<std::string, int> best_;
  bool dirty_ = false;
};

}  // namespace hayate::cuda
