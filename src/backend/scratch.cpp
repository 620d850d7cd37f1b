// The error of a thread without scratch memory.
#include "backend/scratch.h"

#include "core/error.h"

namespace hayate {

void too_many_threads(int id, int threads) { fail(ErrorKind::internal, "thread {} runs an op that was compiled for {} threads", id, threads); }

}  // namespace hayate
