#include "bennu/data/sqlite/call.hpp"

namespace bennu::data {

using bennu::detail::post_home;
using bennu::detail::send_reply;

void Answers::add(const Call& call, Result<Outcome> outcome) {
    const std::size_t shard = call.reply.shard;
    if (by_shard_.size() <= shard) by_shard_.resize(shard + 1);
    by_shard_[shard].push_back({call.reply, std::move(outcome)});
}

void Answers::send() {
    for (std::size_t shard = 0; shard < by_shard_.size(); ++shard) {
        if (by_shard_[shard].empty()) continue;
        post_home(static_cast<std::uint8_t>(shard),
                  [answers = std::exchange(by_shard_[shard], {})]() mutable {
                      for (Answer& each : answers) send_reply(each.reply, std::move(each.outcome));
                  });
    }
}

void answer(const Call& call, Result<Outcome> outcome) {
    post_home(static_cast<std::uint8_t>(call.reply.shard),
              [reply = call.reply, outcome = std::move(outcome)]() mutable {
                  send_reply(reply, std::move(outcome));
              });
}

bool WaitForCall::await_suspend(std::coroutine_handle<> coroutine) {
    call_->reply = begin(coroutine, bennu::now() + timeout_);
    Result<> submitted = submit_(call_);
    if (!submitted) error.emplace(std::move(submitted).error());
    return !error;
}

Result<Outcome> WaitForCall::await_resume() {
    release();
    if (!error) return std::move(*value);
    if (error->kind() != ErrorKind::timeout) return std::move(*error);
    return Error(ErrorKind::timeout, "database_timeout", "the database did not answer in time");
}

}  // namespace bennu::data
