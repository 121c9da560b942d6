#include "bennu/runtime/pipe_end.hpp"

#include <stdexcept>

#include "bennu/runtime/exit.hpp"

namespace bennu::detail {

namespace {

struct PipeEnds {
    std::uint64_t last_id = 0;
    std::unordered_map<std::uint64_t, PipeEnd*> ends;
};

/// Does something with an end, on its shard, if it is still there.
template <typename End, typename F>
void at(PipeAddress address, F act) {
    if (address.shard == shard_index()) {
        if (End* end = find_end<End>(address.id)) act(*end);
        return;
    }
    post(address.shard, [id = address.id, act = std::move(act)]() mutable {
        if (End* end = find_end<End>(id)) act(*end);
    });
}

}  // namespace

PipeEnd* find_pipe_end(std::uint64_t id) {
    auto& ends = shard_local<PipeEnds>().ends;
    auto found = ends.find(id);
    return found == ends.end() ? nullptr : found->second;
}

Error gone(const char* who) {
    const ExitReason* reason = Shard::current()->ending();
    std::string text = std::string("the ") + who;
    text += reason ? " ended: " + reason->describe() : " dropped its end";
    return Error(ErrorKind::closed, std::string(who) + "_gone", std::move(text));
}

PipeEnd::PipeEnd() : address{++shard_local<PipeEnds>().last_id, shard_index()} {
    shard_local<PipeEnds>().ends.emplace(address.id, this);
}

PipeEnd::~PipeEnd() {
    shard_local<PipeEnds>().ends.erase(address.id);
}

InletBase::~InletBase() {
    if (over || !producer_) return;
    at<OutletBase>(producer_, [why = gone("consumer")](OutletBase& outlet) { outlet.close(why); });
}

void InletBase::taken() {
    if (++taken_ < (demand + 1) / 2 || over || !producer_) return;
    at<OutletBase>(producer_, [items = std::exchange(taken_, 0)](OutletBase& outlet) {
        outlet.add_credit(items);
    });
}

OutletBase::OutletBase(PipeAddress to, std::uint32_t demand)
    : consumer(to), credit(static_cast<std::int32_t>(demand)) {
    auto greet = [to, from = address] {
        if (auto* inlet = find_end<InletBase>(to.id)) {
            inlet->producer_ = from;
            return;
        }
        at<OutletBase>(from, [](OutletBase& outlet) {
            outlet.close(Error(ErrorKind::closed, "consumer_gone", "nobody reads this any more"));
        });
    };
    if (local()) {
        greet();
    } else {
        post(to.shard, std::move(greet));
    }
}

void OutletBase::wait_for_demand(ReplyTo wait) {
    if (waiting_ && Shard::current()->waits().find_waiting(waiting_))
        throw std::logic_error("another send to this sink is waiting");
    waiting_ = wait;
}

void OutletBase::add_credit(std::uint32_t items) {
    credit += static_cast<std::int32_t>(items);
    if (credit > 0 && waiting_) send_reply(std::exchange(waiting_, {}), Unit{});
}

void OutletBase::close(Error why) {
    if (closed_) return;
    closed_.emplace(std::move(why));
    if (waiting_) send_reply(std::exchange(waiting_, {}), Unit{});
    close_news.notify();
}

void OutletBase::end(std::optional<Error> failure) {
    if (closed_) return;
    close(Error(ErrorKind::closed, "closed", "this sink was closed"));
    at<InletBase>(consumer, [failure = std::move(failure)](InletBase& inlet) {
        inlet.over = true;
        inlet.failure = failure;
        inlet.news.notify();
    });
}

}  // namespace bennu::detail
