// A new folder that appears whole or not at all.
#pragma once
#include <string>

namespace hayate {

// Files are written into path(), a temporary folder beside `name`; commit() gives it that name. Without commit() nothing of it remains.
// Error(usage) if something has the name already.
class AtomicFolder {
 public:
  explicit AtomicFolder(const std::string& name);
  AtomicFolder(const AtomicFolder&) = delete;
  ~AtomicFolder();

  const std::string& path() const { return temporary_; }
  std::string make(const std::string& subfolder) const;  // returns its path
  void commit();

 private:
  std::string name_, temporary_;
};

// Error(usage) if there is something of that name.
void require_absent(const std::string& path);

}  // namespace hayate
