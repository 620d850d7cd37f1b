// fork, exec, wait; output goes through files so that no pipe can fill up.
#include "cli/run_program.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "core/scratch_folder.h"

namespace hayate {

namespace {

void redirect(int descriptor, const std::string& path, int flags = O_WRONLY | O_CREAT | O_TRUNC) {
  int file = open(path.c_str(), flags, 0600);
  if (file < 0 || dup2(file, descriptor) < 0) _exit(99);
}

void redirect_to_unread_pipe(int descriptor) {
  int ends[2];
  if (pipe(ends) != 0 || dup2(ends[1], descriptor) < 0) _exit(99);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace

Outcome run_program(const std::vector<std::string>& arguments, const How& how) {
  ScratchFolder scratch;
  std::string out = how.out_to.empty() ? scratch / "out" : how.out_to, err = how.err_to.empty() ? scratch / "err" : how.err_to;
  std::vector<char*> argv = {const_cast<char*>(HAYATE_PROGRAM)};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);

  std::string in = scratch.write("in", how.input);
  pid_t pid = fork();
  if (pid == 0) {
    redirect(STDIN_FILENO, in, O_RDONLY);
    if (chdir(how.folder.c_str()) != 0) _exit(99);
    redirect(STDOUT_FILENO, out);
    how.err_closed ? redirect_to_unread_pipe(STDERR_FILENO) : redirect(STDERR_FILENO, err);
    for (int descriptor : how.closed) close(descriptor);
    const rlimit limit = {rlim_t(how.largest_file), rlim_t(how.largest_file)};
    if (how.largest_file >= 0 && setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(99);
    execv(HAYATE_PROGRAM, argv.data());
    _exit(99);
  }
  if (how.meanwhile) how.meanwhile(pid);
  int status = 0;
  waitpid(pid, &status, 0);
  return {.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), .out = how.out_to.empty() ? slurp(out) : "", .err = slurp(err)};
}

}  // namespace hayate
