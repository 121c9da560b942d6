#include "bennu/runtime/offload.hpp"

#include "bennu/runtime/runtime_state.hpp"

namespace bennu {

std::unique_ptr<Executor> make_executor(ExecutorOptions options) {
    return Runtime::current()->make_executor(std::move(options));
}

Executor& default_executor() {
    return Runtime::current()->default_executor();
}

namespace detail {

void post_home(std::uint8_t shard, Function<void()> job) {
    Runtime::current()->shard(shard).inject(std::move(job));
}

}  // namespace detail
}  // namespace bennu
