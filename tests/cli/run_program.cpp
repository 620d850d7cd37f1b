// fork, exec, wait; output goes through files so that no pipe can fill up.
#include "cli/run_program.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "core/scratch_folder.h"

namespace hayate {

namespace {

[[noreturn]] void become_program(const std::vector<std::string>& arguments, const std::string& folder) {
  if (chdir(folder.c_str()) != 0) _exit(99);
  std::vector<char*> argv = {const_cast<char*>(HAYATE_PROGRAM)};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  execv(HAYATE_PROGRAM, argv.data());
  _exit(99);
}

int status_of(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

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
  std::string in = scratch.write("in", how.input);
  pid_t pid = fork();
  if (pid == 0) {
    redirect(STDIN_FILENO, in, O_RDONLY);
    redirect(STDOUT_FILENO, out);
    how.err_closed ? redirect_to_unread_pipe(STDERR_FILENO) : redirect(STDERR_FILENO, err);
    for (int descriptor : how.closed) close(descriptor);
    for (const auto& [name, value] : how.variables) setenv(name.c_str(), value.c_str(), 1);
    const rlimit limit = {rlim_t(how.largest_file), rlim_t(how.largest_file)};
    if (how.largest_file >= 0 && setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(99);
    become_program(arguments, how.folder);
  }
  if (how.meanwhile) how.meanwhile(pid);
  const int status = status_of(pid);
  return {.status = status, .out = how.out_to.empty() ? slurp(out) : "", .err = slurp(err)};
}

std::optional<Outcome> run_on_terminal(const std::vector<std::string>& arguments, const std::string& folder) {
  int terminal = -1;
  winsize size = {.ws_row = 24, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, &size);
  if (pid < 0) return std::nullopt;
  if (pid == 0) {
    setenv("TERM", "xterm", 1);
    become_program(arguments, folder);
  }
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(terminal, buffer, sizeof buffer)) > 0;) text.append(buffer, size_t(n));
  close(terminal);
  return Outcome{.status = status_of(pid), .out = text, .err = ""};
}

}  // namespace hayate
