#include "apps/assetronics/lib/ops/ops.hpp"

#include "apps/assetronics/lib/ops/practice.hpp"
#include "apps/assetronics/lib/ops/sampler.hpp"

namespace assetronics::ops {

using namespace bennu;

namespace {

constexpr std::string_view supervisor_name = "ops";

Ref<Sampler> sampler() {
    return whereis<Sampler>(std::string(Sampler::name));
}
Ref<Supervisor> supervisor() {
    return whereis<Supervisor>(std::string(supervisor_name));
}

}  // namespace

Result<> admit(const Access& access, std::string_view token) {
    if (access.token.empty()) {
        if (access.development) return {};
        return Error(ErrorKind::forbidden, "ops_disabled",
                     "Operations are off: this node has no operations token.");
    }
    if (token.empty()) {
        return Error(ErrorKind::forbidden, "token_required",
                     "This page needs the operations token of the node.");
    }
    if (access.token == Secret(std::string(token))) return {};
    return Error(ErrorKind::forbidden, "token_wrong", "This is not the node's operations token.");
}

Pid watched() {
    return sampler().pid();
}

Task<Result<Payload>> watch() {
    co_return co_await try_call(sampler(), Sampler::Watch{self()});
}

Task<Result<Payload>> everything() {
    co_return co_await try_call(sampler(), Sampler::Everything{});
}

Task<Result<>> operate(Operation operation) {
    auto done =
        co_await require(co_await try_call(sampler(), Sampler::Operate{std::move(operation)}));
    co_return done;
}

Task<Result<>> start_practice() {
    auto started = co_await start_child(supervisor(), child_practice());
    if (!started) co_return std::move(started).error();
    co_return Result<>();
}

Task<Result<>> stop_practice() {
    const std::string id(practice_name);
    co_await require(terminate_child(supervisor(), id));
    co_return co_await delete_child(supervisor(), id);
}

ChildSpec child_ops() {
    const std::string name(supervisor_name);
    return child_supervisor(ChildOptions{.id = name, .name = name}, {}, [] {
        std::vector<ChildSpec> children;
        const std::string sampler_name(Sampler::name);
        children.push_back(child<Sampler>({.id = "sampler", .name = sampler_name}));
        return children;
    });
}

}  // namespace assetronics::ops
