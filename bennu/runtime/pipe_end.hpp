#pragma once

#include "bennu/runtime/signal.hpp"

namespace bennu::detail {

/// Names one end of a pipe. Ids are never used twice on a shard: a stale one finds nothing.
struct PipeAddress {
    std::uint64_t id = 0;
    std::uint8_t shard = 0;
    explicit operator bool() const { return id != 0; }
};

class PipeEnd;
/// The end of this name on this shard, if it is still there; ids are unique over all types of ends.
PipeEnd* find_pipe_end(std::uint64_t id);
template <typename End>
End* find_end(std::uint64_t id) {
    return static_cast<End*>(find_pipe_end(id));
}

/// What an end tells the other when it goes away: why its process ends, if it does.
Error gone(const char* who);

class PipeEnd {
  public:
    PipeEnd(const PipeEnd&) = delete;
    PipeEnd& operator=(const PipeEnd&) = delete;

    const PipeAddress address;

  protected:
    PipeEnd();
    ~PipeEnd();
};

/// The reading end: what has arrived, and how much more may come.
class InletBase : public PipeEnd {
  public:
    const std::uint32_t demand;
    Signal news;
    bool over = false;
    std::optional<Error> failure;

  protected:
    explicit InletBase(std::uint32_t items) : demand(items) {}
    /// Tells the producer, unless it has ended.
    ~InletBase();
    /// One item was read: asks for more, in portions.
    void taken();

  private:
    friend class OutletBase;
    PipeAddress producer_;
    std::uint32_t taken_ = 0;
};

/// The writing end: how much the reader has room for.
class OutletBase : public PipeEnd {
  public:
    const PipeAddress consumer;
    std::int32_t credit;
    Signal close_news;

    bool closed() const { return closed_.has_value(); }
    Error why_closed() const { return *closed_; }
    /// This wait is over when there is demand, or the end.
    void wait_for_demand(ReplyTo wait);

  protected:
    OutletBase(PipeAddress to, std::uint32_t demand);
    ~OutletBase() = default;
    bool local() const { return consumer.shard == address.shard; }
    void end(std::optional<Error> failure);

  private:
    friend class InletBase;
    void close(Error why);
    void add_credit(std::uint32_t items);

    std::optional<Error> closed_;
    ReplyTo waiting_;
};

}  // namespace bennu::detail
